//! From the optimised field to a textured mesh.

use super::StageError;
use crate::geometry::cleanup::{Accessory, CleanUp};
use crate::geometry::decimate::decimate;
use crate::geometry::extract::{self, Surface, SurfaceOptions};
use crate::geometry::grid::ScalarGrid;
use crate::geometry::uv::UnwrapOptions;
use crate::geometry::{Mesh, TexturedMesh, topology};
use crate::render::RenderError;
use crate::render::bake::{self, BakeError};
use crate::render::field::{Field, FieldPoint};
use crate::render::texture::Texture;
use glam::Vec3;
use serde::{Deserialize, Serialize};

/// Texels whose colour is asked of the field at once.
const BAKE_BATCH: usize = 1 << 15;
/// Where a look at the surface begins and ends, along the normal, world units.
const LOOK: [f32; 2] = [0.02, -0.08];
/// Extent under which a loose part is dropped, world units.
const CRUMB: f32 = 0.06;
/// Deviation that reducing a finished mesh may introduce, world units.
const MAX_ERROR: f32 = 0.004;
/// Samples of a look.
const LOOK_SAMPLES: usize = 11;

/// How the mesh is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshConfig {
    /// Lattice nodes a side of the scene cube.
    pub grid: usize,
    /// The surface lies where the density logit has this value.
    pub iso: f32,
    /// Rounds of volume-preserving smoothing.
    pub smoothing: u32,
    /// Triangles to reduce to.
    pub triangles: usize,
    /// Width and height of the texture, pixels.
    pub texture: u32,
    /// Everything under this height is cut off flat: where the bust ends, world units.
    pub bust: f32,
}

impl MeshConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        if !(16..=320).contains(&self.grid) {
            return Err(("mesh.grid", format!("{} is not within 16..320", self.grid)));
        }
        if !(1000..=2_000_000).contains(&self.triangles) {
            return Err((
                "mesh.triangles",
                format!("{} is not within 1000..2000000", self.triangles),
            ));
        }
        if !(64..=4096).contains(&self.texture) || !self.texture.is_multiple_of(4) {
            let what = format!("{} is not a multiple of 4 within 64..4096", self.texture);
            return Err(("mesh.texture", what));
        }
        if !(-1e6..=1e6).contains(&self.iso) {
            return Err(("mesh.iso", format!("{} is not within -1e6..1e6", self.iso)));
        }
        if !(-1.0..0.0).contains(&self.bust) {
            return Err(("mesh.bust", format!("{} is not within -1..0", self.bust)));
        }
        if self.smoothing > 100 {
            return Err(("mesh.smoothing", format!("{} is not within 0..100", self.smoothing)));
        }
        Ok(())
    }
}

/// A finished head.
#[derive(Debug, Clone, PartialEq)]
pub struct Avatar {
    /// World units; vertices split along texture seams.
    pub textured: TexturedMesh,
    /// What was dropped or could not be done, in plain words.
    pub notes: Vec<String>,
}

/// Extracts the surface, unwraps it and bakes the field's albedo.
///
/// # Errors
/// [`StageError::Geometry`] if the field is empty or the surface cannot be closed,
/// [`StageError::Render`].
pub fn extract(field: &mut Field, config: &MeshConfig) -> Result<Avatar, StageError> {
    let found = surface(field, config, config.triangles)?;
    let notes = found.decimate.gave_up.then(|| kept(found.decimate.after)).into_iter().collect();
    let textured = bake_with(&found.mesh, config.texture, |points, normals| {
        Ok(seen_colors(field, points, normals)?)
    })?;
    Ok(Avatar { textured, notes })
}

/// The field's surface, cleaned and closed.
///
/// # Errors
/// As [`extract`].
pub(super) fn surface(
    field: &mut Field,
    config: &MeshConfig,
    triangles: usize,
) -> Result<Surface, StageError> {
    let lattice = field.query_grid(config.grid as u32)?;
    let grid = ScalarGrid::from_density(config.grid, &lattice.logit, config.iso)?;
    cleaned(&grid, config, triangles)
}

/// The surface of a lattice, cleaned and closed.
///
/// # Errors
/// [`StageError::Geometry`].
pub(super) fn cleaned(
    grid: &ScalarGrid,
    config: &MeshConfig,
    triangles: usize,
) -> Result<Surface, StageError> {
    let options = SurfaceOptions {
        clean: CleanUp {
            crop_min: Vec3::new(-0.98, config.bust, -0.98),
            crop_max: Vec3::splat(0.98),
            accessory: Some(Accessory { max_gap: 0.04, min_extent: 0.12 }),
            ..CleanUp::default()
        },
        smoothing: config.smoothing,
        triangles,
        ..SurfaceOptions::default()
    };
    Ok(extract::surface(grid, &options)?)
}

/// A finished head of a mesh whose colours are a field's albedo at its points: crumbs are
/// dropped, the rest is reduced, unwrapped and baked.
///
/// # Errors
/// [`StageError::Geometry`] if the mesh is not closed, [`StageError::Render`].
pub(super) fn finish(
    mesh: &Mesh,
    texture: &mut Texture,
    config: &MeshConfig,
) -> Result<Avatar, StageError> {
    let mut notes = Vec::new();
    let (whole, crumbs) = without_crumbs(mesh);
    if crumbs > 0 {
        tracing::info!(crumbs, "dropped loose crumbs of the surface");
    }
    let (small, report) = decimate(&whole, config.triangles, MAX_ERROR)?;
    if report.gave_up {
        notes.push(kept(report.after));
    }
    let textured = bake_with(&small, config.texture, |points, _| {
        Ok(texture.query(points)?.iter().map(Vec3::to_array).collect())
    })?;
    Ok(Avatar { textured, notes })
}

fn kept(triangles: usize) -> String {
    format!("the mesh keeps {triangles} triangles: reducing it further would have torn it")
}

/// The mesh without parts that are turned inside out (chambers) or too small to be seen, and how many
/// those were.
fn without_crumbs(mesh: &Mesh) -> (Mesh, usize) {
    let parts = topology::components(mesh);
    let extent = |part: &topology::Component| {
        let corners = part.triangles.iter().flat_map(|t| mesh.corners(*t as usize));
        let (low, high) = corners
            .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), p| (low.min(p), high.max(p)));
        (high - low).max_element()
    };
    let (keep, drop): (Vec<_>, Vec<_>) =
        parts.iter().partition(|part| part.volume > 0.0 && extent(part) > CRUMB);
    let triangles = keep.iter().flat_map(|part| &part.triangles);
    let triangles = triangles.map(|t| mesh.triangles[*t as usize]).collect();
    (Mesh { positions: mesh.positions.clone(), triangles }.compacted(), drop.len())
}

fn bake_with(
    mesh: &Mesh,
    size: u32,
    colors: impl FnMut(&[Vec3], &[Vec3]) -> Result<Vec<[f32; 3]>, StageError>,
) -> Result<TexturedMesh, StageError> {
    let unwrap = UnwrapOptions { size, ..UnwrapOptions::default() };
    bake::bake(mesh, unwrap, BAKE_BATCH, colors).map_err(|error| match error {
        BakeError::Source(error) => error,
        BakeError::Geometry(error) => StageError::Geometry(error),
        other => StageError::Bake(other.to_string()),
    })
}

/// What an eye right above each point sees: the albedo composited along the inward normal,
/// as in a render. A surface of the field is not a sheet, and its optimised colours are only
/// meant to add up; on the mesh itself, where the density just begins, they overshoot.
pub(super) fn seen_colors(
    field: &mut Field,
    points: &[Vec3],
    normals: &[Vec3],
) -> Result<Vec<[f32; 3]>, RenderError> {
    let spacing = (LOOK[0] - LOOK[1]) / (LOOK_SAMPLES - 1) as f32;
    let look = |(point, normal): (&Vec3, &Vec3)| {
        let (point, normal) = (*point, *normal);
        (0..LOOK_SAMPLES).map(move |k| point + normal * (LOOK[0] - k as f32 * spacing))
    };
    let samples: Vec<Vec3> = points.iter().zip(normals).flat_map(look).collect();
    let found = field.query(&samples)?;
    let composite = |ray: &[FieldPoint]| {
        let (mut passed, mut color) = (1.0_f32, Vec3::ZERO);
        for sample in ray {
            let left = passed * (-sample.sigma * spacing).exp();
            color += (passed - left) * Vec3::from_array(sample.albedo);
            passed = left;
        }
        let seen = 1.0 - passed;
        if seen > 1e-3 {
            (color / seen).to_array()
        } else {
            // Nothing is dense here: the colour of the surface itself.
            let surface = (LOOK[0] / spacing).round() as usize;
            ray[surface].albedo
        }
    };
    Ok(found.chunks_exact(LOOK_SAMPLES).map(composite).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::GpuContext;
    use crate::render::field::{FieldConfig, PriorConfig, PriorGrid};

    #[test]
    fn colours_are_those_that_lie_below_the_surface() {
        let gpu = GpuContext::new().unwrap();
        let prior = PriorGrid::from_distance(64, |p| p.length() - 0.5).unwrap();
        let mut config = FieldConfig::quick_voxels();
        config.density.scale = 40.0;
        config.prior = PriorConfig::Solid { width: 0.008, surface: -2.0, min: -20.0, max: 6.0 };
        let mut field = Field::new(&gpu, config, &prior, 1).unwrap();
        let mut state = field.state().unwrap();
        // Red inside a radius of 0.47, blue outside, on the finest of the nested grids.
        let side = 97_usize;
        let first = 4 * (25_usize.pow(3) + 49_usize.pow(3));
        for (i, entry) in
            state.parameters[first..first + 4 * side.pow(3)].chunks_exact_mut(4).enumerate()
        {
            let at = |k: usize| (k % side) as f32 / 48.0 - 1.0;
            let p = Vec3::new(at(i), at(i / side), at(i / side / side));
            let red = if p.length() < 0.47 { 8.0 } else { -8.0 };
            entry.copy_from_slice(&[0.0, red, -8.0, -red]);
        }
        field.restore(&state).unwrap();
        let points = [Vec3::new(0.0, 0.0, 0.5), Vec3::new(0.5, 0.0, 0.0), Vec3::new(0.9, 0.9, 0.9)];
        let normals = [Vec3::Z, Vec3::X, Vec3::ONE.normalize()];
        let seen = seen_colors(&mut field, &points, &normals).unwrap();
        let surface = field.query(&points).unwrap();
        for i in 0..2 {
            assert!(surface[i].albedo[2] > 0.9, "{:?}", surface[i]);
            // The density just begins at the surface: much of what is seen lies deeper.
            assert!((0.4..0.9).contains(&seen[i][0]), "{:?}", seen[i]);
            assert!((seen[i][0] + seen[i][2] - 1.0).abs() < 0.01, "{:?}", seen[i]);
        }
        // Where nothing is dense, it is the colour of the place.
        assert_eq!(seen[2], surface[2].albedo);
    }
}
