//! The surface of a scalar lattice by marching tetrahedra.
//!
//! Every lattice cell is split into the six Kuhn tetrahedra round its main diagonal. They
//! fit together across cells, and a tetrahedron has no ambiguous case, so the result is
//! a closed oriented manifold without any repair (Guéziec and Hummel 1995).

use super::cleanup::{CleanReport, CleanUp, Solid, clean};
use super::decimate::{DecimateReport, decimate};
use super::grid::ScalarGrid;
use super::mesh::Mesh;
use super::{GeometryError, smooth, topology};
use glam::Vec3;

/// How a lattice becomes the head's surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurfaceOptions {
    /// Removal of floaters and inner chambers.
    pub clean: CleanUp,
    /// Rounds of volume-preserving smoothing; 0 leaves the lattice's facets.
    pub smoothing: u32,
    /// Triangles to reduce to.
    pub triangles: usize,
    /// Largest deviation that the reduction may introduce, world units.
    pub max_error: f32,
}

impl Default for SurfaceOptions {
    fn default() -> Self {
        Self { clean: CleanUp::default(), smoothing: 6, triangles: 30_000, max_error: 0.01 }
    }
}

/// A finished surface and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Closed, manifold, outward.
    pub mesh: Mesh,
    /// What the clean-up did.
    pub clean: CleanReport,
    /// What the reduction did.
    pub decimate: DecimateReport,
}

/// Lattice to finished surface: clean-up, marching tetrahedra, smoothing, reduction.
///
/// # Errors
/// [`GeometryError::Empty`] if nothing is inside, [`GeometryError::Setting`] for settings
/// out of range, [`GeometryError::Open`] if the result is not closed.
pub fn surface(grid: &ScalarGrid, options: &SurfaceOptions) -> Result<Surface, GeometryError> {
    let solid = clean(grid, &options.clean)?;
    let mut mesh = march(grid, &solid);
    smooth::taubin(&mut mesh, options.smoothing);
    let (mesh, report) = decimate(&mesh, options.triangles, options.max_error)?;
    let found = topology::check(&mesh);
    if !found.is_closed_manifold() {
        return Err(GeometryError::Open(found));
    }
    Ok(Surface { mesh, clean: solid.report, decimate: report })
}

/// Corner codes of the six Kuhn tetrahedra (bit 0 x, bit 1 y, bit 2 z), each ordered so
/// that its determinant is positive.
const TETRAHEDRA: [[usize; 4]; 6] =
    [[0, 1, 3, 7], [0, 2, 7, 3], [0, 2, 6, 7], [0, 4, 7, 6], [0, 4, 5, 7], [0, 1, 7, 5]];

/// Even orders of a tetrahedron's corners that bring one corner to the front.
const FIRST: [[usize; 4]; 4] = [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]];

/// Even orders that bring a pair of corners to the front.
const PAIRS: [[usize; 4]; 6] =
    [[0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2], [1, 2, 0, 3], [1, 3, 2, 0], [2, 3, 0, 1]];

/// Keeps vertices off the lattice nodes, where several would coincide.
const NODE_MARGIN: f32 = 0.02;

/// The surface between inside and outside nodes of a cleaned lattice; vertices sit where
/// the linearly interpolated value is zero, half way on edges that the clean-up made.
///
/// # Panics
/// If the solid belongs to a lattice of another size.
#[must_use]
pub fn march(grid: &ScalarGrid, solid: &Solid) -> Mesh {
    assert_eq!(grid.values().len(), solid.inside.len(), "the solid of another lattice");
    let n = grid.resolution();
    let mut marcher = Marcher {
        grid,
        inside: &solid.inside,
        layers: [vec![u32::MAX; n * n * 7], vec![u32::MAX; n * n * 7]],
        mesh: Mesh::default(),
    };
    for z in 0..n - 1 {
        for y in 0..n - 1 {
            for x in 0..n - 1 {
                marcher.cell([x, y, z]);
            }
        }
        marcher.layers.swap(0, 1);
        marcher.layers[1].fill(u32::MAX);
    }
    marcher.mesh
}

struct Marcher<'a> {
    grid: &'a ScalarGrid,
    inside: &'a [bool],
    /// Vertex on the edge `(base node, direction)` for bases in this layer and the next.
    layers: [Vec<u32>; 2],
    mesh: Mesh,
}

impl Marcher<'_> {
    fn cell(&mut self, at: [usize; 3]) {
        let n = self.grid.resolution();
        let base = self.grid.index(at);
        let node = |code: usize| {
            base + (code & 1) + (code >> 1 & 1) * n + (code >> 2 & 1) * n * n
        };
        let inside: [bool; 8] = std::array::from_fn(|code| self.inside[node(code)]);
        if inside.iter().all(|i| *i == inside[0]) {
            return;
        }
        for tetrahedron in &TETRAHEDRA {
            let flags = tetrahedron.map(|code| inside[code]);
            match flags.iter().filter(|f| **f).count() {
                1 => {
                    let front = flags.iter().position(|f| *f).unwrap_or(0);
                    let [a, b, c, d] = FIRST[front].map(|i| tetrahedron[i]);
                    let t = [(a, b), (a, c), (a, d)].map(|(i, o)| self.vertex(at, i, o));
                    self.mesh.triangles.push(t);
                }
                3 => {
                    let front = flags.iter().position(|f| !*f).unwrap_or(0);
                    let [a, b, c, d] = FIRST[front].map(|i| tetrahedron[i]);
                    let t = [(b, a), (d, a), (c, a)].map(|(i, o)| self.vertex(at, i, o));
                    self.mesh.triangles.push(t);
                }
                2 => {
                    let order = PAIRS.iter().find(|p| flags[p[0]] && flags[p[1]]);
                    let [a, b, c, d] = order.unwrap_or(&PAIRS[0]).map(|i| tetrahedron[i]);
                    let [p, q, r, s] =
                        [(a, c), (a, d), (b, d), (b, c)].map(|(i, o)| self.vertex(at, i, o));
                    let length = |i: u32, j: u32| {
                        let v = &self.mesh.positions;
                        v[i as usize].distance_squared(v[j as usize])
                    };
                    // The shorter diagonal gives the rounder triangles.
                    let halves = if length(p, r) <= length(q, s) {
                        [[p, q, r], [p, r, s]]
                    } else {
                        [[q, r, s], [q, s, p]]
                    };
                    self.mesh.triangles.extend(halves);
                }
                _ => {}
            }
        }
    }

    /// The vertex between an inside and an outside corner of a cell.
    fn vertex(&mut self, at: [usize; 3], inner: usize, outer: usize) -> u32 {
        let n = self.grid.resolution();
        // Along a Kuhn edge one corner code contains the other.
        let (low, direction) = (inner & outer, inner ^ outer);
        let corner = |code: usize| [0, 1, 2].map(|a| at[a] + (code >> a & 1));
        let [x, y, z] = corner(low);
        let slot = (y * n + x) * 7 + direction - 1;
        let layer = usize::from(z != at[2]);
        let known = self.layers[layer][slot];
        if known != u32::MAX {
            return known;
        }
        let (a, b) = (corner(inner), corner(outer));
        let values = self.grid.values();
        let (va, vb) = (values[self.grid.index(a)], values[self.grid.index(b)]);
        // A pair without a change of sign was separated by the clean-up.
        let t = if va < 0.0 && vb >= 0.0 && self.in_lattice(b) { va / (va - vb) } else { 0.5 };
        let t = t.clamp(NODE_MARGIN, 1.0 - NODE_MARGIN);
        let position: Vec3 = self.grid.position(a).lerp(self.grid.position(b), t);
        let vertex = self.mesh.positions.len() as u32;
        self.mesh.positions.push(position);
        self.layers[layer][slot] = vertex;
        vertex
    }

    /// Border nodes are outside by decree; their values say nothing about the surface.
    fn in_lattice(&self, at: [usize; 3]) -> bool {
        at.iter().all(|&c| c > 0 && c + 1 < self.grid.resolution())
    }
}
