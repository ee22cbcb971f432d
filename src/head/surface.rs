//! The closed surface: the outer skin with the mouth, the eyes and the bust's rim capped.
//!
//! The mouth cavity and the eye sockets are cut out. A membrane closes the mouth behind the lips; the
//! eye openings are filled with a patch of the eyeball; the rim is closed by a strip between its front
//! and its back. The result is one watertight manifold, oriented outwards, for any identity, expression
//! and pose, because only positions change.

use std::collections::{BTreeMap, BTreeSet};

use glam::Vec3;

use super::error::HeadError;
use super::model::{HeadModel, Part};
use super::shape::ShapedHead;

/// A watertight, outward-oriented triangle mesh in world units.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedSurface {
    /// Vertices.
    pub positions: Vec<Vec3>,
    /// Triangles, counter-clockwise from outside.
    pub triangles: Vec<[u32; 3]>,
    /// The head vertex behind each vertex; `None` for those that the caps add.
    pub origins: Vec<Option<u32>>,
}

const MOUTH: u8 = 1;
const SOCKETS: [(u8, Part); 2] = [(2, Part::EyeLeft), (3, Part::EyeRight)];

/// How far from the opening's edge to its middle the rings of a patch lie.
const RINGS: [f32; 4] = [0.15, 0.35, 0.6, 0.82];

/// What the closed surface of every head shares.
#[derive(Debug, Clone, Default)]
pub(super) struct ClosedTopology {
    triangles: Vec<[u32; 3]>,
    /// Head vertices, in the closed surface's order.
    origins: Vec<u32>,
    patches: Vec<Patch>,
}

/// A hole filled with rings of new vertices and one in the middle.
#[derive(Debug, Clone)]
struct Patch {
    /// The hole's edge, closed-surface indices, in the direction of the patch's own triangles.
    edge: Vec<u32>,
    /// The eyeball that the patch lies on, if any.
    ball: Option<Part>,
}

impl ClosedTopology {
    /// `zones` names the cavity that each skin triangle lines (0: none); `mean` are mean positions.
    pub fn new(skin: &[[u32; 3]], zones: &[u8], mean: &[Vec3]) -> Result<Self, HeadError> {
        let outer: Vec<[u32; 3]> =
            skin.iter().zip(zones).filter(|(_, zone)| **zone == 0).map(|(t, _)| *t).collect();
        let mut number: BTreeMap<u32, u32> = BTreeMap::new();
        for &i in outer.as_flattened() {
            let next = number.len() as u32;
            number.entry(i).or_insert(next);
        }
        let mut origins = vec![0; number.len()];
        for (&vertex, &n) in &number {
            origins[n as usize] = vertex;
        }
        let mut surface = Self {
            triangles: outer.iter().map(|t| t.map(|i| number[&i])).collect(),
            origins,
            patches: Vec::new(),
        };

        let mut loops = boundary_loops(&surface.triangles)?;
        let lines = |zone: u8| -> Vec<u32> {
            let inside = skin.iter().zip(zones).filter(|(_, z)| **z == zone);
            let mut all: Vec<u32> =
                inside.flat_map(|(t, _)| t.iter().filter_map(|i| number.get(i)).copied()).collect();
            all.sort_unstable();
            all
        };
        let mut take = |zone: u8| {
            let members = lines(zone);
            let found = loops
                .iter()
                .position(|edge: &Vec<u32>| edge.iter().all(|i| members.binary_search(i).is_ok()));
            found.map(|i| loops.swap_remove(i)).ok_or_else(|| malformed("a cavity has no edge"))
        };
        let mouth = take(MOUTH)?;
        surface.fill(mouth, None);
        for (zone, ball) in SOCKETS {
            let edge = take(zone)?;
            surface.fill(edge, Some(ball));
        }
        match loops.as_slice() {
            [rim] => surface.close_rim(rim, mean),
            _ => Err(malformed(&format!("it has {} further holes, not one", loops.len()))),
        }?;
        Ok(surface)
    }

    fn vertex_count(&self) -> usize {
        self.origins.len() + self.patches.iter().map(Patch::new_vertices).sum::<usize>()
    }

    fn fill(&mut self, edge: Vec<u32>, ball: Option<Part>) {
        let n = edge.len() as u32;
        let first = self.vertex_count() as u32;
        let mut outer: Vec<u32> = edge.clone();
        for ring in 0..RINGS.len() as u32 {
            let inner: Vec<u32> = (0..n).map(|i| first + ring * n + i).collect();
            for i in 0..n as usize {
                let j = (i + 1) % n as usize;
                self.triangles.push([outer[i], outer[j], inner[j]]);
                self.triangles.push([outer[i], inner[j], inner[i]]);
            }
            outer = inner;
        }
        let middle = first + RINGS.len() as u32 * n;
        for i in 0..n as usize {
            self.triangles.push([outer[i], outer[(i + 1) % n as usize], middle]);
        }
        self.patches.push(Patch { edge, ball });
    }

    /// Joins the front and the back of the rim with a strip, from shoulder to shoulder.
    fn close_rim(&mut self, rim: &[u32], mean: &[Vec3]) -> Result<(), HeadError> {
        let at = |i: usize| mean[self.origins[rim[i % rim.len()] as usize] as usize];
        // The rim's two upper corners, where chest turns into back.
        let corner = |side: f32| {
            (0..rim.len())
                .max_by(|&a, &b| {
                    let height = |i: usize| at(i).x * side + at(i).y;
                    height(a).total_cmp(&height(b))
                })
                .unwrap_or(0)
        };
        let (left, right) = (corner(1.0), corner(-1.0));
        if left == right || rim.len() < 4 {
            return Err(malformed("the rim has no two corners"));
        }
        // Two chains from `left` to `right`: with the rim's direction and against it.
        let n = rim.len();
        let with: Vec<usize> = (0..=(right + n - left) % n).map(|k| (left + k) % n).collect();
        let against: Vec<usize> =
            (0..=(left + n - right) % n).map(|k| (left + n - k) % n).collect();
        let (along_with, along_against) = (arc(&with, at), arc(&against, at));
        let (mut i, mut j) = (0, 0);
        let mut strip = Vec::new();
        while i + 1 < with.len() || j + 1 < against.len() {
            let advance_with = j + 1 == against.len()
                || (i + 1 < with.len() && along_with[i + 1] <= along_against[j + 1]);
            let (a, b) = (with[i], against[j]);
            if advance_with {
                i += 1;
                strip.push([a, with[i], b]);
            } else {
                j += 1;
                strip.push([a, against[j], b]);
            }
        }
        self.triangles.extend(
            strip
                .into_iter()
                .filter(|[a, b, c]| a != b && b != c && c != a)
                .map(|t| t.map(|k| rim[k])),
        );
        Ok(())
    }
}

/// Arc length along a chain, scaled to 0..=1.
fn arc(chain: &[usize], at: impl Fn(usize) -> Vec3) -> Vec<f32> {
    let mut out = vec![0.0];
    for pair in chain.windows(2) {
        out.push(out[out.len() - 1] + (at(pair[1]) - at(pair[0])).length());
    }
    let total = out[out.len() - 1].max(f32::MIN_POSITIVE);
    for x in &mut out {
        *x /= total;
    }
    out
}

/// The edges of all holes, each directed as a triangle that fills the hole must be.
fn boundary_loops(triangles: &[[u32; 3]]) -> Result<Vec<Vec<u32>>, HeadError> {
    let mut half_edges = BTreeSet::new();
    for &[a, b, c] in triangles {
        for edge in [(a, b), (b, c), (c, a)] {
            if !half_edges.insert(edge) {
                return Err(malformed("an edge is used twice in one direction"));
            }
        }
    }
    let mut next = BTreeMap::new();
    for &(a, b) in &half_edges {
        if !half_edges.contains(&(b, a)) && next.insert(b, a).is_some() {
            return Err(malformed("two holes touch in a vertex"));
        }
    }
    let mut loops = Vec::new();
    while let Some((&start, _)) = next.first_key_value() {
        let mut edge = Vec::new();
        let mut at = start;
        while let Some(following) = next.remove(&at) {
            edge.push(at);
            at = following;
        }
        if at != start || edge.len() < 3 {
            return Err(malformed("a hole has no closed edge"));
        }
        loops.push(edge);
    }
    Ok(loops)
}

fn malformed(what: &str) -> HeadError {
    HeadError::Header(format!("the skin cannot be closed: {what}"))
}

impl Patch {
    fn new_vertices(&self) -> usize {
        self.edge.len() * RINGS.len() + 1
    }

    /// Appends the patch's vertices.
    fn place(&self, positions: &mut Vec<Vec3>, ball: Option<(Vec3, f32)>) {
        let edge: Vec<Vec3> = self.edge.iter().map(|&i| positions[i as usize]).collect();
        let middle = edge.iter().copied().sum::<Vec3>() / edge.len() as f32;
        // On the eye, every new vertex is pushed out (or in) onto the ball.
        let settle = |p: Vec3| match ball {
            Some((centre, radius)) => centre + (p - centre).normalize_or(Vec3::Z) * radius,
            None => p,
        };
        for ring in RINGS {
            positions.extend(edge.iter().map(|p| settle(p.lerp(middle, ring))));
        }
        positions.push(settle(middle));
    }
}

impl HeadModel {
    /// The watertight surface of a head: skin capped at the bust's rim, mouth closed by a membrane, eye
    /// openings filled by the eyeballs' fronts. Teeth, tongue, lashes and hair ribbons are left out.
    #[must_use]
    pub fn closed_surface(&self, head: &ShapedHead) -> ClosedSurface {
        let topology = &self.closed;
        let mut positions: Vec<Vec3> =
            topology.origins.iter().map(|&i| head.positions[i as usize]).collect();
        for patch in &topology.patches {
            patch.place(&mut positions, patch.ball.map(|part| self.ball(part, head)));
        }
        let mut origins: Vec<Option<u32>> = topology.origins.iter().copied().map(Some).collect();
        origins.resize(positions.len(), None);
        ClosedSurface { positions, triangles: topology.triangles.clone(), origins }
    }

    /// Centre and mean radius of an eyeball.
    fn ball(&self, part: Part, head: &ShapedHead) -> (Vec3, f32) {
        let vertices = || {
            let parts = self.vertex_part().iter().zip(&head.positions);
            parts.filter(|(p, _)| **p == part).map(|(_, position)| *position)
        };
        let count = vertices().count().max(1) as f32;
        let centre = vertices().sum::<Vec3>() / count;
        let radius = vertices().map(|p| (p - centre).length()).sum::<f32>() / count;
        (centre, radius)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{HeadParams, HeadPose};

    fn volume(surface: &ClosedSurface) -> f32 {
        let corner = |i: u32| surface.positions[i as usize];
        let triple = |t: &[u32; 3]| corner(t[0]).cross(corner(t[1])).dot(corner(t[2])) / 6.0;
        surface.triangles.iter().map(triple).sum()
    }

    #[test]
    fn the_surface_is_one_closed_oriented_manifold_sphere() {
        let model = HeadModel::embedded();
        let surface = model.closed_surface(model.mean());
        let mut edges = BTreeSet::new();
        for &[a, b, c] in &surface.triangles {
            for edge in [(a, b), (b, c), (c, a)] {
                assert!(edges.insert(edge), "edge {edge:?} is used twice in one direction");
            }
        }
        assert!(edges.iter().all(|&(a, b)| edges.contains(&(b, a))), "watertight");
        // Each vertex has one fan of triangles.
        let mut fans: BTreeMap<u32, BTreeMap<u32, u32>> = BTreeMap::new();
        for &[a, b, c] in &surface.triangles {
            for (v, from, to) in [(a, b, c), (b, c, a), (c, a, b)] {
                fans.entry(v).or_default().insert(from, to);
            }
        }
        assert_eq!(fans.len(), surface.positions.len(), "every vertex is used");
        for (vertex, fan) in &fans {
            let start = *fan.first_key_value().unwrap().0;
            let mut at = start;
            let mut steps = 0;
            loop {
                at = fan[&at];
                steps += 1;
                if at == start {
                    break;
                }
            }
            assert_eq!(steps, fan.len(), "vertex {vertex} pinches");
        }
        let (v, e, f) = (fans.len(), edges.len() / 2, surface.triangles.len());
        assert_eq!(v as i64 - e as i64 + f as i64, 2, "a topological sphere");
        let volume = volume(&surface);
        assert!(volume > 0.05 && volume < 0.8, "outward: {volume}");
        assert_eq!(surface.origins.len(), surface.positions.len());
    }

    #[test]
    fn caps_stay_near_what_they_close() {
        let model = HeadModel::embedded();
        let mut params = HeadParams::default();
        let check = |params: &HeadParams| {
            let head = model.shape(params).unwrap();
            let surface = model.closed_surface(&head);
            assert!(volume(&surface) > 0.05);
            let new = surface.positions.iter().zip(&surface.origins).filter(|(_, o)| o.is_none());
            for (position, _) in new {
                let near = head.positions.iter().map(|p| (*p - *position).length());
                assert!(near.fold(f32::MAX, f32::min) < 0.12, "a cap vertex strays to {position}");
            }
        };
        check(&params);
        for name in ["eyeBlinkLeft", "eyeBlinkRight", "jawOpen"] {
            params.expression.insert(name.into(), 1.0);
        }
        check(&params);
        params.pose = HeadPose { neck: [40.0, 10.0, 5.0], jaw: 10.0, eyes: [10.0, 5.0] };
        check(&params);
    }

    #[test]
    fn holes_that_are_none_are_errors() {
        assert!(ClosedTopology::new(&[], &[], &[]).is_err());
        let triangle = [[0, 1, 2]];
        let mean = [Vec3::ZERO, Vec3::X, Vec3::Y];
        assert!(ClosedTopology::new(&triangle, &[0], &mean).is_err());
        assert!(ClosedTopology::new(&[[0, 1, 2], [0, 1, 2]], &[0, 0], &mean).is_err());
    }
}
