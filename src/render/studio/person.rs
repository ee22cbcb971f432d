//! Random people: balanced over attributes, with rare pairs oversampled.

use super::caption::{self, Edit};
use super::framing::normal;
use crate::head::look::{
    AgeGroup, BeardStyle, Brows, Cheeks, Chin, ClothColor, Earrings, Ears, Ethnicity, Expression,
    EyeSize, Face, FacePaint, Forehead, Glasses, HairColor, HairStyle, Hat, IrisColor, Jaw, Lips,
    Look, Material, Mouth, Neck, Nose, SkinTone,
};
use crate::head::{HeadModel, HeadParams};
use crate::rng;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// One random person.
#[derive(Debug, Clone)]
pub struct StudioSample {
    /// The seed it was drawn from; also drives blotches and strands.
    pub seed: u64,
    /// Shape and expression.
    pub params: HeadParams,
    /// Colours, hair and accessories.
    pub look: Look,
}

/// The part of the seed space that a sample is drawn from; they never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// For training.
    Train,
    /// For measuring only.
    HeldOut,
}

impl Split {
    pub(super) fn stage(self) -> &'static str {
        match self {
            Self::Train => "studio-train",
            Self::HeldOut => "studio-held-out",
        }
    }
}

impl StudioSample {
    /// Draws person number `seed` of the training split.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Self::draw(0, Split::Train, seed)
    }

    /// Draws person number `index` of a split of the data set with a seed.
    #[must_use]
    pub fn draw(dataset: u64, split: Split, index: u64) -> Self {
        let mut rng = rng::stream(dataset, split.stage(), index, "look");
        let look = look(&mut rng);
        Self::with_look(look, &mut rng::stream(dataset, split.stage(), index, "shape"))
    }

    /// An edit in words of person number `index`, and the same person after it; `None` if
    /// `attempts` donors have nothing new in what chance picked for them.
    #[must_use]
    pub fn edited(dataset: u64, split: Split, index: u64, attempts: u64) -> Option<(Self, Edit)> {
        let before = Self::draw(dataset, split, index).look;
        let mut rng = rng::stream(dataset, split.stage(), index, "edit");
        let edit = (0..attempts).find_map(|_| {
            let donor = look(&mut rng);
            caption::edit(&before, &donor, &mut rng)
        })?;
        // The draws that shape a person do not depend on the look: the same ones again are
        // the same identity.
        let shape = &mut rng::stream(dataset, split.stage(), index, "shape");
        Some((Self::with_look(edit.after, shape), edit))
    }

    /// A random person with this look.
    #[must_use]
    pub fn with_look(look: Look, rng: &mut impl Rng) -> Self {
        let params = shape(rng, &look);
        Self { seed: rng.random(), params, look }
    }
}

fn weighted<T: Copy>(rng: &mut impl Rng, choices: &[(T, f32)]) -> T {
    let total: f32 = choices.iter().map(|c| c.1).sum();
    let mut at = rng.random::<f32>() * total;
    for (value, weight) in choices {
        at -= weight;
        if at < 0.0 {
            return *value;
        }
    }
    choices[choices.len() - 1].0
}

/// Any of the values, all equally likely.
pub(super) fn any<T: Copy>(rng: &mut impl Rng, values: &[T]) -> T {
    values[rng.random_range(0..values.len())]
}

/// Each value with its weight.
fn with_weights<T: Copy, const N: usize>(values: &[T], weights: [f32; N]) -> Vec<(T, f32)> {
    assert_eq!(values.len(), N, "one weight a value");
    values.iter().copied().zip(weights).collect()
}

pub(super) fn look(rng: &mut impl Rng) -> Look {
    let mut look = someone(rng);
    hair(rng, &mut look);
    beard(rng, &mut look);
    adornments(rng, &mut look);
    shapes(rng, &mut look);
    look.tint = [normal(rng), normal(rng), normal(rng)].map(|v: f32| v.clamp(-1.5, 1.5));
    look
}

/// Gender, age, ancestry, expression, skin or material, eyes.
fn someone(rng: &mut impl Rng) -> Look {
    let male = rng.random_bool(0.5);
    let age = weighted(rng, &with_weights(AgeGroup::ALL, [0.08, 0.42, 0.20, 0.30]));
    let ethnicity = weighted(rng, &with_weights(Ethnicity::ALL, [1.0, 1.0, 1.2, 0.6, 0.4]));
    let shares = [0.38, 0.18, 0.08, 0.08, 0.08, 0.07, 0.03, 0.04, 0.02, 0.03, 0.03];
    let expression = weighted(rng, &with_weights(Expression::ALL, shares));
    let fantasy = rng.random_bool(0.36);
    let skin = if fantasy {
        // The rare pair that prompts like: green twice as often.
        let choices = SkinTone::FANTASY.map(|tone| match tone {
            SkinTone::Green => (tone, 2.0),
            SkinTone::Gold => (tone, 0.4),
            _ => (tone, 1.0),
        });
        weighted(rng, &choices)
    } else {
        let weights: [f32; 8] = match ethnicity {
            Ethnicity::African => [0.0, 0.0, 0.0, 0.03, 0.04, 0.33, 0.38, 0.22],
            Ethnicity::Asian => [0.15, 0.25, 0.25, 0.18, 0.14, 0.03, 0.0, 0.0],
            Ethnicity::European => [0.25, 0.32, 0.25, 0.12, 0.06, 0.0, 0.0, 0.0],
            Ethnicity::Indian => [0.0, 0.0, 0.05, 0.20, 0.28, 0.37, 0.10, 0.0],
            Ethnicity::Mixed => [0.0, 0.05, 0.15, 0.30, 0.22, 0.24, 0.04, 0.0],
        };
        weighted(rng, &with_weights(&SkinTone::NATURAL, weights))
    };
    let material = (!fantasy && rng.random_bool(0.15))
        .then(|| weighted(rng, &with_weights(Material::ALL, [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])));
    let shares = [0.32, 0.24, 0.15, 0.08, 0.06, 0.06, 0.05, 0.04];
    let eyes = weighted(rng, &with_weights(IrisColor::ALL, shares));
    Look { male, age, ethnicity, expression, skin, material, eyes, ..Look::default() }
}

fn hair_color(rng: &mut impl Rng, age: AgeGroup) -> HairColor {
    if age == AgeGroup::Old && rng.random_bool(0.55) {
        return if rng.random_bool(0.5) { HairColor::Grey } else { HairColor::White };
    }
    let weights = [1.5, 1.4, 0.7, 1.4, 1.4, 0.6, 0.8, 0.7, 0.7, 0.7, 0.7, 0.5];
    weighted(rng, &with_weights(HairColor::ALL, weights))
}

fn hair(rng: &mut impl Rng, look: &mut Look) {
    let shares: [f32; 12] = if look.male {
        [0.20, 0.06, 0.25, 0.08, 0.07, 0.11, 0.02, 0.07, 0.03, 0.03, 0.03, 0.07]
    } else {
        [0.07, 0.03, 0.14, 0.08, 0.08, 0.05, 0.15, 0.17, 0.10, 0.08, 0.06, 0.03]
    };
    look.hair = weighted(rng, &with_weights(HairStyle::ALL, shares));
    look.hair_color = hair_color(rng, look.age);
    // Fantasy skin with white hair is what prompts ask for and chance rarely gives.
    if !look.skin.is_natural() && rng.random_bool(0.14) {
        look.hair_color = HairColor::White;
    }
    look.hair_tips = rng.random_bool(0.12).then(|| any(rng, HairColor::ALL));
    look.hair_length = rng.random();
    look.fringe = rng.random_bool(match (look.male, look.hair) {
        (false, HairStyle::Bob) => 0.45,
        (false, HairStyle::Short | HairStyle::Long | HairStyle::Wavy) => 0.3,
        _ => 0.06,
    });
    look.receding = if look.male && look.age >= AgeGroup::Middle && rng.random_bool(0.5) {
        rng.random()
    } else {
        0.0
    };
    look.brow_color =
        if rng.random_bool(0.75) { look.hair_color } else { any(rng, &HairColor::NATURAL) };
    let shares = if look.male { [0.05, 0.73, 0.22] } else { [0.22, 0.72, 0.06] };
    look.brows = weighted(rng, &with_weights(Brows::ALL, shares));
}

fn beard(rng: &mut impl Rng, look: &mut Look) {
    let grown = look.male && look.age != AgeGroup::Child && rng.random_bool(0.52);
    let shares = [0.0, 0.10, 0.18, 0.17, 0.31, 0.17, 0.07];
    let style = weighted(rng, &with_weights(BeardStyle::ALL, shares));
    look.beard = if grown { style } else { BeardStyle::None };
    let own = hair_color(rng, look.age);
    look.beard_color = if rng.random_bool(0.5) { look.hair_color } else { own };
    look.beard_length = rng.random();
}

/// Lipstick, paint, horns, earrings, glasses, hats.
fn adornments(rng: &mut impl Rng, look: &mut Look) {
    look.red_lips = !look.male && look.age != AgeGroup::Child && rng.random_bool(0.25);
    let painted = look.is_living() && rng.random_bool(0.09);
    let paint = any(rng, &FacePaint::ALL[1..]);
    look.face_paint = if painted { paint } else { FacePaint::None };
    look.horns = rng.random_bool(if look.skin.is_natural() { 0.04 } else { 0.10 });
    // Below hair that covers the ears nobody sees them.
    let worn = rng.random_bool(if look.male { 0.08 } else { 0.30 }) && !look.has_covered_ears();
    let earrings = weighted(rng, &[(Earrings::Hoops, 0.65), (Earrings::Studs, 0.35)]);
    look.earrings = if worn { earrings } else { Earrings::None };
    let worn = rng.random_bool(0.30);
    let shares = [0.0, 0.45, 0.35, 0.20];
    let glasses = weighted(rng, &with_weights(Glasses::ALL, shares));
    look.glasses = if worn { glasses } else { Glasses::None };
    look.glasses_color =
        if rng.random_bool(0.6) { ClothColor::Black } else { any(rng, ClothColor::ALL) };
    let worn = rng.random_bool(0.22) && !look.horns;
    let shares = [0.0, 0.22, 0.22, 0.16, 0.14, 0.14, 0.12];
    let hat = weighted(rng, &with_weights(Hat::ALL, shares));
    look.hat = if worn { hat } else { Hat::None };
    look.hat_color = any(rng, ClothColor::ALL);
    if !matches!(look.hat, Hat::None | Hat::Crown) {
        look.hair = match look.hair {
            HairStyle::Afro | HairStyle::Mohawk | HairStyle::Spiky => HairStyle::Short,
            HairStyle::Bun => HairStyle::Ponytail,
            other => other,
        };
    }
}

/// Up to two features of a shape that captions name.
fn shapes(rng: &mut impl Rng, look: &mut Look) {
    let count = weighted(rng, &[(0, 0.45), (1, 0.38), (2, 0.17)]);
    for _ in 0..count {
        match rng.random_range(0..15) {
            0..=3 => look.nose = any(rng, &Nose::ALL[1..]),
            4 => look.jaw = any(rng, &Jaw::ALL[1..]),
            5 => look.chin = any(rng, &Chin::ALL[1..]),
            6 => look.lips = any(rng, &Lips::ALL[1..]),
            7 => look.mouth = any(rng, &Mouth::ALL[1..]),
            8 => look.eye_size = any(rng, &EyeSize::ALL[1..]),
            9 => look.ears = any(rng, &Ears::ALL[1..]),
            10 => look.ears = Ears::Pointed,
            11 => look.cheeks = any(rng, &Cheeks::ALL[1..]),
            12 => look.face = any(rng, &Face::ALL[1..]),
            13 => look.forehead = any(rng, &Forehead::ALL[1..]),
            _ => look.neck = any(rng, &Neck::ALL[1..]),
        }
    }
}

/// Shares of African, Asian and European ancestry.
fn ancestry(rng: &mut impl Rng, ethnicity: Ethnicity) -> [f32; 3] {
    let mut mixture = match ethnicity {
        Ethnicity::African => [1.0, 0.0, 0.0],
        Ethnicity::Asian => [0.0, 1.0, 0.0],
        Ethnicity::European => [0.0, 0.0, 1.0],
        Ethnicity::Indian => [0.18, 0.22, 0.60],
        Ethnicity::Mixed => [0.33; 3],
    };
    let spread = if ethnicity == Ethnicity::Mixed { 0.3 } else { 0.08 };
    for share in &mut mixture {
        *share += spread * rng.random::<f32>();
    }
    let total: f32 = mixture.iter().sum();
    mixture.map(|share| share / total)
}

fn shape(rng: &mut impl Rng, look: &Look) -> HeadParams {
    let model = HeadModel::embedded();
    let ethnicity = ancestry(rng, look.ethnicity);
    let age = match look.age {
        AgeGroup::Child => rng.random_range(0.15..0.24),
        AgeGroup::Young => rng.random_range(0.42..0.55),
        AgeGroup::Middle => rng.random_range(0.60..0.74),
        AgeGroup::Old => rng.random_range(0.86..1.0),
    };
    let gender = if look.male { rng.random_range(0.85..1.0) } else { rng.random_range(0.0..0.15) };
    let mut sliders = std::collections::BTreeMap::new();
    for slider in model.sliders() {
        // Local shape stays mild: most control maps show the mean head.
        if !slider.sideways && rng.random_bool(0.4) {
            let value = (normal(rng) * slider.sigma).clamp(-0.6, 0.6);
            let value = if slider.is_one_ended() { 0.5 * value.abs() } else { value };
            sliders.insert(slider.name.clone(), value);
        }
    }
    let strength = rng.random_range(0.85..1.05_f32);
    // What captions name stands out; two traits may pull at one slider.
    let mut named = std::collections::BTreeMap::<&str, f32>::new();
    for (slider, value) in look.trait_sliders() {
        *named.entry(slider).or_default() += value * strength;
    }
    for (slider, value) in named {
        sliders.insert(slider.to_owned(), value.clamp(-1.0, 1.0));
    }
    let expression = look
        .expression
        .units()
        .iter()
        .map(|(unit, weight)| ((*unit).to_owned(), (weight * strength).min(1.0)))
        .collect();
    let weight = match look.cheeks {
        Cheeks::Normal => 0.5,
        Cheeks::Chubby => 0.75,
        Cheeks::Hollow => 0.25,
    };
    HeadParams {
        ethnicity,
        gender,
        age,
        muscle: rng.random_range(0.3..0.7),
        weight: (weight + 0.2 * normal(rng)).clamp(0.05, 0.95),
        sliders,
        expression,
        ..HeadParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_balanced_and_valid() {
        let n = 3000;
        let samples: Vec<_> = (0..n).map(StudioSample::random).collect();
        for sample in &samples[..200] {
            sample.params.validate(HeadModel::embedded()).unwrap();
        }
        let share = |test: &dyn Fn(&Look) -> bool| {
            samples.iter().filter(|s| test(&s.look)).count() as f32 / n as f32
        };
        let near = |value: f32, target: f32| {
            assert!((value - target).abs() < 0.03, "{value} is not near {target}");
        };
        near(share(&|l| l.male), 0.5);
        near(share(&|l| l.glasses != Glasses::None), 0.30);
        near(share(&|l| l.hat != Hat::None), 0.21);
        near(share(&|l| l.material.is_some()), 0.10);
        for style in HairStyle::ALL {
            assert!(share(&|l| l.hair == *style) > 0.025, "{style:?}");
        }
        for hat in Hat::ALL {
            assert!(share(&|l| l.hat == *hat) > 0.015, "{hat:?}");
        }
        for paint in FacePaint::ALL {
            assert!(share(&|l| l.face_paint == *paint) > 0.01, "{paint:?}");
        }
        for nose in Nose::ALL {
            assert!(share(&|l| l.nose == *nose) > 0.01, "{nose:?}");
        }
        assert!(share(&|l| l.ears == Ears::Pointed) > 0.03);
        let fantasy = |l: &Look| !l.skin.is_natural();
        assert!(share(&|l| fantasy(l) && l.hair_color == HairColor::White) > 0.05);
        assert!(share(&|l| l.beard != BeardStyle::None && l.beard_color != l.hair_color) > 0.07);
        assert!(share(&|l| !l.male && l.beard != BeardStyle::None) == 0.0);
        assert!(share(&|l| !l.male && l.hair == HairStyle::Bald) > 0.02);
        assert!(share(&|l| l.horns && l.hat != Hat::None) == 0.0);
    }

    #[test]
    fn named_shapes_move_their_sliders() {
        let look = Look { nose: Nose::Big, chin: Chin::Weak, ..Look::default() };
        let person = StudioSample::with_look(look, &mut rng::stream(3, "test", 0, "shape"));
        assert!(person.params.sliders["nose-scale-horiz-decr-incr"] > 0.6);
        assert!(person.params.sliders["chin-prominent-decr-incr"] < -0.8);
    }

    #[test]
    fn an_edit_keeps_the_identity() {
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..200 {
            let before = StudioSample::draw(4, Split::Train, index);
            let Some((after, edit)) = StudioSample::edited(4, Split::Train, index, 20) else {
                panic!("nothing to edit in person {index}");
            };
            assert_eq!(after.look, edit.after);
            assert_ne!(after.look, before.look);
            assert_eq!(after.seed, before.seed);
            assert_eq!(after.params.muscle, before.params.muscle, "{}", edit.text);
            seen.insert(edit.attribute);
            let colors_alone = ["skin", "hair_color", "eyes", "beard_color", "material", "hat"];
            if colors_alone.contains(&edit.attribute) {
                assert_eq!(after.params, before.params, "{}", edit.text);
            }
        }
        assert!(seen.len() > 15, "{seen:?}");
    }

    #[test]
    fn splits_differ_and_repeat() {
        let a = StudioSample::draw(1, Split::Train, 5);
        let b = StudioSample::draw(1, Split::HeldOut, 5);
        assert_ne!(a.seed, b.seed);
        assert_eq!(a.look, StudioSample::draw(1, Split::Train, 5).look);
    }
}
