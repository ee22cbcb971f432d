//! Fewer triangles for the same shape.

use super::mesh::Mesh;
use super::{GeometryError, topology};
use meshopt::{SimplifyOptions, SimplifyVertex, VertexDataAdapter};

/// Attempts with more and more vertices locked before a mesh is left as it is.
const ATTEMPTS: u32 = 6;

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
        gave_up: false,
    };
    if mesh.triangles.len() <= triangles {
        return Ok((mesh.clone(), report));
    }
    let volume = mesh.signed_volume();
    let mut locks = vec![SimplifyVertex::None; mesh.positions.len()];
    while report.attempts < ATTEMPTS {
        report.attempts += 1;
        let (reduced, error) = simplify(mesh, &locks, triangles, max_error);
        let defects = topology::defects(&reduced);
        if defects.topology.is_closed_manifold() && reduced.signed_volume() * volume > 0.0 {
            report.after = reduced.triangles.len();
            report.error = error;
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

/// One run of the simplifier; the result names vertices of the input.
fn simplify(
    mesh: &Mesh,
    locks: &[SimplifyVertex],
    triangles: usize,
    max_error: f32,
) -> (Mesh, f32) {
    let indices: Vec<u32> = mesh.triangles.iter().flatten().copied().collect();
    let stride = size_of::<glam::Vec3>();
    let bytes = bytemuck::cast_slice(&mesh.positions);
    let Ok(vertices) = VertexDataAdapter::new(bytes, stride, 0) else {
        // Only a stride that does not divide the data fails, and it does.
        return (mesh.clone(), 0.0);
    };
    let mut error = 0.0;
    let reduced = meshopt::simplify_with_locks(
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
