//! Texture coordinates: planar charts of a closed surface, packed into one square.
//!
//! The surface is split by direction into few large charts, the face being one of them
//! ([`charts`]), parts that would overlap in their projection become charts of their own
//! ([`layers`]), and all are packed by shape at one common scale ([`pack`]). Everything
//! is a fixed sequence of comparisons, so the same mesh always gets the same atlas.

pub mod charts;
pub mod layers;
pub mod pack;
pub mod shelves;

use super::{GeometryError, Mesh, topology};
use glam::Vec2;

/// How a surface is unwrapped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnwrapOptions {
    /// Width and height of the texture, a multiple of 4 within 64 and 8192.
    pub size: u32,
    /// Smallest distance between charts, texels.
    pub padding: u32,
    /// What lies below this height gets charts of its own with fewer texels: the shoulders
    /// and the cut under the bust matter less than the face. World units.
    pub coarse_below: f32,
    /// Scale of those charts relative to the others, within 0.1 and 1.
    pub coarse_scale: f32,
}

impl Default for UnwrapOptions {
    fn default() -> Self {
        Self { size: 1024, padding: 6, coarse_below: -0.45, coarse_scale: 0.5 }
    }
}

/// A mesh's triangles laid out in a texture. Vertices are split along chart borders.
#[derive(Debug, Clone, PartialEq)]
pub struct Atlas {
    /// The mesh vertex that each atlas vertex copies.
    pub source: Vec<u32>,
    /// Texture coordinates of each atlas vertex in `[0, 1]`; `(0, 0)` is the top left.
    pub uvs: Vec<Vec2>,
    /// Atlas vertices of each triangle, in the order and orientation of the mesh.
    pub triangles: Vec<[u32; 3]>,
    /// Chart of each triangle.
    pub charts: Vec<u32>,
    /// Number of charts.
    pub chart_count: usize,
    /// Texels along a world unit of surface that faces its chart's direction (charts that
    /// are not coarse).
    pub texels_per_unit: f32,
}

impl Atlas {
    /// The mesh with its vertices split as the atlas needs them.
    ///
    /// # Panics
    /// If the atlas belongs to another mesh.
    #[must_use]
    pub fn split(&self, mesh: &Mesh) -> Mesh {
        Mesh { positions: self.carry(&mesh.positions), triangles: self.triangles.clone() }
    }

    /// A value for each mesh vertex as a value for each atlas vertex.
    ///
    /// # Panics
    /// If there are fewer values than the mesh has vertices.
    #[must_use]
    pub fn carry<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.source.iter().map(|&v| values[v as usize]).collect()
    }
}

/// Unwraps a closed mesh.
///
/// # Errors
/// What [`Mesh::validate`] says, [`GeometryError::Open`] unless the mesh is a closed
/// manifold, [`GeometryError::Setting`] for a bad size or padding, and
/// [`GeometryError::Atlas`] if the charts cannot be packed.
pub fn unwrap(mesh: &Mesh, options: UnwrapOptions) -> Result<Atlas, GeometryError> {
    if !(64..=8192).contains(&options.size) || !options.size.is_multiple_of(pack::BLOCK) {
        return Err(GeometryError::Setting(
            "the texture size must be a multiple of 4 within 64 and 8192",
        ));
    }
    if options.padding > options.size / 16 {
        return Err(GeometryError::Setting("the padding must be at most a 16th of the texture"));
    }
    if !(0.1..=1.0).contains(&options.coarse_scale) || options.coarse_below.is_nan() {
        return Err(GeometryError::Setting(
            "the scale of coarse charts must be within 0.1 and 1, their height a number",
        ));
    }
    mesh.validate()?;
    let found = topology::check(mesh);
    if !found.is_closed_manifold() || mesh.triangles.is_empty() {
        return Err(GeometryError::Open(found));
    }
    let groups = charts::segment(mesh, options.coarse_below, options.coarse_scale);
    let area: f64 = groups.iter().map(|g| g.texture_area(mesh)).sum();
    // About the scale that the packing will reach; overlaps are looked for a little finer.
    let scale = (f64::from(options.size).powi(2) * 0.6 / area.max(1e-12)).sqrt() as f32;
    let charts = layers::separate(mesh, groups, scale * 1.5);
    let packed = pack::pack(mesh, &charts, options)?;
    Ok(assemble(mesh, &charts, &packed, options.size))
}

fn assemble(mesh: &Mesh, charts: &[charts::Chart], packed: &pack::Packing, size: u32) -> Atlas {
    let mut chart_of = vec![0u32; mesh.triangles.len()];
    for (c, chart) in charts.iter().enumerate() {
        for &t in &chart.triangles {
            chart_of[t as usize] = c as u32;
        }
    }
    let mut corners: Vec<(u32, u32)> =
        mesh.triangles.iter().zip(&chart_of).flat_map(|(t, &c)| t.map(|v| (v, c))).collect();
    corners.sort_unstable();
    corners.dedup();
    let uvs = corners
        .iter()
        .map(|&(v, c)| {
            let flat = charts[c as usize].flatten(mesh.positions[v as usize]);
            packed.placements[c as usize].texel(flat) / size as f32
        })
        .collect();
    let find = |corner: (u32, u32)| corners.binary_search(&corner).unwrap_or_default() as u32;
    let triangles =
        mesh.triangles.iter().zip(&chart_of).map(|(t, &c)| t.map(|v| find((v, c)))).collect();
    Atlas {
        source: corners.iter().map(|(v, _)| *v).collect(),
        uvs,
        triangles,
        charts: chart_of,
        chart_count: charts.len(),
        texels_per_unit: packed.scale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::ScalarGrid;
    use crate::geometry::extract::{SurfaceOptions, surface};
    use crate::geometry::mesh::samples;

    fn bust(resolution: usize, triangles: usize) -> Mesh {
        let grid = ScalarGrid::from_fn(resolution, samples::bust).expect("finite");
        let options = SurfaceOptions { triangles, ..SurfaceOptions::default() };
        surface(&grid, &options).expect("closed").mesh
    }

    #[test]
    fn charts_keep_their_distance_and_cover_no_texel_twice() {
        let mesh = bust(96, 12_000);
        let options = UnwrapOptions::default();
        let atlas = unwrap(&mesh, options).expect("packs");
        let size = options.size as usize;
        // Who covers each texel: triangle + 1.
        let mut owner = vec![0u32; size * size];
        let mut doubles = 0;
        for (t, corners) in atlas.triangles.iter().enumerate() {
            let texels = corners.map(|v| {
                let uv = atlas.uvs[v as usize];
                assert!(uv.cmpge(Vec2::ZERO).all() && uv.cmple(Vec2::ONE).all());
                (uv * options.size as f32 * 256.0).round().as_ivec2()
            });
            layers::for_each_texel(texels, |x, y| {
                let slot = &mut owner[y as usize * size + x as usize];
                doubles += usize::from(*slot != 0);
                *slot = t as u32 + 1;
            });
        }
        let covered = owner.iter().filter(|o| **o != 0).count();
        // Overlaps are looked for on a raster of another phase, so a few texels along
        // folds can still be shared.
        assert!(doubles * 5000 < covered, "{doubles} of {covered} texels covered twice");
        let used = covered as f64 / (size * size) as f64;
        assert!(used > 0.45, "only {used} of the texture is used");
        let chart = |x: usize, y: usize| match owner[y * size + x] {
            0 => None,
            t => Some(atlas.charts[t as usize - 1]),
        };
        let gap = options.padding as usize - 1;
        for y in 0..size - gap {
            for x in 0..size - gap {
                let Some(here) = chart(x, y) else { continue };
                for d in 1..=gap {
                    for other in [chart(x + d, y), chart(x, y + d), chart(x + d, y + d)] {
                        assert!(other.is_none_or(|c| c == here), "charts touch at {x}, {y}");
                    }
                }
            }
        }
        assert!(atlas.chart_count < 60, "{} charts", atlas.chart_count);
        assert_eq!(atlas, unwrap(&mesh, options).expect("packs"));
    }

    #[test]
    fn splitting_keeps_the_surface_and_the_face_is_one_chart() {
        let mesh = bust(64, 6000);
        let atlas =
            unwrap(&mesh, UnwrapOptions { size: 512, padding: 4, ..UnwrapOptions::default() })
                .expect("packs");
        let split = atlas.split(&mesh);
        for t in 0..mesh.triangles.len() {
            assert_eq!(split.corners(t), mesh.corners(t));
        }
        let mut face = vec![0.0; atlas.chart_count];
        for t in 0..mesh.triangles.len() {
            let centre = mesh.corners(t).iter().sum::<glam::Vec3>() / 3.0;
            let normal = mesh.area_vector(t);
            if centre.z > 0.2 && centre.y.abs() < 0.1 && normal.normalize().z > 0.7 {
                face[atlas.charts[t] as usize] += normal.length();
            }
        }
        // What the overhanging nose hides lies in a chart of its own.
        let largest = face.iter().copied().fold(0.0, f32::max);
        assert!(largest > 0.97 * face.iter().sum::<f32>());
    }

    #[test]
    fn coarse_charts_leave_more_texels_to_the_others() {
        // Broad shoulders below the neck.
        let shoulders = |p: glam::Vec3| {
            let half = glam::Vec3::new(0.5, 0.1, 0.3);
            ((p + glam::Vec3::Y * 0.65).abs() - half).max_element().min(samples::bust(p))
        };
        let grid = ScalarGrid::from_fn(64, shoulders).expect("finite");
        let options = SurfaceOptions { triangles: 6000, ..SurfaceOptions::default() };
        let mesh = surface(&grid, &options).expect("closed").mesh;
        let even = UnwrapOptions { coarse_scale: 1.0, ..UnwrapOptions::default() };
        let even = unwrap(&mesh, even).expect("packs");
        let atlas = unwrap(&mesh, UnwrapOptions::default()).expect("packs");
        let gain = atlas.texels_per_unit / even.texels_per_unit;
        assert!(gain > 1.15, "{gain}");
        let density = |triangle: usize| {
            let [a, b, c] = atlas.triangles[triangle].map(|v| atlas.uvs[v as usize] * 1024.0);
            ((b - a).perp_dot(c - a).abs() / mesh.area_vector(triangle).length()).sqrt()
        };
        let (mut face, mut cut) = (0, 0);
        for t in 0..mesh.triangles.len() {
            let (at, n) = (mesh.corners(t)[0], mesh.area_vector(t).normalize());
            if n.z > 0.9 && at.y.abs() < 0.2 && at.x.abs() < 0.15 {
                let share = density(t) / atlas.texels_per_unit;
                assert!(share > 0.85, "{share} at {at}");
                face += 1;
            } else if n.y < -0.99 && at.y < -0.7 {
                assert!((density(t) / (0.5 * atlas.texels_per_unit) - 1.0).abs() < 0.05);
                cut += 1;
            }
        }
        assert!(face > 50 && cut > 20, "{face} {cut}");
    }

    #[test]
    fn bad_input_is_refused() {
        let mut mesh = samples::cube(glam::Vec3::ZERO, 0.5);
        let bad = UnwrapOptions { size: 1001, ..UnwrapOptions::default() };
        assert!(matches!(unwrap(&mesh, bad), Err(GeometryError::Setting(_))));
        let bad = UnwrapOptions { size: 64, padding: 5, ..UnwrapOptions::default() };
        assert!(matches!(unwrap(&mesh, bad), Err(GeometryError::Setting(_))));
        let bad = UnwrapOptions { coarse_scale: f32::NAN, ..UnwrapOptions::default() };
        assert!(matches!(unwrap(&mesh, bad), Err(GeometryError::Setting(_))));
        mesh.triangles.pop();
        assert!(matches!(unwrap(&mesh, UnwrapOptions::default()), Err(GeometryError::Open(_))));
    }
}
