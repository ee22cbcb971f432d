//! Views as the shaders read them.

use super::RenderError;
use crate::batch::{Light, View};
use bytemuck::Zeroable;

/// Pixels of one call: 16 views of 512 x 512.
pub const MAX_RAYS: u64 = 1 << 22;

/// What a differentiable scene shows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appearance {
    /// Albedo under each view's light.
    #[default]
    Shaded,
    /// World-space normals as `0.5 + 0.5 n`.
    Normals,
}

/// Mirrors `View` in `common/view.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, Zeroable)]
pub(super) struct GpuView {
    position: [f32; 4],
    right: [f32; 4],
    up: [f32; 4],
    forward: [f32; 4],
    background: [f32; 4],
    light: [f32; 4],
    frame: [f32; 4],
}

impl GpuView {
    pub fn new(view: &View, appearance: Appearance) -> Self {
        let c = &view.camera;
        let (light, lit) = match view.light {
            Light::Flat => ([0.0, 0.0, 0.0, 1.0], 0.0),
            Light::Lambertian { ambient, direction } => {
                ([direction.x, direction.y, direction.z, ambient], 1.0)
            }
        };
        let mode = match appearance {
            Appearance::Shaded => lit,
            Appearance::Normals => 2.0,
        };
        let [r, g, b] = view.background;
        Self {
            position: c.position.extend(0.0).into(),
            right: c.right.extend(0.0).into(),
            up: c.up.extend(0.0).into(),
            forward: c.forward.extend(0.0).into(),
            background: [r, g, b, 0.0],
            light,
            frame: [c.focal(), c.width as f32, c.height as f32, mode],
        }
    }
}

/// Width and height of all views.
///
/// # Errors
/// [`RenderError::Invalid`] for no views, views of different sizes or that are not finite, and
/// for more than [`MAX_RAYS`] pixels.
pub(super) fn common_size(views: &[View]) -> Result<(u32, u32), RenderError> {
    let Some(first) = views.first() else {
        return Err(RenderError::Invalid("there is no view to render".into()));
    };
    let size = (first.camera.width, first.camera.height);
    for (i, view) in views.iter().enumerate() {
        let c = &view.camera;
        if (c.width, c.height) != size {
            return Err(RenderError::Invalid(format!(
                "view {i} is {}x{} where the first is {}x{}",
                c.width, c.height, size.0, size.1
            )));
        }
        let finite = c.position.is_finite()
            && c.right.is_finite()
            && c.up.is_finite()
            && c.forward.is_finite()
            && c.focal().is_finite()
            && view.background.iter().all(|b| b.is_finite());
        if !finite {
            return Err(RenderError::Invalid(format!("view {i} is not finite")));
        }
    }
    let rays = u64::from(size.0) * u64::from(size.1) * views.len() as u64;
    if rays == 0 || rays > MAX_RAYS {
        return Err(RenderError::Invalid(format!(
            "{} views of {}x{} are {rays} rays; a render takes 1..={MAX_RAYS}",
            views.len(),
            size.0,
            size.1
        )));
    }
    Ok(size)
}
