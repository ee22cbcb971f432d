//! Scalar values on a regular lattice over the scene cube.

use super::GeometryError;
use glam::Vec3;

/// Values at the nodes of a cubic lattice over `[-1, 1]^3`, **negative inside** the
/// solid, like a signed distance. Node `(x, y, z)` of a lattice of resolution `n` sits at
/// `-1 + 2 (x, y, z) / (n - 1)` and is value `(z n + y) n + x`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarGrid {
    resolution: usize,
    values: Vec<f32>,
}

impl ScalarGrid {
    /// Wraps `resolution^3` values.
    ///
    /// # Errors
    /// [`GeometryError::LatticeSize`] for another count or fewer than 4 nodes a side,
    /// [`GeometryError::LatticeValue`] for NaN and infinities.
    pub fn new(resolution: usize, values: Vec<f32>) -> Result<Self, GeometryError> {
        let expected = resolution.saturating_pow(3);
        if values.len() != expected || resolution < 4 {
            return Err(GeometryError::LatticeSize { resolution, expected, actual: values.len() });
        }
        let grid = Self { resolution, values };
        if let Some(node) = grid.values.iter().position(|v| !v.is_finite()) {
            let [x, y, z] = grid.coordinates(node);
            return Err(GeometryError::LatticeValue { x, y, z });
        }
        Ok(grid)
    }

    /// Makes a lattice from densities, which are large inside: the surface lies where
    /// the density equals `threshold`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_density(
        resolution: usize,
        densities: &[f32],
        threshold: f32,
    ) -> Result<Self, GeometryError> {
        Self::new(resolution, densities.iter().map(|d| threshold - d).collect())
    }

    /// Evaluates a function at every node.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_fn(
        resolution: usize,
        value: impl FnMut(Vec3) -> f32,
    ) -> Result<Self, GeometryError> {
        Self::new(resolution, node_positions(resolution).map(value).collect())
    }

    /// Nodes a side.
    #[must_use]
    pub fn resolution(&self) -> usize {
        self.resolution
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Distance between neighbouring nodes, world units.
    #[must_use]
    pub fn spacing(&self) -> f32 {
        2.0 / (self.resolution - 1) as f32
    }

    /// Trilinear interpolation; outside the cube, the nearest value inside.
    #[must_use]
    pub fn sample(&self, point: Vec3) -> f32 {
        let last = (self.resolution - 1) as f32;
        let at = (0.5 * point + 0.5).clamp(Vec3::ZERO, Vec3::ONE) * last;
        let cell = at.floor().min(Vec3::splat(last - 1.0));
        let f = at - cell;
        let first = self.index(cell.to_array().map(|c| c as usize));
        let n = self.resolution;
        let lerp = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let edge = |i: usize| lerp(self.values[i], self.values[i + 1], f.x);
        let face = |i: usize| lerp(edge(i), edge(i + n), f.y);
        lerp(face(first), face(first + n * n), f.z)
    }

    /// Index of a node.
    #[must_use]
    pub fn index(&self, [x, y, z]: [usize; 3]) -> usize {
        (z * self.resolution + y) * self.resolution + x
    }

    /// Lattice coordinates of a node.
    #[must_use]
    pub fn coordinates(&self, node: usize) -> [usize; 3] {
        let n = self.resolution;
        [node % n, node / n % n, node / (n * n)]
    }

    /// World position of a node.
    #[must_use]
    pub fn position(&self, coordinates: [usize; 3]) -> Vec3 {
        lattice_position(self.resolution, coordinates)
    }
}

/// World positions of all nodes in the order of the values.
pub fn node_positions(resolution: usize) -> impl Iterator<Item = Vec3> {
    let n = resolution;
    (0..n * n * n).map(move |i| lattice_position(n, [i % n, i / n % n, i / (n * n)]))
}

fn lattice_position(resolution: usize, coordinates: [usize; 3]) -> Vec3 {
    let scale = 2.0 / (resolution - 1) as f32;
    Vec3::from_array(coordinates.map(|c| c as f32 * scale - 1.0))
}

/// Steps to the lattice neighbours that share an edge of the Kuhn tetrahedra: each axis,
/// the positive face diagonals and the positive body diagonal, and their opposites.
pub(super) const NEIGHBOURS: [[isize; 3]; 14] = [
    [1, 0, 0],
    [0, 1, 0],
    [1, 1, 0],
    [0, 0, 1],
    [1, 0, 1],
    [0, 1, 1],
    [1, 1, 1],
    [-1, 0, 0],
    [0, -1, 0],
    [-1, -1, 0],
    [0, 0, -1],
    [-1, 0, -1],
    [0, -1, -1],
    [-1, -1, -1],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_and_positions_agree() {
        let grid = ScalarGrid::from_fn(5, |p| p.x + 10.0 * p.y + 100.0 * p.z).expect("finite");
        let at = [4, 1, 2];
        let p = grid.position(at);
        assert_eq!(p, Vec3::new(1.0, -0.5, 0.0));
        assert_eq!(grid.values()[grid.index(at)], p.x + 10.0 * p.y + 100.0 * p.z);
        assert_eq!(grid.coordinates(grid.index(at)), at);
    }

    #[test]
    fn bad_values_are_named() {
        let mut values = vec![1.0; 64];
        values[1 + 4 * 2 + 16 * 3] = f32::NAN;
        let error = GeometryError::LatticeValue { x: 1, y: 2, z: 3 };
        assert_eq!(ScalarGrid::new(4, values), Err(error));
        assert!(matches!(
            ScalarGrid::new(4, vec![0.0; 63]),
            Err(GeometryError::LatticeSize { expected: 64, actual: 63, .. })
        ));
    }
}
