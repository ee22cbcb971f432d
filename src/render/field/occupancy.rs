//! The occupancy grid: which cells of the scene cube are worth sampling.
//!
//! The densities are evaluated on the GPU; the running maxima, the threshold and the
//! dilation are a few million integer operations every few steps and live here.

use super::config::OccupancyConfig;
use super::{Field, FieldConfig};
use crate::render::{GpuContext, RenderError};
use glam::Vec3;

/// The grid on both sides.
#[derive(Debug)]
pub(super) struct Occupancy {
    resolution: u32,
    /// Running maximum of each cell's density, x fastest.
    pub density: Vec<f32>,
    /// Dilated occupancy, one bit a cell.
    pub bits: Vec<u32>,
    pub density_buffer: wgpu::Buffer,
    pub bits_buffer: wgpu::Buffer,
    /// The occupied cells as a lattice, for the smoothness terms.
    pub lattice: Lattice,
}

/// The centres of the occupied cells.
#[derive(Debug)]
pub(super) struct Lattice {
    /// Number of occupied cells.
    pub count: u32,
    /// Index of each.
    pub cells: wgpu::Buffer,
    /// Centre of each.
    pub centres: Vec<Vec3>,
    /// For every cell its place in the list, or `u32::MAX`.
    pub slots: wgpu::Buffer,
}

impl Lattice {
    fn new(context: &GpuContext, bits: &[u32], n: usize) -> Self {
        let mut slots = vec![u32::MAX; 32 * bits.len()];
        let (mut cells, mut centres) = (Vec::new(), Vec::new());
        for (i, slot) in slots.iter_mut().enumerate() {
            if bits[i / 32] >> (i % 32) & 1 == 1 {
                *slot = cells.len() as u32;
                cells.push(i as u32);
                let corner = Vec3::new((i % n) as f32, (i / n % n) as f32, (i / n / n) as f32);
                centres.push((corner + 0.5) * (2.0 / n as f32) - Vec3::ONE);
            }
        }
        let count = cells.len() as u32;
        if cells.is_empty() {
            cells.push(0);
        }
        Self {
            count,
            cells: context.storage("occupied cells", &cells),
            centres,
            slots: context.storage("occupied slots", &slots),
        }
    }
}

impl Occupancy {
    pub fn new(context: &GpuContext, config: &OccupancyConfig) -> Self {
        let cells = (config.resolution as usize).pow(3);
        Self {
            resolution: config.resolution,
            density: vec![0.0; cells],
            lattice: Lattice::new(context, &vec![0; cells / 32], config.resolution as usize),
            bits: vec![0; cells / 32],
            density_buffer: context.storage_zeroed("occupancy density", 4 * cells as u64),
            bits_buffer: context.storage_zeroed("occupancy bits", cells as u64 / 8),
        }
    }

    /// Uploads what the kernels read.
    pub fn publish(&mut self, context: &GpuContext) {
        self.lattice = Lattice::new(context, &self.bits, self.resolution as usize);
        context.queue.write_buffer(&self.density_buffer, 0, bytemuck::cast_slice(&self.density));
        context.queue.write_buffer(&self.bits_buffer, 0, bytemuck::cast_slice(&self.bits));
    }

    /// Takes in fresh densities and decides which cells are occupied.
    fn absorb(&mut self, fresh: &[f32], config: &OccupancyConfig) {
        for (old, new) in self.density.iter_mut().zip(fresh) {
            *old = (*old * config.decay).max(*new);
        }
        let sum: f64 = self.density.iter().map(|d| f64::from(*d)).sum();
        let mean = (sum / self.density.len() as f64) as f32;
        let threshold = mean.min(config.threshold);
        for (word, cells) in self.bits.iter_mut().zip(self.density.chunks_exact(32)) {
            *word =
                cells.iter().enumerate().fold(0, |w, (i, d)| w | u32::from(*d > threshold) << i);
        }
        self.bits = dilate(&self.bits, self.resolution as usize, config.dilation as usize);
    }
}

/// How far the smoothness lattice of a step is shifted, within half a cell of size
/// `spacing` along each axis: a lattice that stood still would let the field hide
/// density between its points.
pub(super) fn lattice_shift(step_key: u64, spacing: f32) -> Vec3 {
    let mut draw = scramble(step_key as u32 ^ scramble((step_key >> 32) as u32 ^ 0x5bd1_e995));
    let mut next = || {
        draw = scramble(draw);
        (draw >> 8) as f32 / 16_777_216.0 - 0.5
    };
    spacing * Vec3::new(next(), next(), next())
}

/// Grows a set of cells by a cube of `radius` cells; `bits` holds rows of `n` cells
/// along x, 32 a word.
fn dilate(bits: &[u32], n: usize, radius: usize) -> Vec<u32> {
    let words = n / 32;
    let along_x: Vec<u32> = (0..bits.len())
        .map(|i| {
            let (row, w) = (i / words * words, i % words);
            let left = if w > 0 { bits[row + w - 1] } else { 0 };
            let right = if w + 1 < words { bits[row + w + 1] } else { 0 };
            let wide = u128::from(left) | u128::from(bits[i]) << 32 | u128::from(right) << 64;
            let grown = (0..=radius).fold(0_u128, |a, r| a | wide << r | wide >> r);
            (grown >> 32) as u32
        })
        .collect();
    let along_y = dilate_axis(&along_x, words, n, radius);
    dilate_axis(&along_y, words * n, n, radius)
}

/// Grows along an axis whose neighbours are `stride` words apart, `n` of them.
fn dilate_axis(bits: &[u32], stride: usize, n: usize, radius: usize) -> Vec<u32> {
    (0..bits.len())
        .map(|i| {
            let at = i / stride % n;
            let base = i - at * stride;
            let (from, to) = (at.saturating_sub(radius), (at + radius).min(n - 1));
            (from..=to).fold(0, |a, k| a | bits[base + k * stride])
        })
        .collect()
}

impl Field {
    /// Refreshes the occupancy grid if `step` is a multiple of its interval; returns
    /// whether it did. Call it before the render of each training step.
    ///
    /// # Errors
    /// Device loss, or a density that is not finite.
    pub fn update_occupancy(&mut self, step: u64) -> Result<bool, RenderError> {
        if !step.is_multiple_of(u64::from(self.config.occupancy.interval)) {
            return Ok(false);
        }
        self.refresh_occupancy(step)?;
        Ok(true)
    }

    /// Share of the scene cube's cells that are sampled.
    #[must_use]
    pub fn occupied_share(&self) -> f32 {
        let ones: u64 = self.occupancy.bits.iter().map(|w| u64::from(w.count_ones())).sum();
        ones as f32 / self.occupancy.density.len() as f32
    }

    pub(super) fn refresh_occupancy(&mut self, step: u64) -> Result<(), RenderError> {
        self.start_lap();
        let FieldConfig { occupancy: config, .. } = self.config.clone();
        let n = config.resolution;
        let key = [self.seed as u32, (self.seed >> 32) as u32, step as u32, (step >> 32) as u32];
        let key = key.into_iter().fold(0x9e37_79b9, |a, k| scramble(a ^ k));
        let cell = move |i: usize| {
            let i = i as u32;
            let corner = Vec3::new((i % n) as f32, (i / n % n) as f32, (i / n / n) as f32);
            let mut draw = scramble(key ^ i);
            let mut next = || {
                draw = scramble(draw);
                (draw >> 8) as f32 / 16_777_216.0
            };
            let jitter = Vec3::new(next(), next(), next());
            (corner + jitter) * (2.0 / n as f32) - Vec3::ONE
        };
        let mut fresh = Vec::with_capacity(self.occupancy.density.len());
        let density = self.config.density.clone();
        self.evaluate_points(self.occupancy.density.len(), cell, |value| {
            fresh.push(density.of_logit(value[0]));
        })?;
        if let Some(i) = fresh.iter().position(|d| !d.is_finite()) {
            return Err(RenderError::Numerical {
                place: "occupancy grid",
                what: format!("the density in cell {i} is {}", fresh[i]),
            });
        }
        self.occupancy.absorb(&fresh, &config);
        self.occupancy.publish(&self.context);
        self.lap("occupancy")
    }
}

/// The same generator as in `common/random.wgsl`.
fn scramble(v: u32) -> u32 {
    let state = v.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

#[cfg(test)]
mod tests {
    use super::dilate;

    #[test]
    fn dilation_grows_a_cell_into_a_cube_and_respects_the_border() {
        let n = 64_usize;
        let at = |x: usize, y: usize, z: usize| x + n * (y + n * z);
        let mut bits = vec![0_u32; n * n * n / 32];
        for (x, y, z) in [(31, 10, 20), (0, 63, 0)] {
            bits[at(x, y, z) / 32] |= 1 << (at(x, y, z) % 32);
        }
        let grown = dilate(&bits, n, 2);
        for z in 0..n {
            for y in 0..n {
                for x in 0..n {
                    let near =
                        |c: [usize; 3]| [x, y, z].iter().zip(c).all(|(a, b)| a.abs_diff(b) <= 2);
                    let expected = near([31, 10, 20]) || near([0, 63, 0]);
                    let got = grown[at(x, y, z) / 32] >> (at(x, y, z) % 32) & 1 == 1;
                    assert_eq!(got, expected, "{x} {y} {z}");
                }
            }
        }
    }
}
