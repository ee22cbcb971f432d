//! A compositional grammar that puts a [`Look`] into words.
//!
//! A caption is a noun phrase ("a smiling old woman") with a list of features
//! ("with long white hair and round glasses"); wording, order and which attributes are
//! mentioned are random. Every word comes from the record, so a caption never says what
//! is not drawn.

use super::look::{AgeGroup, BeardStyle, Ethnicity, Expression, Glasses, HairStyle, Hat, Look};
use crate::batch::ViewRegion;
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

/// "a" or "an" with the phrase.
fn article(phrase: &str) -> String {
    let lower = phrase.to_lowercase();
    let vowel = lower.starts_with(['a', 'e', 'i', 'o', 'u']) && !lower.starts_with("eu");
    format!("{} {phrase}", if vowel { "an" } else { "a" })
}

fn color_word<'a>(rng: &mut impl Rng, name: &'a str) -> &'a str {
    match name {
        "red" => pick(rng, &["red", "red", "red", "ginger"]),
        "blond" => pick(rng, &["blond", "blond", "blonde"]),
        "grey" => pick(rng, &["grey", "grey", "gray"]),
        other => other,
    }
}

fn plain_word<'a>(rng: &mut impl Rng, name: &'a str) -> &'a str {
    if name == "grey" { pick(rng, &["grey", "grey", "gray"]) } else { name }
}

/// A random caption of the look, without view words.
#[must_use]
pub fn caption(look: &Look, rng: &mut impl Rng) -> String {
    let person = person(look, rng);
    let mut features = features(look, &person.full, rng);
    features.shuffle(rng);
    let wearing: Vec<String> = wearing(look, rng);
    let mut sentence = match &look.material {
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

fn person(look: &Look, rng: &mut impl Rng) -> Person {
    let mut words: Vec<String> = Vec::new();
    let mut after = String::new();
    if look.expression != Expression::Neutral && chance(rng, 0.85) {
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
    let natural = look.material.is_none()
        && super::palette::find(&super::palette::NATURAL_SKIN, &look.skin).is_some();
    let (noun, gendered) = match (look.age, look.male) {
        (AgeGroup::Child, true) => (pick(rng, &["boy", "boy", "little boy"]), true),
        (AgeGroup::Child, false) => (pick(rng, &["girl", "girl", "little girl"]), true),
        _ if chance(rng, 0.06) => ("person", false),
        (AgeGroup::Young, true) => (pick(rng, &["man", "man", "man", "man", "guy"]), true),
        (_, true) => ("man", true),
        (_, false) => (pick(rng, &["woman", "woman", "woman", "woman", "lady"]), true),
    };
    let mentions_age = match look.age {
        AgeGroup::Child => !gendered,
        AgeGroup::Young => chance(rng, 0.45),
        AgeGroup::Middle => chance(rng, 0.5),
        AgeGroup::Old => chance(rng, 0.9),
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
    if look.hair == HairStyle::Bald && look.hat == Hat::None && chance(rng, 0.8) {
        words.push("bald".to_owned());
    } else if look.beard_visible() && chance(rng, 0.04) {
        words.push("bearded".to_owned());
    }
    if chance(rng, 0.5) {
        words.shuffle(rng);
    }
    if natural && chance(rng, 0.28) {
        words.push(
            match look.ethnicity {
                Ethnicity::African => "African",
                Ethnicity::Asian => pick(rng, &["Asian", "East Asian"]),
                Ethnicity::European => pick(rng, &["European", "European", "Caucasian"]),
            }
            .to_owned(),
        );
    } else if look.material.is_none() && !natural && chance(rng, 0.12) {
        words.push(format!("{}-skinned", plain_word(rng, &look.skin)));
    }
    words.push(noun.to_owned());
    Person { full: words.join(" "), after }
}

impl Look {
    fn beard_visible(&self) -> bool {
        matches!(self.beard, BeardStyle::Full | BeardStyle::Long | BeardStyle::Goatee)
    }
}

fn statue(material: &str, person: &Person, rng: &mut impl Rng) -> String {
    let whole = &person.full;
    let made = match material {
        "wood" => pick(rng, &["wooden", "wooden", "wood"]),
        "gold" => pick(rng, &["golden", "gold"]),
        "stone" => pick(rng, &["stone", "stone", "granite"]),
        "clay" => pick(rng, &["clay", "clay", "terracotta"]),
        other => other,
    };
    let of = article(whole);
    match rng.random_range(0..10) {
        0..=4 => format!("{made} {} of {of}", pick(rng, &["statue", "statue", "sculpture"])),
        5 | 6 => format!("{made} bust of {of}"),
        7 => format!("statue of {of} made of {material}"),
        8 => format!("{whole} made of {material}"),
        _ => match material {
            "wood" | "stone" | "marble" => format!("{whole} carved out of {material}"),
            _ => format!("head of {of} made of {material}"),
        },
    }
}

fn features(look: &Look, said: &str, rng: &mut impl Rng) -> Vec<String> {
    let mut list = Vec::new();
    let natural = super::palette::find(&super::palette::NATURAL_SKIN, &look.skin).is_some();
    let statue = look.material.is_some();
    if !statue && !said.contains("skinned") && chance(rng, if natural { 0.35 } else { 0.93 }) {
        list.push(format!("{} skin", plain_word(rng, &look.skin)));
    }
    if let Some(hair) = hair(look, said, statue, rng) {
        list.push(hair);
    }
    if let Some(beard) = beard(look, statue, rng) {
        list.push(beard);
    }
    if !statue
        && look.expression != Expression::Sleeping
        && look.glasses != Glasses::Sun
        && chance(rng, 0.22)
    {
        list.push(format!("{} eyes", plain_word(rng, &look.eyes)));
    }
    if look.red_lips && !statue && chance(rng, 0.55) {
        list.push(pick(rng, &["red lips", "red lips", "red lipstick"]).to_owned());
    }
    if !statue && look.brow_color != look.hair_color && chance(rng, 0.12) {
        list.push(format!("{} eyebrows", color_word(rng, &look.brow_color)));
    }
    if look.age == AgeGroup::Old && !statue && chance(rng, 0.08) {
        list.push("wrinkles".to_owned());
    }
    list
}

fn hair(look: &Look, said: &str, statue: bool, rng: &mut impl Rng) -> Option<String> {
    if look.hair == HairStyle::Bald {
        return (look.hat == Hat::None && !said.contains("bald") && chance(rng, 0.6))
            .then(|| pick(rng, &["a bald head", "no hair"]).to_owned());
    }
    if !chance(rng, 0.9) {
        return None;
    }
    let colour =
        if statue { String::new() } else { format!("{} ", color_word(rng, &look.hair_color)) };
    let fringe =
        look.fringe && !matches!(look.hair, HairStyle::Afro | HairStyle::Mohawk | HairStyle::Buzz);
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
    let text = if !statue && chance(rng, 0.10) && !matches!(look.hair, HairStyle::Buzz) {
        format!("{colour}hair")
    } else {
        text
    };
    Some(if fringe && chance(rng, 0.35) {
        format!("{text} and {}", pick(rng, &["a fringe", "bangs"]))
    } else {
        text
    })
}

fn beard(look: &Look, statue: bool, rng: &mut impl Rng) -> Option<String> {
    if look.beard == BeardStyle::None || !chance(rng, 0.93) {
        return None;
    }
    let colour = if statue || chance(rng, 0.12) {
        String::new()
    } else {
        format!("{} ", color_word(rng, &look.beard_color))
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

fn wearing(look: &Look, rng: &mut impl Rng) -> Vec<String> {
    let mut list = Vec::new();
    let statue = look.material.is_some();
    if look.glasses != Glasses::None && chance(rng, 0.96) {
        let colour = if statue || chance(rng, 0.7) {
            String::new()
        } else {
            format!("{} ", plain_word(rng, &look.glasses_color))
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
    if look.hat != Hat::None && chance(rng, 0.97) {
        let colour = if statue || chance(rng, 0.1) {
            String::new()
        } else {
            format!("{} ", plain_word(rng, &look.hat_color))
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
    use crate::render::studio::palette;
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
                for (name, _) in palette::NATURAL_SKIN.iter().chain(&palette::FANTASY_SKIN) {
                    let claim = format!("{name} skin");
                    assert!(!text.contains(&claim) || look.skin == *name, "{text}: {look:?}");
                }
                for (name, _) in &palette::HAIR {
                    for noun in ["hair", "afro", "mohawk", "bob"] {
                        let claim = format!(" {name} {noun}");
                        assert!(
                            !text.contains(&claim) || look.hair_color == *name,
                            "{text}: {look:?}"
                        );
                    }
                    let claim = format!(" {name} beard");
                    assert!(
                        !text.contains(&claim) || look.beard_color == *name,
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
        let man = Look { eyes: "brown".into(), ..Look::default() };
        says(&Look { skin: "green".into(), ..man.clone() }, "a bald man with green skin");
        let long = Look {
            male: false,
            age: AgeGroup::Old,
            hair: HairStyle::Long,
            hair_color: "white".into(),
            ..man.clone()
        };
        says(&long, "an old woman with long white hair");
        let smiling = Look {
            expression: Expression::Smiling,
            beard: BeardStyle::Full,
            beard_color: "red".into(),
            hair: HairStyle::Short,
            ..man.clone()
        };
        says(&smiling, "a smiling man with a red beard");
        let glasses = Look {
            male: false,
            hair: HairStyle::Short,
            hair_color: "black".into(),
            glasses: Glasses::Round,
            ..man.clone()
        };
        says(&glasses, "a young woman with short black hair and round glasses");
        says(&Look { material: Some("bronze".into()), ..man.clone() }, "a bronze statue of a man");
        says(&Look { hair: HairStyle::Afro, ..man.clone() }, "a DSLR portrait of a man");
        says(&Look { hair: HairStyle::Afro, ..man }, "a head of a man");
    }

    #[test]
    fn articles_follow_the_sound() {
        assert_eq!(article("old man"), "an old man");
        assert_eq!(article("Asian man"), "an Asian man");
        assert_eq!(article("European man"), "a European man");
        assert_eq!(article("man"), "a man");
    }
}
