//! The field at points of the caller's choice: for mesh extraction, baking and the
//! occupancy grid.

use super::config::{DensityActivation, DensityConfig};
use super::prior::lattice_point;
use super::{Evaluation, Field};
use crate::render::kernel::groups_for;
use crate::render::{GpuContext, RenderError};
use glam::Vec3;

/// Points of one launch.
const BATCH: usize = 1 << 16;

/// The field at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldPoint {
    /// Density, per world unit.
    pub sigma: f32,
    /// The logit that it comes from, prior included: smooth where the density is steep.
    pub logit: f32,
    /// Albedo, sRGB-encoded, `[0, 1]`.
    pub albedo: [f32; 3],
}

/// Density logits at the vertices of a lattice over the scene cube, x fastest, the
/// first and last vertices on its faces.
#[derive(Debug, Clone, PartialEq)]
pub struct DensityLattice {
    /// Vertices a side.
    pub resolution: u32,
    /// `resolution^3` logits, prior included.
    pub logit: Vec<f32>,
}

#[derive(Debug)]
pub(super) struct PointBuffers {
    points: wgpu::Buffer,
    values: wgpu::Buffer,
    /// Bound where the kernel could keep encodings, which a query does not.
    unused: wgpu::Buffer,
}

impl PointBuffers {
    pub fn new(context: &GpuContext) -> Self {
        Self {
            points: context.storage_zeroed("query points", 16 * BATCH as u64),
            values: context.storage_zeroed("query values", 16 * BATCH as u64),
            unused: context.storage_zeroed("unused encodings", 16),
        }
    }
}

impl DensityConfig {
    /// Density, per world unit, of a logit.
    #[must_use]
    pub fn of_logit(&self, logit: f32) -> f32 {
        let t = (-logit.abs()).exp();
        self.scale
            * match self.activation {
                DensityActivation::Softplus => logit.max(0.0) + t.ln_1p(),
                DensityActivation::Sigmoid if logit >= 0.0 => 1.0 / (1.0 + t),
                DensityActivation::Sigmoid => t / (1.0 + t),
            }
    }

    /// The logit of a density: where a surface of this density lies.
    #[must_use]
    pub fn logit_of(&self, sigma: f32) -> f32 {
        let x = f64::from(sigma) / f64::from(self.scale);
        let logit = match self.activation {
            DensityActivation::Softplus => x + (-(-x).exp_m1()).ln(),
            DensityActivation::Sigmoid => (x / (1.0 - x)).ln(),
        };
        logit as f32
    }
}

impl Field {
    /// Evaluates the field at any number of points. Points outside the scene cube take
    /// the value of the nearest point inside.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a point that is not finite; device loss.
    pub fn query(&mut self, points: &[Vec3]) -> Result<Vec<FieldPoint>, RenderError> {
        if let Some(i) = points.iter().position(|p| !p.is_finite()) {
            return Err(RenderError::Invalid(format!("query point {i} is not finite")));
        }
        let mut out = Vec::with_capacity(points.len());
        let density = self.config.density.clone();
        self.evaluate_points(
            points.len(),
            |i| points[i],
            |v| {
                out.push(FieldPoint {
                    sigma: density.of_logit(v[0]),
                    logit: v[0],
                    albedo: [v[1], v[2], v[3]],
                });
            },
        )?;
        Ok(out)
    }

    /// Evaluates the density on a lattice of `resolution` (2..=512) vertices a side.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a resolution out of range; device loss.
    pub fn query_grid(&mut self, resolution: u32) -> Result<DensityLattice, RenderError> {
        if !(2..=512).contains(&resolution) {
            return Err(RenderError::Invalid(format!(
                "a density lattice has 2..=512 vertices a side, not {resolution}"
            )));
        }
        let n = resolution as usize;
        let mut logit = Vec::with_capacity(n * n * n);
        let point = |i: usize| lattice_point(n, i % n, i / n % n, i / n / n);
        self.evaluate_points(n * n * n, point, |v| logit.push(v[0]))?;
        Ok(DensityLattice { resolution, logit })
    }

    /// Runs the field over `count` points and hands (logit, albedo) of each to `sink`,
    /// in order.
    pub(super) fn evaluate_points(
        &mut self,
        count: usize,
        point: impl Fn(usize) -> Vec3,
        mut sink: impl FnMut([f32; 4]),
    ) -> Result<(), RenderError> {
        for first in (0..count).step_by(BATCH) {
            let n = BATCH.min(count - first);
            let points: Vec<[f32; 4]> =
                (first..first + n).map(|i| point(i).extend(0.0).into()).collect();
            let b = &self.points;
            self.context.queue.write_buffer(&b.points, 0, bytemuck::cast_slice(&points));
            let evaluation = self.context.uniform(
                "query",
                &Evaluation {
                    count: n as u32,
                    first: 0,
                    samples: n as u32,
                    stride: 0,
                    prior_weight: self.prior_weight,
                    pad: [0; 3],
                },
            );
            let mut encoder = self.context.device.create_command_encoder(&Default::default());
            self.publish_weights(&mut encoder);
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                self.kernels.evaluate_only.run(
                    &mut pass,
                    &[
                        &evaluation,
                        &self.weights,
                        &self.parameters,
                        &self.distances,
                        &b.points,
                        &b.values,
                        &b.unused,
                    ],
                    groups_for(n as u32),
                );
            }
            self.context.queue.submit([encoder.finish()]);
            for value in self.context.read::<[f32; 4]>(&b.values, n)? {
                sink(value);
            }
        }
        Ok(())
    }
}
