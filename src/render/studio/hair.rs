//! Hair as closed volumes.
//!
//! Short cuts displace a copy of the scalp by a signed thickness that is
//! negative outside the hairline, so the hairline is the curve where the volume
//! meets the skin: smooth and without gaps from any side. Bob and long hair are one
//! solid from crown to tips, star-shaped round a vertical axis in every slice.

use super::anatomy::{Anatomy, SKULL, Warp, direction, hairline_distance};
use super::hat;
use super::mesh::{ChartPoint, StudioMesh, Surface};
use super::noise::{fractal, interpolate, noise, step};
use super::paint::Paint;
use crate::head::Part;
use crate::head::look::{HairStyle, Look};
use glam::{Vec2, Vec3};

/// The posed skin that patches are grown on.
pub(super) struct Skin<'a> {
    pub anatomy: &'static Anatomy,
    pub positions: &'a [Vec3],
    pub normals: &'a [Vec3],
}

impl Skin<'_> {
    /// A copy of the skin moved by `displace(vertex)`; the first value is the signed
    /// thickness that decides which triangles exist. Returns the prior vertex of each point.
    pub fn patch(&self, displace: impl Fn(usize) -> Option<(f32, Vec3)>) -> (Surface, Vec<u32>) {
        let moved: Vec<Option<(f32, Vec3)>> = (0..self.positions.len())
            .map(|i| if self.anatomy.part[i] == Part::Skin { displace(i) } else { None })
            .collect();
        let mut index = vec![u32::MAX; self.positions.len()];
        let mut surface = Surface::default();
        let mut source = Vec::new();
        for t in self.anatomy.model.part_triangles(Part::Skin) {
            let corners = t.map(|i| moved[i as usize]);
            let [Some(a), Some(b), Some(c)] = corners else { continue };
            if a.0 <= 0.0 && b.0 <= 0.0 && c.0 <= 0.0 {
                continue;
            }
            let triangle = std::array::from_fn(|k| {
                let v = t[k] as usize;
                if index[v] == u32::MAX {
                    index[v] = surface.points.len() as u32;
                    surface.points.push(self.positions[v] + corners[k].map_or(Vec3::ZERO, |c| c.1));
                    surface.charts.push(ChartPoint { chart: 0, at: flat(self.anatomy.at[v]) });
                    source.push(v as u32);
                }
                index[v]
            });
            surface.triangles.push(triangle);
        }
        (surface, source)
    }
}

/// Patches lie flat as a map of the head seen from a point of the forehead, where no
/// patch has its border: the middle of the chart; what lies opposite is its rim.
fn flat(p: Vec3) -> Vec2 {
    let pole = Vec3::new(0.0, 0.5, 0.866);
    let up = Vec3::new(0.0, 0.866, -0.5);
    let ray = (p - SKULL).normalize_or(pole);
    let angle = ray.dot(pole).clamp(-1.0, 1.0).acos();
    let around = Vec2::new(ray.x, ray.dot(up)).normalize_or_zero();
    0.5 + 0.5 * around * angle / std::f32::consts::PI
}

/// Signed distance inside the area where this look's hair grows.
pub(super) fn grown(anatomy: &Anatomy, look: &Look, vertex: usize) -> f32 {
    let p = anatomy.at[vertex];
    let raise = 0.085 * look.receding - if look.has_fringe() { 0.13 } else { 0.0 };
    let mut d = anatomy.hairline[vertex];
    if raise != 0.0 {
        // Keep the mask round the ears, move the front.
        d = if d < hairline_distance(p, 0.0) - 1e-4 { d } else { hairline_distance(p, raise) };
    }
    if look.hair == HairStyle::Mohawk {
        d = d.min(0.058 - p.x.abs());
    }
    d
}

/// Meridians from the crown: the way that combed hair runs.
fn combed(p: Vec3, seed: u32) -> f32 {
    let q = p - SKULL;
    let flat = Vec3::new(q.x, 0.0, q.z).normalize_or(Vec3::Z);
    let along = q.y.atan2((q.x * q.x + q.z * q.z).sqrt());
    0.7 * noise(Vec3::new(flat.x * 11.0, flat.z * 11.0, along * 1.3), seed)
        + 0.3 * noise(Vec3::new(flat.x * 24.0, flat.z * 24.0, along * 2.5), seed ^ 0x4d)
}

/// Lumps of curls, about -1..1.
fn curls(p: Vec3, seed: u32) -> f32 {
    0.7 * noise(p * 25.0, seed ^ 0x15) + 0.3 * noise(p * 44.0, seed ^ 0x16)
}

/// The tint that hair leaves on the skin below it, 0..1 per vertex.
pub(super) fn scalp_tint(anatomy: &Anatomy, look: &Look) -> Vec<f32> {
    let strength = match look.hair {
        HairStyle::Bald => 0.0,
        HairStyle::Buzz => 0.78,
        _ => 1.0,
    };
    (0..anatomy.at.len())
        .map(|i| {
            if strength == 0.0 || anatomy.part[i] != Part::Skin {
                return 0.0;
            }
            let tint = strength * step(-0.008, 0.014, grown(anatomy, look, i));
            if look.hair == HairStyle::Mohawk {
                // Shaved sides keep a shadow.
                tint.max(0.35 * step(-0.01, 0.02, anatomy.hairline[i]) * look.hair_length)
            } else {
                tint
            }
        })
        .collect()
}

/// The hair's volume, or nothing for bald and shaved heads.
pub(super) fn build(
    skin: &Skin<'_>,
    warp: &Warp,
    look: &Look,
    paint: &Paint,
) -> Option<StudioMesh> {
    match look.hair {
        HairStyle::Bald | HairStyle::Buzz => None,
        HairStyle::Bob | HairStyle::Long | HairStyle::Wavy => {
            Some(solid(skin.anatomy, warp, look, paint))
        }
        HairStyle::Ponytail | HairStyle::Bun => {
            let mut mesh = cap(skin, warp, look, paint);
            mesh.append(&gathered(warp, look, paint));
            Some(mesh)
        }
        HairStyle::Spiky => {
            let mut mesh = cap(skin, warp, look, paint);
            mesh.append(&spikes(skin.anatomy, warp, look, paint));
            Some(mesh)
        }
        _ => Some(cap(skin, warp, look, paint)),
    }
}

fn cap(skin: &Skin<'_>, warp: &Warp, look: &Look, paint: &Paint) -> StudioMesh {
    let anatomy = skin.anatomy;
    let centre = warp.apply(SKULL);
    let seed = paint.seed;
    let length = look.hair_length;
    let (surface, source) = skin.patch(|i| {
        let p = anatomy.at[i];
        let d = grown(anatomy, look, i);
        if d < -0.07 {
            return None;
        }
        let top = step(0.05, 0.30, p.y);
        let radial = (skin.positions[i] - centre).normalize_or(Vec3::Y);
        let (thickness, width, mix) = match look.hair {
            HairStyle::Curly => {
                let bump = 1.0 + 0.42 * curls(p, seed);
                ((0.045 + 0.05 * length) * (0.75 + 0.35 * top) * bump, 0.035, 0.6)
            }
            HairStyle::Afro => {
                let bump = 1.0 + 0.09 * curls(p, seed);
                ((0.14 + 0.08 * length) * bump, 0.075, 0.9)
            }
            HairStyle::Mohawk => {
                let back = interpolate(&[(-0.25, 0.35), (0.0, 0.75), (0.2, 1.0)], p.y);
                let spikes = 1.0 + 0.12 * (26.0 * (p.z + p.y * 0.6) + 3.0 * length).sin();
                ((0.13 + 0.10 * length) * back * spikes, 0.030, 1.0)
            }
            HairStyle::Ponytail | HairStyle::Bun => {
                // Combed tight towards the back of the head.
                let bump = 1.0 + 0.16 * swept_back(p, seed ^ 0x18);
                ((0.020 + 0.010 * top) * bump, 0.026, 0.35)
            }
            _ => {
                let bump =
                    1.0 + 0.20 * combed(p, seed ^ 0x18) + 0.08 * fractal(p * 7.0, seed ^ 0x19);
                let front = top * step(-0.22, 0.02, p.z) * (0.35 + 0.5 * length);
                ((0.020 + 0.012 * length) * (1.0 + 0.9 * top + front) * bump, 0.032, 0.35)
            }
        };
        let press = hat::pressed(look.hat, p);
        let thickness =
            if d > 0.0 { thickness * press + 0.010 * (1.0 - press) } else { thickness.min(0.06) };
        let t = thickness * (d / width).tanh();
        let mut way = skin.normals[i].lerp(radial, mix).normalize_or(Vec3::Y);
        if look.hair == HairStyle::Mohawk {
            way = Vec3::new(way.x * 0.25, way.y, way.z).normalize_or(Vec3::Y);
        }
        Some((t, way * t))
    });
    surface.paint(|k, _| {
        let i = source[k] as usize;
        let p = anatomy.at[i];
        let grain = match look.hair {
            HairStyle::Curly | HairStyle::Afro => {
                1.1 * curls(p, seed) + 0.4 * noise(p * 45.0, seed ^ 0x1b)
            }
            HairStyle::Ponytail | HairStyle::Bun => swept_back(p, seed ^ 0x1c),
            _ => combed(p, seed ^ 0x1c),
        };
        // Tips: the top of short cuts, the ridge of a mohawk, the points of spikes.
        let tips = match look.hair {
            HairStyle::Ponytail | HairStyle::Bun | HairStyle::Spiky => 0.0,
            HairStyle::Mohawk => step(0.05, 0.16, (skin.positions[i] - surface.points[k]).length()),
            _ => step(0.18, 0.26, p.y + 0.02 * combed(p, seed ^ 0x2a)),
        };
        let colour = paint.hair_towards_tips(tips);
        paint.strands(colour, p, grain, step(0.05, 0.0, grown(anatomy, look, i)))
    })
}

/// Spikes all over the scalp, on top of a close cut.
fn spikes(anatomy: &Anatomy, warp: &Warp, look: &Look, paint: &Paint) -> StudioMesh {
    const COUNT: usize = 150;
    const STEPS: usize = 6;
    const SIDES: usize = 7;
    let seed = paint.seed;
    let mut surface = Surface::default();
    // A golden-angle spiral covers the upper hemisphere evenly.
    for k in 0..COUNT {
        let azimuth = 137.508 * k as f32;
        let elevation = (1.0 - (k as f32 + 0.5) / COUNT as f32).asin().to_degrees();
        let root = SKULL + direction(azimuth, elevation) * anatomy.skull_radius(azimuth, elevation);
        let raise = 0.085 * look.receding;
        let d = hairline_distance(root, raise);
        if d < 0.012 {
            continue;
        }
        let cell = Vec3::new(k as f32 * 1.7, 0.5, 0.5);
        let jitter =
            Vec3::new(noise(cell, seed), noise(cell * 1.3, seed ^ 1), noise(cell * 1.9, seed ^ 2));
        let way = (direction(azimuth, elevation) + Vec3::new(0.0, 0.35, 0.12) + 0.30 * jitter)
            .normalize();
        let tall = (0.11 + 0.07 * look.hair_length)
            * (0.55 + 0.45 * step(0.0, 0.25, root.y))
            * (1.0 + 0.25 * jitter.x)
            * step(0.0, 0.06, d).max(0.5);
        let path: Vec<Vec3> = (0..STEPS)
            .map(|s| {
                let t = s as f32 / (STEPS - 1) as f32;
                warp.apply(root + way * (tall * t) - Vec3::Y * (0.02 * t * t))
            })
            .collect();
        surface
            .swept(&path, SIDES, false, |s| 0.040 * (1.0 - s as f32 / (STEPS - 1) as f32) + 0.001);
    }
    surface.paint(|i, p| {
        let t = ((i / SIDES) % STEPS) as f32 / (STEPS - 1) as f32;
        let grain = 0.8 * (t - 0.4) + 0.3 * noise(p * 40.0, seed ^ 0x2d);
        paint.strands(paint.hair_towards_tips(step(0.3, 0.6, t)), p, grain, step(0.3, 0.0, t))
    })
}

/// Where the hair of ponytails and buns is tied, face coordinates.
const KNOT: Vec3 = Vec3::new(0.0, 0.22, -0.53);

/// Lines that run from the hairline to the knot.
fn swept_back(p: Vec3, seed: u32) -> f32 {
    let q = (p - KNOT).normalize_or(Vec3::Z);
    0.7 * noise(q * 13.0, seed) + 0.3 * noise(q * 27.0, seed ^ 0x4d)
}

/// The tail or the bun at the knot.
fn gathered(warp: &Warp, look: &Look, paint: &Paint) -> StudioMesh {
    const STEPS: usize = 30;
    const SIDES: usize = 18;
    let seed = paint.seed;
    let mut surface = Surface::default();
    if look.hair == HairStyle::Bun {
        let size = 0.125 + 0.035 * look.hair_length;
        let coil = |ray: Vec3| {
            // The knot's lock winds round the axis that points away from the head.
            let turn = ray.y.atan2(ray.x) + 5.0 * ray.z.acos();
            turn.sin()
        };
        surface.ball(warp.apply(KNOT + Vec3::new(0.0, 0.07, -0.055)), |ray| {
            size * (1.0 + 0.05 * coil(ray) + 0.03 * noise(ray * 5.0, seed ^ 0x26))
        });
        let centre = surface.points.iter().sum::<Vec3>() / surface.points.len() as f32;
        return surface.paint(|_, p| {
            let ray = (p - centre).normalize_or(Vec3::Z);
            let grain = 0.7 * coil(ray) + 0.3 * noise(ray * 14.0, seed ^ 0x27);
            paint.strands(paint.hair_towards_tips(1.0), p, grain, 0.0)
        });
    }
    let length = 0.62 + 0.34 * look.hair_length;
    let at = |t: f32| {
        // Up and out of the knot, then down in an arc behind the neck.
        let out = 0.17 * (1.0 - (-5.0 * t).exp()) - 0.05 * t * t;
        let drop = length * t - 0.16 * (1.0 - (-6.0 * t).exp());
        // It begins inside the skull, whatever its size.
        KNOT + Vec3::new(0.0, 0.02 - drop, 0.10 * (1.0 - t).powi(8) - 0.01 - out)
    };
    let share = |k: usize| k as f32 / (STEPS - 1) as f32;
    let path: Vec<Vec3> = (0..STEPS).map(|k| warp.apply(at(share(k)))).collect();
    let thick = 0.082 + 0.022 * look.hair_length;
    surface.swept(&path, SIDES, false, |k| {
        let t = share(k);
        let tie = interpolate(&[(0.0, 0.62), (0.05, 0.55), (0.25, 1.0), (0.6, 0.9)], t);
        thick * tie * (1.0 - t.powi(4)).sqrt().max(0.02)
    });
    // Clumps along the tail.
    for (i, p) in surface.points.iter_mut().enumerate() {
        let (k, side) = (i / SIDES, i % SIDES);
        let angle = std::f32::consts::TAU * side as f32 / SIDES as f32;
        let clump = noise(Vec3::new(angle.cos() * 2.5, angle.sin() * 2.5, 3.0 * share(k)), seed);
        *p += (*p - path[k]) * (0.16 * clump);
    }
    let places: Vec<(f32, f32)> = (0..STEPS * SIDES)
        .map(|i| (share(i / SIDES), std::f32::consts::TAU * (i % SIDES) as f32 / SIDES as f32))
        .collect();
    surface.paint(|i, p| {
        let (t, angle) = places[i];
        let q = Vec3::new(angle.cos(), angle.sin(), 0.35 * t);
        let grain = 0.65 * noise(q * 5.0, seed ^ 0x28) + 0.35 * noise(q * 11.0, seed ^ 0x29);
        paint.strands(paint.hair_towards_tips(step(0.35, 0.55, t)), p, grain, step(0.06, 0.0, t))
    })
}

/// Bob, long and wavy hair.
fn solid(anatomy: &Anatomy, warp: &Warp, look: &Look, paint: &Paint) -> StudioMesh {
    const COLUMNS: usize = 112;
    const UPPER: usize = 22;
    let seed = paint.seed;
    let wavy = look.hair == HairStyle::Wavy;
    let long = look.hair == HairStyle::Long || wavy;
    let end = if long { -0.40 - 0.38 * look.hair_length } else { -0.20 - 0.15 * look.hair_length };
    let lower = if long { 16 } else { 9 };
    let raise = 0.085 * look.receding - if look.has_fringe() { 0.13 } else { 0.0 };
    let part_at = if look.has_fringe() { 9.0 } else { 0.06 * noise(Vec3::splat(0.5), seed ^ 0x1e) };
    let over = if look.has_covered_ears() { 0.022 } else { 0.0 };
    // Hair that is tucked behind the ears begins that much further back.
    let tucked = |y: f32| {
        if look.has_covered_ears() {
            return 0.0;
        }
        interpolate(&[(-0.8, 0.0), (-0.45, 30.0), (-0.25, 55.0), (0.08, 55.0), (0.16, 0.0)], y)
    };
    // Ahead of this azimuth the face is free.
    let opening = |y: f32| {
        let usual = interpolate(
            &[
                (-0.8, 46.0),
                (-0.45, 56.0),
                (-0.25, 68.0),
                (-0.16, 72.0),
                (-0.075, 67.5),
                (-0.005, 60.0),
                (0.07, 51.0),
            ],
            y,
        );
        usual + tucked(y)
    };
    let thickness = |p: Vec3| {
        let groove = (-((p.x - part_at) / 0.016).powi(2)).exp()
            * step(0.2, 0.27, p.y)
            * step(-0.36, -0.2, p.z);
        let wave = 1.0 + 0.10 * combed(p, seed ^ 0x1f);
        let full = (0.042 + 0.014 * look.hair_length) * wave * (1.0 - 0.4 * groove);
        let press = hat::pressed(look.hat, p);
        full * press + 0.010 * (1.0 - press)
    };
    let azimuth_of = |c: usize| 360.0 * c as f32 / COLUMNS as f32;
    let from_front = |a: f32| if a > 180.0 { 360.0 - a } else { a };
    let rows = UPPER + lower + 2;
    let place = |r: usize, c: usize| -> (Vec3, f32) {
        let azimuth = azimuth_of(c);
        let a = from_front(azimuth);
        if r < UPPER {
            let elevation = 90.0 * (1.0 - r as f32 / (UPPER - 1) as f32);
            let radius = anatomy.skull_radius(azimuth, elevation);
            let ray = direction(azimuth, elevation);
            let p = SKULL + ray * radius;
            let side = (a - opening(p.y)).to_radians() * 0.26;
            let d = hairline_distance(p, raise).max(side);
            let t = thickness(p) * (d / 0.030).tanh();
            let flat = Vec3::new(ray.x, 0.0, ray.z).normalize_or(Vec3::ZERO);
            // The sides swell over the ears.
            let swell = over * step(0.20, 0.07, p.y) * step(60.0, 90.0, a) * step(150.0, 115.0, a);
            (p + ray * t.max(-0.05) + flat * swell, d)
        } else {
            let last = r >= UPPER + lower;
            let k = ((r - UPPER + 1) as f32 / lower as f32).min(1.0);
            let ragged = if long { 0.030 } else { 0.008 };
            let tips = end + ragged * noise(direction(azimuth, 0.0) * 7.0, seed ^ 0x20);
            let y = SKULL.y + (tips - SKULL.y) * k;
            let d = (a - opening(y)).to_radians() * 0.28;
            let flat = direction(azimuth, 0.0);
            let swell = over * step(60.0, 90.0, a) * step(150.0, 115.0, a);
            let mut radius = 0.042 + 0.014 * look.hair_length + swell;
            let fall = step(-0.1, -0.6, y);
            if long {
                // Over the shoulder blades at the back, over the collar bones in front.
                radius += fall * (0.055 * step(120.0, 180.0, a) + 0.03);
            } else {
                radius += 0.028 * (std::f32::consts::PI * k).sin() - 0.03 * k * k * k;
            }
            if wavy {
                // Waves that drift round the head, growing towards the tips.
                let phase = 2.5 * noise(flat * 3.0, seed ^ 0x2b);
                radius += 0.024 * (24.0 * y + phase).sin() * step(0.10, -0.10, y);
                radius += 0.018 * step(0.0, -0.25, y);
            }
            radius += 0.014
                * noise(Vec3::new(flat.x * 9.0, flat.z * 9.0, y * 1.2), seed ^ 0x21)
                * step(0.05, -0.15, y);
            let tuck = if k > 0.85 { 1.0 - 0.10 * ((k - 0.85) / 0.15).powi(2) } else { 1.0 };
            // The front edge is round: it rises from the skull as above the ears, and
            // ahead of it the solid closes towards the neck.
            let core = interpolate(&[(-0.38, 0.01), (-0.1, 0.07)], y);
            let full =
                (anatomy.skull_radius(azimuth, 0.0) + radius * (d / 0.030).tanh().max(0.0)) * tuck;
            let mut radius = core + (full - core) * step(-0.045, 0.0, d);
            let mut y = y;
            if last {
                radius *= if r == UPPER + lower { 0.80 } else { 0.02 };
                y -= 0.004;
            }
            (Vec3::new(0.0, y, SKULL.z) + flat * radius, d)
        }
    };
    let mut surface = Surface::default();
    let mut colours = Vec::with_capacity(rows * COLUMNS);
    let mut places = Vec::with_capacity(rows * COLUMNS);
    for r in 0..rows {
        for c in 0..COLUMNS {
            let (p, d) = place(r, c);
            places.push(p);
            colours.push((p, step(0.05, 0.0, d)));
        }
    }
    // Columns run counter-clockwise seen from above, so the grid's outside is outwards.
    surface.grid(rows, COLUMNS, true, |r, c| warp.apply(places[r * COLUMNS + c]));
    surface.paint(|k, _| {
        let (p, root) = colours[k];
        let q = p - SKULL;
        let flat = Vec3::new(q.x, 0.0, q.z).normalize_or(Vec3::Z);
        let along = if q.y > 0.0 { q.y.atan2((q.x * q.x + q.z * q.z).sqrt()) } else { q.y * 2.0 };
        let grain = 0.65 * noise(Vec3::new(flat.x * 11.0, flat.z * 11.0, along * 0.8), seed ^ 0x22)
            + 0.35 * noise(Vec3::new(flat.x * 26.0, flat.z * 26.0, along * 1.4), seed ^ 0x23);
        let light = if long { 0.06 * step(-0.2, end, p.y) } else { 0.0 };
        let ragged = 0.03 * noise(flat * 9.0, seed ^ 0x2c);
        let middle = 0.5 * (end + 0.10) + ragged;
        let tips = step(middle + 0.06, middle - 0.06, p.y);
        let wave = if wavy {
            0.5 * (24.0 * p.y + 2.5 * noise(flat * 3.0, seed ^ 0x2b)).sin()
        } else {
            0.0
        };
        paint.strands(paint.hair_towards_tips(tips), p, grain + light + wave, root)
    })
}
