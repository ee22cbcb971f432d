//! What the studio knows about the head prior: masks, landmarks of looks, a table
//! of the skull's radius and the warp that carries templates to an identity.
//!
//! All places are in *face coordinates*: world units and axes, origin midway
//! between the mean head's eyes. There the crown is at y = 0.35, the chin at
//! y = -0.35, the nose tip at z = 0.14 and the back of the skull at z = -0.55.

use super::noise::{interpolate, step};
use crate::head::{HeadModel, Look, Part, Region, ShapedHead};
use glam::Vec3;
use std::sync::OnceLock;

/// Middle of the skull, face coordinates; hair grows away from it.
pub(super) const SKULL: Vec3 = Vec3::new(0.0, 0.07, -0.22);
const SKULL_COLUMNS: usize = 72;
const SKULL_ROWS: usize = 25;
const ANCHORS: usize = 220;

/// Height of the natural hairline by azimuth in degrees round a vertical axis
/// through z = -0.16, from the forehead (0) to the nape (180).
const HAIRLINE: [(f32, f32); 14] = [
    (0.0, 0.222),
    (24.0, 0.232),
    (42.0, 0.205),
    (54.0, 0.14),
    (64.0, 0.075),
    (74.0, -0.005),
    (82.0, -0.075),
    (92.0, -0.09),
    (100.0, 0.015),
    (120.0, 0.02),
    (130.0, -0.06),
    (143.0, -0.165),
    (160.0, -0.215),
    (180.0, -0.225),
];

/// Everything about the mean head that looks are painted on.
pub(crate) struct Anatomy {
    pub model: &'static HeadModel,
    /// The world position of the face coordinates' origin.
    pub origin: Vec3,
    /// Face coordinates of every vertex on the mean head.
    pub at: Vec<Vec3>,
    /// Parts of the vertices.
    pub part: Vec<Part>,
    /// Gaze-frame direction for eye vertices, zero elsewhere.
    pub gaze: Vec<Vec3>,
    /// Signed distance inside the hairline, roughly world units.
    pub hairline: Vec<f32>,
    /// Tips of the lashes with the vertices they grow from.
    lashes: Vec<(u32, u32)>,
    anchors: Vec<Vec3>,
    anchor_vertices: Vec<u32>,
    skull: Vec<f32>,
}

/// Moves points of the mean head's space to one identity's space.
pub(crate) struct Warp {
    from: Vec<Vec3>,
    by: Vec<Vec3>,
}

impl Warp {
    /// World position of a face-coordinate point on the identity.
    pub fn apply(&self, p: Vec3) -> Vec3 {
        let mut sum = Vec3::ZERO;
        let mut total = 0.0;
        for (from, by) in self.from.iter().zip(&self.by) {
            let w = 1.0 / (p.distance_squared(*from) + 0.0025);
            let w = w * w;
            sum += *by * w;
            total += w;
        }
        p + sum / total
    }
}

/// Signed distance inside the hairline at a face-coordinate point, with the
/// front hairline moved up (receding) or down (fringe) by `raise`.
pub(super) fn hairline_distance(p: Vec3, raise: f32) -> f32 {
    let angle = p.x.abs().atan2(p.z + 0.16).to_degrees();
    let height = |a: f32| {
        let front = 1.0 - step(46.0, 66.0, a);
        let corner = if raise > 0.0 { 0.5 + step(15.0, 38.0, a) } else { 1.0 };
        interpolate(&HAIRLINE, a) + raise * front * corner
    };
    let h = height(angle);
    let slope = (height(angle + 3.0) - height(angle - 3.0)) / (6.0_f32.to_radians() * 0.22);
    (p.y - h) / (1.0 + slope * slope).sqrt()
}

impl Anatomy {
    /// The anatomy of the embedded prior, computed once.
    pub fn get() -> &'static Self {
        static CELL: OnceLock<Anatomy> = OnceLock::new();
        CELL.get_or_init(|| Self::new(HeadModel::embedded()))
    }

    fn new(model: &'static HeadModel) -> Self {
        let canonical = model.canonical();
        let part = model.vertex_part().to_vec();
        let centre = |which: Part| {
            let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
            for (p, _) in canonical.iter().zip(&part).filter(|(_, q)| **q == which) {
                low = low.min(*p);
                high = high.max(*p);
            }
            (low + high) * 0.5
        };
        let eyes = [centre(Part::EyeLeft), centre(Part::EyeRight)];
        let origin = (eyes[0] + eyes[1]) * 0.5;
        let at: Vec<Vec3> = canonical.iter().map(|p| *p - origin).collect();
        let gaze = eye_directions(canonical, &part, eyes);
        let ears = model.region(Region::Ears);
        let hairline = at
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let d = hairline_distance(*p, 0.0);
                if ears[i] > 0.02 { d.min(0.05 - 0.2 * ears[i]) } else { d }
            })
            .collect();
        let mouth = model.region(Region::InnerMouth);
        let outer: Vec<u32> = (0..at.len() as u32)
            .filter(|&i| part[i as usize] == Part::Skin && mouth[i as usize] < 0.2)
            .collect();
        let anchor_vertices = farthest_points(&at, &outer, ANCHORS);
        let anchors = anchor_vertices.iter().map(|&i| at[i as usize]).collect();
        let skull = skull_table(&at, model.part_triangles(Part::Skin), ears);
        let lashes = lash_roots(&at, &part);
        Self { model, origin, at, part, gaze, hairline, lashes, anchors, anchor_vertices, skull }
    }

    /// Shortens the prior's lashes, which are drawn as full strips.
    pub fn trim_lashes(&self, look: &Look, positions: &mut [Vec3]) {
        let keep = if look.male { 0.15 } else { 0.45 };
        for &(lash, root) in &self.lashes {
            let root = positions[root as usize];
            let lash = &mut positions[lash as usize];
            *lash = root + (*lash - root) * keep;
        }
    }

    /// The warp from the mean head to a neutral identity.
    pub fn warp(&self, neutral: &ShapedHead) -> Warp {
        let by = self
            .anchor_vertices
            .iter()
            .map(|&i| neutral.positions[i as usize] - self.at[i as usize])
            .collect();
        Warp { from: self.anchors.clone(), by }
    }

    /// Distance from [`SKULL`] to the mean head's surface, ears left out.
    /// Azimuth in degrees from +z towards +x, elevation 0..90.
    pub fn skull_radius(&self, azimuth: f32, elevation: f32) -> f32 {
        let c = azimuth.rem_euclid(360.0) / 360.0 * SKULL_COLUMNS as f32;
        let r = (elevation / 90.0).clamp(0.0, 1.0) * (SKULL_ROWS - 1) as f32;
        let (c0, r0) = (c.floor() as usize, (r.floor() as usize).min(SKULL_ROWS - 2));
        let (fc, fr) = (c - c0 as f32, r - r0 as f32);
        let get =
            |row: usize, column: usize| self.skull[row * SKULL_COLUMNS + column % SKULL_COLUMNS];
        let line = |row: usize| get(row, c0) * (1.0 - fc) + get(row, c0 + 1) * fc;
        line(r0) * (1.0 - fr) + line(r0 + 1) * fr
    }
}

fn eye_directions(canonical: &[Vec3], part: &[Part], eyes: [Vec3; 2]) -> Vec<Vec3> {
    let mut gaze = vec![Vec3::ZERO; canonical.len()];
    for (which, centre) in [(Part::EyeLeft, eyes[0]), (Part::EyeRight, eyes[1])] {
        let members: Vec<usize> = (0..part.len()).filter(|&i| part[i] == which).collect();
        let pole = members
            .iter()
            .map(|&i| canonical[i])
            .max_by(|a, b| a.z.total_cmp(&b.z))
            .unwrap_or(centre + Vec3::Z);
        // The optical axis leaves the pole slightly outwards; keep its horizontal part only.
        let ahead = Vec3::new(pole.x - centre.x, 0.0, pole.z - centre.z).normalize_or(Vec3::Z);
        let right = Vec3::Y.cross(ahead).normalize();
        let up = ahead.cross(right);
        for i in members {
            let d = (canonical[i] - centre).normalize_or(Vec3::Z);
            gaze[i] = Vec3::new(d.dot(right), d.dot(up), d.dot(ahead));
        }
    }
    gaze
}

/// For each tip of the lashes the nearest of their roots: those vertices of the strips that
/// lie closer to the skin than half of them do.
fn lash_roots(at: &[Vec3], part: &[Part]) -> Vec<(u32, u32)> {
    let lids: Vec<Vec3> = (0..at.len())
        .filter(|&i| part[i] == Part::Skin && at[i].z > 0.0 && at[i].y.abs() < 0.06)
        .map(|i| at[i])
        .collect();
    let mut lashes: Vec<(usize, f32)> = (0..at.len())
        .filter(|&i| matches!(part[i], Part::LashLeft | Part::LashRight))
        .map(|i| {
            let gap = lids.iter().map(|p| p.distance_squared(at[i])).fold(f32::INFINITY, f32::min);
            (i, gap)
        })
        .collect();
    lashes.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (roots, tips) = lashes.split_at(lashes.len() / 2);
    tips.iter()
        .filter_map(|&(tip, _)| {
            let gap = |i: usize| at[i].distance_squared(at[tip]);
            let root = roots.iter().map(|r| r.0).min_by(|&a, &b| gap(a).total_cmp(&gap(b)))?;
            Some((tip as u32, root as u32))
        })
        .collect()
}

fn farthest_points(at: &[Vec3], among: &[u32], count: usize) -> Vec<u32> {
    let mut chosen = Vec::with_capacity(count);
    let mut distance = vec![f32::INFINITY; among.len()];
    let mut next = 0;
    for _ in 0..count.min(among.len()) {
        let p = at[among[next] as usize];
        chosen.push(among[next]);
        let mut best = -1.0;
        for (k, &i) in among.iter().enumerate() {
            distance[k] = distance[k].min(at[i as usize].distance_squared(p));
            // Denser on the head than on the shoulders.
            let score = distance[k] * if at[i as usize].y < -0.42 { 0.2 } else { 1.0 };
            if score > best {
                best = score;
                next = k;
            }
        }
    }
    chosen
}

/// A unit vector from azimuth and elevation in degrees.
pub(super) fn direction(azimuth: f32, elevation: f32) -> Vec3 {
    let (sa, ca) = azimuth.to_radians().sin_cos();
    let (se, ce) = elevation.to_radians().sin_cos();
    Vec3::new(sa * ce, se, ca * ce)
}

fn skull_table(at: &[Vec3], triangles: &[[u32; 3]], ears: &[f32]) -> Vec<f32> {
    let solid: Vec<[Vec3; 3]> = triangles
        .iter()
        .filter(|t| t.iter().all(|&i| ears[i as usize] < 0.25))
        .map(|t| t.map(|i| at[i as usize] - SKULL))
        .collect();
    let mut table = vec![f32::NAN; SKULL_ROWS * SKULL_COLUMNS];
    for r in 0..SKULL_ROWS {
        for c in 0..SKULL_COLUMNS {
            let azimuth = 360.0 * c as f32 / SKULL_COLUMNS as f32;
            let elevation = 90.0 * r as f32 / (SKULL_ROWS - 1) as f32;
            let ray = direction(azimuth, elevation);
            let far = solid.iter().filter_map(|t| hit(ray, t)).fold(f32::NAN, f32::max);
            table[r * SKULL_COLUMNS + c] = far;
        }
    }
    // Rays through the ear holes: continue from the row above.
    for r in (0..SKULL_ROWS - 1).rev() {
        for c in 0..SKULL_COLUMNS {
            let i = r * SKULL_COLUMNS + c;
            if !(table[i].is_finite() && table[i] > 0.15) {
                table[i] = table[i + SKULL_COLUMNS];
            }
        }
    }
    table
}

/// Distance along a ray from the origin to a triangle.
fn hit(ray: Vec3, [a, b, c]: &[Vec3; 3]) -> Option<f32> {
    let (e1, e2) = (*b - *a, *c - *a);
    let p = ray.cross(e2);
    let determinant = e1.dot(p);
    if determinant.abs() < 1e-12 {
        return None;
    }
    let s = -*a;
    let u = s.dot(p) / determinant;
    let q = s.cross(e1);
    let v = ray.dot(q) / determinant;
    let t = e2.dot(q) / determinant;
    (u >= -1e-4 && v >= -1e-4 && u + v <= 1.0002 && t > 0.0).then_some(t)
}
