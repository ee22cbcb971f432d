//! Smoothing of positions and normals.

use super::mesh::Mesh;
use glam::Vec3;

/// Taubin's inward step.
const LAMBDA: f32 = 0.5;
/// Taubin's outward step; with [`LAMBDA`] a pass band of 0.1.
const MU: f32 = -0.526;

/// Smooths positions by alternating shrinking and growing Laplacian steps (Taubin 1995,
/// uniform weights), which removes the lattice's facets but keeps the volume.
pub fn taubin(mesh: &mut Mesh, rounds: u32) {
    if rounds == 0 {
        return;
    }
    let (starts, ring) = vertex_neighbours(mesh);
    for _ in 0..rounds {
        for step in [LAMBDA, MU] {
            let old = mesh.positions.clone();
            for (v, p) in mesh.positions.iter_mut().enumerate() {
                let around = &ring[starts[v] as usize..starts[v + 1] as usize];
                if around.is_empty() {
                    continue;
                }
                let sum: Vec3 = around.iter().map(|&u| old[u as usize]).sum();
                *p += step * (sum / around.len() as f32 - *p);
            }
        }
    }
}

/// The vertices joined to each vertex by an edge, ascending: those of vertex `v` are
/// `ring[starts[v]..starts[v + 1]]`.
#[must_use]
pub fn vertex_neighbours(mesh: &Mesh) -> (Vec<u32>, Vec<u32>) {
    let mut pairs: Vec<(u32, u32)> = mesh
        .triangles
        .iter()
        .flat_map(|&[a, b, c]| [(a, b), (b, a), (b, c), (c, b), (c, a), (a, c)])
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut starts = vec![0u32; mesh.positions.len() + 1];
    for (v, _) in &pairs {
        starts[*v as usize + 1] += 1;
    }
    for v in 0..mesh.positions.len() {
        starts[v + 1] += starts[v];
    }
    (starts, pairs.into_iter().map(|(_, u)| u).collect())
}

/// Smooth unit normals: the normals of the triangles round each vertex, weighted by area
/// and by the angle that they take up there. The angle makes them independent of how a
/// flat area is split; the area keeps slivers, whose normals mean nothing, from counting.
/// Vertices without area point up.
#[must_use]
pub fn vertex_normals(mesh: &Mesh) -> Vec<Vec3> {
    let mut normals = vec![Vec3::ZERO; mesh.positions.len()];
    for (t, corners) in mesh.triangles.iter().enumerate() {
        let face = mesh.area_vector(t);
        let p = mesh.corners(t);
        for c in 0..3 {
            let u = (p[(c + 1) % 3] - p[c]).normalize_or_zero();
            let v = (p[(c + 2) % 3] - p[c]).normalize_or_zero();
            let angle = u.dot(v).clamp(-1.0, 1.0).acos();
            normals[corners[c] as usize] += face * angle;
        }
    }
    normals.into_iter().map(|n| n.try_normalize().unwrap_or(Vec3::Y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::{cube, sphere};

    #[test]
    fn smoothing_keeps_volume_and_removes_noise() {
        let mut mesh = sphere(Vec3::ZERO, 0.5, 48, 96);
        let roughness =
            |m: &Mesh| m.positions.iter().map(|p| (p.length() - 0.5).abs()).fold(0.0, f32::max);
        let volume = mesh.signed_volume();
        for (i, p) in mesh.positions.iter_mut().enumerate() {
            *p *= 1.0 + 0.02 * if i % 2 == 0 { 1.0 } else { -1.0 };
        }
        let before = roughness(&mesh);
        taubin(&mut mesh, 10);
        assert!(roughness(&mesh) < 0.6 * before, "{} of {before}", roughness(&mesh));
        assert!((mesh.signed_volume() / volume - 1.0).abs() < 0.01);
    }

    #[test]
    fn slivers_do_not_bend_normals() {
        // A flat square whose middle vertex is the blunt corner of a tilted needle.
        let mut mesh = Mesh {
            positions: [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)]
                .map(|(x, z)| Vec3::new(x, 0.0, z))
                .to_vec(),
            triangles: vec![[0, 2, 1], [0, 3, 2], [0, 1, 4], [0, 4, 3]],
        };
        mesh.positions.extend([Vec3::new(0.5, -0.01, 0.5), Vec3::new(-0.5, 0.01, -0.499)]);
        mesh.triangles.push([0, 5, 6]);
        assert!(vertex_normals(&mesh)[0].y > 0.999);
    }

    #[test]
    fn normals_of_a_sphere_and_a_cube() {
        let mesh = sphere(Vec3::ZERO, 0.5, 40, 80);
        for (n, p) in vertex_normals(&mesh).iter().zip(&mesh.positions) {
            assert!(n.dot(p.normalize()) > 0.999);
        }
        // Angle weights: the diagonals of the cube's faces make no difference.
        let mesh = cube(Vec3::ZERO, 1.0);
        for (n, p) in vertex_normals(&mesh).iter().zip(&mesh.positions) {
            assert!((*n - p.normalize()).length() < 1e-6);
        }
    }
}
