//! The signed distance field of a closed surface over the scene cube.

use glam::Vec3;
use rayon::prelude::*;

use super::bvh::Bvh;
use super::surface::ClosedSurface;

/// Signed distances at the nodes of a regular grid over `[-1, 1]^3`; both ends of each axis are nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct DistanceField {
    /// Nodes an axis, at least 2.
    pub resolution: usize,
    /// World units, negative inside; x runs fastest, then y, then z.
    pub values: Vec<f32>,
}

impl DistanceField {
    /// Measures a closed surface: exact distances by a tree search, signs by counting how often a line
    /// enters and leaves the surface. Where the surface overlaps itself (pressed lips), both layers
    /// count as inside.
    #[must_use]
    pub fn of(surface: &ClosedSurface, resolution: usize) -> Self {
        let n = resolution.max(2);
        let tree = Bvh::new(&surface.positions, &surface.triangles);
        let rows = crossings(&surface.positions, &surface.triangles, n);
        let mut values = vec![0.0; n * n * n];
        values.par_chunks_mut(n * n).enumerate().for_each(|(k, slice)| {
            // The last node's triangle bounds the next search tightly.
            let mut hint = None;
            for j in 0..n {
                let inside = inside_row(&rows[k * n + j], n);
                for i in 0..n {
                    let point = Vec3::new(coordinate(i, n), coordinate(j, n), coordinate(k, n));
                    let Some(hit) = tree.closest(point, hint) else {
                        slice[j * n + i] = f32::MAX;
                        continue;
                    };
                    hint = Some(hit.triangle);
                    slice[j * n + i] = if inside[i] { -hit.distance } else { hit.distance };
                }
            }
        });
        Self { resolution: n, values }
    }

    /// Signed distances at some nodes only, given by their coordinates on a grid of `resolution`
    /// nodes an axis, of a closed mesh.
    #[must_use]
    pub fn at_nodes(
        positions: &[Vec3],
        triangles: &[[u32; 3]],
        resolution: usize,
        nodes: &[[u32; 3]],
    ) -> Vec<f32> {
        let n = resolution.max(2);
        let tree = Bvh::new(positions, triangles);
        let rows = crossings(positions, triangles, n);
        let mut values = vec![f32::MAX; nodes.len()];
        values.par_chunks_mut(1024).zip(nodes.par_chunks(1024)).for_each(|(values, nodes)| {
            let mut hint = None;
            for (value, node) in values.iter_mut().zip(nodes) {
                let [i, j, k] = node.map(|x| x as usize);
                let at = [i, j, k].map(|x| coordinate(x, n));
                let Some(hit) = tree.closest(Vec3::from_array(at), hint) else { continue };
                hint = Some(hit.triangle);
                let row = rows[k * n + j].iter().take_while(|(x, _)| *x < f64::from(at[0]));
                let depth: i32 = row.map(|(_, way)| way).sum();
                *value = if depth > 0 { -hit.distance } else { hit.distance };
            }
        });
        values
    }

    /// Position of a node.
    #[must_use]
    pub fn node(&self, i: usize, j: usize, k: usize) -> Vec3 {
        let n = self.resolution;
        Vec3::new(coordinate(i, n), coordinate(j, n), coordinate(k, n))
    }

    /// The value at a node.
    ///
    /// # Panics
    /// If a node number is not below the resolution.
    #[must_use]
    pub fn at(&self, i: usize, j: usize, k: usize) -> f32 {
        let n = self.resolution;
        assert!(i < n && j < n && k < n, "node ({i}, {j}, {k}) of a grid of {n}");
        self.values[(k * n + j) * n + i]
    }

    /// Trilinear interpolation; outside the cube, the nearest value inside plus the way there.
    #[must_use]
    pub fn sample(&self, point: Vec3) -> f32 {
        let clamped = point.clamp(Vec3::NEG_ONE, Vec3::ONE);
        let last = (self.resolution - 1) as f32;
        let grid = (clamped + 1.0) * 0.5 * last;
        let cell = grid.floor().min(Vec3::splat(last - 1.0)).max(Vec3::ZERO);
        let f = grid - cell;
        let [i, j, k] = cell.to_array().map(|x| x as usize);
        let lerp = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let edge = |j: usize, k: usize| lerp(self.at(i, j, k), self.at(i + 1, j, k), f.x);
        let face = |k: usize| lerp(edge(j, k), edge(j + 1, k), f.y);
        lerp(face(k), face(k + 1), f.z) + (point - clamped).length()
    }
}

fn coordinate(i: usize, n: usize) -> f32 {
    -1.0 + 2.0 * i as f32 / (n - 1) as f32
}

/// Where a grid row parallel to x meets the surface: the x, and +1 on the way in or -1 on the way out.
type Crossings = Vec<(f64, i32)>;

/// The crossings of all rows, sorted; the row of nodes (j, k) is number `k * n + j`.
fn crossings(positions: &[Vec3], triangles: &[[u32; 3]], n: usize) -> Vec<Crossings> {
    let mut rows = vec![Crossings::new(); n * n];
    let scale = (n - 1) as f64 / 2.0;
    let range = |low: f64, high: f64| {
        let first = ((low + 1.0) * scale).floor().max(0.0) as usize;
        let last = ((high + 1.0) * scale).ceil().min((n - 1) as f64);
        first..if last < 0.0 { 0 } else { last as usize + 1 }
    };
    for triangle in triangles {
        let p = triangle.map(|i| positions[i as usize].as_dvec3());
        let low = p[0].min(p[1]).min(p[2]);
        let high = p[0].max(p[1]).max(p[2]);
        let normal = (p[1] - p[0]).cross(p[2] - p[0]);
        if normal.x == 0.0 {
            continue; // seen edge-on: no row can cross it, by the rule below
        }
        for k in range(low.z, high.z) {
            let z = f64::from(coordinate(k, n));
            for j in range(low.y, high.y) {
                let y = f64::from(coordinate(j, n));
                if !covers(&p, y, z) {
                    continue;
                }
                let x = p[0].x - (normal.y * (y - p[0].y) + normal.z * (z - p[0].z)) / normal.x;
                let way = if normal.x < 0.0 { 1 } else { -1 };
                rows[k * n + j].push((x.clamp(low.x, high.x), way));
            }
        }
    }
    for row in &mut rows {
        row.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }
    rows
}

/// Whether (y, z) lies in the triangle's shadow. Edges are half-open in z and evaluated from their lower
/// end, so two triangles that share an edge agree bit for bit about its side: shadows tile without gaps.
fn covers(p: &[glam::DVec3; 3], y: f64, z: f64) -> bool {
    let mut odd = false;
    for (mut a, mut b) in [(p[0], p[1]), (p[1], p[2]), (p[2], p[0])] {
        if (a.z <= z) == (b.z <= z) {
            continue;
        }
        if a.z > b.z {
            std::mem::swap(&mut a, &mut b);
        }
        odd ^= y < a.y + (z - a.z) / (b.z - a.z) * (b.y - a.y);
    }
    odd
}

/// For each node of a row, whether more surfaces were entered than left before it.
fn inside_row(crossings: &Crossings, n: usize) -> Vec<bool> {
    let mut depth = 0;
    let mut next = crossings.iter().peekable();
    (0..n)
        .map(|i| {
            let x = f64::from(coordinate(i, n));
            while let Some((_, way)) = next.next_if(|(at, _)| *at < x) {
                depth += way;
            }
            depth > 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{HeadModel, HeadParams};
    use proptest::prelude::*;

    /// An octahedron, each face split `depth` times and pushed onto a sphere.
    fn sphere(radius: f32, depth: usize) -> ClosedSurface {
        let axes = [Vec3::X, Vec3::Y, Vec3::NEG_X, Vec3::NEG_Y];
        let mut faces: Vec<[Vec3; 3]> = (0..4)
            .flat_map(|i| {
                let (a, b) = (axes[i], axes[(i + 1) % 4]);
                [[a, b, Vec3::Z], [b, a, Vec3::NEG_Z]]
            })
            .collect();
        for _ in 0..depth {
            faces = faces
                .iter()
                .flat_map(|&[a, b, c]| {
                    let mid = |p: Vec3, q: Vec3| (p + q).normalize();
                    let (ab, bc, ca) = (mid(a, b), mid(b, c), mid(c, a));
                    [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
                })
                .collect();
        }
        let positions: Vec<Vec3> = faces.as_flattened().iter().map(|p| *p * radius).collect();
        let triangles = (0..faces.len() as u32).map(|t| [t * 3, t * 3 + 1, t * 3 + 2]).collect();
        let origins = vec![None; positions.len()];
        ClosedSurface { positions, triangles, origins }
    }

    #[test]
    fn a_sphere_has_its_radius() {
        // A node lies exactly on the poles' axes: the sign must not depend on luck.
        for n in [9, 16, 33] {
            let field = DistanceField::of(&sphere(0.6, 5), n);
            for k in 0..n {
                for j in 0..n {
                    for i in 0..n {
                        let exact = field.node(i, j, k).length() - 0.6;
                        let found = field.at(i, j, k);
                        assert!((found - exact).abs() < 1e-3, "({i}, {j}, {k}): {found} {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn single_nodes_have_the_values_of_the_grid() {
        let ball = sphere(0.6, 3);
        let n = 21;
        let grid = DistanceField::of(&ball, n);
        let nodes: Vec<[u32; 3]> = (0..n.pow(3) as u32)
            .map(|i| [i % 21, i / 21 % 21, i / 441])
            .filter(|[i, j, k]| (i + j + k) % 3 == 0)
            .collect();
        let some = DistanceField::at_nodes(&ball.positions, &ball.triangles, n, &nodes);
        for (value, [i, j, k]) in some.iter().zip(&nodes) {
            let whole = grid.at(*i as usize, *j as usize, *k as usize);
            assert!((value - whole).abs() < 1e-6, "{value} {whole}");
        }
    }

    #[test]
    fn samples_interpolate_and_extend() {
        let field = DistanceField::of(&sphere(0.5, 4), 33);
        assert!((field.sample(Vec3::new(0.31, 0.2, -0.4)) - 0.044_334_5).abs() < 4e-3);
        assert!((field.sample(Vec3::new(0.0, 3.0, 0.0)) - 2.5).abs() < 1e-2);
        assert_eq!(field.sample(Vec3::ONE), field.at(32, 32, 32));
        assert_eq!(field.sample(field.node(3, 7, 20)), field.at(3, 7, 20));
    }

    /// Winding number by solid angles (van Oosterom and Strackee 1983): 1 inside, 0 outside.
    fn winding(surface: &ClosedSurface, point: Vec3) -> f64 {
        let total: f64 = surface
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] =
                    t.map(|i| surface.positions[i as usize].as_dvec3() - point.as_dvec3());
                let (la, lb, lc) = (a.length(), b.length(), c.length());
                let below = la * lb * lc + a.dot(b) * lc + b.dot(c) * la + c.dot(a) * lb;
                2.0 * a.cross(b).dot(c).atan2(below)
            })
            .sum();
        total / (4.0 * std::f64::consts::PI)
    }

    #[test]
    fn the_head_field_matches_brute_force() {
        let model = HeadModel::embedded();
        let surface = model.closed_surface(model.mean());
        let field = DistanceField::of(&surface, 48);
        let mut rng = crate::rng::stream(5, "t", 0, "nodes");
        let mut insides = 0;
        for _ in 0..150 {
            let [i, j, k]: [usize; 3] =
                std::array::from_fn(|_| rand::Rng::random_range(&mut rng, 0..48));
            let (node, found) = (field.node(i, j, k), field.at(i, j, k));
            let nearest = surface
                .triangles
                .iter()
                .map(|t| {
                    let one = Bvh::new(&t.map(|i| surface.positions[i as usize]), &[[0, 1, 2]]);
                    one.closest(node, None).unwrap().distance
                })
                .fold(f32::MAX, f32::min);
            assert!((found.abs() - nearest).abs() < 1e-6, "{node}: {found}, {nearest}");
            if nearest > 1e-4 {
                let inside = winding(&surface, node) > 0.5;
                assert_eq!(found < 0.0, inside, "{node}: {found}");
                insides += usize::from(inside);
            }
        }
        assert!(insides > 5, "the sample must reach inside: {insides}");
        assert!(field.sample(Vec3::ZERO) < -0.1 && field.sample(Vec3::new(0.9, 0.9, 0.9)) > 0.3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]

        /// Neighbouring nodes differ by at most their distance, signs included: no leaks along rows, for
        /// any person and expression (a wrong sign would jump by twice the distance).
        #[test]
        fn fields_are_lipschitz(seed in 0u64..1_000_000, blink in 0.0f32..=1.0, open in 0.0f32..=1.0) {
            let model = HeadModel::embedded();
            let mut params = HeadParams::random(model, &mut crate::rng::stream(seed, "t", 0, "p"));
            for (name, value) in [("eyeBlinkLeft", blink), ("eyeBlinkRight", blink), ("jawOpen", open)] {
                params.expression.insert(name.into(), value);
            }
            let surface = model.closed_surface(&model.shape(&params).unwrap());
            let n = 40;
            let field = DistanceField::of(&surface, n);
            let step = 2.0 / (n - 1) as f32;
            for k in 0..n {
                for j in 0..n {
                    for i in 1..n {
                        let jump = (field.at(i, j, k) - field.at(i - 1, j, k)).abs();
                        prop_assert!(jump <= step + 1e-5, "jump {} at {} {} {}", jump, i, j, k);
                        let jump = (field.at(j, i, k) - field.at(j, i - 1, k)).abs();
                        prop_assert!(jump <= step + 1e-5, "jump {} at {} {} {}", jump, j, i, k);
                        let jump = (field.at(j, k, i) - field.at(j, k, i - 1)).abs();
                        prop_assert!(jump <= step + 1e-5, "jump {} at {} {} {}", jump, j, k, i);
                    }
                }
            }
        }
    }
}
