//! The shaders of local changes, put together from the pieces in `shaders/`.

use crate::render::kernel::Kernel;
use crate::render::{GpuContext, RenderError};

macro_rules! piece {
    ($path:literal) => {
        include_str!(concat!("../../../shaders/", $path))
    };
}

/// The complete source of each kernel, by its entry point.
fn sources() -> [(&'static str, String); 2] {
    let join = |last: &str| {
        let start = [piece!("common/dispatch.wgsl"), piece!("common/activation.wgsl")];
        [start[0], start[1], piece!("texture/local.wgsl"), last].join("\n")
    };
    [
        ("change_colors", join(piece!("texture/forward.wgsl"))),
        ("unchange_colors", join(piece!("texture/adjoint.wgsl"))),
    ]
}

/// Every shader of local changes, complete: for validation without a GPU.
#[must_use]
pub fn shader_sources() -> Vec<(&'static str, String)> {
    sources().into()
}

#[derive(Debug)]
pub(super) struct Kernels {
    pub change: Kernel,
    pub unchange: Kernel,
}

impl Kernels {
    pub fn new(gpu: &GpuContext) -> Result<Self, RenderError> {
        let [change, unchange] = &sources();
        let kernel = |(name, source): &(&'static str, String)| Kernel::new(gpu, name, source, &[]);
        Ok(Self { change: kernel(change)?, unchange: kernel(unchange)? })
    }
}
