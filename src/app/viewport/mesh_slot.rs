//! A head on the GPU of the live view.

use super::edges::unique_edges;
use super::mipmaps::smaller_copies;
use crate::geometry::TexturedMesh;
use crate::render::RenderError;
use glam::Vec3;
use std::sync::Arc;

/// A head on the GPU: each attribute has a buffer of its own, so that a pose changes only
/// what it moves.
#[derive(Debug)]
pub(super) struct MeshSlot {
    mesh: Arc<TexturedMesh>,
    pub positions: wgpu::Buffer,
    pub normals: wgpu::Buffer,
    pub uvs: wgpu::Buffer,
    /// Multiplied to the texture.
    pub colors: wgpu::Buffer,
    pub indices: wgpu::Buffer,
    pub index_count: u32,
    pub albedo: wgpu::TextureView,
    edges: Option<Edges>,
}

/// The edges of a head's triangles.
#[derive(Debug)]
pub(super) struct Edges {
    pub indices: wgpu::Buffer,
    pub index_count: u32,
    /// How long they are on average, world units.
    pub length: f32,
}

impl MeshSlot {
    /// Copies a head and its texture to the GPU.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a mesh that does not pass [`TexturedMesh::validate`], colours
    /// that are not one a vertex, or a texture that the device cannot hold.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        mesh: &Arc<TexturedMesh>,
        colors: Option<&[[u8; 4]]>,
    ) -> Result<Self, RenderError> {
        let vertices = mesh.mesh.positions.len();
        if let Some(colors) = colors.filter(|colors| colors.len() != vertices) {
            return Err(RenderError::Invalid(format!(
                "{} colours do not fit a head of {vertices} vertices",
                colors.len()
            )));
        }
        let white;
        let colors = if let Some(colors) = colors {
            colors
        } else {
            white = vec![[u8::MAX; 4]; vertices];
            &white
        };
        mesh.validate().map_err(|error| RenderError::Invalid(error.to_string()))?;
        let (width, height) = mesh.albedo.dimensions();
        let limit = device.limits().max_texture_dimension_2d;
        if width.min(height) == 0 || width.max(height) > limit {
            return Err(RenderError::Invalid(format!(
                "a texture of {width} x {height} texels cannot be shown, the limit is {limit}"
            )));
        }
        let (vertex, index) = (wgpu::BufferUsages::VERTEX, wgpu::BufferUsages::INDEX);
        let triangles = &mesh.mesh.triangles;
        let buffer = |label, contents: &[u8], usage| buffer(device, queue, label, contents, usage);
        Ok(Self {
            positions: buffer("positions", bytemuck::cast_slice(&mesh.mesh.positions), vertex),
            normals: buffer("normals", bytemuck::cast_slice(&mesh.normals), vertex),
            uvs: buffer("uvs", bytemuck::cast_slice(&mesh.uvs), vertex),
            colors: buffer("colours", bytemuck::cast_slice(colors), vertex),
            indices: buffer("indices", bytemuck::cast_slice(triangles), index),
            index_count: triangles.len() as u32 * 3,
            albedo: upload(device, queue, &mesh.albedo),
            edges: None,
            mesh: Arc::clone(mesh),
        })
    }

    /// Moves the vertices; texture and triangles stay.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] unless there is one finite position and normal a vertex.
    pub fn set_positions(
        &self,
        queue: &wgpu::Queue,
        positions: &[Vec3],
        normals: &[Vec3],
    ) -> Result<(), RenderError> {
        check_pose(&self.mesh, positions, normals)?;
        queue.write_buffer(&self.positions, 0, bytemuck::cast_slice(positions));
        queue.write_buffer(&self.normals, 0, bytemuck::cast_slice(normals));
        Ok(())
    }

    /// The edges, which are looked for when they are first wanted.
    pub fn find_edges(&mut self, device: &wgpu::Device, queue: &wgpu::Queue) {
        self.edges.get_or_insert_with(|| {
            let (edges, length) = unique_edges(&self.mesh.mesh);
            let usage = wgpu::BufferUsages::INDEX;
            Edges {
                indices: buffer(device, queue, "edges", bytemuck::cast_slice(&edges), usage),
                index_count: edges.len() as u32 * 2,
                length,
            }
        });
    }

    /// The edges, if they were looked for.
    pub fn edges(&self) -> Option<&Edges> {
        self.edges.as_ref()
    }
}

/// Fails unless there is one finite position and normal for each vertex of a mesh.
///
/// # Errors
/// [`RenderError::Invalid`].
pub(super) fn check_pose(
    mesh: &TexturedMesh,
    positions: &[Vec3],
    normals: &[Vec3],
) -> Result<(), RenderError> {
    let vertices = mesh.mesh.positions.len();
    if positions.len() != vertices || normals.len() != vertices {
        return Err(RenderError::Invalid(format!(
            "a pose of {} positions and {} normals does not fit a head of {vertices} vertices",
            positions.len(),
            normals.len()
        )));
    }
    if !positions.iter().chain(normals).all(|v| v.is_finite()) {
        return Err(RenderError::Invalid("a pose must be finite".into()));
    }
    Ok(())
}

fn buffer(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    label: &str,
    contents: &[u8],
    usage: wgpu::BufferUsages,
) -> wgpu::Buffer {
    // Not one that is mapped when it is made: that panics where there is no memory for it.
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: contents.len() as u64,
        usage: usage | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    queue.write_buffer(&buffer, 0, contents);
    buffer
}

/// A texture with all its smaller copies.
fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    albedo: &image::RgbaImage,
) -> wgpu::TextureView {
    let copies = smaller_copies(albedo);
    let (width, height) = albedo.dimensions();
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("albedo"),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1 + copies.len() as u32,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8UnormSrgb,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    for (level, image) in std::iter::once(albedo).chain(&copies).enumerate() {
        let (width, height) = image.dimensions();
        queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &texture,
                mip_level: level as u32,
                origin: wgpu::Origin3d::ZERO,
                aspect: wgpu::TextureAspect::All,
            },
            image.as_raw(),
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(width * 4),
                rows_per_image: Some(height),
            },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
    }
    texture.create_view(&Default::default())
}
