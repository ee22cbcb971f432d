//! Ears that are drawn out to points, and what hangs on them.

use super::anatomy::Anatomy;
use super::mesh::{StudioMesh, Surface};
use super::noise::step;
use super::paint::Paint;
use crate::head::Region;
use crate::head::look::{Earrings, Ears, Look};
use glam::Vec3;

/// How much thicker points are than an ear's rim on each side: they must not fall through the
/// lattices that heads are optimised on.
const THICKER: f32 = 0.014;

/// Draws the ears of a head out to points: up, back and out, most at the upper rim.
pub(super) fn point(anatomy: &Anatomy, look: &Look, positions: &mut [Vec3]) {
    if look.ears != Ears::Pointed {
        return;
    }
    // Hair that is tucked behind them must not swallow their tips.
    let by = if look.has_falling_hair() {
        Vec3::new(0.14, 0.14, -0.07)
    } else {
        Vec3::new(0.10, 0.15, -0.10)
    };
    let ears = anatomy.model.region(Region::Ears);
    let mut pulls = vec![0.0_f32; positions.len()];
    for (i, position) in positions.iter_mut().enumerate() {
        let p = anatomy.at[i];
        if ears[i] <= 0.0 {
            continue;
        }
        let height = step(-0.045, 0.065, p.y);
        let rim = step(0.225, 0.285, p.x.abs()).max(0.25);
        pulls[i] = ears[i] * height * height * rim;
        *position += Vec3::new(p.x.signum() * by.x, by.y, by.z) * pulls[i];
    }
    let normals = anatomy.model.normals(positions);
    for ((position, normal), pull) in positions.iter_mut().zip(&normals).zip(&pulls) {
        *position += *normal * THICKER * step(0.0, 0.25, *pull);
    }
}

/// The vertex at the lobe's lower end on one side.
fn lobe(anatomy: &Anatomy, side: f32) -> Option<usize> {
    let ears = anatomy.model.region(Region::Ears);
    (0..anatomy.at.len())
        .filter(|&i| ears[i] > 0.5 && anatomy.at[i].x * side > 0.0)
        .min_by(|&a, &b| anatomy.at[a].y.total_cmp(&anatomy.at[b].y))
}

/// Golden hoops or silver beads at the lobes of a posed head.
pub(super) fn rings(
    anatomy: &Anatomy,
    positions: &[Vec3],
    look: &Look,
    paint: &Paint,
) -> Option<StudioMesh> {
    const HOOP: f32 = 0.052;
    let colour = match look.earrings {
        Earrings::None => return None,
        Earrings::Hoops => Vec3::new(0.90, 0.70, 0.22),
        Earrings::Studs => Vec3::new(0.86, 0.88, 0.92),
    };
    let mut surface = Surface::default();
    for side in [-1.0, 1.0] {
        let at = positions[lobe(anatomy, side)?] + Vec3::new(side * 0.008, 0.012, 0.0);
        if look.earrings == Earrings::Studs {
            surface.ball(at + Vec3::new(side * 0.006, 0.0, 0.006), |_| 0.020);
            continue;
        }
        let ring: Vec<Vec3> = (0..24)
            .map(|k| {
                let (s, c) = (std::f32::consts::TAU * k as f32 / 24.0).sin_cos();
                at + HOOP * Vec3::new(0.45 * s * side, c - 0.9, 0.9 * s)
            })
            .collect();
        surface.tube(&ring, 0.0085, true);
    }
    Some(surface.paint(|_, p| paint.finish(colour, p, 0.95)))
}
