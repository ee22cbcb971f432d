//! From image gradients to parameter gradients.

use super::forward::Pending;
use super::layout::TAPE_STRIDE;
use super::{Evaluation, Field};
use crate::render::RenderError;
use crate::render::kernel::groups_for;
use crate::render::upstream::interleave;
use bytemuck::Zeroable;

/// Gradients of one evaluation beyond this are errors: sums of them, squared by the
/// optimiser, would leave the range of `f32`.
const LARGEST_GRADIENT: f32 = 1e12;

/// What a backward pass saw; the regularisers' values are unweighted means.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BackwardStats {
    /// Evaluations that were differentiated.
    pub evaluations: u64,
    /// Mean entropy of a sample's weight, bits.
    pub entropy: f32,
    /// Mean orientation penalty of a sample (0 without normals).
    pub orientation: f32,
    /// Mean of `A (1 - A)` over the rays.
    pub binarise: f32,
    /// Bound on the largest gradient of an encoded feature.
    pub largest_gradient: f32,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct LatticeUniform {
    count: u32,
    first: u32,
    side: u32,
    pad: u32,
    area: f32,
    roughness: f32,
    pad0: [f32; 2],
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct Smooth {
    offset: u32,
    side: u32,
    pad: [u32; 2],
    absolute: [f32; 4],
    squared: [f32; 4],
}

impl Field {
    /// Adds to the parameters' gradient that of
    /// `sum(d_color * color) + sum(d_opacity * opacity)` and of the regularisers, for
    /// the last training render. `d_color` is laid out like the images, `d_opacity` has
    /// one value a pixel.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] without a training render or for wrong lengths,
    /// [`RenderError::Numerical`] for values that are not finite, here or on the way.
    pub fn backward(
        &mut self,
        d_color: &[f32],
        d_opacity: Option<&[f32]>,
    ) -> Result<BackwardStats, RenderError> {
        let Some(pending) = self.pending.take() else {
            return Err(RenderError::Invalid(
                "there is no training render to differentiate: render first".into(),
            ));
        };
        let upstream = interleave(pending.composite.rays as usize, d_color, d_opacity)?;
        self.start_lap();
        let queue = self.context.queue.clone();
        queue.write_buffer(&self.rays.upstream, 0, bytemuck::cast_slice(&upstream));

        if pending.evaluations > 0 {
            self.pull_to_encodings(&pending)?;
            self.scatter(pending.composite.samples, pending.evaluations)?;
        }
        self.smooth();
        self.lap("smooth")?;

        let mut stats = BackwardStats {
            evaluations: u64::from(pending.evaluations),
            ..regulariser_values(&pending)
        };
        if pending.evaluations > 0 {
            stats.largest_gradient = self.largest_gradient()?;
        }
        Ok(stats)
    }

    /// The bound on the encodings' gradients that the last backward pass found.
    ///
    /// # Errors
    /// [`RenderError::Numerical`] if one of them is no number or too large.
    pub(super) fn largest_gradient(&self) -> Result<f32, RenderError> {
        let levels = self.layout.levels.len();
        let maxima: Vec<f32> = self.context.read(&self.maxima, levels + 1)?;
        if let Some(i) = maxima.iter().position(|m| m.is_nan() || *m > LARGEST_GRADIENT) {
            let place =
                if i < levels { "gradient of a grid level" } else { "gradient of the outputs" };
            return Err(RenderError::Numerical {
                place,
                what: format!("a value of {:e} where {LARGEST_GRADIENT:e} is the most", maxima[i]),
            });
        }
        Ok(maxima[..levels].iter().copied().fold(0.0, f32::max))
    }

    /// The gradient collected so far: grid features level by level, then the network.
    ///
    /// # Errors
    /// Device loss.
    pub fn gradient(&self) -> Result<Vec<f32>, RenderError> {
        self.context.read(&self.gradient, self.layout.parameters() as usize)
    }

    /// Compositing and network adjoints, with the weight gradients.
    fn pull_to_encodings(&mut self, pending: &Pending) -> Result<(), RenderError> {
        let composite = self.context.uniform("composite", &pending.composite);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.maxima, 0, None);
        {
            let s = &self.samples;
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.kernels.composite_adjoint.run(
                &mut pass,
                &[
                    &composite,
                    &pending.views,
                    &self.rays.offsets,
                    &s.values,
                    &s.shares,
                    &self.rays.rendered,
                    &self.rays.upstream,
                    &s.value_gradients,
                ],
                groups_for(pending.composite.rays),
            );
        }
        self.context.queue.submit([encoder.finish()]);
        self.smooth_lattice(pending);
        self.lap("composite adjoint")?;
        self.pull_through_network(pending.composite.samples, pending.evaluations, true)
    }

    /// The network's adjoint, with the weight gradients if they are wanted: from the gradients of
    /// the outputs of all evaluations to those of their encodings.
    pub(super) fn pull_through_network(
        &mut self,
        samples: u32,
        evaluations: u32,
        weights: bool,
    ) -> Result<(), RenderError> {
        let whole = self.evaluation(samples, evaluations);
        let (train, fused) = (self.config.mlp.train, self.layout.fused());
        let batch = if train && !fused { TAPE_STRIDE } else { evaluations };
        for first in (0..evaluations).step_by(batch as usize) {
            let count = batch.min(evaluations - first);
            let evaluation =
                self.context.uniform("evaluation", &Evaluation { count, first, ..whole });
            let s = &self.samples;
            let mut encoder = self.context.device.create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                self.kernels.network_adjoint.run(
                    &mut pass,
                    &[
                        &evaluation,
                        &self.weights,
                        &s.encodings,
                        &s.value_gradients,
                        &s.encoding_gradients,
                        &self.maxima,
                        if fused { &self.partials } else { &self.tape },
                    ],
                    groups_for(if train && fused { self.layout.stripes() } else { count }),
                );
            }
            self.context.queue.submit([encoder.finish()]);
            self.lap("network adjoint")?;
            if train && weights {
                self.weight_gradient(&evaluation)?;
            }
        }
        Ok(())
    }

    /// The gradient of the lattice's smoothness.
    fn smooth_lattice(&self, pending: &Pending) {
        if pending.lattice == 0 {
            return;
        }
        let side = self.config.occupancy.resolution;
        let spacing = 2.0 / side as f32;
        let uniform = self.context.uniform(
            "lattice",
            &LatticeUniform {
                count: pending.lattice,
                first: pending.samples,
                side,
                pad: 0,
                area: self.regularisers.area * spacing * spacing,
                roughness: self.regularisers.roughness * spacing,
                pad0: [0.0; 2],
            },
        );
        let (l, s) = (&self.occupancy.lattice, &self.samples);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.kernels.smooth_lattice.run(
                &mut pass,
                &[&uniform, &l.cells, &l.slots, &s.values, &s.value_gradients],
                groups_for(pending.lattice),
            );
        }
        self.context.queue.submit([encoder.finish()]);
    }

    /// Adds up the weight gradients of one batch, from the tape or from registers.
    fn weight_gradient(&mut self, evaluation: &wgpu::Buffer) -> Result<(), RenderError> {
        let tiles = self.layout.tiles().len() as u32 / 3;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            if !self.layout.fused() {
                let [x, ..] = groups_for(self.layout.stripes());
                self.kernels.weight_gradient.run(
                    &mut pass,
                    &[evaluation, &self.tiles, &self.tape, &self.partials],
                    [x, 1, tiles],
                );
            }
            self.kernels.weight_sum.run(
                &mut pass,
                &[&self.partials, &self.gradient],
                groups_for(self.layout.mlp_vectors),
            );
        }
        self.context.queue.submit([encoder.finish()]);
        self.lap("weight gradient")
    }

    /// Adds the encoding gradients to the grid's.
    pub(super) fn scatter(&mut self, samples: u32, evaluations: u32) -> Result<(), RenderError> {
        let evaluation = self.context.uniform("evaluation", &self.evaluation(samples, evaluations));
        let s = &self.samples;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for level in &self.levels {
                self.kernels.scatter.run(
                    &mut pass,
                    &[
                        &evaluation,
                        level,
                        &s.samples,
                        &s.encoding_gradients,
                        &self.maxima,
                        &self.low,
                        &self.high,
                    ],
                    groups_for(evaluations),
                );
            }
        }
        self.context.queue.submit([encoder.finish()]);
        self.lap("scatter")?;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (uniform, level) in self.levels.iter().zip(&self.layout.levels) {
                self.kernels.gather.run(
                    &mut pass,
                    &[uniform, &self.maxima, &self.low, &self.high, &self.gradient],
                    groups_for(level.entries * self.layout.features),
                );
            }
        }
        self.context.queue.submit([encoder.finish()]);
        self.lap("gather")
    }

    /// Adds the gradient of the smoothness of the dense levels.
    pub(super) fn smooth(&self) {
        let reg = &self.regularisers;
        let features = self.layout.features as usize;
        let weights = reg.smooth_absolute[..features].iter().chain(&reg.smooth_squared[..features]);
        if weights.copied().all(|w| w == 0.0) {
            return;
        }
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for level in self.layout.levels.iter().filter(|l| l.dense) {
                let side = level.resolution + 1;
                // Pairs of neighbours along one axis.
                let pairs = side as f32 * side as f32 * level.resolution as f32;
                let smooth = Smooth {
                    offset: level.offset,
                    side,
                    pad: [0; 2],
                    absolute: reg.smooth_absolute.map(|w| w / pairs),
                    squared: reg.smooth_squared.map(|w| w / pairs),
                };
                let uniform = self.context.uniform("smooth", &smooth);
                self.kernels.smooth.run(
                    &mut pass,
                    &[&uniform, &self.parameters, &self.gradient],
                    groups_for(level.entries),
                );
            }
        }
        self.context.queue.submit([encoder.finish()]);
    }
}

fn regulariser_values(pending: &Pending) -> BackwardStats {
    let mut sums = [0.0_f64; 3];
    for [opacity, entropy, orientation] in &pending.rays {
        sums[0] += f64::from(*entropy);
        sums[1] += f64::from(*orientation);
        sums[2] += f64::from(opacity * (1.0 - opacity));
    }
    let samples = f64::from(pending.samples.max(1));
    BackwardStats {
        entropy: (sums[0] / samples) as f32,
        orientation: (sums[1] / samples) as f32,
        binarise: (sums[2] / pending.rays.len().max(1) as f64) as f32,
        ..BackwardStats::default()
    }
}
