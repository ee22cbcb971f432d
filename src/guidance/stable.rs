//! Stable Diffusion as a [`Denoiser`]: prompts with view words, control images,
//! image sizes.

use super::denoiser::EncodedViews;
use super::distillation::normal;
use super::{Condition, ControlImages, Denoiser, GuidanceError, prompt};
use crate::batch::{ControlKind, View, ViewRegion};
use crate::diffusion::images::{self, Resize};
use crate::diffusion::{ControlInput, DiffusionModel, LatentSpace, NoiseSchedule, TextEmbedding};
use candle_core::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Encoded prompts: with view words for each region, and without.
#[derive(Debug)]
struct Prompts {
    front: TextEmbedding,
    side: TextEmbedding,
    back: TextEmbedding,
    plain: TextEmbedding,
    empty: TextEmbedding,
    negative: Option<TextEmbedding>,
}

/// A loaded checkpoint conditioned on one prompt.
pub struct DiffusionDenoiser {
    model: Arc<DiffusionModel>,
    prompts: Prompts,
    control_scale: f64,
    views: Vec<ViewRegion>,
    /// ControlNets with their images for the current views.
    controls: Vec<(String, Tensor)>,
}

impl std::fmt::Debug for DiffusionDenoiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiffusionDenoiser").field("views", &self.views).finish_non_exhaustive()
    }
}

impl DiffusionDenoiser {
    /// Encodes the prompts. An empty `negative` means none; `control_scale` multiplies
    /// every ControlNet (1 is the paper's).
    ///
    /// # Errors
    /// [`GuidanceError::Diffusion`].
    pub fn new(
        model: Arc<DiffusionModel>,
        text: &str,
        negative: &str,
        control_scale: f64,
    ) -> Result<Self, GuidanceError> {
        // A pixel-space model learnt the short captions of the studio, which never say
        // what is absent from a back view.
        let describe_back = matches!(model.latents(), LatentSpace::Autoencoder(_));
        let encode = |text: &str| model.encode_text(&[text.to_owned()]);
        let view = |region| encode(&prompt::with_view(text, region, describe_back));
        let prompts = Prompts {
            front: view(ViewRegion::Front)?,
            side: view(ViewRegion::Left)?,
            back: view(ViewRegion::Back)?,
            plain: encode(text)?,
            empty: encode("")?,
            negative: if negative.is_empty() { None } else { Some(encode(negative)?) },
        };
        Ok(Self { model, prompts, control_scale, views: Vec::new(), controls: Vec::new() })
    }

    /// The control images that this model's ControlNets need.
    #[must_use]
    pub fn control_kinds(&self) -> Vec<ControlKind> {
        self.model.manifest().controls.values().copied().collect()
    }

    fn embedding(&self, condition: Condition, region: ViewRegion) -> &TextEmbedding {
        let p = &self.prompts;
        match (condition, region) {
            (Condition::Prompt, ViewRegion::Front) => &p.front,
            (Condition::Prompt, ViewRegion::Left | ViewRegion::Right) => &p.side,
            (Condition::Prompt, ViewRegion::Back) => &p.back,
            (Condition::PromptWithoutView, _) => &p.plain,
            (Condition::Unconditional | Condition::Negative, _) => {
                p.negative.as_ref().unwrap_or(&p.empty)
            }
            (Condition::Empty, _) => &p.empty,
        }
    }

    /// Height and width of the images that the model reads.
    fn size(&self) -> (usize, usize) {
        (self.model.manifest().image_size, self.model.manifest().image_size)
    }
}

/// From one size to another; `None` if they are the same.
fn resize(from: (usize, usize), to: (usize, usize)) -> Result<Option<Resize>, GuidanceError> {
    Ok(if from == to { None } else { Some(Resize::new(from, to, &Device::Cpu)?) })
}

fn side(images: &Tensor) -> candle_core::Result<(usize, usize)> {
    let (_, _, height, width) = images.dims4()?;
    Ok((height, width))
}

impl Denoiser for DiffusionDenoiser {
    fn begin(&mut self, views: &[View], controls: &ControlImages) -> Result<(), GuidanceError> {
        self.views = views.iter().map(|view| view.region).collect();
        self.controls.clear();
        for (name, kind) in &self.model.manifest().controls {
            let image = controls.get(kind).ok_or(GuidanceError::MissingControl(*kind))?;
            let image = images::to_tensor(image, &Device::Cpu)?;
            let image = match resize(side(&image)?, self.size())? {
                Some(resize) => resize.forward(&image)?,
                None => image,
            };
            self.controls.push((name.clone(), image));
        }
        Ok(())
    }

    fn encode(
        &self,
        pixels: &Tensor,
        rng: &mut ChaCha8Rng,
    ) -> Result<EncodedViews<'_>, GuidanceError> {
        let resize = resize(side(pixels)?, self.size())?;
        let sized = match &resize {
            Some(resize) => resize.forward(pixels)?,
            None => pixels.clone(),
        };
        let encoded = self.model.encode_image(&sized)?;
        let noise = encoded.std().map(|std| normal(std, rng)).transpose()?;
        let latent = match &noise {
            Some(noise) => encoded.sample(noise)?,
            None => encoded.latent().clone(),
        };
        let vjp = move |cotangent: &Tensor| -> Result<Tensor, GuidanceError> {
            let gradient = match &noise {
                Some(noise) => encoded.sample_vjp(cotangent, noise)?,
                None => encoded.image_vjp(cotangent)?,
            };
            Ok(match &resize {
                Some(resize) => resize.vjp(&gradient)?,
                None => gradient,
            })
        };
        Ok(EncodedViews { latent, vjp: Box::new(vjp) })
    }

    fn decode(
        &self,
        latents: &Tensor,
        height: usize,
        width: usize,
    ) -> Result<Tensor, GuidanceError> {
        let decoded = self.model.decode(latents)?.clamp(0.0, 1.0)?;
        Ok(match resize(side(&decoded)?, (height, width))? {
            Some(resize) => resize.forward(&decoded)?,
            None => decoded,
        })
    }

    fn schedule(&self) -> &NoiseSchedule {
        self.model.schedule()
    }

    fn latent_range(&self) -> Option<(f32, f32)> {
        match self.model.latents() {
            LatentSpace::Autoencoder(_) => None,
            LatentSpace::Pixels(_) => Some((-1.0, 1.0)),
        }
    }

    fn predict(
        &self,
        noised: &Tensor,
        timestep: usize,
        conditions: &[Condition],
    ) -> Result<Vec<Tensor>, GuidanceError> {
        // One batch for all conditions: the views repeat, only the text differs.
        let copies = conditions.len();
        let repeat = |tensor: &Tensor| Tensor::cat(&vec![tensor; copies], 0);
        let texts: Vec<&TextEmbedding> = conditions
            .iter()
            .flat_map(|condition| {
                self.views.iter().map(|region| self.embedding(*condition, *region))
            })
            .collect();
        let text = TextEmbedding::cat(&texts)?;
        let images: Vec<Tensor> = self
            .controls
            .iter()
            .map(|(_, image)| repeat(image))
            .collect::<candle_core::Result<_>>()?;
        let controls: Vec<ControlInput> = self
            .controls
            .iter()
            .zip(&images)
            .map(|((name, _), image)| ControlInput { name, image, scale: self.control_scale })
            .collect();
        let timesteps = vec![timestep as f64; copies * self.views.len()];
        let prediction = self.model.predict(&repeat(noised)?, &timesteps, &text, &controls)?;
        Ok(prediction.chunk(copies, 0)?)
    }
}
