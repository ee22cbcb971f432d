//! Layers with weights: small records that know how to load and apply themselves.

use super::Result;
use super::ops::{self, ConvParams, GroupNormParams};
use super::weights::Weights;
use candle_core::Tensor;

/// A fully connected layer.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Loads `weight` `(outputs, inputs)` and, if asked, `bias`.
    pub fn load(w: &Weights, inputs: usize, outputs: usize, bias: bool) -> Result<Self> {
        let weight = w.get("weight", &[outputs, inputs])?;
        let bias = if bias { Some(w.get("bias", &[outputs])?) } else { None };
        Ok(Self { weight, bias })
    }

    /// Loads a 1x1 convolution `(outputs, inputs, 1, 1)` as the linear layer that it is.
    pub fn load_pointwise(w: &Weights, inputs: usize, outputs: usize) -> Result<Self> {
        let weight = w.get("weight", &[outputs, inputs, 1, 1])?.reshape((outputs, inputs))?;
        Ok(Self { weight, bias: Some(w.get("bias", &[outputs])?) })
    }

    /// Over the last dimension of `(.., inputs)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(ops::linear(x, &self.weight, self.bias.as_ref())?)
    }

    /// Cotangent of the input.
    pub fn vjp(&self, cotangent: &Tensor) -> Result<Tensor> {
        Ok(ops::linear(cotangent, &self.weight.t()?, None)?)
    }
}

/// A square 2-d convolution.
#[derive(Debug, Clone)]
pub struct Conv2d {
    weight: Tensor,
    bias: Tensor,
    params: ConvParams,
}

impl Conv2d {
    /// Loads `weight` `(outputs, inputs, kernel, kernel)` and `bias`.
    pub fn load(
        w: &Weights,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        params: ConvParams,
    ) -> Result<Self> {
        let weight = w.get("weight", &[outputs, inputs, kernel, kernel])?;
        Ok(Self { weight, bias: w.get("bias", &[outputs])?, params })
    }

    /// An odd kernel, stride 1, size kept.
    pub fn load_same(w: &Weights, inputs: usize, outputs: usize, kernel: usize) -> Result<Self> {
        let pad = kernel / 2;
        Self::load(w, inputs, outputs, kernel, ConvParams { stride: 1, before: pad, after: pad })
    }

    /// `(B, inputs, H, W)` to `(B, outputs, ..)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(ops::conv2d(x, &self.weight, Some(&self.bias), self.params)?)
    }

    /// [`Conv2d::forward`] plus one value per sample and channel, `extra` `(B, outputs)`.
    pub fn forward_with_offset(&self, x: &Tensor, extra: &Tensor) -> Result<Tensor> {
        let bias = extra.broadcast_add(&self.bias)?;
        Ok(ops::conv2d(x, &self.weight, Some(&bias), self.params)?)
    }

    /// Cotangent of an input of the given height and width.
    pub fn vjp(&self, cotangent: &Tensor, input: (usize, usize)) -> Result<Tensor> {
        Ok(ops::conv2d_vjp(cotangent, &self.weight, self.params, input)?)
    }
}

/// Group normalisation, optionally with `SiLU`.
#[derive(Debug, Clone)]
pub struct GroupNorm(GroupNormParams);

impl GroupNorm {
    /// Loads `weight` and `bias` `(channels)`.
    pub fn load(
        w: &Weights,
        channels: usize,
        groups: usize,
        epsilon: f64,
        silu: bool,
    ) -> Result<Self> {
        let (weight, bias) = (w.get("weight", &[channels])?, w.get("bias", &[channels])?);
        Ok(Self(GroupNormParams { weight, bias, groups, epsilon, silu }))
    }

    /// `(B, C, H, W)` in the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(ops::group_norm(x, &self.0)?)
    }

    /// Cotangent of the input `x`.
    pub fn vjp(&self, x: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
        Ok(ops::group_norm_vjp(x, &self.0, cotangent)?)
    }
}

/// Layer normalisation over the last dimension.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl LayerNorm {
    /// Loads `weight` and `bias` `(size)`.
    pub fn load(w: &Weights, size: usize, epsilon: f64) -> Result<Self> {
        Ok(Self { weight: w.get("weight", &[size])?, bias: w.get("bias", &[size])?, epsilon })
    }

    /// `(.., size)` in the same shape.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(ops::layer_norm(x, &self.weight, &self.bias, self.epsilon)?)
    }
}
