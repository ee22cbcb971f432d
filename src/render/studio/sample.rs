//! Random people: balanced over attributes, with rare pairs oversampled.

use crate::batch::{Light, View, ViewRegion};
use crate::head::look::{
    AgeGroup, BeardStyle, ClothColor, Ethnicity, Expression, Glasses, HairColor, HairStyle, Hat,
    IrisColor, Look, Material, SkinTone,
};
use crate::head::{HeadModel, HeadParams};
use crate::render::camera::Camera;
use crate::rng;
use glam::Vec3;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
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
    fn stage(self) -> &'static str {
        match self {
            Self::Train => "studio-train",
            Self::HeldOut => "studio-held-out",
        }
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
fn any<T: Copy>(rng: &mut impl Rng, values: &[T]) -> T {
    values[rng.random_range(0..values.len())]
}

/// Each value with its weight.
fn with_weights<T: Copy, const N: usize>(values: &[T], weights: [f32; N]) -> Vec<(T, f32)> {
    assert_eq!(values.len(), N, "one weight a value");
    values.iter().copied().zip(weights).collect()
}

fn normal(rng: &mut impl Rng) -> f32 {
    StandardNormal.sample(rng)
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
        let mut rng = rng::stream(dataset, split.stage(), index, "shape");
        let params = shape(&mut rng, &look);
        let seed = rng.random();
        Self { seed, params, look }
    }
}

fn hair_color(rng: &mut impl Rng, age: AgeGroup) -> HairColor {
    if age == AgeGroup::Old && rng.random_bool(0.55) {
        return if rng.random_bool(0.5) { HairColor::Grey } else { HairColor::White };
    }
    let weights = [1.5, 1.4, 0.7, 1.4, 1.4, 0.6, 0.8, 0.7, 0.7, 0.7, 0.7, 0.5];
    weighted(rng, &with_weights(HairColor::ALL, weights))
}

fn look(rng: &mut impl Rng) -> Look {
    let male = rng.random_bool(0.5);
    let age = weighted(
        rng,
        &[
            (AgeGroup::Child, 0.08),
            (AgeGroup::Young, 0.42),
            (AgeGroup::Middle, 0.20),
            (AgeGroup::Old, 0.30),
        ],
    );
    let ethnicity = weighted(
        rng,
        &[(Ethnicity::African, 1.0), (Ethnicity::Asian, 1.0), (Ethnicity::European, 1.2)],
    );
    let expression = weighted(
        rng,
        &[
            (Expression::Neutral, 0.42),
            (Expression::Smiling, 0.20),
            (Expression::Laughing, 0.08),
            (Expression::Surprised, 0.08),
            (Expression::Angry, 0.08),
            (Expression::Sad, 0.07),
            (Expression::Sleeping, 0.03),
            (Expression::Screaming, 0.04),
        ],
    );
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
        };
        weighted(rng, &with_weights(&SkinTone::NATURAL, weights))
    };
    let material = (!fantasy && rng.random_bool(0.15))
        .then(|| weighted(rng, &with_weights(Material::ALL, [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])));
    let shares: [f32; 8] = if male {
        [0.22, 0.07, 0.28, 0.09, 0.08, 0.14, 0.02, 0.10]
    } else {
        [0.08, 0.03, 0.18, 0.10, 0.09, 0.07, 0.18, 0.27]
    };
    let mut hair = weighted(rng, &with_weights(HairStyle::ALL, shares));
    let mut hair_color = hair_color(rng, age);
    // Fantasy skin with white hair is what prompts ask for and chance rarely gives.
    if fantasy && rng.random_bool(0.14) {
        hair_color = HairColor::White;
    }
    let brow_color = if rng.random_bool(0.75) { hair_color } else { any(rng, &HairColor::NATURAL) };
    let bearded = male && age != AgeGroup::Child && rng.random_bool(0.52);
    let beard = if bearded {
        weighted(
            rng,
            &[
                (BeardStyle::Stubble, 0.12),
                (BeardStyle::Moustache, 0.20),
                (BeardStyle::Goatee, 0.18),
                (BeardStyle::Full, 0.32),
                (BeardStyle::Long, 0.18),
            ],
        )
    } else {
        BeardStyle::None
    };
    let beard_color = if rng.random_bool(0.5) { hair_color } else { self::hair_color(rng, age) };
    let glasses = if rng.random_bool(0.30) {
        weighted(rng, &[(Glasses::Round, 0.45), (Glasses::Square, 0.35), (Glasses::Sun, 0.20)])
    } else {
        Glasses::None
    };
    let glasses_color =
        if rng.random_bool(0.6) { ClothColor::Black } else { any(rng, ClothColor::ALL) };
    let hat = if rng.random_bool(0.16) {
        if matches!(hair, HairStyle::Afro | HairStyle::Mohawk) {
            hair = HairStyle::Short;
        }
        if rng.random_bool(0.5) { Hat::Cap } else { Hat::Beanie }
    } else {
        Hat::None
    };
    let hat_color = any(rng, ClothColor::ALL);
    let fringe = rng.random_bool(match (male, hair) {
        (false, HairStyle::Bob) => 0.45,
        (false, HairStyle::Short | HairStyle::Long) => 0.3,
        _ => 0.06,
    });
    let receding =
        if male && age >= AgeGroup::Middle && rng.random_bool(0.5) { rng.random() } else { 0.0 };
    let shares = [0.34, 0.26, 0.16, 0.08, 0.06, 0.06, 0.04];
    let eyes = weighted(rng, &with_weights(IrisColor::ALL, shares));
    Look {
        male,
        age,
        ethnicity,
        expression,
        skin,
        material,
        hair,
        hair_color,
        hair_length: rng.random(),
        fringe,
        receding,
        brow_color,
        brow_width: if male { rng.random_range(0.3..1.0) } else { rng.random_range(0.0..0.6) },
        beard,
        beard_color,
        beard_length: rng.random(),
        eyes,
        red_lips: !male && age != AgeGroup::Child && rng.random_bool(0.25),
        glasses,
        glasses_color,
        hat,
        hat_color,
        tint: [normal(rng), normal(rng), normal(rng)].map(|v: f32| v.clamp(-1.5, 1.5)),
    }
}

/// The units of an expression with their weights.
fn units(expression: Expression) -> &'static [(&'static str, f32)] {
    match expression {
        Expression::Neutral => &[],
        Expression::Smiling => &[
            ("mouthSmileLeft", 0.95),
            ("mouthSmileRight", 0.95),
            ("cheekSquintLeft", 0.5),
            ("cheekSquintRight", 0.5),
            ("mouthDimpleLeft", 0.3),
            ("mouthDimpleRight", 0.3),
        ],
        Expression::Laughing => &[
            ("mouthSmileLeft", 1.0),
            ("mouthSmileRight", 1.0),
            ("jawOpen", 0.45),
            ("cheekSquintLeft", 0.7),
            ("cheekSquintRight", 0.7),
            ("mouthUpperUpLeft", 0.5),
            ("mouthUpperUpRight", 0.5),
        ],
        Expression::Surprised => &[
            ("jawOpen", 0.5),
            ("browInnerUp", 1.0),
            ("browOuterUpLeft", 1.0),
            ("browOuterUpRight", 1.0),
            ("eyeWideLeft", 1.0),
            ("eyeWideRight", 1.0),
        ],
        Expression::Angry => &[
            ("browDownLeft", 1.0),
            ("browDownRight", 1.0),
            ("noseSneerLeft", 0.8),
            ("noseSneerRight", 0.8),
            ("mouthPressLeft", 0.5),
            ("mouthPressRight", 0.5),
            ("mouthFrownLeft", 0.6),
            ("mouthFrownRight", 0.6),
            ("eyeSquintLeft", 0.4),
            ("eyeSquintRight", 0.4),
        ],
        Expression::Sad => &[
            ("browInnerUp", 1.0),
            ("mouthFrownLeft", 1.0),
            ("mouthFrownRight", 1.0),
            ("mouthShrugLower", 0.4),
            ("eyeBlinkLeft", 0.2),
            ("eyeBlinkRight", 0.2),
        ],
        Expression::Sleeping => &[("eyeBlinkLeft", 1.0), ("eyeBlinkRight", 1.0)],
        Expression::Screaming => &[
            ("jawOpen", 0.9),
            ("mouthStretchLeft", 0.4),
            ("mouthStretchRight", 0.4),
            ("browDownLeft", 0.5),
            ("browDownRight", 0.5),
            ("eyeSquintLeft", 0.3),
            ("eyeSquintRight", 0.3),
        ],
    }
}

fn shape(rng: &mut impl Rng, look: &Look) -> HeadParams {
    let model = HeadModel::embedded();
    let mut mixture = [0.0; 3];
    for share in &mut mixture {
        *share = 0.08 * rng.random::<f32>();
    }
    mixture[look.ethnicity as usize] += 1.0;
    let total: f32 = mixture.iter().sum();
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
    let expression = units(look.expression)
        .iter()
        .map(|(unit, weight)| ((*unit).to_owned(), (weight * strength).min(1.0)))
        .collect();
    HeadParams {
        ethnicity: mixture.map(|s| s / total),
        gender,
        age,
        muscle: rng.random_range(0.3..0.7),
        weight: (0.5 + 0.2 * normal(rng)).clamp(0.05, 0.95),
        sliders,
        expression,
        ..HeadParams::default()
    }
}

/// A camera of the embedded model's framing: the given direction and field of view,
/// chin to crown about half of the frame's height. `distance` scales the radius
/// (1 is nominal), `target` moves the point looked at.
#[must_use]
pub fn framed_camera(
    azimuth: f32,
    elevation: f32,
    fov: f32,
    distance: f32,
    target: Vec3,
    size: u32,
) -> Camera {
    let radius = 0.7 / (0.5 * fov).to_radians().tan() * distance;
    Camera::orbit(target, azimuth, elevation, radius, fov, (size, size))
}

/// Share of close-ups of the face.
const CLOSE_UPS: f64 = 0.4;
/// Share of views in flat light: what the pipeline asks for when it learns albedo.
const FLAT: f64 = 0.65;

/// A random view of the data set: camera, light and background. Close-ups show the face
/// from chin to crown over most of the frame, from the front and the sides.
#[must_use]
pub fn framed_view(rng: &mut impl Rng, size: u32) -> (View, [f32; 4]) {
    let close = rng.random_bool(CLOSE_UPS);
    let azimuth: f32 = if close {
        (35.0 * normal(rng)).clamp(-90.0, 90.0)
    } else if rng.random_bool(0.25) {
        rng.random_range(-60.0..60.0)
    } else {
        rng.random_range(-180.0..180.0)
    };
    let elevation = (5.0 + 12.0 * normal(rng)).clamp(-20.0, 40.0);
    let fov = rng.random_range(24.0..34.0_f32);
    let distance =
        if close { rng.random_range(0.58..0.74_f32) } else { rng.random_range(0.95..1.10_f32) };
    let target = Vec3::new(normal(rng), normal(rng), normal(rng))
        .clamp(Vec3::splat(-2.0), Vec3::splat(2.0))
        * 0.02;
    let camera = framed_camera(azimuth, elevation, fov, distance, target, size);
    let light = if rng.random_bool(FLAT) {
        Light::Flat
    } else {
        let spread = Vec3::new(normal(rng), normal(rng), normal(rng));
        let direction = (0.8 * spread - camera.forward).normalize_or(-camera.forward);
        Light::Lambertian { ambient: rng.random_range(0.2..0.9), direction }
    };
    let grey = rng.random_range(0.25..1.0_f32);
    let tint = if rng.random_bool(0.5) { 0.0 } else { 0.05 };
    let background = [0, 1, 2].map(|_| (grey + tint * normal(rng)).clamp(0.2, 1.0));
    let view = View { camera, light, region: ViewRegion::of_azimuth(azimuth), background };
    (view, [azimuth, elevation, camera.position.distance(target), fov])
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
        near(share(&|l| l.hat != Hat::None), 0.16);
        near(share(&|l| l.material.is_some()), 0.10);
        for style in HairStyle::ALL {
            assert!(share(&|l| l.hair == *style) > 0.03, "{style:?}");
        }
        let fantasy = |l: &Look| !l.skin.is_natural();
        assert!(share(&|l| fantasy(l) && l.hair_color == HairColor::White) > 0.05);
        assert!(share(&|l| l.beard != BeardStyle::None && l.beard_color != l.hair_color) > 0.07);
        assert!(share(&|l| !l.male && l.beard != BeardStyle::None) == 0.0);
        assert!(share(&|l| !l.male && l.hair == HairStyle::Bald) > 0.02);
    }

    #[test]
    fn splits_differ_and_repeat() {
        let a = StudioSample::draw(1, Split::Train, 5);
        let b = StudioSample::draw(1, Split::HeldOut, 5);
        assert_ne!(a.seed, b.seed);
        assert_eq!(a.look, StudioSample::draw(1, Split::Train, 5).look);
    }

    #[test]
    fn framing_holds_the_head_at_half_the_height() {
        for fov in [24.0, 34.0] {
            let camera = framed_camera(0.0, 0.0, fov, 1.0, Vec3::ZERO, 100);
            let top = camera.project(Vec3::new(0.0, 0.35, 0.0)).pixel.y;
            let chin = camera.project(Vec3::new(0.0, -0.35, 0.0)).pixel.y;
            assert!((chin - top - 50.0).abs() < 1e-3, "{top} {chin}");
        }
    }
}
