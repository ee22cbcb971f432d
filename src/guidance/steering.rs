//! Changes of a running optimisation.

use serde::{Deserialize, Serialize};

/// What may change between two steps of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Steering {
    /// Another sentence.
    Prompt {
        /// As it was written.
        text: String,
        /// With what it leaves open filled in: what guides.
        guided: String,
    },
    /// What the head should not look like.
    Negative {
        /// The sentence; may be empty.
        text: String,
    },
    /// Classifier-free guidance scale.
    GuidanceScale {
        /// At least 0.
        scale: f64,
    },
    /// A factor on all learning rates, in place of the one before.
    Rates {
        /// At least 0; 1 is the preset's.
        factor: f32,
    },
    /// How often each side is seen, in place of the preset's weights.
    Views {
        /// Weights of the regions front, back, left, right.
        weights: [f32; 4],
    },
}

impl Steering {
    /// Checks every number.
    ///
    /// # Errors
    /// A sentence that names what is out of range.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Prompt { text, guided } if text.trim().is_empty() || guided.trim().is_empty() => {
                Err("the prompt is empty".into())
            }
            Self::GuidanceScale { scale } if !(0.0..=1000.0).contains(scale) => {
                Err(format!("the guidance scale {scale} is not within 0..1000"))
            }
            Self::Rates { factor } if !(0.0..=100.0).contains(factor) => {
                Err(format!("the factor {factor} on the learning rates is not within 0..100"))
            }
            Self::Views { weights }
                if !weights.iter().all(|weight| (0.0..=1000.0).contains(weight))
                    || weights.iter().sum::<f32>() <= 0.0 =>
            {
                Err(format!("the view weights {weights:?} are not all within 0..1000, or all 0"))
            }
            _ => Ok(()),
        }
    }

    /// What has changed, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Prompt { text, .. } => format!("the prompt is “{text}”"),
            Self::Negative { text } if text.is_empty() => "nothing is avoided".into(),
            Self::Negative { text } => format!("avoided is “{text}”"),
            Self::GuidanceScale { scale } => format!("the guidance scale is {scale}"),
            Self::Rates { factor } => format!("learning rates are {factor} times the preset's"),
            Self::Views { weights } => format!("view weights are {weights:?}"),
        }
    }
}
