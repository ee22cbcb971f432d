//! How far a head is from another: its colours and its surface.

use crate::eval::pictures::Ring;
use crate::geometry::Mesh;
use crate::head::bvh::Bvh;
use glam::Vec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Points on each surface whose distance to the other is taken.
const POINTS: usize = 20_000;

/// Whether a point of space lies where an edit has nothing to change.
pub type Outside<'a> = &'a (dyn Fn(Vec3) -> bool + Sync);

/// The distance between two heads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// Mean absolute difference of the flat-lit colours in the ring of views, over the pixels
    /// that both heads cover, 0..255.
    pub albedo: f64,
    /// Mean distance of a surface's points to the other surface, both ways, millimetres.
    pub surface_mean: f64,
    /// The distance that 95 % of these points do not exceed, millimetres.
    pub surface_p95: f64,
}

/// A head as far as it is compared.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// The surface, world units.
    pub mesh: &'a Mesh,
    /// Its flat-lit views.
    pub ring: &'a Ring,
}

impl Distances {
    /// Compares two heads, everywhere or only where `outside` holds: of pixels, that is where
    /// it holds for what both heads show there. `None` if there is nothing to compare.
    #[must_use]
    pub fn between(
        before: Compared<'_>,
        after: Compared<'_>,
        metres_per_unit: f32,
        outside: Option<Outside<'_>>,
    ) -> Option<Self> {
        let albedo = albedo(before.ring, after.ring, outside)?;
        let mut all = distances(before.mesh, after.mesh, outside);
        all.extend(distances(after.mesh, before.mesh, outside));
        let (surface_mean, surface_p95) = mean_and_p95(all)?;
        let scale = 1000.0 * f64::from(metres_per_unit);
        Some(Self { albedo, surface_mean: scale * surface_mean, surface_p95: scale * surface_p95 })
    }
}

fn albedo(before: &Ring, after: &Ring, outside: Option<Outside<'_>>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    let points = before.points.iter().zip(&after.points).enumerate();
    for (i, pair) in points {
        let (Some(a), Some(b)) = pair else { continue };
        if outside.is_none_or(|outside| outside(*a) && outside(*b)) {
            let colours = i * 3..i * 3 + 3;
            let (a, b) = (&before.albedo.data[colours.clone()], &after.albedo.data[colours]);
            sum += a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>();
            count += 3;
        }
    }
    (count > 0).then(|| 255.0 * sum / count as f64)
}

/// Distances of points of one surface to another, world units.
fn distances(from: &Mesh, to: &Mesh, outside: Option<Outside<'_>>) -> Vec<f32> {
    let tree = Bvh::new(&to.positions, &to.triangles);
    points(from, POINTS)
        .into_par_iter()
        .filter(|point| outside.is_none_or(|outside| outside(*point)))
        .filter_map(|point| Some(tree.closest(point, None)?.distance))
        .collect()
}

/// Points that lie evenly over a surface, the same ones each time.
fn points(mesh: &Mesh, count: usize) -> Vec<Vec3> {
    let area = |t: usize| 0.5 * f64::from(mesh.area_vector(t).length());
    let mut found = Vec::with_capacity(count);
    let each = mesh.area() / count as f64;
    let mut passed = 0.0;
    for t in 0..mesh.triangles.len() {
        passed += area(t);
        let [a, b, c] = mesh.corners(t);
        while found.len() < count && (found.len() as f64 + 0.5) * each < passed {
            // The plastic number's sequence fills the square evenly; its far half is folded back.
            let k = found.len() as f64;
            let (u, v) =
                ((k * 0.754_877_666_246_692_8).fract(), (k * 0.569_840_290_998_053_3).fract());
            let (u, v) = if u + v > 1.0 { (1.0 - u, 1.0 - v) } else { (u, v) };
            found.push(a + (b - a) * u as f32 + (c - a) * v as f32);
        }
    }
    found
}

fn mean_and_p95(mut values: Vec<f32>) -> Option<(f64, f64)> {
    values.sort_unstable_by(f32::total_cmp);
    let last = values.len().checked_sub(1)?;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
    Some((mean, f64::from(values[(0.95 * last as f64).round() as usize])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ImageBatch;
    use crate::geometry::mesh::samples::sphere;

    /// A ring of one view of `points.len()` pixels in one colour.
    fn ring(grey: f32, points: Vec<Option<Vec3>>) -> Ring {
        Ring { albedo: ImageBatch::filled(1, 1, points.len(), 3, grey), points }
    }

    #[test]
    fn points_lie_on_the_surface_and_evenly() {
        let ball = sphere(Vec3::ZERO, 1.0, 40, 60);
        let found = points(&ball, 4000);
        assert_eq!(found.len(), 4000);
        let top = found.iter().filter(|p| p.y > 0.5).count() as f64 / 4000.0;
        assert!((top - 0.25).abs() < 0.01, "{top}");
        let tree = Bvh::new(&ball.positions, &ball.triangles);
        assert!(found.iter().all(|p| tree.closest(*p, None).unwrap().distance < 1e-5));
        let centre = found.iter().sum::<Vec3>() / 4000.0;
        assert!(centre.length() < 0.02, "{centre}");
    }

    #[test]
    fn known_distances_are_found() {
        let (small, large) =
            (sphere(Vec3::ZERO, 0.5, 120, 160), sphere(Vec3::ZERO, 0.51, 120, 160));
        let point = Some(Vec3::Y);
        let (dark, light) =
            (ring(0.2, vec![point, point, None]), ring(0.6, vec![point, None, point]));
        let of = |a: &Mesh, b: &Mesh| {
            let (before, after) =
                (Compared { mesh: a, ring: &dark }, Compared { mesh: b, ring: &light });
            Distances::between(before, after, 0.2, None).unwrap()
        };
        // A hundredth of a unit is 2 mm; chords of the spheres lie a little inside.
        let apart = of(&small, &large);
        assert!((apart.surface_mean - 2.0).abs() < 0.03, "{apart:?}");
        assert!((apart.surface_p95 - 2.0).abs() < 0.05, "{apart:?}");
        assert!((apart.albedo - 102.0).abs() < 1e-3, "{apart:?}");
        let same = of(&small, &small);
        assert!(same.surface_mean < 1e-4 && same.surface_p95 < 1e-3, "{same:?}");
    }

    #[test]
    fn outside_of_a_region_only_the_rest_counts() {
        let before = sphere(Vec3::ZERO, 0.5, 120, 160);
        // The upper half grows.
        let mut after = before.clone();
        for p in &mut after.positions {
            *p *= 1.0 + 0.1 * p.y.max(0.0);
        }
        let points = vec![Some(Vec3::Y), Some(Vec3::NEG_Y)];
        let (mut old, new) = (ring(0.5, points.clone()), ring(0.5, points));
        old.albedo.data[..3].fill(0.1);
        let between = |outside: Option<Outside<'_>>| {
            let (a, b) =
                (Compared { mesh: &before, ring: &old }, Compared { mesh: &after, ring: &new });
            Distances::between(a, b, 0.1, outside)
        };
        let whole = between(None).unwrap();
        assert!(whole.albedo > 50.0 && whole.surface_mean > 0.3, "{whole:?}");
        let below = between(Some(&|p: Vec3| p.y < -0.01)).unwrap();
        assert!(below.albedo < 1e-6 && below.surface_p95 < 1e-2, "{below:?}");
        assert_eq!(between(Some(&|_| false)), None);
    }
}
