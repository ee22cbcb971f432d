//! What the views of one head show together.

use crate::diffusion::AttributeOdds;
use serde_json::{Map, Value};

/// A face must be seen up to this azimuth from the front, and none beyond the other, degrees.
const FACE_UP_TO: f32 = 50.0;
const NO_FACE_FROM: f32 = 130.0;
/// The attribute that says whether a picture looks at a face.
const FACE: &str = "frontal";

/// What the classifier makes of one head.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    attributes: Vec<Scores>,
    /// Views that must show a face, and how many do.
    pub front: (usize, usize),
    /// Views that must show none, and how many do show none.
    pub back: (usize, usize),
}

/// How much speaks for each value of an attribute, over all views: logarithms, known up to a
/// constant.
#[derive(Debug, Clone, PartialEq)]
struct Scores {
    name: String,
    values: Vec<(Value, f32)>,
}

impl Reading {
    /// Sums up what the classifier says of each view; `prior` are the values' usual shares.
    #[must_use]
    pub fn of(prior: &[AttributeOdds], views: &[Vec<AttributeOdds>], azimuths: &[f32]) -> Self {
        let mut reading = Self::default();
        for (k, prior) in prior.iter().enumerate().filter(|(_, prior)| prior.name != FACE) {
            let views: Vec<&AttributeOdds> = views.iter().map(|view| &view[k]).collect();
            reading.attributes.push(Scores::sum(prior, &views));
        }
        for (azimuth, view) in azimuths.iter().zip(views) {
            let turn = ((azimuth + 180.0).rem_euclid(360.0) - 180.0).abs();
            let Some(odds) = view.iter().find(|odds| odds.name == FACE) else { continue };
            let face = odds.of(&Value::Bool(true)).unwrap_or(0.0) > 0.5;
            let count = |(all, right): &mut (usize, usize), is_right| {
                *all += 1;
                *right += usize::from(is_right);
            };
            if turn <= FACE_UP_TO {
                count(&mut reading.front, face);
            } else if turn >= NO_FACE_FROM {
                count(&mut reading.back, !face);
            }
        }
        reading
    }

    /// The likeliest value of every attribute.
    #[must_use]
    pub fn seen(&self) -> Map<String, Value> {
        let likeliest = |scores: &Scores| Some((scores.name.clone(), scores.likeliest()?.clone()));
        self.attributes.iter().filter_map(likeliest).collect()
    }

    /// The likeliest value of an attribute; `None` for one that the classifier does not read.
    #[must_use]
    pub fn value(&self, attribute: &str) -> Option<&Value> {
        self.scores(attribute)?.likeliest()
    }

    /// Logarithm of the odds of `wanted` against all other values, all of them equally likely
    /// without a look. Views repeat one another, so this is comparable between heads but too
    /// sure as a probability. `None` for unknown attributes or if nothing else is possible.
    #[must_use]
    pub fn log_odds(&self, attribute: &str, wanted: &[Value]) -> Option<f32> {
        let scores = self.scores(attribute)?;
        let total = |of_wanted: bool| -> Option<f32> {
            let some = || scores.values.iter().filter(|(v, _)| wanted.contains(v) == of_wanted);
            let top = some().map(|(_, score)| *score).reduce(f32::max)?;
            Some(top + some().map(|(_, score)| (score - top).exp()).sum::<f32>().ln())
        };
        Some(total(true)? - total(false)?)
    }

    /// How sure the likeliest value is: its [`Self::log_odds`].
    #[must_use]
    pub fn certainty(&self, attribute: &str) -> Option<f32> {
        self.log_odds(attribute, std::slice::from_ref(self.value(attribute)?))
    }

    fn scores(&self, attribute: &str) -> Option<&Scores> {
        self.attributes.iter().find(|scores| scores.name == attribute)
    }
}

impl Scores {
    /// Each view speaks by how its odds differ from the usual ones, as loudly as it is certain:
    /// a view that cannot see something says little of it.
    fn sum(prior: &AttributeOdds, views: &[&AttributeOdds]) -> Self {
        let count = prior.values.len();
        let mut values: Vec<(Value, f32)> =
            prior.values.iter().map(|(value, _)| (value.clone(), 0.0)).collect();
        for view in views {
            let entropy: f32 = view.values.iter().map(|(_, p)| -p * p.max(1e-9).ln()).sum();
            let certain = 1.0 - entropy / (count as f32).ln();
            for (((_, score), (_, p)), (_, usual)) in
                values.iter_mut().zip(&view.values).zip(&prior.values)
            {
                *score += certain.max(0.0) * (p.max(1e-4) / usual.max(1e-4)).ln();
            }
        }
        Self { name: prior.name.clone(), values }
    }

    fn likeliest(&self) -> Option<&Value> {
        self.values.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn odds(shares: [f32; 3]) -> AttributeOdds {
        let names = ["none", "round", "square"];
        let values = names.iter().zip(shares).map(|(n, p)| (json!(n), p)).collect();
        AttributeOdds { name: "glasses".into(), values }
    }

    fn reading(views: &[[f32; 3]]) -> Reading {
        let views: Vec<_> = views.iter().map(|shares| vec![odds(*shares)]).collect();
        Reading::of(&[odds([0.7, 0.2, 0.1])], &views, &vec![0.0; views.len()])
    }

    #[test]
    fn views_that_see_it_decide() {
        // From behind the usual shares come back.
        let (front, back) = ([0.05, 0.9, 0.05], [0.72, 0.18, 0.10]);
        let seen = reading(&[front, back, back, back, back]);
        assert_eq!(seen.value("glasses"), Some(&json!("round")));
        assert_eq!(reading(&[[0.97, 0.02, 0.01], back]).seen()["glasses"], json!("none"));
        assert_eq!(seen.value("hat"), None);
    }

    #[test]
    fn more_views_are_surer_and_odds_are_of_all_that_is_asked() {
        let front = [0.05, 0.9, 0.05];
        let (one, two) = (reading(&[front]), reading(&[front, front]));
        let sure = |of: &Reading| of.certainty("glasses").unwrap();
        assert!(sure(&one) > 0.5 && sure(&two) > 1.5 * sure(&one));
        let worn = [json!("round"), json!("square")];
        let (some, none) =
            (one.log_odds("glasses", &worn), one.log_odds("glasses", &[json!("none")]));
        assert!((some.unwrap() + none.unwrap()).abs() < 1e-5);
        assert!(some.unwrap() > sure(&one));
        assert_eq!(one.log_odds("glasses", &[json!("monocle")]), None);
        assert_eq!(one.log_odds("hat", &worn), None);
    }
}
