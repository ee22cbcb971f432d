//! Glasses, built on the mean head and warped to the identity.

use super::anatomy::Warp;
use super::mesh::{StudioMesh, Surface};
use super::paint::Paint;
use crate::head::look::{Glasses, Look};
use glam::Vec3;

const EYE_X: f32 = 0.095;
const LENS_Z: f32 = 0.104;

/// Frames, bridge and temples; dark discs for sunglasses.
pub(super) fn build(warp: &Warp, look: &Look, paint: &Paint) -> Option<StudioMesh> {
    if look.glasses == Glasses::None {
        return None;
    }
    let (half_width, half_height, power) = match look.glasses {
        Glasses::Square => (0.078, 0.056, 5.0_f32),
        Glasses::Sun => (0.080, 0.062, 3.0),
        _ => (0.071, 0.067, 2.0),
    };
    let thick = if look.glasses == Glasses::Round { 0.0085 } else { 0.0095 };
    let rim = |side: f32, share: f32, angle: f32| {
        let (s, c) = angle.sin_cos();
        let scale = (c.abs().powf(power) + s.abs().powf(power)).powf(-1.0 / power) * share;
        let x = EYE_X * 1.04 + half_width * c * scale;
        // The front bends round the face a little.
        Vec3::new(
            side * x,
            -0.016 + half_height * s * scale,
            LENS_Z - 0.9 * (x - 0.03).max(0.0).powi(2),
        )
    };
    let mut frame = Surface::default();
    for side in [-1.0, 1.0] {
        let ring: Vec<Vec3> = (0..36)
            .map(|k| warp.apply(rim(side, 1.0, side * std::f32::consts::TAU * k as f32 / 36.0)))
            .collect();
        frame.tube(&ring, thick, true);
        let hinge = rim(side, 1.0, 0.35);
        let temple = [
            hinge,
            Vec3::new(side * 0.206, 0.016, 0.035),
            Vec3::new(side * 0.236, 0.018, -0.06),
            Vec3::new(side * 0.252, 0.014, -0.15),
            Vec3::new(side * 0.256, 0.000, -0.225),
            Vec3::new(side * 0.252, -0.035, -0.27),
        ]
        .map(|p| warp.apply(p));
        frame.tube(&temple, thick * 0.95, false);
    }
    let inner = rim(1.0, 1.0, std::f32::consts::PI - 0.30);
    let bridge: Vec<Vec3> = (0..7)
        .map(|k| {
            let t = k as f32 / 3.0 - 1.0;
            warp.apply(Vec3::new(
                inner.x * t,
                inner.y + 0.010 * (1.0 - t * t),
                LENS_Z + 0.012 * (1.0 - t * t),
            ))
        })
        .collect();
    frame.tube(&bridge, thick, false);
    let mut mesh = frame.paint(|_, _| paint.finish(paint.glasses, Vec3::ZERO, 0.55));
    if look.glasses == Glasses::Sun {
        let mut lenses = Surface::default();
        for side in [-1.0_f32, 1.0] {
            lenses.grid(4, 28, true, |r, c| {
                let angle = side * std::f32::consts::TAU * c as f32 / 28.0;
                warp.apply(rim(side, r as f32 / 3.0, angle))
            });
        }
        mesh.append(&lenses.paint(|_, _| paint.finish(Vec3::splat(0.045), Vec3::ZERO, 0.4)));
    }
    Some(mesh)
}
