//! Teeth one by one, along the arcs of the prior's own.

use super::anatomy::Anatomy;
use super::mesh::{StudioMesh, Surface};
use super::paint::Paint;
use crate::head::Part;
use glam::{Affine3A, Mat3, Vec2, Vec3};

/// The outer arc of a jaw, from the middle to the left: (x, z), face coordinates.
const UPPER_ARC: [Vec2; 6] = [
    Vec2::new(0.0, 0.063),
    Vec2::new(0.029, 0.061),
    Vec2::new(0.058, 0.047),
    Vec2::new(0.074, 0.024),
    Vec2::new(0.086, 0.001),
    Vec2::new(0.096, -0.026),
];
const LOWER_ARC: [Vec2; 6] = [
    Vec2::new(0.0, 0.057),
    Vec2::new(0.031, 0.055),
    Vec2::new(0.063, 0.041),
    Vec2::new(0.078, 0.022),
    Vec2::new(0.088, -0.002),
    Vec2::new(0.097, -0.027),
];
/// Widths from the middle outwards.
const UPPER: [f32; 6] = [0.029, 0.024, 0.026, 0.024, 0.024, 0.030];
const LOWER: [f32; 6] = [0.020, 0.021, 0.024, 0.024, 0.025, 0.031];

/// Place and outward direction at an arc length from the middle.
fn along(arc: &[Vec2], mut length: f32) -> (Vec2, Vec2) {
    for pair in arc.windows(2) {
        let step = pair[1] - pair[0];
        let size = step.length();
        if length <= size {
            // Outwards is to the left of the way from the middle to the left molars.
            return (pair[0] + step * (length / size), Vec2::new(-step.y, step.x) / size);
        }
        length -= size;
    }
    let last = arc[arc.len() - 1];
    (last, Vec2::new(1.0, 0.0))
}

/// The frontmost of the prior's vertices of a row, and the rearmost on both sides.
fn corners(anatomy: &Anatomy, own: &[usize]) -> [usize; 3] {
    let most = |score: &dyn Fn(Vec3) -> f32| {
        let best = own
            .iter()
            .copied()
            .max_by(|&a, &b| score(anatomy.at[a]).total_cmp(&score(anatomy.at[b])));
        best.unwrap_or_default()
    };
    [most(&|p| p.z - p.x.abs()), most(&|p| p.x - p.z), most(&|p| -p.x - p.z)]
}

/// A frame that moves, turns and scales with three points of a row.
fn frame([front, left, right]: [Vec3; 3]) -> Affine3A {
    let across = left - right;
    let x = across.normalize_or(Vec3::X);
    let ahead = front - 0.5 * (left + right);
    let z = (ahead - x * ahead.dot(x)).normalize_or(Vec3::Z);
    let axes = Mat3::from_cols(x, z.cross(x), z) * across.length();
    Affine3A::from_mat3_translation(axes, front)
}

/// All visible teeth of a posed head; each moves with the prior vertex nearest to it.
pub(super) fn build(anatomy: &Anatomy, positions: &[Vec3], paint: &Paint) -> StudioMesh {
    let mut mesh = StudioMesh::default();
    let rows = [
        (Part::TeethUpper, UPPER_ARC, UPPER, -0.191, 0.027),
        (Part::TeethLower, LOWER_ARC, LOWER, -0.245, 0.024),
    ];
    for (part, arc, widths, height, half) in rows {
        let own: Vec<usize> =
            (0..anatomy.part.len()).filter(|&i| anatomy.part[i] == part).collect();
        let corners = corners(anatomy, &own);
        let posed = frame(corners.map(|i| positions[i]));
        let rest_inverse = frame(corners.map(|i| anatomy.at[i])).inverse();
        for side in [-1.0_f32, 1.0] {
            let mut from = 0.0;
            for (k, width) in widths.into_iter().enumerate() {
                let (at, out) = along(&arc, from + 0.5 * width);
                from += width;
                let out = Vec3::new(side * out.x, 0.0, out.y).normalize_or(Vec3::Z);
                let centre = Vec3::new(side * at.x, height, at.y) - 0.004 * out;
                let nearest = own.iter().copied().min_by(|&a, &b| {
                    let d = |i: usize| anatomy.at[i].distance_squared(centre);
                    d(a).total_cmp(&d(b))
                });
                let Some(nearest) = nearest else { continue };
                let across = Vec3::Y.cross(out);
                // Canines are longer, back teeth lower.
                let half = half * [1.0, 0.94, 1.03, 0.92, 0.88, 0.85][k];
                let size = Vec3::new(0.47 * width, half, 0.0125);
                let mut tooth = Surface::default();
                tooth.ball(Vec3::ZERO, |ray| {
                    // A box with round edges.
                    let p = (ray.abs() / size).powf(5.0);
                    (p.x + p.y + p.z).powf(-0.2)
                });
                for p in &mut tooth.points {
                    let place = centre + across * p.x + Vec3::Y * p.y + out * p.z;
                    *p = posed.transform_point3(rest_inverse.transform_point3(place));
                }
                let shade = 1.0 - 0.07 * k as f32;
                let mut painted =
                    tooth.paint(|_, p| paint.finish(Vec3::new(0.93, 0.90, 0.83) * shade, p, 0.95));
                painted.bind(|_| Some(nearest as u32));
                mesh.append(&painted);
            }
        }
    }
    mesh
}
