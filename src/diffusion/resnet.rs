//! The residual block that `UNet`, `ControlNet` and autoencoder share.

use super::Result;
use super::layers::{Conv2d, GroupNorm, Linear};
use super::weights::Weights;
use candle_core::Tensor;

/// Norm, `SiLU`, convolution, twice; plus the input.
#[derive(Debug, Clone)]
pub struct ResnetBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Option<Linear>,
    norm2: GroupNorm,
    conv2: Conv2d,
    shortcut: Option<Conv2d>,
    output_scale: f64,
}

/// Sizes of a residual block.
#[derive(Debug, Clone, Copy)]
pub struct ResnetShape {
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Size of the time embedding; `None` in the autoencoder.
    pub time: Option<usize>,
    /// Normalisation groups.
    pub groups: usize,
    /// Normalisation epsilon.
    pub epsilon: f64,
    /// The sum of input and residual is divided by this.
    pub output_scale: f64,
}

/// What the backward pass of a residual block needs.
#[derive(Debug, Clone)]
pub struct ResnetTape {
    input: Tensor,
    hidden: Tensor,
}

impl ResnetBlock {
    /// Loads diffusers' `ResnetBlock2D`.
    pub fn load(w: &Weights, s: ResnetShape) -> Result<Self> {
        let norm =
            |name, channels| GroupNorm::load(&w.at(name), channels, s.groups, s.epsilon, true);
        Ok(Self {
            norm1: norm("norm1", s.inputs)?,
            conv1: Conv2d::load_same(&w.at("conv1"), s.inputs, s.outputs, 3)?,
            time: s
                .time
                .map(|size| Linear::load(&w.at("time_emb_proj"), size, s.outputs, true))
                .transpose()?,
            norm2: norm("norm2", s.outputs)?,
            conv2: Conv2d::load_same(&w.at("conv2"), s.outputs, s.outputs, 3)?,
            shortcut: if s.inputs == s.outputs {
                None
            } else {
                Some(Conv2d::load_same(&w.at("conv_shortcut"), s.inputs, s.outputs, 1)?)
            },
            output_scale: s.output_scale,
        })
    }

    /// `time` is the activated time embedding `(B, size)`, given if the block has a projection for it.
    pub fn forward(&self, x: &Tensor, time: Option<&Tensor>) -> Result<Tensor> {
        Ok(self.forward_with_tape(x, time)?.0)
    }

    /// The forward pass, and what [`ResnetBlock::vjp`] needs.
    pub fn forward_with_tape(
        &self,
        x: &Tensor,
        time: Option<&Tensor>,
    ) -> Result<(Tensor, ResnetTape)> {
        let h = self.norm1.forward(x)?;
        let hidden = match (&self.time, time) {
            (Some(layer), Some(time)) => {
                self.conv1.forward_with_offset(&h, &layer.forward(time)?)?
            }
            _ => self.conv1.forward(&h)?,
        };
        let h = self.conv2.forward(&self.norm2.forward(&hidden)?)?;
        let x_out = match &self.shortcut {
            Some(conv) => conv.forward(x)?,
            None => x.clone(),
        };
        let mut y = (x_out + h)?;
        if self.output_scale != 1.0 {
            y = (y / self.output_scale)?;
        }
        Ok((y, ResnetTape { input: x.clone(), hidden }))
    }

    /// Cotangent of the block's input.
    pub fn vjp(&self, tape: &ResnetTape, cotangent: &Tensor) -> Result<Tensor> {
        let (_, _, height, width) = tape.input.dims4()?;
        let size = (height, width);
        let scaled =
            (self.output_scale != 1.0).then(|| cotangent / self.output_scale).transpose()?;
        let cotangent = scaled.as_ref().unwrap_or(cotangent);
        let g = self.norm2.vjp(&tape.hidden, &self.conv2.vjp(cotangent, size)?)?;
        let g = self.norm1.vjp(&tape.input, &self.conv1.vjp(&g, size)?)?;
        let direct = match &self.shortcut {
            Some(conv) => conv.vjp(cotangent, size)?,
            None => cotangent.clone(),
        };
        Ok((g + direct)?)
    }
}
