//! How the triangles of a mesh hang together.

use super::mesh::{Mesh, tetrahedron_volume};
use std::fmt;

/// One side of a triangle, seen from its undirected edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HalfEdge {
    /// Smaller vertex of the edge.
    pub low: u32,
    /// Larger vertex of the edge.
    pub high: u32,
    /// The triangle.
    pub triangle: u32,
    /// The corner at which the half-edge starts (0, 1, 2); it ends at the next one.
    pub corner: u8,
    /// Whether it runs from `low` to `high`.
    pub forward: bool,
}

/// All half-edges, sorted by edge; the sides of one edge are neighbours.
#[must_use]
pub fn half_edges(mesh: &Mesh) -> Vec<HalfEdge> {
    let mut edges = Vec::with_capacity(mesh.triangles.len() * 3);
    for (t, v) in mesh.triangles.iter().enumerate() {
        for corner in 0..3 {
            let (a, b) = (v[corner], v[(corner + 1) % 3]);
            edges.push(HalfEdge {
                low: a.min(b),
                high: a.max(b),
                triangle: t as u32,
                corner: corner as u8,
                forward: a < b,
            });
        }
    }
    edges.sort_unstable();
    edges
}

/// The sides of each undirected edge, in ascending order of edges.
pub fn edge_groups(edges: &[HalfEdge]) -> impl Iterator<Item = &[HalfEdge]> {
    edges.chunk_by(|a, b| a.low == b.low && a.high == b.high)
}

/// The triangle across each side of each triangle: side `c` runs from corner `c` to the
/// next. `None` at borders and at edges with more than two sides.
#[must_use]
pub fn face_neighbours(mesh: &Mesh) -> Vec<[Option<u32>; 3]> {
    let mut out = vec![[None; 3]; mesh.triangles.len()];
    for group in edge_groups(&half_edges(mesh)) {
        if let [a, b] = group {
            out[a.triangle as usize][a.corner as usize] = Some(b.triangle);
            out[b.triangle as usize][b.corner as usize] = Some(a.triangle);
        }
    }
    out
}

/// Counts of everything that keeps a mesh from being a closed oriented manifold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Topology {
    /// Edges with one side.
    pub border_edges: usize,
    /// Edges with more than two sides.
    pub crowded_edges: usize,
    /// Edges whose two triangles disagree on what is outside.
    pub twisted_edges: usize,
    /// Vertices at which several fans of triangles touch.
    pub pinched_vertices: usize,
    /// Triangles that name a vertex twice.
    pub collapsed_triangles: usize,
}

impl Topology {
    /// Whether the mesh is a closed, consistently oriented manifold.
    #[must_use]
    pub fn is_closed_manifold(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} border edges, {} edges with more than two sides, {} twisted edges, \
             {} pinched vertices, {} collapsed triangles",
            self.border_edges,
            self.crowded_edges,
            self.twisted_edges,
            self.pinched_vertices,
            self.collapsed_triangles
        )
    }
}

/// What a check of the topology found, with the places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defects {
    /// The counts.
    pub topology: Topology,
    /// Vertices at or next to a defect, ascending.
    pub vertices: Vec<u32>,
}

/// Checks whether a mesh is a closed oriented manifold.
#[must_use]
pub fn check(mesh: &Mesh) -> Topology {
    defects(mesh).topology
}

/// Checks a mesh and tells where it is broken.
#[must_use]
pub fn defects(mesh: &Mesh) -> Defects {
    let mut found = Topology::default();
    let mut vertices = Vec::new();
    for t in &mesh.triangles {
        if t[0] == t[1] || t[1] == t[2] || t[2] == t[0] {
            found.collapsed_triangles += 1;
            vertices.extend(t);
        }
    }
    // Corners that share an edge at a vertex belong to one fan round that vertex.
    let mut fans = DisjointSets::new(mesh.triangles.len() * 3);
    let edges = half_edges(mesh);
    for group in edge_groups(&edges) {
        match group {
            [_] => found.border_edges += 1,
            [a, b] => {
                if a.forward == b.forward {
                    found.twisted_edges += 1;
                    vertices.extend([a.low, a.high]);
                }
                for end in [a.low, a.high] {
                    let corner = |h: &HalfEdge| {
                        let t = h.triangle as usize;
                        let c = mesh.triangles[t].iter().position(|&v| v == end).unwrap_or(0);
                        t * 3 + c
                    };
                    fans.unite(corner(a), corner(b));
                }
                continue;
            }
            _ => found.crowded_edges += 1,
        }
        vertices.extend([group[0].low, group[0].high]);
    }
    let mut fan_of = vec![usize::MAX; mesh.positions.len()];
    let mut pinched = vec![false; mesh.positions.len()];
    for (corner, &v) in mesh.triangles.iter().flatten().enumerate() {
        let root = fans.find(corner);
        let known = &mut fan_of[v as usize];
        if *known == usize::MAX {
            *known = root;
        } else if *known != root {
            pinched[v as usize] = true;
        }
    }
    for (v, _) in pinched.iter().enumerate().filter(|(_, p)| **p) {
        found.pinched_vertices += 1;
        vertices.push(v as u32);
    }
    vertices.sort_unstable();
    vertices.dedup();
    Defects { topology: found, vertices }
}

/// One connected part of a mesh.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its triangles, ascending.
    pub triangles: Vec<u32>,
    /// Its signed volume if it is closed; negative for the wall of a cavity.
    pub volume: f64,
}

/// The connected parts (through shared vertices), in the order of their first triangle.
#[must_use]
pub fn components(mesh: &Mesh) -> Vec<Component> {
    let mut sets = DisjointSets::new(mesh.positions.len());
    for t in &mesh.triangles {
        sets.unite(t[0] as usize, t[1] as usize);
        sets.unite(t[0] as usize, t[2] as usize);
    }
    let mut slot = vec![usize::MAX; mesh.positions.len()];
    let mut parts: Vec<Component> = Vec::new();
    for (t, corners) in mesh.triangles.iter().enumerate() {
        let root = sets.find(corners[0] as usize);
        if slot[root] == usize::MAX {
            slot[root] = parts.len();
            parts.push(Component { triangles: Vec::new(), volume: 0.0 });
        }
        let part = &mut parts[slot[root]];
        part.triangles.push(t as u32);
        part.volume += tetrahedron_volume(mesh.corners(t));
    }
    parts
}

/// Union-find with path halving; roots depend only on the order of unions.
pub(crate) struct DisjointSets(Vec<u32>);

impl DisjointSets {
    /// `n` sets of one element.
    pub(crate) fn new(n: usize) -> Self {
        Self((0..n as u32).collect())
    }

    /// The representative of an element's set.
    pub(crate) fn find(&mut self, element: usize) -> usize {
        let mut at = element as u32;
        while self.0[at as usize] != at {
            let up = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = up;
            at = up;
        }
        at as usize
    }

    /// Joins two sets under the smaller representative.
    pub(crate) fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::cube;
    use glam::Vec3;

    #[test]
    fn defects_are_counted() {
        let closed = cube(Vec3::ZERO, 1.0);
        assert!(check(&closed).is_closed_manifold());

        let mut open = closed.clone();
        open.triangles.pop();
        assert_eq!(check(&open), Topology { border_edges: 3, ..Topology::default() });

        let mut twisted = closed.clone();
        twisted.triangles[0].swap(0, 1);
        assert_eq!(check(&twisted).twisted_edges, 3);

        // Two cubes that share one vertex.
        let mut pinched = closed.clone();
        let other = cube(Vec3::splat(2.0), 1.0);
        let map = |v: u32| if v == 0 { 7 } else { v + 7 };
        pinched.positions.extend(&other.positions[1..]);
        pinched.triangles.extend(other.triangles.iter().map(|t| t.map(map)));
        let found = defects(&pinched);
        assert_eq!(found.topology, Topology { pinched_vertices: 1, ..Topology::default() });
        assert_eq!(found.vertices, [7]);

        let mut crowded = closed.clone();
        crowded.positions.push(Vec3::splat(3.0));
        let [a, b, _] = closed.triangles[0];
        crowded.triangles.push([a, b, 8]);
        assert_eq!(check(&crowded).crowded_edges, 1);
    }

    #[test]
    fn components_have_their_own_volumes() {
        let mut mesh = cube(Vec3::ZERO, 1.0);
        let cavity = cube(Vec3::ZERO, 0.5).flipped();
        mesh.positions.extend(&cavity.positions);
        mesh.triangles.extend(cavity.triangles.iter().map(|t| t.map(|v| v + 8)));
        let parts = components(&mesh);
        assert_eq!(parts.len(), 2);
        assert!((parts[0].volume - 8.0).abs() < 1e-6);
        assert!((parts[1].volume + 1.0).abs() < 1e-6);
        assert_eq!(parts[1].triangles, (12..24).collect::<Vec<u32>>());
    }

    #[test]
    fn neighbours_are_mutual() {
        let mesh = cube(Vec3::ZERO, 1.0);
        let around = face_neighbours(&mesh);
        for (t, sides) in around.iter().enumerate() {
            for n in sides {
                let n = n.expect("closed") as usize;
                assert!(around[n].contains(&Some(t as u32)));
            }
        }
    }
}
