//! A compositional grammar that puts a [`Look`] into words.
//!
//! A caption is a noun phrase ("a smiling old woman") with a list of features
//! ("with long white hair and round glasses"); wording, order and which attributes are
//! mentioned are random. Every word comes from the record, so a caption never says what
//! is not drawn.

mod instruction;
mod words;

pub use instruction::{Edit, edit, instruction, instructions, nonsense};

use crate::batch::ViewRegion;
use crate::head::look::{
    AgeGroup, BeardStyle, Expression, Glasses, HairStyle, Hat, Look, Material,
};
use rand::Rng;
use rand::seq::SliceRandom;
use words::{article, chance, pick};

/// The words that the pipeline appends for a view: "front view of head".
#[must_use]
pub fn view_words(region: ViewRegion) -> String {
    format!("{} view of head", region.word())
}

/// Which attributes a caption mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Those that people would, by chance.
    Some,
    /// Everything that is drawn and has a word.
    All,
}

impl Extent {
    fn mentions(self, rng: &mut impl Rng, p: f64) -> bool {
        // The draw is made either way: both extents walk the same random numbers.
        chance(rng, p) || self == Self::All
    }
}

/// A random caption of the look, without view words.
#[must_use]
pub fn caption(look: &Look, rng: &mut impl Rng) -> String {
    say(look, Extent::Some, rng)
}

/// A caption that mentions everything that is drawn and has a word; wording and order
/// are random.
#[must_use]
pub fn full_caption(look: &Look, rng: &mut impl Rng) -> String {
    say(look, Extent::All, rng)
}

fn say(look: &Look, extent: Extent, rng: &mut impl Rng) -> String {
    let person = person(look, extent, rng);
    let mut features = features(look, &person.full, extent, rng);
    features.shuffle(rng);
    let wearing = wearing(look, extent, rng);
    let whole = match look.material {
        Some(material) => statue(material, &person, rng),
        None => person.full,
    };
    let sentence = arrange(&article(&whole), features, wearing, rng) + person.after;
    framed(sentence, look.material.is_some(), rng)
}

/// Puts the person, the features and what they wear into one sentence.
fn arrange(
    person: &str,
    mut features: Vec<String>,
    wearing: Vec<String>,
    rng: &mut impl Rng,
) -> String {
    if wearing.is_empty() && features.is_empty() {
        return person.to_owned();
    }
    let manner = rng.random_range(0..100);
    // The features first: "long white hair, round glasses, an old woman".
    if manner < 8 {
        features.extend(wearing);
        return format!("{}, {person}", features.join(", "));
    }
    let mut tail = String::new();
    if !wearing.is_empty() {
        if chance(rng, 0.45) {
            let comma = if features.is_empty() { "" } else { "," };
            let verb = if manner < 20 { "who wears" } else { "wearing" };
            tail = format!("{comma} {verb} {}", join(&wearing));
        } else {
            features.extend(wearing);
        }
    }
    let start = match (features.is_empty(), manner) {
        (true, _) => person.to_owned(),
        (_, ..20) => format!("{person} who has {}", join(&features)),
        (_, ..34) => format!("{person}, {}", features.join(", ")),
        _ => format!("{person} with {}", join(&features)),
    };
    start + &tail
}

struct Person {
    full: String,
    after: &'static str,
}

fn person(look: &Look, extent: Extent, rng: &mut impl Rng) -> Person {
    let mut words: Vec<String> = Vec::new();
    let mut after = "";
    let expressive = look.expression != Expression::Neutral;
    if extent.mentions(rng, 0.85) && expressive {
        if chance(rng, 0.75) {
            words.push(words::expression_before(rng, look.expression, extent).to_owned());
        } else {
            after = words::expression_after(rng, look.expression);
        }
    }
    let (noun, gendered) = match (look.age, look.male) {
        _ if extent == Extent::Some && chance(rng, if look.horns { 0.4 } else { 0.12 }) => {
            words::other_noun(look, rng)
        }
        (AgeGroup::Child, true) => (pick(rng, &["boy", "boy", "little boy"]), true),
        (AgeGroup::Child, false) => (pick(rng, &["girl", "girl", "little girl"]), true),
        _ if chance(rng, 0.06) && extent == Extent::Some => ("person", false),
        (AgeGroup::Young, true) => (pick(rng, &["man", "man", "man", "man", "guy"]), true),
        (_, true) => (pick(rng, &["man", "man", "man", "man", "gentleman"]), true),
        (_, false) => (pick(rng, &["woman", "woman", "woman", "woman", "lady"]), true),
    };
    let mentions_age = match look.age {
        _ if words::says_age(noun) => false,
        AgeGroup::Child => !gendered,
        AgeGroup::Young => extent.mentions(rng, 0.45),
        AgeGroup::Middle => extent.mentions(rng, 0.5),
        AgeGroup::Old => extent.mentions(rng, 0.9),
    };
    if mentions_age {
        words.push(
            match look.age {
                AgeGroup::Child | AgeGroup::Young => "young",
                AgeGroup::Middle => "middle-aged",
                AgeGroup::Old => pick(rng, &["old", "old", "old", "elderly"]),
            }
            .to_owned(),
        );
    }
    if look.hair == HairStyle::Bald && look.hat == Hat::None && extent.mentions(rng, 0.8) {
        words.push("bald".to_owned());
    } else if look.beard_visible() && chance(rng, 0.04) {
        words.push("bearded".to_owned());
    }
    // "a green bearded man" would colour the beard.
    if extent == Extent::Some && words.last().is_none_or(|word| word != "bearded") {
        words.extend(words::compound(look, noun, rng));
    }
    if chance(rng, 0.5) {
        words.shuffle(rng);
    }
    let natural = look.is_living() && look.skin.is_natural();
    if natural && extent.mentions(rng, 0.28) {
        words.push(words::ethnicity(rng, look.ethnicity).to_owned());
    } else if look.is_living() && !natural && chance(rng, 0.12) {
        words.push(format!("{}-skinned", words::plain(rng, look.skin.name())));
    }
    words.push(noun.to_owned());
    Person { full: words.join(" "), after }
}

impl Look {
    fn beard_visible(&self) -> bool {
        matches!(self.beard, BeardStyle::Full | BeardStyle::Long | BeardStyle::Goatee)
    }
}

fn statue(material: Material, person: &Person, rng: &mut impl Rng) -> String {
    let whole = &person.full;
    let made = words::material(rng, material);
    let name = material.name();
    let of = article(whole);
    match rng.random_range(0..10) {
        0..=4 => format!("{made} {} of {of}", pick(rng, &["statue", "statue", "sculpture"])),
        5 | 6 => format!("{made} bust of {of}"),
        7 => format!("statue of {of} made of {name}"),
        8 => format!("{whole} made of {name}"),
        _ => match material {
            Material::Wood | Material::Stone | Material::Marble => {
                format!("{whole} carved out of {name}")
            }
            _ => format!("head of {of} made of {name}"),
        },
    }
}

fn features(look: &Look, said: &str, extent: Extent, rng: &mut impl Rng) -> Vec<String> {
    let mut list = Vec::new();
    let living = look.is_living();
    let often = if look.skin.is_natural() { 0.35 } else { 0.93 };
    if living && !said.contains("skinned") && extent.mentions(rng, often) {
        list.push(words::skin(rng, look.skin));
    }
    list.extend(hair(look, said, extent, rng));
    if look.beard != BeardStyle::None && extent.mentions(rng, 0.93) {
        list.extend(words::beard(look, extent, rng));
    }
    let eyes_seen = look.expression != Expression::Sleeping && look.glasses != Glasses::Sun;
    if living && eyes_seen && extent.mentions(rng, 0.22) {
        list.push(format!("{} eyes", words::plain(rng, look.eyes.name())));
    }
    if look.red_lips && living && extent.mentions(rng, 0.55) {
        list.push(pick(rng, &["red lips", "red lips", "red lipstick"]).to_owned());
    }
    list.extend(words::brows(look, extent, rng));
    if living && extent.mentions(rng, 0.95) {
        list.extend(words::face_paint(look, rng));
    }
    if look.horns && extent.mentions(rng, 0.95) {
        list.push(words::horns(rng));
    }
    if look.age == AgeGroup::Old && living && chance(rng, 0.08) {
        list.push("wrinkles".to_owned());
    }
    for shape in words::shapes(look, rng) {
        if extent.mentions(rng, 0.85) {
            list.push(shape);
        }
    }
    list
}

fn hair(look: &Look, said: &str, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    if look.hair == HairStyle::Bald {
        return (look.hat == Hat::None && !said.contains("bald") && extent.mentions(rng, 0.6))
            .then(|| pick(rng, &["a bald head", "no hair", "a shaved head"]).to_owned());
    }
    if !extent.mentions(rng, 0.9) {
        return None;
    }
    // Now and then only the colour, as people write it.
    let brief = chance(rng, 0.10) && extent == Extent::Some;
    let text = if look.is_living() && brief && look.hair != HairStyle::Buzz {
        format!("{} hair", words::hair_color(rng, look.hair_color))
    } else {
        words::hair(look, extent, rng)?
    };
    Some(if look.has_fringe() && extent.mentions(rng, 0.35) {
        format!("{text} and {}", pick(rng, &["a fringe", "bangs"]))
    } else {
        text
    })
}

fn wearing(look: &Look, extent: Extent, rng: &mut impl Rng) -> Vec<String> {
    let mut list = Vec::new();
    if extent.mentions(rng, 0.96) {
        list.extend(words::glasses(look, extent, rng));
    }
    if extent.mentions(rng, 0.97) {
        list.extend(words::hat(look, extent, rng));
    }
    if extent.mentions(rng, 0.9) {
        list.extend(words::earrings(look, rng));
    }
    list.shuffle(rng);
    list
}

fn join(list: &[String]) -> String {
    match list {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

fn framed(sentence: String, statue: bool, rng: &mut impl Rng) -> String {
    if statue {
        return match rng.random_range(0..6) {
            0 => format!("a photo of {sentence}"),
            _ => sentence,
        };
    }
    match rng.random_range(0..20) {
        0 | 1 => format!("a DSLR portrait of {sentence}"),
        2 | 3 => format!("a head of {sentence}"),
        4 => format!("a portrait of {sentence}"),
        5 => format!("a photo of {sentence}"),
        6 => format!("the head of {sentence}"),
        7 => format!("a 3D render of {sentence}"),
        _ => sentence,
    }
}

#[cfg(test)]
mod tests;
