//! The noise schedule: how much signal a noisy latent holds at a timestep, and the
//! conversions between the three things that a network may predict.
//!
//! `z_t = sqrt(abar) x0 + sqrt(1 - abar) eps`, `v = sqrt(abar) eps - sqrt(1 - abar) x0`.

use super::checkpoint::Checkpoint;
use super::config::Config;
use super::error::CheckpointError;
use super::{DiffusionError, Result};
use candle_core::Tensor;
use serde_json::{Value, json};

/// What the network's output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prediction {
    /// The noise.
    Epsilon,
    /// The velocity `sqrt(abar) eps - sqrt(1 - abar) x0`.
    Velocity,
    /// The clean latent.
    Sample,
}

/// Divisors are kept above this; it matters only at timesteps without any signal (or noise),
/// where a prediction of the noise (or the sample) says nothing about the other.
const SMALLEST: f64 = 1e-4;

/// Cumulative signal of a discrete schedule.
#[derive(Debug, Clone)]
pub struct NoiseSchedule {
    alphas_cumprod: Vec<f64>,
    prediction: Prediction,
}

/// A prediction in all three forms that guidance uses.
#[derive(Debug, Clone)]
pub struct Denoised {
    /// Clean latent.
    pub x0: Tensor,
    /// Noise.
    pub eps: Tensor,
}

/// Betas of the squared-cosine schedule, capped at 0.999.
fn cosine_betas(count: usize) -> impl Iterator<Item = f64> {
    let bar = move |i: usize| {
        let t = i as f64 / count as f64;
        ((t + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2)
    };
    (0..count).map(move |i| (1.0 - bar(i + 1) / bar(i)).min(0.999))
}

fn betas(c: &Config, count: usize) -> std::result::Result<Vec<f64>, CheckpointError> {
    if let Some(Value::Array(list)) = c.value("trained_betas") {
        let valid = |v: &Value| v.as_f64().filter(|b| (0.0..1.0).contains(b));
        let betas: Option<Vec<f64>> = list.iter().map(valid).collect();
        return betas
            .filter(|b| !b.is_empty())
            .ok_or_else(|| c.problem("trained_betas", "must be a list of numbers in [0, 1)"));
    }
    let (start, end) = (c.number_or("beta_start", 1e-4)?, c.number_or("beta_end", 0.02)?);
    for (field, value) in [("beta_start", start), ("beta_end", end)] {
        if !(0.0..1.0).contains(&value) {
            return Err(c.problem(field, format!("is {value}, outside [0, 1)")));
        }
    }
    let line = |from: f64, to: f64| {
        (0..count).map(move |i| from + (to - from) * i as f64 / (count - 1).max(1) as f64)
    };
    match c.text_or("beta_schedule", "linear")? {
        "linear" => Ok(line(start, end).collect()),
        "scaled_linear" => Ok(line(start.sqrt(), end.sqrt()).map(|b| b * b).collect()),
        "squaredcos_cap_v2" => Ok(cosine_betas(count).collect()),
        other => {
            Err(c.problem("beta_schedule", format!("asks for {other}, which is not supported")))
        }
    }
}

impl NoiseSchedule {
    /// Reads `scheduler/scheduler_config.json`; whatever sampler it names, only its betas and its
    /// prediction type matter here.
    ///
    /// # Errors
    /// If the file is missing or asks for a schedule that is not implemented.
    pub fn load(checkpoint: &Checkpoint) -> std::result::Result<Self, CheckpointError> {
        Self::read(&Config::read(&checkpoint.path("scheduler/scheduler_config.json"))?)
    }

    /// Builds the schedule from its configuration.
    ///
    /// # Errors
    /// As [`NoiseSchedule::load`].
    pub fn read(c: &Config) -> std::result::Result<Self, CheckpointError> {
        let prediction = match c.text_or("prediction_type", "epsilon")? {
            "epsilon" => Prediction::Epsilon,
            "v_prediction" => Prediction::Velocity,
            "sample" => Prediction::Sample,
            other => {
                return Err(c.problem(
                    "prediction_type",
                    format!("asks for {other}, which is not supported"),
                ));
            }
        };
        c.only("use_flow_sigmas", &[json!(false)])?;
        let betas = betas(c, c.size_or("num_train_timesteps", 1000)?)?;
        let mut bars: Vec<f64> = betas
            .iter()
            .scan(1.0, |bar, beta| {
                *bar *= 1.0 - beta;
                Some(*bar)
            })
            .collect();
        if c.flag_or("rescale_betas_zero_snr", false)? {
            // Shift and stretch sqrt(abar) so that the first stays and the last becomes 0.
            let (first, last) = (bars[0].sqrt(), bars[bars.len() - 1].sqrt());
            if first == last {
                return Err(c.problem("rescale_betas_zero_snr", "needs more than one timestep"));
            }
            for bar in &mut bars {
                *bar = ((bar.sqrt() - last) * first / (first - last)).powi(2);
            }
        }
        Ok(Self { alphas_cumprod: bars, prediction })
    }

    /// The squared-cosine schedule (Nichol and Dhariwal 2021) over `timesteps` steps, with
    /// clean samples as predictions.
    ///
    /// # Panics
    /// If there are no steps.
    #[must_use]
    pub fn cosine(timesteps: usize) -> Self {
        assert!(timesteps > 0, "a schedule needs steps");
        let mut signal = 1.0;
        let alphas_cumprod = cosine_betas(timesteps)
            .map(|beta| {
                signal *= 1.0 - beta;
                signal
            })
            .collect();
        Self { alphas_cumprod, prediction: Prediction::Sample }
    }

    /// What the network predicts.
    #[must_use]
    pub fn prediction(&self) -> Prediction {
        self.prediction
    }

    /// Number of training timesteps.
    #[must_use]
    pub fn timesteps(&self) -> usize {
        self.alphas_cumprod.len()
    }

    /// The whole table.
    #[must_use]
    pub fn alphas_cumprod(&self) -> &[f64] {
        &self.alphas_cumprod
    }

    /// Signal share `abar` at a timestep: 1 below 0 (clean), linear between whole timesteps, and the
    /// last value beyond the end.
    #[must_use]
    pub fn alpha_bar(&self, t: f64) -> f64 {
        if t < 0.0 {
            return 1.0;
        }
        let last = self.alphas_cumprod.len() - 1;
        let low = (t.floor() as usize).min(last);
        let (a, b) = (self.alphas_cumprod[low], self.alphas_cumprod[(low + 1).min(last)]);
        a + (b - a) * (t - low as f64).clamp(0.0, 1.0)
    }

    /// `signal * x + noise * y` with factors per sample.
    fn blend(x: &Tensor, fx: &[f64], y: &Tensor, fy: &[f64]) -> Result<Tensor> {
        let batch = x.dim(0)?;
        if x.dims() != y.dims() || (fx.len() != batch && fx.len() != 1) {
            return Err(DiffusionError::Input(format!(
                "tensors of shapes {:?} and {:?} with {} timesteps do not fit",
                x.dims(),
                y.dims(),
                fx.len()
            )));
        }
        let mut shape = vec![1; x.rank()];
        shape[0] = fx.len();
        let factor = |f: &[f64]| {
            Tensor::from_vec(
                f.iter().map(|&v| v as f32).collect::<Vec<_>>(),
                shape.clone(),
                x.device(),
            )
        };
        Ok((x.broadcast_mul(&factor(fx)?)? + y.broadcast_mul(&factor(fy)?)?)?)
    }

    fn roots(&self, timesteps: &[f64]) -> (Vec<f64>, Vec<f64>) {
        timesteps
            .iter()
            .map(|&t| {
                let bar = self.alpha_bar(t);
                (bar.sqrt(), (1.0 - bar).sqrt())
            })
            .unzip()
    }

    /// The noisy latent `z_t`; `timesteps` has one entry per sample, or one for all.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn add_noise(&self, x0: &Tensor, eps: &Tensor, timesteps: &[f64]) -> Result<Tensor> {
        let (signal, noise) = self.roots(timesteps);
        Self::blend(x0, &signal, eps, &noise)
    }

    /// Clean latent and noise that a network output stands for at `z_t`.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn denoise(&self, prediction: &Tensor, z: &Tensor, timesteps: &[f64]) -> Result<Denoised> {
        let (signal, noise) = self.roots(timesteps);
        let negative: Vec<f64> = noise.iter().map(|n| -n).collect();
        Ok(match self.prediction {
            Prediction::Epsilon => Denoised {
                x0: self.x0_from_eps(prediction, z, timesteps)?,
                eps: prediction.clone(),
            },
            Prediction::Sample => Denoised {
                x0: prediction.clone(),
                eps: self.eps_from_x0(prediction, z, timesteps)?,
            },
            Prediction::Velocity => Denoised {
                x0: Self::blend(z, &signal, prediction, &negative)?,
                eps: Self::blend(prediction, &signal, z, &noise)?,
            },
        })
    }

    /// `(z - sqrt(1 - abar) eps) / sqrt(abar)`.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn x0_from_eps(&self, eps: &Tensor, z: &Tensor, timesteps: &[f64]) -> Result<Tensor> {
        let (signal, noise) = self.roots(timesteps);
        let scale: Vec<f64> = signal.iter().map(|s| 1.0 / s.max(SMALLEST)).collect();
        let factor: Vec<f64> = noise.iter().zip(&scale).map(|(n, s)| -n * s).collect();
        Self::blend(z, &scale, eps, &factor)
    }

    /// `(z - sqrt(abar) x0) / sqrt(1 - abar)`.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn eps_from_x0(&self, x0: &Tensor, z: &Tensor, timesteps: &[f64]) -> Result<Tensor> {
        let (signal, noise) = self.roots(timesteps);
        let scale: Vec<f64> = noise.iter().map(|n| 1.0 / n.max(SMALLEST)).collect();
        let factor: Vec<f64> = signal.iter().zip(&scale).map(|(n, s)| -n * s).collect();
        Self::blend(z, &scale, x0, &factor)
    }

    /// The velocity of a clean latent and its noise.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn velocity(&self, x0: &Tensor, eps: &Tensor, timesteps: &[f64]) -> Result<Tensor> {
        let (signal, noise) = self.roots(timesteps);
        let negative: Vec<f64> = noise.iter().map(|n| -n).collect();
        Self::blend(eps, &signal, x0, &negative)
    }

    /// One deterministic DDIM step to earlier timesteps (below 0: the clean latent).
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn ddim_step(&self, at: &Denoised, earlier: &[f64]) -> Result<Tensor> {
        self.add_noise(&at.x0, &at.eps, earlier)
    }
}
