//! What the classifier says of a subject's pictures.

use super::prompts::Claims;
use super::subject::Pictures;
use crate::diffusion::{AttributeClassifier, AttributeOdds, DiffusionError, embedded};
use crate::session::SessionError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A face must be seen up to this azimuth from the front, and none beyond the other, degrees.
const FACE_UP_TO: f32 = 50.0;
const NO_FACE_FROM: f32 = 130.0;
/// The attribute that says whether a picture looks at a face.
const FACE: &str = "frontal";

/// One claim and what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimVerdict {
    /// The attribute.
    pub attribute: String,
    /// The values that the prompt allows.
    pub wanted: Vec<Value>,
    /// The value that the pictures show.
    pub found: Value,
    /// Whether it is one of those.
    pub right: bool,
}

/// What was seen of one subject.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The claims, in alphabetical order.
    pub claims: Vec<ClaimVerdict>,
    /// Views that must show a face, and how many do.
    pub front: (usize, usize),
    /// Views that must show none, and how many do show none.
    pub back: (usize, usize),
    /// The likeliest value of every attribute.
    pub seen: Map<String, Value>,
}

/// The classifier with its way to sum up views.
pub struct Judge {
    classifier: AttributeClassifier,
    prior: Vec<AttributeOdds>,
}

impl Judge {
    /// The judge that the program carries.
    ///
    /// # Errors
    /// If the classifier cannot be unpacked or read.
    pub fn load() -> Result<Self, SessionError> {
        let root = embedded::classifier_root().map_err(DiffusionError::from)?;
        let classifier = AttributeClassifier::load(&root, embedded::CLASSIFIER)?;
        let prior = classifier.prior();
        Ok(Self { classifier, prior })
    }

    /// Reads the pictures of one subject.
    ///
    /// # Errors
    /// If there are none.
    pub fn verdict(&self, pictures: &Pictures, claims: &Claims) -> Result<Verdict, SessionError> {
        let read = self.classifier.read(&pictures.images)?;
        let mut seen: Map<String, Value> = Map::new();
        for (k, prior) in self.prior.iter().enumerate().filter(|(_, prior)| prior.name != FACE) {
            let views: Vec<&AttributeOdds> = read.iter().map(|view| &view[k]).collect();
            if let Some(value) = sum_up(prior, &views) {
                seen.insert(prior.name.clone(), value);
            }
        }
        let claims = claims
            .iter()
            .filter_map(|(attribute, wanted)| {
                let found = seen.get(attribute)?.clone();
                let right = wanted.contains(&found);
                Some(ClaimVerdict {
                    attribute: attribute.clone(),
                    wanted: wanted.clone(),
                    found,
                    right,
                })
            })
            .collect();
        let (mut front, mut back) = ((0, 0), (0, 0));
        for (azimuth, view) in pictures.azimuths.iter().zip(&read) {
            let turn = ((azimuth + 180.0).rem_euclid(360.0) - 180.0).abs();
            let Some(odds) = view.iter().find(|odds| odds.name == FACE) else { continue };
            let face = odds.of(&Value::Bool(true)).unwrap_or(0.0) > 0.5;
            if turn <= FACE_UP_TO {
                front = (front.0 + 1, front.1 + usize::from(face));
            } else if turn >= NO_FACE_FROM {
                back = (back.0 + 1, back.1 + usize::from(!face));
            }
        }
        Ok(Verdict { claims, front, back, seen })
    }
}

/// The value that the views together show. Each view speaks by how its odds differ from the
/// usual ones, as loudly as it is certain: a view that cannot see something says little of it.
fn sum_up(prior: &AttributeOdds, views: &[&AttributeOdds]) -> Option<Value> {
    let count = prior.values.len();
    let mut score = vec![0.0_f32; count];
    for view in views {
        let entropy: f32 = view.values.iter().map(|(_, p)| -p * p.max(1e-9).ln()).sum();
        let certain = 1.0 - entropy / (count as f32).ln();
        for ((score, (_, p)), (_, usual)) in score.iter_mut().zip(&view.values).zip(&prior.values) {
            *score += certain.max(0.0) * (p.max(1e-4) / usual.max(1e-4)).ln();
        }
    }
    let best = (0..count).max_by(|&a, &b| score[a].total_cmp(&score[b]))?;
    Some(prior.values[best].0.clone())
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

    #[test]
    fn views_that_see_it_decide() {
        let prior = odds([0.7, 0.2, 0.1]);
        let front = odds([0.05, 0.9, 0.05]);
        // From behind the usual shares come back.
        let back = odds([0.72, 0.18, 0.10]);
        let views = [&front, &back, &back, &back, &back];
        assert_eq!(sum_up(&prior, &views), Some(json!("round")));
        assert_eq!(sum_up(&prior, &[&odds([0.97, 0.02, 0.01]), &back]), Some(json!("none")));
    }
}
