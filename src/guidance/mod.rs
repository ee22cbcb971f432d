//! Score distillation: what a diffusion model thinks of the rendered views, as a
//! gradient on their pixels.
//!
//! [`Guidance`] is what the pipeline sees. [`ScoreDistillation`] implements it for
//! every [`Rule`] over anything that can denoise: Stable Diffusion
//! ([`DiffusionDenoiser`]) or, without a network, the exact posterior over a bank of
//! pictures ([`IdealDenoiser`]). For edits of a head ([`ScoreDistillation::for_edit`]) an
//! instruction is blended into the prediction, which serves every rule alike.

mod blur;
pub mod denoiser;
pub mod distillation;
mod edit;
pub mod ideal;
pub mod prompt;
pub mod rule;
pub mod stable;
mod steering;
#[cfg(test)]
mod tests;
mod texts;
pub mod timestep;

pub use denoiser::{Condition, Denoiser};
pub use distillation::{DistillationConfig, ScoreDistillation};
pub use ideal::IdealDenoiser;
pub use rule::Rule;
pub use stable::DiffusionDenoiser;
pub use steering::Steering;
pub use timestep::TimestepSchedule;

use crate::batch::{ControlKind, ImageBatch, View};
use std::collections::BTreeMap;

/// Control images of a batch of views, by what they show.
pub type ControlImages = BTreeMap<ControlKind, ImageBatch>;

/// Which control images a model wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ControlRequest {
    /// What they show.
    pub kinds: Vec<ControlKind>,
    /// Height and width, pixels.
    pub size: u32,
}

/// Which step of which stage a call belongs to; keys the random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepId {
    /// Name of the stage.
    pub stage: &'static str,
    /// Step of the stage, from 0.
    pub step: u64,
    /// Steps of the stage in all.
    pub steps: u64,
}

impl StepId {
    /// How far the stage has come, in `[0, 1)`.
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.step as f64 / self.steps.max(1) as f64
    }
}

/// What guidance says about a batch of images.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageGradient {
    /// dL/d image, the shape of the images; averaged over the views.
    pub gradient: ImageBatch,
    /// The pictures that the gradient points to, for rules that have them (x0
    /// target). A caller may descend on `sum (x - target)^2 / views` several times.
    pub target: Option<ImageBatch>,
    /// Mean square of the rule's residual: how much guidance disagrees.
    pub loss: f32,
    /// The timestep that was drawn.
    pub timestep: usize,
}

/// What can go wrong in guidance.
#[derive(Debug, thiserror::Error)]
pub enum GuidanceError {
    /// The diffusion model failed.
    #[error(transparent)]
    Diffusion(#[from] crate::diffusion::DiffusionError),
    /// A tensor operation failed.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The model needs a control image that the caller did not draw.
    #[error("the model's ControlNet needs a {0:?} control image")]
    MissingControl(ControlKind),
    /// Edits are asked of a checkpoint that cannot see what it edits.
    #[error(
        "this model cannot edit: it has no ControlNet for reference pictures, which is a folder such as \
         lllyasviel/control_v11e_sd15_ip2p (for Stable Diffusion 1.5) that headsculpt.json calls `reference`"
    )]
    NoReferenceNet,
    /// An instruction's prediction is asked of a denoiser that has none.
    #[error("an edit needs an instruction")]
    NoInstruction,
    /// An edit's strength is no share.
    #[error("an edit's strength must be within 0..1, not {0}")]
    Strength(f64),
    /// Numbers stopped being finite.
    #[error("guidance produced values that are not finite at step {0}")]
    NotFinite(u64),
    /// The pictures to compare with could not be made.
    #[error("{0}")]
    Pictures(String),
}

/// Turns rendered views into a gradient on their pixels.
pub trait Guidance {
    /// Whether [`Self::image_gradient`] also takes pictures of 4 channels, normals and opacity,
    /// as if they were latents.
    fn takes_latents(&self) -> bool {
        false
    }

    /// The gradient of the distillation loss with respect to `images`
    /// (`views.len()` images of 3 channels, or of 4 if it [`Self::takes_latents`]).
    ///
    /// # Errors
    /// [`GuidanceError`].
    fn image_gradient(
        &mut self,
        views: &[View],
        images: &ImageBatch,
        controls: &ControlImages,
        at: StepId,
    ) -> Result<ImageGradient, GuidanceError>;

    /// Takes a change before the next step; what it does not depend on stays.
    ///
    /// # Errors
    /// [`GuidanceError`] if a sentence cannot be encoded.
    fn steer(&mut self, _: &Steering) -> Result<(), GuidanceError> {
        Ok(())
    }
}
