//! Weights of the macro targets: products of the piecewise linear bases of ethnicity, gender,
//! age, muscle and weight (the published `MakeHuman` parameterisation).

use super::params::HeadParams;

const ETHNICITIES: [&str; 3] = ["african", "asian", "caucasian"];
const GENDERS: [&str; 2] = ["female", "male"];
const AGES: [&str; 4] = ["baby", "child", "young", "old"];
const MUSCLES: [&str; 3] = ["minmuscle", "averagemuscle", "maxmuscle"];
const WEIGHTS: [&str; 3] = ["minweight", "averageweight", "maxweight"];
/// Where on the age axis the four stages (1, 11, 25, 90 years) sit.
const AGE_KNOTS: [f32; 4] = [0.0, 0.1875, 0.5, 1.0];

/// Which product of bases drives one macro target; fields index the name tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MacroKey {
    /// `<ethnicity>-<gender>-<age>`
    Ethnic { ethnicity: usize, gender: usize, age: usize },
    /// `universal-<gender>-<age>-<muscle>-<weight>`
    Build { gender: usize, age: usize, muscle: usize, weight: usize },
}

impl MacroKey {
    /// Reads a target's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let find = |table: &[&str], word: &str| table.iter().position(|entry| *entry == word);
        let words: Vec<&str> = name.split('-').collect();
        match words[..] {
            ["universal", gender, age, muscle, weight] => Some(Self::Build {
                gender: find(&GENDERS, gender)?,
                age: find(&AGES, age)?,
                muscle: find(&MUSCLES, muscle)?,
                weight: find(&WEIGHTS, weight)?,
            }),
            [ethnicity, gender, age] => Some(Self::Ethnic {
                ethnicity: find(&ETHNICITIES, ethnicity)?,
                gender: find(&GENDERS, gender)?,
                age: find(&AGES, age)?,
            }),
            _ => None,
        }
    }

    /// Every product, those without a target of their own included.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut keys = Vec::new();
        for gender in 0..2 {
            for age in 0..4 {
                keys.extend((0..3).map(|ethnicity| Self::Ethnic { ethnicity, gender, age }));
                keys.extend((0..9).map(|i| Self::Build {
                    gender,
                    age,
                    muscle: i / 3,
                    weight: i % 3,
                }));
            }
        }
        keys
    }
}

/// The one-dimensional bases for one set of parameters; each sums to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct MacroBasis {
    ethnicity: [f32; 3],
    gender: [f32; 2],
    age: [f32; 4],
    muscle: [f32; 3],
    weight: [f32; 3],
}

impl MacroBasis {
    pub(super) fn new(params: &HeadParams) -> Self {
        let sum: f32 = params.ethnicity.iter().sum();
        Self {
            ethnicity: params.ethnicity.map(|w| w / sum),
            gender: [1.0 - params.gender, params.gender],
            age: hats(&AGE_KNOTS, params.age),
            muscle: hats(&[0.0, 0.5, 1.0], params.muscle),
            weight: hats(&[0.0, 0.5, 1.0], params.weight),
        }
    }

    /// The weight of one macro target.
    pub(super) fn weight(&self, key: MacroKey) -> f32 {
        match key {
            MacroKey::Ethnic { ethnicity, gender, age } => {
                self.ethnicity[ethnicity] * self.gender[gender] * self.age[age]
            }
            MacroKey::Build { gender, age, muscle, weight } => {
                self.gender[gender] * self.age[age] * self.muscle[muscle] * self.weight[weight]
            }
        }
    }
}

/// Linear hat functions on increasing knots, at `x` within their range.
fn hats<const N: usize>(knots: &[f32; N], x: f32) -> [f32; N] {
    let mut out = [0.0; N];
    let upper = (1..N - 1).find(|&i| x < knots[i]).unwrap_or(N - 1);
    let t = (x - knots[upper - 1]) / (knots[upper] - knots[upper - 1]);
    out[upper - 1] = 1.0 - t;
    out[upper] = t;
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hats_interpolate_the_knots() {
        for (i, knot) in AGE_KNOTS.into_iter().enumerate() {
            let mut expected = [0.0; 4];
            expected[i] = 1.0;
            assert_eq!(hats(&AGE_KNOTS, knot), expected);
        }
        assert_eq!(hats(&AGE_KNOTS, 0.75), [0.0, 0.0, 0.5, 0.5]);
    }

    #[test]
    fn names_are_read() {
        assert_eq!(
            MacroKey::parse("asian-male-old"),
            Some(MacroKey::Ethnic { ethnicity: 1, gender: 1, age: 3 })
        );
        assert_eq!(
            MacroKey::parse("universal-female-baby-maxmuscle-minweight"),
            Some(MacroKey::Build { gender: 0, age: 0, muscle: 2, weight: 0 })
        );
        assert_eq!(MacroKey::parse("asian-male"), None);
        assert_eq!(MacroKey::parse("martian-male-old"), None);
    }

    proptest! {
        /// The ethnic and the build products are two partitions of unity, all weights >= 0.
        #[test]
        fn weights_sum_to_one_twice(
            ethnicity in prop::array::uniform3(0.01f32..1.0),
            gender in 0.0f32..=1.0, age in 0.0f32..=1.0,
            muscle in 0.0f32..=1.0, weight in 0.0f32..=1.0,
        ) {
            let params = HeadParams { ethnicity, gender, age, muscle, weight, ..HeadParams::default() };
            let basis = MacroBasis::new(&params);
            let mut sums = [0.0f32; 2];
            for key in MacroKey::all() {
                let weight = basis.weight(key);
                prop_assert!(weight >= 0.0);
                sums[usize::from(matches!(key, MacroKey::Build { .. }))] += weight;
            }
            prop_assert!((sums[0] - 1.0).abs() < 1e-5 && (sums[1] - 1.0).abs() < 1e-5, "{sums:?}");
        }
    }
}
