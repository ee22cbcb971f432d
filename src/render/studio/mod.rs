//! The studio: a deterministic renderer of captioned synthetic heads.
//!
//! [`StudioSample::random`] draws a person, [`StudioHead`] shapes and colours it on
//! the CPU, [`Studio`] draws many views of it in one submission. The light is the
//! Lambertian term of [`crate::batch::Light`] on sRGB-encoded albedo, so that it
//! can be divided out again.

pub(crate) mod anatomy;
mod beard;
pub mod caption;
mod ear;
mod face_paint;
mod framing;
mod glasses;
mod hair;
mod hat;
mod head;
mod horn;
mod instructed;
mod mesh;
mod noise;
mod paint;
mod person;
mod skin;
mod teeth;
pub mod voxels;

pub use framing::{framed_camera, framed_view};
pub use head::{StudioHead, VISIBLE};
pub use instructed::Instructed;
pub use mesh::{ChartPoint, StudioMesh, StudioVertex};
pub use person::{Split, StudioSample};
pub use skin::SkinColors;

use super::atlas::{Atlas, AtlasView};
use super::{GpuContext, RenderError};
use crate::batch::{ImageBatch, View};

/// Draws studio heads. Keeps its pipeline and targets between calls.
#[derive(Debug)]
pub struct Studio {
    atlas: Atlas,
    supersampling: u32,
}

impl Studio {
    /// A studio with 3x3 samples a pixel.
    ///
    /// # Errors
    /// A driver error while the pipeline is built.
    pub fn new(context: &GpuContext) -> Result<Self, RenderError> {
        let atlas = Atlas::new(
            context,
            "studio",
            include_str!("../../../shaders/studio.wgsl"),
            &[3, 3, 3, 3],
            &[wgpu::Color::TRANSPARENT],
        )?;
        Ok(Self { atlas, supersampling: 3 })
    }

    /// Draws one head from several views of equal size: 3 channels.
    ///
    /// # Errors
    /// Views of different sizes, an empty list, or a driver error.
    pub fn render(&mut self, head: &StudioHead, views: &[View]) -> Result<ImageBatch, RenderError> {
        let scene: Vec<AtlasView> = views.iter().map(|v| AtlasView::new(v, head.eyes)).collect();
        let tiles = self.atlas.draw(
            bytemuck::cast_slice(&head.mesh.vertices),
            &head.mesh.triangles,
            &scene,
            self.supersampling,
        )?;
        let (width, height) = (tiles.width, tiles.height);
        let mut out = ImageBatch::filled(views.len(), height, width, 3, 0.0);
        for (v, view) in views.iter().enumerate() {
            for y in 0..height {
                for x in 0..width {
                    let [r, g, b, cover] = tiles.mean(0, v, x, y);
                    let pixel = ((v * height + y) * width + x) * 3;
                    for (k, value) in [r, g, b].into_iter().enumerate() {
                        out.data[pixel + k] = value + (1.0 - cover) * view.background[k];
                    }
                }
            }
        }
        Ok(out)
    }
}
