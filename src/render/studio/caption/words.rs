//! The words for each value of a look: synonyms, drawn at random.

use super::Extent;
use crate::head::look::{
    AgeGroup, BeardStyle, Brows, Cheeks, Chin, Earrings, Ears, Ethnicity, Expression, EyeSize,
    Face, FacePaint, Forehead, Glasses, HairColor, HairStyle, Hat, Jaw, Lips, Look, Material,
    Mouth, Neck, Nose, SkinTone,
};
use rand::Rng;

pub(super) fn pick<'a>(rng: &mut impl Rng, choices: &[&'a str]) -> &'a str {
    choices[rng.random_range(0..choices.len())]
}

pub(super) fn chance(rng: &mut impl Rng, p: f64) -> bool {
    rng.random_bool(p)
}

/// "a" or "an" with the phrase.
pub(super) fn article(phrase: &str) -> String {
    let lower = phrase.to_lowercase();
    let vowel = lower.starts_with(['a', 'e', 'i', 'o', 'u']) && !lower.starts_with("eu");
    format!("{} {phrase}", if vowel { "an" } else { "a" })
}

/// Nouns for people that full descriptions leave out, and whether they tell the gender.
pub(super) fn other_noun(look: &Look, rng: &mut impl Rng) -> (&'static str, bool) {
    let man = look.male;
    if look.face_paint == FacePaint::Clown && look.is_living() && chance(rng, 0.5) {
        return ("clown", false);
    }
    if look.ears == Ears::Pointed && chance(rng, 0.5) {
        let male = ["elf", "male elf", "elf man"];
        let female = ["elf woman", "female elf", "elf lady"];
        return (pick(rng, if man { &male } else { &female }), true);
    }
    if look.horns && look.is_living() && chance(rng, 0.7) {
        return (pick(rng, &["devil", "demon"]), false);
    }
    match (look.age, man) {
        (AgeGroup::Child, _) => (pick(rng, &["child", "kid"]), false),
        (AgeGroup::Old, true) => (pick(rng, &["grandfather", "grandpa", "male"]), true),
        (AgeGroup::Old, false) => (pick(rng, &["grandmother", "grandma", "female"]), true),
        (_, true) => (pick(rng, &["male", "fellow", "dude"]), true),
        (_, false) => (pick(rng, &["female", "lady"]), true),
    }
}

/// Whether a noun says the age by itself.
pub(super) fn says_age(noun: &str) -> bool {
    noun.starts_with("grand") || matches!(noun, "child" | "kid")
}

/// Now and then an adjective made of a feature: "red-haired", "blue-eyed", "clean-shaven".
pub(super) fn compound(look: &Look, noun: &str, rng: &mut impl Rng) -> Option<String> {
    if !look.is_living() {
        return None;
    }
    // "a green man", "a red devil": nobody says it of hair.
    let often = if matches!(noun, "devil" | "demon") { 0.7 } else { 0.10 };
    if !look.skin.is_natural() && chance(rng, often) {
        return Some(plain(rng, look.skin.name()).to_owned());
    }
    if !chance(rng, 0.10) {
        return None;
    }
    let hairy =
        !matches!(look.hair, HairStyle::Bald | HairStyle::Buzz) && look.visible_tips().is_none();
    Some(match rng.random_range(0..5) {
        0 if hairy => format!("{}-haired", hair_color(rng, look.hair_color)),
        1 if look.hair == HairStyle::Long => "long-haired".to_owned(),
        1 if look.hair == HairStyle::Curly => "curly-haired".to_owned(),
        1 if look.hair == HairStyle::Short => "short-haired".to_owned(),
        2 if look.expression != Expression::Sleeping && look.glasses != Glasses::Sun => {
            format!("{}-eyed", plain(rng, look.eyes.name()))
        }
        3 if look.male && look.beard == BeardStyle::None && look.age != AgeGroup::Child => {
            pick(rng, &["clean-shaven", "beardless"]).to_owned()
        }
        4 if matches!(look.glasses, Glasses::Round | Glasses::Square) => "bespectacled".to_owned(),
        _ => return None,
    })
}

pub(super) fn hair_color(rng: &mut impl Rng, color: HairColor) -> &'static str {
    match color {
        HairColor::Red => pick(rng, &["red", "red", "red", "ginger"]),
        HairColor::Blond => pick(rng, &["blond", "blond", "blonde", "golden"]),
        HairColor::Grey => pick(rng, &["grey", "grey", "gray"]),
        HairColor::Brown => pick(rng, &["brown", "brown", "brown", "brunette"]),
        HairColor::Auburn => pick(rng, &["auburn", "auburn", "russet"]),
        HairColor::White => pick(rng, &["white", "white", "white", "snow-white"]),
        HairColor::Black => pick(rng, &["black", "black", "black", "jet-black"]),
        HairColor::Purple => pick(rng, &["purple", "purple", "violet"]),
        other => other.name(),
    }
}

/// The name of a colour, or a word that means the same.
pub(super) fn plain(rng: &mut impl Rng, name: &'static str) -> &'static str {
    match name {
        "grey" => pick(rng, &["grey", "grey", "gray"]),
        "purple" => pick(rng, &["purple", "purple", "violet"]),
        other => other,
    }
}

pub(super) fn skin(rng: &mut impl Rng, tone: SkinTone) -> String {
    let word = match tone {
        SkinTone::Tan => pick(rng, &["tan", "tan", "tanned", "sun-tanned"]),
        SkinTone::Black => pick(rng, &["black", "black", "ebony"]),
        SkinTone::Pale => pick(rng, &["pale", "pale", "porcelain"]),
        SkinTone::Gold => pick(rng, &["gold", "golden"]),
        other => plain(rng, other.name()),
    };
    match rng.random_range(0..8) {
        0 => format!("{} complexion", article(word)),
        _ => format!("{word} skin"),
    }
}

pub(super) fn ethnicity(rng: &mut impl Rng, ethnicity: Ethnicity) -> &'static str {
    match ethnicity {
        Ethnicity::African => "African",
        Ethnicity::Asian => pick(rng, &["Asian", "Asian", "East Asian"]),
        Ethnicity::European => pick(rng, &["European", "European", "Caucasian"]),
        Ethnicity::Indian => pick(rng, &["Indian", "Indian", "South Asian"]),
        Ethnicity::Mixed => pick(rng, &["mixed-race", "mixed-race", "multiracial"]),
    }
}

/// The expression as an adjective before the person.
pub(super) fn expression_before(
    rng: &mut impl Rng,
    expression: Expression,
    extent: Extent,
) -> &'static str {
    // Rarer words stay out of full descriptions, which guide models that know few.
    let rare = extent == Extent::Some && chance(rng, 0.15);
    match expression {
        Expression::Smiling if rare => "grinning",
        Expression::Angry if rare => "grumpy",
        Expression::Neutral => "calm",
        Expression::Smiling => pick(rng, &["smiling", "smiling", "happy", "cheerful"]),
        Expression::Laughing => "laughing",
        Expression::Surprised => pick(rng, &["surprised", "surprised", "astonished"]),
        Expression::Angry => pick(rng, &["angry", "angry", "furious", "scowling"]),
        Expression::Sad => pick(rng, &["sad", "sad", "unhappy"]),
        Expression::Sleeping => pick(rng, &["sleeping", "sleeping", "dozing"]),
        Expression::Screaming => pick(rng, &["screaming", "shouting", "yelling"]),
        Expression::Winking => "winking",
        Expression::Kissing => pick(rng, &["kissing", "pouting"]),
        Expression::Disgusted => "disgusted",
    }
}

/// The expression as a clause after everything else.
pub(super) fn expression_after(rng: &mut impl Rng, expression: Expression) -> &'static str {
    match expression {
        Expression::Neutral => ", with a calm face",
        Expression::Smiling => pick(rng, &[", smiling", " who is smiling", ", with a smile"]),
        Expression::Laughing => pick(rng, &[", laughing", " who is laughing"]),
        Expression::Surprised => pick(rng, &[", surprised", ", looking surprised"]),
        Expression::Angry => pick(rng, &[", angry", ", looking angry", ", with an angry look"]),
        Expression::Sad => pick(rng, &[", sad", ", looking sad", ", with a sad face"]),
        Expression::Sleeping => pick(rng, &[", with closed eyes", ", sleeping", ", asleep"]),
        Expression::Screaming => pick(rng, &[", screaming", ", with the mouth wide open"]),
        Expression::Winking => pick(rng, &[", winking", ", with one eye closed"]),
        Expression::Kissing => pick(rng, &[", with pursed lips", ", blowing a kiss"]),
        Expression::Disgusted => pick(rng, &[", disgusted", ", looking disgusted"]),
    }
}

/// A noun phrase for the hair, colours included; `None` for bald heads.
pub(super) fn hair(look: &Look, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    let tips = look.visible_tips().filter(|_| look.is_living() && extent.mentions(rng, 0.85));
    let tone = match (look.is_living(), tips) {
        (false, _) => String::new(),
        (true, Some(tips)) if chance(rng, 0.35) => {
            let (a, b) = (hair_color(rng, look.hair_color), hair_color(rng, tips));
            return cut(look.hair, &format!("two-tone {a} and {b} "), rng);
        }
        (true, _) => format!("{} ", hair_color(rng, look.hair_color)),
    };
    let text = cut(look.hair, &tone, rng)?;
    Some(match tips {
        Some(tips) => {
            let tips = hair_color(rng, tips);
            format!(
                "{text} {}",
                match rng.random_range(0..3) {
                    0 => format!("dyed {tips} at the tips"),
                    1 => format!("and {tips} tips"),
                    _ => format!("with {tips} tips"),
                }
            )
        }
        None => text,
    })
}

/// The cut with `tone` (a colour and a space, or nothing) at its place.
pub(super) fn cut(style: HairStyle, tone: &str, rng: &mut impl Rng) -> Option<String> {
    let usual = |rng: &mut _, adjective: &str| match pick(rng, &["a", "a", "a", "b"]) {
        "a" => format!("{adjective} {tone}hair"),
        // The colour first, as some write it.
        _ => format!("{tone}{adjective} hair"),
    };
    Some(match style {
        HairStyle::Bald => return None,
        HairStyle::Buzz => match rng.random_range(0..3) {
            0 => format!("{tone}buzz cut hair"),
            1 => format!("very short {tone}hair"),
            _ => article(&format!("{tone}buzz cut")),
        },
        HairStyle::Short => match rng.random_range(0..6) {
            0 => format!("close-cropped {tone}hair"),
            _ => usual(rng, "short"),
        },
        HairStyle::Curly => match rng.random_range(0..5) {
            0 => format!("short curly {tone}hair"),
            1 => format!("{tone}curls"),
            _ => usual(rng, "curly"),
        },
        HairStyle::Afro => match rng.random_range(0..3) {
            0 => format!("{tone}afro hair"),
            _ => article(&format!("{tone}afro")),
        },
        HairStyle::Mohawk => match rng.random_range(0..4) {
            0 => format!("{tone}mohawk hair"),
            _ => article(&format!("{tone}mohawk")),
        },
        HairStyle::Bob => match rng.random_range(0..4) {
            0 => format!("{tone}bob hair"),
            1 => format!("chin-length {tone}hair"),
            2 => article(&format!("{tone}bob cut")),
            _ => article(&format!("{tone}bob")),
        },
        HairStyle::Long => match rng.random_range(0..8) {
            0 => format!("long straight {tone}hair"),
            _ => usual(rng, "long"),
        },
        HairStyle::Wavy => match rng.random_range(0..4) {
            0 => format!("long wavy {tone}hair"),
            1 => format!("{tone}waves of hair"),
            _ => usual(rng, "wavy"),
        },
        HairStyle::Ponytail => match rng.random_range(0..4) {
            0 => format!("{tone}hair in a ponytail"),
            1 => format!("{tone}hair tied back"),
            _ => article(&format!("{tone}ponytail")),
        },
        HairStyle::Bun => match rng.random_range(0..4) {
            0 => format!("{tone}hair in a bun"),
            1 => format!("{tone}hair in a top knot"),
            _ => article(&format!("{tone}bun")),
        },
        HairStyle::Spiky => match rng.random_range(0..4) {
            0 => format!("{tone}spikes of hair"),
            _ => usual(rng, "spiky"),
        },
    })
}

pub(super) fn beard(look: &Look, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    let tone = if look.is_living() && extent.mentions(rng, 0.88) {
        format!("{} ", hair_color(rng, look.beard_color))
    } else {
        String::new()
    };
    Some(match look.beard {
        BeardStyle::None => return None,
        BeardStyle::Stubble => {
            pick(rng, &["stubble", "a stubble beard", "a five o'clock shadow"]).to_owned()
        }
        BeardStyle::Moustache => {
            article(&format!("{tone}{}", pick(rng, &["moustache", "moustache", "mustache"])))
        }
        BeardStyle::Goatee => article(&format!("{tone}goatee")),
        BeardStyle::Full => match rng.random_range(0..4) {
            0 => article(&format!("full {tone}beard")),
            _ => article(&format!("{tone}beard")),
        },
        BeardStyle::Long => match rng.random_range(0..4) {
            0 => article(&format!("{tone}beard")),
            _ => article(&format!("long {tone}beard")),
        },
        BeardStyle::Sideburns => {
            format!("{tone}{}", pick(rng, &["sideburns", "sideburns", "mutton chops"]))
        }
    })
}

pub(super) fn glasses(look: &Look, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    let tone = if look.is_living() && extent.mentions(rng, 0.3) {
        format!("{} ", plain(rng, look.glasses_color.name()))
    } else {
        String::new()
    };
    // Who does not say the shape leaves it open.
    let shape = |rng: &mut _, words: [&'static str; 3]| {
        if extent == Extent::All { words[0] } else { pick(rng, &words) }
    };
    let noun = pick(rng, &["glasses", "glasses", "glasses", "spectacles", "eyeglasses"]);
    Some(match look.glasses {
        Glasses::None => return None,
        Glasses::Round => {
            format!("{}{tone}{noun}", shape(rng, ["round ", "round ", ""]))
        }
        Glasses::Square => {
            format!("{}{tone}{noun}", shape(rng, ["square ", "rectangular ", ""]))
        }
        Glasses::Sun => format!("{tone}{}", pick(rng, &["sunglasses", "sunglasses", "shades"])),
    })
}

pub(super) fn hat(look: &Look, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    let tone = if look.is_living() && look.hat != Hat::Crown && extent.mentions(rng, 0.9) {
        format!("{} ", plain(rng, look.hat_color.name()))
    } else {
        String::new()
    };
    let noun = match look.hat {
        Hat::None => return None,
        // Who just says "hat" leaves its shape open.
        Hat::Beanie | Hat::Fedora | Hat::TopHat if extent == Extent::Some && chance(rng, 0.12) => {
            "hat"
        }
        Hat::Cap => pick(rng, &["cap", "cap", "baseball cap"]),
        Hat::Beanie => pick(rng, &["beanie", "beanie", "knitted hat", "woolly hat"]),
        Hat::Fedora => pick(rng, &["fedora", "fedora", "felt hat", "brimmed hat"]),
        Hat::TopHat => pick(rng, &["top hat", "top hat", "cylinder hat"]),
        Hat::Helmet => pick(rng, &["helmet", "helmet", "crested helmet"]),
        Hat::Crown => pick(rng, &["crown", "golden crown", "gold crown"]),
    };
    Some(article(&format!("{tone}{noun}")))
}

pub(super) fn earrings(look: &Look, rng: &mut impl Rng) -> Option<String> {
    Some(
        match look.earrings {
            Earrings::None => return None,
            Earrings::Hoops => {
                pick(rng, &["hoop earrings", "hoop earrings", "gold hoops", "golden hoop earrings"])
            }
            Earrings::Studs => {
                pick(rng, &["stud earrings", "stud earrings", "silver studs", "pearl earrings"])
            }
        }
        .to_owned(),
    )
}

pub(super) fn face_paint(look: &Look, rng: &mut impl Rng) -> Option<String> {
    let words: &[&str] = match look.face_paint {
        FacePaint::None => return None,
        FacePaint::Clown => &["clown makeup", "clown face paint", "a clown face"],
        FacePaint::Skull => &["skull makeup", "skull face paint", "a skull painted on the face"],
        FacePaint::Tribal => &["tribal face paint", "tribal war paint", "tribal markings"],
        FacePaint::Tiger => &["tiger face paint", "tiger makeup", "tiger stripes on the face"],
    };
    Some(pick(rng, words).to_owned())
}

pub(super) fn horns(rng: &mut impl Rng) -> String {
    pick(rng, &["horns", "horns", "two horns", "devil horns"]).to_owned()
}

pub(super) fn brows(look: &Look, extent: Extent, rng: &mut impl Rng) -> Option<String> {
    let width = match look.brows {
        Brows::Medium => "",
        Brows::Thin => pick(rng, &["thin ", "thin ", "plucked "]),
        Brows::Bushy => pick(rng, &["bushy ", "bushy ", "thick "]),
    };
    let width = if extent.mentions(rng, 0.6) { width } else { "" };
    let other = look.is_living() && look.brow_color != look.hair_color;
    let tone = if other && extent.mentions(rng, 0.12) {
        format!("{} ", hair_color(rng, look.brow_color))
    } else {
        String::new()
    };
    (!(width.is_empty() && tone.is_empty()))
        .then(|| format!("{width}{tone}{}", pick(rng, &["eyebrows", "eyebrows", "brows"])))
}

/// Phrases for every feature whose shape is not the usual one.
pub(super) fn shapes(look: &Look, rng: &mut impl Rng) -> Vec<String> {
    let mut list: Vec<&str> = Vec::new();
    let mut say = |words: &[&'static str]| {
        if !words.is_empty() {
            list.push(pick(rng, words));
        }
    };
    say(match look.nose {
        Nose::Normal => &[],
        Nose::Big => &["a big nose", "a large nose"],
        Nose::Small => &["a small nose", "a little nose", "a tiny nose"],
        Nose::Wide => &["a wide nose", "a broad nose"],
        Nose::Narrow => &["a narrow nose", "a slim nose"],
        Nose::Long => &["a long nose"],
        Nose::Hooked => &["a hooked nose", "an aquiline nose", "a hook nose"],
        Nose::Upturned => &["an upturned nose", "a snub nose"],
    });
    say(match look.jaw {
        Jaw::Normal => &[],
        Jaw::Wide => &["a wide jaw", "a broad jaw"],
        Jaw::Narrow => &["a narrow jaw", "a slim jaw"],
    });
    say(match look.chin {
        Chin::Normal => &[],
        Chin::Strong => &["a strong chin", "a prominent chin"],
        Chin::Weak => &["a weak chin", "a receding chin"],
    });
    say(match look.lips {
        Lips::Normal => &[],
        Lips::Full => &["full lips", "thick lips"],
        Lips::Thin => &["thin lips", "narrow lips"],
    });
    say(match look.mouth {
        Mouth::Normal => &[],
        Mouth::Wide => &["a wide mouth", "a big mouth"],
        Mouth::Small => &["a small mouth", "a tiny mouth"],
    });
    say(match look.eye_size {
        EyeSize::Normal => &[],
        EyeSize::Big => &["big eyes", "large eyes"],
        EyeSize::Small => &["small eyes", "tiny eyes"],
    });
    say(match look.ears {
        Ears::Normal => &[],
        Ears::Big => &["big ears", "large ears"],
        Ears::Small => &["small ears", "tiny ears"],
        Ears::Pointed => &["elf ears", "pointed ears", "pointy ears", "elven ears"],
    });
    say(match look.cheeks {
        Cheeks::Normal => &[],
        Cheeks::Chubby => &["chubby cheeks", "full cheeks"],
        Cheeks::Hollow => &["hollow cheeks", "sunken cheeks"],
    });
    say(match look.face {
        Face::Normal => &[],
        Face::Round => &["a round face"],
        Face::Narrow => &["a narrow face", "a thin face"],
        Face::Long => &["a long face"],
        Face::Square => &["a square face"],
    });
    say(match look.forehead {
        Forehead::Normal => &[],
        Forehead::High => &["a high forehead", "a tall forehead"],
        Forehead::Low => &["a low forehead"],
    });
    say(match look.neck {
        Neck::Normal => &[],
        Neck::Thick => &["a thick neck", "a bull neck"],
        Neck::Thin => &["a thin neck", "a slender neck"],
    });
    list.into_iter().map(str::to_owned).collect()
}

/// A material as an adjective.
pub(super) fn material(rng: &mut impl Rng, material: Material) -> &'static str {
    match material {
        Material::Wood => pick(rng, &["wooden", "wooden", "wood"]),
        Material::Gold => pick(rng, &["golden", "gold"]),
        Material::Stone => pick(rng, &["stone", "stone", "granite"]),
        Material::Clay => pick(rng, &["clay", "clay", "terracotta"]),
        Material::Bronze | Material::Silver | Material::Marble => material.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_follow_the_sound() {
        assert_eq!(article("old man"), "an old man");
        assert_eq!(article("Asian man"), "an Asian man");
        assert_eq!(article("European man"), "a European man");
        assert_eq!(article("man"), "a man");
    }
}
