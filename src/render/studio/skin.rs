//! The prior's own colours as a function of place: for its vertices, and for the texels of a
//! texture.

use super::anatomy::Anatomy;
use super::noise::step;
use super::paint::{Paint, lid_line};
use super::{beard, hair};
use crate::head::look::{HairStyle, Look};
use crate::head::{Part, Region};
use glam::Vec3;

/// A place on the prior with everything that its colour depends on.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Face coordinates.
    at: Vec3,
    /// Direction in the frame of the gaze, on eyes.
    gaze: Vec3,
    lips: f32,
    mouth: f32,
    ears: f32,
    /// How much of the skin the roots of the hair cover.
    scalp: f32,
    /// How much the beard does.
    jaw: f32,
}

impl Place {
    fn mix(corners: [Self; 3], w: Vec3) -> Self {
        let [a, b, c] = corners;
        let blend = |of: fn(&Self) -> f32| of(&a) * w.x + of(&b) * w.y + of(&c) * w.z;
        Self {
            at: a.at * w.x + b.at * w.y + c.at * w.z,
            gaze: a.gaze * w.x + b.gaze * w.y + c.gaze * w.z,
            lips: blend(|p| p.lips),
            mouth: blend(|p| p.mouth),
            ears: blend(|p| p.ears),
            scalp: blend(|p| p.scalp),
            jaw: blend(|p| p.jaw),
        }
    }
}

/// The colours of one look on the prior.
#[derive(Debug)]
pub struct SkinColors {
    paint: Paint,
    look: Look,
    places: Vec<Place>,
}

impl SkinColors {
    /// The colours of a look; `seed` drives blotches and grain.
    #[must_use]
    pub fn new(look: &Look, seed: u64) -> Self {
        let anatomy = Anatomy::get();
        let region = |region| anatomy.model.region(region);
        let (lips, mouth, ears) =
            (region(Region::Lips), region(Region::InnerMouth), region(Region::Ears));
        let (scalp, jaw) = (hair::scalp_tint(anatomy, look), beard::tint(anatomy, look));
        let place = |i: usize| Place {
            at: anatomy.at[i],
            gaze: anatomy.gaze[i],
            lips: lips[i],
            mouth: mouth[i],
            ears: ears[i],
            scalp: scalp[i],
            jaw: jaw[i],
        };
        let places = (0..anatomy.at.len()).map(place).collect();
        Self { paint: Paint::new(look, seed), look: *look, places }
    }

    /// Albedo of a vertex, sRGB-encoded; eyes without iris and pupil.
    #[must_use]
    pub fn vertex(&self, vertex: usize) -> Vec3 {
        self.at(Anatomy::get().part[vertex], &self.places[vertex])
    }

    /// Albedo between three vertices of one part, sRGB-encoded; eyes with iris and pupil.
    #[must_use]
    pub fn between(&self, corners: [usize; 3], weights: Vec3) -> Vec3 {
        let place = Place::mix(corners.map(|i| self.places[i]), weights);
        match Anatomy::get().part[corners[0]] {
            Part::EyeLeft | Part::EyeRight => self.eye(place.gaze),
            part => self.at(part, &place),
        }
    }

    fn at(&self, part: Part, place: &Place) -> Vec3 {
        let (paint, p) = (&self.paint, place.at);
        let mut colour = match part {
            Part::Skin => {
                let colour = paint.skin_at(p, place.lips, place.mouth, place.ears);
                let factor = (1.0 - 0.16 * place.lips)
                    * (1.0 - 0.35 * place.mouth)
                    * (1.0 - 0.3 * lid_line(p));
                paint.finish(colour, p, factor)
            }
            // Teeth stand before this: what is seen between them is gum.
            Part::TeethUpper | Part::TeethLower => {
                paint.finish(Vec3::new(0.50, 0.22, 0.20), p, 0.6)
            }
            Part::Tongue => paint.finish(Vec3::new(0.66, 0.27, 0.27), p, 0.7),
            // Lashes in the brows' colour, dark.
            Part::LashLeft | Part::LashRight => paint.finish(paint.brow * 0.30, p, 0.7),
            _ => paint.finish(Vec3::splat(0.08), p, 0.6),
        };
        if place.scalp > 0.0 {
            let shadow = if self.look.hair == HairStyle::Buzz { 1.0 } else { 0.82 };
            colour = colour.lerp(paint.finish(paint.hair * shadow, p, 0.84), place.scalp);
        }
        if place.jaw > 0.0 {
            colour = colour.lerp(paint.finish(paint.beard * 0.85, p, 0.84), place.jaw);
        }
        // The rim of the bust fades a little.
        colour * (1.0 - 0.12 * step(-0.78, -0.95, p.y))
    }

    /// What `shaders/studio.wgsl` paints on eyes: iris and pupil by the angle from the gaze.
    fn eye(&self, gaze: Vec3) -> Vec3 {
        const IRIS: f32 = 0.54;
        const PUPIL: f32 = 0.235;
        let [sclera, iris, pupil] = self.paint.eyes();
        let g = gaze.normalize_or(Vec3::NEG_Z);
        let angle = g.z.clamp(-1.0, 1.0).acos();
        let white = sclera * (1.0 - 0.22 * step(0.75, 1.3, angle));
        let iris = iris * (1.0 - 0.45 * step(0.80 * IRIS, IRIS, angle));
        let coloured = iris.lerp(white, step(IRIS - 0.03, IRIS + 0.03, angle));
        let painted = pupil.lerp(coloured, step(PUPIL - 0.03, PUPIL + 0.03, angle));
        painted * (1.0 - 0.35 * step(0.12, 0.42, g.y))
    }
}
