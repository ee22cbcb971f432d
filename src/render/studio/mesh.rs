//! Triangle soups with per-vertex colour, and the few solids the studio is built of.

use glam::Vec3;

/// One vertex as the studio's shader reads it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct StudioVertex {
    /// World position.
    pub position: [f32; 3],
    /// Unit normal, world space.
    pub normal: [f32; 3],
    /// sRGB-encoded albedo.
    pub albedo: [f32; 3],
    /// Direction from the eye's centre in the frame of its gaze (z ahead); zero off the eyes.
    pub gaze: [f32; 3],
}

/// A mesh with colours.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudioMesh {
    /// Vertices.
    pub vertices: Vec<StudioVertex>,
    /// Indices into [`Self::vertices`], counter-clockwise from outside.
    pub triangles: Vec<[u32; 3]>,
}

impl StudioMesh {
    /// Appends another mesh.
    pub fn append(&mut self, other: &Self) {
        let base = self.vertices.len() as u32;
        self.vertices.extend_from_slice(&other.vertices);
        self.triangles.extend(other.triangles.iter().map(|t| t.map(|i| i + base)));
    }
}

/// A surface before it is coloured.
#[derive(Debug, Clone, Default)]
pub(super) struct Surface {
    pub points: Vec<Vec3>,
    pub triangles: Vec<[u32; 3]>,
}

impl Surface {
    /// Adds a grid of `rows * columns` points; `wrap` joins the last column to the first.
    pub fn grid(
        &mut self,
        rows: usize,
        columns: usize,
        wrap: bool,
        at: impl Fn(usize, usize) -> Vec3,
    ) {
        let base = self.points.len() as u32;
        for r in 0..rows {
            for c in 0..columns {
                self.points.push(at(r, c));
            }
        }
        let index = |r: usize, c: usize| base + (r * columns + c % columns) as u32;
        for r in 0..rows - 1 {
            for c in 0..if wrap { columns } else { columns - 1 } {
                let (a, b, d, e) =
                    (index(r, c), index(r, c + 1), index(r + 1, c), index(r + 1, c + 1));
                self.triangles.push([a, d, b]);
                self.triangles.push([b, d, e]);
            }
        }
    }

    /// A tube of radius `radius` along `path`; `closed` joins its ends.
    pub fn tube(&mut self, path: &[Vec3], radius: f32, closed: bool) {
        const SIDES: usize = 8;
        let n = path.len();
        let rings: Vec<[Vec3; SIDES]> = (0..n)
            .map(|i| {
                let previous = path[if i > 0 {
                    i - 1
                } else if closed {
                    n - 1
                } else {
                    0
                }];
                let next = path[if i + 1 < n {
                    i + 1
                } else if closed {
                    0
                } else {
                    n - 1
                }];
                let along = (next - previous).normalize_or(Vec3::Z);
                let side = along.cross(Vec3::new(0.11, 0.97, 0.2)).normalize_or(Vec3::X);
                let up = side.cross(along);
                std::array::from_fn(|k| {
                    let (s, c) = (std::f32::consts::TAU * k as f32 / SIDES as f32).sin_cos();
                    path[i] + radius * (side * c + up * s)
                })
            })
            .collect();
        let rows = if closed { n + 1 } else { n };
        self.grid(rows, SIDES, true, |r, c| rings[r % n][c]);
    }

    /// Area-weighted smooth normals.
    pub fn normals(&self) -> Vec<Vec3> {
        smooth_normals(&self.points, &self.triangles)
    }

    /// Colours the surface.
    pub fn paint(&self, colour: impl Fn(usize, Vec3) -> Vec3) -> StudioMesh {
        let normals = self.normals();
        let vertices = self
            .points
            .iter()
            .zip(&normals)
            .enumerate()
            .map(|(i, (&p, n))| StudioVertex {
                position: p.to_array(),
                normal: n.to_array(),
                albedo: colour(i, p).clamp(Vec3::ZERO, Vec3::ONE).to_array(),
                gaze: [0.0; 3],
            })
            .collect();
        StudioMesh { vertices, triangles: self.triangles.clone() }
    }
}

/// Area-weighted smooth normals of a triangle mesh.
pub(super) fn smooth_normals(points: &[Vec3], triangles: &[[u32; 3]]) -> Vec<Vec3> {
    let mut normals = vec![Vec3::ZERO; points.len()];
    for t in triangles {
        let [a, b, c] = t.map(|i| points[i as usize]);
        let n = (b - a).cross(c - a);
        for &i in t {
            normals[i as usize] += n;
        }
    }
    normals.into_iter().map(|n| n.normalize_or(Vec3::Z)).collect()
}
