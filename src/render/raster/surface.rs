//! A triangle mesh on the GPU whose vertices have gradients.

use super::LOW_START;
use crate::geometry::Mesh;
use crate::render::{GpuContext, RenderError};
use bytemuck::Zeroable;

/// Mirrors `Size` of the shaders.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct Size {
    vertices: u32,
    triangles: u32,
    mask: u32,
    pad: u32,
}

/// Vertices and triangles with what the rasteriser knows about them. The number of both may change
/// from step to step, within the capacity.
#[derive(Debug)]
pub struct SurfaceMesh {
    pub(in crate::render) vertices: u32,
    pub(in crate::render) triangle_count: u32,
    capacity: [u32; 2],
    mask: u32,
    /// World position of each vertex, and a component that nobody reads.
    pub(in crate::render) positions: wgpu::Buffer,
    /// Three vertices of each triangle.
    pub(in crate::render) triangles: wgpu::Buffer,
    pub(super) partner: wgpu::Buffer,
    pub(super) first: wgpu::Buffer,
    pub(super) table: wgpu::Buffer,
    pub(in crate::render) normals: wgpu::Buffer,
    pub(super) limbs: wgpu::Buffer,
    pub(in crate::render) gradients: wgpu::Buffer,
    pub(super) area_gradients: wgpu::Buffer,
    pub(super) deltas: wgpu::Buffer,
}

impl SurfaceMesh {
    /// Room for a mesh of at most so many vertices and triangles.
    #[must_use]
    pub fn with_capacity(gpu: &GpuContext, vertices: u32, triangles: u32) -> Self {
        let (v, t) = (u64::from(vertices.max(1)), u64::from(triangles.max(1)));
        // Half full at most: a search for a free slot stays short.
        let slots = (2 * t * 3).next_power_of_two();
        let limbs: Vec<[u32; 2]> = vec![[LOW_START, 0]; 6 * v as usize];
        let vectors = |label| gpu.storage_zeroed(label, 16 * v);
        Self {
            vertices: 0,
            triangle_count: 0,
            capacity: [v as u32, t as u32],
            mask: (slots - 1) as u32,
            positions: vectors("mesh positions"),
            triangles: gpu.storage_zeroed("mesh triangles", 12 * t),
            partner: gpu.storage_zeroed("half-edge partners", 12 * t),
            first: gpu.storage_zeroed("first half-edges", 4 * v),
            table: gpu.storage_zeroed("half-edge table", 4 * slots),
            normals: vectors("vertex normals"),
            limbs: gpu.storage("vertex gradient limbs", &limbs),
            gradients: vectors("vertex gradients"),
            area_gradients: vectors("area gradients"),
            deltas: vectors("vertex laplacians"),
        }
    }

    /// A mesh as it is; to be connected by [`super::Rasteriser::connect`].
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a mesh that names missing vertices or is not finite.
    pub fn of(gpu: &GpuContext, mesh: &Mesh) -> Result<Self, RenderError> {
        mesh.validate().map_err(|error| RenderError::Invalid(error.to_string()))?;
        let (vertices, triangles) = (mesh.positions.len() as u32, mesh.triangles.len() as u32);
        let mut out = Self::with_capacity(gpu, vertices, triangles);
        let positions: Vec<[f32; 4]> =
            mesh.positions.iter().map(|p| p.extend(1.0).into()).collect();
        gpu.queue.write_buffer(&out.positions, 0, bytemuck::cast_slice(&positions));
        gpu.queue.write_buffer(&out.triangles, 0, bytemuck::cast_slice(&mesh.triangles));
        out.vertices = vertices;
        out.triangle_count = triangles;
        Ok(out)
    }

    /// Sets how many of the vertices and triangles count.
    pub(in crate::render) fn set_counts(&mut self, vertices: u32, triangles: u32) {
        debug_assert!(self.holds(vertices, triangles));
        self.vertices = vertices;
        self.triangle_count = triangles;
    }

    /// Whether a mesh of this size fits.
    #[must_use]
    pub fn holds(&self, vertices: u32, triangles: u32) -> bool {
        vertices <= self.capacity[0] && triangles <= self.capacity[1]
    }

    /// Vertices and triangles.
    #[must_use]
    pub fn counts(&self) -> (u32, u32) {
        (self.vertices, self.triangle_count)
    }

    /// Reads the mesh back.
    ///
    /// # Errors
    /// Device loss.
    pub fn read(&self, gpu: &GpuContext) -> Result<Mesh, RenderError> {
        let positions: Vec<[f32; 4]> = gpu.read(&self.positions, self.vertices as usize)?;
        let triangles = gpu.read(&self.triangles, self.triangle_count as usize)?;
        let positions = positions.iter().map(|p| glam::Vec3::new(p[0], p[1], p[2])).collect();
        Ok(Mesh { positions, triangles })
    }

    /// Reads the gradient of each vertex that the last backward pass left.
    ///
    /// # Errors
    /// Device loss.
    pub fn gradients(&self, gpu: &GpuContext) -> Result<Vec<glam::Vec3>, RenderError> {
        let read: Vec<[f32; 4]> = gpu.read(&self.gradients, self.vertices as usize)?;
        Ok(read.iter().map(|g| glam::Vec3::new(g[0], g[1], g[2])).collect())
    }

    pub(super) fn size_uniform(&self, gpu: &GpuContext) -> wgpu::Buffer {
        let (vertices, triangles) = self.counts();
        gpu.uniform("mesh size", &Size { vertices, triangles, mask: self.mask, pad: 0 })
    }
}
