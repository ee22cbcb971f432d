//! What instructions say against what they change.

use super::*;
use crate::head::look::{AgeGroup, BeardStyle, Glasses, HairColor, HairStyle, Hat, Nose, SkinTone};
use crate::render::studio::{Instructed, Split, StudioSample};
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
        let (before, after) = (look.at_rest().attributes(), edit.after.attributes());
        // A hat brings its colour, dyeing takes the tips away, an old woman is not a boy.
        let changed = before.iter().filter(|(name, value)| after[*name] != **value).count();
        let most = if edit.attribute == "male" { 4 } else { 3 };
        assert!((1..=most).contains(&changed), "{changed} changes by {edit:?}");
        let marks = ['{', '}', '#', '@', '%', '+'];
        assert!(!edit.text.contains(marks) && !edit.text.contains("  "), "{}", edit.text);
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
        "fringe",
        "beard",
        "beard_color",
        "brows",
        "brow_color",
        "eyes",
        "red_lips",
        "face_paint",
        "glasses",
        "glasses_color",
        "hat",
        "hat_color",
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
}

/// Some instruction with this text about `look`.
fn said(look: &Look, text: &str) -> Edit {
    let mut rng = rng::stream(3, "test", 0, text);
    let found = (0..400_000).find_map(|seed| {
        let donor = StudioSample::random(seed % 500).look;
        Some(instruction(look, &donor, &mut rng)).filter(|edit| edit.text == text)
    });
    found.unwrap_or_else(|| panic!("never said: {text}"))
}

#[test]
fn the_grammar_covers_the_phrasing_of_instructions() {
    let man = Look { hair: HairStyle::Short, ..Look::default() };
    let woman = Look { male: false, hair: HairStyle::Long, ..man };
    assert_eq!(said(&man, "make him older").after, Look { age: AgeGroup::Middle, ..man });
    let blue = Look { hair_color: HairColor::Blue, beard_color: HairColor::Brown, ..woman };
    assert_eq!(said(&woman, "give her blue hair").after, blue);
    assert_eq!(said(&woman, "her hair should be blue").after, blue);
    let round = Look { glasses: Glasses::Round, ..man };
    assert_eq!(said(&round, "remove the glasses").after, man);
    assert_eq!(said(&man, "remove the glasses").after, man);
    assert_eq!(said(&man, "make his nose bigger").after, Look { nose: Nose::Big, ..man });
    let bald = Look { hair: HairStyle::Bald, ..man };
    assert_eq!(said(&man, "shave his head").after, bald);
    let grown = said(&bald, "blue hair").after;
    assert_eq!((grown.hair, grown.hair_color), (HairStyle::Short, HairColor::Blue));
    let red = said(&man, "give him a red beard").after;
    assert_eq!((red.beard, red.beard_color), (BeardStyle::Full, HairColor::Red));
}

#[test]
fn steps_go_one_way_and_end() {
    let small = Look { nose: Nose::Small, ..Look::default() };
    assert_eq!(said(&small, "bigger nose").after.nose, Nose::Normal);
    let old = Look { age: AgeGroup::Old, ..Look::default() };
    assert_eq!(said(&old, "older").after.age, AgeGroup::Old);
    assert_eq!(said(&old, "younger").after.age, AgeGroup::Middle);
    let black = Look { skin: SkinTone::Black, ..Look::default() };
    assert_eq!(said(&black, "darker skin").after.skin, SkinTone::Black);
}

#[test]
fn instructions_are_of_all_kinds() {
    let drawn: Vec<_> = (0..4000).map(|i| Instructed::draw(2, Split::Train, i)).collect();
    let share = |test: &dyn Fn(&Instructed) -> bool| {
        drawn.iter().filter(|row| test(row)).count() as f32 / drawn.len() as f32
    };
    assert!((0.08..0.16).contains(&share(&|row| row.attribute.is_none())));
    assert!(drawn.iter().all(|row| row.attribute.is_some() || row.before == row.after));
    // What is so already is asked for now and then.
    assert!((0.05..0.3).contains(&share(&|r| r.attribute.is_some() && r.before == r.after)));
    assert!(share(&|row| row.text.contains(" and ")) > 0.05);
    assert!(share(&|row| row.before.hat != Hat::None && row.after.hat == Hat::None) > 0.005);
    assert_eq!(drawn[7], Instructed::draw(2, Split::Train, 7));
    assert_ne!(drawn[7], Instructed::draw(2, Split::HeldOut, 7));
}
