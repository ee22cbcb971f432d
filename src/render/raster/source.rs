//! The rasteriser's shaders, put together from the pieces in `shaders/`.

use crate::render::kernel::Kernel;
use crate::render::{GpuContext, RenderError};

/// Format of the triangle numbers and of the depth beside them.
pub(super) const NUMBERS: wgpu::TextureFormat = wgpu::TextureFormat::R32Uint;
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

macro_rules! join {
    ($($path:literal),* $(,)?) => {
        concat!($(include_str!(concat!("../../../shaders/", $path)), "\n"),*)
    };
}

const PAIR: &str =
    join!("common/dispatch.wgsl", "common/random.wgsl", "raster/size.wgsl", "raster/topology.wgsl");
const NORMALS: &str =
    join!("common/dispatch.wgsl", "raster/size.wgsl", "raster/ring.wgsl", "raster/normals.wgsl");
const VISIBLE: &str = join!("raster/visible.wgsl");
const COVER: &str = join!("common/dispatch.wgsl", "raster/frame.wgsl", "raster/cover.wgsl");
const SURFACE: &str = join!(
    "common/dispatch.wgsl",
    "common/view.wgsl",
    "raster/frame.wgsl",
    "raster/projection.wgsl",
    "raster/triangle.wgsl",
    "raster/surface.wgsl",
);
const COMPOSE: &str =
    join!("common/dispatch.wgsl", "common/view.wgsl", "raster/frame.wgsl", "raster/compose.wgsl",);
const SILHOUETTE: &str = join!(
    "common/dispatch.wgsl",
    "common/view.wgsl",
    "raster/frame.wgsl",
    "raster/projection.wgsl",
    "raster/triangle.wgsl",
    "raster/silhouette.wgsl",
);
const BLEND: &str = join!("common/dispatch.wgsl", "raster/frame.wgsl", "raster/blend.wgsl");
const EDGES: &str = join!(
    "common/dispatch.wgsl",
    "common/view.wgsl",
    "raster/frame.wgsl",
    "raster/projection.wgsl",
    "raster/edge_adjoint.wgsl",
);
const UNCOMPOSE: &str = join!(
    "common/dispatch.wgsl",
    "common/view.wgsl",
    "raster/frame.wgsl",
    "raster/uncompose.wgsl",
);
const UNSURFACE: &str = join!(
    "common/dispatch.wgsl",
    "common/view.wgsl",
    "raster/frame.wgsl",
    "raster/projection.wgsl",
    "raster/triangle.wgsl",
    "raster/surface_adjoint.wgsl",
);
const MAXIMUM: &str = join!("common/dispatch.wgsl", "raster/maximum.wgsl");
const SCATTER_SURFACE: &str = join!(
    "common/dispatch.wgsl",
    "common/fixed_point.wgsl",
    "raster/frame.wgsl",
    "raster/triangle.wgsl",
    "raster/limbs.wgsl",
    "raster/scatter_surface.wgsl",
);
const SCATTER_EDGES: &str = join!(
    "common/dispatch.wgsl",
    "common/fixed_point.wgsl",
    "raster/frame.wgsl",
    "raster/limbs.wgsl",
    "raster/scatter_edges.wgsl",
);
const GATHER: &str = join!(
    "common/dispatch.wgsl",
    "common/fixed_point.wgsl",
    "raster/size.wgsl",
    "raster/gather.wgsl"
);
const LAPLACIAN: &str =
    join!("common/dispatch.wgsl", "raster/size.wgsl", "raster/ring.wgsl", "raster/laplacian.wgsl");
const UNGEOMETRY: &str =
    join!("common/dispatch.wgsl", "raster/ring.wgsl", "raster/geometry_adjoint.wgsl");

/// Every shader of the rasteriser, complete: for validation without a GPU.
#[must_use]
pub fn shader_sources() -> Vec<(&'static str, String)> {
    [
        ("raster/topology", PAIR),
        ("raster/normals", NORMALS),
        ("raster/visible", VISIBLE),
        ("raster/cover", COVER),
        ("raster/surface", SURFACE),
        ("raster/compose", COMPOSE),
        ("raster/silhouette", SILHOUETTE),
        ("raster/blend", BLEND),
        ("raster/edge_adjoint", EDGES),
        ("raster/uncompose", UNCOMPOSE),
        ("raster/surface_adjoint", UNSURFACE),
        ("raster/maximum", MAXIMUM),
        ("raster/scatter_surface", SCATTER_SURFACE),
        ("raster/scatter_edges", SCATTER_EDGES),
        ("raster/gather", GATHER),
        ("raster/laplacian", LAPLACIAN),
        ("raster/geometry_adjoint", UNGEOMETRY),
        ("common/scan", include_str!("../../../shaders/common/scan.wgsl")),
    ]
    .map(|(name, source)| (name, source.to_owned()))
    .to_vec()
}

/// Bindings of kernels with more buffers than usual.
const NINE: &[u32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8];

#[derive(Debug)]
pub(super) struct Kernels {
    pub pair: Kernel,
    pub normals: Kernel,
    pub cover: Kernel,
    pub surface: Kernel,
    pub compose: Kernel,
    pub silhouettes: Kernel,
    pub blend: Kernel,
    pub unblend: Kernel,
    pub edges: Kernel,
    pub uncompose: Kernel,
    pub unsurface: Kernel,
    pub maximum: Kernel,
    pub scatter_surface: Kernel,
    pub scatter_edges: Kernel,
    pub gather: Kernel,
    pub laplacian: Kernel,
    pub ungeometry: Kernel,
}

impl Kernels {
    pub fn new(gpu: &GpuContext) -> Result<Self, RenderError> {
        let plain = |name, source| Kernel::new(gpu, name, source, &[]);
        let nine = |name, source| Kernel::with_bindings(gpu, name, source, &[], NINE);
        Ok(Self {
            pair: plain("pair_half_edges", PAIR)?,
            normals: plain("vertex_normals", NORMALS)?,
            cover: plain("flag_covered", COVER)?,
            surface: nine("surface_points", SURFACE)?,
            compose: plain("compose", COMPOSE)?,
            silhouettes: plain("silhouette_pairs", SILHOUETTE)?,
            blend: plain("blend", BLEND)?,
            unblend: Kernel::new(gpu, "blend", BLEND, &[("backward", 1.0)])?,
            edges: plain("edge_adjoint", EDGES)?,
            uncompose: plain("uncompose", UNCOMPOSE)?,
            unsurface: nine("surface_adjoint", UNSURFACE)?,
            maximum: plain("note_maximum", MAXIMUM)?,
            scatter_surface: nine("scatter_surface", SCATTER_SURFACE)?,
            scatter_edges: plain("scatter_edges", SCATTER_EDGES)?,
            gather: plain("gather", GATHER)?,
            laplacian: plain("laplacian", LAPLACIAN)?,
            ungeometry: plain("geometry_adjoint", UNGEOMETRY)?,
        })
    }
}

/// Draws triangle numbers; only triangles that face the camera.
pub(super) fn visible_pipeline(gpu: &GpuContext) -> Result<wgpu::RenderPipeline, RenderError> {
    let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("visible"),
        source: wgpu::ShaderSource::Wgsl(VISIBLE.into()),
    });
    let pipeline = gpu.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("visible"),
        layout: None,
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("corner"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState { cull_mode: Some(wgpu::Face::Back), ..Default::default() },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Less),
            stencil: Default::default(),
            bias: Default::default(),
        }),
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("number"),
            compilation_options: Default::default(),
            targets: &[Some(NUMBERS.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    gpu.check()?;
    Ok(pipeline)
}
