//! One distillation step: render in, gradient on its pixels out.

use super::blur::Blur;
use super::rule::guided;
use super::{
    Condition, ControlImages, Denoiser, Guidance, GuidanceError, ImageGradient, Rule, Steering,
    StepId, TimestepSchedule, edit,
};
use crate::batch::{ImageBatch, View};
use crate::diffusion::{Denoised, images};
use candle_core::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How the score is distilled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistillationConfig {
    /// The rule.
    pub rule: Rule,
    /// Classifier-free guidance scale; by default the checkpoint's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Noise levels.
    pub timesteps: TimestepSchedule,
    /// DDIM steps of the x0 target, at least 1.
    pub ddim_steps: usize,
    /// DDIM steps of SDI's inversion, at least 1.
    pub inversion_steps: usize,
    /// Only differences between a render and its x0 target that are coarser than this count:
    /// the standard deviation of a Gaussian over them, as a share of the picture's height. 0
    /// takes the target as it is. A small model's targets are blurred; what a render knows
    /// better than they do should not be blurred with it.
    #[serde(default)]
    pub coarser_than: f64,
}

/// Where the x0 target's DDIM run ends, as a share of where it starts: what is left
/// below is finer than a rendered pixel.
const LAST_TIMESTEP: f64 = 0.15;

/// Score distillation of a [`Denoiser`] by a [`Rule`].
#[derive(Debug)]
pub struct ScoreDistillation<D> {
    denoiser: D,
    config: DistillationConfig,
    scale: f64,
    seed: u64,
    /// The strength of an edit.
    edit: Option<f64>,
}

/// What a rule says: gradient on the pixels, target if it has one, residual.
type Verdict = (Tensor, Option<ImageBatch>, f32);

impl<D: Denoiser> ScoreDistillation<D> {
    /// Distils `denoiser`; all noise and timesteps follow from `seed` and the step.
    pub fn new(denoiser: D, config: DistillationConfig, seed: u64) -> Self {
        let scale = config.scale.unwrap_or_else(|| denoiser.guidance_scale());
        Self { denoiser, config, scale, seed, edit: None }
    }

    /// The same for an edit: identity-aware editing score distillation (IESD, HeadSculpt).
    /// What the description of the head says is blended with what the instruction says
    /// ([`Condition::Instruction`]), which costs one more evaluation, in the same batch.
    /// `strength` 0 means the description alone, 1 the instruction alone.
    ///
    /// # Errors
    /// [`GuidanceError::Strength`] outside `[0, 1]`.
    pub fn for_edit(mut self, strength: f64) -> Result<Self, GuidanceError> {
        self.edit = Some(edit::check(strength)?);
        Ok(self)
    }

    /// Raw predictions for `conditions`, the instruction blended in if this is an edit.
    fn predict(
        &self,
        noised: &Tensor,
        t: usize,
        conditions: &[Condition],
    ) -> Result<Vec<Tensor>, GuidanceError> {
        match self.edit {
            None => self.denoiser.predict(noised, t, conditions),
            Some(strength) => edit::predict(&self.denoiser, noised, t, conditions, strength),
        }
    }

    /// How the score is distilled.
    #[must_use]
    pub fn config(&self) -> &DistillationConfig {
        &self.config
    }

    /// The same denoiser, distilled otherwise; the guidance scale stays.
    #[must_use]
    pub fn with_config(mut self, config: DistillationConfig) -> Self {
        self.config = config;
        self
    }

    /// The guided prediction at `z_t` as clean latent and noise, the former clamped to
    /// the latent's range if it has one.
    fn guided(&self, noised: &Tensor, t: usize, scale: f64) -> Result<Denoised, GuidanceError> {
        let conditions = [Condition::Prompt, Condition::Unconditional];
        let raw = self.predict(noised, t, &conditions)?;
        let raw = guided(&raw[0], &raw[1], scale)?;
        let schedule = self.denoiser.schedule();
        let found = schedule.denoise(&raw, noised, &[t as f64])?;
        let Some((low, high)) = self.denoiser.latent_range() else { return Ok(found) };
        let x0 = found.x0.clamp(low, high)?;
        let eps = schedule.eps_from_x0(&x0, noised, &[t as f64])?;
        Ok(Denoised { x0, eps })
    }

    /// A DDIM run (eta 0) from `z_t` down to a clean latent over `ddim_steps` evenly
    /// spaced timesteps.
    fn sample(&self, mut noised: Tensor, from: usize) -> Result<Tensor, GuidanceError> {
        let count = self.config.ddim_steps;
        let timestep = |k: usize| {
            let fraction = k as f64 / (count.max(2) - 1) as f64;
            (from as f64 * (1.0 - (1.0 - LAST_TIMESTEP) * fraction)).round() as usize
        };
        for k in 0..count - 1 {
            let found = self.guided(&noised, timestep(k), self.scale)?;
            let earlier = [timestep(k + 1) as f64];
            noised = self.denoiser.schedule().ddim_step(&found, &earlier)?;
        }
        Ok(self.guided(&noised, timestep(count - 1), self.scale)?.x0)
    }

    /// Pictures of the views drawn from pure noise, by a DDIM run over the settings' steps.
    ///
    /// # Errors
    /// [`GuidanceError`] as for a step of distillation.
    pub fn draw(
        &mut self,
        views: &[View],
        controls: &ControlImages,
    ) -> Result<ImageBatch, GuidanceError> {
        let Some(view) = views.first() else {
            return Err(GuidanceError::Pictures("there are no views to draw".into()));
        };
        let (width, height) = (view.camera.width, view.camera.height);
        self.denoiser.begin(views, controls)?;
        let shape = (views.len(), 3, height as usize, width as usize);
        let blank = Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu)?;
        let mut stream = crate::rng::stream(self.seed, "draw", 0, "noise");
        let latent = self.denoiser.encode(&blank, &mut stream)?.latent.clone();
        // One noise for all views: what is left open comes out alike.
        let noise = normal(&latent.narrow(0, 0, 1)?, &mut stream)?;
        let last = self.denoiser.schedule().timesteps() - 1;
        let clean = self.sample(noise.broadcast_as(latent.shape())?.contiguous()?, last)?;
        let pictures = self.denoiser.decode(&clean, height as usize, width as usize)?;
        Ok(images::to_images(&pictures)?)
    }

    /// The noise that DDIM inversion with guidance `-s` finds between a clean latent
    /// and noise level `t` (Lukoianov et al. 2024, score distillation via inversion),
    /// after the noised latent.
    fn invert(&self, clean: &Tensor, t: usize) -> Result<(Tensor, Tensor), GuidanceError> {
        let steps = self.config.inversion_steps;
        let schedule = self.denoiser.schedule();
        let mut noised = clean.clone();
        for k in 1..=steps {
            let found = self.guided(&noised, t * (k - 1) / steps, -self.scale)?;
            noised = schedule.ddim_step(&found, &[(t * k / steps) as f64])?;
        }
        let noise = schedule.eps_from_x0(clean, &noised, &[t as f64])?;
        Ok((noised, noise))
    }

    /// The x0 target: the views are pulled to a clean picture, latents to a clean latent.
    fn pull(
        &self,
        pixels: &Tensor,
        encoded: &super::denoiser::EncodedViews<'_>,
        noise: &Tensor,
        t: usize,
    ) -> Result<Verdict, GuidanceError> {
        let latent = &encoded.latent;
        let noised = self.denoiser.schedule().add_noise(latent, noise, &[t as f64])?;
        let clean = self.sample(noised, t)?;
        let (views, channels, height, width) = pixels.dims4()?;
        if channels != PICTURE_CHANNELS {
            let difference = (latent - clean)?;
            let loss = difference.sqr()?.mean_all()?.to_scalar::<f32>()?;
            let cotangent = (difference * (2.0 / views as f64))?;
            return Ok(((encoded.vjp)(&cotangent)?, None, loss));
        }
        let target = self.denoiser.decode(&clean, height, width)?;
        let target = if self.config.coarser_than > 0.0 {
            let blur = Blur::new(self.config.coarser_than * height as f64)?;
            (pixels + blur.apply(&(target - pixels)?)?)?
        } else {
            target
        };
        let difference = (pixels - &target)?;
        let loss = difference.sqr()?.mean_all()?.to_scalar::<f32>()?;
        let gradient = (difference * (2.0 / views as f64))?;
        Ok((gradient, Some(images::to_images(&target)?), loss))
    }

    /// The rules whose gradient goes through the encoder.
    fn score(
        &self,
        latent: &Tensor,
        noise: Tensor,
        t: usize,
        vjp: &super::denoiser::ImageVjp<'_>,
    ) -> Result<Verdict, GuidanceError> {
        let rule = self.config.rule;
        let schedule = self.denoiser.schedule();
        let (noised, noise) = if rule == Rule::Sdi {
            self.invert(latent, t)?
        } else {
            (schedule.add_noise(latent, &noise, &[t as f64])?, noise)
        };
        let mut predictions = Vec::new();
        for raw in self.predict(&noised, t, rule.conditions())? {
            predictions.push(schedule.denoise(&raw, &noised, &[t as f64])?.eps);
        }
        let residual = rule.residual(&predictions, &noise, self.scale, t)?;
        let alpha_bar = schedule.alpha_bar(t as f64);
        let weight = alpha_bar.sqrt() * (1.0 - alpha_bar);
        let loss = residual.sqr()?.mean_all()?.to_scalar::<f32>()?;
        let cotangent = (residual * (weight / latent.dim(0)? as f64))?;
        Ok((vjp(&cotangent)?, None, loss))
    }
}

/// Channels of a picture, as opposed to a latent.
const PICTURE_CHANNELS: usize = 3;

/// Standard normal noise of the shape of `like`.
pub(super) fn normal(like: &Tensor, rng: &mut ChaCha8Rng) -> candle_core::Result<Tensor> {
    let values: Vec<f32> = (0..like.elem_count()).map(|_| StandardNormal.sample(rng)).collect();
    Tensor::from_vec(values, like.dims(), like.device())
}

impl<D: Denoiser> Guidance for ScoreDistillation<D> {
    fn takes_latents(&self) -> bool {
        self.denoiser.takes_latents()
    }

    fn steer(&mut self, change: &Steering) -> Result<(), GuidanceError> {
        if let Steering::GuidanceScale { scale } = change {
            self.scale = *scale;
        }
        self.denoiser.steer(change)
    }

    fn image_gradient(
        &mut self,
        views: &[View],
        rendered: &ImageBatch,
        controls: &ControlImages,
        at: StepId,
    ) -> Result<ImageGradient, GuidanceError> {
        self.denoiser.begin(views, controls)?;
        let stream = |purpose| crate::rng::stream(self.seed, at.stage, at.step, purpose);
        let count = self.denoiser.schedule().timesteps();
        let t = self.config.timesteps.draw(at.progress(), count, &mut stream("timestep"));
        let pixels = images::to_tensor(rendered, &Device::Cpu)?;
        let encoded = self.denoiser.encode(&pixels, &mut stream("posterior"))?;
        let noise = normal(&encoded.latent, &mut stream("noise"))?;
        let (gradient, target, loss) = if self.config.rule == Rule::X0 {
            self.pull(&pixels, &encoded, &noise, t)?
        } else {
            self.score(&encoded.latent, noise, t, &encoded.vjp)?
        };
        let gradient = images::to_images(&gradient)?;
        if !loss.is_finite() || gradient.data.iter().any(|v| !v.is_finite()) {
            return Err(GuidanceError::NotFinite(at.step));
        }
        Ok(ImageGradient { gradient, target, loss, timestep: t })
    }
}
