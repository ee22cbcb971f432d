//! How the data set looks at people: cameras, light and backgrounds.

use crate::batch::{Light, View, ViewRegion};
use crate::render::camera::Camera;
use glam::Vec3;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

pub(super) fn normal(rng: &mut impl Rng) -> f32 {
    StandardNormal.sample(rng)
}

/// A camera of the embedded model's framing: the given direction and field of view,
/// chin to crown about half of the frame's height. `distance` scales the radius
/// (1 is nominal), `target` moves the point looked at.
#[must_use]
pub fn framed_camera(
    azimuth: f32,
    elevation: f32,
    fov: f32,
    distance: f32,
    target: Vec3,
    size: u32,
) -> Camera {
    let radius = 0.7 / (0.5 * fov).to_radians().tan() * distance;
    Camera::orbit(target, azimuth, elevation, radius, fov, (size, size))
}

/// Share of close-ups of the face.
const CLOSE_UPS: f64 = 0.4;
/// Share of views in flat light: what the pipeline asks for when it learns albedo.
const FLAT: f64 = 0.65;

/// A random view of the data set: camera, light and background. Close-ups show the face
/// from chin to crown over most of the frame, from the front and the sides.
#[must_use]
pub fn framed_view(rng: &mut impl Rng, size: u32) -> (View, [f32; 4]) {
    let close = rng.random_bool(CLOSE_UPS);
    let azimuth: f32 = if close {
        (35.0 * normal(rng)).clamp(-90.0, 90.0)
    } else if rng.random_bool(0.25) {
        rng.random_range(-60.0..60.0)
    } else {
        rng.random_range(-180.0..180.0)
    };
    let elevation = (5.0 + 12.0 * normal(rng)).clamp(-20.0, 40.0);
    let fov = rng.random_range(24.0..34.0_f32);
    let distance =
        if close { rng.random_range(0.58..0.74_f32) } else { rng.random_range(0.95..1.10_f32) };
    let target = Vec3::new(normal(rng), normal(rng), normal(rng))
        .clamp(Vec3::splat(-2.0), Vec3::splat(2.0))
        * 0.02;
    let camera = framed_camera(azimuth, elevation, fov, distance, target, size);
    let light = if rng.random_bool(FLAT) {
        Light::Flat
    } else {
        let spread = Vec3::new(normal(rng), normal(rng), normal(rng));
        let direction = (0.8 * spread - camera.forward).normalize_or(-camera.forward);
        Light::Lambertian { ambient: rng.random_range(0.2..0.9), direction }
    };
    let grey = rng.random_range(0.25..1.0_f32);
    let tint = if rng.random_bool(0.5) { 0.0 } else { 0.05 };
    let background = [0, 1, 2].map(|_| (grey + tint * normal(rng)).clamp(0.2, 1.0));
    let view = View { camera, light, region: ViewRegion::of_azimuth(azimuth), background };
    (view, [azimuth, elevation, camera.position.distance(target), fov])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_holds_the_head_at_half_the_height() {
        for fov in [24.0, 34.0] {
            let camera = framed_camera(0.0, 0.0, fov, 1.0, Vec3::ZERO, 100);
            let top = camera.project(Vec3::new(0.0, 0.35, 0.0)).pixel.y;
            let chin = camera.project(Vec3::new(0.0, -0.35, 0.0)).pixel.y;
            assert!((chin - top - 50.0).abs() < 1e-3, "{top} {chin}");
        }
    }
}
