//! Files people open: meshes, images, turntables.

pub mod atomic;
mod comment;
mod format;
pub mod glb;
pub mod image;
pub mod obj;
pub mod ply;
mod texture;
pub mod turntable;

pub use format::MeshFormat;
pub use texture::{TEXTURE_SIZES, resized};

use crate::geometry::TexturedMesh;
use glam::Vec3;
use std::path::{Path, PathBuf};

/// What can go wrong when a result is encoded or written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file name that does not say which format is wanted.
    #[error("cannot tell the image format of {}: use .png, .webp, .jpg or .jpeg", .0.display())]
    Format(PathBuf),
    /// A file name that does not say which mesh format is wanted.
    #[error("cannot tell the mesh format of {}: name it .glb, .obj or .ply", .0.display())]
    MeshFormat(PathBuf),
    /// A file name that says another mesh format than the one that is wanted.
    #[error("{} cannot hold a head as {format}: the file's name must end in .{format}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What is wanted.
        format: MeshFormat,
    },
    /// An encoder refused.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// The picture or file.
        what: &'static str,
        /// The encoder's words.
        reason: String,
    },
    /// A picture does not decode.
    #[error("is no picture that can be read: {0}")]
    Decode(String),
    /// The result is larger than it may be.
    #[error("{what} takes {actual} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The picture or file.
        what: &'static str,
        /// Its size.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// A mesh that cannot be exported.
    #[error(transparent)]
    Geometry(#[from] crate::geometry::GeometryError),
    /// The caller asked for something impossible.
    #[error("{0}")]
    Invalid(&'static str),
}

/// What goes into a mesh file without materials of its own besides the mesh.
#[derive(Debug, Clone, PartialEq)]
pub struct MeshOptions {
    /// Name of the object and its material.
    pub name: String,
    /// Scale from world units to metres.
    pub metres_per_unit: f32,
    /// Where the avatar comes from (prompt, seed, model): comment lines of the header.
    pub provenance: serde_json::Value,
}

/// The positions of a mesh that can be written, in metres.
///
/// # Errors
/// What [`TexturedMesh::validate`] says; [`ExportError::Invalid`] for a scale that is not
/// positive, positions that are too large for it, or a texture without pixels.
fn metres(textured: &TexturedMesh, metres_per_unit: f32) -> Result<Vec<Vec3>, ExportError> {
    textured.validate()?;
    if !(metres_per_unit.is_finite() && metres_per_unit > 0.0) {
        return Err(ExportError::Invalid("the scale to metres must be positive"));
    }
    if textured.albedo.is_empty() {
        return Err(ExportError::Invalid("the texture has no pixels"));
    }
    let metres: Vec<Vec3> = textured.mesh.positions.iter().map(|p| *p * metres_per_unit).collect();
    if metres.iter().any(|p| !p.is_finite()) {
        return Err(ExportError::Invalid("the mesh is too large to be given in metres"));
    }
    Ok(metres)
}

/// Writes a file so that it is either complete or not there; see [`atomic::write`].
///
/// # Errors
/// [`ExportError::Write`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    atomic::write(path, bytes)
        .map_err(|source| ExportError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod samples {
    //! A mesh that the tests of the formats share, and what all of them refuse.
    use super::{ExportError, MeshOptions};
    use crate::geometry::{Mesh, TexturedMesh};
    use glam::{Vec2, Vec3};
    use image::{Rgba, RgbaImage};

    /// One triangle over a texture of two by two texels.
    pub fn triangle() -> TexturedMesh {
        let positions =
            vec![Vec3::new(0.0, 0.0, 0.5), Vec3::new(1.0, 0.0, 0.5), Vec3::new(0.0, 2e-9, 0.5)];
        let colours = [[255, 0, 0, 255], [0, 255, 0, 255], [9, 9, 9, 255], [0, 0, 255, 255]];
        TexturedMesh {
            mesh: Mesh { positions, triangles: vec![[0, 1, 2]] },
            normals: vec![Vec3::Z; 3],
            uvs: vec![Vec2::new(0.25, 0.75), Vec2::new(0.75, 0.75), Vec2::new(0.25, 0.25)],
            albedo: RgbaImage::from_fn(2, 2, |x, y| Rgba(colours[(2 * y + x) as usize])),
        }
    }

    pub fn options() -> MeshOptions {
        MeshOptions {
            name: "a head".into(),
            metres_per_unit: 0.5,
            provenance: serde_json::json!({ "prompt": "a bald man", "seed": 7 }),
        }
    }

    /// Spoils a mesh in every way and expects a sentence each time.
    pub fn refuses(encode: impl Fn(&TexturedMesh, &MeshOptions) -> Result<(), ExportError>) {
        type Spoil = fn(&mut TexturedMesh, &mut MeshOptions);
        let cases: [Spoil; 11] = [
            |m, _| m.mesh.triangles.clear(),
            |m, _| {
                *m = TexturedMesh {
                    mesh: Mesh::default(),
                    normals: vec![],
                    uvs: vec![],
                    albedo: m.albedo.clone(),
                }
            },
            |m, _| m.mesh.triangles[0][1] = 3,
            |m, _| m.mesh.positions[1].y = f32::NAN,
            |m, _| m.normals[0] = Vec3::ZERO,
            |m, _| m.normals.truncate(2),
            |m, _| m.uvs[2].x = f32::INFINITY,
            |m, _| m.albedo = RgbaImage::new(0, 0),
            |_, o| o.metres_per_unit = 0.0,
            |_, o| o.metres_per_unit = f32::NAN,
            |m, o| (m.mesh.positions[0].x, o.metres_per_unit) = (1e38, 1e9),
        ];
        encode(&triangle(), &options()).unwrap();
        for (i, spoil) in cases.into_iter().enumerate() {
            let (mut mesh, mut options) = (triangle(), options());
            spoil(&mut mesh, &mut options);
            let error = encode(&mesh, &options).expect_err("must be refused").to_string();
            assert!(!error.is_empty() && !error.contains('\n'), "case {i}: {error}");
        }
    }
}
