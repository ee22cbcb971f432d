//! Attribute readers: what a prompt says about a head, as probabilities.
//!
//! One linear layer over the pooled text, a softmax for each attribute. Trained with the
//! labels of the pictures whether or not their captions mention them, so a reader gives
//! the probability of each value *given the words*: near one for what is said, the data's
//! own spread for what is left open.

use super::checkpoint::Part;
use super::clip::TextEmbedding;
use super::config::Config;
use super::error::CheckpointError;
use super::layers::Linear;
use super::weights::Weights;
use super::{DiffusionError, Result};
use candle_core::Device;
use serde_json::Value;

/// Values of one attribute.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub(super) struct Attribute {
    /// Its name.
    pub name: String,
    /// What it can be.
    pub values: Vec<Value>,
}

impl Attribute {
    /// The list under `attributes` of a configuration.
    pub fn list(c: &Config) -> Result<Vec<Self>, CheckpointError> {
        let list = c.value("attributes").cloned().unwrap_or_default();
        let attributes: Vec<Self> = serde_json::from_value(list)
            .map_err(|error| c.problem("attributes", format!("is not a list: {error}")))?;
        if attributes.is_empty() || attributes.iter().any(|a| a.values.len() < 2) {
            return Err(c.problem("attributes", "needs two or more values for each"));
        }
        Ok(attributes)
    }
}

/// The probabilities that logits of all attributes' values, one after another, stand for.
pub(super) fn softmax(attributes: &[Attribute], logits: &[f32]) -> Vec<AttributeOdds> {
    let mut rest = logits;
    let mut found = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let (own, others) = rest.split_at(attribute.values.len());
        rest = others;
        let top = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = own.iter().map(|v| (v - top).exp()).sum();
        let odds = own.iter().map(|v| (v - top).exp() / total);
        found.push(AttributeOdds {
            name: attribute.name.clone(),
            values: attribute.values.iter().cloned().zip(odds).collect(),
        });
    }
    found
}

/// The readers of all attributes.
#[derive(Debug, Clone)]
pub struct AttributeReaders {
    attributes: Vec<Attribute>,
    linear: Linear,
    width: usize,
}

/// The probabilities of one attribute's values.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeOdds {
    /// The attribute's name.
    pub name: String,
    /// Its values (strings, booleans or null), with probabilities that sum to 1.
    pub values: Vec<(Value, f32)>,
}

impl AttributeOdds {
    /// The likeliest value with its probability.
    #[must_use]
    pub fn likeliest(&self) -> Option<(&Value, f32)> {
        self.values.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(value, p)| (value, *p))
    }

    /// The probability of a value; `None` if the reader does not know it.
    #[must_use]
    pub fn of(&self, value: &Value) -> Option<f32> {
        self.values.iter().find(|(known, _)| known == value).map(|(_, p)| *p)
    }
}

impl AttributeReaders {
    /// Loads the part; also returns the names of unused tensors.
    ///
    /// # Errors
    /// If the list of attributes or the weights do not fit.
    pub fn load(part: &Part, device: &Device) -> Result<(Self, Vec<String>)> {
        let c = &part.config;
        c.class_is("AttributeReaders")?;
        let attributes = Attribute::list(c)?;
        let width = c.size_required("width")?;
        let outputs = attributes.iter().map(|a| a.values.len()).sum();
        let file = part.weights()?;
        let linear = Linear::load(&Weights::root(&file, device), width, outputs, true)?;
        Ok((Self { attributes, linear, width }, file.unused()))
    }

    /// Width of the pooled text that they read.
    #[must_use]
    pub fn text_width(&self) -> usize {
        self.width
    }

    /// Reads the pooled state of one prompt.
    ///
    /// # Errors
    /// If the embedding holds more than one prompt, or another width.
    pub fn read(&self, text: &TextEmbedding) -> Result<Vec<AttributeOdds>> {
        if text.pooled.dims() != [1, self.width] {
            return Err(DiffusionError::Input(format!(
                "the attribute readers take one prompt of width {}, not {:?}",
                self.width,
                text.pooled.dims()
            )));
        }
        let logits: Vec<f32> = self.linear.forward(&text.pooled)?.flatten_all()?.to_vec1()?;
        Ok(softmax(&self.attributes, &logits))
    }
}
