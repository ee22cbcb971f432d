//! Cutting a surface into parts that can be projected flat.

use crate::geometry::Mesh;
use crate::geometry::topology::{DisjointSets, face_neighbours};
use glam::{Vec2, Vec3};

/// The directions that charts look in, and how far each reaches into its neighbours: the
/// front wins ties generously, so that no seam runs through the face.
const SIDES: [(Vec3, f32); 6] = [
    (Vec3::Z, 0.25),
    (Vec3::NEG_Z, 0.05),
    (Vec3::X, 0.0),
    (Vec3::NEG_X, 0.0),
    (Vec3::Y, 0.0),
    (Vec3::NEG_Y, 0.0),
];

/// Cosine below which a triangle is too oblique for a chart's direction.
const OBLIQUE: f32 = 0.2;
/// The same for small charts that would otherwise stay alone.
const VERY_OBLIQUE: f32 = 0.1;
/// Weight of a chart border against a worse direction.
const BORDER_WEIGHT: f32 = 0.6;
/// Charts below this share of the surface are given to a neighbour if possible.
const SMALL_SHARE: f32 = 0.003;

/// An orthographic view of the surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Unit vector from the surface towards the viewer.
    pub towards: Vec3,
    /// Unit vector to the right.
    pub right: Vec3,
    /// Unit vector up.
    pub up: Vec3,
}

impl Frame {
    /// The view against a unit direction, upright; from above and below the face looks
    /// down and up.
    #[must_use]
    pub fn facing(towards: Vec3) -> Self {
        let upward = if towards.y > 0.9 {
            Vec3::NEG_Z
        } else if towards.y < -0.9 {
            Vec3::Z
        } else {
            Vec3::Y
        };
        let right = upward.cross(towards).normalize();
        Self { towards, right, up: towards.cross(right) }
    }

    /// A point seen in this view: x to the right, y **down**, world units.
    #[must_use]
    pub fn flatten(&self, point: Vec3) -> Vec2 {
        Vec2::new(point.dot(self.right), -point.dot(self.up))
    }
}

/// A connected set of triangles and the view that flattens them.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Triangles, ascending.
    pub triangles: Vec<u32>,
    /// The view.
    pub frame: Frame,
    /// Size in the texture relative to the other charts.
    pub scale: f32,
}

impl Chart {
    /// A point in this chart: x to the right, y down, world units times its scale.
    #[must_use]
    pub fn flatten(&self, point: Vec3) -> Vec2 {
        self.frame.flatten(point) * self.scale
    }

    /// Area of the flattened triangles, square world units times the squared scale.
    #[must_use]
    pub fn texture_area(&self, mesh: &Mesh) -> f64 {
        let area = |&t: &u32| mesh.area_vector(t as usize).dot(self.frame.towards) * 0.5;
        let sum: f64 = self.triangles.iter().map(|t| f64::from(area(t))).sum();
        sum * f64::from(self.scale).powi(2)
    }
}

/// Splits a closed mesh into charts, all of whose triangles face their view. Charts end
/// at the height `coarse_below`; those below it get the scale `coarse_scale`.
#[must_use]
pub fn segment(mesh: &Mesh, coarse_below: f32, coarse_scale: f32) -> Vec<Chart> {
    let around = face_neighbours(mesh);
    let areas: Vec<f32> =
        (0..mesh.triangles.len()).map(|t| mesh.area_vector(t).length() * 0.5).collect();
    let normals: Vec<Vec3> = (0..mesh.triangles.len())
        .map(|t| mesh.area_vector(t).try_normalize().unwrap_or(Vec3::Y))
        .collect();
    let broad = broad_normals(&normals, &areas, &around);
    let mut sides: Vec<u8> =
        (0..normals.len()).map(|t| best_side(normals[t], broad[t], |_| 0.0)).collect();
    settle(mesh, &normals, &broad, &around, &mut sides);
    for _ in 0..4 {
        absorb(mesh, &normals, &areas, &around, &mut sides);
    }
    let coarse: Vec<bool> = (0..mesh.triangles.len())
        .map(|t| {
            let middle = mesh.corners(t).iter().map(|p| p.y).sum::<f32>() / 3.0;
            coarse_scale < 1.0 && middle < coarse_below
        })
        .collect();
    let groups: Vec<(u8, bool)> = sides.into_iter().zip(coarse).collect();
    connected(&around, &groups)
        .into_iter()
        .map(|triangles| {
            let (side, coarse) = groups[triangles[0] as usize];
            let axis = SIDES[side as usize].0;
            let towards = flattest(&triangles, &normals, &areas, axis);
            let scale = if coarse { coarse_scale } else { 1.0 };
            Chart { triangles, frame: Frame::facing(towards), scale }
        })
        .collect()
}

/// Normals averaged over neighbourhoods, so that bumps do not break charts apart.
fn broad_normals(normals: &[Vec3], areas: &[f32], around: &[[Option<u32>; 3]]) -> Vec<Vec3> {
    let mut current: Vec<Vec3> = normals.iter().zip(areas).map(|(n, a)| *n * *a).collect();
    for _ in 0..12 {
        let old = current.clone();
        for (sum, sides) in current.iter_mut().zip(around) {
            *sum += sides.iter().flatten().map(|&n| old[n as usize]).sum::<Vec3>();
            *sum *= 0.25;
        }
    }
    current.iter().zip(normals).map(|(b, n)| b.try_normalize().unwrap_or(*n)).collect()
}

/// The side with the lowest cost that a triangle does not see too obliquely.
fn best_side(normal: Vec3, broad: Vec3, border: impl Fn(u8) -> f32) -> u8 {
    let mut best = (f32::INFINITY, 0);
    for (side, (direction, bonus)) in SIDES.iter().enumerate() {
        // One of the six is always within 55 degrees.
        if normal.dot(*direction) < OBLIQUE {
            continue;
        }
        let cost = 1.0 - broad.dot(*direction) - bonus + border(side as u8);
        if cost < best.0 {
            best = (cost, side as u8);
        }
    }
    best.1
}

/// Straightens chart borders: each triangle takes the side that is best given its
/// neighbours, until nothing changes.
fn settle(
    mesh: &Mesh,
    normals: &[Vec3],
    broad: &[Vec3],
    around: &[[Option<u32>; 3]],
    sides: &mut [u8],
) {
    for _ in 0..30 {
        let mut changed = false;
        for t in 0..sides.len() {
            let lengths = side_lengths(mesh, t);
            let total: f32 = lengths.iter().sum();
            let border = |side: u8| {
                let cut: f32 = (0..3)
                    .filter(|&s| around[t][s].is_some_and(|n| sides[n as usize] != side))
                    .map(|s| lengths[s])
                    .sum();
                BORDER_WEIGHT * cut / total.max(f32::MIN_POSITIVE)
            };
            let best = best_side(normals[t], broad[t], border);
            changed |= best != sides[t];
            sides[t] = best;
        }
        if !changed {
            break;
        }
    }
}

fn side_lengths(mesh: &Mesh, triangle: usize) -> [f32; 3] {
    let [a, b, c] = mesh.corners(triangle);
    [a.distance(b), b.distance(c), c.distance(a)]
}

/// Gives small charts to the neighbour with the longest common border that can see all of
/// their triangles.
fn absorb(
    mesh: &Mesh,
    normals: &[Vec3],
    areas: &[f32],
    around: &[[Option<u32>; 3]],
    sides: &mut [u8],
) {
    let limit = areas.iter().sum::<f32>() * SMALL_SHARE;
    let area = |chart: &[u32]| chart.iter().map(|&t| areas[t as usize]).sum::<f32>();
    for chart in connected(around, sides) {
        if area(&chart) >= limit {
            continue;
        }
        let own = sides[chart[0] as usize];
        let mut border = [0.0f32; SIDES.len()];
        for &t in &chart {
            let lengths = side_lengths(mesh, t as usize);
            for (s, n) in around[t as usize].iter().enumerate() {
                if let Some(n) = n {
                    border[sides[*n as usize] as usize] += lengths[s];
                }
            }
        }
        border[own as usize] = 0.0;
        let mut order: Vec<usize> = (0..SIDES.len()).filter(|&s| border[s] > 0.0).collect();
        order.sort_by(|&a, &b| border[b].total_cmp(&border[a]));
        let sees = |side: &usize| {
            chart.iter().all(|&t| normals[t as usize].dot(SIDES[*side].0) >= VERY_OBLIQUE)
        };
        if let Some(side) = order.into_iter().find(sees) {
            for &t in &chart {
                sides[t as usize] = side as u8;
            }
        }
    }
}

/// Connected sets of triangles with one label, in the order of their first triangle.
fn connected<T: PartialEq>(around: &[[Option<u32>; 3]], sides: &[T]) -> Vec<Vec<u32>> {
    let mut sets = DisjointSets::new(sides.len());
    for (t, neighbours) in around.iter().enumerate() {
        for &n in neighbours.iter().flatten() {
            if sides[n as usize] == sides[t] {
                sets.unite(t, n as usize);
            }
        }
    }
    let mut slots = vec![usize::MAX; sides.len()];
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for t in 0..sides.len() {
        let root = sets.find(t);
        if slots[root] == usize::MAX {
            slots[root] = groups.len();
            groups.push(Vec::new());
        }
        groups[slots[root]].push(t as u32);
    }
    groups
}

/// The mean normal of a chart if that sees every triangle better than the axis does.
fn flattest(triangles: &[u32], normals: &[Vec3], areas: &[f32], axis: Vec3) -> Vec3 {
    let worst = |towards: Vec3| {
        triangles.iter().map(|&t| normals[t as usize].dot(towards)).fold(1.0, f32::min)
    };
    let sum: Vec3 = triangles.iter().map(|&t| normals[t as usize] * areas[t as usize]).sum();
    match sum.try_normalize() {
        Some(mean) if worst(mean) > worst(axis) => mean,
        _ => axis,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::{cube, sphere};

    #[test]
    fn a_cube_has_six_charts_and_every_triangle_faces_its_view() {
        let mesh = cube(Vec3::ZERO, 0.5);
        let charts = segment(&mesh, -9.0, 1.0);
        assert_eq!(charts.len(), 6);
        let area: f64 = charts.iter().map(|c| c.texture_area(&mesh)).sum();
        assert!((area - 6.0).abs() < 1e-5);

        let mesh = sphere(Vec3::ZERO, 0.5, 60, 120);
        let charts = segment(&mesh, -9.0, 1.0);
        assert_eq!(charts.len(), 6);
        for chart in &charts {
            for &t in &chart.triangles {
                let n = mesh.area_vector(t as usize).normalize();
                assert!(n.dot(chart.frame.towards) >= VERY_OBLIQUE);
            }
        }
    }

    #[test]
    fn charts_end_where_coarse_ones_begin() {
        let mesh = sphere(Vec3::ZERO, 0.5, 60, 120);
        let charts = segment(&mesh, -0.2, 0.5);
        // Four sides are cut in two.
        assert_eq!(charts.len(), 10);
        for chart in &charts {
            for &t in &chart.triangles {
                let middle = mesh.corners(t as usize).iter().map(|p| p.y).sum::<f32>() / 3.0;
                assert_eq!(middle < -0.2, chart.scale == 0.5);
            }
        }
    }

    #[test]
    fn frames_are_right_handed_and_upright() {
        let front = Frame::facing(Vec3::Z);
        assert_eq!((front.right, front.up), (Vec3::X, Vec3::Y));
        for (towards, _) in SIDES {
            let f = Frame::facing(towards);
            assert!((f.right.cross(f.up) - towards).length() < 1e-6);
        }
    }
}
