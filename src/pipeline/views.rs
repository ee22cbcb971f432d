//! Which cameras, lights and backgrounds a step sees.

use crate::batch::{Light, View, ViewRegion};
use crate::render::camera::Camera;
use glam::Vec3;
use rand::Rng;
use rand_distr::{Distribution, Normal, StandardNormal};
use serde::{Deserialize, Serialize};

/// Distance of the camera from its target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distance {
    /// Uniform in `[low, high]` world units, whatever the field of view (the paper's).
    Radius([f32; 2]),
    /// So that the frame is this many world units high at the target, times a factor
    /// uniform in `[0.95, 1.1]`.
    FrameHeight(f32),
}

/// Elevation of the camera, degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Elevation {
    /// Uniform in `[low, high]`.
    Uniform([f32; 2]),
    /// Normal with mean and standard deviation, clamped to `[low, high]`.
    Normal([f32; 4]),
}

/// How the views of a step are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewConfig {
    /// Views of one step.
    pub count: usize,
    /// Height and width of the rendered images, pixels.
    pub size: u32,
    /// Weights of the regions front, back, left, right.
    pub region_weights: [f32; 4],
    /// See [`Distance`].
    pub distance: Distance,
    /// Vertical field of view `[low, high]`, degrees.
    pub fov: [f32; 2],
    /// See [`Elevation`].
    pub elevation: Elevation,
    /// Standard deviation of the target's position, world units.
    pub target_jitter: f32,
    /// Share of views lit by a random light; the others show albedo only.
    pub lit: f32,
    /// Background grey `[low, high]`, sRGB-encoded.
    pub background: [f32; 2],
}

/// Azimuth ranges of front, back, left and right, degrees (method: front 35 to either
/// side, back 145..215, left 35..145, right 215..325).
const REGIONS: [(ViewRegion, [f32; 2]); 4] = [
    (ViewRegion::Front, [-35.0, 35.0]),
    (ViewRegion::Back, [145.0, 215.0]),
    (ViewRegion::Left, [35.0, 145.0]),
    (ViewRegion::Right, [215.0, 325.0]),
];

/// Ambient share of a random light (method section 2: U[0.1, 1]); the studio's.
const AMBIENT: [f32; 2] = [0.45, 0.75];

/// Draws the views of one step; a function of the seed and the step alone.
#[must_use]
pub fn sample(config: &ViewConfig, seed: u64, stage: &str, step: u64) -> Vec<View> {
    let mut rng = crate::rng::stream(seed, stage, step, "views");
    // Stratified over the regions: consecutive views of consecutive steps walk through
    // the weights, so that no side waits long for its turn.
    let total: f32 = config.region_weights.iter().sum();
    let start: f32 = rng.random();
    (0..config.count)
        .map(|i| {
            let mut position = (start + i as f32 / config.count as f32).fract() * total;
            let (region, [low, high]) = *REGIONS
                .iter()
                .zip(&config.region_weights)
                .find(|(_, weight)| {
                    position -= **weight;
                    position < 0.0
                })
                .map_or(&REGIONS[0], |(region, _)| region);
            let azimuth = rng.random_range(low..high);
            draw(config, region, azimuth, &mut rng)
        })
        .collect()
}

fn draw(config: &ViewConfig, region: ViewRegion, azimuth: f32, rng: &mut impl Rng) -> View {
    let uniform = |rng: &mut dyn rand::RngCore, [low, high]: [f32; 2]| {
        low + (high - low) * rng.random::<f32>()
    };
    let fov = uniform(rng, config.fov);
    let radius = match config.distance {
        Distance::Radius(range) => uniform(rng, range),
        Distance::FrameHeight(height) => {
            0.5 * height / (0.5 * fov.to_radians()).tan() * uniform(rng, [0.95, 1.1])
        }
    };
    let elevation = match config.elevation {
        Elevation::Uniform(range) => uniform(rng, range),
        Elevation::Normal([mean, deviation, low, high]) => {
            let normal: f32 = StandardNormal.sample(rng);
            (mean + deviation * normal).clamp(low, high)
        }
    };
    let jitter = Normal::new(0.0, config.target_jitter.max(1e-9)).map_or(Vec3::ZERO, |normal| {
        Vec3::new(normal.sample(rng), normal.sample(rng), normal.sample(rng))
    });
    let size = (config.size, config.size);
    let camera = Camera::orbit(jitter, azimuth, elevation, radius, fov, size);
    let light = if rng.random::<f32>() < config.lit {
        let n = Vec3::from_array(std::array::from_fn(|_| StandardNormal.sample(rng)));
        Light::Lambertian {
            ambient: uniform(rng, AMBIENT),
            direction: (-camera.forward + n).try_normalize().unwrap_or(-camera.forward),
        }
    } else {
        Light::Flat
    };
    let grey = uniform(rng, config.background);
    View { camera, light, region, background: [grey; 3] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ViewConfig {
        ViewConfig {
            count: 4,
            size: 64,
            region_weights: [1.0; 4],
            distance: Distance::FrameHeight(1.4),
            fov: [24.0, 34.0],
            elevation: Elevation::Normal([5.0, 12.0, -20.0, 40.0]),
            target_jitter: 0.02,
            lit: 0.5,
            background: [0.25, 1.0],
        }
    }

    #[test]
    fn equal_weights_show_every_side_in_every_step() {
        for step in 0..50 {
            let views = sample(&config(), 3, "t", step);
            for region in [ViewRegion::Front, ViewRegion::Back, ViewRegion::Left, ViewRegion::Right]
            {
                assert_eq!(views.iter().filter(|v| v.region == region).count(), 1, "step {step}");
            }
            for view in &views {
                let outward = -view.camera.forward;
                let azimuth = outward.x.atan2(outward.z).to_degrees();
                assert_eq!(ViewRegion::of_azimuth(azimuth), view.region);
                let height = 2.0 * view.camera.position.length() * (0.5 * view.camera.fov_y).tan();
                assert!((1.2..1.7).contains(&height), "{height}");
            }
        }
        assert_eq!(sample(&config(), 3, "t", 7), sample(&config(), 3, "t", 7));
        assert_ne!(sample(&config(), 3, "t", 7), sample(&config(), 4, "t", 7));
    }

    #[test]
    fn a_weight_of_zero_hides_a_side() {
        let config = ViewConfig { region_weights: [1.0, 0.0, 1.0, 1.0], ..config() };
        let any = (0..50).flat_map(|step| sample(&config, 1, "t", step));
        assert!(any.into_iter().all(|view| view.region != ViewRegion::Back));
    }
}
