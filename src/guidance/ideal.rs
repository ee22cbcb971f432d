//! The ideal denoiser: the exact posterior mean over a bank of pictures.
//!
//! If the data distribution were exactly `x_1 .. x_n`, a perfect network would
//! predict `E[x | z_t] = sum softmax_i(-|z_t - sqrt(abar) x_i|^2 / (2 (1 - abar))) x_i`.
//! With renders of matching heads at the views' cameras as the bank, this is a test
//! of the whole loop without a network, and the ceiling that a network can reach.

use super::denoiser::EncodedViews;
use super::{Condition, ControlImages, Denoiser, GuidanceError};
use crate::batch::{ImageBatch, View};
use crate::diffusion::{NoiseSchedule, images};
use candle_core::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

/// Draws the bank for a batch of views: one image batch per candidate head.
pub type DrawBank = Box<dyn FnMut(&[View]) -> Result<Vec<ImageBatch>, GuidanceError> + Send>;

/// See the module.
pub struct IdealDenoiser {
    draw: DrawBank,
    schedule: NoiseSchedule,
    /// Candidates as latents in `[-1, 1]`, `(views, 3, h, w)` each.
    bank: Vec<Tensor>,
}

impl std::fmt::Debug for IdealDenoiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdealDenoiser")
            .field("candidates", &self.bank.len())
            .finish_non_exhaustive()
    }
}

impl IdealDenoiser {
    /// A denoiser whose pictures come from `draw`. The latent space is the image
    /// scaled to `[-1, 1]`; predictions are clean samples under the cosine schedule.
    #[must_use]
    pub fn new(draw: DrawBank) -> Self {
        Self { draw, schedule: NoiseSchedule::cosine(1000), bank: Vec::new() }
    }
}

impl Denoiser for IdealDenoiser {
    fn begin(&mut self, views: &[View], _: &ControlImages) -> Result<(), GuidanceError> {
        let bank = (self.draw)(views)?;
        if bank.is_empty() {
            return Err(GuidanceError::Pictures("the ideal denoiser's bank is empty".into()));
        }
        self.bank = bank
            .iter()
            .map(|batch| Ok(((images::to_tensor(batch, &Device::Cpu)? * 2.0)? - 1.0)?))
            .collect::<Result<_, GuidanceError>>()?;
        Ok(())
    }

    fn encode(
        &self,
        pixels: &Tensor,
        _: &mut ChaCha8Rng,
    ) -> Result<EncodedViews<'_>, GuidanceError> {
        let latent = ((pixels * 2.0)? - 1.0)?;
        Ok(EncodedViews { latent, vjp: Box::new(|cotangent| Ok((cotangent * 2.0)?)) })
    }

    fn decode(&self, latents: &Tensor, _: usize, _: usize) -> Result<Tensor, GuidanceError> {
        Ok(((latents + 1.0)? * 0.5)?)
    }

    fn guidance_scale(&self) -> f64 {
        1.0
    }

    fn schedule(&self) -> &NoiseSchedule {
        &self.schedule
    }

    fn latent_range(&self) -> Option<(f32, f32)> {
        Some((-1.0, 1.0))
    }

    fn predict(
        &self,
        noised: &Tensor,
        timestep: usize,
        conditions: &[Condition],
    ) -> Result<Vec<Tensor>, GuidanceError> {
        // The posterior of all views together: one head explains the whole batch.
        let alpha_bar = self.schedule.alpha_bar(timestep as f64);
        let mut logits = Vec::with_capacity(self.bank.len());
        for candidate in &self.bank {
            let distance = (noised - (candidate * alpha_bar.sqrt())?)?.sqr()?.sum_all()?;
            logits.push(-f64::from(distance.to_scalar::<f32>()?) / (2.0 * (1.0 - alpha_bar)));
        }
        let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logits.iter().map(|logit| (logit - top).exp()).sum();
        let mut mean = self.bank[0].zeros_like()?;
        for (candidate, logit) in self.bank.iter().zip(&logits) {
            mean = (mean + (candidate * ((logit - top).exp() / total))?)?;
        }
        // Nothing is known without a prompt: every condition gets the same answer, so
        // classifier-free guidance leaves it unchanged.
        Ok(vec![mean; conditions.len()])
    }
}
