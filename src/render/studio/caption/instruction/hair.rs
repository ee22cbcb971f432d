//! Hair of the head.

use super::frames::Ask;
use super::{Asked, any, chance, dye, pick, words};
use crate::head::look::{HairColor, HairStyle, Look};
use crate::rng::Stream;
use rand::Rng;

fn done(after: Look, attribute: &'static str, ask: Ask) -> Asked {
    Asked { after, attribute, ask }
}

/// The look with other hair; a bald head has no tips.
fn with_cut(look: &Look, hair: HairStyle) -> Look {
    let hair_tips = look.hair_tips.filter(|_| hair != HairStyle::Bald);
    Look { hair, hair_tips, ..*look }
}

/// The look with hair of one colour; on a bald head it has to grow first.
fn dyed(look: &Look, hair_color: HairColor) -> Look {
    let hair = if look.hair == HairStyle::Bald { HairStyle::Short } else { look.hair };
    Look { hair, hair_color, hair_tips: None, ..*look }
}

fn longer(hair: HairStyle) -> HairStyle {
    use HairStyle::{
        Afro, Bald, Bob, Bun, Buzz, Curly, Long, Mohawk, Ponytail, Short, Spiky, Wavy,
    };
    match hair {
        Bald | Buzz => Short,
        Short | Curly | Spiky | Mohawk | Afro => Bob,
        Bob | Bun | Ponytail | Long => Long,
        Wavy => Wavy,
    }
}

fn shorter(hair: HairStyle) -> HairStyle {
    use HairStyle::{
        Afro, Bald, Bob, Bun, Buzz, Curly, Long, Mohawk, Ponytail, Short, Spiky, Wavy,
    };
    match hair {
        Long | Wavy | Ponytail | Bun => Bob,
        Bob | Afro | Mohawk => Short,
        Short | Curly | Spiky | Buzz => Buzz,
        Bald => Bald,
    }
}

pub(super) fn cut(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let done = |hair, ask| done(with_cut(look, hair), "hair", ask);
    match rng.random_range(0..10) {
        0 => {
            let ask = match rng.random_range(0..3) {
                0 => Ask::Order(any(
                    rng,
                    &[
                        "let {his} hair grow",
                        "grow {his} hair",
                        "let {him} grow {his} hair",
                        "{his} hair is too short",
                    ],
                )),
                1 => Ask::Part("hair", any(rng, &["a bit longer", "much longer", "longer"])),
                _ => Ask::Part("hair", "longer".to_owned()),
            };
            return done(longer(look.hair), ask);
        }
        1 => {
            let ask = match rng.random_range(0..3) {
                0 => Ask::Order(any(
                    rng,
                    &[
                        "cut {his} hair",
                        "trim {his} hair",
                        "shorten {his} hair",
                        "give {him} a haircut",
                        "get {him} a haircut",
                        "{his} hair is too long",
                    ],
                )),
                1 => Ask::Part("hair", any(rng, &["a bit shorter", "much shorter", "shorter"])),
                _ => Ask::Part("hair", "shorter".to_owned()),
            };
            return done(shorter(look.hair), ask);
        }
        _ => {}
    }
    let special: &[&str] = match donor.hair {
        HairStyle::Bald => {
            let ask = match rng.random_range(0..4) {
                0 | 1 => Ask::Be(any(rng, &["bald", "bald", "bald-headed", "hairless"])),
                2 => Ask::Drop("hair".to_owned()),
                _ => Ask::Order(any(
                    rng,
                    &[
                        "shave {his} head",
                        "shave the head",
                        "shave off {his} hair",
                        "cut off all {his} hair",
                        "remove all the hair",
                        "a bald head",
                        "a shaved head",
                        "give {him} a bald head",
                        "{he} should lose {his} hair",
                    ],
                )),
            };
            return done(HairStyle::Bald, ask);
        }
        HairStyle::Buzz => {
            &["give {him} a buzz cut", "cut {his} hair very short", "buzz {his} hair"]
        }
        HairStyle::Short => &[
            "cut {his} hair short",
            "cut {his} hair short",
            "make {his} hair short",
            "short haircut",
        ],
        HairStyle::Curly => &["curl {his} hair", "make {his} hair curly", "give {him} a perm"],
        HairStyle::Long => {
            &["let {his} hair down", "make {his} hair very long", "grow {his} hair long"]
        }
        HairStyle::Wavy => &["make {his} hair wavy", "put waves in {his} hair"],
        HairStyle::Ponytail => &[
            "tie {his} hair back",
            "tie {his} hair in a ponytail",
            "put {his} hair in a ponytail",
            "pull {his} hair back",
        ],
        HairStyle::Bun => &[
            "tie {his} hair up",
            "put {his} hair up",
            "put {his} hair in a bun",
            "tie {his} hair in a bun",
            "tie {his} hair in a top knot",
        ],
        HairStyle::Spiky => {
            &["make {his} hair spiky", "spike {his} hair", "make {his} hair stand up"]
        }
        HairStyle::Afro => &["make {his} hair an afro", "turn {his} hair into an afro"],
        HairStyle::Mohawk => &["make {his} hair a mohawk", "turn {his} hair into a mohawk"],
        HairStyle::Bob => &["cut {his} hair to the chin", "cut {his} hair in a bob"],
    };
    let ask = match rng.random_range(0..10) {
        0..3 => Ask::Order(any(rng, special)),
        3..6 => match donor.hair {
            HairStyle::Short => Ask::Part("hair", any(rng, &["short", "short", "close-cropped"])),
            HairStyle::Buzz => Ask::Part("hair", "very short".to_owned()),
            HairStyle::Curly => Ask::Part("hair", any(rng, &["curly", "curled", "frizzy"])),
            HairStyle::Long => {
                Ask::Part("hair", any(rng, &["long", "long and straight", "very long"]))
            }
            HairStyle::Wavy => Ask::Part("hair", any(rng, &["wavy", "long and wavy"])),
            HairStyle::Spiky => Ask::Part("hair", any(rng, &["spiky", "spiked"])),
            other => Ask::Have(named_cut(other, "", rng)),
        },
        _ => Ask::Have(named_cut(donor.hair, "", rng)),
    };
    done(donor.hair, ask)
}

/// A noun phrase for a cut, with a colour and a space before its noun or nothing.
fn named_cut(hair: HairStyle, tone: &str, rng: &mut Stream) -> String {
    let more: &[&str] = match hair {
        HairStyle::Ponytail => &["a long {}ponytail", "a high {}ponytail", "a {}pony tail"],
        HairStyle::Bun => &["a tight {}bun", "a {}knot", "a {}hair bun"],
        HairStyle::Afro => &["a big {}afro", "a huge {}afro"],
        HairStyle::Mohawk => &["a punk {}mohawk", "a tall {}mohawk", "a {}mohican"],
        HairStyle::Long => &["very long {}hair", "long flowing {}hair"],
        HairStyle::Short => &["a short {}haircut", "a {}short cut"],
        HairStyle::Bob => &["a short {}bob", "a {}bob haircut"],
        HairStyle::Curly => &["{}curly locks", "short {}curls"],
        _ => &[],
    };
    let said = if !more.is_empty() && chance(rng, 0.3) {
        Some(pick(rng, more).replace("{}", tone))
    } else {
        words::cut(hair, tone, rng)
    };
    said.unwrap_or_else(|| "a bald head".to_owned())
}

/// Cut and colour at once: "a long blond ponytail".
pub(super) fn colored_cut(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let hair = if donor.hair == HairStyle::Bald { HairStyle::Mohawk } else { donor.hair };
    let tone = format!("{} ", dye(rng, donor.hair_color));
    let after = Look { hair, hair_color: donor.hair_color, hair_tips: None, ..*look };
    let ask = match hair {
        HairStyle::Long | HairStyle::Short | HairStyle::Curly | HairStyle::Wavy
            if chance(rng, 0.3) =>
        {
            Ask::Part("hair", format!("{} and {}", hair.name(), tone.trim()))
        }
        _ => Ask::Have(named_cut(hair, &tone, rng)),
    };
    done(after, "hair", ask)
}

pub(super) fn color(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    use HairColor::{Auburn, Black, Blond, Brown, Grey, Red, White};
    let natural = HairColor::NATURAL.contains(&look.hair_color);
    if natural && look.hair != HairStyle::Bald && chance(rng, 0.08) {
        let (to, how) = if chance(rng, 0.5) {
            let to = match look.hair_color {
                Black | Auburn => Brown,
                Brown | Red => Blond,
                Blond | Grey => White,
                other => other,
            };
            (if look.hair_color == Auburn { Red } else { to }, "lighter")
        } else {
            let to = match look.hair_color {
                White => Blond,
                Blond | Auburn => Brown,
                Red => Auburn,
                Brown | Grey | Black => Black,
                other => other,
            };
            (to, "darker")
        };
        let same = to == look.hair_color;
        let after = Look { hair_color: to, hair_tips: look.hair_tips.filter(|_| same), ..*look };
        return done(after, "hair_color", Ask::Part("hair", how.to_owned()));
    }
    let after = dyed(look, donor.hair_color);
    let word = dye(rng, donor.hair_color);
    let nouns: &[&str] = match donor.hair_color {
        Blond => &["a blonde", "a blond"],
        Red => &["a redhead", "a ginger"],
        Brown => &["a brunette"],
        _ => &[],
    };
    let ask = match rng.random_range(0..10) {
        0 if !nouns.is_empty() => Ask::Become(any(rng, nouns)),
        0 | 1 if donor.hair_color == Blond => Ask::Be(any(rng, &["blond", "blonde"])),
        0 => Ask::Be(format!("{word}-haired")),
        1..4 => Ask::Have(format!("{word} hair")),
        4 => Ask::Order(format!("{word} for {{his}} hair")),
        _ => Ask::Paint("hair", word.to_owned()),
    };
    done(after, "hair_color", ask)
}

pub(super) fn tips(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let done = |after, ask| done(after, "hair_tips", ask);
    if chance(rng, 0.2) {
        let ask = match rng.random_range(0..3) {
            0 => Ask::Drop(any(rng, &["tips", "colored tips", "dyed tips", "colour at the tips"])),
            _ => Ask::Order(any(
                rng,
                &[
                    "make {his} hair one colour",
                    "make {his} hair one color",
                    "one colour for all of {his} hair",
                    "{his} hair should have only one colour",
                ],
            )),
        };
        return done(Look { hair_tips: None, ..*look }, ask);
    }
    // Too little hair has no tips.
    let short = matches!(look.hair, HairStyle::Bald | HairStyle::Buzz);
    let tips = donor.hair_tips.unwrap_or(donor.beard_color);
    let word = dye(rng, tips);
    // Tips in the colour of the hair are none.
    let tipped = |hair_color| Look {
        hair_color,
        hair_tips: Some(tips).filter(|tips| *tips != hair_color),
        ..*look
    };
    if !short && chance(rng, 0.12) {
        let base = dye(rng, donor.hair_color);
        if chance(rng, 0.3) {
            let how = format!("{base} with {word} tips");
            return done(tipped(donor.hair_color), Ask::Part("hair", how));
        }
        let text = match rng.random_range(0..3) {
            0 => format!("two-tone {base} and {word} hair"),
            1 => format!("{base} hair with {word} tips"),
            _ => format!("{base} hair and {word} tips"),
        };
        return done(tipped(donor.hair_color), Ask::Have(text));
    }
    let after = if short { *look } else { tipped(look.hair_color) };
    let ask = match rng.random_range(0..6) {
        0 | 1 => Ask::Have(format!("{word} {}", pick(rng, &["tips", "hair tips", "ends"]))),
        2 => Ask::Paint("hair tips", word.to_owned()),
        3 => Ask::Order(format!("{{his}} hair should have {word} tips")),
        _ => {
            let verb = pick(rng, &["dye", "dye", "make", "color", "colour", "turn"]);
            let ends = pick(rng, &["tips", "tips", "ends"]);
            Ask::Order(format!("{verb} the {ends} of {{his}} hair {word}"))
        }
    };
    done(after, ask)
}

pub(super) fn fringe(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let noun = any(rng, &["bangs", "a fringe"]);
    let ask = if donor.fringe {
        Ask::Have(noun)
    } else {
        Ask::Drop(noun.trim_start_matches("a ").to_owned())
    };
    done(Look { fringe: donor.fringe, ..*look }, "fringe", ask)
}
