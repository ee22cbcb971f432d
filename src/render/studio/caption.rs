//! A compositional grammar that puts a [`Look`] into words.
//!
//! A caption is a noun phrase ("a smiling old woman") with a list of features
//! ("with long white hair and round glasses"); wording, order and which attributes are
//! mentioned are random. Every word comes from the record, so a caption never says what
//! is not drawn.

use crate::batch::ViewRegion;
use crate::head::look::{
    AgeGroup, BeardStyle, Ethnicity, Expression, Glasses, HairColor, HairStyle, Hat, Look, Material,
};
use rand::Rng;
use rand::seq::SliceRandom;

/// The words that the pipeline appends for a view: "front view of head".
#[must_use]
pub fn view_words(region: ViewRegion) -> String {
    format!("{} view of head", region.word())
}

fn pick<'a>(rng: &mut impl Rng, choices: &[&'a str]) -> &'a str {
    choices[rng.random_range(0..choices.len())]
}

fn chance(rng: &mut impl Rng, p: f64) -> bool {
    rng.random_bool(p)
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

/// "a" or "an" with the phrase.
fn article(phrase: &str) -> String {
    let lower = phrase.to_lowercase();
    let vowel = lower.starts_with(['a', 'e', 'i', 'o', 'u']) && !lower.starts_with("eu");
    format!("{} {phrase}", if vowel { "an" } else { "a" })
}

fn color_word(rng: &mut impl Rng, color: HairColor) -> &'static str {
    match color.name() {
        "red" => pick(rng, &["red", "red", "red", "ginger"]),
        "blond" => pick(rng, &["blond", "blond", "blonde"]),
        "grey" => pick(rng, &["grey", "grey", "gray"]),
        other => other,
    }
}

fn plain_word(rng: &mut impl Rng, name: &'static str) -> &'static str {
    if name == "grey" { pick(rng, &["grey", "grey", "gray"]) } else { name }
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
    let wearing: Vec<String> = wearing(look, extent, rng);
    let mut sentence = match look.material {
        Some(material) => statue(material, &person, rng),
        None => person.full,
    };
    sentence = article(&sentence);
    let mut list = features;
    let mut tail = String::new();
    if !wearing.is_empty() {
        if chance(rng, 0.45) {
            tail = format!(
                "{} {}",
                if list.is_empty() { " wearing" } else { ", wearing" },
                join(&wearing)
            );
        } else {
            list.extend(wearing);
        }
    }
    if !list.is_empty() {
        sentence = if chance(rng, 0.14) {
            format!("{sentence}, {}", list.join(", "))
        } else {
            format!("{sentence} with {}", join(&list))
        };
    }
    sentence.push_str(&tail);
    sentence.push_str(&person.after);
    framed(sentence, look.material.is_some(), rng)
}

struct Person {
    full: String,
    after: String,
}

fn person(look: &Look, extent: Extent, rng: &mut impl Rng) -> Person {
    let mut words: Vec<String> = Vec::new();
    let mut after = String::new();
    if look.expression != Expression::Neutral && extent.mentions(rng, 0.85) {
        if chance(rng, 0.75) {
            words.push(
                match look.expression {
                    Expression::Smiling => pick(rng, &["smiling", "smiling", "happy"]),
                    Expression::Laughing => "laughing",
                    Expression::Surprised => pick(rng, &["surprised", "astonished"]),
                    Expression::Angry => pick(rng, &["angry", "angry", "furious"]),
                    Expression::Sad => pick(rng, &["sad", "sad", "unhappy"]),
                    Expression::Sleeping => "sleeping",
                    Expression::Screaming => pick(rng, &["screaming", "shouting"]),
                    Expression::Neutral => "",
                }
                .to_owned(),
            );
        } else {
            let words = match look.expression {
                Expression::Smiling => {
                    pick(rng, &[", smiling", " who is smiling", ", with a smile"])
                }
                Expression::Laughing => pick(rng, &[", laughing", " who is laughing"]),
                Expression::Surprised => pick(rng, &[", surprised", ", looking surprised"]),
                Expression::Angry => pick(rng, &[", angry", ", looking angry"]),
                Expression::Sad => pick(rng, &[", sad", ", looking sad"]),
                Expression::Sleeping => pick(rng, &[", with closed eyes", ", sleeping"]),
                Expression::Screaming => pick(rng, &[", screaming", ", with the mouth wide open"]),
                Expression::Neutral => "",
            };
            words.clone_into(&mut after);
        }
    }
    let natural = look.material.is_none() && look.skin.is_natural();
    let (noun, gendered) = match (look.age, look.male) {
        (AgeGroup::Child, true) => (pick(rng, &["boy", "boy", "little boy"]), true),
        (AgeGroup::Child, false) => (pick(rng, &["girl", "girl", "little girl"]), true),
        _ if chance(rng, 0.06) && extent == Extent::Some => ("person", false),
        (AgeGroup::Young, true) => (pick(rng, &["man", "man", "man", "man", "guy"]), true),
        (_, true) => ("man", true),
        (_, false) => (pick(rng, &["woman", "woman", "woman", "woman", "lady"]), true),
    };
    let mentions_age = match look.age {
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
    if chance(rng, 0.5) {
        words.shuffle(rng);
    }
    if natural && extent.mentions(rng, 0.28) {
        words.push(
            match look.ethnicity {
                Ethnicity::African => "African",
                Ethnicity::Asian => pick(rng, &["Asian", "East Asian"]),
                Ethnicity::European => pick(rng, &["European", "European", "Caucasian"]),
            }
            .to_owned(),
        );
    } else if look.material.is_none() && !natural && chance(rng, 0.12) {
        words.push(format!("{}-skinned", plain_word(rng, look.skin.name())));
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
    let made = match material {
        Material::Wood => pick(rng, &["wooden", "wooden", "wood"]),
        Material::Gold => pick(rng, &["golden", "gold"]),
        Material::Stone => pick(rng, &["stone", "stone", "granite"]),
        Material::Clay => pick(rng, &["clay", "clay", "terracotta"]),
        Material::Bronze | Material::Silver | Material::Marble => material.name(),
    };
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
    let natural = look.skin.is_natural();
    let statue = look.material.is_some();
    if !statue
        && !said.contains("skinned")
        && extent.mentions(rng, if natural { 0.35 } else { 0.93 })
    {
        list.push(format!("{} skin", plain_word(rng, look.skin.name())));
    }
    if let Some(hair) = hair(look, said, extent, rng) {
        list.push(hair);
    }
    if let Some(beard) = beard(look, extent, rng) {
        list.push(beard);
    }
    if !statue
        && look.expression != Expression::Sleeping
        && look.glasses != Glasses::Sun
        && extent.mentions(rng, 0.22)
    {
        list.push(format!("{} eyes", plain_word(rng, look.eyes.name())));
    }
    if look.red_lips && !statue && extent.mentions(rng, 0.55) {
        list.push(pick(rng, &["red lips", "red lips", "red lipstick"]).to_owned());
    }
    if !statue && look.brow_color != look.hair_color && extent.mentions(rng, 0.12) {
        list.push(format!("{} eyebrows", color_word(rng, look.brow_color)));
    }
    if look.age == AgeGroup::Old && !statue && chance(rng, 0.08) {
        list.push("wrinkles".to_owned());
    }
    list
}

fn hair(look: &Look, said: &str, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    let statue = look.material.is_some();
    if look.hair == HairStyle::Bald {
        return (look.hat == Hat::None && !said.contains("bald") && extent.mentions(rng, 0.6))
            .then(|| pick(rng, &["a bald head", "no hair"]).to_owned());
    }
    if !extent.mentions(rng, 0.9) {
        return None;
    }
    let colour =
        if statue { String::new() } else { format!("{} ", color_word(rng, look.hair_color)) };
    let text = match look.hair {
        HairStyle::Bald => return None,
        HairStyle::Buzz => match rng.random_range(0..3) {
            0 => format!("{colour}buzz cut hair"),
            1 => format!("very short {colour}hair"),
            _ => article(&format!("{colour}buzz cut")),
        },
        HairStyle::Short => format!("short {colour}hair"),
        HairStyle::Curly => match rng.random_range(0..3) {
            0 => format!("short curly {colour}hair"),
            _ => format!("curly {colour}hair"),
        },
        HairStyle::Afro => match rng.random_range(0..3) {
            0 => format!("{colour}afro hair"),
            _ => article(&format!("{colour}afro")),
        },
        HairStyle::Mohawk => match rng.random_range(0..4) {
            0 => format!("{colour}mohawk hair"),
            _ => article(&format!("{colour}mohawk")),
        },
        HairStyle::Bob => match rng.random_range(0..3) {
            0 => format!("{colour}bob hair"),
            1 => format!("chin-length {colour}hair"),
            _ => article(&format!("{colour}bob")),
        },
        HairStyle::Long => format!("long {colour}hair"),
    };
    // Now and then only the colour, as people write it.
    let brief = chance(rng, 0.10) && extent == Extent::Some;
    let text = if !statue && brief && !matches!(look.hair, HairStyle::Buzz) {
        format!("{colour}hair")
    } else {
        text
    };
    Some(if look.has_fringe() && extent.mentions(rng, 0.35) {
        format!("{text} and {}", pick(rng, &["a fringe", "bangs"]))
    } else {
        text
    })
}

fn beard(look: &Look, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    let statue = look.material.is_some();
    if look.beard == BeardStyle::None || !extent.mentions(rng, 0.93) {
        return None;
    }
    let colour = if statue || !extent.mentions(rng, 0.88) {
        String::new()
    } else {
        format!("{} ", color_word(rng, look.beard_color))
    };
    Some(match look.beard {
        BeardStyle::None => return None,
        BeardStyle::Stubble => pick(rng, &["stubble", "a stubble beard"]).to_owned(),
        BeardStyle::Moustache => {
            article(&format!("{colour}{}", pick(rng, &["moustache", "moustache", "mustache"])))
        }
        BeardStyle::Goatee => article(&format!("{colour}goatee")),
        BeardStyle::Full => match rng.random_range(0..4) {
            0 => article(&format!("full {colour}beard")),
            _ => article(&format!("{colour}beard")),
        },
        BeardStyle::Long => match rng.random_range(0..4) {
            0 => article(&format!("{colour}beard")),
            _ => article(&format!("long {colour}beard")),
        },
    })
}

fn wearing(look: &Look, extent: Extent, rng: &mut impl Rng) -> Vec<String> {
    let mut list = Vec::new();
    let statue = look.material.is_some();
    if look.glasses != Glasses::None && extent.mentions(rng, 0.96) {
        let colour = if statue || !extent.mentions(rng, 0.3) {
            String::new()
        } else {
            format!("{} ", plain_word(rng, look.glasses_color.name()))
        };
        list.push(match look.glasses {
            Glasses::Round => {
                format!("{}{colour}glasses", pick(rng, &["round ", "round ", "round ", ""]))
            }
            Glasses::Square => {
                format!("{}{colour}glasses", pick(rng, &["square ", "square ", "rectangular ", ""]))
            }
            _ => format!("{colour}sunglasses"),
        });
    }
    if look.hat != Hat::None && extent.mentions(rng, 0.97) {
        let colour = if statue || !extent.mentions(rng, 0.9) {
            String::new()
        } else {
            format!("{} ", plain_word(rng, look.hat_color.name()))
        };
        let noun = match look.hat {
            Hat::Cap => pick(rng, &["cap", "cap", "baseball cap"]),
            _ => pick(rng, &["beanie", "beanie", "knitted hat"]),
        };
        list.push(article(&format!("{colour}{noun}")));
    }
    if chance(rng, 0.5) {
        list.reverse();
    }
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
mod tests {
    use super::*;
    use crate::head::look::SkinTone;
    use crate::render::studio::sample::StudioSample;
    use crate::rng;

    #[test]
    fn captions_mention_only_what_is_drawn() {
        for seed in 0..1500 {
            let look = StudioSample::random(seed).look;
            let mut rng = rng::stream(seed, "test", 0, "caption");
            for _ in 0..4 {
                let text = caption(&look, &mut rng);
                let claims: [(&str, bool); 18] = [
                    ("glasses", look.glasses != Glasses::None),
                    ("sunglasses", look.glasses == Glasses::Sun),
                    ("round", look.glasses == Glasses::Round),
                    ("beard", !matches!(look.beard, BeardStyle::None | BeardStyle::Moustache)),
                    ("moustache", look.beard == BeardStyle::Moustache),
                    ("goatee", look.beard == BeardStyle::Goatee),
                    ("long beard", look.beard == BeardStyle::Long),
                    (" cap", look.hat == Hat::Cap),
                    ("beanie", look.hat == Hat::Beanie),
                    ("bald", look.hair == HairStyle::Bald),
                    ("afro", look.hair == HairStyle::Afro),
                    ("mohawk", look.hair == HairStyle::Mohawk),
                    ("bob", look.hair == HairStyle::Bob),
                    ("curly", look.hair == HairStyle::Curly),
                    ("smil", look.expression == Expression::Smiling),
                    ("red lips", look.red_lips),
                    ("woman", !look.male),
                    ("statue", look.material.is_some()),
                ];
                for (word, allowed) in claims {
                    // "baseball cap" holds no "bald"; "woman" holds "man".
                    assert!(allowed || !text.contains(word), "{text}: {look:?}");
                }
                for tone in SkinTone::ALL {
                    let claim = format!("{} skin", tone.name());
                    assert!(!text.contains(&claim) || look.skin == *tone, "{text}: {look:?}");
                }
                for color in HairColor::ALL {
                    let name = color.name();
                    for noun in ["hair", "afro", "mohawk", "bob"] {
                        let claim = format!(" {name} {noun}");
                        assert!(
                            !text.contains(&claim) || look.hair_color == *color,
                            "{text}: {look:?}"
                        );
                    }
                    let claim = format!(" {name} beard");
                    assert!(
                        !text.contains(&claim) || look.beard_color == *color,
                        "{text}: {look:?}"
                    );
                }
                assert!(
                    !text.contains("  ") && !text.contains(" a a") && !text.contains(" ,"),
                    "{text}"
                );
            }
        }
    }

    fn says(look: &Look, wanted: &str) {
        let mut rng = rng::stream(5, "test", 1, wanted);
        assert!((0..8000).any(|_| caption(look, &mut rng) == wanted), "never said: {wanted}");
    }

    #[test]
    fn the_grammar_covers_the_phrasing_of_prompts() {
        let man = Look::default();
        says(&Look { skin: SkinTone::Green, ..man }, "a bald man with green skin");
        let long = Look {
            male: false,
            age: AgeGroup::Old,
            hair: HairStyle::Long,
            hair_color: HairColor::White,
            ..man
        };
        says(&long, "an old woman with long white hair");
        let smiling = Look {
            expression: Expression::Smiling,
            beard: BeardStyle::Full,
            beard_color: HairColor::Red,
            hair: HairStyle::Short,
            ..man
        };
        says(&smiling, "a smiling man with a red beard");
        let glasses = Look {
            male: false,
            hair: HairStyle::Short,
            hair_color: HairColor::Black,
            glasses: Glasses::Round,
            ..man
        };
        says(&glasses, "a young woman with short black hair and round glasses");
        says(&Look { material: Some(Material::Bronze), ..man }, "a bronze statue of a man");
        says(&Look { hair: HairStyle::Afro, ..man }, "a DSLR portrait of a man");
        says(&Look { hair: HairStyle::Afro, ..man }, "a head of a man");
    }

    #[test]
    fn a_full_caption_leaves_nothing_out() {
        for seed in 0..400 {
            let look = StudioSample::random(seed).look;
            let mut rng = rng::stream(seed, "test", 0, "full caption");
            let text = full_caption(&look, &mut rng);
            let plain = text.replace("gray", "grey").replace("ginger", "red");
            let living = look.material.is_none();
            let says = |drawn: bool, words: &str| {
                let found = words.split('|').any(|w| plain.contains(w));
                assert!(!drawn || found, "{words} in {text}: {look:?}");
            };
            let skin = look.skin.name();
            says(living, &format!("{skin} skin|{skin}-skin"));
            let hair = look.hair_color.name();
            says(
                living && look.hair != HairStyle::Bald,
                &["hair", "afro", "mohawk", "bob", "buzz", "chin-length", "very short"]
                    .map(|noun| format!("{hair} {noun}|{hair}e {noun}"))
                    .join("|"),
            );
            let beard = look.beard_color.name();
            says(
                living && !matches!(look.beard, BeardStyle::None | BeardStyle::Stubble),
                &["beard", "goatee", "moustache", "mustache"]
                    .map(|noun| format!("{beard} {noun}|{beard}e {noun}"))
                    .join("|"),
            );
            let eyes = look.eyes.name();
            let seen = look.expression != Expression::Sleeping && look.glasses != Glasses::Sun;
            says(living && seen, &format!("{eyes} eyes"));
            let brows = look.brow_color.name();
            let other = look.brow_color != look.hair_color;
            says(living && other, &format!("{brows} eyebrows|{brows}e eyebrows"));
            says(look.glasses != Glasses::None, "glasses");
            let hat = look.hat_color.name();
            says(
                living && look.hat != Hat::None,
                &["cap", "baseball", "beanie", "knitted"]
                    .map(|noun| format!("{hat} {noun}"))
                    .join("|"),
            );
            says(look.age == AgeGroup::Middle, "middle-aged");
            says(look.age == AgeGroup::Old, "old|elderly");
            says(!look.male, "wom|girl|lady");
            says(look.male, "man|boy|guy");
            says(living && look.skin.is_natural(), "African|Asian|European|Caucasian");
            says(look.hair == HairStyle::Afro, "afro");
            says(look.hair == HairStyle::Long, "long");
            says(look.expression == Expression::Smiling, "smil|happy");
            says(look.beard == BeardStyle::Goatee, "goatee");
            says(look.red_lips && living, "red lip");
        }
    }

    #[test]
    fn articles_follow_the_sound() {
        assert_eq!(article("old man"), "an old man");
        assert_eq!(article("Asian man"), "an Asian man");
        assert_eq!(article("European man"), "a European man");
        assert_eq!(article("man"), "a man");
    }
}
