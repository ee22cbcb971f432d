//! Where the fine stage starts: the mesh and texture of a coarse field, of a person, or of a
//! saved state.

use super::coarse::{CoarseSettings, StartHead, field_of};
use super::extract;
use super::fine::{FineSettings, surface_points};
use super::state::{self, Arrays};
use super::{StageError, texture};
use crate::geometry::{Mesh, ScalarGrid};
use crate::render::GpuContext;
use crate::render::field::{Field, FieldConfig, PriorGrid};
use crate::render::mesh_scene::MeshScene;
use crate::render::tets::TetMesh;
use crate::render::texture::Texture;
use glam::Vec3;

/// Triangles of the mesh that the lattice's distances are measured to.
const START_TRIANGLES: usize = 120_000;

/// The scene of a coarse field. A field of plain voxels is made anew, with the colours that are
/// seen on the surface; one with a network goes on.
///
/// # Errors
/// [`StageError::Geometry`] if the field has no surface, [`StageError::Render`].
pub(super) fn of_field(
    gpu: &GpuContext,
    settings: FineSettings<'_>,
    mut field: Field,
) -> Result<MeshScene, StageError> {
    let mesh = extract::surface(&mut field, settings.mesh, triangles(settings))?.mesh;
    if !field.is_plain() {
        return scene(gpu, settings, &mesh, field);
    }
    let (points, normals) = surface_points(&mesh);
    let seen = extract::seen_colors(&mut field, &points, &normals)?;
    let colors: Vec<Vec3> = seen.into_iter().map(Vec3::from_array).collect();
    let config = settings.fine.field(field.config());
    // The coarse field's memory first.
    drop(field);
    let mut painted = texture::blank(gpu, config)?;
    painted.paint_surface(&points, &colors)?;
    scene(gpu, settings, &mesh, painted)
}

/// The scene of a head of the prior, in the colours of the person whom it shows, if any;
/// `field` are the settings of the coarse field.
///
/// # Errors
/// [`StageError::Geometry`] if its solid has no surface, [`StageError::Render`].
pub(super) fn of_person(
    gpu: &GpuContext,
    settings: FineSettings<'_>,
    field: &FieldConfig,
    start: &StartHead,
) -> Result<MeshScene, StageError> {
    let solid = start.solid();
    let grid = ScalarGrid::from_fn(settings.mesh.grid, |p| solid.sample(p))?;
    let mesh = extract::cleaned(&grid, settings.mesh, triangles(settings))?.mesh;
    let config = settings.fine.field(field);
    let mut colors = if config.is_plain() {
        texture::blank(gpu, config)?
    } else {
        // A network finds its colours by itself.
        let prior = PriorGrid::from_values(solid.resolution as u32, solid.values.clone())?;
        Field::new(gpu, config, &prior, settings.seed)?
    };
    if let Some(look) = start.look.as_ref().filter(|_| colors.is_plain()) {
        let (points, _) = surface_points(&mesh);
        colors.paint_surface(&points, &look.colors(&solid, &points))?;
    }
    scene(gpu, settings, &mesh, colors)
}

/// What a fine stage would save that has just begun with a person.
///
/// # Errors
/// As a fine stage's beginning.
pub fn head_of_person(
    gpu: &GpuContext,
    settings: FineSettings<'_>,
    field: &FieldConfig,
    start: &StartHead,
) -> Result<Arrays, StageError> {
    save(&mut of_person(gpu, settings, field, start)?)
}

/// What a fine stage would save that has just begun with a coarse stage's saved state.
///
/// # Errors
/// As a fine stage's beginning; [`StageError::Checkpoint`] if the arrays do not fit.
pub fn head_of_coarse(
    gpu: &GpuContext,
    settings: FineSettings<'_>,
    coarse: CoarseSettings<'_>,
    start: &StartHead,
    arrays: Arrays,
) -> Result<Arrays, StageError> {
    let mut field = field_of(gpu, coarse, start)?;
    let restored = field.restore(&state::decode(arrays)?);
    restored.map_err(|error| StageError::from(error).unfit())?;
    save(&mut of_field(gpu, settings, field)?)
}

/// The arrays of a scene.
///
/// # Errors
/// [`StageError::Render`] if the GPU cannot be read.
pub(super) fn save(scene: &mut MeshScene) -> Result<Arrays, StageError> {
    let mut arrays = texture::save(scene.texture())?;
    arrays.extend(state::encode_tets(&scene.tets().state()?));
    Ok(arrays)
}

/// The scene of arrays that [`save`] made after `steps` steps; `field` are the settings of its
/// texture.
///
/// # Errors
/// [`StageError::Checkpoint`] if the arrays do not fit, [`StageError::Render`].
pub(super) fn restore(
    gpu: &GpuContext,
    field: &FieldConfig,
    mut arrays: Arrays,
    steps: u64,
) -> Result<MeshScene, StageError> {
    let tets = TetMesh::from_state(gpu, &state::decode_tets(&mut arrays)?);
    let tets = tets.map_err(|error| StageError::from(error).unfit())?;
    let colors = texture::restore(gpu, field, arrays).map_err(StageError::unfit)?;
    Ok(MeshScene::of(gpu, tets, colors, steps)?)
}

fn triangles(settings: FineSettings<'_>) -> usize {
    settings.mesh.triangles.max(START_TRIANGLES)
}

fn scene(
    gpu: &GpuContext,
    settings: FineSettings<'_>,
    mesh: &Mesh,
    colors: Field,
) -> Result<MeshScene, StageError> {
    Ok(MeshScene::new(gpu, mesh, settings.fine.cells, Texture::new(gpu, colors))?)
}
