//! The head prior as the field sees it: signed distances on a lattice.

use crate::render::RenderError;
use glam::Vec3;

/// Signed distances (negative inside, world units) to the prior's surface at the
/// vertices of a lattice over `[-1, 1]^3`, x fastest. The shader interpolates the
/// distance, which is smooth, and computes the steep density terms from it.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorGrid {
    resolution: u32,
    values: Vec<f32>,
}

impl PriorGrid {
    /// Samples a signed distance function at `resolution` vertices a side (2..=256).
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a resolution out of range or a distance that is
    /// not finite.
    pub fn from_distance(
        resolution: u32,
        distance: impl Fn(Vec3) -> f32,
    ) -> Result<Self, RenderError> {
        check_resolution(resolution)?;
        let n = resolution as usize;
        let mut values = Vec::with_capacity(n * n * n);
        for z in 0..n {
            for y in 0..n {
                for x in 0..n {
                    values.push(distance(lattice_point(n, x, y, z)));
                }
            }
        }
        Self::from_values(resolution, values)
    }

    /// Takes distances that were sampled before, in the order of the struct's docs.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a wrong length or a value that is not finite.
    pub fn from_values(resolution: u32, values: Vec<f32>) -> Result<Self, RenderError> {
        check_resolution(resolution)?;
        let expected = (resolution as usize).pow(3);
        if values.len() != expected {
            return Err(RenderError::Invalid(format!(
                "a prior grid of resolution {resolution} needs {expected} distances, not {}",
                values.len()
            )));
        }
        if let Some(i) = values.iter().position(|v| !v.is_finite()) {
            return Err(RenderError::Invalid(format!(
                "the prior's distance at lattice point {i} is not finite"
            )));
        }
        Ok(Self { resolution, values })
    }

    /// Vertices a side.
    #[must_use]
    pub fn resolution(&self) -> u32 {
        self.resolution
    }

    /// The distances.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Vertex `(x, y, z)` of a lattice of `n` vertices a side over `[-1, 1]^3`.
pub(super) fn lattice_point(n: usize, x: usize, y: usize, z: usize) -> Vec3 {
    let scale = 2.0 / (n as f32 - 1.0);
    Vec3::new(x as f32, y as f32, z as f32) * scale - Vec3::ONE
}

fn check_resolution(resolution: u32) -> Result<(), RenderError> {
    if (2..=256).contains(&resolution) {
        Ok(())
    } else {
        Err(RenderError::Invalid(format!(
            "a prior grid's resolution must be 2..=256, not {resolution}"
        )))
    }
}
