//! The control images of a step's views.

use super::StageError;
use crate::batch::{ControlKind, View};
use crate::guidance::{ControlImages, ControlRequest};
use crate::head::ShapedHead;
use crate::render::GpuContext;
use crate::render::control::ControlRenderer;
use std::collections::BTreeMap;

/// Draws what the guidance's `ControlNets` read of the head's prior.
#[derive(Debug)]
pub struct Controls {
    renderer: ControlRenderer,
    requested: ControlRequest,
    head: ShapedHead,
}

impl Controls {
    /// Control images of `head`, a neutral shape.
    ///
    /// # Errors
    /// A driver error.
    pub fn new(
        gpu: &GpuContext,
        requested: ControlRequest,
        head: ShapedHead,
    ) -> Result<Self, StageError> {
        Ok(Self { renderer: ControlRenderer::new(gpu)?, requested, head })
    }

    /// The images for some views. Reference pictures are not among them: those show the
    /// avatar, not the prior.
    ///
    /// # Errors
    /// A driver error.
    pub fn draw(&mut self, views: &[View]) -> Result<ControlImages, StageError> {
        let ControlRequest { kinds, size } = &self.requested;
        let camera = |view: &View| view.camera.with_size(*size, *size);
        let views: Vec<View> =
            views.iter().map(|view| View { camera: camera(view), ..*view }).collect();
        let mut images = BTreeMap::new();
        for &kind in kinds.iter().filter(|kind| **kind != ControlKind::Reference) {
            images.insert(kind, self.renderer.render(kind, &self.head, &views)?);
        }
        Ok(images)
    }
}
