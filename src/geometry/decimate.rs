//! Fewer triangles for the same shape.

use super::mesh::Mesh;
use super::{GeometryError, smooth, topology};
use glam::Vec3;
use meshopt::{SimplifyOptions, SimplifyVertex};

/// Attempts with more and more vertices locked before a mesh is left as it is.
const ATTEMPTS: u32 = 6;

/// Rounds of relaxing the places where collapses folded the surface.
const RELAX_ROUNDS: u32 = 12;

/// A triangle is folded if its normal is this far (cosine) from the normals that its
/// corners had before.
const FOLDED: f32 = 0.3;

/// What a reduction reached.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct DecimateReport {
    /// Triangles asked for.
    pub requested: usize,
    /// Triangles before.
    pub before: usize,
    /// Triangles after.
    pub after: usize,
    /// Deviation that the simplifier reports, world units.
    pub error: f32,
    /// Attempts it took: more than one means that the simplifier tore the surface and had
    /// to be kept away from some places.
    pub attempts: u32,
    /// Vertices that were locked in place for that.
    pub locked_vertices: usize,
    /// Triangles that stand across the surface they stand for, after relaxing.
    pub folds: usize,
    /// Whether every attempt tore the surface, so that nothing was reduced.
    pub gave_up: bool,
}

/// Collapses edges by quadric error until about `triangles` are left or the deviation
/// would exceed `max_error` world units. A closed manifold stays one: where the
/// simplifier would tear or pinch the surface, it is run again with that place locked,
/// and if that does not help the mesh comes back unchanged. The report says so.
///
/// # Errors
/// What [`Mesh::validate`] says; [`GeometryError::Open`] for a mesh that is not closed to
/// begin with; [`GeometryError::Setting`] for an error bound that is not positive.
pub fn decimate(
    mesh: &Mesh,
    triangles: usize,
    max_error: f32,
) -> Result<(Mesh, DecimateReport), GeometryError> {
    mesh.validate()?;
    if max_error.is_nan() || max_error <= 0.0 {
        return Err(GeometryError::Setting("the error bound of a reduction must be positive"));
    }
    let found = topology::check(mesh);
    if !found.is_closed_manifold() {
        return Err(GeometryError::Open(found));
    }
    let mut report = DecimateReport {
        requested: triangles,
        before: mesh.triangles.len(),
        after: mesh.triangles.len(),
        error: 0.0,
        attempts: 0,
        locked_vertices: 0,
        folds: 0,
        gave_up: false,
    };
    if mesh.triangles.len() <= triangles {
        return Ok((mesh.clone(), report));
    }
    let volume = mesh.signed_volume();
    let mut locks = vec![SimplifyVertex::None; mesh.positions.len()];
    while report.attempts < ATTEMPTS {
        report.attempts += 1;
        let (mut reduced, error) = simplify(mesh, &locks, triangles, max_error);
        let defects = topology::defects(&reduced);
        if defects.topology.is_closed_manifold() && reduced.signed_volume() * volume > 0.0 {
            report.after = reduced.triangles.len();
            report.error = error;
            report.folds = relax(&mut reduced, &smooth::vertex_normals(mesh));
            return Ok((reduced.compacted(), report));
        }
        // Lock the torn places and everything within as many rings as attempts made.
        let mut near = vec![false; mesh.positions.len()];
        for &v in &defects.vertices {
            near[v as usize] = true;
        }
        for _ in 0..report.attempts * 2 {
            let last = near.clone();
            for t in &mesh.triangles {
                if t.iter().any(|&v| last[v as usize]) {
                    for &v in t {
                        near[v as usize] = true;
                    }
                }
            }
        }
        for (lock, near) in locks.iter_mut().zip(near) {
            if near {
                *lock = SimplifyVertex::Lock;
            }
        }
        report.locked_vertices = locks.iter().filter(|l| **l != SimplifyVertex::None).count();
    }
    report.gave_up = true;
    Ok((mesh.clone(), report))
}

/// Moves the corners of folded triangles towards their neighbours until they lie flat;
/// returns how many triangles do not. `normals` are those of the surface before.
fn relax(mesh: &mut Mesh, normals: &[Vec3]) -> usize {
    let folded = |mesh: &Mesh| -> Vec<u32> {
        let across = |t: &usize| {
            let face = mesh.area_vector(*t).normalize_or_zero();
            mesh.triangles[*t].iter().any(|&v| normals[v as usize].dot(face) < FOLDED)
        };
        (0..mesh.triangles.len()).filter(across).map(|t| t as u32).collect()
    };
    let mut folds = folded(mesh);
    if folds.is_empty() {
        return 0;
    }
    let (starts, ring) = smooth::vertex_neighbours(mesh);
    for _ in 0..RELAX_ROUNDS {
        let mut moved: Vec<u32> = folds.iter().flat_map(|&t| mesh.triangles[t as usize]).collect();
        moved.sort_unstable();
        moved.dedup();
        let old = mesh.positions.clone();
        for v in moved {
            let around = &ring[starts[v as usize] as usize..starts[v as usize + 1] as usize];
            let mean = around.iter().map(|&u| old[u as usize]).sum::<Vec3>() / around.len() as f32;
            mesh.positions[v as usize] = old[v as usize].lerp(mean, 0.5);
        }
        folds = folded(mesh);
        if folds.is_empty() {
            break;
        }
    }
    folds.len()
}

/// One run of the simplifier; the result names vertices of the input.
fn simplify(
    mesh: &Mesh,
    locks: &[SimplifyVertex],
    triangles: usize,
    max_error: f32,
) -> (Mesh, f32) {
    let indices: Vec<u32> = mesh.triangles.iter().flatten().copied().collect();
    let vertices: Vec<[f32; 3]> = mesh.positions.iter().map(Vec3::to_array).collect();
    let mut error = 0.0;
    let reduced = meshopt::simplify_with_locks_decoder(
        &indices,
        &vertices,
        locks,
        triangles * 3,
        max_error,
        SimplifyOptions::ErrorAbsolute | SimplifyOptions::RegularizeLight,
        Some(&mut error),
    );
    let triangles = reduced.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect();
    (Mesh { positions: mesh.positions.clone(), triangles }, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::{cube, sphere};

    #[test]
    fn a_sphere_keeps_its_shape_and_closedness() {
        let mesh = sphere(Vec3::ZERO, 0.5, 80, 160);
        for target in [10_000, 2000, 500] {
            let (small, report) = decimate(&mesh, target, 0.05).expect("closed");
            assert!(small.triangles.len() <= target, "{report:?}");
            assert_eq!(small.triangles.len(), report.after);
            assert!(topology::check(&small).is_closed_manifold());
            assert!(small.positions.len() == small.triangles.len() / 2 + 2);
            // Vertices stay on the sphere, but for a few where slivers had folded.
            let off = small.positions.iter().filter(|p| (p.length() - 0.5).abs() > 1e-5).count();
            assert!(off * 20 < small.positions.len(), "{off} vertices off, {report:?}");
            assert!(small.positions.iter().all(|p| (p.length() - 0.5).abs() < 0.02));
            assert_eq!(report.folds, 0);
            assert!((small.signed_volume() / mesh.signed_volume() - 1.0).abs() < 0.03);
        }
    }

    #[test]
    fn the_error_bound_stops_the_reduction() {
        let mesh = sphere(Vec3::ZERO, 0.5, 80, 160);
        let (small, report) = decimate(&mesh, 10, 0.001).expect("closed");
        assert!(report.after > 500 && report.error <= 0.001, "{report:?}");
        for t in 0..small.triangles.len() {
            let centre = small.corners(t).iter().sum::<Vec3>() / 3.0;
            assert!(centre.length() > 0.494);
        }
    }

    #[test]
    fn thin_parts_survive_a_harsh_target() {
        // A needle joins two balls: too few triangles would pinch it to a line.
        let shape = |p: Vec3| {
            let ball = (p.abs() - Vec3::X * 0.6).length() - 0.25;
            let needle = Vec3::new(0.0, p.y, p.z).length().max(p.x.abs() - 0.6) - 0.035;
            ball.min(needle)
        };
        let grid = crate::geometry::ScalarGrid::from_fn(72, shape).expect("finite");
        let solid = crate::geometry::cleanup::clean(&grid, &Default::default()).expect("solid");
        let mesh = crate::geometry::extract::march(&grid, &solid);
        for target in [2000, 400, 100] {
            let (small, report) = decimate(&mesh, target, 0.2).expect("closed");
            assert!(topology::check(&small).is_closed_manifold(), "{report:?}");
            assert!(report.gave_up == (small.triangles.len() == mesh.triangles.len()));
        }
    }

    #[test]
    fn folds_are_smoothed_out() {
        let mut mesh = sphere(Vec3::ZERO, 0.5, 20, 40);
        let normals = smooth::vertex_normals(&mesh);
        // Push one vertex over its neighbours.
        mesh.positions[300] = mesh.positions[302] * 0.99;
        let before = topology::check(&mesh);
        assert_eq!(relax(&mut mesh, &normals), 0);
        assert_eq!(topology::check(&mesh), before);
        assert!(mesh.positions.iter().all(|p| (p.length() - 0.5).abs() < 0.02));
    }

    #[test]
    fn open_meshes_are_refused() {
        let mut mesh = cube(Vec3::ZERO, 1.0);
        mesh.triangles.pop();
        assert!(matches!(decimate(&mesh, 4, 0.1), Err(GeometryError::Open(_))));
    }
}
