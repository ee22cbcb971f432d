//! What of a surface is under the pointer.

use crate::geometry::TexturedMesh;
use glam::Vec3;

/// Where a ray meets a surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Index of the triangle.
    pub triangle: usize,
    /// World units.
    pub position: Vec3,
    /// The triangle's own unit normal; it looks towards where the ray comes from.
    pub normal: Vec3,
}

/// The nearest triangle that faces the ray's origin; triangles seen from behind and those
/// without area are looked through, as they are when drawn. The direction need not have
/// length 1.
#[must_use]
pub fn pick(mesh: &TexturedMesh, ray: (Vec3, Vec3)) -> Option<Hit> {
    pick_among(&mesh.mesh.positions, &mesh.mesh.triangles, ray)
}

/// [`pick`] among triangles whose vertices are elsewhere than in their mesh. Triangles that
/// name a vertex that is not there are passed over.
#[must_use]
pub fn pick_among(
    positions: &[Vec3],
    triangles: &[[u32; 3]],
    (origin, direction): (Vec3, Vec3),
) -> Option<Hit> {
    let direction = direction.try_normalize()?;
    // In the ray's own coordinates the test is two-dimensional, and each vertex is moved
    // there once instead of once a triangle.
    let (right, up) = direction.any_orthonormal_pair();
    let flat: Vec<Vec3> = positions
        .iter()
        .map(|p| {
            let d = *p - origin;
            Vec3::new(d.dot(right), d.dot(up), d.dot(direction))
        })
        .collect();
    let mut nearest: Option<(f32, usize)> = None;
    for (index, &[a, b, c]) in triangles.iter().enumerate() {
        let corner = |v: u32| flat.get(v as usize);
        let (Some(a), Some(b), Some(c)) = (corner(a), corner(b), corner(c)) else { continue };
        // Twice the signed areas that the ray makes with each side. `right`, `up` and
        // `direction` are right-handed, so seen from the origin a front face runs clockwise.
        let area = |p: &Vec3, q: &Vec3| p.y * q.x - p.x * q.y;
        let (u, v, w) = (area(b, c), area(c, a), area(a, b));
        if u < 0.0 || v < 0.0 || w < 0.0 {
            continue;
        }
        let sum = u + v + w;
        if sum <= 0.0 {
            continue;
        }
        let depth = (a.z * u + b.z * v + c.z * w) / sum;
        if depth > 0.0 && nearest.is_none_or(|(best, _)| depth < best) {
            nearest = Some((depth, index));
        }
    }
    let (depth, triangle) = nearest?;
    let [a, b, c] = triangles[triangle].map(|v| positions[v as usize]);
    let normal = (b - a).cross(c - a).normalize_or(-direction);
    Some(Hit { triangle, position: origin + direction * depth, normal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::{cube, sphere};

    #[test]
    fn the_nearest_front_face_is_hit() {
        let ball = sphere(Vec3::new(0.1, 0.0, 0.0), 0.5, 60, 120);
        for toward in [Vec3::Z, Vec3::X, Vec3::new(0.3, -0.9, 0.2).normalize()] {
            let centre = Vec3::new(0.1, 0.0, 0.0);
            let ray = (centre + toward * 3.0, -toward * 2.0);
            let hit = pick_among(&ball.positions, &ball.triangles, ray).unwrap();
            assert!(hit.position.distance(centre + toward * 0.5) < 2e-3, "{hit:?}");
            assert!(hit.normal.dot(toward) > 0.99);
            let [a, b, c] = ball.corners(hit.triangle);
            assert!(((a + b + c) / 3.0).distance(hit.position) < 0.05);
        }
    }

    #[test]
    fn misses_back_faces_and_what_lies_behind_are_no_hits() {
        let cube = cube(Vec3::ZERO, 0.5);
        let pick =
            |origin, direction| pick_among(&cube.positions, &cube.triangles, (origin, direction));
        assert_eq!(pick(Vec3::new(0.6, 0.0, 3.0), Vec3::NEG_Z), None);
        assert_eq!(pick(Vec3::new(0.1, 0.0, 3.0), Vec3::Z), None);
        // From inside one sees only back faces.
        assert_eq!(pick(Vec3::new(0.1, 0.0, 0.0), Vec3::NEG_Z), None);
        assert_eq!(pick(Vec3::Z, Vec3::ZERO), None);
        assert_eq!(pick(Vec3::Z, Vec3::NAN), None);
        assert!(pick(Vec3::new(0.1, 0.0, 3.0), Vec3::NEG_Z).is_some());
        // Right on the diagonal between two triangles, and through a corner.
        assert!(pick(Vec3::new(0.2, 0.2, 3.0), Vec3::NEG_Z).is_some());
    }

    #[test]
    fn broken_triangles_are_passed_over() {
        let mut cube = cube(Vec3::ZERO, 0.5);
        cube.positions.extend([Vec3::Z, Vec3::Z, Vec3::Z, Vec3::splat(f32::NAN)]);
        cube.triangles.extend([[8, 9, 10], [8, 8, 8], [11, 8, 0], [0, 1, 99]]);
        let ray = (Vec3::Z * 3.0 + Vec3::X * 0.1, Vec3::NEG_Z);
        let hit = pick_among(&cube.positions, &cube.triangles, ray).unwrap();
        assert!(hit.triangle < 12 && (hit.position.z - 0.5).abs() < 1e-6);
        assert!(pick_among(&[], &[], ray).is_none());
    }

    #[test]
    fn it_is_quick() {
        let ball = sphere(Vec3::ZERO, 0.5, 200, 256);
        assert!(ball.triangles.len() > 100_000);
        let start = std::time::Instant::now();
        for _ in 0..10 {
            let ray = (Vec3::Z * 3.0, Vec3::new(0.01, 0.02, -1.0));
            assert!(pick_among(&ball.positions, &ball.triangles, ray).is_some());
        }
        let each = start.elapsed() / 10;
        // A frame of a busy machine; without one it takes about two milliseconds.
        assert!(each.as_millis() < 50, "{each:?}");
    }
}
