//! Drawing and differentiating on wgpu: the only room besides the viewport that
//! owns GPU objects.

pub mod adam;
mod atlas;
pub mod bake;
pub mod camera;
pub mod context;
pub mod control;
pub mod field;
mod gpu_view;
mod kernel;
mod lattice;
pub mod mask;
pub mod mesh;
pub mod mesh_scene;
pub mod raster;
mod scan;
pub mod studio;
pub mod tets;
pub mod texture;
mod upstream;

pub use context::{GpuContext, RenderError};
