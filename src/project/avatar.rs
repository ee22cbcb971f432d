//! The finished avatar inside a project: mesh, texture, and what moves it.

use super::objects::{LONGEST_FILE, read_file};
use super::tensors::words;
use super::{Operation, Project, ProjectError, motion};
use crate::geometry::{Mesh, MorphMesh, TexturedMesh};
use crate::io::image;
use ::image::DynamicImage;
use glam::{Vec2, Vec3};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

/// Names of a version's files.
const MESH: &str = "mesh.safetensors";
const ALBEDO: &str = "albedo.png";
const MOTION: &str = "motion.safetensors";
const THUMBNAIL: &str = "thumbnail.png";
const REPORT: &str = "report.json";
/// No vertex lies farther from the origin along an axis; a head fits between -1 and 1.
const FARTHEST: f32 = 1e4;

impl Project {
    /// Stores the avatar of a version, which the log need not know yet.
    ///
    /// # Errors
    /// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
    pub fn save_avatar(&self, version: u64, avatar: &MorphMesh) -> Result<(), ProjectError> {
        let motion = motion::encode(avatar);
        let motion = motion.map_err(|error| broken(&self.root().join(MOTION), error))?;
        let avatar = &avatar.rest;
        let path = self.root().join(ALBEDO);
        let png = image::encode_png(&DynamicImage::from(avatar.albedo.clone()).into_rgb8())
            .map_err(|error| broken(&path, error))?;
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
        self.versions().put(version, &[(ALBEDO, &png), (MESH, &bytes), (MOTION, &motion)])
    }

    /// SHA-256 of a version's mesh, texture and motion, by their names; `None` if it has none.
    ///
    /// # Errors
    /// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
    pub fn avatar_digest(
        &self,
        version: u64,
    ) -> Result<Option<BTreeMap<String, String>>, ProjectError> {
        let mut files = self.versions().digests(version)?;
        files.retain(|name, _| [MESH, ALBEDO, MOTION].contains(&name.as_str()));
        Ok(Some(files).filter(|files| files.contains_key(MESH)))
    }

    /// Stores what else is kept of a version: a small PNG of it, and the report of how it
    /// was made.
    ///
    /// # Errors
    /// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
    pub fn save_records(
        &self,
        version: u64,
        thumbnail: &[u8],
        report: &[u8],
    ) -> Result<(), ProjectError> {
        self.versions().put(version, &[(THUMBNAIL, thumbnail), (REPORT, report)])
    }

    /// The PNG that [`Self::save_records`] stored.
    ///
    /// # Errors
    /// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
    pub fn thumbnail(&self, version: u64) -> Result<Option<Vec<u8>>, ProjectError> {
        self.versions().get(version, THUMBNAIL)
    }

    /// The report that [`Self::save_records`] stored.
    ///
    /// # Errors
    /// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
    pub fn report(&self, version: u64) -> Result<Option<Vec<u8>>, ProjectError> {
        self.versions().get(version, REPORT)
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

    /// Reads the avatar of the current version; `None` if it has none yet.
    ///
    /// # Errors
    /// As [`Self::avatar_of`].
    pub fn load_avatar(&self) -> Result<Option<MorphMesh>, ProjectError> {
        self.avatar_of(self.history().current().id)
    }

    /// Reads the avatar of a version; `None` if it has none yet, or none any more.
    ///
    /// # Errors
    /// [`ProjectError::Broken`] naming the file and tensor.
    pub fn avatar_of(&self, version: u64) -> Result<Option<MorphMesh>, ProjectError> {
        let store = self.versions();
        let (mesh, albedo) = (store.get(version, MESH)?, store.get(version, ALBEDO)?);
        if let (Some(mesh), Some(albedo)) = (mesh, albedo) {
            let rest = decode(&mesh, &albedo, self.root())?;
            let Some(motion) = store.get(version, MOTION)? else {
                return Ok(Some(MorphMesh::still(rest)));
            };
            let avatar = motion::decode(&motion, rest);
            return avatar.map(Some).map_err(|error| broken(&self.root().join(MOTION), error));
        }
        let (mesh, albedo) = (self.root().join(MESH), self.root().join(ALBEDO));
        if version != self.history().current().id || !(mesh.is_file() && albedo.is_file()) {
            return Ok(None);
        }
        let read = |path: &Path| read_file(path, LONGEST_FILE);
        let rest = decode(&read(&mesh)?, &read(&albedo)?, self.root())?;
        Ok(Some(MorphMesh::still(rest)))
    }

    /// Takes the avatar that projects had beside their log, of the newest version alone, into
    /// the store of versions.
    pub(super) fn adopt_avatar(&self) -> Result<(), ProjectError> {
        let paths = [ALBEDO, MESH].map(|name| (name, self.root().join(name)));
        let current = self.history().current();
        if !current.is_finished || !paths.iter().all(|(_, path)| path.is_file()) {
            return Ok(());
        }
        let store = self.versions();
        for (name, path) in &paths {
            let contents = read_file(path, LONGEST_FILE)?;
            store.put(current.id, &[(*name, contents.as_slice())])?;
        }
        for (_, path) in paths {
            std::fs::remove_file(&path).map_err(ProjectError::io("remove", path))?;
        }
        Ok(())
    }
}

/// The avatar in the contents of its two files; `root` is where errors say that they lie.
pub(super) fn decode(
    mesh: &[u8],
    albedo: &[u8],
    root: &Path,
) -> Result<TexturedMesh, ProjectError> {
    let (path, albedo_path) = (root.join(MESH), root.join(ALBEDO));
    let file = SafeTensors::deserialize(mesh).map_err(|error| broken(&path, error))?;
    let floats = |name| -> Result<Vec<f32>, ProjectError> {
        let words = words(&file, name, Dtype::F32).map_err(|error| broken(&path, error))?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    };
    let vectors = |name| -> Result<Vec<Vec3>, ProjectError> {
        Ok(floats(name)?.chunks_exact(3).map(Vec3::from_slice).collect())
    };
    let triangles = words(&file, "triangles", Dtype::U32);
    let triangles = triangles.map_err(|error| broken(&path, error))?;
    let mesh = Mesh {
        positions: vectors("positions")?,
        triangles: triangles.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect(),
    };
    let albedo =
        image::decode_png(albedo, image::LARGEST).map_err(|error| broken(&albedo_path, error))?;
    let avatar = TexturedMesh {
        mesh,
        normals: vectors("normals")?,
        uvs: floats("uvs")?.chunks_exact(2).map(Vec2::from_slice).collect(),
        albedo: albedo.into_rgba8(),
    };
    avatar.validate().map_err(|error| broken(&path, error))?;
    if avatar.mesh.positions.iter().any(|p| p.abs().max_element() > FARTHEST) {
        return Err(broken(&path, "has a vertex that lies too far away"));
    }
    Ok(avatar)
}

fn broken(path: &Path, error: impl std::fmt::Display) -> ProjectError {
    ProjectError::Broken { path: path.to_path_buf(), what: error.to_string() }
}
