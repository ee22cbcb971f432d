//! Glasses and headgear, built on the mean head and warped to the identity.

use super::anatomy::{Anatomy, SKULL, Warp, direction};
use super::mesh::{StudioMesh, Surface};
use super::noise::{noise, step};
use super::paint::Paint;
use crate::head::look::{Glasses, Hat, Look};
use glam::Vec3;

const EYE_X: f32 = 0.095;
const LENS_Z: f32 = 0.104;

/// Signed distance above the lower rim of a hat, face coordinates.
pub(super) fn hat_distance(hat: Hat, p: Vec3) -> f32 {
    let (front, back) = match hat {
        Hat::None => return -1.0,
        Hat::Cap => (0.165, 0.035),
        Hat::Beanie => (0.135, -0.02),
    };
    let slope = (front - back) / 0.60;
    (p.y - (front + (p.z - 0.06) * slope)) / (1.0 + slope * slope).sqrt()
}

/// Frames, bridge and temples; dark discs for sunglasses.
pub(super) fn glasses(warp: &Warp, look: &Look, paint: &Paint) -> Option<StudioMesh> {
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

/// Caps and knitted hats.
pub(super) fn hat(
    anatomy: &Anatomy,
    warp: &Warp,
    look: &Look,
    paint: &Paint,
) -> Option<StudioMesh> {
    const COLUMNS: usize = 80;
    const ROWS: usize = 24;
    if look.hat == Hat::None {
        return None;
    }
    let beanie = look.hat == Hat::Beanie;
    let thickness = if beanie { 0.044 } else { 0.038 };
    // A point of the skull by azimuth and elevation; below the table it goes straight down.
    let skull = |azimuth: f32, elevation: f32| {
        let radius = anatomy.skull_radius(azimuth, elevation.max(0.0));
        if elevation >= 0.0 {
            SKULL + direction(azimuth, elevation) * radius
        } else {
            SKULL
                + direction(azimuth, 0.0) * radius
                + Vec3::Y * (radius * elevation.to_radians().tan())
        }
    };
    // The elevation of the rim, by bisection.
    let rims: Vec<f32> = (0..COLUMNS)
        .map(|c| {
            let azimuth = 360.0 * c as f32 / COLUMNS as f32;
            let (mut low, mut high) = (-40.0, 60.0);
            for _ in 0..18 {
                let middle = 0.5 * (low + high);
                if hat_distance(look.hat, skull(azimuth, middle)) < 0.0 {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            low
        })
        .collect();
    let place = |r: usize, c: usize| {
        let azimuth = 360.0 * c as f32 / COLUMNS as f32;
        // The first three rows turn the rim inwards.
        let share = (r.saturating_sub(2) as f32 / (ROWS - 3) as f32).powf(1.15);
        let elevation = rims[c] + (90.0 - rims[c]) * share;
        let p = skull(azimuth, elevation);
        let d = hat_distance(look.hat, p);
        let mut t = match r {
            0 => -0.012,
            1 => 0.72 * thickness,
            _ => thickness,
        };
        let mut lift = if r == 2 { 0.008 } else { 0.0 };
        if beanie {
            t += 0.014 * step(0.105, 0.090, d) * if r == 0 { 0.0 } else { 1.0 };
            lift += 0.060 * step(0.16, 0.36, p.y);
        } else {
            lift += 0.024 * step(0.13, 0.34, p.y);
        }
        (p, p + direction(azimuth, elevation.max(0.0)) * t + Vec3::Y * lift)
    };
    let mut surface = Surface::default();
    surface.grid(ROWS, COLUMNS, true, |r, c| warp.apply(place(r, c).1));
    // Rows run upwards here, so the winding turns.
    for t in &mut surface.triangles {
        t.swap(1, 2);
    }
    let mut mesh = surface.paint(|k, _| {
        let p = place(k / COLUMNS, k % COLUMNS).0;
        let colour = if beanie {
            let rib = (p.x.atan2(p.z + 0.22) * 26.0).sin();
            let cuff = step(0.105, 0.090, hat_distance(look.hat, p));
            paint.hat * (1.0 + 0.07 * rib) * (1.0 - 0.10 * cuff)
        } else {
            paint.hat * (1.0 + 0.02 * noise(p * 14.0, paint.seed ^ 0x91))
        };
        paint.finish(colour, p, 0.9)
    });
    if !beanie {
        mesh.append(
            &visor(warp).paint(|_, p| paint.finish(paint.hat * 0.86, p - anatomy.origin, 0.82)),
        );
    }
    Some(mesh)
}

/// The visor: a bent plate with an upper and a lower side.
fn visor(warp: &Warp) -> Surface {
    const COLUMNS: usize = 25;
    const RINGS: usize = 8;
    let at = |u: f32, v: f32, height: f32| {
        let angle = u * 1.05;
        let (s, c) = angle.sin_cos();
        let inner = Vec3::new(0.245 * s, 0.0, -0.2 + 0.285 * c);
        let reach = 0.20 * (1.0 - u.abs().powf(2.6)).max(0.0).sqrt();
        let x = inner.x * (1.0 + 0.12 * v * (1.0 - u * u));
        let z = inner.z + reach * v;
        let rim = 0.165 + (inner.z - 0.06) * (0.13 / 0.60);
        let y = rim + 0.016 - 0.055 * v * (1.0 - 0.3 * u * u) - 0.075 * u * u * v;
        Vec3::new(x, y + height, z)
    };
    let mut surface = Surface::default();
    // Closed cross-sections: along the upper side outwards and back along the lower one.
    surface.grid(COLUMNS, 2 * RINGS, true, |r, k| {
        let u = 2.0 * r as f32 / (COLUMNS - 1) as f32 - 1.0;
        let (v, height) = if k < RINGS {
            (k as f32 / (RINGS - 1) as f32, 0.006)
        } else {
            ((2 * RINGS - 1 - k) as f32 / (RINGS - 1) as f32, -0.006)
        };
        warp.apply(at(u, v, height))
    });
    surface
}
