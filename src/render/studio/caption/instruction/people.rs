//! Age, gender, ancestry, skin, material, and figures that are several at once.

use super::frames::Ask;
use super::{Asked, any, chance, pick, shade, words};
use crate::head::look::{
    AgeGroup, BeardStyle, Ears, Ethnicity, FacePaint, Hat, Look, Material, SkinTone,
};
use crate::rng::Stream;
use rand::Rng;

/// The look at another age; children have no beards.
fn aged(look: &Look, age: AgeGroup) -> Look {
    let beard = if age == AgeGroup::Child { BeardStyle::None } else { look.beard };
    Look { age, beard, ..*look }
}

/// The look as a man's or a woman's: what only the other one has goes.
fn gendered(look: &Look, male: bool) -> Look {
    if look.male == male {
        return *look;
    }
    Look { male, beard: BeardStyle::None, red_lips: false, ..*look }
}

fn step(age: AgeGroup, steps: i32) -> AgeGroup {
    let at = AgeGroup::ALL.iter().position(|other| *other == age).unwrap_or(0) as i32;
    AgeGroup::ALL[(at + steps).clamp(0, 3) as usize]
}

pub(super) fn age(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let done = |age, ask| Asked { after: aged(look, age), attribute: "age", ask };
    let very = pick(rng, &["much", "a lot", "way", "far"]);
    let little = pick(rng, &["a bit", "a little", "slightly", "somewhat", "a little bit"]);
    let slight = format!("{little} ");
    let little = if chance(rng, 0.3) { slight.as_str() } else { "" };
    match rng.random_range(0..12) {
        0..3 => {
            let ask = match rng.random_range(0..8) {
                0 => Ask::Order(any(rng, &["age {him}", "age {him} a little", "let {him} age"])),
                1 => Ask::Be("more mature".to_owned()),
                2 => Ask::Order(any(
                    rng,
                    &[
                        "add some years",
                        "add a few years",
                        "{he} is too young",
                        "{he} looks too young",
                        "{he} looks not old enough",
                    ],
                )),
                _ => Ask::Be(format!("{little}older")),
            };
            done(step(look.age, 1), ask)
        }
        3 => done(AgeGroup::Old, Ask::Be(format!("{very} older"))),
        4..6 => {
            let ask = match rng.random_range(0..6) {
                0 => Ask::Order(any(
                    rng,
                    &[
                        "rejuvenate {him}",
                        "take some years off",
                        "{he} is too old",
                        "{he} looks too old",
                    ],
                )),
                1 => Ask::Be("more youthful".to_owned()),
                _ => Ask::Be(format!("{little}younger")),
            };
            done(step(look.age, -1), ask)
        }
        6 => done(step(look.age, -2), Ask::Be(format!("{very} younger"))),
        _ => done(donor.age, of_age(donor.age, rng)),
    }
}

fn of_age(age: AgeGroup, rng: &mut Stream) -> Ask {
    match (age, rng.random_range(0..4)) {
        (AgeGroup::Child, 0) => Ask::Be(any(rng, &["childlike", "like a child", "very young"])),
        (AgeGroup::Child, _) => {
            Ask::Become(any(rng, &["a child", "a child", "a kid", "a little kid", "a small child"]))
        }
        (AgeGroup::Young, 0) => {
            Ask::Become(any(rng, &["a young adult", "a young person", "a young adult person"]))
        }
        (AgeGroup::Young, 1) => {
            Ask::Become(any(rng, &["twenty years old", "twenty", "in the twenties"]))
        }
        (AgeGroup::Young, _) => Ask::Be(any(rng, &["young", "young", "youthful", "young again"])),
        (AgeGroup::Middle, 0) => Ask::Become("a middle-aged person".to_owned()),
        (AgeGroup::Middle, 1) => {
            Ask::Be(any(rng, &["forty years old", "fifty years old", "forty", "fifty"]))
        }
        (AgeGroup::Middle, _) => Ask::Be(any(rng, &["middle-aged", "middle aged"])),
        (AgeGroup::Old, 0) => {
            Ask::Become(any(rng, &["an old person", "an elder", "a senior", "an elderly person"]))
        }
        (AgeGroup::Old, 1) => Ask::Be(any(
            rng,
            &["eighty years old", "seventy years old", "ancient", "wrinkled", "very old"],
        )),
        (AgeGroup::Old, _) => Ask::Be(any(rng, &["old", "old", "old", "elderly", "aged"])),
    }
}

/// Another gender, at times with an age: "an old woman".
pub(super) fn gender(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let male = donor.male;
    let done = |after, ask| Asked { after, attribute: "male", ask };
    match rng.random_range(0..14) {
        0 => {
            let texts = ["change {his} gender", "swap the gender", "change the sex"];
            return done(gendered(look, !look.male), Ask::Order(any(rng, &texts)));
        }
        1 => {
            let how: &[&str] = if male { &["male", "masculine"] } else { &["female", "feminine"] };
            return done(gendered(look, male), Ask::Be(any(rng, how)));
        }
        _ => {}
    }
    let (age, noun): (_, &[&str]) = match (rng.random_range(0..10), donor.age) {
        (0..5, _) if male => {
            (None, &["a man", "a man", "a man", "a guy", "a male", "a gentleman", "a male person"])
        }
        (0..5, _) => (None, &["a woman", "a woman", "a woman", "a lady", "a female"]),
        (_, AgeGroup::Child) if male => {
            (Some(AgeGroup::Child), &["a boy", "a boy", "a little boy"])
        }
        (_, AgeGroup::Child) => (Some(AgeGroup::Child), &["a girl", "a girl", "a little girl"]),
        (_, AgeGroup::Young) if male => (Some(AgeGroup::Young), &["a young man", "a young guy"]),
        (_, AgeGroup::Young) => (Some(AgeGroup::Young), &["a young woman", "a young lady"]),
        (_, AgeGroup::Middle) if male => {
            (Some(AgeGroup::Middle), &["a middle-aged man", "a middle-aged gentleman"])
        }
        (_, AgeGroup::Middle) => {
            (Some(AgeGroup::Middle), &["a middle-aged woman", "a middle-aged lady"])
        }
        (_, AgeGroup::Old) if male => (
            Some(AgeGroup::Old),
            &["an old man", "an old man", "an elderly man", "a grandfather", "a grandpa"],
        ),
        (_, AgeGroup::Old) => (
            Some(AgeGroup::Old),
            &["an old woman", "an old lady", "an elderly woman", "a grandmother", "a grandma"],
        ),
    };
    // Boys that become men grow up.
    let grown = if look.age == AgeGroup::Child { AgeGroup::Young } else { look.age };
    let after = aged(&gendered(look, male), age.unwrap_or(grown));
    done(after, Ask::Become(any(rng, noun)))
}

fn is_usual(ethnicity: Ethnicity, skin: SkinTone) -> bool {
    use SkinTone::{Black, Brown, Dark, Fair, Light, Olive, Pale, Tan};
    match ethnicity {
        Ethnicity::African => matches!(skin, Brown | Dark | Black),
        Ethnicity::Asian => matches!(skin, Pale | Fair | Light | Tan | Olive),
        Ethnicity::European => matches!(skin, Pale | Fair | Light | Tan),
        Ethnicity::Indian => matches!(skin, Tan | Olive | Brown | Dark),
        Ethnicity::Mixed => matches!(skin, Light | Tan | Olive | Brown),
    }
}

fn usual_skin(ethnicity: Ethnicity) -> SkinTone {
    match ethnicity {
        Ethnicity::African => SkinTone::Dark,
        Ethnicity::Asian => SkinTone::Fair,
        Ethnicity::European => SkinTone::Light,
        Ethnicity::Indian => SkinTone::Brown,
        Ethnicity::Mixed => SkinTone::Tan,
    }
}

/// Another ancestry; a natural skin that it hardly ever has goes with it.
pub(super) fn ethnicity(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let ethnicity = donor.ethnicity;
    let keeps = !look.skin.is_natural() || is_usual(ethnicity, look.skin);
    let skin = if keeps { look.skin } else { usual_skin(ethnicity) };
    let word = words::ethnicity(rng, ethnicity);
    let ask = if chance(rng, 0.3) {
        let noun = if chance(rng, 0.3) {
            "person"
        } else if look.male {
            "man"
        } else {
            "woman"
        };
        // Boys stay boys: "person" alone says nothing of an age.
        let noun = if look.age == AgeGroup::Child { "person" } else { noun };
        Ask::Become(words::article(&format!("{word} {noun}")))
    } else {
        Ask::Be(word.to_owned())
    };
    Asked { after: Look { ethnicity, skin, ..*look }, attribute: "ethnicity", ask }
}

pub(super) fn skin(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let done = |skin, ask| Asked { after: Look { skin, ..*look }, attribute: "skin", ask };
    match rng.random_range(0..12) {
        0 | 1 => return lighter(look, rng),
        2 => {
            let natural = look.skin.is_natural();
            let skin = if natural { look.skin } else { usual_skin(look.ethnicity) };
            let how = any(rng, &["normal", "natural", "human"]);
            return done(skin, Ask::Part("skin", how));
        }
        _ => {}
    }
    let loud = !matches!(donor.skin, SkinTone::White | SkinTone::Gold | SkinTone::Grey);
    let word = match donor.skin {
        SkinTone::Tan => any(rng, &["tan", "tanned", "sun-tanned"]),
        SkinTone::Gold => any(rng, &["gold", "golden"]),
        other if other.is_natural() => other.name().to_owned(),
        SkinTone::Orange | SkinTone::Yellow | SkinTone::White => donor.skin.name().to_owned(),
        other => shade(rng, other.name()).to_owned(),
    };
    let ask = match rng.random_range(0..10) {
        0..3 if !donor.skin.is_natural() && loud => Ask::Be(donor.skin.name().to_owned()),
        0..2 if matches!(donor.skin, SkinTone::Pale | SkinTone::Tan) => Ask::Be(word),
        3 if !donor.skin.is_natural() => {
            Ask::Order(format!("{} {{his}} face {word}", pick(rng, &["turn", "make"])))
        }
        4 => Ask::Have(words::skin(rng, donor.skin)),
        _ => Ask::Paint("skin", word),
    };
    done(donor.skin, ask)
}

/// A step or more towards light or dark; skins of fantasy figures stay.
fn lighter(look: &Look, rng: &mut Stream) -> Asked {
    let up = chance(rng, 0.5);
    let how: &[&str] = if up { &["darker", "browner"] } else { &["lighter", "paler", "whiter"] };
    let (much, steps) = match rng.random_range(0..4) {
        0 => (pick(rng, &["much ", "a lot "]), 4),
        1 => (pick(rng, &["a bit ", "a little ", "slightly "]), 1),
        _ => ("", 2),
    };
    let at = SkinTone::NATURAL.iter().position(|tone| *tone == look.skin);
    let skin = at.map_or(look.skin, |at| {
        let to = if up { at as i32 + steps } else { at as i32 - steps };
        SkinTone::NATURAL[to.clamp(0, 7) as usize]
    });
    let how = format!("{much}{}", pick(rng, how));
    Asked { after: Look { skin, ..*look }, attribute: "skin", ask: Ask::Part("skin", how) }
}

pub(super) fn material(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    use crate::render::studio::caption::words::article;
    let done =
        |material, ask| Asked { after: Look { material, ..*look }, attribute: "material", ask };
    if chance(rng, 0.2) {
        let ask = match rng.random_range(0..4) {
            0 => Ask::Order(any(rng, &["bring {him} to life", "back to life", "make {him} alive"])),
            1 => Ask::Be(any(rng, &["alive", "human", "real", "living", "human again"])),
            _ => Ask::Become(any(
                rng,
                &["a living person", "a real person", "a human", "flesh", "a human being"],
            )),
        };
        return done(None, ask);
    }
    let materials = Material::ALL;
    let new = donor.material.unwrap_or(materials[rng.random_range(0..materials.len())]);
    let name = match new {
        Material::Stone => pick(rng, &["stone", "stone", "granite", "rock"]),
        Material::Clay => pick(rng, &["clay", "clay", "terracotta"]),
        other => other.name(),
    };
    let figure = pick(rng, &["statue", "statue", "statue", "bust", "sculpture", "figure"]);
    let ask = match rng.random_range(0..12) {
        0..5 => Ask::Become(article(&format!("{} {figure}", words::material(rng, new)))),
        5 | 6 => Ask::Become(name.to_owned()),
        7 => Ask::Become(format!("a {figure} {} {name}", pick(rng, &["of", "made of", "out of"]))),
        8 => Ask::Be(format!("{} {name}", pick(rng, &["made of", "out of", "made out of", "of"]))),
        9 => Ask::Order(format!("turn {{him}} to {name}")),
        10 => Ask::Order(format!(
            "{} {{him}} {} {name}",
            pick(rng, &["carve", "cast", "make", "sculpt"]),
            pick(rng, &["in", "out of", "from"])
        )),
        _ => Ask::Part("material", name.to_owned()),
    };
    done(Some(new), ask)
}

/// Figures that people know: a devil has horns and red skin.
pub(super) fn figure(look: &Look, _: &Look, rng: &mut Stream) -> Asked {
    let (after, attribute, nouns): (_, _, &[&str]) = match rng.random_range(0..7) {
        0 | 1 => (
            Look { face_paint: FacePaint::Clown, ..*look },
            "face_paint",
            &["a clown", "a clown", "a circus clown", "a jester"],
        ),
        2 => (
            Look { face_paint: FacePaint::Skull, ..*look },
            "face_paint",
            &["a skeleton", "a skull", "a living skeleton"],
        ),
        3 => (
            Look { face_paint: FacePaint::Tiger, ..*look },
            "face_paint",
            &["a tiger", "a tiger", "a wild tiger"],
        ),
        4 => (
            Look { ears: Ears::Pointed, ..*look },
            "ears",
            &["an elf", "an elf", "an elven person", "an elvish creature"],
        ),
        5 => (
            Look { horns: true, skin: SkinTone::Red, ..*look },
            "horns",
            &["a devil", "a demon", "the devil", "satan"],
        ),
        _ => (
            Look { hat: Hat::Crown, ..*look },
            "hat",
            if look.male { &["a king", "a king", "a prince"] } else { &["a queen", "a princess"] },
        ),
    };
    Asked { after, attribute, ask: Ask::Become(any(rng, nouns)) }
}
