//! Adam on a buffer of `f32` parameters.

use super::context::{GpuContext, RenderError};
use super::kernel::{Kernel, groups_for};
use bytemuck::Zeroable;

/// The optimiser's constants; the defaults are the paper's.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Usually added to the root of the second moment (see [`AdamGroup::epsilons`]).
    pub epsilon: f32,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.99, epsilon: 1e-15 }
    }
}

/// The moments of a parameter buffer and the kernel that applies them.
///
/// A parameter whose gradient has always been zero stays as it is, bit for bit.
#[derive(Debug)]
pub struct Adam {
    context: GpuContext,
    kernel: Kernel,
    config: AdamConfig,
    mean: wgpu::Buffer,
    variance: wgpu::Buffer,
    count: u32,
    steps: u64,
}

/// What a checkpoint keeps of an [`Adam`].
#[derive(Debug, Clone, PartialEq)]
pub struct AdamState {
    /// First moments.
    pub mean: Vec<f32>,
    /// Second moments.
    pub variance: Vec<f32>,
    /// Steps taken.
    pub steps: u64,
}

/// A run of parameters that share their rates and epsilons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamGroup {
    /// First parameter.
    pub first: u32,
    /// Number of parameters.
    pub count: u32,
    /// Learning rates; parameter `first + k` has `rates[k % period]`.
    pub rates: [f32; 4],
    /// What is added to the root of the second moment, likewise. Gradients well below it
    /// move a parameter in proportion to their size rather than at the full rate.
    pub epsilons: [f32; 4],
    /// 1..=4.
    pub period: u32,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct Settings {
    first: u32,
    count: u32,
    period: u32,
    reserved: u32,
    rates: [f32; 4],
    epsilons: [f32; 4],
    beta1: f32,
    beta2: f32,
    unbias1: f32,
    unbias2: f32,
}

impl Adam {
    /// Zero moments for `count` parameters.
    ///
    /// # Errors
    /// Whatever the driver reports about the shader.
    pub fn new(context: &GpuContext, count: u32, config: AdamConfig) -> Result<Self, RenderError> {
        let source = include_str!("../../shaders/adam.wgsl");
        let bytes = 4 * u64::from(count);
        Ok(Self {
            context: context.clone(),
            kernel: Kernel::new(context, "adam", source, &[])?,
            config,
            mean: context.storage_zeroed("adam mean", bytes),
            variance: context.storage_zeroed("adam variance", bytes),
            count,
            steps: 0,
        })
    }

    /// Steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step: `parameters -= rate * m^ / (sqrt(v^) + epsilon)` for each group.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a group beyond the parameters, a rate that is not a
    /// finite non-negative number, or an epsilon that is not a finite positive one;
    /// nothing is changed then.
    pub fn step(
        &mut self,
        parameters: &wgpu::Buffer,
        gradient: &wgpu::Buffer,
        groups: &[AdamGroup],
    ) -> Result<(), RenderError> {
        for group in groups {
            if group.first.checked_add(group.count).is_none_or(|end| end > self.count)
                || !(1..=4).contains(&group.period)
            {
                return Err(RenderError::Invalid(format!(
                    "an Adam group of {} parameters from {} does not fit {} parameters",
                    group.count, group.first, self.count
                )));
            }
            if let Some(rate) = group.rates.iter().find(|r| !r.is_finite() || **r < 0.0) {
                return Err(RenderError::Invalid(format!("a learning rate cannot be {rate}")));
            }
            if let Some(epsilon) = group.epsilons.iter().find(|e| !e.is_finite() || **e <= 0.0) {
                return Err(RenderError::Invalid(format!("Adam's epsilon cannot be {epsilon}")));
            }
        }
        self.steps += 1;
        let unbias = |beta: f32| {
            let power = f64::from(beta).powf(self.steps as f64);
            (1.0 / (1.0 - power)) as f32
        };
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for group in groups.iter().filter(|g| g.count > 0) {
                let settings = self.context.uniform(
                    "adam settings",
                    &Settings {
                        first: group.first,
                        count: group.count,
                        period: group.period,
                        rates: group.rates,
                        epsilons: group.epsilons,
                        beta1: self.config.beta1,
                        beta2: self.config.beta2,
                        unbias1: unbias(self.config.beta1),
                        unbias2: unbias(self.config.beta2),
                        ..Settings::zeroed()
                    },
                );
                let buffers = [&settings, parameters, gradient, &self.mean, &self.variance];
                self.kernel.run(&mut pass, &buffers, groups_for(group.count));
            }
        }
        self.context.queue.submit([encoder.finish()]);
        Ok(())
    }

    /// Reads the moments back.
    ///
    /// # Errors
    /// Device loss.
    pub fn state(&self) -> Result<AdamState, RenderError> {
        Ok(AdamState {
            mean: self.context.read(&self.mean, self.count as usize)?,
            variance: self.context.read(&self.variance, self.count as usize)?,
            steps: self.steps,
        })
    }

    /// Takes over moments that were read back before.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] if they belong to another number of parameters.
    pub fn restore(&mut self, state: &AdamState) -> Result<(), RenderError> {
        let count = self.count as usize;
        if state.mean.len() != count || state.variance.len() != count {
            return Err(RenderError::Invalid(format!(
                "optimiser state for {} and {} parameters does not fit {count} parameters",
                state.mean.len(),
                state.variance.len()
            )));
        }
        let is_sane = state.mean.iter().chain(&state.variance).all(|v| v.is_finite());
        if !is_sane || state.steps > u64::from(u32::MAX) {
            let what = "an optimiser state holds numbers that no optimiser comes to";
            return Err(RenderError::Invalid(what.into()));
        }
        self.context.queue.write_buffer(&self.mean, 0, bytemuck::cast_slice(&state.mean));
        self.context.queue.write_buffer(&self.variance, 0, bytemuck::cast_slice(&state.variance));
        self.steps = state.steps;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_textbook_for_several_steps() {
        let context = GpuContext::new().unwrap();
        let start = [0.5_f32, -1.0, 2.0, 3.0, 0.25, 7.0];
        let parameters = context.storage("parameters", &start);
        let mut adam = Adam::new(&context, 6, AdamConfig::default()).unwrap();
        let rates = [1e-2, 3e-2, 0.0, 0.0];
        let epsilons = [1e-15, 0.5, 1.0, 1.0];
        let groups = [
            AdamGroup { first: 0, count: 4, rates, epsilons, period: 2 },
            AdamGroup { first: 4, count: 1, rates: [1e-3; 4], epsilons: [1e-15; 4], period: 1 },
        ];
        let mut expected = start.map(f64::from);
        let (mut m, mut v) = ([0.0_f64; 6], [0.0_f64; 6]);
        for step in 1..=7_i32 {
            let g: Vec<f32> = (0..6)
                .map(|i| if i == 3 { 0.0 } else { (i as f32 - 2.5) * 10_f32.powi(step - 5) })
                .collect();
            let gradient = context.storage("gradient", &g);
            adam.step(&parameters, &gradient, &groups).unwrap();
            for i in 0..5 {
                let rate = if i == 4 { 1e-3 } else { f64::from(rates[i % 2]) };
                let g = f64::from(g[i]);
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.99 * v[i] + 0.01 * g * g;
                let (m, v) =
                    (m[i] / (1.0 - 0.9_f64.powi(step)), v[i] / (1.0 - 0.99_f64.powi(step)));
                let epsilon = if i == 4 { 1e-15 } else { f64::from(epsilons[i % 2]) };
                expected[i] -= rate * m / (v.sqrt() + epsilon);
            }
        }
        let got: Vec<f32> = context.read(&parameters, 6).unwrap();
        for i in 0..6 {
            assert!((f64::from(got[i]) - expected[i]).abs() < 1e-6, "{i}: {got:?} {expected:?}");
        }
        assert_eq!(got[3], 3.0);
        assert_eq!(got[5], 7.0);
    }

    #[test]
    fn refuses_groups_that_do_not_fit() {
        let context = GpuContext::new().unwrap();
        let buffer = context.storage("parameters", &[0.0_f32; 4]);
        let mut adam = Adam::new(&context, 4, AdamConfig::default()).unwrap();
        let epsilons = [1e-15; 4];
        let group = AdamGroup { first: 2, count: 3, rates: [0.1; 4], epsilons, period: 1 };
        assert!(adam.step(&buffer, &buffer, &[group]).is_err());
        let group = AdamGroup { first: 0, count: 4, rates: [f32::NAN; 4], epsilons, period: 1 };
        assert!(adam.step(&buffer, &buffer, &[group]).is_err());
        let group = AdamGroup { rates: [0.1; 4], epsilons: [0.0; 4], ..group };
        assert!(adam.step(&buffer, &buffer, &[group]).is_err());
        assert_eq!(adam.steps(), 0);
    }
}
