//! The `UNet`'s spatial transformer: self attention, cross attention to the text, gated feed-forward.

use super::Result;
use super::layers::{GroupNorm, LayerNorm, Linear};
use super::ops;
use super::weights::Weights;
use candle_core::Tensor;

/// Multi-head attention with biased output only.
#[derive(Debug, Clone)]
struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    heads: usize,
}

impl Attention {
    fn load(w: &Weights, size: usize, context: usize, heads: usize) -> Result<Self> {
        Ok(Self {
            q: Linear::load(&w.at("to_q"), size, size, false)?,
            k: Linear::load(&w.at("to_k"), context, size, false)?,
            v: Linear::load(&w.at("to_v"), context, size, false)?,
            out: Linear::load(&w.at("to_out.0"), size, size, true)?,
            heads,
        })
    }

    fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let (q, k, v) = (self.q.forward(x)?, self.k.forward(context)?, self.v.forward(context)?);
        self.out.forward(&ops::attention(&q, &k, &v, self.heads, false)?)
    }
}

#[derive(Debug, Clone)]
struct Block {
    norm1: LayerNorm,
    self_attention: Attention,
    norm2: LayerNorm,
    cross_attention: Attention,
    norm3: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Block {
    fn load(w: &Weights, size: usize, text: usize, heads: usize) -> Result<Self> {
        let norm = |name| LayerNorm::load(&w.at(name), size, 1e-5);
        Ok(Self {
            norm1: norm("norm1")?,
            self_attention: Attention::load(&w.at("attn1"), size, size, heads)?,
            norm2: norm("norm2")?,
            cross_attention: Attention::load(&w.at("attn2"), size, text, heads)?,
            norm3: norm("norm3")?,
            widen: Linear::load(&w.at("ff.net.0.proj"), size, 8 * size, true)?,
            narrow: Linear::load(&w.at("ff.net.2"), 4 * size, size, true)?,
        })
    }

    fn forward(&self, x: Tensor, text: &Tensor) -> Result<Tensor> {
        let n = self.norm1.forward(&x)?;
        let x = (x + self.self_attention.forward(&n, &n)?)?;
        let x = (&x + self.cross_attention.forward(&self.norm2.forward(&x)?, text)?)?;
        let gated = ops::geglu(&self.widen.forward(&self.norm3.forward(&x)?)?)?;
        Ok((&x + self.narrow.forward(&gated)?)?)
    }
}

/// diffusers' `Transformer2DModel`.
#[derive(Debug, Clone)]
pub struct Transformer {
    norm: GroupNorm,
    enter: Linear,
    blocks: Vec<Block>,
    leave: Linear,
}

/// Sizes of a spatial transformer.
#[derive(Debug, Clone, Copy)]
pub struct TransformerShape {
    /// Channels of the feature map.
    pub channels: usize,
    /// Attention heads; each is `channels / heads` wide.
    pub heads: usize,
    /// Blocks.
    pub layers: usize,
    /// Width of the text states.
    pub text: usize,
    /// Normalisation groups.
    pub groups: usize,
    /// Whether the projections are stored as linear layers instead of 1x1 convolutions.
    pub linear_projection: bool,
}

impl Transformer {
    /// Loads its weights.
    pub fn load(w: &Weights, s: TransformerShape) -> Result<Self> {
        // diffusers rounds the head width down; the inner width follows it.
        let inner = s.heads * (s.channels / s.heads);
        let project = |name, inputs, outputs| {
            if s.linear_projection {
                Linear::load(&w.at(name), inputs, outputs, true)
            } else {
                Linear::load_pointwise(&w.at(name), inputs, outputs)
            }
        };
        Ok(Self {
            norm: GroupNorm::load(&w.at("norm"), s.channels, s.groups, 1e-6, false)?,
            enter: project("proj_in", s.channels, inner)?,
            blocks: (0..s.layers)
                .map(|i| {
                    Block::load(&w.at(format!("transformer_blocks.{i}")), inner, s.text, s.heads)
                })
                .collect::<Result<_>>()?,
            leave: project("proj_out", inner, s.channels)?,
        })
    }

    /// `(B, C, H, W)` with text states `(B, L, D)`.
    pub fn forward(&self, x: &Tensor, text: &Tensor) -> Result<Tensor> {
        let (b, c, height, width) = x.dims4()?;
        let tokens =
            self.norm.forward(x)?.reshape((b, c, height * width))?.transpose(1, 2)?.contiguous()?;
        let mut h = self.enter.forward(&tokens)?;
        for block in &self.blocks {
            h = block.forward(h, text)?;
        }
        let h = self
            .leave
            .forward(&h)?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((b, c, height, width))?;
        Ok((x + h)?)
    }
}
