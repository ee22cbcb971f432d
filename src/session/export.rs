//! Writing what people open: the mesh in every format, the turntable, the preview.

use super::SessionError;
use crate::config::GenerationConfig;
use crate::geometry::MorphMesh;
use crate::head::HeadModel;
use crate::io::glb::{self, GlbOptions};
use crate::io::{ExportError, MeshFormat, MeshOptions, image, obj, ply, turntable};
use crate::render::GpuContext;
use crate::render::mesh::{MeshRenderer, RenderKind, turntable_views};
use ::image::imageops;
use std::path::{Path, PathBuf};

/// Name of the head's files, and of the object in them.
const NAME: &str = "avatar";
/// Roughness of the material, `[0, 1]`.
const ROUGHNESS: f32 = 0.8;
/// Views of the turntable.
const STRIP_VIEWS: u32 = 8;
const STRIP_SIZE: u32 = 256;
/// Height and width of what stands for a head in lists.
const THUMBNAIL_SIZE: u32 = 128;
/// Frames of the preview, and how long each is shown.
const FRAMES: u32 = 36;
const FRAME_MILLISECONDS: u16 = 80;
const FRAME_SIZE: u32 = 256;
/// Bytes that the preview may take.
const PREVIEW_LIMIT: usize = 1_000_000;
/// Elevation of all cameras, degrees.
const ELEVATION: f32 = 5.0;
/// Samples along a pixel's side.
const SAMPLES: u32 = 3;

/// What [`write_all`] wrote.
pub(super) struct Written {
    /// Path of the GLB.
    pub glb: PathBuf,
    /// A small PNG of the head from the front.
    pub thumbnail: Vec<u8>,
}

/// Writes a head to `path`: metres, y up, facing +z. Only a GLB can hold morph targets; other
/// formats get the surface as it is first shown. The same head always gives the same bytes.
///
/// # Errors
/// [`ExportError`] of the format.
pub(super) fn write(
    path: &Path,
    format: MeshFormat,
    avatar: &MorphMesh,
    config: &GenerationConfig,
) -> Result<(), ExportError> {
    let (name, provenance) = (NAME.to_owned(), provenance(config));
    let metres_per_unit = HeadModel::embedded().similarity().metres_per_unit;
    let options = MeshOptions { name, metres_per_unit, provenance };
    match format {
        MeshFormat::Obj => obj::write(path, &avatar.shown(), &options),
        MeshFormat::Ply => ply::write(path, &avatar.shown(), &options),
        MeshFormat::Glb => {
            let MeshOptions { name, metres_per_unit, provenance } = options;
            let roughness = ROUGHNESS;
            let options =
                GlbOptions { name, metres_per_unit, roughness, copyright: None, provenance };
            glb::write_morph(path, avatar, &options)
        }
    }
}

/// The file that a head is written to in a format, unless another is asked for.
#[must_use]
pub(super) fn usual_path(folder: &Path, format: MeshFormat) -> PathBuf {
    folder.join(NAME).with_extension(format.extension())
}

/// Writes `avatar.glb`, `turntable.png` and `preview.webp` into `folder`.
pub(super) fn write_all(
    folder: &Path,
    avatar: &MorphMesh,
    config: &GenerationConfig,
    gpu: &GpuContext,
) -> Result<Written, SessionError> {
    let path = usual_path(folder, MeshFormat::Glb);
    write(&path, MeshFormat::Glb, avatar, config)?;
    let renderer = MeshRenderer::new(gpu)?;
    let mesh = renderer.upload(&avatar.shown())?;
    let draw = |count, size| {
        let views = turntable_views(count, ELEVATION, size);
        renderer.render(&mesh, &views, RenderKind::Shaded, SAMPLES)
    };
    let strip = image::pictures(&draw(STRIP_VIEWS, STRIP_SIZE)?);
    turntable::write_strip(&folder.join("turntable.png"), &strip)?;
    let frames = image::pictures(&draw(FRAMES, FRAME_SIZE)?);
    let preview = folder.join("preview.webp");
    turntable::write_animation(&preview, &frames, FRAME_MILLISECONDS, PREVIEW_LIMIT)?;
    let front = imageops::thumbnail(&strip[0], THUMBNAIL_SIZE, THUMBNAIL_SIZE);
    Ok(Written { glb: path, thumbnail: image::encode_png(&front)? })
}

/// Where an avatar came from; goes into the GLB, so it holds nothing that differs
/// between two runs of the same seed.
fn provenance(config: &GenerationConfig) -> serde_json::Value {
    // A checkpoint's name, not its place on somebody's disk.
    let model = Path::new(&config.model).file_name().unwrap_or_default().to_string_lossy();
    serde_json::json!({
        "generator": concat!("HeadSculpt ", env!("CARGO_PKG_VERSION")),
        "prompt": config.prompt,
        "negative": config.negative,
        "seed": config.seed,
        "preset": config.preset,
        "model": model,
    })
}
