//! Drawing and differentiating on wgpu: the only room besides the viewport that
//! owns GPU objects.

pub mod camera;
pub mod context;
pub use context::{GpuContext, RenderError};

pub mod adam;
pub mod field;
mod kernel;
