//! Stable Diffusion as a [`Denoiser`]: prompts with view words, control images,
//! image sizes.

use super::denoiser::EncodedViews;
use super::distillation::normal;
use super::texts::{Texts, describes_back};
use super::{Condition, ControlImages, ControlRequest, Denoiser, GuidanceError, Steering, prompt};
use crate::batch::{ControlKind, View, ViewRegion};
use crate::diffusion::images::{self, Resize};
use crate::diffusion::{ControlInput, DiffusionModel, LatentSpace, NoiseSchedule, TextEmbedding};
use candle_core::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// A loaded checkpoint conditioned on one prompt, and for an edit on an instruction.
pub struct DiffusionDenoiser {
    model: Arc<DiffusionModel>,
    texts: Texts,
    sentences: Sentences,
    control_scale: f64,
    views: Vec<ViewRegion>,
    /// ControlNets with their images for the current views, and their scale in each view.
    controls: Vec<(String, Tensor, Vec<f32>)>,
}

/// What the texts were encoded from.
struct Sentences {
    prompt: String,
    negative: String,
    instruction: Option<String>,
}

impl Sentences {
    fn encode(&self, model: &DiffusionModel) -> Result<Texts, GuidanceError> {
        Texts::encode(model, &self.prompt, &self.negative, self.instruction.as_deref())
    }
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
        let (prompt, negative) = (text.to_owned(), negative.to_owned());
        Self::of(model, Sentences { prompt, negative, instruction: None }, control_scale)
    }

    /// A denoiser for edits: [`Condition::Instruction`] means `instruction`, without view
    /// words, and the ControlNets that read a picture of the head before the edit take
    /// part in every prediction. `description` is the prompt of [`Self::new`]; see there for
    /// the rest.
    ///
    /// That picture ([`ControlKind::Reference`]) is RGB in `[0, 1]` of any size, of the views
    /// as they are: the embedded model learnt from pairs that share camera, light and
    /// background, and takes another background for a part of the edit.
    ///
    /// # Errors
    /// [`GuidanceError::NoReferenceNet`] if the checkpoint has no ControlNet for reference
    /// pictures; [`GuidanceError::Diffusion`].
    pub fn for_edit(
        model: Arc<DiffusionModel>,
        description: &str,
        instruction: &str,
        negative: &str,
        control_scale: f64,
    ) -> Result<Self, GuidanceError> {
        if !model.controls().any(|(_, kind)| kind == Some(ControlKind::Reference)) {
            return Err(GuidanceError::NoReferenceNet);
        }
        let (prompt, negative) = (description.to_owned(), negative.to_owned());
        let instruction = Some(instruction.to_owned());
        Self::of(model, Sentences { prompt, negative, instruction }, control_scale)
    }

    fn of(
        model: Arc<DiffusionModel>,
        sentences: Sentences,
        control_scale: f64,
    ) -> Result<Self, GuidanceError> {
        let texts = sentences.encode(&model)?;
        let (views, controls) = (Vec::new(), Vec::new());
        Ok(Self { model, texts, sentences, control_scale, views, controls })
    }

    /// The longest of the sentences that [`Self::new`] makes of a prompt, to be checked
    /// against the tokenizer's limit.
    #[must_use]
    pub fn longest_prompt(model: &DiffusionModel, text: &str) -> String {
        prompt::with_view(text, ViewRegion::Back, describes_back(model))
    }

    /// The control images that this model's ControlNets need, at the size that the largest
    /// of them reads: lines drawn smaller and enlarged would not be what it was trained on.
    /// A reference picture is no drawing: it may have any size, and its ControlNet has no
    /// say in that of the others.
    #[must_use]
    pub fn controls(&self) -> ControlRequest {
        let size = |drawn: bool| {
            let nets = self.used_controls();
            nets.filter(|(_, kind)| (*kind != ControlKind::Reference) == drawn)
                .map(|(name, _)| self.control_size(name))
                .max()
        };
        ControlRequest {
            kinds: self.used_controls().map(|(_, kind)| kind).collect(),
            size: size(true).or_else(|| size(false)).unwrap_or(1) as u32,
        }
    }

    /// Side of the control image that a ControlNet reads.
    fn control_size(&self, name: &str) -> usize {
        self.model.control_size(name).unwrap_or(self.model.image_size())
    }

    /// The ControlNets that take part, with what each reads. One for reference images
    /// belongs to edits.
    fn used_controls(&self) -> impl Iterator<Item = (&str, ControlKind)> {
        let declared = self.model.manifest().controls.iter();
        declared
            .map(|(name, kind)| (name.as_str(), *kind))
            .filter(|(_, kind)| *kind != ControlKind::Reference || self.texts.of_edit())
    }

    /// Height and width of the images that the model reads.
    fn size(&self) -> (usize, usize) {
        (self.model.image_size(), self.model.image_size())
    }
}

/// Channels of Stable Diffusion's latents, and of normals with opacity.
const LATENTS: usize = 4;

/// From one size to another, if they differ.
struct Fit(Option<Resize>);

impl Fit {
    /// From the size of these images.
    fn from(images: &Tensor, to: (usize, usize)) -> Result<Self, GuidanceError> {
        let from = side(images)?;
        let differs = from != to;
        Ok(Self(differs.then(|| Resize::new(from, to, &Device::Cpu)).transpose()?))
    }

    fn forward(&self, images: &Tensor) -> Result<Tensor, GuidanceError> {
        Ok(match &self.0 {
            Some(resize) => resize.forward(images)?,
            None => images.clone(),
        })
    }

    fn vjp(&self, cotangent: &Tensor) -> Result<Tensor, GuidanceError> {
        Ok(match &self.0 {
            Some(resize) => resize.vjp(cotangent)?,
            None => cotangent.clone(),
        })
    }
}

fn side(images: &Tensor) -> candle_core::Result<(usize, usize)> {
    let (_, _, height, width) = images.dims4()?;
    Ok((height, width))
}

impl Denoiser for DiffusionDenoiser {
    fn begin(&mut self, views: &[View], controls: &ControlImages) -> Result<(), GuidanceError> {
        self.views = views.iter().map(|view| view.region).collect();
        let mut sized = Vec::new();
        for (name, kind) in self.used_controls() {
            let image = controls.get(&kind).ok_or(GuidanceError::MissingControl(kind))?;
            let image = images::to_tensor(image, &Device::Cpu)?;
            let pixels = self.control_size(name);
            let image = Fit::from(&image, (pixels, pixels))?.forward(&image)?;
            // There are no landmarks at the back of a head: the method leaves them out there.
            let scales = views.iter().map(|view| {
                let shown = kind != ControlKind::Landmarks || view.region != ViewRegion::Back;
                if shown { self.control_scale as f32 } else { 0.0 }
            });
            sized.push((name.to_owned(), image, scales.collect()));
        }
        self.controls = sized;
        Ok(())
    }

    fn steer(&mut self, change: &Steering) -> Result<(), GuidanceError> {
        match change {
            Steering::Prompt { guided, .. } => self.sentences.prompt.clone_from(guided),
            Steering::Negative { text } => self.sentences.negative.clone_from(text),
            _ => return Ok(()),
        }
        self.texts = self.sentences.encode(&self.model)?;
        Ok(())
    }

    fn takes_latents(&self) -> bool {
        self.model.latent_shape().0 == LATENTS
    }

    fn encode(
        &self,
        pixels: &Tensor,
        rng: &mut ChaCha8Rng,
    ) -> Result<EncodedViews<'_>, GuidanceError> {
        if pixels.dim(1)? == LATENTS && self.takes_latents() {
            let (_, height, width) = self.model.latent_shape();
            let fit = Fit::from(pixels, (height, width))?;
            let latent = fit.forward(pixels)?;
            let vjp = move |cotangent: &Tensor| fit.vjp(cotangent);
            return Ok(EncodedViews { latent, vjp: Box::new(vjp) });
        }
        let fit = Fit::from(pixels, self.size())?;
        let encoded = self.model.encode_image(&fit.forward(pixels)?)?;
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
            fit.vjp(&gradient)
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
        Fit::from(&decoded, (height, width))?.forward(&decoded)
    }

    fn schedule(&self) -> &NoiseSchedule {
        self.model.schedule()
    }

    fn guidance_scale(&self) -> f64 {
        self.model.guidance_scale()
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
                self.views.iter().map(|region| self.texts.get(*condition, *region))
            })
            .collect::<Result<_, _>>()?;
        let text = TextEmbedding::cat(&texts)?;
        let repeated: Vec<(Tensor, Vec<f32>)> = self
            .controls
            .iter()
            .map(|(_, image, scales)| Ok((repeat(image)?, scales.repeat(copies))))
            .collect::<candle_core::Result<_>>()?;
        let controls: Vec<ControlInput> = self
            .controls
            .iter()
            .zip(&repeated)
            .map(|((name, ..), (image, scales))| ControlInput { name, image, scales })
            .collect();
        let timesteps = vec![timestep as f64; copies * self.views.len()];
        let prediction = self.model.predict(&repeat(noised)?, &timesteps, &text, &controls)?;
        Ok(prediction.chunk(copies, 0)?)
    }
}
