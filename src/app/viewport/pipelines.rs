//! The pipelines of the live view.

use super::targets::{DEPTH, Quality};

macro_rules! join {
    ($($path:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../../shaders/", $path)), "\n"),+)
    };
}

const SURFACE: &str =
    join!("common/studio_light.wgsl", "viewport/view.wgsl", "viewport/surface.wgsl");
const EDGES: &str = join!("common/studio_light.wgsl", "viewport/view.wgsl", "viewport/edges.wgsl");

/// Every shader of the live view, complete: for validation without a GPU.
#[must_use]
pub fn shader_sources() -> Vec<(&'static str, String)> {
    [("viewport/surface", SURFACE), ("viewport/edges", EDGES)]
        .map(|(name, source)| (name, source.to_owned()))
        .into()
}

/// The pipelines for one quality, and how they are fed.
#[derive(Debug)]
pub(super) struct Pipelines {
    pub quality: Quality,
    /// Takes positions, normals, texture coordinates and colours.
    pub surface: wgpu::RenderPipeline,
    /// Takes positions and texture coordinates.
    pub edges: wgpu::RenderPipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    pub fn new(device: &wgpu::Device, quality: Quality) -> Self {
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("view"),
            entries: &[
                entry(
                    0,
                    wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Uniform,
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                ),
                entry(
                    1,
                    wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Float { filterable: true },
                        view_dimension: wgpu::TextureViewDimension::D2,
                        multisampled: false,
                    },
                ),
                entry(2, wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering)),
            ],
        });
        let position = attribute(&wgpu::vertex_attr_array![0 => Float32x3]);
        let normal = attribute(&wgpu::vertex_attr_array![1 => Float32x3]);
        let uv = attribute(&wgpu::vertex_attr_array![2 => Float32x2]);
        let color = attribute(&wgpu::vertex_attr_array![3 => Unorm8x4]);
        let uv_of_edges = attribute(&wgpu::vertex_attr_array![1 => Float32x2]);
        let surface =
            wgpu::PrimitiveState { cull_mode: Some(wgpu::Face::Back), ..Default::default() };
        let edges = wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::LineList,
            ..Default::default()
        };
        let blend = Some(wgpu::BlendState::ALPHA_BLENDING);
        Self {
            quality,
            surface: Build { device, layout: &layout, quality }.pipeline(
                "surface",
                SURFACE,
                &[Some(position.clone()), Some(normal), Some(uv), Some(color)],
                surface,
                None,
            ),
            edges: Build { device, layout: &layout, quality }.pipeline(
                "edges",
                EDGES,
                &[Some(position), Some(uv_of_edges)],
                edges,
                blend,
            ),
            layout,
        }
    }
}

fn entry(binding: u32, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty,
        count: None,
    }
}

/// A buffer that holds nothing but one attribute.
fn attribute(attributes: &[wgpu::VertexAttribute; 1]) -> wgpu::VertexBufferLayout<'_> {
    wgpu::VertexBufferLayout {
        array_stride: attributes[0].format.size(),
        step_mode: wgpu::VertexStepMode::Vertex,
        attributes,
    }
}

struct Build<'a> {
    device: &'a wgpu::Device,
    layout: &'a wgpu::BindGroupLayout,
    quality: Quality,
}

impl Build<'_> {
    fn pipeline(
        &self,
        label: &str,
        source: &str,
        buffers: &[Option<wgpu::VertexBufferLayout<'_>>],
        primitive: wgpu::PrimitiveState,
        blend: Option<wgpu::BlendState>,
    ) -> wgpu::RenderPipeline {
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(label),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(label),
            bind_group_layouts: &[Some(self.layout)],
            immediate_size: 0,
        });
        self.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(label),
            layout: Some(&layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vertex"),
                compilation_options: Default::default(),
                buffers,
            },
            primitive,
            depth_stencil: Some(wgpu::DepthStencilState {
                format: DEPTH,
                // What is blended over a surface hides nothing.
                depth_write_enabled: Some(blend.is_none()),
                depth_compare: Some(wgpu::CompareFunction::Less),
                stencil: Default::default(),
                bias: Default::default(),
            }),
            multisample: wgpu::MultisampleState {
                count: self.quality.samples,
                ..Default::default()
            },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("fragment"),
                compilation_options: Default::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format: self.quality.format(),
                    blend,
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        })
    }
}
