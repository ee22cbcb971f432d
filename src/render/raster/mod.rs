//! A differentiable rasteriser: closed meshes to antialiased pictures, and gradients of the
//! pictures' pixels back to vertices.
//!
//! ```text
//! connect: half-edges in pairs, vertex normals
//! draw:    triangle numbers (graphics pipeline) -> covered pixels (prefix sum) -> surface points
//! finish:  shaded colours -> silhouettes between pixels -> antialiased picture
//! backward: picture -> colours, silhouette edges -> albedo, normals -> corners (fixed point)
//!           -> vertices, with the regularisers
//! ```
//!
//! What colours the surface points is the caller's: it reads [`Rasteriser::points`] and hands
//! values to [`Rasteriser::finish`]; in the backward pass it gets their gradients and adds
//! what they mean for the points. Only triangles that face the camera are seen.
//!
//! Sums whose order threads decide are integer sums, so two runs agree bit for bit.

mod source;
mod surface;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use source::shader_sources;
pub use surface::SurfaceMesh;

use super::gpu_view::{Appearance, GpuView, common_size};
use super::kernel::{Kernel, groups_for};
use super::scan::{BLOCK, Scan, ScanBuffers};
use super::upstream::interleave;
use super::{GpuContext, RenderError};
use crate::batch::{ImageBatch, View};
use bytemuck::Zeroable;
use source::{Kernels, visible_pipeline};

/// Where the low limbs of the fixed-point sums start; see `common/fixed_point.wgsl`.
const LOW_START: u32 = 0x8000_0000;
/// Distances along the viewing direction that are drawn, world units.
const NEAR: f32 = 0.05;
const FAR: f32 = 100.0;
/// Gradients beyond this are errors: the optimiser squares them.
const LARGEST_GRADIENT: f32 = 1e12;

/// Pictures of a mesh, in `[view][y][x]` order.
#[derive(Debug, Clone, PartialEq)]
pub struct RasterImages {
    /// Colour over each view's background, three channels.
    pub color: ImageBatch,
    /// The share of a pixel that the mesh covers, `[0, 1]`.
    pub opacity: Vec<f32>,
}

/// Weights of what keeps the mesh even.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshRegularisers {
    /// Mean squared uniform Laplacian of the vertices, world units.
    pub laplacian: f32,
    /// Disagreement `1 - n . m` of neighbouring triangles' normals, weighted by the harmonic
    /// mean of their areas and summed.
    pub consistency: f32,
}

/// Uniform of the kernels that run over pixels.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, Zeroable)]
struct Frame {
    width: u32,
    height: u32,
    views: u32,
    stride: u32,
    covered: u32,
    pad: [u32; 3],
}

impl Frame {
    fn pixels(&self) -> u32 {
        self.width * self.height * self.views
    }
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct Regularisers {
    vertices: u32,
    laplacian: f32,
    consistency: f32,
    pad: u32,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct List {
    count: u32,
    slot: u32,
    pad: [u32; 2],
}

/// Buffers with an entry a pixel.
#[derive(Debug)]
struct PixelBuffers {
    capacity: u32,
    flags: wgpu::Buffer,
    sums: wgpu::Buffer,
    offsets: wgpu::Buffer,
    total: wgpu::Buffer,
    points: wgpu::Buffer,
    seen: wgpu::Buffer,
    raw: wgpu::Buffer,
    image: wgpu::Buffer,
    pairs: wgpu::Buffer,
    upstream: wgpu::Buffer,
    raw_gradients: wgpu::Buffer,
    value_gradients: wgpu::Buffer,
    position_gradients: wgpu::Buffer,
    normal_gradients: wgpu::Buffer,
    edge_gradients: wgpu::Buffer,
}

impl PixelBuffers {
    fn new(gpu: &GpuContext, capacity: u32) -> Self {
        let n = u64::from(capacity);
        let vectors = |label| gpu.storage_zeroed(label, 16 * n);
        Self {
            capacity,
            flags: gpu.storage_zeroed("covered flags", 4 * n),
            sums: gpu.storage_zeroed("covered sums", 4 * n.div_ceil(u64::from(BLOCK))),
            offsets: gpu.storage_zeroed("covered offsets", 4 * (n + 1)),
            total: gpu.storage_zeroed("covered total", 4),
            points: vectors("surface points"),
            seen: vectors("surface normals"),
            raw: vectors("raw colours"),
            image: vectors("picture"),
            pairs: gpu.storage_zeroed("silhouette pairs", 32 * n),
            upstream: vectors("picture gradients"),
            raw_gradients: vectors("raw colour gradients"),
            value_gradients: vectors("albedo gradients"),
            position_gradients: vectors("surface point gradients"),
            normal_gradients: vectors("surface normal gradients"),
            edge_gradients: gpu.storage_zeroed("edge gradients", 64 * n),
        }
    }
}

/// The triangle numbers of one size of views.
#[derive(Debug)]
struct Targets {
    width: u32,
    height: u32,
    views: u32,
    numbers: wgpu::Texture,
    layers: Vec<wgpu::TextureView>,
    depth: wgpu::TextureView,
    ids: wgpu::Buffer,
}

/// What the last draw left.
#[derive(Debug)]
struct Drawn {
    frame: Frame,
    uniform: wgpu::Buffer,
    views: wgpu::Buffer,
    finished: bool,
}

/// Draws meshes and takes gradients back to them.
#[derive(Debug)]
pub struct Rasteriser {
    gpu: GpuContext,
    kernels: Kernels,
    scan: Scan,
    visible: wgpu::RenderPipeline,
    pixels: PixelBuffers,
    maxima: wgpu::Buffer,
    targets: Option<Targets>,
    drawn: Option<Drawn>,
}

impl Rasteriser {
    /// Compiles the pipelines.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn new(gpu: &GpuContext) -> Result<Self, RenderError> {
        Ok(Self {
            kernels: Kernels::new(gpu)?,
            scan: Scan::new(gpu)?,
            visible: visible_pipeline(gpu)?,
            pixels: PixelBuffers::new(gpu, 1),
            maxima: gpu.storage_zeroed("gradient maxima", 8),
            targets: None,
            drawn: None,
            gpu: gpu.clone(),
        })
    }

    /// Finds which half-edges lie back to back, and the vertex normals. Must follow every
    /// change of the mesh's triangles; after a change of positions alone
    /// [`Self::update_normals`] is enough.
    pub fn connect(&self, mesh: &SurfaceMesh) {
        let size = mesh.size_uniform(&self.gpu);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&mesh.table, 0, None);
        encoder.clear_buffer(&mesh.partner, 0, None);
        self.gpu.queue.write_buffer(&mesh.first, 0, &vec![0xff; 4 * mesh.vertices as usize]);
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.kernels.pair.run(
                &mut pass,
                &[&size, &mesh.triangles, &mesh.table, &mesh.partner, &mesh.first],
                groups_for(3 * mesh.triangle_count),
            );
        }
        self.gpu.queue.submit([encoder.finish()]);
        self.update_normals(mesh);
    }

    /// Vertex normals of the mesh as it is.
    pub fn update_normals(&self, mesh: &SurfaceMesh) {
        let size = mesh.size_uniform(&self.gpu);
        let m = mesh;
        let buffers = [&size, &m.positions, &m.triangles, &m.partner, &m.first, &m.normals];
        self.launch(&self.kernels.normals, &buffers, mesh.vertices);
    }

    fn launch(&self, kernel: &Kernel, buffers: &[&wgpu::Buffer], threads: u32) {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            kernel.run(&mut pass, buffers, groups_for(threads));
        }
        self.gpu.queue.submit([encoder.finish()]);
    }

    /// Finds what each pixel of the views (all of one size) sees of a connected mesh, and
    /// gives the number of pixels that see it; their places are in [`Self::points`].
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for views of different or excessive size, device loss.
    pub fn draw(
        &mut self,
        mesh: &SurfaceMesh,
        views: &[View],
        appearance: Appearance,
    ) -> Result<u32, RenderError> {
        self.drawn = None;
        let (width, height) = common_size(views)?;
        let count = views.len() as u32;
        self.prepare(width, height, count);
        let Some(targets) = &self.targets else { return Ok(0) };
        let stride = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT) / 4;
        let mut frame = Frame { width, height, views: count, stride, covered: 0, pad: [0; 3] };
        let uniform = self.gpu.uniform("frame", &frame);
        let gpu_views: Vec<GpuView> = views.iter().map(|v| GpuView::new(v, appearance)).collect();
        let view_buffer = self.gpu.storage("views", &gpu_views);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        for (view, layer) in views.iter().zip(&targets.layers) {
            let clip = self.gpu.uniform("clip", &view.camera.clip_matrix(NEAR, FAR));
            self.draw_numbers(&mut encoder, mesh, &clip, layer, &targets.depth);
        }
        encoder.copy_texture_to_buffer(
            targets.numbers.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &targets.ids,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(4 * stride),
                    rows_per_image: Some(height),
                },
            },
            wgpu::Extent3d { width, height, depth_or_array_layers: count },
        );
        let p = &self.pixels;
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let cover = [&uniform, &targets.ids, &p.flags];
            self.kernels.cover.run(&mut pass, &cover, groups_for(frame.pixels()));
            let sums = ScanBuffers {
                values: &p.flags,
                sums: &p.sums,
                offsets: &p.offsets,
                total: &p.total,
            };
            self.scan.run(&self.gpu, &mut pass, frame.pixels(), &sums);
            self.kernels.surface.run(
                &mut pass,
                &[
                    &uniform,
                    &view_buffer,
                    &targets.ids,
                    &p.offsets,
                    &mesh.positions,
                    &mesh.triangles,
                    &mesh.normals,
                    &p.points,
                    &p.seen,
                ],
                groups_for(frame.pixels()),
            );
        }
        self.gpu.queue.submit([encoder.finish()]);
        frame.covered = self.gpu.read::<u32>(&p.total, 1)?[0];
        let uniform = self.gpu.uniform("frame", &frame);
        self.drawn = Some(Drawn { frame, uniform, views: view_buffer, finished: false });
        Ok(frame.covered)
    }

    /// Makes room for views of this size.
    fn prepare(&mut self, width: u32, height: u32, views: u32) {
        let pixels = width * height * views;
        if pixels > self.pixels.capacity {
            self.pixels = PixelBuffers::new(&self.gpu, pixels);
        }
        let fits = self
            .targets
            .as_ref()
            .is_some_and(|t| (t.width, t.height, t.views) == (width, height, views));
        if !fits {
            self.targets = Some(Targets::new(&self.gpu, width, height, views));
        }
    }

    fn draw_numbers(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        mesh: &SurfaceMesh,
        clip: &wgpu::Buffer,
        layer: &wgpu::TextureView,
        depth: &wgpu::TextureView,
    ) {
        let buffers = [clip, &mesh.positions, &mesh.triangles];
        let entries: Vec<_> = buffers
            .iter()
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let group = self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("visible"),
            layout: &self.visible.get_bind_group_layout(0),
            entries: &entries,
        });
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("visible"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: layer,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Store,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: depth,
                depth_ops: Some(wgpu::Operations {
                    load: wgpu::LoadOp::Clear(1.0),
                    store: wgpu::StoreOp::Discard,
                }),
                stencil_ops: None,
            }),
            ..Default::default()
        });
        pass.set_pipeline(&self.visible);
        pass.set_bind_group(0, &group, &[]);
        pass.draw(0..3 * mesh.triangle_count, 0..1);
    }

    /// The surface points of the last draw: world position, and a number that is none of the
    /// caller's business.
    #[must_use]
    pub fn points(&self) -> &wgpu::Buffer {
        &self.pixels.points
    }

    /// Makes the pictures of the last draw: `values` has a vector a point, the albedo in its
    /// last three components.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] without a draw, [`RenderError::Numerical`] for pixels that are
    /// not finite, device loss.
    pub fn finish(
        &mut self,
        mesh: &SurfaceMesh,
        values: &wgpu::Buffer,
    ) -> Result<RasterImages, RenderError> {
        let (Some(drawn), Some(targets)) = (&mut self.drawn, &self.targets) else {
            return Err(RenderError::Invalid("there is no drawn surface to colour".into()));
        };
        let (frame, p) = (drawn.frame, &self.pixels);
        let u = &drawn.uniform;
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let groups = groups_for(frame.pixels());
            let compose = [u, &drawn.views, &targets.ids, &p.offsets, &p.seen, values, &p.raw];
            self.kernels.compose.run(&mut pass, &compose, groups);
            self.kernels.silhouettes.run(
                &mut pass,
                &[
                    u,
                    &drawn.views,
                    &targets.ids,
                    &mesh.positions,
                    &mesh.triangles,
                    &mesh.partner,
                    &p.pairs,
                ],
                groups,
            );
            self.kernels.blend.run(&mut pass, &[u, &p.pairs, &p.raw, &p.image], groups);
        }
        self.gpu.queue.submit([encoder.finish()]);
        let pixels: Vec<[f32; 4]> = self.gpu.read(&p.image, frame.pixels() as usize)?;
        if let Some(bad) = pixels.iter().position(|p| p.iter().any(|v| !v.is_finite())) {
            return Err(RenderError::Numerical {
                place: "rasteriser",
                what: format!("pixel {bad} is not finite"),
            });
        }
        drawn.finished = true;
        let color = ImageBatch {
            views: frame.views as usize,
            height: frame.height as usize,
            width: frame.width as usize,
            channels: 3,
            data: pixels.iter().flat_map(|p| [p[0], p[1], p[2]]).collect(),
        };
        Ok(RasterImages { color, opacity: pixels.iter().map(|p| p[3]).collect() })
    }

    /// Gradient of `sum(d_color * color) + sum(d_opacity * opacity)` of the last pictures, and of the regularisers, with
    /// respect to the mesh's vertices: in [`SurfaceMesh::gradients`] afterwards.
    ///
    /// `texture(d_values, d_points)` is called in between: `d_values` holds the gradients of the values (albedo in the
    /// last three components); it writes to `d_points` those of the points that this means.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] without finished pictures or for wrong lengths, [`RenderError::Numerical`] for values that
    /// are not finite, here or on the way; what `texture` returns.
    pub fn backward(
        &mut self,
        mesh: &SurfaceMesh,
        values: &wgpu::Buffer,
        d_color: &[f32],
        d_opacity: Option<&[f32]>,
        regularisers: MeshRegularisers,
        texture: impl FnOnce(&wgpu::Buffer, &wgpu::Buffer) -> Result<(), RenderError>,
    ) -> Result<(), RenderError> {
        let drawn = self.drawn.as_ref().filter(|drawn| drawn.finished);
        let (Some(drawn), Some(targets)) = (drawn, &self.targets) else {
            let what = "there are no finished pictures to differentiate";
            return Err(RenderError::Invalid(what.into()));
        };
        let (frame, p) = (drawn.frame, &self.pixels);
        let upstream = interleave(frame.pixels() as usize, d_color, d_opacity)?;
        self.gpu.queue.write_buffer(&p.upstream, 0, bytemuck::cast_slice(&upstream));
        let u = &drawn.uniform;
        let (all, covered) = (groups_for(frame.pixels()), groups_for(frame.covered));
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.maxima, 0, None);
        encoder.clear_buffer(&p.position_gradients, 0, None);
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let unblend = [u, &p.pairs, &p.upstream, &p.raw_gradients];
            self.kernels.unblend.run(&mut pass, &unblend, all);
            self.kernels.edges.run(
                &mut pass,
                &[
                    u,
                    &drawn.views,
                    &mesh.positions,
                    &mesh.triangles,
                    &p.pairs,
                    &p.raw,
                    &p.upstream,
                    &p.edge_gradients,
                ],
                all,
            );
            self.kernels.uncompose.run(
                &mut pass,
                &[
                    u,
                    &drawn.views,
                    &p.points,
                    &p.seen,
                    values,
                    &p.raw_gradients,
                    &p.value_gradients,
                    &p.normal_gradients,
                ],
                covered,
            );
        }
        self.gpu.queue.submit([encoder.finish()]);
        texture(&p.value_gradients, &p.position_gradients)?;
        let list = |count, slot| self.gpu.uniform("list", &List { count, slot, pad: [0; 2] });
        let (edges, points, normals) =
            (list(4 * frame.pixels(), 0), list(frame.covered, 0), list(frame.covered, 1));
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.kernels.unsurface.run(
                &mut pass,
                &[
                    u,
                    &drawn.views,
                    &targets.ids,
                    &p.points,
                    &mesh.positions,
                    &mesh.triangles,
                    &mesh.normals,
                    &p.position_gradients,
                    &p.normal_gradients,
                ],
                covered,
            );
            for (list, vectors, threads) in [
                (&edges, &p.edge_gradients, 4 * frame.pixels()),
                (&points, &p.position_gradients, frame.covered),
                (&normals, &p.normal_gradients, frame.covered),
            ] {
                let buffers = [list, vectors, &self.maxima];
                self.kernels.maximum.run(&mut pass, &buffers, groups_for(threads));
            }
            self.kernels.scatter_surface.run(
                &mut pass,
                &[
                    u,
                    &targets.ids,
                    &p.points,
                    &mesh.positions,
                    &mesh.triangles,
                    &p.position_gradients,
                    &p.normal_gradients,
                    &self.maxima,
                    &mesh.limbs,
                ],
                covered,
            );
            self.kernels.scatter_edges.run(
                &mut pass,
                &[u, &mesh.triangles, &p.pairs, &p.edge_gradients, &self.maxima, &mesh.limbs],
                groups_for(2 * frame.pixels()),
            );
        }
        self.gpu.queue.submit([encoder.finish()]);
        self.gather(mesh, regularisers);
        let maxima: Vec<f32> = self.gpu.read(&self.maxima, 2)?;
        if let Some(worst) = maxima.iter().find(|m| m.is_nan() || **m > LARGEST_GRADIENT) {
            return Err(RenderError::Numerical {
                place: "gradient of the mesh",
                what: format!("a value of {worst:e} where {LARGEST_GRADIENT:e} is the most"),
            });
        }
        Ok(())
    }

    /// From the fixed-point sums to the gradient of every vertex.
    fn gather(&self, mesh: &SurfaceMesh, regularisers: MeshRegularisers) {
        let (m, n) = (mesh, groups_for(mesh.vertices));
        let size = mesh.size_uniform(&self.gpu);
        let weights = self.gpu.uniform(
            "regularisers",
            &Regularisers {
                vertices: mesh.vertices,
                laplacian: regularisers.laplacian,
                consistency: regularisers.consistency,
                pad: 0,
            },
        );
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let gather =
                [&size, &m.normals, &self.maxima, &m.limbs, &m.gradients, &m.area_gradients];
            self.kernels.gather.run(&mut pass, &gather, n);
            let ring = [&size, &m.positions, &m.triangles, &m.partner, &m.first, &m.deltas];
            self.kernels.laplacian.run(&mut pass, &ring, n);
            self.kernels.ungeometry.run(
                &mut pass,
                &[
                    &weights,
                    &m.positions,
                    &m.triangles,
                    &m.partner,
                    &m.first,
                    &m.area_gradients,
                    &m.deltas,
                    &m.gradients,
                ],
                n,
            );
        }
        self.gpu.queue.submit([encoder.finish()]);
    }
}

impl Targets {
    fn new(gpu: &GpuContext, width: u32, height: u32, views: u32) -> Self {
        let texture = |label, format, layers, usage| {
            gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: layers },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | usage,
                view_formats: &[],
            })
        };
        let numbers =
            texture("triangle numbers", source::NUMBERS, views, wgpu::TextureUsages::COPY_SRC);
        let layers = (0..views)
            .map(|layer| {
                numbers.create_view(&wgpu::TextureViewDescriptor {
                    dimension: Some(wgpu::TextureViewDimension::D2),
                    base_array_layer: layer,
                    array_layer_count: Some(1),
                    ..Default::default()
                })
            })
            .collect();
        let depth = texture("depth", source::DEPTH, 1, wgpu::TextureUsages::empty());
        let stride = u64::from((4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT));
        let bytes = stride * u64::from(height) * u64::from(views);
        Self {
            width,
            height,
            views,
            numbers,
            layers,
            depth: depth.create_view(&Default::default()),
            ids: gpu.storage_zeroed("triangle numbers", bytes),
        }
    }
}
