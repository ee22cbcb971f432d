//! Edits in words: one attribute of a look changes, and an instruction says which.

use super::Extent;
use super::words::{self, article, pick};
use crate::head::look::{
    AgeGroup, BeardStyle, Brows, Cheeks, Chin, Earrings, Ears, Expression, EyeSize, Face,
    FacePaint, Forehead, Glasses, HairStyle, Hat, Jaw, Lips, Look, Material, Mouth, Neck, Nose,
};
use crate::rng::Stream;
use rand::Rng;

/// One edit of a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The look after it.
    pub after: Look,
    /// The instruction, as "make him older".
    pub text: String,
    /// What changes: the name of one attribute of [`Look::attributes`].
    pub attribute: &'static str,
}

/// Edits a look towards a donor; `None` if there is nothing to change.
type Kind = fn(&Look, &Look, &mut Stream) -> Option<Edit>;

/// Kinds of edits, one an attribute that people edit.
const KINDS: [Kind; 18] = [
    age,
    gender,
    ethnicity,
    expression,
    skin,
    material,
    hair,
    hair_color,
    tips,
    beard,
    beard_color,
    brows,
    eyes,
    lipstick,
    paint,
    wear,
    horns,
    shape,
];

/// A random edit of `look`; what is new comes from `donor`, a person that has it. `None`
/// if the donor has nothing new in the attribute that chance picked.
#[must_use]
pub fn edit(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let kind = KINDS[rng.random_range(0..KINDS.len())];
    kind(look, donor, rng).filter(|edit| edit.after != *look)
}

#[allow(clippy::unnecessary_wraps, reason = "what every kind of edit ends with")]
fn done(after: Look, attribute: &'static str, text: String) -> Option<Edit> {
    Some(Edit { after, text, attribute })
}

fn him(look: &Look) -> &'static str {
    if look.male { "him" } else { "her" }
}

fn his(look: &Look) -> &'static str {
    if look.male { "his" } else { "her" }
}

/// "his" or "the".
fn own(look: &Look, rng: &mut Stream) -> &'static str {
    if rng.random_bool(0.6) { his(look) } else { "the" }
}

fn age(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let after = Look { age: donor.age, ..*look };
    let him = him(look);
    let text = match (look.age, donor.age) {
        (from, to) if from == to => return None,
        (_, AgeGroup::Child) => {
            let child = if look.male { "boy" } else { "girl" };
            pick(rng, &["turn {} into a child", "make {} a child"])
                .replace("{}", him)
                .replace("child", if rng.random_bool(0.5) { "child" } else { child })
        }
        (_, AgeGroup::Old) => {
            pick(rng, &["make {} old", "make {} older", "age {}", "make {} look elderly"])
                .replace("{}", him)
        }
        (from, to) if to > from => {
            pick(rng, &["make {} older", "age {} a little"]).replace("{}", him)
        }
        _ => pick(rng, &["make {} younger", "make {} look younger"]).replace("{}", him),
    };
    done(after, "age", text)
}

fn gender(look: &Look, _: &Look, rng: &mut Stream) -> Option<Edit> {
    let after = Look { male: !look.male, beard: BeardStyle::None, red_lips: false, ..*look };
    let noun = match (after.male, look.age == AgeGroup::Child) {
        (true, true) => "boy",
        (true, false) => "man",
        (false, true) => "girl",
        (false, false) => "woman",
    };
    let him = him(look);
    // A beard goes with it: the instruction would change two things.
    (look.beard == BeardStyle::None).then_some(())?;
    done(after, "male", format!("{} {him} into a {noun}", pick(rng, &["turn", "turn", "change"])))
}

fn ethnicity(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.ethnicity != donor.ethnicity && look.is_living()).then_some(())?;
    let word = words::ethnicity(rng, donor.ethnicity);
    let after = Look { ethnicity: donor.ethnicity, ..*look };
    done(after, "ethnicity", format!("make {} {word}", him(look)))
}

fn expression(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.expression != donor.expression).then_some(())?;
    let verb: &[&str] = match donor.expression {
        Expression::Neutral => &["relax the face", "make {} look calm", "neutral expression"],
        Expression::Smiling => &["make {} smile", "smile", "make {} look happy"],
        Expression::Laughing => &["make {} laugh", "laugh"],
        Expression::Surprised => &["make {} look surprised", "look surprised"],
        Expression::Angry => &["look angry", "make {} angry", "make {} look furious"],
        Expression::Sad => &["look sad", "make {} sad", "make {} look unhappy"],
        Expression::Sleeping => &["close the eyes", "make {} sleep", "let {} fall asleep"],
        Expression::Screaming => &["make {} scream", "scream", "open the mouth wide"],
        Expression::Winking => &["make {} wink", "wink"],
        Expression::Kissing => &["pucker the lips", "make {} pout", "blow a kiss"],
        Expression::Disgusted => &["make {} look disgusted", "look disgusted"],
    };
    let text = pick(rng, verb).replace("{}", him(look));
    done(Look { expression: donor.expression, ..*look }, "expression", text)
}

fn skin(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.is_living() && look.skin != donor.skin).then_some(())?;
    let after = Look { skin: donor.skin, ..*look };
    let (him, his) = (him(look), his(look));
    let text = match rng.random_range(0..3) {
        0 => format!("make {his} skin {}", donor.skin.name()),
        1 => format!("turn {his} skin {}", donor.skin.name()),
        _ => format!("give {him} {}", words::skin(rng, donor.skin)),
    };
    done(after, "skin", text)
}

fn material(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let him = him(look);
    let after = Look { material: donor.material, ..*look };
    let text = match (look.material, donor.material) {
        (from, to) if from == to => return None,
        (_, None) => format!("turn {him} into a living person"),
        (_, Some(new)) => {
            let after = made(new, rng);
            format!("turn {him} into {after}")
        }
    };
    done(after, "material", text)
}

fn made(material: Material, rng: &mut Stream) -> String {
    match rng.random_range(0..2) {
        0 => material.name().to_owned(),
        _ => article(&format!("{} statue", words::material(rng, material))),
    }
}

fn hair(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.hair != donor.hair).then_some(())?;
    let after = Look { hair: donor.hair, ..*look };
    let (him, own) = (him(look), own(look, rng));
    if donor.hair == HairStyle::Bald {
        let texts = ["make {} bald", "shave {his} head", "remove {his} hair"];
        let text = pick(rng, &texts).replace("{his}", own).replace("{}", him);
        return done(after, "hair", text);
    }
    // The cut alone: its colour stays.
    let plain = Look { material: Some(Material::Clay), ..after };
    let cut = words::hair(&plain, Extent::All, rng)?;
    let text = match donor.hair {
        HairStyle::Short | HairStyle::Buzz
            if look.hair >= HairStyle::Bob && rng.random_bool(0.4) =>
        {
            format!("cut {own} hair short")
        }
        _ => format!("give {him} {cut}"),
    };
    done(after, "hair", text)
}

fn hair_color(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let visible = look.is_living() && look.hair != HairStyle::Bald;
    (visible && look.hair_color != donor.hair_color).then_some(())?;
    let color = words::hair_color(rng, donor.hair_color);
    let (him, own) = (him(look), own(look, rng));
    let text = match rng.random_range(0..3) {
        0 => format!("dye {own} hair {color}"),
        1 => format!("make {own} hair {color}"),
        _ => format!("give {him} {color} hair"),
    };
    let after = Look { hair_color: donor.hair_color, hair_tips: None, ..*look };
    done(after, "hair_color", text)
}

fn tips(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    look.is_living().then_some(())?;
    let after = Look { hair_tips: donor.hair_tips, ..*look };
    let own = own(look, rng);
    let text = match (look.visible_tips(), after.visible_tips()) {
        (_, Some(color)) => {
            format!("dye the tips of {own} hair {}", words::hair_color(rng, color))
        }
        (Some(_), None) => format!("make {own} hair one colour"),
        (None, None) => return None,
    };
    done(after, "hair_tips", text)
}

fn beard(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let after = Look { beard: donor.beard, beard_color: donor.beard_color, ..*look };
    let him = him(look);
    if donor.beard == BeardStyle::None {
        (look.beard != BeardStyle::None).then_some(())?;
        let text = pick(rng, &["remove the beard", "shave off the beard", "shave {}"]);
        return done(after, "beard", text.replace("{}", him));
    }
    (look.male && look.beard != donor.beard).then_some(())?;
    let phrase = words::beard(&after, Extent::All, rng)?;
    done(after, "beard", format!("give {him} {phrase}"))
}

fn beard_color(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let grown = !matches!(look.beard, BeardStyle::None | BeardStyle::Stubble);
    (grown && look.is_living() && look.beard_color != donor.beard_color).then_some(())?;
    let color = words::hair_color(rng, donor.beard_color);
    let own = own(look, rng);
    let verb = pick(rng, &["dye", "make", "color"]);
    let after = Look { beard_color: donor.beard_color, ..*look };
    done(after, "beard_color", format!("{verb} {own} beard {color}"))
}

fn brows(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.brows != donor.brows).then_some(())?;
    let text = match donor.brows {
        Brows::Thin => pick(rng, &["pluck {} eyebrows", "make {} eyebrows thin"]),
        Brows::Medium => "make {} eyebrows normal",
        Brows::Bushy => pick(rng, &["make {} eyebrows bushy", "make {} eyebrows thicker"]),
    };
    done(Look { brows: donor.brows, ..*look }, "brows", text.replace("{}", own(look, rng)))
}

fn eyes(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.is_living() && look.eyes != donor.eyes).then_some(())?;
    let color = words::plain(rng, donor.eyes.name());
    let text = match rng.random_range(0..2) {
        0 => format!("make {} eyes {color}", own(look, rng)),
        _ => format!("give {} {color} eyes", him(look)),
    };
    done(Look { eyes: donor.eyes, ..*look }, "eyes", text)
}

fn lipstick(look: &Look, _: &Look, rng: &mut Stream) -> Option<Edit> {
    look.is_living().then_some(())?;
    let texts: &[&str] = if look.red_lips {
        &["remove the lipstick", "wipe off the lipstick"]
    } else {
        &["put on red lipstick", "give {} red lips", "add red lipstick"]
    };
    let text = pick(rng, texts).replace("{}", him(look));
    done(Look { red_lips: !look.red_lips, ..*look }, "red_lips", text)
}

fn paint(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.is_living() && look.face_paint != donor.face_paint).then_some(())?;
    let after = Look { face_paint: donor.face_paint, ..*look };
    let him = him(look);
    let text = match donor.face_paint {
        FacePaint::None => {
            pick(rng, &["remove the face paint", "wash the face", "remove the makeup"]).to_owned()
        }
        FacePaint::Clown if rng.random_bool(0.4) => format!("turn {him} into a clown"),
        FacePaint::Skull if rng.random_bool(0.3) => format!("paint a skull on {} face", his(look)),
        _ => {
            let verb = pick(rng, &["give {}", "add", "put on"]).replace("{}", him);
            format!("{verb} {}", words::face_paint(&after, rng)?)
        }
    };
    done(after, "face_paint", text)
}

/// Glasses, headgear, earrings: put on or taken off.
fn wear(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let off = |rng: &mut Stream, noun: &str| {
        format!("{} the {noun}", pick(rng, &["remove", "take off", "remove"]))
    };
    let on = |rng: &mut Stream, phrase: &str| {
        let verb = pick(rng, &["add", "put on", "give {}"]).replace("{}", him(look));
        format!("{verb} {phrase}")
    };
    match rng.random_range(0..3) {
        0 => {
            (look.glasses != donor.glasses).then_some(())?;
            let after = Look { glasses: donor.glasses, ..*look };
            let text = match words::glasses(&after, Extent::All, rng) {
                _ if donor.glasses == Glasses::None => off(rng, "glasses"),
                phrase => on(rng, &phrase?),
            };
            done(Look { glasses_color: look.glasses_color, ..after }, "glasses", text)
        }
        1 => {
            (look.hat != donor.hat && !look.horns).then_some(())?;
            let after = Look { hat: donor.hat, hat_color: donor.hat_color, ..*look };
            let text = match words::hat(&after, Extent::All, rng) {
                None => off(rng, if look.hat == Hat::Crown { "crown" } else { "hat" }),
                Some(phrase) => on(rng, &phrase),
            };
            done(after, "hat", text)
        }
        _ => {
            (look.earrings != donor.earrings).then_some(())?;
            let after = Look { earrings: donor.earrings, ..*look };
            let text = match words::earrings(&after, rng) {
                _ if donor.earrings == Earrings::None => off(rng, "earrings"),
                phrase => on(rng, &phrase?),
            };
            done(after, "earrings", text)
        }
    }
}

fn horns(look: &Look, _: &Look, rng: &mut Stream) -> Option<Edit> {
    (look.hat == Hat::None).then_some(())?;
    let text = if look.horns {
        pick(rng, &["remove the horns", "take away the horns"]).to_owned()
    } else {
        let verb = pick(rng, &["add", "give {}", "let {} grow"]).replace("{}", him(look));
        format!("{verb} {}", words::horns(rng))
    };
    done(Look { horns: !look.horns, ..*look }, "horns", text)
}

/// One feature takes the donor's shape.
fn shape(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    // The donor's one named feature, alone, in words.
    let bare = Look::default();
    let (after, alone, attribute, noun) = match rng.random_range(0..11) {
        0 => {
            (Look { nose: donor.nose, ..*look }, Look { nose: donor.nose, ..bare }, "nose", "nose")
        }
        1 => (Look { jaw: donor.jaw, ..*look }, Look { jaw: donor.jaw, ..bare }, "jaw", "jaw"),
        2 => {
            (Look { chin: donor.chin, ..*look }, Look { chin: donor.chin, ..bare }, "chin", "chin")
        }
        3 => {
            (Look { lips: donor.lips, ..*look }, Look { lips: donor.lips, ..bare }, "lips", "lips")
        }
        4 => (
            Look { mouth: donor.mouth, ..*look },
            Look { mouth: donor.mouth, ..bare },
            "mouth",
            "mouth",
        ),
        5 => (
            Look { eye_size: donor.eye_size, ..*look },
            Look { eye_size: donor.eye_size, ..bare },
            "eye_size",
            "eyes",
        ),
        6 => {
            (Look { ears: donor.ears, ..*look }, Look { ears: donor.ears, ..bare }, "ears", "ears")
        }
        7 => (
            Look { cheeks: donor.cheeks, ..*look },
            Look { cheeks: donor.cheeks, ..bare },
            "cheeks",
            "cheeks",
        ),
        8 => {
            (Look { face: donor.face, ..*look }, Look { face: donor.face, ..bare }, "face", "face")
        }
        9 => (
            Look { forehead: donor.forehead, ..*look },
            Look { forehead: donor.forehead, ..bare },
            "forehead",
            "forehead",
        ),
        _ => {
            (Look { neck: donor.neck, ..*look }, Look { neck: donor.neck, ..bare }, "neck", "neck")
        }
    };
    (after != *look).then_some(())?;
    let more = match () {
        () if alone.nose == Nose::Big => "bigger",
        () if alone.nose == Nose::Small => "smaller",
        () if alone.nose == Nose::Long => "longer",
        () if alone.nose == Nose::Wide || alone.jaw == Jaw::Wide || alone.mouth == Mouth::Wide => {
            "wider"
        }
        () if alone.nose == Nose::Narrow
            || alone.jaw == Jaw::Narrow
            || alone.face == Face::Narrow =>
        {
            "narrower"
        }
        () if alone.lips == Lips::Full || alone.cheeks == Cheeks::Chubby => "fuller",
        () if alone.lips == Lips::Thin || alone.neck == Neck::Thin => "thinner",
        () if alone.neck == Neck::Thick => "thicker",
        () if alone.eye_size == EyeSize::Big || alone.ears == Ears::Big => "bigger",
        () if alone.eye_size == EyeSize::Small
            || alone.ears == Ears::Small
            || alone.mouth == Mouth::Small =>
        {
            "smaller"
        }
        () if alone.chin == Chin::Strong => "stronger",
        () if alone.face == Face::Long => "longer",
        () if alone.face == Face::Round => "rounder",
        () if alone.forehead == Forehead::High => "higher",
        () if alone.forehead == Forehead::Low => "lower",
        () => "",
    };
    let text = match words::shapes(&alone, rng).pop() {
        Some(_) if !more.is_empty() && rng.random_bool(0.5) => {
            format!("make {} {noun} {more}", own(look, rng))
        }
        Some(phrase) => format!("give {} {phrase}", him(look)),
        None => format!("make {} {noun} normal", own(look, rng)),
    };
    done(after, attribute, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::studio::StudioSample;
    use crate::rng;
    use std::collections::BTreeMap;

    #[test]
    fn an_edit_changes_what_its_text_says_and_little_else() {
        let mut seen = BTreeMap::<&str, Vec<String>>::new();
        for seed in 0..6000 {
            let (look, donor) =
                (StudioSample::random(seed).look, StudioSample::random(seed + 9999).look);
            let Some(edit) = edit(&look, &donor, &mut rng::stream(seed, "test", 0, "edit")) else {
                continue;
            };
            let (before, after) = (look.attributes(), edit.after.attributes());
            assert_ne!(before[edit.attribute], after[edit.attribute], "{edit:?}");
            // A hat brings its colour, a beard too; dyeing takes the tips away.
            let changed = before.iter().filter(|(name, value)| after[*name] != **value).count();
            assert!(changed <= 2, "{changed} changes by {edit:?}");
            assert!(!edit.text.contains("{}") && !edit.text.contains("  "), "{}", edit.text);
            seen.entry(edit.attribute).or_default().push(edit.text);
        }
        for name in [
            "age",
            "male",
            "ethnicity",
            "expression",
            "skin",
            "material",
            "hair",
            "hair_color",
            "hair_tips",
            "beard",
            "beard_color",
            "brows",
            "eyes",
            "red_lips",
            "face_paint",
            "glasses",
            "hat",
            "earrings",
            "horns",
            "nose",
            "jaw",
            "chin",
            "lips",
            "mouth",
            "eye_size",
            "ears",
            "cheeks",
            "face",
            "forehead",
            "neck",
        ] {
            assert!(seen.contains_key(name), "no instruction for {name}");
        }
        let says = |name: &str, text: &str| seen[name].iter().any(|said| said == text);
        assert!(says("age", "make him older"));
        assert!(says("glasses", "remove the glasses"));
        assert!(says("material", "turn her into marble"));
        assert!(says("hair_color", "dye the hair green"));
        assert!(says("expression", "look angry"));
        assert!(says("face_paint", "turn him into a clown"));
    }
}
