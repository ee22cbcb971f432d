//! The plain data that one optimisation step passes between rooms: views,
//! images, control images and gradients. No GPU and no tensor library here.

use crate::render::camera::Camera;
use glam::Vec3;

/// Which side of the head a view looks at; chooses the view words of the prompt
/// and whether facial landmarks are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewRegion {
    /// The face: azimuth within 35 degrees of 0.
    Front,
    /// The back of the head: azimuth 145..215.
    Back,
    /// The subject's left side: azimuth 35..145.
    Left,
    /// The subject's right side: azimuth 215..325.
    Right,
}

impl ViewRegion {
    /// The region that an azimuth in degrees (any range) falls into.
    #[must_use]
    pub fn of_azimuth(degrees: f32) -> Self {
        match degrees.rem_euclid(360.0) {
            a if !(35.0..325.0).contains(&a) => Self::Front,
            a if a < 145.0 => Self::Left,
            a if a < 215.0 => Self::Back,
            _ => Self::Right,
        }
    }

    /// The word used in view-dependent prompts: front, back or side.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Back => "back",
            Self::Left | Self::Right => "side",
        }
    }
}

/// How a view is lit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Light {
    /// Albedo only: no light is drawn.
    Flat,
    /// Lambertian: `albedo * (ambient + (1 - ambient) * max(0, n . direction))`.
    Lambertian {
        /// Ambient share in `[0, 1]`.
        ambient: f32,
        /// Unit vector from the surface towards the light, world space.
        direction: Vec3,
    },
}

/// One view of the scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// The camera, which also carries the image size.
    pub camera: Camera,
    /// The light.
    pub light: Light,
    /// The side of the head that the camera sees.
    pub region: ViewRegion,
    /// Background colour, sRGB-encoded, `[0, 1]`.
    pub background: [f32; 3],
}

/// Images of several views, sRGB-encoded values in `[0, 1]`, row-major
/// `[view][y][x][channel]`, y down.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageBatch {
    /// Number of views.
    pub views: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Channels per pixel.
    pub channels: usize,
    /// `views * height * width * channels` values.
    pub data: Vec<f32>,
}

impl ImageBatch {
    /// A batch filled with one value.
    #[must_use]
    pub fn filled(views: usize, height: usize, width: usize, channels: usize, value: f32) -> Self {
        let data = vec![value; views * height * width * channels];
        Self { views, height, width, channels, data }
    }

    /// L2 norm of all values.
    #[must_use]
    pub fn norm(&self) -> f32 {
        self.data.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt() as f32
    }

    /// The values of one view, `[y][x][channel]`.
    ///
    /// # Panics
    /// If `view` is out of range.
    #[must_use]
    pub fn view(&self, view: usize) -> &[f32] {
        let n = self.height * self.width * self.channels;
        &self.data[view * n..(view + 1) * n]
    }
}

/// What a control image shows; a checkpoint says which of its `ControlNets` eats which.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// Facial contours as coloured lines on black (3 channels).
    Landmarks,
    /// Camera-space normals (3 channels).
    Normals,
    /// Normals, canonical coordinates, silhouette, shade and regions ([`DENSE_CHANNELS`] channels).
    Dense,
    /// A picture of the head before an edit (3 channels).
    Reference,
}

/// Channels of a dense control image, in this order: camera-space normal xyz
/// (0.5 + 0.5 n), canonical xyz (position on the mean head, `[0, 1]`), silhouette,
/// shade (the view's light on the bare prior; 1 when flat), background grey, then
/// the region masks scalp, brows, eyes (sclera 0.3, iris 0.65, pupil 1), nose, lips
/// (inner mouth 0.3), jaw and ears. Outside the silhouette: 0.5 for normals and
/// coordinates, 0 for masks and shade; background grey fills the whole plane.
pub const DENSE_CHANNELS: usize = 16;
