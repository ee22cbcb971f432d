//! The attribute classifier: what one picture of a head shows.
//!
//! A plain stack of convolutions with `SiLU`, pooled, one hidden layer, and one linear reader an
//! attribute (`tools/train_embedded/train_classifier.py`). It judges
//! pictures; nothing is guided by it.

use super::attributes::{Attribute, AttributeOdds, softmax};
use super::checkpoint::Checkpoint;
use super::images::{self, Resize};
use super::layers::{Conv2d, Linear};
use super::ops::{self, Activation, ConvParams};
use super::weights::Weights;
use super::{DiffusionError, Result};
use crate::batch::ImageBatch;
use candle_core::{Device, Tensor};
use std::path::Path;

/// A loaded classifier.
pub struct AttributeClassifier {
    size: usize,
    convs: Vec<Conv2d>,
    hidden: Linear,
    readers: Linear,
    attributes: Vec<Attribute>,
    /// How common each value is among the pictures that it learned from.
    prior: Vec<f32>,
}

impl AttributeClassifier {
    /// Loads the classifier in `<root>/<name>`.
    ///
    /// # Errors
    /// If a file is missing, or does not fit.
    pub fn load(root: &Path, name: &str) -> Result<Self> {
        let part = Checkpoint::open(root)?.part(name)?;
        let c = &part.config;
        c.class_is("AttributeClassifier")?;
        let list = |key: &str| -> Result<Vec<usize>> {
            let value = c.value(key).cloned().unwrap_or_default();
            let list: Vec<usize> = serde_json::from_value(value)
                .map_err(|error| c.problem(key, format!("is not a list: {error}")))?;
            if list.is_empty() || list.iter().any(|n| !(1..=4096).contains(n)) {
                return Err(c.problem(key, "needs numbers within 1..4096").into());
            }
            Ok(list)
        };
        let channels = list("channels")?;
        let (kernels, strides) = (list("kernels")?, list("strides")?);
        for (key, other) in [("kernels", &kernels), ("strides", &strides)] {
            if other.len() != channels.len() {
                return Err(c.problem(key, "needs one number for each of `channels`").into());
            }
        }
        let size = c.size_required("image_size")?;
        let width = c.size_required("hidden")?;
        let attributes = Attribute::list(c)?;
        let file = part.weights()?;
        let w = Weights::root(&file, &Device::Cpu);
        let mut convs = Vec::new();
        let mut inputs = 3;
        for (k, &outputs) in channels.iter().enumerate() {
            let params = ConvParams { stride: strides[k], before: 1, after: 1 };
            convs.push(Conv2d::load(
                &w.at(format!("convs.{k}")),
                inputs,
                outputs,
                kernels[k],
                params,
            )?);
            inputs = outputs;
        }
        let hidden = Linear::load(&w.at("hidden"), 2 * inputs, width, true)?;
        let outputs = attributes.iter().map(|a| a.values.len()).sum();
        let readers = Linear::load(&w.at("readers"), width, outputs, true)?;
        let prior = w.get("prior", &[outputs])?.to_vec1()?;
        Ok(Self { size, convs, hidden, readers, attributes, prior })
    }

    /// The probabilities of all attributes' values for each picture (RGB in `[0, 1]`, any
    /// square size).
    ///
    /// # Errors
    /// If the pictures are none.
    pub fn read(&self, pictures: &ImageBatch) -> Result<Vec<Vec<AttributeOdds>>> {
        if pictures.channels != 3 || pictures.views == 0 {
            return Err(DiffusionError::Input("the classifier needs RGB pictures".into()));
        }
        let mut x = images::to_tensor(pictures, &Device::Cpu)?;
        if (pictures.height, pictures.width) != (self.size, self.size) {
            let from = (pictures.height, pictures.width);
            x = Resize::new(from, (self.size, self.size), &Device::Cpu)?.forward(&x)?;
        }
        let mut x = ((x * 2.0)? - 1.0)?;
        for conv in &self.convs {
            x = ops::activate(&conv.forward(&x)?, Activation::Silu)?;
        }
        // Where on the picture something is depends on the framing: mean and maximum of each
        // channel say whether it is there.
        let places = x.flatten_from(2)?;
        let pooled = Tensor::cat(&[places.mean(2)?, places.max(2)?], 1)?;
        let hidden = ops::activate(&self.hidden.forward(&pooled)?, Activation::Silu)?;
        let logits: Vec<Vec<f32>> = self.readers.forward(&hidden)?.to_vec2()?;
        Ok(logits.iter().map(|row| softmax(&self.attributes, row)).collect())
    }

    /// How common each value is among the pictures that the classifier learned from.
    #[must_use]
    pub fn prior(&self) -> Vec<AttributeOdds> {
        let mut rest = self.prior.as_slice();
        let take = |attribute: &Attribute| {
            let (own, others) = rest.split_at(attribute.values.len());
            rest = others;
            let values = attribute.values.iter().cloned().zip(own.iter().copied()).collect();
            AttributeOdds { name: attribute.name.clone(), values }
        };
        self.attributes.iter().map(take).collect()
    }
}
