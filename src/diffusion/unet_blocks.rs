//! The levels of a `UNet`: down, middle and up blocks, with or without attention.

use super::layers::Conv2d;
use super::ops::{self, ConvParams};
use super::resnet::{ResnetBlock, ResnetShape};
use super::transformer::{Transformer, TransformerShape};
use super::unet_config::{Level, MidBlock, UnetConfig};
use super::weights::Weights;
use super::{DiffusionError, Result};
use candle_core::Tensor;

/// What every block is conditioned on.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    /// Activated time embedding `(B, size)`.
    pub time: &'a Tensor,
    /// Text states `(B, L, D)`.
    pub text: &'a Tensor,
}

fn resnet(
    w: &Weights,
    c: &UnetConfig,
    inputs: usize,
    outputs: usize,
    output_scale: f64,
) -> Result<ResnetBlock> {
    let shape = ResnetShape {
        inputs,
        outputs,
        time: Some(c.time),
        groups: c.groups,
        epsilon: c.epsilon,
        output_scale,
    };
    ResnetBlock::load(w, shape)
}

fn transformer(w: &Weights, c: &UnetConfig, level: Level) -> Result<Transformer> {
    let shape = TransformerShape {
        channels: level.channels,
        heads: level.heads,
        layers: level.transformer_layers,
        text: level.text,
        groups: c.groups,
        linear_projection: c.linear_projection,
    };
    Transformer::load(w, shape)
}

/// One residual block and the attention after it.
#[derive(Debug, Clone)]
struct Layer {
    resnet: ResnetBlock,
    attention: Option<Transformer>,
}

impl Layer {
    fn load(
        w: &Weights,
        c: &UnetConfig,
        level: Level,
        index: usize,
        inputs: usize,
        attends: bool,
    ) -> Result<Self> {
        let attention = attends
            .then(|| transformer(&w.at(format!("attentions.{index}")), c, level))
            .transpose()?;
        Ok(Self {
            resnet: resnet(&w.at(format!("resnets.{index}")), c, inputs, level.channels, 1.0)?,
            attention,
        })
    }

    fn forward(&self, x: &Tensor, on: Condition) -> Result<Tensor> {
        let x = self.resnet.forward(x, Some(on.time))?;
        match &self.attention {
            Some(attention) => attention.forward(&x, on.text),
            None => Ok(x),
        }
    }
}

/// `DownBlock2D` or `CrossAttnDownBlock2D`.
#[derive(Debug, Clone)]
pub struct DownBlock {
    layers: Vec<Layer>,
    downsample: Option<Conv2d>,
}

impl DownBlock {
    /// Loads level `index`; `inputs` channels come from the level above.
    pub fn load(w: &Weights, c: &UnetConfig, index: usize, inputs: usize) -> Result<Self> {
        let level = c.levels[index];
        let w = w.at(format!("down_blocks.{index}"));
        let layers = (0..level.layers).map(|i| {
            let inputs = if i == 0 { inputs } else { level.channels };
            Layer::load(&w, c, level, i, inputs, level.down_attention)
        });
        let layers = layers.collect::<Result<_>>()?;
        let before = usize::from(!c.one_sided_downsampling);
        let params = ConvParams { stride: 2, before, after: 1 };
        let downsample = if index + 1 < c.levels.len() {
            let channels = level.channels;
            Some(Conv2d::load(&w.at("downsamplers.0.conv"), channels, channels, 3, params)?)
        } else {
            None
        };
        Ok(Self { layers, downsample })
    }

    /// Runs the block, appending the state after each layer and after downsampling to `skips`.
    pub fn forward(&self, x: Tensor, on: Condition, skips: &mut Vec<Tensor>) -> Result<Tensor> {
        let mut x = x;
        for layer in &self.layers {
            x = layer.forward(&x, on)?;
            skips.push(x.clone());
        }
        if let Some(conv) = &self.downsample {
            x = conv.forward(&x)?;
            skips.push(x.clone());
        }
        Ok(x)
    }
}

/// `UNetMidBlock2DCrossAttn`, `UNetMidBlock2D` without attention, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Middle {
    first: Option<Layer>,
    second: Option<ResnetBlock>,
}

impl Middle {
    /// Loads the middle block that the configuration names.
    pub fn load(w: &Weights, c: &UnetConfig) -> Result<Self> {
        let w = w.at("mid_block");
        let level = c.coarsest();
        let block = |i: usize| {
            resnet(&w.at(format!("resnets.{i}")), c, level.channels, level.channels, c.mid_scale)
        };
        Ok(match c.mid {
            MidBlock::None => Self::default(),
            MidBlock::Resnet => {
                Self { first: Some(Layer { resnet: block(0)?, attention: None }), second: None }
            }
            MidBlock::CrossAttention => {
                let attention = Some(transformer(&w.at("attentions.0"), c, level)?);
                Self {
                    first: Some(Layer { resnet: block(0)?, attention }),
                    second: Some(block(1)?),
                }
            }
        })
    }

    /// Runs the block.
    pub fn forward(&self, x: Tensor, on: Condition) -> Result<Tensor> {
        let mut x = x;
        if let Some(layer) = &self.first {
            x = layer.forward(&x, on)?;
        }
        if let Some(block) = &self.second {
            x = block.forward(&x, Some(on.time))?;
        }
        Ok(x)
    }
}

/// `UpBlock2D` or `CrossAttnUpBlock2D`.
#[derive(Debug, Clone)]
pub struct UpBlock {
    layers: Vec<Layer>,
    upsample: Option<Conv2d>,
}

impl UpBlock {
    /// Loads up block `index`, counted from the coarsest level.
    pub fn load(w: &Weights, c: &UnetConfig, index: usize, attends: bool) -> Result<Self> {
        let w = w.at(format!("up_blocks.{index}"));
        let last = c.levels.len() - 1;
        let level = c.levels[last - index];
        let below = c.levels[(last - index + 1).min(last)].channels;
        let finer = c.levels[(last - index).saturating_sub(1)].channels;
        let count = level.layers + 1;
        let layers = (0..count).map(|i| {
            let from = if i == 0 { below } else { level.channels };
            let skip = if i + 1 == count { finer } else { level.channels };
            Layer::load(&w, c, level, i, from + skip, attends)
        });
        let layers = layers.collect::<Result<_>>()?;
        let upsample = if index < last {
            Some(Conv2d::load_same(&w.at("upsamplers.0.conv"), level.channels, level.channels, 3)?)
        } else {
            None
        };
        Ok(Self { layers, upsample })
    }

    /// Runs the block, taking its skip connections from the end of `skips`.
    pub fn forward(&self, x: Tensor, on: Condition, skips: &mut Vec<Tensor>) -> Result<Tensor> {
        let mut x = x;
        for layer in &self.layers {
            let Some(skip) = skips.pop() else {
                return Err(DiffusionError::Input("the UNet ran out of skip connections".into()));
            };
            x = layer.forward(&Tensor::cat(&[&x, &skip], 1)?, on)?;
        }
        if let Some(conv) = &self.upsample {
            // The next block's skip connection says how large the result must be.
            let (h, w) = match skips.last() {
                Some(skip) => (skip.dim(2)?, skip.dim(3)?),
                None => (2 * x.dim(2)?, 2 * x.dim(3)?),
            };
            x = conv.forward(&ops::upsample(&x, (h, w))?)?;
        }
        Ok(x)
    }
}
