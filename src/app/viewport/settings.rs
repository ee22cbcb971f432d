//! How the live view shows the head.

use glam::Vec3;
use serde::{Deserialize, Serialize};

/// What the surface shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShadingMode {
    /// Studio lights and a sky.
    #[default]
    Shaded,
    /// The texture without any light.
    Albedo,
    /// Camera-space normals as `0.5 + 0.5 n`: x right, y up, z towards the viewer.
    Normal,
}

impl ShadingMode {
    /// All of them, in the order of menus.
    pub const ALL: [Self; 3] = [Self::Shaded, Self::Albedo, Self::Normal];

    /// Its name in menus.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Shaded => "Shaded",
            Self::Albedo => "Texture",
            Self::Normal => "Normals",
        }
    }

    /// The mode after it, in a ring.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Shaded => Self::Albedo,
            Self::Albedo => Self::Normal,
            Self::Normal => Self::Shaded,
        }
    }

    /// The number that the shader knows it by.
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Shaded => 0,
            Self::Albedo => 1,
            Self::Normal => 2,
        }
    }
}

/// How the live view shows the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewSettings {
    /// What the surface shows.
    pub mode: ShadingMode,
    /// Whether the edges of the triangles are drawn over it.
    pub wireframe: bool,
    /// Whether the landmarks are drawn over it.
    pub landmarks: bool,
    /// Direction to the key light, which goes with the camera: from the viewer towards the
    /// right, degrees in [-180, 180].
    pub light_azimuth: f32,
    /// The same upwards, degrees in [-90, 90].
    pub light_elevation: f32,
    /// sRGB-encoded.
    pub background: [u8; 3],
    /// Whether the head before an edit is shown beside the one after it, if there is one.
    pub compare: bool,
    /// Where the picture changes from before to after, as a share of its width, 0..1.
    pub split: f32,
}

impl ViewSettings {
    /// Azimuth of the key light of [`crate::render::mesh::MeshRenderer`], degrees.
    pub const LIGHT_AZIMUTH: f32 = -32.0;
    /// Elevation of the key light of [`crate::render::mesh::MeshRenderer`], degrees.
    pub const LIGHT_ELEVATION: f32 = 32.5;

    /// Unit direction to the key light in camera space.
    #[must_use]
    pub fn key_light(&self) -> Vec3 {
        let (sin_a, cos_a) = self.light_azimuth.to_radians().sin_cos();
        let (sin_e, cos_e) = self.light_elevation.to_radians().sin_cos();
        Vec3::new(sin_a * cos_e, sin_e, cos_a * cos_e)
    }

    /// The same settings with every number in its range; what is not finite becomes the
    /// default.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        let default = Self::default();
        let number = |x: f32, otherwise: f32| if x.is_finite() { x } else { otherwise };
        self.light_azimuth = number(self.light_azimuth, default.light_azimuth).clamp(-180., 180.);
        self.light_elevation =
            number(self.light_elevation, default.light_elevation).clamp(-90., 90.);
        self.split = number(self.split, default.split).clamp(0.0, 1.0);
        self
    }
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            mode: ShadingMode::Shaded,
            wireframe: false,
            landmarks: false,
            light_azimuth: Self::LIGHT_AZIMUTH,
            light_elevation: Self::LIGHT_ELEVATION,
            background: [112, 114, 118],
            compare: false,
            split: 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_key_light_is_that_of_offline_pictures() {
        let offline = Vec3::new(-0.5, 0.6, 0.8).normalize();
        assert!(ViewSettings::default().key_light().distance(offline) < 2e-3);
    }

    #[test]
    fn they_are_kept_as_text_and_repaired() {
        let settings =
            ViewSettings { mode: ShadingMode::Normal, split: 0.25, ..Default::default() };
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<ViewSettings>(&text).unwrap(), settings);
        assert_eq!(serde_json::from_str::<ViewSettings>("{}").unwrap(), ViewSettings::default());
        let wrong = ViewSettings { split: 7.0, light_azimuth: f32::NAN, ..settings };
        let repaired = wrong.sanitized();
        assert_eq!(repaired.split, 1.0);
        assert_eq!(repaired.light_azimuth, ViewSettings::LIGHT_AZIMUTH);
    }

    #[test]
    fn modes_go_round() {
        let mut mode = ShadingMode::Shaded;
        for expected in [ShadingMode::Albedo, ShadingMode::Normal, ShadingMode::Shaded] {
            mode = mode.next();
            assert_eq!(mode, expected);
        }
    }
}
