//! The live view as a whole: its pictures, and the widget under a pretended mouse.

mod pictures;
mod widget;

use crate::geometry::mesh::samples::sphere;
use crate::geometry::smooth::vertex_normals;
use crate::geometry::{Mesh, TexturedMesh};
use glam::{Vec2, Vec3};
use image::{Rgba, RgbaImage};
use std::sync::Arc;

/// A surface with a soft pattern and texture coordinates by latitude and longitude.
fn patterned(mesh: Mesh) -> Arc<TexturedMesh> {
    let uvs = mesh.positions.iter().map(|p| {
        let d = p.normalize_or(Vec3::Y);
        let longitude = d.x.atan2(d.z) / std::f32::consts::TAU;
        Vec2::new(0.5 + longitude, 0.5 - 0.5 * d.y)
    });
    let albedo = RgbaImage::from_fn(256, 128, |x, y| {
        let wave = |v: u32, n: f32| 0.5 + 0.5 * (v as f32 * n).sin();
        Rgba([
            (90.0 + 120.0 * wave(x, 0.2)) as u8,
            (80.0 + 100.0 * wave(y, 0.15)) as u8,
            (70.0 + 60.0 * wave(x + y, 0.1)) as u8,
            255,
        ])
    });
    let normals = vertex_normals(&mesh);
    Arc::new(TexturedMesh { uvs: uvs.collect(), normals, mesh, albedo })
}

fn ball() -> Arc<TexturedMesh> {
    patterned(sphere(Vec3::ZERO, 0.45, 60, 120))
}
