//! The edges of a triangle mesh, each once.

use crate::geometry::Mesh;
use std::collections::HashMap;

/// The edges of a mesh as pairs of vertices, and how long they are on average (world units).
/// An edge along a seam of the texture, where vertices are there twice, is one edge.
pub(super) fn unique_edges(mesh: &Mesh) -> (Vec<[u32; 2]>, f32) {
    let mut first = HashMap::with_capacity(mesh.positions.len());
    let welded: Vec<u32> = mesh
        .positions
        .iter()
        .enumerate()
        // Adding 0 makes -0 the same place as 0.
        .map(|(v, p)| *first.entry((*p + 0.0).to_array().map(f32::to_bits)).or_insert(v as u32))
        .collect();
    let mut edges: Vec<[u32; 2]> = mesh
        .triangles
        .iter()
        .flat_map(|&[a, b, c]| [[a, b], [b, c], [c, a]])
        .map(|[a, b]| {
            let (a, b) = (welded[a as usize], welded[b as usize]);
            [a.min(b), a.max(b)]
        })
        .filter(|[a, b]| a != b)
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let length = |[a, b]: &[u32; 2]| {
        f64::from(mesh.positions[*a as usize].distance(mesh.positions[*b as usize]))
    };
    let mean = edges.iter().map(length).sum::<f64>() / edges.len().max(1) as f64;
    (edges, mean as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::cube;
    use glam::Vec3;

    #[test]
    fn a_cube_has_its_edges_once_also_along_seams() {
        let cube = cube(Vec3::ZERO, 0.5);
        let (edges, length) = unique_edges(&cube);
        // Twelve of the cube and a diagonal of each side.
        assert_eq!(edges.len(), 18);
        assert!((length - (12.0 + 6.0 * 2f32.sqrt()) / 18.0).abs() < 1e-5);
        let split = Mesh {
            positions: (0..12).flat_map(|t| cube.corners(t)).collect(),
            triangles: (0..12).map(|t| [3 * t, 3 * t + 1, 3 * t + 2]).collect(),
        };
        assert_eq!(unique_edges(&split).0.len(), 18);
        assert_eq!(unique_edges(&Mesh::default()), (vec![], 0.0));
    }
}
