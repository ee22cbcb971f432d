//! Named colours, sRGB-encoded.

use glam::Vec3;

/// A colour with its name.
pub type Named = (&'static str, [f32; 3]);

/// Natural skin tones, light to dark.
pub const NATURAL_SKIN: [Named; 8] = [
    ("pale", [0.95, 0.83, 0.76]),
    ("fair", [0.92, 0.76, 0.66]),
    ("light", [0.90, 0.72, 0.59]),
    ("tan", [0.80, 0.59, 0.44]),
    ("olive", [0.74, 0.57, 0.41]),
    ("brown", [0.57, 0.38, 0.27]),
    ("dark", [0.40, 0.26, 0.19]),
    ("black", [0.27, 0.18, 0.14]),
];

/// Skins of fantasy figures.
pub const FANTASY_SKIN: [Named; 10] = [
    ("green", [0.34, 0.62, 0.26]),
    ("blue", [0.28, 0.47, 0.80]),
    ("red", [0.78, 0.20, 0.16]),
    ("purple", [0.55, 0.31, 0.70]),
    ("grey", [0.56, 0.56, 0.57]),
    ("white", [0.95, 0.95, 0.95]),
    ("orange", [0.92, 0.54, 0.18]),
    ("pink", [0.95, 0.60, 0.70]),
    ("yellow", [0.93, 0.82, 0.26]),
    ("gold", [0.84, 0.67, 0.23]),
];

/// Hair, beard and brow colours.
pub const HAIR: [Named; 12] = [
    ("black", [0.085, 0.075, 0.075]),
    ("brown", [0.31, 0.19, 0.11]),
    ("auburn", [0.44, 0.17, 0.09]),
    ("blond", [0.86, 0.70, 0.39]),
    ("red", [0.70, 0.23, 0.08]),
    ("grey", [0.56, 0.56, 0.57]),
    ("white", [0.92, 0.92, 0.90]),
    ("blue", [0.15, 0.30, 0.80]),
    ("green", [0.16, 0.60, 0.22]),
    ("pink", [0.93, 0.42, 0.66]),
    ("purple", [0.48, 0.20, 0.66]),
    ("orange", [0.95, 0.50, 0.10]),
];

/// Iris colours.
pub const IRIS: [Named; 7] = [
    ("brown", [0.30, 0.17, 0.08]),
    ("blue", [0.25, 0.50, 0.85]),
    ("green", [0.25, 0.55, 0.27]),
    ("grey", [0.50, 0.54, 0.57]),
    ("hazel", [0.52, 0.41, 0.20]),
    ("red", [0.85, 0.10, 0.10]),
    ("yellow", [0.90, 0.78, 0.15]),
];

/// Glasses and hats.
pub const FABRIC: [Named; 11] = [
    ("black", [0.06, 0.06, 0.07]),
    ("red", [0.75, 0.12, 0.12]),
    ("blue", [0.15, 0.26, 0.70]),
    ("green", [0.13, 0.50, 0.20]),
    ("yellow", [0.93, 0.80, 0.20]),
    ("white", [0.93, 0.93, 0.93]),
    ("grey", [0.50, 0.50, 0.52]),
    ("brown", [0.36, 0.22, 0.12]),
    ("orange", [0.92, 0.48, 0.10]),
    ("purple", [0.46, 0.20, 0.62]),
    ("pink", [0.94, 0.47, 0.67]),
];

/// Materials of statues.
pub const MATERIAL: [Named; 7] = [
    ("bronze", [0.51, 0.35, 0.16]),
    ("gold", [0.92, 0.72, 0.26]),
    ("silver", [0.76, 0.78, 0.81]),
    ("marble", [0.93, 0.92, 0.90]),
    ("stone", [0.52, 0.51, 0.49]),
    ("clay", [0.76, 0.42, 0.30]),
    ("wood", [0.68, 0.48, 0.29]),
];

/// The value of a name in a table.
#[must_use]
pub fn find(table: &[Named], name: &str) -> Option<Vec3> {
    table.iter().find(|(n, _)| *n == name).map(|(_, c)| Vec3::from_array(*c))
}

/// The brightness that the eye sees, of an sRGB-encoded colour.
#[must_use]
pub fn luminance(c: Vec3) -> f32 {
    c.dot(Vec3::new(0.299, 0.587, 0.114))
}
