//! The facade: a checkpoint folder as one model.

use super::checkpoint::Checkpoint;
use super::clip::{ClipText, TextEmbedding};
use super::controlnet::ControlNet;
use super::error::CheckpointError;
use super::latent::{EncodedImage, LatentSpace};
use super::manifest::Manifest;
use super::noise::NoiseSchedule;
use super::pixel::PixelSpace;
use super::region_text::RegionText;
use super::tokenizer::{PromptTokenizer, TokenizeReport};
use super::unet::{Inputs, Residuals, Unet};
use super::vae::Autoencoder;
use super::{DiffusionError, Result};
use crate::batch::ControlKind;
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Guidance scale of folders that declare none: Stable Diffusion's usual one.
const USUAL_GUIDANCE: f64 = 7.5;
/// Latent side of folders that declare none: Stable Diffusion 1.x.
const USUAL_LATENT: usize = 64;

/// A loaded Stable Diffusion model with its `ControlNets`.
pub struct DiffusionModel {
    device: Device,
    manifest: Manifest,
    image_size: usize,
    tokenizer: PromptTokenizer,
    text: ClipText,
    unet: Unet,
    controls: BTreeMap<String, ControlNet>,
    latents: LatentSpace,
    schedule: NoiseSchedule,
    binder: Option<(String, RegionText)>,
    warnings: Vec<String>,
}

/// One control image for one `ControlNet`.
#[derive(Debug, Clone, Copy)]
pub struct ControlInput<'a> {
    /// The `ControlNet`'s folder name, `controlnet` for example.
    pub name: &'a str,
    /// `(B, C, H, W)` in `[0, 1]`, at [`DiffusionModel::control_size`]. A dense map may have fewer channels than the
    /// network reads; the rest are zeros.
    pub image: &'a Tensor,
    /// Multiplies the network's residuals: one number for all samples, or one each.
    pub scales: &'a [f32],
}

impl DiffusionModel {
    /// Loads every part of a folder in the diffusers layout.
    ///
    /// # Errors
    /// If a file is missing, broken or unsupported, or parts do not fit each other; the message is one
    /// sentence that names the file.
    pub fn load(folder: &Path, device: &Device) -> Result<Self> {
        let checkpoint = Checkpoint::open(folder)?;
        let manifest = Manifest::load(&checkpoint)?;
        let schedule = NoiseSchedule::load(&checkpoint)?;
        let mut warnings = Vec::new();
        let mut note = |part: &str, unused: Vec<String>| {
            if let Some(first) = unused.first() {
                warnings.push(format!(
                    "{} tensors of `{part}` are unused, `{first}` for example",
                    unused.len()
                ));
            }
        };
        let (text, unused) = ClipText::load(&checkpoint.part("text_encoder")?, device)?;
        note("text_encoder", unused);
        let tokenizer = PromptTokenizer::load(&checkpoint, text.longest(), text.vocabulary())?;
        let (unet, unused) = Unet::load(&checkpoint.part("unet")?, device)?;
        note("unet", unused);
        let mut controls = BTreeMap::new();
        let mut names: BTreeSet<String> = checkpoint.control_nets()?.into_iter().collect();
        names.extend(manifest.controls.keys().cloned());
        for name in names {
            let (net, unused) = ControlNet::load(&checkpoint.part(&name)?, device)?;
            note(&name, unused);
            controls.insert(name, net);
        }
        let latents = if checkpoint.has("vae") {
            let (vae, unused) = Autoencoder::load(&checkpoint.part("vae")?, device)?;
            note("vae", unused);
            LatentSpace::Autoencoder(Box::new(vae))
        } else {
            let channels = unet.encoder().config().in_channels;
            LatentSpace::Pixels(PixelSpace::of(folder, &manifest, channels)?)
        };
        let binder = Self::load_binder(&checkpoint, &manifest, device, &mut note)?;
        let image_size = manifest
            .image_size
            .unwrap_or(unet.extras().sample_size.unwrap_or(USUAL_LATENT) * latents.factor());
        let device = device.clone();
        let model = Self {
            device,
            manifest,
            image_size,
            tokenizer,
            text,
            unet,
            controls,
            latents,
            schedule,
            binder,
            warnings,
        };
        model.check_parts(&checkpoint)?;
        Ok(model)
    }

    fn load_binder(
        checkpoint: &Checkpoint,
        manifest: &Manifest,
        device: &Device,
        note: &mut impl FnMut(&str, Vec<String>),
    ) -> Result<Option<(String, RegionText)>> {
        let Some(entry) = &manifest.region_text else { return Ok(None) };
        let (binder, unused) = RegionText::load(&checkpoint.part(&entry.folder)?, device)?;
        note(&entry.folder, unused);
        Ok(Some((entry.control.clone(), binder)))
    }

    /// Refuses a folder whose parts cannot work together.
    fn check_parts(&self, checkpoint: &Checkpoint) -> Result<()> {
        let complain = |part: &str, problem: String| {
            Err(CheckpointError::Mismatch { path: checkpoint.path(part), problem }.into())
        };
        let unet = self.unet.encoder();
        let config = unet.config();
        let (latent, out) = (self.latents.channels(), self.unet.extras().out_channels);
        if config.in_channels != latent || out != latent {
            return complain(
                "unet",
                format!(
                    "maps {} to {out} channels, but this folder's latents have {latent}",
                    config.in_channels
                ),
            );
        }
        let width = self.text.width();
        for (name, encoder) in std::iter::once(("unet", unet))
            .chain(self.controls.iter().map(|(name, net)| (name.as_str(), net.encoder())))
        {
            let config = encoder.config();
            if let Some(level) = config.levels.iter().find(|level| level.text != width) {
                return complain(
                    name,
                    format!(
                        "reads text of width {}, but the text encoder's is {width}",
                        level.text
                    ),
                );
            }
            if config.class_inputs.is_some_and(|size| size != width) {
                return complain(
                    name,
                    format!("its class projection does not take pooled text of width {width}"),
                );
            }
            if config.in_channels != latent || encoder.skip_channels() != unet.skip_channels() {
                return complain(name, "its blocks do not match the UNet's".into());
            }
        }
        if let Some((name, binder)) = &self.binder {
            let Some(net) = self.controls.get(name) else {
                return complain(
                    "region_text",
                    format!("extends `{name}`, which is not a ControlNet of this folder"),
                );
            };
            if net.channels() < binder.needed_channels() || binder.text_width() != width {
                return complain(
                    "region_text",
                    format!(
                        "needs {} channels of `{name}` and text of width {}, not {} and {width}",
                        binder.needed_channels(),
                        binder.text_width(),
                        net.channels()
                    ),
                );
            }
        }
        if !self.image_size.is_multiple_of(self.latents.factor()) {
            let factor = self.latents.factor();
            let what = format!("the image size {} is no multiple of {factor}", self.image_size);
            return complain("headsculpt.json", what);
        }
        Ok(())
    }

    /// The device that tensors must be on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What the folder declares about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Side in pixels of the images that the model was trained on.
    #[must_use]
    pub fn image_size(&self) -> usize {
        self.image_size
    }

    /// A sensible classifier-free guidance scale: the folder's, or Stable Diffusion's.
    #[must_use]
    pub fn guidance_scale(&self) -> f64 {
        self.manifest.guidance_scale.unwrap_or(USUAL_GUIDANCE)
    }

    /// The noise schedule.
    #[must_use]
    pub fn schedule(&self) -> &NoiseSchedule {
        &self.schedule
    }

    /// The latent space.
    #[must_use]
    pub fn latents(&self) -> &LatentSpace {
        &self.latents
    }

    /// Things worth telling the user about the folder, such as unused tensors.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Resolution levels of the `UNet`; a latent's sides should be multiples of `2^(levels - 1)`.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.unet.encoder().config().levels.len()
    }

    /// Shape `(channels, height, width)` of one latent at the declared image size.
    #[must_use]
    pub fn latent_shape(&self) -> (usize, usize, usize) {
        let side = self.image_size / self.latents.factor();
        (self.latents.channels(), side, side)
    }

    /// The folder's `ControlNets` in alphabetical order, with the control image that each is declared
    /// to eat.
    pub fn controls(&self) -> impl Iterator<Item = (&str, Option<ControlKind>)> {
        self.controls.keys().map(|name| (name.as_str(), self.manifest.controls.get(name).copied()))
    }

    /// Side in pixels of the control image that a `ControlNet` reads for an image of the model's
    /// size; it need not be the image's.
    #[must_use]
    pub fn control_size(&self, name: &str) -> Option<usize> {
        let (_, side, _) = self.latent_shape();
        self.controls.get(name).map(|net| side * net.factor())
    }

    /// Channels that a `ControlNet` reads.
    #[must_use]
    pub fn control_channels(&self, name: &str) -> Option<usize> {
        self.controls.get(name).map(ControlNet::channels)
    }

    /// How a prompt is tokenized: what is cut, what is unknown.
    ///
    /// # Errors
    /// If the tokenizer library refuses the text.
    pub fn tokenize_report(&self, prompt: &str) -> Result<TokenizeReport> {
        self.tokenizer.report(prompt)
    }

    /// Encodes prompts; whatever does not fit is cut (see [`DiffusionModel::tokenize_report`]).
    ///
    /// # Errors
    /// If there is no prompt.
    pub fn encode_text(&self, prompts: &[String]) -> Result<TextEmbedding> {
        let rows: Vec<Vec<u32>> =
            prompts.iter().map(|p| Ok(self.tokenizer.report(p)?.ids)).collect::<Result<_>>()?;
        self.encode_tokens(&rows)
    }

    /// Encodes rows of token ids.
    ///
    /// # Errors
    /// If rows are empty, of unequal length or hold ids outside the vocabulary.
    pub fn encode_tokens(&self, rows: &[Vec<u32>]) -> Result<TextEmbedding> {
        self.text.forward(rows)
    }

    /// Encodes images `(B, 3, H, W)` in `[0, 1]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn encode_image(&self, image: &Tensor) -> Result<EncodedImage<'_>> {
        self.latents.encode(image)
    }

    /// Decodes latents to `(B, 3, H, W)`; values near `[0, 1]`, not clamped.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor> {
        self.latents.decode(latent)
    }

    /// The network's raw output (see [`NoiseSchedule::prediction`]) for noisy latents
    /// `(B, C, h, w)`, one timestep per sample (or one for all), text of the same batch, and any
    /// number of control images.
    ///
    /// # Errors
    /// If shapes do not fit or a control is unknown.
    pub fn predict(
        &self,
        latent: &Tensor,
        timesteps: &[f64],
        text: &TextEmbedding,
        controls: &[ControlInput],
    ) -> Result<Tensor> {
        self.run(latent, timesteps, text, controls, true)
    }

    /// [`DiffusionModel::predict`]; `bind` says whether the region text binder takes part.
    pub(super) fn run(
        &self,
        latent: &Tensor,
        timesteps: &[f64],
        text: &TextEmbedding,
        controls: &[ControlInput],
        bind: bool,
    ) -> Result<Tensor> {
        let inputs = Inputs { timesteps, text: &text.hidden, pooled: &text.pooled };
        let mut sum: Option<Residuals> = None;
        for control in controls {
            let net = self.controls.get(control.name).ok_or_else(|| {
                DiffusionError::Input(format!(
                    "this model has no ControlNet called `{}`",
                    control.name
                ))
            })?;
            let image = self.control_image(control, net, text, bind)?;
            let residuals = net.forward(latent, inputs, &image, control.scales)?;
            sum = Some(match sum {
                Some(sum) => sum.plus(&residuals)?,
                None => residuals,
            });
        }
        self.unet.forward(latent, inputs, sum.as_ref())
    }

    /// Pads a dense map to the network's channels and lets the binder paint the text into it.
    fn control_image(
        &self,
        control: &ControlInput,
        net: &ControlNet,
        text: &TextEmbedding,
        bind: bool,
    ) -> Result<Tensor> {
        let channels = control.image.dims4()?.1;
        let dense = self.manifest.controls.get(control.name) == Some(&ControlKind::Dense);
        let image = if dense && channels < net.channels() {
            control.image.pad_with_zeros(1, 0, net.channels() - channels)?
        } else {
            control.image.clone()
        };
        match &self.binder {
            Some((name, binder)) if bind && name == control.name => {
                binder.bind(&image, &text.hidden)
            }
            _ => Ok(image),
        }
    }
}
