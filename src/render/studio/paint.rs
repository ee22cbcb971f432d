//! Colours of skin, hair and materials as functions of place.

use super::face_paint;
use super::noise::{fractal, noise, step};
use crate::head::look::{AgeGroup, FacePaint, HairColor, Look, Material};
use glam::{Vec2, Vec3};

/// Brow line of the mean head (x mirrored), face coordinates.
pub(super) const BROW: [Vec2; 5] = [
    Vec2::new(0.046, 0.042),
    Vec2::new(0.080, 0.052),
    Vec2::new(0.115, 0.054),
    Vec2::new(0.145, 0.044),
    Vec2::new(0.166, 0.028),
];
const UPPER_LID: [Vec2; 4] = [
    Vec2::new(0.051, -0.010),
    Vec2::new(0.084, 0.010),
    Vec2::new(0.119, 0.010),
    Vec2::new(0.146, -0.003),
];
const LOWER_LID: [Vec2; 4] = [
    Vec2::new(0.051, -0.011),
    Vec2::new(0.085, -0.021),
    Vec2::new(0.110, -0.021),
    Vec2::new(0.143, -0.003),
];

/// How bright the eye sees red, green and blue, sRGB-encoded (Rec. 601).
pub(super) const LUMINANCE: Vec3 = Vec3::new(0.299, 0.587, 0.114);

/// Distance to a polyline and the share of its length where it is closest.
pub(super) fn polyline(p: Vec2, line: &[Vec2]) -> (f32, f32) {
    let mut best = (f32::INFINITY, 0.0);
    for (i, pair) in line.windows(2).enumerate() {
        let along = pair[1] - pair[0];
        let t = ((p - pair[0]).dot(along) / along.length_squared()).clamp(0.0, 1.0);
        let d = p.distance(pair[0] + along * t);
        if d < best.0 {
            best = (d, (i as f32 + t) / (line.len() - 1) as f32);
        }
    }
    best
}

/// The resolved colours of a look.
#[derive(Debug, Clone)]
pub(super) struct Paint {
    pub skin: Vec3,
    pub hair: Vec3,
    pub tips: Vec3,
    pub brow: Vec3,
    pub beard: Vec3,
    pub iris: Vec3,
    pub glasses: Vec3,
    pub hat: Vec3,
    pub material: Option<Material>,
    pub seed: u32,
    fantasy: bool,
    age: AgeGroup,
    red_lips: bool,
    make_up: FacePaint,
}

impl Paint {
    pub fn new(look: &Look, seed: u64) -> Self {
        let jitter = |c: Vec3, k: f32| {
            let [a, b, d] = look.tint;
            let warm = Vec3::new(1.0 + 0.02 * b, 1.0 + 0.01 * d, 1.0 - 0.02 * b);
            (c * (1.0 + k * a) * warm).clamp(Vec3::ZERO, Vec3::ONE)
        };
        let hair = |color: HairColor, k: f32| jitter(color.srgb(), k);
        Self {
            skin: jitter(look.skin.srgb(), 0.05),
            hair: hair(look.hair_color, 0.06),
            tips: hair(look.visible_tips().unwrap_or(look.hair_color), 0.06),
            brow: hair(look.brow_color, 0.0) * 0.85,
            beard: hair(look.beard_color, 0.05) * 0.96,
            iris: look.eyes.srgb(),
            glasses: look.glasses_color.srgb(),
            hat: jitter(look.hat_color.srgb(), 0.06),
            material: look.material,
            seed: (seed as u32) ^ ((seed >> 32) as u32),
            fantasy: !look.skin.is_natural(),
            age: look.age,
            red_lips: look.red_lips,
            make_up: look.face_paint,
        }
    }

    /// The statue's material at a place, darkened by `factor`, or `colour` on living heads.
    pub fn finish(&self, colour: Vec3, p: Vec3, factor: f32) -> Vec3 {
        match self.material {
            Some(material) => self.substance(material, p) * factor,
            None => colour,
        }
    }

    fn substance(&self, material: Material, p: Vec3) -> Vec3 {
        let base = material.srgb();
        let s = self.seed;
        let cloud = fractal(p * 6.0, s);
        let grain = noise(p * 38.0, s ^ 0x5);
        match material {
            Material::Bronze => {
                let patina = step(0.05, 0.6, cloud) * 0.38;
                let tone = base * (1.0 + 0.10 * cloud + 0.05 * grain);
                tone.lerp(Vec3::new(0.30, 0.42, 0.34), patina)
            }
            Material::Gold | Material::Silver => base * (1.0 + 0.06 * cloud + 0.02 * grain),
            Material::Marble => {
                let vein = 1.0 - (fractal(p * 4.5, s ^ 0x9) * 5.0).abs().min(1.0);
                base.lerp(Vec3::new(0.60, 0.61, 0.64), 0.7 * vein * vein) * (1.0 + 0.02 * cloud)
            }
            Material::Stone => base * (1.0 + 0.10 * cloud + 0.13 * grain),
            Material::Wood => {
                let ring = (p.x * 2.0 + p.z * 1.2 + 0.10 * cloud) * 26.0 + 3.0 * p.y;
                base * (1.0
                    + 0.08 * ring.sin()
                    + 0.07 * noise(p * Vec3::new(60.0, 6.0, 60.0), s)
                    + 0.04 * cloud)
            }
            Material::Clay => base * (1.0 + 0.05 * cloud + 0.04 * grain),
        }
    }

    /// The skin's albedo, brows and hair left out; `lips`, `mouth` and `ears` are the masks
    /// of the regions at `p`.
    pub fn skin_at(&self, p: Vec3, lips: f32, mouth: f32, ears: f32) -> Vec3 {
        let s = self.seed;
        let ax = p.x.abs();
        let front = step(-0.08, 0.0, p.z);
        let blob = |cx: f32, cy: f32, rx: f32, ry: f32| {
            (-((ax - cx) / rx).powi(2) - ((p.y - cy) / ry).powi(2)).exp() * front
        };
        let mut c = self.skin
            * (1.0 + 0.022 * fractal(p * 9.0, s ^ 0x1) + 0.014 * noise(p * 42.0, s ^ 0x2));
        let tip = blob(0.0, -0.125, 0.042, 0.035) * step(0.08, 0.12, p.z);
        let red = (0.9 * blob(0.125, -0.105, 0.055, 0.05) + tip + 0.6 * ears).min(1.0);
        c *= Vec3::ONE
            + red * if self.fantasy { Vec3::splat(-0.06) } else { Vec3::new(0.02, -0.10, -0.10) };
        // Eye sockets and the sides of the nose are darker, the nose ridge lighter.
        c *= 1.0 - 0.13 * blob(0.095, 0.004, 0.06, 0.036);
        c *= 1.0 - 0.06 * blob(0.034, -0.05, 0.014, 0.06);
        c *= 1.0 + 0.03 * blob(0.0, -0.06, 0.014, 0.06);
        // Nostrils.
        let nostril = (-((ax - 0.022) / 0.011).powi(2) - ((p.y + 0.152) / 0.008).powi(2)).exp()
            * step(0.06, 0.08, p.z);
        c *= 1.0 - 0.6 * nostril;
        c = self.age_at(c, p, ax, front);
        let lip_colour = if self.red_lips {
            Vec3::new(0.74, 0.07, 0.12)
        } else if self.fantasy {
            self.skin * Vec3::new(0.72, 0.62, 0.66)
        } else {
            self.skin * Vec3::new(0.86, 0.60, 0.60) + Vec3::new(0.05, 0.0, 0.01)
        };
        c = c.lerp(lip_colour, lips.min(1.0));
        c = face_paint::over(self.make_up, c, p, s);
        c = c.lerp(Vec3::new(0.27, 0.07, 0.07), mouth.min(1.0));
        c.lerp(Vec3::new(0.07, 0.05, 0.05), lid_line(p))
    }

    fn age_at(&self, mut c: Vec3, p: Vec3, ax: f32, front: f32) -> Vec3 {
        let strength = match self.age {
            AgeGroup::Old => 1.0,
            AgeGroup::Middle => 0.4,
            _ => return c,
        };
        let s = self.seed;
        let line = |d: f32, width: f32| (-(d / width).powi(2)).exp();
        let wobble = 0.006 * noise(Vec3::new(p.x * 14.0, p.y * 3.0, 1.0), s ^ 0x3);
        let mut crease = 0.0_f32;
        for y in [0.105, 0.14, 0.175] {
            crease = crease.max(
                0.8 * line(p.y - y - wobble + 0.6 * ax * ax, 0.007) * step(0.15, 0.10, ax) * front,
            );
        }
        let fold = [Vec2::new(0.048, -0.135), Vec2::new(0.078, -0.18), Vec2::new(0.098, -0.235)];
        crease = crease.max(line(polyline(Vec2::new(ax, p.y), &fold).0, 0.009) * front);
        let bag = [Vec2::new(0.06, -0.038), Vec2::new(0.095, -0.052), Vec2::new(0.13, -0.040)];
        crease = crease.max(0.8 * line(polyline(Vec2::new(ax, p.y), &bag).0, 0.008) * front);
        for (y0, y1) in [(0.012, 0.03), (-0.004, -0.004), (-0.018, -0.035)] {
            let foot = [Vec2::new(0.152, y0), Vec2::new(0.192, y1)];
            crease = crease.max(0.8 * line(polyline(Vec2::new(ax, p.y), &foot).0, 0.006));
        }
        c *= 1.0 - 0.24 * strength * crease;
        // Age spots on the upper face and the temples, hardly any below.
        let share = 0.25 + 0.75 * step(-0.05, 0.12, p.y);
        let spots = step(0.55, 0.85, noise(p * 31.0, s ^ 0x4)) * share * step(-0.45, -0.3, p.y);
        c *= Vec3::ONE - Vec3::new(0.07, 0.09, 0.10) * (strength * spots);
        c
    }

    /// Colours of sclera, iris and pupil, in the shader's order.
    pub fn eyes(&self) -> [Vec3; 3] {
        match self.material {
            Some(material) => [1.0, 0.72, 0.42].map(|shade| material.srgb() * shade),
            None => [Vec3::new(0.95, 0.94, 0.92), self.iris, Vec3::splat(0.03)],
        }
    }

    /// The hair's colour, `share` of the way to that of its tips.
    pub fn hair_towards_tips(&self, share: f32) -> Vec3 {
        self.hair.lerp(self.tips, share.clamp(0.0, 1.0))
    }

    /// Hair-like colour with soft strands; `grain` in about -1..1, `root` darkens.
    pub fn strands(&self, base: Vec3, p: Vec3, grain: f32, root: f32) -> Vec3 {
        let dark = base.dot(LUMINANCE) < 0.18;
        let gain = if dark { 0.30 } else { 0.15 };
        let colour = base * (1.0 + gain * grain) * (1.0 - 0.18 * root);
        self.finish(colour, p, (0.88 + 0.09 * grain) * (1.0 - 0.10 * root))
    }
}

/// How much of the lash line covers the skin at `p`.
pub(super) fn lid_line(p: Vec3) -> f32 {
    if p.z < 0.0 {
        return 0.0;
    }
    let q = Vec2::new(p.x.abs(), p.y);
    let upper = polyline(q, &UPPER_LID).0;
    let lower = polyline(q, &LOWER_LID).0;
    (0.85 * step(0.0105, 0.003, upper)).max(0.35 * step(0.008, 0.002, lower))
}
