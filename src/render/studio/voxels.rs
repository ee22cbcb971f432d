//! A studio head on lattices over the scene cube `[-1, 1]^3`: where it is solid, and which
//! colour it has there. A field can start from them.

use super::{SkinColors, StudioHead, StudioMesh, StudioSample, VISIBLE};
use crate::head::bvh::{Bvh, closest_weights};
use crate::head::{DistanceField, HeadModel, Part};
use crate::render::lattice::neighbours;
use glam::Vec3;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::ops::Range;

/// How far from a surface nodes know of it, world units (1 cm).
const REACH: f32 = 0.034;
/// Where before a surface nothing may stand for it to be seen, world units.
const CLEAR: Range<f32> = 0.0005..0.05;
/// How far beyond that colours go on: light passes a soft surface, and sees what is below.
const DEPTH: f32 = 0.1;

/// The nearest point of a mesh to a node.
#[derive(Debug, Clone, Copy)]
struct Nearest {
    triangle: u32,
    /// Barycentric.
    weights: Vec3,
    distance: f32,
    /// Whether the node lies behind the triangle.
    behind: bool,
}

/// The nearest points of some of a mesh's triangles, for nodes within [`REACH`].
fn nearest(
    mesh: &StudioMesh,
    triangles: impl Iterator<Item = usize>,
    nodes: usize,
) -> Vec<Option<Nearest>> {
    let step = 2.0 / (nodes - 1) as f32;
    let corners =
        |t: usize| mesh.triangles[t].map(|v| Vec3::from(mesh.vertices[v as usize].position));
    let low = |v: f32| (((v - REACH + 1.0) / step).ceil().max(0.0)) as usize;
    let high = |v: f32| {
        ((((v + REACH + 1.0) / step).floor()).min((nodes - 1) as f32).max(-1.0) + 1.0) as usize
    };
    // Which triangles concern which layer of nodes.
    let mut layers: Vec<Vec<u32>> = vec![Vec::new(); nodes];
    for t in triangles {
        let [a, b, c] = corners(t);
        for layer in &mut layers[low(a.min(b).min(c).z).min(nodes)..high(a.max(b).max(c).z)] {
            layer.push(t as u32);
        }
    }
    let mut found: Vec<Option<Nearest>> = vec![None; nodes * nodes * nodes];
    found.par_chunks_mut(nodes * nodes).zip(&layers).enumerate().for_each(|(k, (slice, list))| {
        for &triangle in list {
            let [a, b, c] = corners(triangle as usize);
            let (from, to) = (a.min(b).min(c), a.max(b).max(c));
            let normal = (b - a).cross(c - a);
            for j in low(from.y)..high(to.y) {
                for i in low(from.x)..high(to.x) {
                    let node = Vec3::new(i as f32, j as f32, k as f32) * step - 1.0;
                    let weights = closest_weights(node, [a, b, c]);
                    let point = a * weights.x + b * weights.y + c * weights.z;
                    let distance = node.distance(point);
                    let best = &mut slice[j * nodes + i];
                    if distance < REACH && best.is_none_or(|b| distance < b.distance) {
                        let behind = (node - point).dot(normal) < 0.0;
                        *best = Some(Nearest { triangle, weights, distance, behind });
                    }
                }
            }
        }
    });
    found
}

/// Adds hair, hats and whatever else a head has on to the distance of its bare skin.
///
/// Their surfaces need not be closed: they get the thickness of a node's spacing, and what
/// cannot be reached from outside is solid.
#[must_use]
pub fn dressed(skin: &DistanceField, head: &StudioHead) -> DistanceField {
    let n = skin.resolution;
    // Thick enough that no two neighbours lie on either side of a sheet unnoticed.
    let half = 1.03 / (n - 1) as f32;
    let on = nearest(&head.mesh, head.prior_triangles..head.mesh.triangles.len(), n);
    let mut values = skin.values.clone();
    for (value, on) in values.iter_mut().zip(&on) {
        if let Some(on) = on {
            *value = value.min(on.distance - half);
        }
    }
    let outside = reachable(&values, n);
    for (at, (value, on)) in values.iter_mut().zip(&on).enumerate() {
        if outside[at] {
            continue;
        }
        // Behind a surface, or in a cavity between surfaces.
        match on {
            Some(on) if on.behind || *value > 0.0 => *value = value.min(-on.distance - half),
            None if *value > 0.0 => *value = -REACH,
            _ => {}
        }
    }
    DistanceField { resolution: n, values }
}

/// Which nodes with positive values are connected to the cube's first corner.
fn reachable(values: &[f32], n: usize) -> Vec<bool> {
    let mut seen = vec![false; values.len()];
    let mut queue = VecDeque::from([0_usize]);
    seen[0] = true;
    while let Some(at) = queue.pop_front() {
        for next in neighbours(at, n) {
            if !seen[next] && values[next] > 0.0 {
                seen[next] = true;
                queue.push_back(next);
            }
        }
    }
    seen
}

/// What is seen of a dressed person from outside, with its colours.
struct Seen<'a> {
    head: &'a StudioHead,
    paint: SkinColors,
    /// Triangles that lie on the surface with nothing close before them.
    triangles: Vec<usize>,
}

impl<'a> Seen<'a> {
    /// Skin below hair, eyeballs below lids and gums behind lips do not count. `step` is how
    /// finely the surface is resolved.
    fn new(head: &'a StudioHead, person: &StudioSample, solid: &DistanceField, step: f32) -> Self {
        let mesh = &head.mesh;
        let lashes = lashes();
        // Lashes are finer than any lattice: they would only darken the eyes.
        let shown: Vec<usize> = (0..mesh.triangles.len())
            .filter(|t| !lashes.iter().any(|range| range.contains(t)))
            .collect();
        let positions = mesh.positions();
        let opaque: Vec<[u32; 3]> = shown.iter().map(|t| mesh.triangles[*t]).collect();
        let tree = Bvh::new(&positions, &opaque);
        let is_seen = |t: &usize| {
            let [a, b, c] = mesh.triangles[*t].map(|v| positions[v as usize]);
            let normal = (b - a).cross(c - a).normalize_or_zero();
            let centre = (a + b + c) / 3.0;
            // A triangle that is partly covered counts.
            [centre, a.lerp(centre, 0.4), b.lerp(centre, 0.4), c.lerp(centre, 0.4)].iter().any(
                |p| {
                    solid.sample(*p + 1.2 * step * normal) > 0.0
                        && !tree.blocks(*p + CLEAR.start * normal, *p + CLEAR.end * normal)
                },
            )
        };
        let triangles = shown.into_iter().filter(is_seen).collect();
        Self { head, paint: SkinColors::new(&person.look, person.seed), triangles }
    }

    /// The albedo (sRGB-encoded) of a point of a triangle.
    fn color(&self, triangle: usize, weights: Vec3) -> Vec3 {
        let mesh = &self.head.mesh;
        let corners = mesh.triangles[triangle].map(|v| v as usize);
        if triangle < self.head.prior_triangles {
            return self.paint.between(corners, weights);
        }
        let [a, b, c] = corners.map(|v| Vec3::from(mesh.vertices[v].albedo));
        a * weights.x + b * weights.y + c * weights.z
    }
}

/// The albedo (sRGB-encoded) at nodes near a person's surface, `nodes` a side, x fastest.
/// Every node takes the colour of the nearest triangle that is seen on the surface of `solid`,
/// as [`dressed`] gives it.
#[must_use]
pub fn colors(
    head: &StudioHead,
    person: &StudioSample,
    solid: &DistanceField,
    nodes: usize,
) -> Vec<Option<Vec3>> {
    let step = 2.0 / (nodes - 1) as f32;
    let seen = Seen::new(head, person, solid, step);
    let near = nearest(&head.mesh, seen.triangles.iter().copied(), nodes);
    let color = |near: Nearest| seen.color(near.triangle as usize, near.weights);
    let mut colors: Vec<Option<Vec3>> = near.into_par_iter().map(|n| n.map(color)).collect();
    spread(&mut colors, nodes, (DEPTH / step).ceil() as usize);
    colors
}

/// The albedo (sRGB-encoded) at points of a dressed person's surface: that of the nearest
/// triangle that is seen.
#[must_use]
pub fn surface_colors(
    head: &StudioHead,
    person: &StudioSample,
    solid: &DistanceField,
    points: &[Vec3],
) -> Vec<Vec3> {
    let step = 2.0 / (solid.resolution - 1) as f32;
    let seen = Seen::new(head, person, solid, step);
    let mesh = &head.mesh;
    let positions = mesh.positions();
    let shown: Vec<[u32; 3]> = seen.triangles.iter().map(|t| mesh.triangles[*t]).collect();
    let tree = Bvh::new(&positions, &shown);
    let color = |point: &Vec3| {
        let Some(hit) = tree.closest(*point, None) else { return Vec3::splat(0.5) };
        let triangle = seen.triangles[tree.original(hit.triangle) as usize];
        let corners = mesh.triangles[triangle].map(|v| positions[v as usize]);
        seen.color(triangle, closest_weights(*point, corners))
    };
    points.par_iter().map(color).collect()
}

/// Which triangles are lashes.
fn lashes() -> Vec<Range<usize>> {
    let mut first = 0;
    let mut found = Vec::new();
    for part in VISIBLE {
        let range = first..first + HeadModel::embedded().part_triangles(part).len();
        first = range.end;
        if matches!(part, Part::LashLeft | Part::LashRight) {
            found.push(range);
        }
    }
    found
}

/// Gives nodes without a colour that of a neighbour, `rounds` times.
fn spread(colors: &mut [Option<Vec3>], n: usize, rounds: usize) {
    let mut edge: Vec<usize> = (0..colors.len()).filter(|&i| colors[i].is_some()).collect();
    for _ in 0..rounds {
        let mut next = Vec::new();
        for at in edge {
            let color = colors[at];
            for to in neighbours(at, n) {
                if colors[to].is_none() {
                    colors[to] = color;
                    next.push(to);
                }
            }
        }
        edge = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::look::{Glasses, HairColor, HairStyle, Look, SkinTone};
    use crate::rng;

    #[test]
    fn weights_give_the_closest_point() {
        let corners = [Vec3::ZERO, Vec3::X, Vec3::Y];
        for (point, expected) in [
            (Vec3::new(0.25, 0.25, 0.7), Vec3::new(0.5, 0.25, 0.25)),
            (Vec3::new(-1.0, -2.0, 0.0), Vec3::X),
            (Vec3::new(0.4, -1.0, 0.1), Vec3::new(0.6, 0.4, 0.0)),
            (Vec3::new(1.0, 1.0, 0.0), Vec3::new(0.0, 0.5, 0.5)),
        ] {
            let found = closest_weights(point, corners);
            assert!(found.distance(expected) < 1e-6, "{point}: {found}");
        }
    }

    #[test]
    fn hair_is_solid_and_coloured_and_skin_stays_where_it_was() {
        let look = Look {
            hair: HairStyle::Long,
            hair_color: HairColor::Blue,
            skin: SkinTone::Green,
            glasses: Glasses::Round,
            male: false,
            ..Look::default()
        };
        let person = StudioSample::with_look(look, &mut rng::stream(1, "test", 0, "voxels"));
        let head = StudioHead::new(&person.params, &person.look, person.seed).unwrap();
        let bare = HeadModel::embedded().shape(&person.params).unwrap();
        let surface = HeadModel::embedded().closed_surface(&bare);
        let skin = DistanceField::of(&surface, 96);
        let dressed = dressed(&skin, &head);
        // Above the crown there is hair, and nothing hollow below it.
        let crown = surface.positions.iter().map(|p| p.y).fold(f32::MIN, f32::max);
        let above = Vec3::new(0.0, crown + 0.015, -0.05);
        assert!(skin.sample(above) > 0.0 && dressed.sample(above) < 0.0, "{above}");
        let throat = surface_point(&surface.positions, 0.0, -0.55);
        assert!((skin.sample(throat) - dressed.sample(throat)).abs() < 1e-3);
        assert!(dressed.values.iter().zip(&skin.values).all(|(d, s)| d <= s));
        let lattice = colors(&head, &person, &dressed, 97);
        let at = |p: Vec3| {
            let [i, j, k] = ((p + 1.0) * 48.0).round().to_array().map(|v| v as usize);
            lattice[(k * 97 + j) * 97 + i].unwrap()
        };
        let (hair, neck) = (at(above), at(throat));
        assert!(hair.z > hair.x + 0.2, "{hair}");
        assert!(neck.y > neck.x + 0.1 && neck.y > neck.z + 0.1, "{neck}");
        assert!(lattice[0].is_none());
    }

    /// The foremost point near (x, y).
    fn surface_point(positions: &[Vec3], x: f32, y: f32) -> Vec3 {
        let near = positions.iter().filter(|p| (p.x - x).abs() < 0.03 && (p.y - y).abs() < 0.03);
        near.copied().max_by(|a, b| a.z.total_cmp(&b.z)).unwrap()
    }
}
