//! Which person, with which expression, in which pose.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use rand::Rng;
use rand_distr::{Beta, Distribution, Normal};
use serde::{Deserialize, Serialize};

use super::error::HeadError;
use super::model::HeadModel;

const UNIT: RangeInclusive<f32> = 0.0..=1.0;
const SIGNED: RangeInclusive<f32> = -1.0..=1.0;
const NECK_YAW: RangeInclusive<f32> = -80.0..=80.0;
const NECK_PITCH: RangeInclusive<f32> = -50.0..=50.0;
const NECK_ROLL: RangeInclusive<f32> = -40.0..=40.0;
const JAW: RangeInclusive<f32> = -2.0..=35.0;
const EYES: RangeInclusive<f32> = -40.0..=40.0;

/// All parameters of one head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadParams {
    /// Weights of African, Asian and Caucasian features, each in 0..=1, not all zero; normalised on use.
    pub ethnicity: [f32; 3],
    /// 0 female .. 1 male.
    pub gender: f32,
    /// 0..=1: 1, 11, 25 and 90 years at 0, 0.1875, 0.5 and 1, linear between.
    pub age: f32,
    /// 0..=1, 0.5 average.
    pub muscle: f32,
    /// 0..=1, 0.5 average.
    pub weight: f32,
    /// Local shape by slider name, -1..=1, absent means 0. Sliders with one end need 0..=1.
    pub sliders: BTreeMap<String, f32>,
    /// `ARKit` face units by name, 0..=1, absent means 0.
    pub expression: BTreeMap<String, f32>,
    /// Joint rotations.
    pub pose: HeadPose,
}

impl Default for HeadParams {
    /// The mean neutral adult.
    fn default() -> Self {
        Self {
            ethnicity: [1.0 / 3.0; 3],
            gender: 0.5,
            age: 0.5,
            muscle: 0.5,
            weight: 0.5,
            sliders: BTreeMap::new(),
            expression: BTreeMap::new(),
            pose: HeadPose::default(),
        }
    }
}

/// Joint rotations in degrees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadPose {
    /// Yaw (positive turns to the subject's left), pitch (positive looks down), roll (positive tilts
    /// to the subject's right); shared over the two neck joints and the head.
    pub neck: [f32; 3],
    /// Opening of the jaw, positive opens.
    pub jaw: f32,
    /// Yaw (positive to the subject's left) and pitch (positive down) of both eyes.
    pub eyes: [f32; 2],
}

impl HeadParams {
    /// Checks every number and name.
    ///
    /// # Errors
    /// [`HeadError::OutOfRange`], [`HeadError::NoEthnicity`] or [`HeadError::UnknownName`], naming the field.
    pub fn validate(&self, model: &HeadModel) -> Result<(), HeadError> {
        for (name, value) in ["african", "asian", "caucasian"].iter().zip(self.ethnicity) {
            check(|| format!("ethnicity.{name}"), value, UNIT)?;
        }
        if self.ethnicity.iter().sum::<f32>() < 1e-6 {
            return Err(HeadError::NoEthnicity);
        }
        let unit = [
            ("gender", self.gender),
            ("age", self.age),
            ("muscle", self.muscle),
            ("weight", self.weight),
        ];
        for (name, value) in unit {
            check(|| name.to_owned(), value, UNIT)?;
        }
        for (name, &value) in &self.sliders {
            let Some(slider) = model.slider(name) else {
                return Err(unknown("sliders", name, model.slider_names()));
            };
            let range = if slider.is_one_ended() { UNIT } else { SIGNED };
            check(|| format!("sliders.{name}"), value, range)?;
        }
        for (name, &value) in &self.expression {
            if model.expression_index(name).is_none() {
                return Err(unknown("expression", name, model.expression_names()));
            }
            check(|| format!("expression.{name}"), value, UNIT)?;
        }
        let [yaw, pitch, roll] = self.pose.neck;
        check(|| "pose.neck.yaw".to_owned(), yaw, NECK_YAW)?;
        check(|| "pose.neck.pitch".to_owned(), pitch, NECK_PITCH)?;
        check(|| "pose.neck.roll".to_owned(), roll, NECK_ROLL)?;
        check(|| "pose.jaw".to_owned(), self.pose.jaw, JAW)?;
        check(|| "pose.eyes.yaw".to_owned(), self.pose.eyes[0], EYES)?;
        check(|| "pose.eyes.pitch".to_owned(), self.pose.eyes[1], EYES)
    }

    /// A random plausible adult: neutral expression and pose, age 21 to 83, either gender clearly or less
    /// so. Each slider takes part with probability 0.6 and is normal with [`HeadModel::slider_sigma`];
    /// sliders that only shift a part sideways stay at zero. Equal generators give equal heads.
    #[must_use]
    pub fn random(model: &HeadModel, rng: &mut impl Rng) -> Self {
        // The exponents make one or two ethnicities dominate: a Dirichlet draw with alpha 1/2, since the
        // square of a normal variate has the gamma distribution of shape 1/2.
        let squares: [f32; 3] = std::array::from_fn(|_| normal(rng, 0.0, 1.0).powi(2) + 1e-6);
        let sum: f32 = squares.iter().sum();
        let female = rng.random::<f32>() < 0.5;
        let toward_zero = Beta::new(1.0f32, 6.0).map_or(0.0, |beta| beta.sample(rng));
        let mut params = Self {
            ethnicity: squares.map(|w| (w / sum).min(1.0)),
            gender: if female { toward_zero } else { 1.0 - toward_zero },
            age: rng.random_range(0.42..0.95),
            muscle: rng.random_range(0.2..0.8),
            weight: normal(rng, 0.5, 0.22).clamp(0.0, 1.0),
            ..Self::default()
        };
        for slider in model.sliders() {
            let takes_part = rng.random::<f32>() < 0.6;
            let value = normal(rng, 0.0, slider.sigma).clamp(-1.0, 1.0);
            if takes_part && !slider.sideways {
                let value = if slider.is_one_ended() { value.abs() * 0.5 } else { value };
                params.sliders.insert(slider.name.clone(), value);
            }
        }
        params
    }
}

fn normal(rng: &mut impl Rng, mean: f32, sigma: f32) -> f32 {
    Normal::new(mean, sigma).map_or(mean, |distribution| distribution.sample(rng))
}

fn check(
    field: impl FnOnce() -> String,
    value: f32,
    range: RangeInclusive<f32>,
) -> Result<(), HeadError> {
    if range.contains(&value) {
        Ok(()) // NaN is in no range
    } else {
        Err(HeadError::OutOfRange { field: field(), value, range })
    }
}

fn unknown<'a>(field: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> HeadError {
    let nearest = known
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 1 + name.len() / 3)
        .map(|(_, candidate)| candidate.to_owned());
    HeadError::UnknownName { field, name: name.to_owned(), nearest }
}

/// Levenshtein distance, on bytes.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(!x.eq_ignore_ascii_case(&y));
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(params: &HeadParams) -> String {
        params.validate(HeadModel::embedded()).unwrap_err().to_string()
    }

    #[test]
    fn the_default_is_valid() {
        HeadParams::default().validate(HeadModel::embedded()).unwrap();
    }

    #[test]
    fn errors_name_the_field_and_its_range() {
        let base = HeadParams::default();
        let bad = HeadParams { gender: 1.5, ..base.clone() };
        assert_eq!(message(&bad), "`gender` is 1.5, but must be between 0 and 1");
        let bad = HeadParams { age: f32::NAN, ..base.clone() };
        assert_eq!(message(&bad), "`age` is NaN, but must be between 0 and 1");
        let bad = HeadParams { ethnicity: [0.0; 3], ..base.clone() };
        assert_eq!(message(&bad), "`ethnicity` needs at least one weight above zero");
        let mut bad = base.clone();
        bad.expression.insert("jawopen".into(), 0.5);
        assert_eq!(
            message(&bad),
            "`expression` has no entry named `jawopen`; the nearest name is `jawOpen`"
        );
        let mut bad = base.clone();
        bad.sliders.insert("zzzzzzzz".into(), 0.5);
        assert_eq!(message(&bad), "`sliders` has no entry named `zzzzzzzz`");
        let mut bad = base;
        bad.pose.jaw = 90.0;
        assert_eq!(message(&bad), "`pose.jaw` is 90, but must be between -2 and 35");
    }

    #[test]
    fn json_round_trip() {
        let params =
            HeadParams::random(HeadModel::embedded(), &mut crate::rng::stream(3, "t", 0, "p"));
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<HeadParams>(&text).unwrap(), params);
        assert!(serde_json::from_str::<HeadParams>(r#"{"gendr": 1}"#).is_err());
        assert_eq!(serde_json::from_str::<HeadParams>("{}").unwrap(), HeadParams::default());
    }

    #[test]
    fn random_heads_are_valid_and_follow_their_generator() {
        let model = HeadModel::embedded();
        let draw = |seed| HeadParams::random(model, &mut crate::rng::stream(seed, "t", 0, "p"));
        for seed in 0..200 {
            draw(seed).validate(model).unwrap();
        }
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
