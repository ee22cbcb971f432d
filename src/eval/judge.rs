//! What the classifier says of a subject's pictures.

use super::pictures::Pictures;
use super::prompts::Claims;
use super::reading::Reading;
use crate::diffusion::{AttributeClassifier, AttributeOdds, DiffusionError, embedded};
use crate::session::SessionError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

impl ClaimVerdict {
    /// Every claim about something that the classifier reads, in alphabetical order.
    #[must_use]
    pub fn of(reading: &Reading, claims: &Claims) -> Vec<Self> {
        let judge = |(attribute, wanted): (&String, &Vec<Value>)| {
            let found = reading.value(attribute)?.clone();
            let right = wanted.contains(&found);
            Some(Self { attribute: attribute.clone(), wanted: wanted.clone(), found, right })
        };
        claims.iter().filter_map(judge).collect()
    }
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
    pub fn read(&self, pictures: &Pictures) -> Result<Reading, SessionError> {
        let views = self.classifier.read(&pictures.images)?;
        Ok(Reading::of(&self.prior, &views, &pictures.azimuths))
    }

    /// Reads the pictures of one subject and holds them against claims.
    ///
    /// # Errors
    /// If there are none.
    pub fn verdict(&self, pictures: &Pictures, claims: &Claims) -> Result<Verdict, SessionError> {
        let reading = self.read(pictures)?;
        let claims = ClaimVerdict::of(&reading, claims);
        Ok(Verdict { claims, front: reading.front, back: reading.back, seen: reading.seen() })
    }
}
