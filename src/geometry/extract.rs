//! The surface of a scalar lattice by marching tetrahedra.
//!
//! Every lattice cell is split into the six Kuhn tetrahedra round its main diagonal. They
//! fit together across cells, and a tetrahedron has no ambiguous case, so the result is
//! a closed oriented manifold without any repair (Guéziec and Hummel 1995).

use super::cleanup::{CleanReport, CleanUp, Solid, clean};
use super::decimate::{DecimateReport, decimate};
use super::grid::ScalarGrid;
use super::mesh::Mesh;
use super::tets::{FIRST, PAIRS};
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
        solid,
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
    solid: &'a Solid,
    /// Vertex on the edge `(base node, direction)` for bases in this layer and the next.
    layers: [Vec<u32>; 2],
    mesh: Mesh,
}

impl Marcher<'_> {
    fn cell(&mut self, at: [usize; 3]) {
        let n = self.grid.resolution();
        let base = self.grid.index(at);
        let node = |code: usize| base + (code & 1) + (code >> 1 & 1) * n + (code >> 2 & 1) * n * n;
        let inside: [bool; 8] = std::array::from_fn(|code| self.solid.inside[node(code)]);
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
        let t = if va < 0.0 && vb >= 0.0 { va / (va - vb) } else { 0.5 };
        let limit = if self.in_crop(b) { 1.0 - NODE_MARGIN } else { 0.5 };
        let t = t.clamp(NODE_MARGIN, limit);
        let position: Vec3 = self.grid.position(a).lerp(self.grid.position(b), t);
        let vertex = self.mesh.positions.len() as u32;
        self.mesh.positions.push(position);
        self.layers[layer][slot] = vertex;
        vertex
    }

    /// The planes of the cropping box lie half a step outside its nodes.
    fn in_crop(&self, at: [usize; 3]) -> bool {
        let [low, high] = self.solid.crop;
        (0..3).all(|a| (low[a]..=high[a]).contains(&at[a]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::cleanup::Accessory;
    use crate::geometry::mesh::samples;

    const NO_SMOOTHING: SurfaceOptions = SurfaceOptions {
        clean: CleanUp {
            crop_min: Vec3::splat(-1.0),
            crop_max: Vec3::splat(1.0),
            floater_fraction: 0.01,
            accessory: Some(Accessory { max_gap: 0.04, min_extent: 0.12 }),
            seal_nodes: 1,
        },
        smoothing: 0,
        triangles: usize::MAX,
        max_error: 0.01,
    };

    fn ball(centre: Vec3, radius: f32) -> impl Fn(Vec3) -> f32 {
        move |p| p.distance(centre) - radius
    }

    fn torus(p: Vec3) -> f32 {
        let ring = Vec3::new(p.x, 0.0, p.z).length() - 0.55;
        Vec3::new(ring, p.y, 0.0).length() - 0.2
    }

    fn surface_of(n: usize, options: SurfaceOptions, f: impl Fn(Vec3) -> f32) -> Surface {
        let grid = ScalarGrid::from_fn(n, f).expect("finite");
        let surface = surface(&grid, &options).expect("a surface");
        let found = topology::check(&surface.mesh);
        assert!(found.is_closed_manifold(), "{found}");
        for part in topology::components(&surface.mesh) {
            assert!(part.volume > 0.0);
        }
        surface
    }

    fn euler(mesh: &Mesh) -> i64 {
        let edges = topology::half_edges(mesh).len() / 2;
        mesh.positions.len() as i64 - edges as i64 + mesh.triangles.len() as i64
    }

    #[test]
    fn volumes_and_genus_of_sphere_and_torus() {
        let sphere = surface_of(48, NO_SMOOTHING, ball(Vec3::ZERO, 0.6)).mesh;
        let volume = 4.0 / 3.0 * std::f64::consts::PI * 0.6f64.powi(3);
        assert!((sphere.signed_volume() / volume - 1.0).abs() < 0.01);
        assert_eq!(euler(&sphere), 2);
        for p in &sphere.positions {
            assert!((p.length() - 0.6).abs() < 0.003);
        }
        let torus = surface_of(64, NO_SMOOTHING, torus).mesh;
        let volume = 2.0 * std::f64::consts::PI.powi(2) * 0.55 * 0.04;
        assert!((torus.signed_volume() / volume - 1.0).abs() < 0.01);
        assert_eq!(euler(&torus), 0);
    }

    #[test]
    fn noise_still_gives_a_manifold() {
        use rand::Rng;
        let mut noise = crate::rng::stream(5, "extract", 0, "test");
        let options = SurfaceOptions {
            clean: CleanUp { floater_fraction: 0.0, seal_nodes: 0, ..NO_SMOOTHING.clean },
            ..NO_SMOOTHING
        };
        let values = (0..20usize.pow(3)).map(|_| noise.random::<f32>() - 0.4).collect();
        let grid = ScalarGrid::new(20, values).expect("finite");
        let solid = clean(&grid, &options.clean).expect("something");
        let mesh = march(&grid, &solid);
        assert!(mesh.triangles.len() > 5000);
        let found = topology::check(&mesh);
        assert!(found.is_closed_manifold(), "{found}");
        assert!(mesh.signed_volume() > 0.0);
    }

    #[test]
    fn floaters_go_and_accessories_stay() {
        // A head, a crumb near it, a thin ring round it and a far ring of the same size.
        let ring = |p: Vec3, y: f32, r: f32| {
            let q = p - Vec3::Y * y;
            Vec3::new(Vec3::new(q.x, 0.0, q.z).length() - r, q.y, 0.0).length() - 0.02
        };
        let scene = |p: Vec3| {
            ball(Vec3::ZERO, 0.4)(p)
                .min(ball(Vec3::new(0.0, 0.44, 0.0), 0.02)(p))
                .min(ring(p, 0.0, 0.45))
                .min(ring(p, 0.8, 0.3))
        };
        let surface = surface_of(101, NO_SMOOTHING, scene);
        assert_eq!((surface.clean.kept.len(), surface.clean.dropped.len()), (2, 2));
        assert_eq!(topology::components(&surface.mesh).len(), 2);
        assert!(surface.mesh.positions.iter().all(|p| p.y < 0.42));
        assert!(surface.mesh.positions.iter().any(|p| p.x > 0.45));

        let strict = CleanUp { accessory: None, ..NO_SMOOTHING.clean };
        let strict = SurfaceOptions { clean: strict, ..NO_SMOOTHING };
        let surface = surface_of(101, strict, scene);
        assert_eq!(surface.clean.dropped.len(), 3);
        // A large second part is no floater.
        let twins =
            |p: Vec3| ball(Vec3::X * -0.5, 0.3)(p).min(ball(Vec3::new(0.6, 0.0, 0.0), 0.2)(p));
        assert_eq!(surface_of(64, strict, twins).clean.kept.len(), 2);
    }

    #[test]
    fn hidden_chambers_are_filled_with_what_they_hold() {
        let shell = |p: Vec3| (p.length() - 0.6).abs() - 0.06;
        let core = move |p: Vec3| shell(p).min(ball(Vec3::ZERO, 0.3)(p));
        let full = 4.0 / 3.0 * std::f64::consts::PI * 0.66f64.powi(3);
        let surface = surface_of(64, NO_SMOOTHING, core);
        assert_eq!(euler(&surface.mesh), 2);
        assert!((surface.mesh.signed_volume() / full - 1.0).abs() < 0.01);
        assert!(surface.clean.filled_volume > 0.3);

        // A pinhole does not let the outside in, an open bowl does.
        let hole = |p: Vec3, r: f32| r - Vec3::new(p.x, 0.0, p.z).length().max(-p.y);
        let pinhole = move |p: Vec3| shell(p).max(hole(p, 0.02));
        let surface = surface_of(64, NO_SMOOTHING, pinhole);
        assert!(surface.mesh.signed_volume() / full > 0.95);
        let bowl = move |p: Vec3| shell(p).max(hole(p, 0.3));
        let surface = surface_of(64, NO_SMOOTHING, bowl);
        assert!(surface.mesh.signed_volume() / full < 0.5);
    }

    #[test]
    fn cuts_are_flat_and_closed() {
        // An endless column is cut by the cube, or where the crop says.
        let column = |p: Vec3| Vec3::new(p.x, 0.0, p.z).length() - 0.4;
        for (crop, bottom) in [(-1.0, -0.98), (-0.55, -0.54)] {
            let clean = CleanUp { crop_min: Vec3::new(-1.0, crop, -1.0), ..NO_SMOOTHING.clean };
            let mesh = surface_of(51, SurfaceOptions { clean, ..NO_SMOOTHING }, column).mesh;
            let cut = mesh.positions.iter().filter(|p| (p.y - bottom).abs() < 1e-5).count();
            assert!(cut > 300, "only {cut} vertices on the cut");
            assert!(mesh.positions.iter().all(|p| p.y > bottom - 1e-5));
            let volume = std::f64::consts::PI * 0.16 * f64::from(0.98 - bottom);
            assert!((mesh.signed_volume() / volume - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn a_finished_bust_is_small_closed_and_close() {
        let options = SurfaceOptions { triangles: 8000, ..SurfaceOptions::default() };
        let surface = surface_of(96, options, samples::bust);
        let report = surface.decimate;
        assert!(report.before > 20_000 && !report.gave_up, "{report:?}");
        assert!((7000..=8001).contains(&surface.mesh.triangles.len()), "{report:?}");
        let worst = surface.mesh.positions.iter().map(|p| samples::bust(*p).abs());
        assert!(worst.fold(0.0, f32::max) < 0.02);
        assert_eq!(surface, surface_of(96, options, samples::bust));
    }

    #[test]
    fn an_empty_lattice_is_an_error() {
        let grid = ScalarGrid::from_fn(8, |_| 1.0).expect("finite");
        let result = surface(&grid, &SurfaceOptions::default());
        assert!(matches!(result, Err(GeometryError::Empty(_))));
    }
}
