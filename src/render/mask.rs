//! Where a scene may change.

use crate::geometry::{GeometryError, ScalarGrid};
use glam::Vec3;

/// Weights within 0 and 1 on a lattice over the scene cube, interpolated in between: 1 where
/// changes come through whole, 0 where nothing changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask(ScalarGrid);

impl Mask {
    /// A mask of `resolution^3` weights in the order of [`ScalarGrid`]; weights out of range are
    /// cut.
    ///
    /// # Errors
    /// As [`ScalarGrid::new`].
    pub fn new(resolution: usize, weights: Vec<f32>) -> Result<Self, GeometryError> {
        let cut = weights.into_iter().map(|w| w.clamp(0.0, 1.0)).collect();
        ScalarGrid::new(resolution, cut).map(Self)
    }

    /// Nodes a side.
    #[must_use]
    pub fn resolution(&self) -> usize {
        self.0.resolution()
    }

    /// The weights.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        self.0.values()
    }

    /// The weight at a point; outside the cube that of the nearest point inside.
    #[must_use]
    pub fn at(&self, point: Vec3) -> f32 {
        self.0.sample(point)
    }
}
