//! Rasterises one mesh from several views into tiles of shared textures, in one
//! submission, and averages the samples of a pixel on the CPU.

use super::{GpuContext, RenderError};
use crate::batch::{Light, View};
use glam::{Mat4, Vec3};

const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;
/// Offsets of dynamic uniforms are multiples of this.
const SLOT: u64 = 256;
/// Widest atlas that the declared limits allow.
const MAX_SIDE: u32 = 8192;

/// One view as the shaders read it (`View` in `studio.wgsl` and `control.wgsl`).
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct ViewUniform {
    clip: Mat4,
    /// Rows of the world-to-camera rotation.
    camera: [[f32; 4]; 3],
    /// Light direction and ambient share; flat light is ambient 1.
    light: [f32; 4],
    sclera: [f32; 4],
    iris: [f32; 4],
    pupil: [f32; 4],
}

/// What one tile shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtlasView {
    uniform: ViewUniform,
    size: (u32, u32),
}

impl AtlasView {
    pub fn new(view: &View, eyes: [Vec3; 3]) -> Self {
        let camera = &view.camera;
        let light = match view.light {
            Light::Flat => [0.0, 0.0, 1.0, 1.0],
            Light::Lambertian { ambient, direction } => direction.extend(ambient).to_array(),
        };
        let rotation = camera.world_to_camera();
        let uniform = ViewUniform {
            clip: camera.clip_matrix(0.05, 20.0),
            camera: [0, 1, 2].map(|r| rotation.row(r).extend(0.0).to_array()),
            light,
            sclera: eyes[0].extend(1.0).to_array(),
            iris: eyes[1].extend(1.0).to_array(),
            pupil: eyes[2].extend(1.0).to_array(),
        };
        Self { uniform, size: (camera.width, camera.height) }
    }
}

/// Samples read back from the tiles.
pub(super) struct Tiles {
    /// Pixels a tile is wide.
    pub width: usize,
    /// Pixels a tile is high.
    pub height: usize,
    samples: usize,
    columns: usize,
    stride: usize,
    targets: Vec<Vec<u8>>,
}

impl Tiles {
    /// The mean of a pixel's samples in one target, four channels in `[0, 1]`.
    pub fn mean(&self, target: usize, view: usize, x: usize, y: usize) -> [f32; 4] {
        let n = self.samples;
        let x0 = ((view % self.columns) * self.width + x) * n;
        let y0 = ((view / self.columns) * self.height + y) * n;
        let mut sum = [0_u32; 4];
        for row in y0..y0 + n {
            let from = (row * self.stride + x0) * 4;
            for texel in self.targets[target][from..from + 4 * n].chunks_exact(4) {
                for (s, t) in sum.iter_mut().zip(texel) {
                    *s += u32::from(*t);
                }
            }
        }
        sum.map(|s| s as f32 / (255 * n * n) as f32)
    }
}

#[derive(Debug)]
struct Targets {
    width: u32,
    height: u32,
    colour: Vec<wgpu::Texture>,
    depth: wgpu::TextureView,
}

/// A pipeline with its targets and buffers, grown on demand.
#[derive(Debug)]
pub(super) struct Atlas {
    context: GpuContext,
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    clears: Vec<wgpu::Color>,
    targets: Option<Targets>,
}

impl Atlas {
    /// `attributes`: floats of each vertex attribute in order; `clears`: one colour
    /// for each target. The shader's entry points are `vertex` and `fragment`.
    pub fn new(
        context: &GpuContext,
        label: &str,
        shader: &str,
        attributes: &[u32],
        clears: &[wgpu::Color],
    ) -> Result<Self, RenderError> {
        let device = &context.device;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(label),
            source: wgpu::ShaderSource::Wgsl(shader.into()),
        });
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(label),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: true,
                    min_binding_size: None,
                },
                count: None,
            }],
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(label),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let mut offset = 0;
        let attributes: Vec<wgpu::VertexAttribute> = attributes
            .iter()
            .enumerate()
            .map(|(location, &floats)| {
                let format = match floats {
                    1 => wgpu::VertexFormat::Float32,
                    2 => wgpu::VertexFormat::Float32x2,
                    3 => wgpu::VertexFormat::Float32x3,
                    _ => wgpu::VertexFormat::Float32x4,
                };
                let attribute =
                    wgpu::VertexAttribute { format, offset, shader_location: location as u32 };
                offset += u64::from(floats) * 4;
                attribute
            })
            .collect();
        let colour: Vec<Option<wgpu::ColorTargetState>> =
            clears.iter().map(|_| Some(FORMAT.into())).collect();
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(label),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vertex"),
                compilation_options: Default::default(),
                buffers: &[Some(wgpu::VertexBufferLayout {
                    array_stride: offset,
                    step_mode: wgpu::VertexStepMode::Vertex,
                    attributes: &attributes,
                })],
            },
            primitive: wgpu::PrimitiveState::default(),
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
                entry_point: Some("fragment"),
                compilation_options: Default::default(),
                targets: &colour,
            }),
            multiview_mask: None,
            cache: None,
        });
        context.check()?;
        Ok(Self {
            context: context.clone(),
            pipeline,
            layout,
            clears: clears.to_vec(),
            targets: None,
        })
    }

    /// Draws `vertices` (as bytes) from every view with `samples` squared samples a pixel.
    pub fn draw(
        &mut self,
        vertices: &[u8],
        triangles: &[[u32; 3]],
        views: &[AtlasView],
        samples: u32,
    ) -> Result<Tiles, RenderError> {
        let Some(first) = views.first() else {
            return Err(RenderError::Invalid("there is no view to draw".into()));
        };
        let (width, height) = first.size;
        if width == 0 || height == 0 || views.iter().any(|v| v.size != first.size) {
            return Err(RenderError::Invalid(
                "the views of one batch must have one size above zero".into(),
            ));
        }
        let tile = (width * samples, height * samples);
        let columns = (MAX_SIDE / tile.0).min(views.len() as u32);
        let rows = (views.len() as u32).div_ceil(columns.max(1));
        if columns == 0 || rows * tile.1 > MAX_SIDE {
            return Err(RenderError::Invalid(format!(
                "{} views of {width} x {height} pixels do not fit one texture",
                views.len()
            )));
        }
        self.prepare(columns * tile.0, rows * tile.1);
        let Some(targets) = &self.targets else {
            return Err(RenderError::Invalid("the render targets are missing".into()));
        };
        let device = &self.context.device;
        let buffer = |usage, contents: &[u8]| self.context.buffer(None, contents, usage);
        let vertex_buffer = buffer(wgpu::BufferUsages::VERTEX, vertices);
        let index_buffer = buffer(wgpu::BufferUsages::INDEX, bytemuck::cast_slice(triangles));
        let mut uniforms = vec![0_u8; views.len() * SLOT as usize];
        for (slot, view) in uniforms.chunks_exact_mut(SLOT as usize).zip(views) {
            let bytes = bytemuck::bytes_of(&view.uniform);
            slot[..bytes.len()].copy_from_slice(bytes);
        }
        let uniform_buffer = buffer(wgpu::BufferUsages::UNIFORM, &uniforms);
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &uniform_buffer,
                    offset: 0,
                    size: wgpu::BufferSize::new(size_of::<ViewUniform>() as u64),
                }),
            }],
        });
        let colour_views: Vec<wgpu::TextureView> =
            targets.colour.iter().map(|t| t.create_view(&Default::default())).collect();
        let attachments: Vec<Option<wgpu::RenderPassColorAttachment<'_>>> = colour_views
            .iter()
            .zip(&self.clears)
            .map(|(view, clear)| {
                Some(wgpu::RenderPassColorAttachment {
                    view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(*clear),
                        store: wgpu::StoreOp::Store,
                    },
                })
            })
            .collect();
        let mut encoder = device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: None,
                color_attachments: &attachments,
                depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                    view: &targets.depth,
                    depth_ops: Some(wgpu::Operations {
                        load: wgpu::LoadOp::Clear(1.0),
                        store: wgpu::StoreOp::Discard,
                    }),
                    stencil_ops: None,
                }),
                timestamp_writes: None,
                occlusion_query_set: None,
                multiview_mask: None,
            });
            pass.set_pipeline(&self.pipeline);
            pass.set_vertex_buffer(0, vertex_buffer.slice(..));
            pass.set_index_buffer(index_buffer.slice(..), wgpu::IndexFormat::Uint32);
            for v in 0..views.len() as u32 {
                let (x, y) = ((v % columns) * tile.0, (v / columns) * tile.1);
                pass.set_viewport(x as f32, y as f32, tile.0 as f32, tile.1 as f32, 0.0, 1.0);
                pass.set_scissor_rect(x, y, tile.0, tile.1);
                pass.set_bind_group(0, &group, &[v * SLOT as u32]);
                pass.draw_indexed(0..triangles.len() as u32 * 3, 0, 0..1);
            }
        }
        self.context.queue.submit([encoder.finish()]);
        let read = targets
            .colour
            .iter()
            .map(|texture| self.context.read_texture(texture))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Tiles {
            width: width as usize,
            height: height as usize,
            samples: samples as usize,
            columns: columns as usize,
            stride: targets.width as usize,
            targets: read,
        })
    }

    fn prepare(&mut self, width: u32, height: u32) {
        if self.targets.as_ref().is_some_and(|t| t.width == width && t.height == height) {
            return;
        }
        let texture = |format, usage| {
            self.context.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("atlas"),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage,
                view_formats: &[],
            })
        };
        let usage = wgpu::TextureUsages::RENDER_ATTACHMENT;
        let colour = self
            .clears
            .iter()
            .map(|_| texture(FORMAT, usage | wgpu::TextureUsages::COPY_SRC))
            .collect();
        let depth = texture(DEPTH, usage).create_view(&Default::default());
        self.targets = Some(Targets { width, height, colour, depth });
    }
}
