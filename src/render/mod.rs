//! Drawing and differentiating on wgpu: the only room besides the viewport that
//! owns GPU objects.

pub mod bake;
pub mod camera;
pub mod context;
pub mod mesh;
pub use context::{GpuContext, RenderError};
