//! Pictures of a textured mesh.

use super::{GpuContext, RenderError};
use crate::batch::{ImageBatch, Light, View, ViewRegion};
use crate::geometry::TexturedMesh;
use crate::render::camera::Camera;
use bytemuck::{Pod, Zeroable};
use glam::Vec3;

/// Largest side of the supersampled picture.
const MAX_SAMPLES_A_SIDE: u32 = 4096;

const COLOUR: wgpu::TextureFormat = wgpu::TextureFormat::Rgba32Float;
const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

const DRAW: &str = concat!(
    include_str!("../../shaders/common/studio_light.wgsl"),
    include_str!("../../shaders/mesh/draw.wgsl")
);
const RESOLVE: &str = include_str!("../../shaders/mesh/resolve.wgsl");

/// Every shader of this module, complete: for validation without a GPU.
#[must_use]
pub fn shader_sources() -> Vec<(&'static str, String)> {
    vec![("mesh/draw", DRAW.to_owned()), ("mesh/resolve", RESOLVE.to_owned())]
}

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RenderKind {
    /// Three studio lights that move with the camera, and a sky. Ignores the view's light.
    Shaded,
    /// The light of the view, as in training: `albedo * shade` on encoded values.
    Lit,
    /// The texture without any light.
    Albedo,
    /// Camera-space normals as `0.5 + 0.5 n`: x right, y up, z towards the viewer, on 0.5.
    Normal,
    /// `0.5 + 0.5 (d0 - d)`, clamped, where `d` is the depth along the viewing direction
    /// in world units and `d0` that of the world's origin: nearer is brighter, on black.
    Depth,
    /// White on the head, black elsewhere.
    Mask,
}

impl RenderKind {
    fn code(self) -> u32 {
        match self {
            Self::Shaded => 0,
            Self::Lit => 1,
            Self::Albedo => 2,
            Self::Normal => 3,
            Self::Depth => 4,
            Self::Mask => 5,
        }
    }

    fn background(self, view: &View) -> [f32; 3] {
        match self {
            Self::Shaded => view.background.map(srgb_to_linear),
            Self::Lit | Self::Albedo => view.background,
            Self::Normal => [0.5; 3],
            Self::Depth | Self::Mask => [0.0; 3],
        }
    }
}

fn srgb_to_linear(c: f32) -> f32 {
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

/// Views for a turntable: `count` cameras round the head, the first looking at the face,
/// then turning towards the subject's left, on mid-grey. The frame is 1.4 units high at
/// the head, twice the distance from chin to crown.
#[must_use]
pub fn turntable_views(count: u32, elevation_degrees: f32, size: u32) -> Vec<View> {
    (0..count)
        .map(|i| orbit_view(360.0 * i as f32 / count as f32, elevation_degrees, size))
        .collect()
}

/// One view of [`turntable_views`] at any angle.
#[must_use]
pub fn orbit_view(azimuth_degrees: f32, elevation_degrees: f32, size: u32) -> View {
    const FOV_Y: f32 = 30.0;
    let radius = 0.7 / (0.5 * FOV_Y).to_radians().tan();
    let size = (size, size);
    View {
        camera: Camera::orbit(Vec3::ZERO, azimuth_degrees, elevation_degrees, radius, FOV_Y, size),
        light: Light::Flat,
        region: ViewRegion::of_azimuth(azimuth_degrees),
        background: [0.5; 3],
    }
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Vertex {
    position: [f32; 3],
    normal: [f32; 3],
    uv: [f32; 2],
}

/// Mirrors `Uniforms` in `mesh/draw.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniforms {
    clip: [[f32; 4]; 4],
    right: [f32; 4],
    up: [f32; 4],
    backward: [f32; 4],
    eye: [f32; 4],
    light: [f32; 4],
    kind: [u32; 4],
}

/// Mirrors `Resolve` in `mesh/resolve.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Resolve {
    factor: u32,
    encode: u32,
    pad: [u32; 2],
}

/// Draws textured meshes. Back faces are culled: only what faces outward is seen.
#[derive(Debug)]
pub struct MeshRenderer {
    gpu: GpuContext,
    draw: wgpu::RenderPipeline,
    resolve: wgpu::RenderPipeline,
    sampler: wgpu::Sampler,
}

/// A textured mesh on the GPU.
#[derive(Debug)]
pub struct GpuMesh {
    vertices: wgpu::Buffer,
    indices: wgpu::Buffer,
    index_count: u32,
    albedo: wgpu::TextureView,
}

/// The render targets of one picture size.
struct Targets {
    samples: wgpu::TextureView,
    depth: wgpu::TextureView,
    picture: wgpu::Texture,
    picture_view: wgpu::TextureView,
}

impl MeshRenderer {
    /// Compiles the pipelines.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn new(gpu: &GpuContext) -> Result<Self, RenderError> {
        let device = &gpu.device;
        let attributes = wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3, 2 => Float32x2];
        let buffers = [Some(wgpu::VertexBufferLayout {
            array_stride: size_of::<Vertex>() as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &attributes,
        })];
        let depth = wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Less),
            stencil: Default::default(),
            bias: Default::default(),
        };
        let pipeline = |label: &str, source: &str, buffers: &[_], depth_stencil, cull_mode| {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(label),
                layout: None,
                vertex: wgpu::VertexState {
                    module: &module,
                    entry_point: Some("vertex"),
                    compilation_options: Default::default(),
                    buffers,
                },
                primitive: wgpu::PrimitiveState { cull_mode, ..Default::default() },
                depth_stencil,
                multisample: Default::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &module,
                    entry_point: Some("fragment"),
                    compilation_options: Default::default(),
                    targets: &[Some(COLOUR.into())],
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        let draw = pipeline("mesh", DRAW, &buffers, Some(depth), Some(wgpu::Face::Back));
        let resolve = pipeline("mesh resolve", RESOLVE, &[], None, None);
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("albedo"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..Default::default()
        });
        gpu.check()?;
        Ok(Self { gpu: gpu.clone(), draw, resolve, sampler })
    }

    /// Copies a mesh and its texture to the GPU.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a mesh that does not pass [`TexturedMesh::validate`]
    /// or a texture of more than 8192 texels a side.
    pub fn upload(&self, textured: &TexturedMesh) -> Result<GpuMesh, RenderError> {
        use wgpu::util::{DeviceExt, TextureDataOrder};
        textured.validate().map_err(|error| RenderError::Invalid(error.to_string()))?;
        let (width, height) = textured.albedo.dimensions();
        if !(1..=8192).contains(&width) || !(1..=8192).contains(&height) {
            return Err(RenderError::Invalid(format!(
                "a texture of {width} x {height} texels cannot be drawn, the limit is 8192"
            )));
        }
        let vertices: Vec<Vertex> = textured
            .mesh
            .positions
            .iter()
            .zip(&textured.normals)
            .zip(&textured.uvs)
            .map(|((p, n), uv)| Vertex {
                position: p.to_array(),
                normal: n.to_array(),
                uv: uv.to_array(),
            })
            .collect();
        let device = &self.gpu.device;
        let buffer = |label, contents: &[u8], usage| self.gpu.buffer(Some(label), contents, usage);
        let texture = device.create_texture_with_data(
            &self.gpu.queue,
            &wgpu::TextureDescriptor {
                label: Some("albedo"),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                // Not the sRGB format: albedo pictures are the encoded values themselves.
                format: wgpu::TextureFormat::Rgba8Unorm,
                usage: wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            },
            TextureDataOrder::LayerMajor,
            textured.albedo.as_raw(),
        );
        let triangles = &textured.mesh.triangles;
        let mesh = GpuMesh {
            vertices: buffer(
                "mesh vertices",
                bytemuck::cast_slice(&vertices),
                wgpu::BufferUsages::VERTEX,
            ),
            indices: buffer(
                "mesh indices",
                bytemuck::cast_slice(triangles),
                wgpu::BufferUsages::INDEX,
            ),
            index_count: triangles.len() as u32 * 3,
            albedo: texture.create_view(&Default::default()),
        };
        self.gpu.check()?;
        Ok(mesh)
    }

    /// Draws a mesh from each view, `samples` by `samples` samples a pixel, and returns
    /// three channels. Shaded pictures are averaged in linear light, the others as they
    /// are. The views must have one size; `samples` is lowered where the supersampled
    /// picture would exceed 4096 a side.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for views of different or impossible sizes or samples
    /// outside 1..=8, and what the driver reports.
    pub fn render(
        &self,
        mesh: &GpuMesh,
        views: &[View],
        kind: RenderKind,
        samples: u32,
    ) -> Result<ImageBatch, RenderError> {
        let Some(first) = views.first() else {
            return Ok(ImageBatch::filled(0, 0, 0, 3, 0.0));
        };
        let (width, height) = (first.camera.width, first.camera.height);
        if views.iter().any(|v| (v.camera.width, v.camera.height) != (width, height)) {
            return Err(RenderError::Invalid("all views of a batch must have one size".into()));
        }
        let larger = width.max(height);
        if width.min(height) == 0 || larger > MAX_SAMPLES_A_SIDE || !(1..=8).contains(&samples) {
            return Err(RenderError::Invalid(format!(
                "cannot draw {width} x {height} pixels with {samples} x {samples} samples each"
            )));
        }
        let factor = samples.min(MAX_SAMPLES_A_SIDE / larger);
        let targets = self.targets(width, height, factor);
        let mut data = Vec::with_capacity(views.len() * (width * height * 3) as usize);
        for view in views {
            self.draw(mesh, view, kind, factor, &targets);
            let bytes = self.gpu.read_texture(&targets.picture)?;
            for texel in bytes.chunks_exact(16) {
                let channel = |c: usize| {
                    let b = &texel[c * 4..c * 4 + 4];
                    f32::from_le_bytes([b[0], b[1], b[2], b[3]])
                };
                data.extend([channel(0), channel(1), channel(2)]);
            }
        }
        let (height, width) = (height as usize, width as usize);
        Ok(ImageBatch { views: views.len(), height, width, channels: 3, data })
    }

    fn targets(&self, width: u32, height: u32, factor: u32) -> Targets {
        let texture = |label, (width, height), format, usage| {
            self.gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: usage | wgpu::TextureUsages::RENDER_ATTACHMENT,
                view_formats: &[],
            })
        };
        let large = (width * factor, height * factor);
        let sampled = wgpu::TextureUsages::TEXTURE_BINDING;
        let samples = texture("mesh samples", large, COLOUR, sampled);
        let depth = texture("mesh depth", large, DEPTH, wgpu::TextureUsages::empty());
        let copied = wgpu::TextureUsages::COPY_SRC;
        let picture = texture("mesh picture", (width, height), COLOUR, copied);
        Targets {
            samples: samples.create_view(&Default::default()),
            depth: depth.create_view(&Default::default()),
            picture_view: picture.create_view(&Default::default()),
            picture,
        }
    }

    fn draw(&self, mesh: &GpuMesh, view: &View, kind: RenderKind, factor: u32, to: &Targets) {
        let device = &self.gpu.device;
        let uniforms = self.gpu.uniform("mesh view", &uniforms(view, kind));
        let scene = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("mesh"),
            layout: &self.draw.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: uniforms.as_entire_binding() },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(&mesh.albedo),
                },
                wgpu::BindGroupEntry {
                    binding: 2,
                    resource: wgpu::BindingResource::Sampler(&self.sampler),
                },
            ],
        });
        let encode = u32::from(kind == RenderKind::Shaded);
        let setting = self.gpu.uniform("mesh resolve", &Resolve { factor, encode, pad: [0; 2] });
        let filter = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("mesh resolve"),
            layout: &self.resolve.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: setting.as_entire_binding() },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(&to.samples),
                },
            ],
        });
        let [r, g, b] = kind.background(view).map(f64::from);
        let colour = |target, clear| {
            Some(wgpu::RenderPassColorAttachment {
                view: target,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(clear),
                    store: wgpu::StoreOp::Store,
                },
            })
        };
        let mut encoder = device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("mesh"),
                color_attachments: &[colour(&to.samples, wgpu::Color { r, g, b, a: 0.0 })],
                depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                    view: &to.depth,
                    depth_ops: Some(wgpu::Operations {
                        load: wgpu::LoadOp::Clear(1.0),
                        store: wgpu::StoreOp::Discard,
                    }),
                    stencil_ops: None,
                }),
                ..Default::default()
            });
            pass.set_pipeline(&self.draw);
            pass.set_bind_group(0, &scene, &[]);
            pass.set_vertex_buffer(0, mesh.vertices.slice(..));
            pass.set_index_buffer(mesh.indices.slice(..), wgpu::IndexFormat::Uint32);
            pass.draw_indexed(0..mesh.index_count, 0, 0..1);
        }
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("mesh resolve"),
                color_attachments: &[colour(&to.picture_view, wgpu::Color::BLACK)],
                ..Default::default()
            });
            pass.set_pipeline(&self.resolve);
            pass.set_bind_group(0, &filter, &[]);
            pass.draw(0..3, 0..1);
        }
        self.gpu.queue.submit([encoder.finish()]);
    }
}

fn uniforms(view: &View, kind: RenderKind) -> Uniforms {
    let camera = &view.camera;
    let distance = camera.position.length();
    let clip = camera.clip_matrix((distance - 2.0).max(0.05), distance + 2.0);
    let (direction, ambient) = match view.light {
        Light::Flat => (Vec3::Z, 1.0),
        Light::Lambertian { ambient, direction } => (direction, ambient),
    };
    Uniforms {
        clip: clip.to_cols_array_2d(),
        right: camera.right.extend(0.0).to_array(),
        up: camera.up.extend(0.0).to_array(),
        backward: (-camera.forward).extend(0.0).to_array(),
        eye: camera.position.extend(-camera.position.dot(camera.forward)).to_array(),
        light: direction.extend(ambient).to_array(),
        kind: [kind.code(), 0, 0, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Mesh;
    use crate::geometry::mesh::samples::sphere;
    use glam::Vec2;
    use image::{Rgba, RgbaImage};

    /// A mesh in one colour.
    fn plain(mesh: Mesh, colour: [u8; 3]) -> TexturedMesh {
        let normals = crate::geometry::smooth::vertex_normals(&mesh);
        let [r, g, b] = colour;
        TexturedMesh {
            uvs: vec![Vec2::splat(0.5); mesh.positions.len()],
            normals,
            mesh,
            albedo: RgbaImage::from_pixel(4, 4, Rgba([r, g, b, 255])),
        }
    }

    fn draw(mesh: &TexturedMesh, views: &[View], kind: RenderKind, samples: u32) -> ImageBatch {
        let gpu = GpuContext::new().expect("a Vulkan driver");
        let renderer = MeshRenderer::new(&gpu).expect("compiles");
        let mesh = renderer.upload(mesh).expect("valid");
        renderer.render(&mesh, views, kind, samples).expect("draws")
    }

    #[test]
    fn the_shaders_are_valid() {
        for (_, source) in shader_sources() {
            let module = naga::front::wgsl::parse_str(&source).expect("parses");
            naga::valid::Validator::new(Default::default(), Default::default())
                .validate(&module)
                .expect("valid");
        }
    }

    #[test]
    fn the_mask_of_a_sphere_has_its_area_and_albedo_is_exact() {
        let ball = plain(sphere(Vec3::ZERO, 0.4, 120, 240), [200, 31, 77]);
        let view = orbit_view(30.0, 10.0, 96);
        let mask = draw(&ball, &[view], RenderKind::Mask, 4);
        // The outline of a sphere at distance d is a cone of half angle asin(r / d).
        let d = view.camera.position.length();
        let radius = view.camera.focal() * 0.4 / (d * d - 0.16).sqrt();
        let area = std::f32::consts::PI * radius * radius;
        let seen: f32 = mask.data.chunks_exact(3).map(|p| p[0]).sum();
        assert!((seen / area - 1.0).abs() < 0.005, "{seen} of {area}");

        let albedo = draw(&ball, &[view], RenderKind::Albedo, 4);
        let want = [200.0 / 255.0, 31.0 / 255.0, 77.0 / 255.0];
        for (pixel, cover) in albedo.data.chunks_exact(3).zip(mask.data.chunks_exact(3)) {
            for c in 0..3 {
                let expected = want[c] * cover[0] + 0.5 * (1.0 - cover[0]);
                assert!((pixel[c] - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn small_balls_land_where_the_camera_projects_them() {
        let place = Vec3::new(0.25, -0.18, 0.3);
        let ball = plain(sphere(place, 0.01, 12, 24), [255; 3]);
        let views: Vec<View> =
            [0.0, 30.0, 60.0, 90.0, 200.0].map(|a| orbit_view(a, 20.0, 128)).to_vec();
        let mask = draw(&ball, &views, RenderKind::Mask, 4);
        for (i, view) in views.iter().enumerate() {
            let (mut sum, mut weight) = (Vec2::ZERO, 0.0);
            for (p, pixel) in mask.view(i).chunks_exact(3).enumerate() {
                let centre = Vec2::new((p % 128) as f32 + 0.5, (p / 128) as f32 + 0.5);
                sum += centre * pixel[0];
                weight += pixel[0];
            }
            let error = (sum / weight - view.camera.project(place).pixel).length();
            assert!(error < 0.1, "{error} pixels off in view {i}");
        }
    }

    #[test]
    fn normals_depth_and_light_are_what_they_say() {
        let ball = plain(sphere(Vec3::ZERO, 0.4, 120, 240), [255, 128, 0]);
        let mut view = orbit_view(90.0, 0.0, 65);
        let middle = |image: &ImageBatch| {
            let at = (32 * 65 + 32) * 3;
            [image.data[at], image.data[at + 1], image.data[at + 2]]
        };
        let near = |a: [f32; 3], b: [f32; 3]| (0..3).all(|c| (a[c] - b[c]).abs() < 0.01);
        // The middle of the picture faces the viewer, 0.4 in front of the origin.
        let normal = draw(&ball, &[view], RenderKind::Normal, 1);
        assert!(near(middle(&normal), [0.5, 0.5, 1.0]), "{:?}", middle(&normal));
        assert_eq!(normal.data[..3], [0.5; 3]);
        let depth = draw(&ball, &[view], RenderKind::Depth, 1);
        assert!(near(middle(&depth), [0.7; 3]), "{:?}", middle(&depth));
        assert_eq!(depth.data[..3], [0.0; 3]);
        // A light 60 degrees off the normal at the middle.
        let direction = Vec3::new(0.5, 0.75f32.sqrt(), 0.0);
        view.light = Light::Lambertian { ambient: 0.2, direction };
        let lit = draw(&ball, &[view], RenderKind::Lit, 1);
        assert!(near(middle(&lit), [0.6, 0.6 * 128.0 / 255.0, 0.0]), "{:?}", middle(&lit));
        view.light = Light::Flat;
        let flat = draw(&ball, &[view], RenderKind::Lit, 1);
        assert_eq!(flat, draw(&ball, &[view], RenderKind::Albedo, 1));
    }

    #[test]
    fn the_studio_lights_every_view_well_and_repeats_exactly() {
        let ball = plain(sphere(Vec3::ZERO, 0.4, 60, 120), [188; 3]);
        let views = turntable_views(4, 5.0, 48);
        let first = draw(&ball, &views, RenderKind::Shaded, 2);
        assert_eq!(first, draw(&ball, &views, RenderKind::Shaded, 2));
        assert!((first.data[0] - 0.5).abs() < 1e-4);
        let middle = (24 * 48 + 24) * 3;
        let tones: Vec<f32> = (0..4).map(|v| first.view(v)[middle]).collect();
        for tone in &tones {
            assert!((0.55..0.85).contains(tone), "{tones:?}");
            assert!((tone - tones[0]).abs() < 0.01, "{tones:?}");
        }
        assert!(first.data.iter().all(|v| (0.0..=1.0).contains(v)));
    }

    #[test]
    fn impossible_requests_are_refused() {
        let gpu = GpuContext::new().expect("a Vulkan driver");
        let renderer = MeshRenderer::new(&gpu).expect("compiles");
        let mut ball = plain(sphere(Vec3::ZERO, 0.4, 6, 8), [9; 3]);
        let mesh = renderer.upload(&ball).expect("valid");
        let mixed = [orbit_view(0.0, 0.0, 32), orbit_view(0.0, 0.0, 33)];
        for (views, samples) in [(&mixed[..], 1), (&mixed[..1], 0), (&mixed[..1], 9)] {
            let result = renderer.render(&mesh, views, RenderKind::Mask, samples);
            assert!(matches!(result, Err(RenderError::Invalid(_))));
        }
        ball.normals.pop();
        assert!(matches!(renderer.upload(&ball), Err(RenderError::Invalid(_))));
    }
}
