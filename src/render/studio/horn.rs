//! Two horns on the forehead.

use super::anatomy::Warp;
use super::mesh::{StudioMesh, Surface};
use super::paint::Paint;
use crate::head::look::Look;
use glam::Vec3;

const BONE: Vec3 = Vec3::new(0.36, 0.30, 0.24);
const STEPS: usize = 22;

/// The horns' mesh: from the forehead outwards, then up and back to a point.
pub(super) fn build(warp: &Warp, look: &Look, paint: &Paint) -> Option<StudioMesh> {
    if !look.horns {
        return None;
    }
    let mut surface = Surface::default();
    for side in [-1.0_f32, 1.0] {
        let path: Vec<Vec3> = (0..STEPS)
            .map(|k| {
                let t = k as f32 / (STEPS - 1) as f32;
                let bend = (2.1 * t).sin();
                warp.apply(Vec3::new(
                    side * (0.115 + 0.13 * bend),
                    0.235 + 0.33 * t - 0.03 * bend,
                    0.005 + 0.05 * bend - 0.15 * t * t,
                ))
            })
            .collect();
        surface.swept(&path, 12, false, |k| {
            let t = k as f32 / (STEPS - 1) as f32;
            // Rings grow along the horn.
            0.050 * (1.0 - t).powf(0.8) * (1.0 + 0.06 * (34.0 * t).sin())
        });
    }
    Some(surface.paint(|k, p| {
        let t = ((k / 12) % STEPS) as f32 / (STEPS - 1) as f32;
        let shade = 1.0 - 0.35 * t + 0.10 * (34.0 * t).sin();
        paint.finish(BONE * shade, p, 0.85)
    }))
}
