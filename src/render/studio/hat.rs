//! Headgear: shells over the skull, felt hats lofted over its rim, and crowns.

use super::anatomy::{Anatomy, SKULL, Warp, direction};
use super::mesh::{StudioMesh, Surface};
use super::noise::{noise, step};
use super::paint::Paint;
use crate::head::look::{Hat, Look};
use glam::Vec3;

const COLUMNS: usize = 80;
const GOLD: Vec3 = Vec3::new(0.90, 0.70, 0.24);

/// Heights of the lower rim above the brow and at the nape, face coordinates.
fn rim_heights(hat: Hat) -> Option<(f32, f32)> {
    match hat {
        Hat::None => None,
        Hat::Cap => Some((0.165, 0.035)),
        Hat::Beanie => Some((0.135, -0.02)),
        Hat::Fedora => Some((0.165, 0.05)),
        Hat::TopHat => Some((0.175, 0.08)),
        Hat::Helmet => Some((0.115, -0.11)),
        Hat::Crown => Some((0.185, 0.11)),
    }
}

/// Rise of the rim towards the front, and its height at z = 0.06.
fn rim_plane(hat: Hat) -> Option<(f32, f32)> {
    rim_heights(hat).map(|(front, back)| ((front - back) / 0.60, front))
}

/// Signed distance above the lower rim of a hat, face coordinates.
fn distance(hat: Hat, p: Vec3) -> f32 {
    rim_plane(hat).map_or(-1.0, |(slope, front)| {
        (p.y - (front + (p.z - 0.06) * slope)) / (1.0 + slope * slope).sqrt()
    })
}

/// How much of its thickness the hair keeps at `p`: below headgear only a thin layer
/// stays, and a crown presses only where its ring lies.
pub(super) fn pressed(hat: Hat, p: Vec3) -> f32 {
    let d = distance(hat, p);
    match hat {
        Hat::None => 1.0,
        Hat::Crown => 1.0 - step(-0.06, -0.01, d) * step(0.12, 0.06, d),
        _ => 1.0 - step(-0.035, 0.015, d),
    }
}

/// The headgear's mesh.
pub(super) fn build(
    anatomy: &Anatomy,
    warp: &Warp,
    look: &Look,
    paint: &Paint,
) -> Option<StudioMesh> {
    match look.hat {
        Hat::None => None,
        Hat::Cap | Hat::Beanie | Hat::Helmet => Some(shell(anatomy, warp, look.hat, paint)),
        Hat::Fedora | Hat::TopHat => Some(felt(anatomy, warp, look.hat, paint)),
        Hat::Crown => Some(crown(anatomy, warp, paint)),
    }
}

/// A point of the skull by azimuth and elevation; below the table it goes straight down.
fn skull(anatomy: &Anatomy, azimuth: f32, elevation: f32) -> Vec3 {
    let radius = anatomy.skull_radius(azimuth, elevation.max(0.0));
    if elevation >= 0.0 {
        SKULL + direction(azimuth, elevation) * radius
    } else {
        SKULL + direction(azimuth, 0.0) * radius + Vec3::Y * (radius * elevation.to_radians().tan())
    }
}

/// The elevation of the rim in each column, by bisection.
fn rims(anatomy: &Anatomy, hat: Hat) -> Vec<f32> {
    (0..COLUMNS)
        .map(|c| {
            let azimuth = azimuth(c);
            let (mut low, mut high) = (-40.0, 60.0);
            for _ in 0..18 {
                let middle = 0.5 * (low + high);
                if distance(hat, skull(anatomy, azimuth, middle)) < 0.0 {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            low
        })
        .collect()
}

fn azimuth(column: usize) -> f32 {
    360.0 * column as f32 / COLUMNS as f32
}

/// Turns the winding of a surface whose rows run upwards.
fn turned(mut surface: Surface) -> Surface {
    for t in &mut surface.triangles {
        t.swap(1, 2);
    }
    surface
}

/// Caps, knitted hats and helmets: the skull's surface, thickened.
fn shell(anatomy: &Anatomy, warp: &Warp, hat: Hat, paint: &Paint) -> StudioMesh {
    const ROWS: usize = 24;
    let thickness = match hat {
        Hat::Beanie => 0.044,
        Hat::Helmet => 0.062,
        _ => 0.038,
    };
    let rims = rims(anatomy, hat);
    let place = |r: usize, c: usize| {
        let azimuth = azimuth(c);
        // The first three rows turn the rim inwards.
        let share = (r.saturating_sub(2) as f32 / (ROWS - 3) as f32).powf(1.15);
        let elevation = rims[c] + (90.0 - rims[c]) * share;
        let p = skull(anatomy, azimuth, elevation);
        let d = distance(hat, p);
        let mut t = match r {
            0 => -0.012,
            1 => 0.72 * thickness,
            _ => thickness,
        };
        let mut lift = if r == 2 { 0.008 } else { 0.0 };
        match hat {
            Hat::Beanie => {
                t += 0.014 * step(0.105, 0.090, d) * if r == 0 { 0.0 } else { 1.0 };
                lift += 0.060 * step(0.16, 0.36, p.y);
            }
            Hat::Helmet if r > 1 => {
                // A band along the rim and a crest from front to back.
                t += 0.014 * step(0.065, 0.050, d);
                let across = (p.x / 0.030).powi(2);
                t += 0.055 * (-across).exp() * step(0.03, 0.10, d);
            }
            _ => lift += 0.024 * step(0.13, 0.34, p.y),
        }
        (p, p + direction(azimuth, elevation.max(0.0)) * t + Vec3::Y * lift)
    };
    let mut surface = Surface::default();
    surface.grid(ROWS, COLUMNS, true, |r, c| warp.apply(place(r, c).1));
    let mut mesh = turned(surface).paint(|k, _| {
        let p = place(k / COLUMNS, k % COLUMNS).0;
        let d = distance(hat, p);
        let colour = match hat {
            Hat::Beanie => {
                let rib = (p.x.atan2(p.z + 0.22) * 26.0).sin();
                paint.hat * (1.0 + 0.07 * rib) * (1.0 - 0.10 * step(0.105, 0.090, d))
            }
            Hat::Helmet => {
                let trim = step(0.062, 0.052, d).max(step(0.036, 0.026, p.x.abs()));
                paint.hat * (1.0 - 0.28 * trim) * (1.0 + 0.03 * noise(p * 9.0, paint.seed ^ 0x92))
            }
            _ => paint.hat * (1.0 + 0.02 * noise(p * 14.0, paint.seed ^ 0x91)),
        };
        paint.finish(colour, p, 0.9)
    });
    if hat == Hat::Cap {
        mesh.append(
            &visor(warp).paint(|_, p| paint.finish(paint.hat * 0.86, p - anatomy.origin, 0.82)),
        );
    }
    mesh
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

/// One ring of a lofted hat.
#[derive(Clone, Copy)]
struct Ring {
    /// Added to the rim's distance from the hat's axis.
    outward: f32,
    /// Share of that distance which is kept.
    scale: f32,
    /// Along the axis, from the rim.
    height: f32,
    /// Whether the brim's curl moves it.
    brim: bool,
    /// Whether it is the ribbon.
    ribbon: bool,
}

impl Ring {
    fn wall(scale: f32, height: f32) -> Self {
        Self { outward: 0.022, scale, height, brim: false, ribbon: false }
    }

    fn brim(outward: f32, height: f32) -> Self {
        Self { outward, scale: 1.0, height, brim: true, ribbon: false }
    }

    fn ribbon(self) -> Self {
        Self { ribbon: true, ..self }
    }
}

/// Fedoras and top hats: a brim and a crown lofted over the rim's curve.
fn felt(anatomy: &Anatomy, warp: &Warp, hat: Hat, paint: &Paint) -> StudioMesh {
    let top = hat == Hat::TopHat;
    let (reach, tall) = if top { (0.105, 0.40) } else { (0.170, 0.245) };
    let crown: &[Ring] = if top {
        &[
            Ring::wall(1.0, 0.085),
            Ring::wall(1.0, 0.2),
            Ring::wall(1.02, 0.3),
            Ring::wall(1.05, 0.385),
            Ring::wall(1.04, 0.40),
            Ring::wall(0.97, 0.405),
            Ring::wall(0.5, 0.405),
            Ring::wall(0.0, 0.405),
        ]
    } else {
        &[
            Ring::wall(1.0, 0.075),
            Ring::wall(0.97, 0.14),
            Ring::wall(0.92, 0.20),
            Ring::wall(0.85, 0.235),
            Ring::wall(0.70, 0.245),
            Ring::wall(0.40, 0.225),
            Ring::wall(0.0, 0.205),
        ]
    };
    let mut rings = vec![
        Ring { outward: -0.02, ..Ring::wall(1.0, 0.0) },
        Ring::brim(0.02, -0.004),
        Ring::brim(0.6 * reach, -0.004),
        Ring::brim(reach, 0.0),
        Ring::brim(reach, 0.012),
        Ring::brim(0.6 * reach, 0.010),
        Ring::wall(1.0, 0.012).ribbon(),
        Ring { outward: 0.027, ..Ring::wall(1.0, 0.018) }.ribbon(),
        Ring { outward: 0.027, ..Ring::wall(1.0, 0.068) }.ribbon(),
    ];
    rings.extend_from_slice(crown);
    let elevations = rims(anatomy, hat);
    let rim: Vec<Vec3> = (0..COLUMNS).map(|c| skull(anatomy, azimuth(c), elevations[c])).collect();
    let centre = rim.iter().sum::<Vec3>() / COLUMNS as f32;
    let slope = rim_plane(hat).map_or(0.0, |(slope, _)| slope);
    let axis = Vec3::new(0.0, 1.0, -slope).normalize();
    let place = |r: usize, c: usize| {
        let ring = rings[r];
        let from = rim[c] - centre;
        let flat = (from - axis * from.dot(axis)).normalize_or(Vec3::Z);
        let mut height = ring.height;
        if ring.brim {
            // The brim rises at the sides and dips in front.
            let turn = (2.0 * azimuth(c).to_radians()).cos();
            height -= if top { 0.25 } else { 0.18 } * ring.outward * turn;
        } else if !top {
            // The pinch of the front.
            let front = (azimuth(c).to_radians().cos()).max(0.0).powi(4);
            let edge = step(0.10, 0.22, height);
            let side = (from.x / 0.06).powi(2).min(4.0);
            height -= 0.05 * front * edge * (-side).exp();
        }
        centre + (from + flat * ring.outward) * ring.scale + axis * height.min(tall + 0.01)
    };
    let mut surface = Surface::default();
    surface.grid(rings.len(), COLUMNS, true, |r, c| warp.apply(place(r, c)));
    turned(surface).paint(|k, p| {
        let ring = rings[k / COLUMNS];
        let dark = if ring.ribbon { 0.42 } else { 1.0 };
        let felt = 1.0 + 0.03 * noise(p * 22.0, paint.seed ^ 0x93);
        paint.finish(paint.hat * dark * felt, p, 0.9 * (0.6 + 0.4 * dark))
    })
}

/// A golden ring with points.
fn crown(anatomy: &Anatomy, warp: &Warp, paint: &Paint) -> StudioMesh {
    const POINTS: f32 = 10.0;
    let elevations = rims(anatomy, Hat::Crown);
    let place = |r: usize, c: usize| {
        let base = skull(anatomy, azimuth(c), elevations[c]);
        let flat = direction(azimuth(c), 0.0);
        let wave = (POINTS * azimuth(c).to_radians()).cos();
        let tip = 0.085 + 0.085 * (0.5 + 0.5 * wave).powf(1.6);
        // Up the inside, over the edge and down the outside.
        let (outward, height) = match r {
            1 => (0.060, tip),
            2 => (0.075, tip),
            3 => (0.066, 0.055),
            4 => (0.072, 0.048),
            5 => (0.072, 0.008),
            6 => (0.064, 0.0),
            _ => (0.040, 0.0),
        };
        base + flat * outward + Vec3::Y * height
    };
    let mut surface = Surface::default();
    surface.grid(8, COLUMNS, true, |r, c| warp.apply(place(r, c)));
    surface.paint(|k, p| {
        let (r, c) = (k / COLUMNS, k % COLUMNS);
        let jewel = (4..6).contains(&r) && c.is_multiple_of(8);
        let colour = if jewel { Vec3::new(0.70, 0.08, 0.14) } else { GOLD };
        paint.finish(colour * (1.0 + 0.04 * noise(p * 20.0, paint.seed ^ 0x94)), p, 1.0)
    })
}
