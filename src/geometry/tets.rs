//! An implicit body-centred cubic lattice of tetrahedra, and the part of it round a surface.
//!
//! Nodes are the corners and the centres of cubes; every face between two cubes carries four
//! tetrahedra, each made of the two centres and one side of the face. All tetrahedra are alike
//! and nearly regular, which marching tetrahedra like (Labelle and Shewchuk 2007), and nothing
//! of the whole lattice is ever stored: a node is its doubled coordinates, and a [`Band`]
//! lists only the tetrahedra near a surface (256 cells a side would be 200 million).

use super::GeometryError;
use super::mesh::Mesh;
use glam::{UVec3, Vec3};
use rayon::prelude::*;

/// The most cells a side: node numbers of the doubled lattice fit into 32 bits.
pub const MAX_CELLS: u32 = 512;

/// Corners of a tetrahedron's edges, in the order that [`Band::tet_edges`] uses.
pub const EDGES: [[usize; 2]; 6] = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];

/// A body-centred cubic lattice over the scene cube `[-1, 1]^3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lattice {
    cells: u32,
}

impl Lattice {
    /// A lattice of `cells` cubes a side.
    ///
    /// # Errors
    /// [`GeometryError::Setting`] outside 4..=[`MAX_CELLS`].
    pub fn new(cells: u32) -> Result<Self, GeometryError> {
        if !(4..=MAX_CELLS).contains(&cells) {
            return Err(GeometryError::Setting("a tetrahedral lattice has 4..=512 cells a side"));
        }
        Ok(Self { cells })
    }

    /// Cubes a side.
    #[must_use]
    pub fn cells(self) -> u32 {
        self.cells
    }

    /// Side of a cube, world units.
    #[must_use]
    pub fn spacing(self) -> f32 {
        2.0 / self.cells as f32
    }

    /// Nodes a side of the doubled lattice, whose even nodes are corners and whose odd ones
    /// are centres.
    #[must_use]
    pub fn side(self) -> u32 {
        2 * self.cells + 1
    }

    /// The number of the node at doubled coordinates.
    #[must_use]
    pub fn code(self, at: UVec3) -> u32 {
        (at.z * self.side() + at.y) * self.side() + at.x
    }

    /// Doubled coordinates of a node.
    #[must_use]
    pub fn coordinates(self, code: u32) -> UVec3 {
        let n = self.side();
        UVec3::new(code % n, code / n % n, code / (n * n))
    }

    /// World position of a node.
    #[must_use]
    pub fn position(self, code: u32) -> Vec3 {
        self.coordinates(code).as_vec3() / self.cells as f32 - 1.0
    }

    /// The twelve tetrahedra of a cube's faces towards larger x, y and z, as doubled
    /// coordinates of their nodes; each with a positive determinant. Four for each face that
    /// is not on the boundary.
    fn tetrahedra(self, cube: UVec3) -> impl Iterator<Item = [UVec3; 4]> {
        let centre = 2 * cube + 1;
        (0..3).filter(move |&axis| cube[axis] + 1 < self.cells).flat_map(move |axis| {
            let unit = |a: usize| UVec3::from_array(std::array::from_fn(|k| u32::from(k == a)));
            let (u, v) = (unit((axis + 1) % 3), unit((axis + 2) % 3));
            let face = centre + unit(axis);
            let corners = [face - u - v, face + u - v, face + u + v, face - u + v];
            (0..4).map(move |k| [centre, centre + 2 * unit(axis), corners[k], corners[(k + 1) % 4]])
        })
    }
}

/// The tetrahedra of a lattice near a surface. Nodes are numbered in ascending order of
/// their codes, edges in that of their nodes: the same surface gives the same band.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// The lattice.
    pub lattice: Lattice,
    /// Codes of the nodes, ascending.
    pub nodes: Vec<u32>,
    /// Nodes of each edge, the smaller first, ascending.
    pub edges: Vec<[u32; 2]>,
    /// Nodes of each tetrahedron; positive determinants.
    pub tets: Vec<[u32; 4]>,
    /// Edges of each tetrahedron, in the order of [`EDGES`].
    pub tet_edges: Vec<[u32; 6]>,
    /// The edges at node `v` are `incident[starts[v]..starts[v + 1]]`.
    pub starts: Vec<u32>,
    /// See `starts`.
    pub incident: Vec<u32>,
}

impl Band {
    /// The tetrahedra of all cubes within `margin` cells of a mesh.
    ///
    /// # Errors
    /// [`GeometryError::Empty`] for a mesh without triangles, [`GeometryError::Setting`] for
    /// one that comes within a cell of the cube's sides, where no surface could be closed;
    /// what [`Mesh::validate`] says.
    pub fn around(lattice: Lattice, mesh: &Mesh, margin: f32) -> Result<Self, GeometryError> {
        mesh.validate()?;
        if mesh.triangles.is_empty() {
            return Err(GeometryError::Empty("there is no surface to put a lattice round"));
        }
        let n = lattice.cells;
        let reach = margin * lattice.spacing();
        let (low, high) = mesh.bounds().unwrap_or_default();
        let limit = 1.0 - lattice.spacing();
        if low.min_element() < -limit || high.max_element() > limit {
            return Err(GeometryError::Setting("the surface leaves the scene cube"));
        }
        let cubes = near_cubes(lattice, mesh, reach);
        // A face's tetrahedra belong to both of its cubes.
        let mut owners = cubes.clone();
        for axis in 0..3 {
            let step = n.pow(axis);
            owners.extend(cubes.iter().filter(|c| *c / step % n > 0).map(|c| c - step));
        }
        owners.par_sort_unstable();
        owners.dedup();
        let near = |cube: UVec3| {
            cube.max_element() < n && cubes.binary_search(&cube_number(n, cube)).is_ok()
        };
        let coded: Vec<[u32; 4]> = owners
            .par_iter()
            .flat_map_iter(|&number| {
                let cube = UVec3::new(number % n, number / n % n, number / (n * n));
                let own = near(cube);
                let wanted = move |tet: &[UVec3; 4]| own || near(tet[1] / 2);
                lattice.tetrahedra(cube).filter(wanted).map(|tet| tet.map(|at| lattice.code(at)))
            })
            .collect();
        Ok(Self::of(lattice, &coded))
    }

    /// Numbers the nodes and edges of tetrahedra that are given by codes.
    #[must_use]
    pub fn of(lattice: Lattice, coded: &[[u32; 4]]) -> Self {
        let mut nodes: Vec<u32> = coded.as_flattened().to_vec();
        nodes.par_sort_unstable();
        nodes.dedup();
        let number = |code: &u32| nodes.binary_search(code).unwrap_or_default() as u32;
        let tets: Vec<[u32; 4]> = coded.par_iter().map(|t| t.each_ref().map(number)).collect();
        let sides = |tet: &[u32; 4]| EDGES.map(|[a, b]| [tet[a].min(tet[b]), tet[a].max(tet[b])]);
        let mut edges: Vec<[u32; 2]> = tets.par_iter().flat_map_iter(sides).collect();
        edges.par_sort_unstable();
        edges.dedup();
        let find = |edge: &[u32; 2]| edges.binary_search(edge).unwrap_or_default() as u32;
        let tet_edges = tets.par_iter().map(|tet| sides(tet).each_ref().map(find)).collect();
        let mut starts = vec![0_u32; nodes.len() + 1];
        for &v in edges.as_flattened() {
            starts[v as usize + 1] += 1;
        }
        for v in 0..nodes.len() {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut incident = vec![0; 2 * edges.len()];
        for (e, ends) in edges.iter().enumerate() {
            for &v in ends {
                incident[next[v as usize] as usize] = e as u32;
                next[v as usize] += 1;
            }
        }
        Self { lattice, nodes, edges, tets, tet_edges, starts, incident }
    }
}

fn cube_number(n: u32, cube: UVec3) -> u32 {
    (cube.z * n + cube.y) * n + cube.x
}

/// The cubes whose centre is within `reach` and half a cube's diagonal of a triangle's
/// plane, in its bounding box grown by `reach`: all that are near, and a few more.
fn near_cubes(lattice: Lattice, mesh: &Mesh, reach: f32) -> Vec<u32> {
    let (n, h) = (lattice.cells, lattice.spacing());
    let thick = reach + 0.87 * h;
    let mut cubes: Vec<u32> = (0..mesh.triangles.len())
        .into_par_iter()
        .flat_map_iter(|t| {
            let [a, b, c] = mesh.corners(t);
            let cell = |p: Vec3| ((p + 1.0) / h).floor().max(Vec3::ZERO).as_uvec3();
            let low = cell(a.min(b).min(c) - reach);
            let high = cell(a.max(b).max(c) + reach).min(UVec3::splat(n - 1));
            let normal = mesh.area_vector(t).normalize_or_zero();
            (low.z..=high.z).flat_map(move |z| {
                (low.y..=high.y).flat_map(move |y| {
                    (low.x..=high.x).filter_map(move |x| {
                        let cube = UVec3::new(x, y, z);
                        let centre = (cube.as_vec3() + 0.5) * h - 1.0;
                        let off = (centre - a).dot(normal).abs();
                        (off <= thick).then(|| cube_number(n, cube))
                    })
                })
            })
        })
        .collect();
    cubes.par_sort_unstable();
    cubes.dedup();
    cubes
}

/// The triangles of a tetrahedron by which of its nodes are inside (bit `i` for node `i`), as
/// up to two triples of edges in the order of [`EDGES`]; counter-clockwise seen from outside.
#[must_use]
pub fn triangles_of(inside: u32) -> Vec<[usize; 3]> {
    let is_in = |v: usize| inside >> v & 1 == 1;
    let edge = |a: usize, b: usize| {
        let wanted = [a.min(b), a.max(b)];
        EDGES.iter().position(|e| *e == wanted).unwrap_or_default()
    };
    let count = (inside & 15).count_ones();
    match count {
        1 | 3 => {
            let alone = count < 2;
            let front = (0..4).find(|&v| is_in(v) == alone).unwrap_or_default();
            let [a, b, c, d] = FIRST[front];
            let fan = [edge(a, b), edge(a, c), edge(a, d)];
            vec![if alone { fan } else { [fan[0], fan[2], fan[1]] }]
        }
        2 => {
            let order = PAIRS.iter().find(|p| is_in(p[0]) && is_in(p[1]));
            let [a, b, c, d] = *order.unwrap_or(&PAIRS[0]);
            let [p, q, r, s] = [edge(a, c), edge(a, d), edge(b, d), edge(b, c)];
            vec![[p, q, r], [p, r, s]]
        }
        _ => Vec::new(),
    }
}

/// Even orders of a tetrahedron's corners that bring one corner to the front.
pub(super) const FIRST: [[usize; 4]; 4] = [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]];

/// Even orders that bring a pair of corners to the front.
pub(super) const PAIRS: [[usize; 4]; 6] =
    [[0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2], [1, 2, 0, 3], [1, 3, 2, 0], [2, 3, 0, 1]];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples;
    use crate::geometry::topology;

    fn volume(p: [Vec3; 4]) -> f32 {
        (p[1] - p[0]).dot((p[2] - p[0]).cross(p[3] - p[0])) / 6.0
    }

    #[test]
    fn tetrahedra_fill_the_inner_lattice_without_overlap() {
        let lattice = Lattice::new(6).expect("in range");
        let mut sum = 0.0;
        let mut count = 0;
        for number in 0..6_u32.pow(3) {
            let cube = UVec3::new(number % 6, number / 6 % 6, number / 36);
            for tet in lattice.tetrahedra(cube) {
                let v = volume(tet.map(|at| lattice.position(lattice.code(at))));
                assert!(v > 0.0, "{tet:?}: {v}");
                sum += v;
                count += 1;
            }
        }
        // All of the cube but the half pyramids on its sides.
        assert_eq!(count, 12 * 5 * 36);
        assert!((sum - 8.0 * (1.0 - 36.0 * 6.0 / 6.0 / 216.0)).abs() < 1e-4, "{sum}");
    }

    /// Marching tetrahedra on the CPU.
    fn march(band: &Band, sdf: impl Fn(Vec3) -> f32) -> Mesh {
        let at = |v: u32| band.lattice.position(band.nodes[v as usize]);
        let values: Vec<f32> = (0..band.nodes.len() as u32).map(|v| sdf(at(v))).collect();
        let mut vertex = vec![u32::MAX; band.edges.len()];
        let mut mesh = Mesh::default();
        for (tet, edges) in band.tets.iter().zip(&band.tet_edges) {
            let inside = (0..4).map(|i| u32::from(values[tet[i] as usize] < 0.0) << i).sum();
            for triangle in triangles_of(inside) {
                let corners = triangle.map(|k| {
                    let e = edges[k] as usize;
                    if vertex[e] == u32::MAX {
                        let [a, b] = band.edges[e];
                        let (s, t) = (values[a as usize], values[b as usize]);
                        vertex[e] = mesh.positions.len() as u32;
                        mesh.positions.push(at(a) + (at(b) - at(a)) * (s / (s - t)));
                    }
                    vertex[e]
                });
                mesh.triangles.push(corners);
            }
        }
        mesh
    }

    #[test]
    fn a_band_holds_the_surface_and_closes_it() {
        let grid = crate::geometry::ScalarGrid::from_fn(40, samples::bust).expect("finite");
        let options = crate::geometry::extract::SurfaceOptions::default();
        let mesh = crate::geometry::extract::surface(&grid, &options).expect("closed").mesh;
        let lattice = Lattice::new(32).expect("in range");
        let band = Band::around(lattice, &mesh, 2.0).expect("inside the cube");
        assert_eq!(band, Band::around(lattice, &mesh, 2.0).expect("inside the cube"));
        let marched = march(&band, samples::bust);
        let found = topology::check(&marched);
        assert!(found.is_closed_manifold(), "{found}");
        let (got, want) = (marched.signed_volume(), mesh.signed_volume());
        assert!((got / want - 1.0).abs() < 0.03, "{got} {want}");
        // Every cube whose centre is near the surface is there with all of its nodes.
        for p in &mesh.positions {
            let cube = ((*p + 1.0) / lattice.spacing()).floor().as_uvec3();
            assert!(band.nodes.binary_search(&lattice.code(2 * cube + 1)).is_ok());
        }
        // Far less than the lattice.
        assert!(band.tets.len() < 12 * 32_usize.pow(3) / 3, "{}", band.tets.len());
        for (v, pair) in band.starts.windows(2).enumerate() {
            for &e in &band.incident[pair[0] as usize..pair[1] as usize] {
                assert!(band.edges[e as usize].contains(&(v as u32)));
            }
        }
    }

    #[test]
    fn all_cases_face_outward() {
        let lattice = Lattice::new(4).expect("in range");
        for tet in lattice.tetrahedra(UVec3::ONE) {
            let p = tet.map(|at| lattice.position(lattice.code(at)));
            for inside in 1..15 {
                for triangle in triangles_of(inside) {
                    let q = triangle.map(|e| (p[EDGES[e][0]] + p[EDGES[e][1]]) / 2.0);
                    let normal = (q[1] - q[0]).cross(q[2] - q[0]);
                    for (v, at) in p.iter().enumerate() {
                        let side = (*at - q[0]).dot(normal);
                        let is_in = inside >> v & 1 == 1;
                        assert!(if is_in { side <= 1e-7 } else { side >= -1e-7 }, "{inside} {v}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_meshed_is_named() {
        assert!(matches!(Lattice::new(2), Err(GeometryError::Setting(_))));
        let lattice = Lattice::new(16).expect("in range");
        let nothing = Band::around(lattice, &Mesh::default(), 1.0);
        assert!(matches!(nothing, Err(GeometryError::Empty(_))));
        let outside = Band::around(lattice, &samples::cube(Vec3::ZERO, 0.99), 1.0);
        assert!(matches!(outside, Err(GeometryError::Setting(_))));
    }
}
