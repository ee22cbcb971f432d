//! The readers of a project's files, as functions of bytes alone.

use super::{History, avatar, log, manifest, motion, packing, single_file, versions};
use crate::geometry::mesh::sphere;
use crate::geometry::{MorphMesh, TexturedMesh};
use glam::{Vec2, Vec3};
use std::path::Path;

/// The most bytes of an unpacked array: what is packed may be much shorter.
const MOST_UNPACKED: usize = 1 << 24;

/// The operation log, and its tree of versions.
pub fn operations(bytes: &[u8]) -> bool {
    let Ok(entries) = log::parse(bytes, Path::new("log")) else { return false };
    let Ok(history) = History::of(&entries) else { return false };
    assert_eq!(history.tree().len(), history.versions().len());
    assert!(!history.path_to(history.current().id).is_empty());
    let _ = (history.undo_target(), history.redo_target());
    true
}

/// A checkpoint's manifest.
pub fn checkpoint_manifest(bytes: &[u8]) -> bool {
    manifest::Manifest::parse(bytes, Path::new("manifest")).is_ok()
}

/// A version's manifest.
pub fn version_manifest(bytes: &[u8]) -> bool {
    versions::Manifest::parse(bytes, Path::new("manifest")).is_ok()
}

/// A checkpoint of schema 1.
pub fn checkpoint(bytes: &[u8]) -> bool {
    single_file::decode(bytes, Path::new("checkpoint")).is_ok()
}

/// A mesh with a texture of one texel.
pub fn mesh(bytes: &[u8]) -> bool {
    let texel = crate::io::image::encode_png(&image::RgbImage::new(1, 1)).unwrap_or_default();
    let Ok(avatar) = avatar::decode(bytes, &texel, Path::new("")) else { return false };
    drop(MorphMesh::still(avatar).shown());
    true
}

/// What moves a small sphere.
pub fn motion(bytes: &[u8]) -> bool {
    let mesh = sphere(Vec3::ZERO, 1.0, 4, 5);
    let normals = mesh.positions.iter().map(|p| p.normalize()).collect();
    let uvs = vec![Vec2::splat(0.5); mesh.positions.len()];
    let rest = TexturedMesh { mesh, normals, uvs, albedo: image::RgbaImage::new(1, 1) };
    let Ok(avatar) = motion::decode(bytes, rest) else { return false };
    drop(avatar.shown());
    true
}

/// A packed array after its length, four bytes.
pub fn packed(bytes: &[u8]) -> bool {
    let Some((length, packed)) = bytes.split_first_chunk::<4>() else { return false };
    let length = u32::from_le_bytes(*length) as usize % (MOST_UNPACKED + 1);
    let array = packing::unpack(packed, length);
    assert!(array.as_ref().map_or(true, |array| array.len() == length));
    array.is_ok()
}
