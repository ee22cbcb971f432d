//! Time and class embeddings.

use super::Result;
use super::layers::Linear;
use super::ops::{self, Activation};
use super::weights::Weights;
use candle_core::{Device, Tensor};

/// Sinusoidal phases of timesteps, followed by the two-layer embedding.
#[derive(Debug, Clone)]
pub struct TimeEmbedding {
    size: usize,
    cosine_first: bool,
    frequency_shift: f64,
    mlp: Mlp,
}

/// Two linear layers with `SiLU` between, diffusers' `TimestepEmbedding`.
#[derive(Debug, Clone)]
pub struct Mlp {
    first: Linear,
    second: Linear,
}

impl Mlp {
    /// Loads `linear_1` and `linear_2`.
    pub fn load(w: &Weights, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self {
            first: Linear::load(&w.at("linear_1"), inputs, outputs, true)?,
            second: Linear::load(&w.at("linear_2"), outputs, outputs, true)?,
        })
    }

    /// `(B, inputs)` to `(B, outputs)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.second.forward(&ops::activate(&self.first.forward(x)?, Activation::Silu)?)
    }
}

impl TimeEmbedding {
    /// `size` phases, embedded in `outputs` values.
    pub fn load(
        w: &Weights,
        size: usize,
        outputs: usize,
        cosine_first: bool,
        frequency_shift: f64,
    ) -> Result<Self> {
        Ok(Self { size, cosine_first, frequency_shift, mlp: Mlp::load(w, size, outputs)? })
    }

    /// One row per timestep.
    pub fn forward(&self, timesteps: &[f64], device: &Device) -> Result<Tensor> {
        let rows: Vec<f32> = timesteps.iter().flat_map(|&t| self.phases(t as f32)).collect();
        self.mlp.forward(&Tensor::from_vec(rows, (timesteps.len(), self.size), device)?)
    }

    /// Phases in f32, as the reference computes them whatever the model's precision.
    fn phases(&self, t: f32) -> Vec<f32> {
        let half = self.size / 2;
        let frequency = |i: usize| {
            let exponent = -(10_000f64.ln() as f32) * i as f32;
            t * (exponent / (half as f64 - self.frequency_shift) as f32).exp()
        };
        let sines = (0..half).map(|i| frequency(i).sin());
        let cosines = (0..half).map(|i| frequency(i).cos());
        let mut out: Vec<f32> = if self.cosine_first {
            cosines.chain(sines).collect()
        } else {
            sines.chain(cosines).collect()
        };
        out.resize(self.size, 0.0);
        out
    }
}
