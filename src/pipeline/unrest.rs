//! A guidance for tests, without any model.

use crate::batch::{ImageBatch, View};
use crate::guidance::{ControlImages, Guidance, GuidanceError, ImageGradient, StepId};

/// Pulls at everything: each pixel its own way, and differently in every step.
#[derive(Debug)]
pub(super) struct Unrest;

impl Guidance for Unrest {
    fn image_gradient(
        &mut self,
        _: &[View],
        images: &ImageBatch,
        _: &ControlImages,
        at: StepId,
    ) -> Result<ImageGradient, GuidanceError> {
        let mut gradient = images.clone();
        for (i, value) in gradient.data.iter_mut().enumerate() {
            *value = 0.02 * (0.7 * (i as f32 + 13.0 * at.step as f32)).sin();
        }
        Ok(ImageGradient { gradient, target: None, loss: 0.0, timestep: 0 })
    }
}
