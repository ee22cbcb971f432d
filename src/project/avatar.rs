//! The finished avatar inside a project: mesh and texture.

use super::{Operation, Project, ProjectError};
use crate::geometry::{Mesh, TexturedMesh};
use ::image::DynamicImage;
use glam::{Vec2, Vec3};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::path::Path;

const MESH: &str = "mesh.safetensors";
const ALBEDO: &str = "albedo.png";

impl Project {
    /// Writes the avatar, replacing the one before.
    ///
    /// # Errors
    /// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
    pub fn save_avatar(&self, avatar: &TexturedMesh) -> Result<(), ProjectError> {
        let path = self.root().join(ALBEDO);
        let png =
            crate::io::image::encode_png(&DynamicImage::from(avatar.albedo.clone()).into_rgb8())
                .map_err(|error| broken(&path, error))?;
        ProjectError::write(&path, &png)?;
        let path = self.root().join(MESH);
        let view = |dtype, columns: usize, bytes| -> Result<TensorView<'_>, ProjectError> {
            let bytes: &[u8] = bytes;
            TensorView::new(dtype, vec![bytes.len() / (4 * columns), columns], bytes)
                .map_err(|error| broken(&path, error))
        };
        let tensors = [
            ("positions", view(Dtype::F32, 3, bytemuck::cast_slice(&avatar.mesh.positions))?),
            ("normals", view(Dtype::F32, 3, bytemuck::cast_slice(&avatar.normals))?),
            ("uvs", view(Dtype::F32, 2, bytemuck::cast_slice(&avatar.uvs))?),
            ("triangles", view(Dtype::U32, 3, bytemuck::cast_slice(&avatar.mesh.triangles))?),
        ];
        let bytes = safetensors::serialize(tensors, None).map_err(|error| broken(&path, error))?;
        ProjectError::write(&path, &bytes)
    }

    /// Notes in the log that the avatar was written, unless the log says so already.
    ///
    /// # Errors
    /// [`ProjectError::Io`] if the log cannot be written.
    pub fn finish(&mut self, avatar: &TexturedMesh) -> Result<(), ProjectError> {
        let last = self.entries().last().map(|entry| &entry.operation);
        if matches!(last, Some(Operation::Finish { .. })) {
            return Ok(());
        }
        self.append(Operation::Finish {
            vertices: avatar.mesh.positions.len() as u64,
            triangles: avatar.mesh.triangles.len() as u64,
        })?;
        Ok(())
    }

    /// Reads the avatar; `None` if the project has not been finished.
    ///
    /// # Errors
    /// [`ProjectError::Broken`] naming the file and tensor.
    pub fn load_avatar(&self) -> Result<Option<TexturedMesh>, ProjectError> {
        let path = self.root().join(MESH);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(ProjectError::io("read", &path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| broken(&path, error))?;
        let floats = |name| -> Result<Vec<f32>, ProjectError> {
            Ok(words(&file, name, Dtype::F32, &path)?.into_iter().map(f32::from_bits).collect())
        };
        let vectors = |name| -> Result<Vec<Vec3>, ProjectError> {
            Ok(floats(name)?.chunks_exact(3).map(Vec3::from_slice).collect())
        };
        let triangles = words(&file, "triangles", Dtype::U32, &path)?;
        let mesh = Mesh {
            positions: vectors("positions")?,
            triangles: triangles.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect(),
        };
        let albedo_path = self.root().join(ALBEDO);
        let albedo = ::image::open(&albedo_path).map_err(|error| broken(&albedo_path, error))?;
        let avatar = TexturedMesh {
            mesh,
            normals: vectors("normals")?,
            uvs: floats("uvs")?.chunks_exact(2).map(Vec2::from_slice).collect(),
            albedo: albedo.into_rgba8(),
        };
        avatar.validate().map_err(|error| broken(&path, error))?;
        Ok(Some(avatar))
    }
}

fn broken(path: &Path, error: impl std::fmt::Display) -> ProjectError {
    ProjectError::Broken { path: path.to_path_buf(), what: error.to_string() }
}

/// A tensor's 32-bit words; its dtype is checked, its shape by whoever assembles them.
fn words(
    file: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    path: &Path,
) -> Result<Vec<u32>, ProjectError> {
    let view = file.tensor(name).map_err(|error| broken(path, format!("{name}: {error}")))?;
    if view.dtype() != dtype {
        return Err(broken(path, format!("{name} is {:?}, expected {dtype:?}", view.dtype())));
    }
    let chunks = view.data().as_chunks::<4>().0;
    Ok(chunks.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
}
