//! The renderer of the live view, and its picture as egui knows it.

use super::guard::guarded;
use super::renderer::ViewportRenderer;
use crate::render::RenderError;
use eframe::egui;
use eframe::egui_wgpu::RenderState;

/// A [`ViewportRenderer`] on the device of a window.
pub(super) struct Gpu {
    state: RenderState,
    pub renderer: ViewportRenderer,
    texture: Option<egui::TextureId>,
}

impl Gpu {
    /// # Errors
    /// As [`ViewportRenderer::new`].
    pub fn new(state: &RenderState) -> Result<Self, RenderError> {
        let renderer = ViewportRenderer::new(&state.device, &state.queue)?;
        Ok(Self { state: state.clone(), renderer, texture: None })
    }

    /// What kind of device draws.
    pub fn device_type(&self) -> wgpu::DeviceType {
        self.state.adapter.get_info().device_type
    }

    /// The picture as egui knows it, once there is one.
    pub fn texture(&self) -> Option<egui::TextureId> {
        self.texture
    }

    /// Tells egui of the renderer's texture after it was made anew.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn register(&mut self) -> Result<(), RenderError> {
        let Some(view) = self.renderer.encoded_view() else { return Ok(()) };
        let (device, filter) = (&self.state.device, wgpu::FilterMode::Linear);
        let mut egui = self.state.renderer.write();
        guarded(device, || match self.texture {
            Some(id) => egui.update_egui_texture_from_wgpu_texture(device, view, filter, id),
            None => self.texture = Some(egui.register_native_texture(device, view, filter)),
        })
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        if let Some(id) = &self.texture {
            self.state.renderer.write().free_texture(id);
        }
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu")
            .field("renderer", &self.renderer)
            .field("texture", &self.texture)
            .finish_non_exhaustive()
    }
}
