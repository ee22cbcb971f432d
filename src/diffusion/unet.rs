//! `UNet2DConditionModel`.

use super::checkpoint::Part;
use super::layers::{Conv2d, GroupNorm};
use super::ops::{self, Activation};
use super::time::{Mlp, TimeEmbedding};
use super::unet_blocks::{Condition, DownBlock, Middle, UpBlock};
use super::unet_config::{UnetConfig, UnetExtras};
use super::weights::{WeightFile, Weights};
use super::{DiffusionError, Result};
use candle_core::{Device, Tensor};

/// The encoder half, which a `ControlNet` copies.
#[derive(Debug, Clone)]
pub struct Encoder {
    config: UnetConfig,
    conv_in: Conv2d,
    time: TimeEmbedding,
    class: Option<Mlp>,
    down: Vec<DownBlock>,
    mid: Middle,
}

/// What the networks read besides the latent.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// One timestep per sample, or one for all.
    pub timesteps: &'a [f64],
    /// Text states `(B, L, D)`.
    pub text: &'a Tensor,
    /// Pooled text `(B, D)`, read by networks with a class projection.
    pub pooled: &'a Tensor,
}

impl Encoder {
    /// Loads the shared weights.
    pub fn load(w: &Weights, config: UnetConfig, kernel_in: usize) -> Result<Self> {
        let first = config.levels[0].channels;
        let mut inputs = first;
        let mut down = Vec::new();
        for (i, level) in config.levels.iter().enumerate() {
            down.push(DownBlock::load(w, &config, i, inputs)?);
            inputs = level.channels;
        }
        Ok(Self {
            conv_in: Conv2d::load_same(&w.at("conv_in"), config.in_channels, first, kernel_in)?,
            time: TimeEmbedding::load(
                &w.at("time_embedding"),
                first,
                config.time,
                config.cosine_first,
                config.frequency_shift,
            )?,
            class: config
                .class_inputs
                .map(|inputs| Mlp::load(&w.at("class_embedding"), inputs, config.time))
                .transpose()?,
            down,
            mid: Middle::load(w, &config)?,
            config,
        })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// The activated time embedding `(B, size)` of a batch.
    pub fn time(&self, batch: usize, inputs: Inputs, device: &Device) -> Result<Tensor> {
        let embedded = self.time.forward(inputs.timesteps, device)?;
        let mut embedded = embedded.broadcast_as((batch, self.config.time))?.contiguous()?;
        if let Some(class) = &self.class {
            embedded = (embedded + class.forward(inputs.pooled)?)?;
        }
        Ok(ops::activate(&embedded, Activation::Silu)?)
    }

    /// Refuses shapes that would fail somewhere inside.
    pub fn check(&self, latent: &Tensor, inputs: Inputs) -> Result<()> {
        let (batch, channels, height, width) = latent.dims4()?;
        let complain = |text: String| Err(DiffusionError::Input(text));
        if channels != self.config.in_channels {
            return complain(format!(
                "the latent has {channels} channels, the network takes {}",
                self.config.in_channels
            ));
        }
        if height == 0 || width == 0 {
            return complain(format!("a latent of {height}x{width} is empty"));
        }
        if ![1, batch].contains(&inputs.timesteps.len())
            || inputs.timesteps.iter().any(|t| !t.is_finite())
        {
            return complain(format!("{batch} finite timesteps are needed, one per sample"));
        }
        let text = inputs.text.dims3()?;
        let attended =
            self.config.levels.iter().map(|level| level.text).find(|&size| size != text.2);
        if text.0 != batch || attended.is_some() {
            return complain(format!(
                "text states of {}x{}x{} do not fit {batch} samples and width {}",
                text.0,
                text.1,
                text.2,
                attended.unwrap_or(text.2)
            ));
        }
        match self.config.class_inputs {
            Some(size) if inputs.pooled.dims() != [batch, size] => complain(format!(
                "pooled text of shape {:?} where {batch}x{size} is needed",
                inputs.pooled.dims()
            )),
            _ => Ok(()),
        }
    }

    /// Runs down and middle blocks after the first convolution: skip states, then the middle's.
    pub fn descend(&self, x: Tensor, on: Condition) -> Result<(Vec<Tensor>, Tensor)> {
        let mut skips = vec![x.clone()];
        let mut x = x;
        for block in &self.down {
            x = block.forward(x, on, &mut skips)?;
        }
        Ok((skips, self.mid.forward(x, on)?))
    }

    /// The first convolution.
    pub fn enter(&self, latent: &Tensor) -> Result<Tensor> {
        self.conv_in.forward(latent)
    }

    /// Channels of each skip state, in order.
    #[must_use]
    pub fn skip_channels(&self) -> Vec<usize> {
        let levels = &self.config.levels;
        let mut out = vec![levels[0].channels];
        for (i, level) in levels.iter().enumerate() {
            let count = level.layers + usize::from(i + 1 < levels.len());
            out.extend(std::iter::repeat_n(level.channels, count));
        }
        out
    }
}

/// The sums of what `ControlNets` add to the `UNet`'s skip states and middle.
#[derive(Debug, Clone)]
pub struct Residuals {
    /// One per skip state.
    pub skips: Vec<Tensor>,
    /// For the middle.
    pub mid: Tensor,
}

impl Residuals {
    /// Adds two sets of residuals.
    pub fn plus(self, other: &Self) -> Result<Self> {
        let skips = self.skips.iter().zip(&other.skips).map(|(a, b)| a + b);
        Ok(Self {
            skips: skips.collect::<candle_core::Result<_>>()?,
            mid: (self.mid + &other.mid)?,
        })
    }
}

/// The denoising network.
#[derive(Debug, Clone)]
pub struct Unet {
    encoder: Encoder,
    extras: UnetExtras,
    up: Vec<UpBlock>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Unet {
    /// Loads the `unet` part; also returns the names of unused tensors.
    pub fn load(part: &Part, device: &Device) -> Result<(Self, Vec<String>)> {
        part.config.class_is("UNet2DConditionModel")?;
        let config = UnetConfig::read(&part.config)?;
        let extras = UnetExtras::read(&part.config, &config.levels)?;
        let file: WeightFile = part.weights()?;
        let w = Weights::root(&file, device);
        let first = config.levels[0].channels;
        let up =
            extras.up_attention.iter().enumerate().map(|(i, &a)| UpBlock::load(&w, &config, i, a));
        let unet = Self {
            up: up.collect::<Result<_>>()?,
            norm_out: GroupNorm::load(
                &w.at("conv_norm_out"),
                first,
                config.groups,
                config.epsilon,
                true,
            )?,
            conv_out: Conv2d::load_same(
                &w.at("conv_out"),
                first,
                extras.out_channels,
                extras.kernel_out,
            )?,
            encoder: Encoder::load(&w, config, extras.kernel_in)?,
            extras,
        };
        Ok((unet, file.unused()))
    }

    /// The part that `ControlNets` mirror.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// What only the `UNet`'s configuration says.
    #[must_use]
    pub fn extras(&self) -> &UnetExtras {
        &self.extras
    }

    /// Predicts from a noisy latent `(B, in, h, w)`, with residuals of `ControlNets` if given.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn forward(
        &self,
        latent: &Tensor,
        inputs: Inputs,
        control: Option<&Residuals>,
    ) -> Result<Tensor> {
        self.encoder.check(latent, inputs)?;
        let time = self.encoder.time(latent.dim(0)?, inputs, latent.device())?;
        let on = Condition { time: &time, text: inputs.text };
        let x = if self.extras.centre_input {
            self.encoder.enter(&latent.affine(2.0, -1.0)?)?
        } else {
            self.encoder.enter(latent)?
        };
        let (mut skips, mut x) = self.encoder.descend(x, on)?;
        if let Some(control) = control {
            if control.skips.len() != skips.len() {
                return Err(DiffusionError::Input(format!(
                    "the ControlNet gives {} residuals, the UNet takes {}",
                    control.skips.len(),
                    skips.len()
                )));
            }
            for (skip, residual) in skips.iter_mut().zip(&control.skips) {
                *skip = (&*skip + residual)?;
            }
            x = (x + &control.mid)?;
        }
        for block in &self.up {
            x = block.forward(x, on, &mut skips)?;
        }
        self.conv_out.forward(&self.norm_out.forward(&x)?)
    }
}
