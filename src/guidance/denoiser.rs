//! What score distillation needs of a model.

use super::{ControlImages, GuidanceError, Steering};
use crate::batch::View;
use crate::diffusion::NoiseSchedule;
use candle_core::Tensor;
use rand_chacha::ChaCha8Rng;

/// What a prediction is conditioned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The prompt with the words of each view.
    Prompt,
    /// The prompt without view words.
    PromptWithoutView,
    /// What an edit should do, without view words; only denoisers for edits know it.
    Instruction,
    /// The negative prompt if there is one, else the empty prompt.
    Unconditional,
    /// The empty prompt.
    Empty,
    /// The negative prompt (the empty one if none was given).
    Negative,
}

/// Takes a latent cotangent back to the image.
pub type ImageVjp<'a> = Box<dyn Fn(&Tensor) -> Result<Tensor, GuidanceError> + 'a>;

/// Encoded images that can carry gradients back.
pub struct EncodedViews<'a> {
    /// `(views, c, h, w)`.
    pub latent: Tensor,
    /// Vector-Jacobian product: a cotangent of `latent` to one of the images.
    pub vjp: ImageVjp<'a>,
}

/// A denoising model over latents `z` of shape `(views, c, h, w)`.
pub trait Denoiser {
    /// Sets the views that the next calls are about.
    ///
    /// # Errors
    /// [`GuidanceError::MissingControl`] if a needed control image is absent.
    fn begin(&mut self, views: &[View], controls: &ControlImages) -> Result<(), GuidanceError>;

    /// Whether [`Self::encode`] takes four channels as latents that they are already.
    fn takes_latents(&self) -> bool {
        false
    }

    /// Images `(views, 3, h, w)` in `[0, 1]` to latents; an autoencoder's posterior is
    /// sampled with `rng`. Four channels are taken for latents, if the model's have as many, and
    /// only resized.
    ///
    /// # Errors
    /// [`GuidanceError`].
    fn encode(
        &self,
        images: &Tensor,
        rng: &mut ChaCha8Rng,
    ) -> Result<EncodedViews<'_>, GuidanceError>;

    /// Latents to images of `height` x `width` in `[0, 1]`.
    ///
    /// # Errors
    /// [`GuidanceError`].
    fn decode(
        &self,
        latents: &Tensor,
        height: usize,
        width: usize,
    ) -> Result<Tensor, GuidanceError>;

    /// A sensible classifier-free guidance scale, for settings that name none.
    fn guidance_scale(&self) -> f64;

    /// The noise schedule, which also knows what the model predicts.
    fn schedule(&self) -> &NoiseSchedule;

    /// The range that clean latents lie in, if they have one (pixel space).
    fn latent_range(&self) -> Option<(f32, f32)>;

    /// Takes other sentences; whatever else changes is not its concern.
    ///
    /// # Errors
    /// [`GuidanceError`] if a sentence cannot be encoded.
    fn steer(&mut self, _: &Steering) -> Result<(), GuidanceError> {
        Ok(())
    }

    /// The raw prediction (epsilon, v or sample, as the schedule says) for each of
    /// `conditions`, at one timestep for all views.
    ///
    /// # Errors
    /// [`GuidanceError`].
    fn predict(
        &self,
        noised: &Tensor,
        timestep: usize,
        conditions: &[Condition],
    ) -> Result<Vec<Tensor>, GuidanceError>;
}
