//! `ControlNetModel`: a copy of the `UNet`'s way down that reads a control image.

use super::checkpoint::Part;
use super::layers::Conv2d;
use super::ops::{self, Activation, ConvParams};
use super::unet::{Encoder, Inputs, Residuals};
use super::unet_blocks::Condition;
use super::unet_config::UnetConfig;
use super::weights::Weights;
use super::{DiffusionError, Result};
use candle_core::{Device, Tensor};
use serde_json::json;

/// A control network.
#[derive(Debug, Clone)]
pub struct ControlNet {
    encoder: Encoder,
    first: Conv2d,
    hint: Vec<Conv2d>,
    last: Conv2d,
    heads: Vec<Conv2d>,
    mid_head: Conv2d,
    channels: usize,
    factor: usize,
    reversed_channels: bool,
    pooled: bool,
}

impl ControlNet {
    /// Loads a control part; also returns the names of unused tensors.
    pub fn load(part: &Part, device: &Device) -> Result<(Self, Vec<String>)> {
        let c = &part.config;
        c.class_is("ControlNetModel")?;
        let config = UnetConfig::read(c)?;
        if c.value("layers_per_block").is_some_and(serde_json::Value::is_array) {
            return Err(c.problem("layers_per_block", "must be a number for a ControlNet").into());
        }
        if c.is_null("mid_block_type") {
            return Err(c
                .problem("mid_block_type", "is null, which a ControlNet cannot have")
                .into());
        }
        c.only("controlnet_conditioning_channel_order", &[json!("rgb"), json!("bgr")])?;
        let channels = c.size_or("conditioning_channels", 3)?;
        let widths = c
            .sizes_option("conditioning_embedding_out_channels")?
            .unwrap_or_else(|| vec![16, 32, 96, 256]);
        let file = part.weights()?;
        let w = Weights::root(&file, device);
        let embedding = w.at("controlnet_cond_embedding");
        let mut hint = Vec::new();
        for (i, pair) in widths.windows(2).enumerate() {
            hint.push(Conv2d::load_same(
                &embedding.at(format!("blocks.{}", 2 * i)),
                pair[0],
                pair[0],
                3,
            )?);
            let halve = ConvParams { stride: 2, before: 1, after: 1 };
            hint.push(Conv2d::load(
                &embedding.at(format!("blocks.{}", 2 * i + 1)),
                pair[0],
                pair[1],
                3,
                halve,
            )?);
        }
        let out = config.levels[0].channels;
        let mid = config.coarsest().channels;
        let encoder = Encoder::load(&w, config, 3)?;
        let head = |(i, &size): (usize, &usize)| {
            Conv2d::load_same(&w.at(format!("controlnet_down_blocks.{i}")), size, size, 1)
        };
        let net = Self {
            first: Conv2d::load_same(&embedding.at("conv_in"), channels, widths[0], 3)?,
            hint,
            last: Conv2d::load_same(&embedding.at("conv_out"), widths[widths.len() - 1], out, 3)?,
            heads: encoder.skip_channels().iter().enumerate().map(head).collect::<Result<_>>()?,
            mid_head: Conv2d::load_same(&w.at("controlnet_mid_block"), mid, mid, 1)?,
            encoder,
            channels,
            factor: 1 << (widths.len() - 1),
            reversed_channels: c.text_option("controlnet_conditioning_channel_order")?
                == Some("bgr"),
            pooled: c.flag_or("global_pool_conditions", false)?,
        };
        Ok((net, file.unused()))
    }

    /// Channels of the control image.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Control image pixels per latent pixel along a side.
    #[must_use]
    pub fn factor(&self) -> usize {
        self.factor
    }

    /// The mirrored half, for comparing with the `UNet`'s.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Residuals for the `UNet` from a latent and a control image `(B, channels, H, W)` in `[0, 1]`,
    /// multiplied by `scales`: one number for all samples, or one each.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn forward(
        &self,
        latent: &Tensor,
        inputs: Inputs,
        image: &Tensor,
        scales: &[f32],
    ) -> Result<Residuals> {
        self.encoder.check(latent, inputs)?;
        let (batch, _, height, width) = latent.dims4()?;
        let wanted = [batch, self.channels, height * self.factor, width * self.factor];
        if image.dims() != wanted {
            return Err(DiffusionError::Input(format!(
                "a control image of shape {:?} where {wanted:?} is needed",
                image.dims()
            )));
        }
        if ![1, batch].contains(&scales.len()) {
            let what = format!("{} control scales for {batch} samples", scales.len());
            return Err(DiffusionError::Input(what));
        }
        let scale = Tensor::new(scales, latent.device())?.reshape((scales.len(), 1, 1, 1))?;
        let time = self.encoder.time(batch, inputs, latent.device())?;
        let on = Condition { time: &time, text: inputs.text };
        let flipped = self.reversed_channels.then(|| image.flip(&[1])).transpose()?;
        let mut hint = self.first.forward(flipped.as_ref().unwrap_or(image))?;
        for conv in &self.hint {
            hint = conv.forward(&ops::activate(&hint, Activation::Silu)?)?;
        }
        let hint = self.last.forward(&ops::activate(&hint, Activation::Silu)?)?;
        let (skips, mid) = self.encoder.descend((self.encoder.enter(latent)? + hint)?, on)?;
        let finish = |conv: &Conv2d, x: &Tensor| -> Result<Tensor> {
            let y = conv.forward(x)?.broadcast_mul(&scale)?;
            if !self.pooled {
                return Ok(y);
            }
            Ok(y.mean_keepdim((2, 3))?.broadcast_as(y.shape())?.contiguous()?)
        };
        let skips = self
            .heads
            .iter()
            .zip(&skips)
            .map(|(conv, x)| finish(conv, x))
            .collect::<Result<_>>()?;
        Ok(Residuals { skips, mid: finish(&self.mid_head, &mid)? })
    }
}
