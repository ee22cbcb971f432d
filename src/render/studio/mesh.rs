//! Triangle soups with per-vertex colour, and the few solids the studio is built of.

use glam::{Vec2, Vec3};

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
    /// For each vertex the vertex of the head prior that it moves with when the face
    /// moves; `None` where it sits firmly on the skull.
    pub bound: Vec<Option<u32>>,
    /// For each vertex its place on a chart of the surface, for a texture; `None` on the
    /// prior, which has coordinates of its own.
    pub charts: Vec<Option<ChartPoint>>,
}

/// A place on one of a mesh's charts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartPoint {
    /// The chart; charts are numbered from 0.
    pub chart: u32,
    /// Where on it, 0..1. A chart that goes round something ends with `u` near 1, from
    /// where triangles lead back to 0.
    pub at: Vec2,
}

impl StudioMesh {
    /// World position of each vertex.
    #[must_use]
    pub fn positions(&self) -> Vec<Vec3> {
        self.vertices.iter().map(|v| Vec3::from_array(v.position)).collect()
    }

    /// Appends another mesh.
    pub fn append(&mut self, other: &Self) {
        let base = self.vertices.len() as u32;
        self.vertices.extend_from_slice(&other.vertices);
        self.bound.extend_from_slice(&other.bound);
        let first = self.charts.iter().flatten().map(|p| p.chart + 1).max().unwrap_or(0);
        let moved = |p: &ChartPoint| ChartPoint { chart: p.chart + first, ..*p };
        self.charts.extend(other.charts.iter().map(|p| p.as_ref().map(moved)));
        self.triangles.extend(other.triangles.iter().map(|t| t.map(|i| i + base)));
    }

    /// Binds every vertex to the vertex of the prior that `to` names.
    pub(super) fn bind(&mut self, to: impl Fn(usize) -> Option<u32>) {
        self.bound = (0..self.vertices.len()).map(to).collect();
    }
}

/// A surface before it is coloured.
#[derive(Debug, Clone, Default)]
pub(super) struct Surface {
    pub points: Vec<Vec3>,
    pub triangles: Vec<[u32; 3]>,
    pub charts: Vec<ChartPoint>,
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
        let chart = self.charts.last().map_or(0, |p| p.chart + 1);
        let last_column = if wrap { columns } else { columns - 1 } as f32;
        for r in 0..rows {
            for c in 0..columns {
                self.points.push(at(r, c));
                let at = Vec2::new(c as f32 / last_column, r as f32 / (rows - 1) as f32);
                self.charts.push(ChartPoint { chart, at });
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
        self.swept(path, 8, closed, |_| radius);
    }

    /// A tube along `path` whose radius may change; its ends, if open, are round when the
    /// radius goes to zero there.
    pub fn swept(
        &mut self,
        path: &[Vec3],
        sides: usize,
        closed: bool,
        radius: impl Fn(usize) -> f32,
    ) {
        let n = path.len();
        let frame = |i: usize| {
            let before = if i > 0 { i - 1 } else { usize::from(closed) * (n - 1) };
            let after = if i + 1 < n { i + 1 } else { usize::from(!closed) * (n - 1) };
            let along = (path[after] - path[before]).normalize_or(Vec3::Z);
            let side = along.cross(Vec3::new(0.11, 0.97, 0.2)).normalize_or(Vec3::X);
            (side, side.cross(along))
        };
        let frames: Vec<(Vec3, Vec3)> = (0..n).map(frame).collect();
        let rows = if closed { n + 1 } else { n };
        self.grid(rows, sides, true, |r, c| {
            let (side, up) = frames[r % n];
            let (s, k) = (std::f32::consts::TAU * c as f32 / sides as f32).sin_cos();
            path[r % n] + radius(r % n) * (side * k + up * s)
        });
    }

    /// A closed surface round `centre`, given by its radius in each direction.
    pub fn ball(&mut self, centre: Vec3, radius: impl Fn(Vec3) -> f32) {
        const ROWS: usize = 13;
        const COLUMNS: usize = 20;
        self.grid(ROWS, COLUMNS, true, |r, c| {
            let (sa, ca) = (std::f32::consts::TAU * c as f32 / COLUMNS as f32).sin_cos();
            let (se, ce) = (std::f32::consts::PI * (0.5 - r as f32 / (ROWS - 1) as f32)).sin_cos();
            let ray = Vec3::new(sa * ce, se, ca * ce);
            centre + ray * radius(ray)
        });
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
        let bound = vec![None; self.points.len()];
        let charts = self.charts.iter().copied().map(Some).collect();
        StudioMesh { vertices, triangles: self.triangles.clone(), bound, charts }
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
