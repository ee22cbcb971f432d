//! Draws heads for the live view.

use super::camera::OrbitCamera;
use super::guard::guarded;
use super::mesh_slot::MeshSlot;
use super::pipelines::Pipelines;
use super::settings::ViewSettings;
use super::targets::{Quality, Targets};
use crate::geometry::TexturedMesh;
use crate::render::RenderError;
use bytemuck::{Pod, Zeroable};
use glam::Vec3;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest side of a picture, pixels.
pub const MAX_SIDE: u32 = 4096;
/// How far edges are drawn in front of the surface, as a share of the way to the eye.
const EDGE_LIFT: f32 = 0.0015;
/// Edges as long as this many pixels, or longer, are drawn with the highest opacity; a finer
/// mesh would be all edges.
const CLEAR_EDGE: f32 = 28.0;
/// Least and highest opacity of the edges.
const EDGE_OPACITY: (f32, f32) = (0.12, 0.6);

/// The heads that a view can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The head as it is.
    After,
    /// The head as it was before an edit.
    Before,
}

/// Mirrors `View` of the shaders.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniforms {
    clip: [[f32; 4]; 4],
    right: [f32; 4],
    up: [f32; 4],
    backward: [f32; 4],
    eye: [f32; 4],
    key: [f32; 4],
    edges: [f32; 4],
    mode: [u32; 4],
}

/// Draws one or two heads into a texture of its own, on a device that may belong to a window.
///
/// Nothing that the driver refuses ends the program; it comes back as an error.
#[derive(Debug)]
pub struct ViewportRenderer {
    device: wgpu::Device,
    queue: wgpu::Queue,
    lost: Arc<Mutex<Option<String>>>,
    best: Pipelines,
    /// For movements, where the best takes too long.
    quick: Option<Pipelines>,
    moving: bool,
    uniforms: wgpu::Buffer,
    sampler: wgpu::Sampler,
    after: Option<MeshSlot>,
    before: Option<MeshSlot>,
    targets: Option<Targets>,
}

impl ViewportRenderer {
    /// Compiles the pipelines: 4 samples a pixel where the device can do that, else 1. Takes
    /// over the device's callback for its loss.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Self, RenderError> {
        let mut failure = None;
        for quality in Quality::ATTEMPTS {
            match Self::with_quality(device, queue, quality) {
                Ok(renderer) => return Ok(renderer),
                // What the best quality fails with says most.
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        Err(failure.unwrap_or(RenderError::NoAdapter))
    }

    /// [`Self::new`] with a quality that may be impossible.
    pub(super) fn with_quality(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        quality: Quality,
    ) -> Result<Self, RenderError> {
        let lost = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, message| {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        });
        // A processor that stands in for a graphics card.
        let slow = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
        let single = Quality { samples: 1, ..quality };
        let (pipelines, uniforms, sampler) = guarded(device, || {
            // Whether such targets can be made shows when they are made.
            let _ = Targets::new(device, quality, [16, 16]);
            let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("view"),
                size: size_of::<Uniforms>() as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some("albedo"),
                mag_filter: wgpu::FilterMode::Linear,
                min_filter: wgpu::FilterMode::Linear,
                mipmap_filter: wgpu::MipmapFilterMode::Linear,
                ..Default::default()
            });
            let quick = (slow && quality != single).then(|| Pipelines::new(device, single));
            ((Pipelines::new(device, quality), quick), uniforms, sampler)
        })?;
        let renderer = Self {
            device: device.clone(),
            queue: queue.clone(),
            lost,
            best: pipelines.0,
            quick: pipelines.1,
            moving: false,
            uniforms,
            sampler,
            after: None,
            before: None,
            targets: None,
        };
        renderer.check()?;
        Ok(renderer)
    }

    /// Samples a pixel: 4, or 1 where the device cannot do that or is slow and the picture
    /// is moving.
    #[must_use]
    pub fn samples(&self) -> u32 {
        self.pipelines().quality.samples
    }

    /// Whether the pictures from now on are part of a movement, which matters only where
    /// there is no graphics card: there they have one sample a pixel.
    pub fn set_moving(&mut self, moving: bool) {
        self.moving = moving;
    }

    fn pipelines(&self) -> &Pipelines {
        self.quick.as_ref().filter(|_| self.moving).unwrap_or(&self.best)
    }

    /// Copies a head to the GPU, or forgets the one that was there.
    ///
    /// # Errors
    /// As [`Self::set_colored_mesh`].
    pub fn set_mesh(
        &mut self,
        slot: Slot,
        mesh: Option<&Arc<TexturedMesh>>,
    ) -> Result<(), RenderError> {
        self.set_colored_mesh(slot, mesh, None)
    }

    /// [`Self::set_mesh`] with a colour for each vertex (sRGB-encoded RGBA), which the texture
    /// is multiplied by.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a mesh that does not pass [`TexturedMesh::validate`], colours
    /// that are not one a vertex or a texture that the device cannot hold, and what the driver
    /// reports; the slot is empty then.
    pub fn set_colored_mesh(
        &mut self,
        slot: Slot,
        mesh: Option<&Arc<TexturedMesh>>,
        colors: Option<&[[u8; 4]]>,
    ) -> Result<(), RenderError> {
        *self.slot_mut(slot) = None;
        let Some(mesh) = mesh else { return Ok(()) };
        self.check()?;
        let made =
            guarded(&self.device, || MeshSlot::new(&self.device, &self.queue, mesh, colors))??;
        *self.slot_mut(slot) = Some(made);
        self.check()
    }

    /// Moves the vertices of a head; its texture and triangles stay. Without a head it does
    /// nothing.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] unless there is one finite position and normal a vertex, and
    /// what the driver reports.
    pub fn set_positions(
        &mut self,
        slot: Slot,
        positions: &[Vec3],
        normals: &[Vec3],
    ) -> Result<(), RenderError> {
        self.check()?;
        let Some(mesh) = self.slot(slot) else { return Ok(()) };
        guarded(&self.device, || mesh.set_positions(&self.queue, positions, normals))?
    }

    /// Draws a picture of `size` pixels, which is lowered to what the device can do, and
    /// returns whether the texture that holds it is a new one. Without a head the picture is
    /// all background; a size of 0 draws nothing. With [`ViewSettings::compare`] and a head
    /// in [`Slot::Before`], that one is seen on the left of the split.
    ///
    /// # Errors
    /// [`RenderError::DeviceLost`], and what the driver reports.
    pub fn render(
        &mut self,
        camera: &OrbitCamera,
        settings: &ViewSettings,
        size: [u32; 2],
    ) -> Result<bool, RenderError> {
        self.check()?;
        let limit = self.device.limits().max_texture_dimension_2d.min(MAX_SIDE);
        let size = size.map(|side| side.min(limit));
        if size.contains(&0) {
            return Ok(false);
        }
        let quality = self.pipelines().quality;
        let fits = |targets: &Targets| targets.size == size && targets.quality == quality;
        let kept = self.targets.take().filter(fits);
        let new = kept.is_none();
        let device = self.device.clone();
        let targets = guarded(&device, || {
            let targets = kept.unwrap_or_else(|| Targets::new(&device, quality, size));
            if settings.wireframe {
                for mesh in [&mut self.after, &mut self.before].into_iter().flatten() {
                    mesh.find_edges(&device, &self.queue);
                }
            }
            self.draw(camera, settings, &targets);
            targets
        })?;
        self.targets = Some(targets);
        self.check()?;
        Ok(new)
    }

    /// The picture of the last [`Self::render`], whose texels are sRGB-encoded.
    #[must_use]
    pub fn picture(&self) -> Option<&wgpu::Texture> {
        self.targets.as_ref().map(|targets| &targets.picture)
    }

    /// The picture as encoded values, which is how egui wants it.
    #[must_use]
    pub fn encoded_view(&self) -> Option<&wgpu::TextureView> {
        self.targets.as_ref().map(|targets| &targets.encoded)
    }

    fn slot(&self, slot: Slot) -> Option<&MeshSlot> {
        match slot {
            Slot::After => self.after.as_ref(),
            Slot::Before => self.before.as_ref(),
        }
    }

    fn slot_mut(&mut self, slot: Slot) -> &mut Option<MeshSlot> {
        match slot {
            Slot::After => &mut self.after,
            Slot::Before => &mut self.before,
        }
    }

    fn check(&self) -> Result<(), RenderError> {
        // Some drivers tell of a loss only when they are asked for news.
        if let Err(error) = self.device.poll(wgpu::PollType::Poll) {
            return Err(RenderError::DeviceLost(error.to_string()));
        }
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.clone().map_or(Ok(()), |message| Err(RenderError::DeviceLost(message)))
    }

    fn draw(&self, camera: &OrbitCamera, settings: &ViewSettings, to: &Targets) {
        let uniforms = self.view(camera, settings, to.size);
        self.queue.write_buffer(&self.uniforms, 0, bytemuck::bytes_of(&uniforms));
        let (view, resolve_target) = match &to.samples {
            Some(samples) => (samples, Some(&to.attachment)),
            None => (&to.attachment, None),
        };
        let store =
            if resolve_target.is_some() { wgpu::StoreOp::Discard } else { wgpu::StoreOp::Store };
        let clear = wgpu::LoadOp::Clear(self.background(settings));
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("view"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view,
                    depth_slice: None,
                    resolve_target,
                    ops: wgpu::Operations { load: clear, store },
                })],
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
            let [width, height] = to.size;
            match self.before.as_ref().filter(|_| settings.compare) {
                Some(before) => {
                    let split = split_column(settings.split, width);
                    self.draw_mesh(&mut pass, before, settings, [0, split, height]);
                    if let Some(after) = &self.after {
                        self.draw_mesh(&mut pass, after, settings, [split, width, height]);
                    }
                }
                None => {
                    if let Some(after) = &self.after {
                        self.draw_mesh(&mut pass, after, settings, [0, width, height]);
                    }
                }
            }
        }
        self.queue.submit([encoder.finish()]);
    }

    /// Draws a head into the columns from `left` up to `right`.
    fn draw_mesh(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        mesh: &MeshSlot,
        settings: &ViewSettings,
        [left, right, height]: [u32; 3],
    ) {
        if left >= right {
            return;
        }
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("view"),
            layout: &self.pipelines().layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: self.uniforms.as_entire_binding() },
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
        pass.set_scissor_rect(left, 0, right - left, height);
        pass.set_bind_group(0, &group, &[]);
        pass.set_pipeline(&self.pipelines().surface);
        pass.set_vertex_buffer(0, mesh.positions.slice(..));
        pass.set_vertex_buffer(1, mesh.normals.slice(..));
        pass.set_vertex_buffer(2, mesh.uvs.slice(..));
        pass.set_vertex_buffer(3, mesh.colors.slice(..));
        pass.set_index_buffer(mesh.indices.slice(..), wgpu::IndexFormat::Uint32);
        pass.draw_indexed(0..mesh.index_count, 0, 0..1);
        if let Some(edges) = mesh.edges().filter(|_| settings.wireframe) {
            pass.set_pipeline(&self.pipelines().edges);
            pass.set_vertex_buffer(1, mesh.uvs.slice(..));
            pass.set_index_buffer(edges.indices.slice(..), wgpu::IndexFormat::Uint32);
            pass.draw_indexed(0..edges.index_count, 0, 0..1);
        }
    }

    fn view(&self, camera: &OrbitCamera, settings: &ViewSettings, size: [u32; 2]) -> Uniforms {
        let seen = camera.camera((size[0], size[1]));
        let clip = camera.projection(size[0] as f32 / size[1] as f32) * seen.view_matrix();
        let edges = self.after.as_ref().or(self.before.as_ref()).and_then(MeshSlot::edges);
        let pixels = edges.map_or(0.0, |e| e.length * seen.focal() / camera.distance);
        let (least, highest) = EDGE_OPACITY;
        let opacity = (highest * pixels / CLEAR_EDGE).clamp(least, highest);
        Uniforms {
            clip: clip.to_cols_array_2d(),
            right: seen.right.extend(0.0).to_array(),
            up: seen.up.extend(0.0).to_array(),
            backward: (-seen.forward).extend(0.0).to_array(),
            eye: seen.position.extend(1.0).to_array(),
            key: settings.key_light().extend(0.0).to_array(),
            edges: [opacity, EDGE_LIFT, 0.0, 0.0],
            mode: [settings.mode.code(), u32::from(!self.best.quality.linear), 0, 0],
        }
    }

    fn background(&self, settings: &ViewSettings) -> wgpu::Color {
        let [r, g, b] = settings.background.map(|value| {
            let c = f64::from(value) / 255.0;
            let linear = if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
            if self.best.quality.linear { linear } else { c }
        });
        wgpu::Color { r, g, b, a: 1.0 }
    }
}

/// The first column of pixels that shows the head after an edit.
fn split_column(split: f32, width: u32) -> u32 {
    (split.clamp(0.0, 1.0) * width as f32).round() as u32
}
