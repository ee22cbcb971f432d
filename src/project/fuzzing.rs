//! The readers of a project's files, as functions of bytes alone.

use super::{History, avatar, log, manifest, motion, packing, single_file, versions};
use crate::geometry::mesh::sphere;
use crate::geometry::{MorphMesh, TexturedMesh};
use glam::{Vec2, Vec3};
use std::path::Path;

/// The most bytes of an unpacked array: what is packed may be much shorter.
const MOST_UNPACKED: usize = 1 << 24;

/// The operation log, and its tree of versions.
pub fn operations(bytes: &[u8]) {
    if let Ok(entries) = log::parse(bytes, Path::new("log"))
        && let Ok(history) = History::of(&entries)
    {
        let rows = history.tree();
        assert_eq!(rows.len(), history.versions().len());
        assert!(!history.path_to(history.current().id).is_empty());
        let _ = (history.undo_target(), history.redo_target());
    }
}

/// A checkpoint's manifest.
pub fn checkpoint_manifest(bytes: &[u8]) {
    drop(manifest::Manifest::parse(bytes, Path::new("manifest")));
}

/// A version's manifest.
pub fn version_manifest(bytes: &[u8]) {
    drop(versions::Manifest::parse(bytes, Path::new("manifest")));
}

/// A checkpoint of schema 1.
pub fn checkpoint(bytes: &[u8]) {
    drop(single_file::decode(bytes, Path::new("checkpoint")));
}

/// A mesh with a texture of one texel.
pub fn mesh(bytes: &[u8]) {
    let texel = image::RgbImage::new(1, 1);
    if let Ok(texel) = crate::io::image::encode_png(&texel)
        && let Ok(avatar) = avatar::decode(bytes, &texel, Path::new(""))
    {
        drop(MorphMesh::still(avatar).shown());
    }
}

/// What moves a small sphere.
pub fn motion(bytes: &[u8]) {
    let mesh = sphere(Vec3::ZERO, 1.0, 4, 5);
    let normals = mesh.positions.iter().map(|p| p.normalize()).collect();
    let uvs = vec![Vec2::splat(0.5); mesh.positions.len()];
    let rest = TexturedMesh { mesh, normals, uvs, albedo: image::RgbaImage::new(1, 1) };
    if let Ok(avatar) = motion::decode(bytes, rest) {
        drop(avatar.shown());
    }
}

/// A packed array after its length, four bytes.
pub fn packed(bytes: &[u8]) {
    if let Some((length, packed)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize % (MOST_UNPACKED + 1);
        if let Ok(array) = packing::unpack(packed, length) {
            assert_eq!(array.len(), length);
        }
    }
}
