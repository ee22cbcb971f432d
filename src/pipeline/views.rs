//! Which cameras, lights and backgrounds a step sees.

use crate::batch::{Light, View, ViewRegion};
use crate::render::camera::Camera;
use crate::render::field::MAX_RAYS;
use glam::Vec3;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
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

/// Views that show the face alone, where a prompt has most to say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseUps {
    /// How many of a step's views they are.
    pub count: usize,
    /// Height of the frame at the target, world units (chin to crown is 0.7).
    pub frame_height: f32,
    /// Standard deviation of the azimuth around the front, degrees; it stays within a
    /// quarter turn.
    pub azimuth: f32,
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
    /// See [`CloseUps`]; the last views of a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_ups: Option<CloseUps>,
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

impl ViewConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The flag or key and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        let ordered = |[low, high]: [f32; 2], min: f32, max: f32| {
            (min..=max).contains(&low) && (min..=max).contains(&high) && low <= high
        };
        if !(16..=512).contains(&self.size) {
            return Err(("--size", format!("{} is not within 16..512 pixels", self.size)));
        }
        if !(1..=64).contains(&self.count) {
            return Err(("views.count", format!("{} is not within 1..64", self.count)));
        }
        if self.count as u64 * u64::from(self.size).pow(2) > MAX_RAYS {
            let what = format!("{} views of {} pixels are too many", self.count, self.size);
            return Err(("--size", what));
        }
        let weights = self.region_weights;
        if weights.iter().any(|w| !(0.0..=1e6).contains(w)) || weights.iter().all(|w| *w == 0.0) {
            return Err(("views.region_weights", format!("{weights:?} are not usable weights")));
        }
        let elevations = match self.elevation {
            Elevation::Uniform(range) => Some(range),
            Elevation::Normal([mean, deviation, low, high]) => {
                let fits = (-90.0..=90.0).contains(&mean) && (0.0..=180.0).contains(&deviation);
                fits.then_some([low, high])
            }
        };
        let distance_fits = match self.distance {
            Distance::Radius(range) => ordered(range, 0.1, 100.0),
            Distance::FrameHeight(height) => (0.1..=10.0).contains(&height),
        };
        let close_ups_fit = self.close_ups.is_none_or(|close| {
            close.count <= self.count
                && (0.1..=10.0).contains(&close.frame_height)
                && (0.0..=90.0).contains(&close.azimuth)
        });
        // A camera straight above or below has no upright picture.
        for (field, fits, value) in [
            ("views.fov", ordered(self.fov, 1.0, 120.0), format!("{:?}", self.fov)),
            (
                "views.background",
                ordered(self.background, 0.0, 1.0),
                format!("{:?}", self.background),
            ),
            (
                "views.elevation",
                elevations.is_some_and(|range| ordered(range, -89.0, 89.0)),
                format!("{:?}", self.elevation),
            ),
            ("views.distance", distance_fits, format!("{:?}", self.distance)),
            ("views.close_ups", close_ups_fit, format!("{:?}", self.close_ups)),
            ("views.lit", (0.0..=1.0).contains(&self.lit), self.lit.to_string()),
            (
                "views.target_jitter",
                (0.0..=1.0).contains(&self.target_jitter),
                self.target_jitter.to_string(),
            ),
        ] {
            if !fits {
                return Err((field, format!("{value} is out of range")));
            }
        }
        Ok(())
    }
}

/// Azimuth ranges of front, back, left and right, degrees (method: front 35 to either
/// side, back 145..215, left 35..145, right 215..325).
const REGIONS: [(ViewRegion, [f32; 2]); 4] = [
    (ViewRegion::Front, [-35.0, 35.0]),
    (ViewRegion::Back, [145.0, 215.0]),
    (ViewRegion::Left, [35.0, 145.0]),
    (ViewRegion::Right, [215.0, 325.0]),
];

/// Ambient share of a random light: the middle of the method's U[0.1, 1], where the
/// studio's pictures, which the embedded model knows, are as well.
const AMBIENT: [f32; 2] = [0.45, 0.75];

/// Draws the views of one step; a function of the seed and the step alone.
#[must_use]
pub fn sample(config: &ViewConfig, seed: u64, stage: &str, step: u64) -> Vec<View> {
    let mut rng = crate::rng::stream(seed, stage, step, "views");
    // Stratified over the regions: consecutive views of consecutive steps walk through
    // the weights, so that no side waits long for its turn.
    let total: f32 = config.region_weights.iter().sum();
    let start: f32 = rng.random();
    let close = config.close_ups.map_or(0, |close| close.count.min(config.count));
    let far = config.count - close;
    let around = (0..far).map(|i| (start + i as f32 / far as f32).fract() * total);
    let mut views: Vec<View> = around
        .map(|mut position| {
            let (region, [low, high]) = *REGIONS
                .iter()
                .zip(&config.region_weights)
                .find(|(_, weight)| {
                    position -= **weight;
                    position < 0.0
                })
                .map_or(&REGIONS[0], |(region, _)| region);
            let azimuth = rng.random_range(low..high);
            draw(config, config.distance, region, azimuth, &mut rng)
        })
        .collect();
    for close in config.close_ups.iter().flat_map(|c| std::iter::repeat_n(c, close)) {
        let normal: f32 = StandardNormal.sample(&mut rng);
        let azimuth = (close.azimuth * normal).clamp(-90.0, 90.0);
        let region = ViewRegion::of_azimuth(azimuth);
        let distance = Distance::FrameHeight(close.frame_height);
        views.push(draw(config, distance, region, azimuth, &mut rng));
    }
    views
}

fn draw(
    config: &ViewConfig,
    distance: Distance,
    region: ViewRegion,
    azimuth: f32,
    rng: &mut impl Rng,
) -> View {
    let uniform = |rng: &mut dyn rand::RngCore, [low, high]: [f32; 2]| {
        low + (high - low) * rng.random::<f32>()
    };
    let fov = uniform(rng, config.fov);
    let radius = match distance {
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
    let normals: [f32; 3] = std::array::from_fn(|_| StandardNormal.sample(rng));
    let jitter = config.target_jitter * Vec3::from_array(normals);
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
            close_ups: None,
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
    fn close_ups_come_last_and_show_the_face() {
        let close = CloseUps { count: 2, frame_height: 0.9, azimuth: 35.0 };
        let config = ViewConfig { count: 6, close_ups: Some(close), ..config() };
        for step in 0..50 {
            let views = sample(&config, 3, "t", step);
            assert_eq!(views.len(), 6);
            let back = |view: &View| view.region == ViewRegion::Back;
            assert_eq!(views[..4].iter().filter(|v| back(v)).count(), 1);
            for view in &views[4..] {
                assert!(!back(view) && view.camera.forward.z < 0.1);
                let height = 2.0 * view.camera.position.length() * (0.5 * view.camera.fov_y).tan();
                assert!((0.75..1.1).contains(&height), "{height}");
            }
        }
    }

    #[test]
    fn a_weight_of_zero_hides_a_side() {
        let config = ViewConfig { region_weights: [1.0, 0.0, 1.0, 1.0], ..config() };
        let any = (0..50).flat_map(|step| sample(&config, 1, "t", step));
        assert!(any.into_iter().all(|view| view.region != ViewRegion::Back));
    }
}
