//! A surface as signed distances on a lattice of tetrahedra, differentiable (`DMTet`, Shen et
//! al. 2021): marching tetrahedra forward, and the vertices' gradients back to the distances
//! and displacements of the lattice's nodes.
//!
//! Only the band of the lattice round the surface exists; when the surface has moved,
//! [`TetMesh::follow`] moves the band after it. A node's values are a base plus a change that a
//! mask lets through: where the mask is 0 nothing can change, whatever the optimiser does.

mod reshape;
mod source;
mod state;

#[cfg(test)]
mod tests;

pub use reshape::Difference;
pub use source::shader_sources;
pub use state::TetState;

use super::adam::{Adam, AdamConfig, AdamGroup};
use super::kernel::groups_for;
use super::mask::Mask;
use super::raster::{Rasteriser, SurfaceMesh};
use super::scan::{BLOCK, Scan, ScanBuffers};
use super::{GpuContext, RenderError};
use crate::geometry::tets::{Band, Lattice};
use crate::geometry::{GeometryError, Mesh};
use crate::head::DistanceField;
use bytemuck::Zeroable;
use source::Kernels;

/// Cells on either side of the surface that belong to the band.
const MARGIN: f32 = 2.5;
/// Cells from the scene cube's sides that the surface keeps away.
const WALL: f32 = 2.0;
/// How far nodes may be displaced along an axis, cells: tetrahedra keep their orientation.
const REACH: f32 = 0.2;
/// Distances are cut to this many cells: the band ends there.
const FARTHEST: f32 = 4.0;

/// Learning rates of the nodes' values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TetRates {
    /// Of signed distances, cells a step.
    pub distance: f32,
    /// Of displacements, before their tanh.
    pub deform: f32,
}

/// Mirrors `Lattice` in `tets/lattice.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, Zeroable)]
struct LatticeUniform {
    nodes: u32,
    edges: u32,
    tets: u32,
    side: u32,
    cells: f32,
    reach: f32,
    pad: [u32; 2],
}

/// The band's buffers.
#[derive(Debug)]
struct Buffers {
    uniform: wgpu::Buffer,
    codes: wgpu::Buffer,
    edges: wgpu::Buffer,
    tets: wgpu::Buffer,
    tet_edges: wgpu::Buffer,
    incident: wgpu::Buffer,
    base: wgpu::Buffer,
    mask: wgpu::Buffer,
    change: wgpu::Buffer,
    values: wgpu::Buffer,
    gradient: wgpu::Buffer,
    flags: wgpu::Buffer,
    sums: wgpu::Buffer,
    total: wgpu::Buffer,
    edge_offsets: wgpu::Buffer,
    tet_offsets: wgpu::Buffer,
}

/// A differentiable closed surface.
#[derive(Debug)]
pub struct TetMesh {
    gpu: GpuContext,
    kernels: Kernels,
    scan: Scan,
    band: Band,
    buffers: Buffers,
    adam: Adam,
    surface: SurfaceMesh,
    /// How much of the changes gets through; `None` is all of them.
    mask: Option<Mask>,
}

impl TetMesh {
    /// The lattice round a closed mesh, with its signed distances.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a mesh that is not inside the scene cube; what the driver
    /// reports.
    pub fn of(gpu: &GpuContext, cells: u32, mesh: &Mesh) -> Result<Self, RenderError> {
        let lattice = Lattice::new(cells).map_err(invalid)?;
        let band = Band::around(lattice, mesh, MARGIN).map_err(invalid)?;
        let base = distances(&band, mesh);
        let mask = free(&band);
        let change = vec![[0.0; 4]; base.len()];
        Self::with(gpu, band, &base, &mask, &change)
    }

    /// How much of the changes comes through at each node of a band.
    fn open(&self, band: &Band) -> Vec<f32> {
        let mut open = free(band);
        if let Some(mask) = &self.mask {
            for (open, code) in open.iter_mut().zip(&band.nodes) {
                *open *= mask.at(band.lattice.position(*code));
            }
        }
        open
    }

    fn with(
        gpu: &GpuContext,
        band: Band,
        base: &[[f32; 4]],
        mask: &[f32],
        change: &[[f32; 4]],
    ) -> Result<Self, RenderError> {
        let buffers = Buffers::new(gpu, &band, base, mask, change);
        let adam = Adam::new(gpu, 4 * band.nodes.len() as u32, AdamConfig::default())?;
        let mut out = Self {
            gpu: gpu.clone(),
            kernels: Kernels::new(gpu)?,
            scan: Scan::new(gpu)?,
            band,
            buffers,
            adam,
            surface: SurfaceMesh::with_capacity(gpu, 1, 1),
            mask: None,
        };
        out.apply();
        Ok(out)
    }

    /// The surface that [`Self::march`] found.
    #[must_use]
    pub fn surface(&self) -> &SurfaceMesh {
        &self.surface
    }

    /// The lattice's band.
    #[must_use]
    pub fn band(&self) -> &Band {
        &self.band
    }

    /// Sets how much of the changes gets through at each place: what has changed so far
    /// stays, as the new base.
    ///
    /// # Errors
    /// Device loss.
    pub fn set_mask(&mut self, mask: Option<Mask>) -> Result<(), RenderError> {
        self.mask = mask;
        let values: Vec<[f32; 4]> = self.gpu.read(&self.buffers.values, self.band.nodes.len())?;
        self.rebase(self.band.clone(), &values)
    }

    /// Gives a lattice that was read back the mask that it had; its values stay.
    pub fn keep_mask(&mut self, mask: Option<Mask>) {
        self.mask = mask;
    }

    /// Starts anew from these values, with fresh moments and nothing changed.
    fn rebase(&mut self, band: Band, base: &[[f32; 4]]) -> Result<(), RenderError> {
        let change = vec![[0.0; 4]; base.len()];
        self.buffers = Buffers::new(&self.gpu, &band, base, &self.open(&band), &change);
        self.adam = Adam::new(&self.gpu, 4 * base.len() as u32, AdamConfig::default())?;
        self.band = band;
        self.apply();
        Ok(())
    }

    /// Marches the tetrahedra and connects the surface.
    ///
    /// # Errors
    /// [`RenderError::Numerical`] if there is no surface any more, device loss.
    pub fn march(&mut self, raster: &Rasteriser) -> Result<(), RenderError> {
        let (b, band) = (&self.buffers, &self.band);
        let (edges, tets) = (band.edges.len() as u32, band.tets.len() as u32);
        let run = |count: u32,
                   kernel: &super::kernel::Kernel,
                   buffers: &[&wgpu::Buffer],
                   offsets: &wgpu::Buffer|
         -> Result<u32, RenderError> {
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                kernel.run(&mut pass, buffers, groups_for(count));
                let sums =
                    ScanBuffers { values: &b.flags, sums: &b.sums, offsets, total: &b.total };
                self.scan.run(&self.gpu, &mut pass, count, &sums);
            }
            self.gpu.queue.submit([encoder.finish()]);
            Ok(self.gpu.read::<u32>(&b.total, 1)?[0])
        };
        let cross = [&b.uniform, &b.edges, &b.values, &b.flags];
        let vertices = run(edges, &self.kernels.cross, &cross, &b.edge_offsets)?;
        let count = [&b.uniform, &b.tets, &b.values, &b.flags];
        let triangles = run(tets, &self.kernels.count, &count, &b.tet_offsets)?;
        if triangles == 0 {
            return Err(RenderError::Numerical {
                place: "tetrahedral lattice",
                what: "the surface has vanished".into(),
            });
        }
        if !self.surface.holds(vertices, triangles) {
            let room = |n: u32| n + n / 4;
            self.surface = SurfaceMesh::with_capacity(&self.gpu, room(vertices), room(triangles));
        }
        self.surface.set_counts(vertices, triangles);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let place = [
                &b.uniform,
                &b.codes,
                &b.edges,
                &b.values,
                &b.edge_offsets,
                &self.surface.positions,
            ];
            self.kernels.place.run(&mut pass, &place, groups_for(edges));
            let write = [
                &b.uniform,
                &b.tets,
                &b.tet_edges,
                &b.values,
                &b.edge_offsets,
                &b.tet_offsets,
                &self.surface.triangles,
            ];
            self.kernels.triangles.run(&mut pass, &write, groups_for(tets));
        }
        self.gpu.queue.submit([encoder.finish()]);
        raster.connect(&self.surface);
        Ok(())
    }

    /// Takes the gradients of the surface's vertices to the nodes' changes.
    pub fn backward(&mut self) {
        let b = &self.buffers;
        let buffers = [
            &b.uniform,
            &b.codes,
            &b.edges,
            &b.incident,
            &b.mask,
            &b.values,
            &b.edge_offsets,
            &self.surface.gradients,
            &b.gradient,
        ];
        self.launch(&self.kernels.adjoint, &buffers);
    }

    /// One step of Adam on the nodes' changes.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for rates that are not finite and non-negative.
    pub fn step(&mut self, rates: TetRates) -> Result<(), RenderError> {
        let TetRates { distance, deform } = rates;
        let group = AdamGroup {
            first: 0,
            count: 4 * self.band.nodes.len() as u32,
            rates: [distance, deform, deform, deform],
            epsilons: [1e-12; 4],
            period: 4,
        };
        self.adam.step(&self.buffers.change, &self.buffers.gradient, &[group])?;
        self.apply();
        Ok(())
    }

    /// Moves the band after the surface as it is: nodes that stay keep their values, new ones
    /// get their distances from it.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] if the surface has left the scene cube, device loss.
    pub fn follow(&mut self) -> Result<(), RenderError> {
        let mesh = self.surface.read(&self.gpu)?;
        let band = Band::around(self.band.lattice, &mesh, MARGIN).map_err(invalid)?;
        let old = self.state()?;
        let mut base = distances(&band, &mesh);
        let n = base.len();
        let (mut mask, mut change) = (self.open(&band), vec![[0.0; 4]; n]);
        let (mut mean, mut variance) = (vec![0.0; 4 * n], vec![0.0; 4 * n]);
        for (v, code) in band.nodes.iter().enumerate() {
            let Ok(u) = self.band.nodes.binary_search(code) else { continue };
            (base[v], mask[v], change[v]) = (old.base[u], old.mask[u], old.change[u]);
            mean[4 * v..4 * v + 4].copy_from_slice(&old.adam.mean[4 * u..4 * u + 4]);
            variance[4 * v..4 * v + 4].copy_from_slice(&old.adam.variance[4 * u..4 * u + 4]);
        }
        let mut adam = Adam::new(&self.gpu, 4 * n as u32, AdamConfig::default())?;
        adam.restore(&super::adam::AdamState { mean, variance, steps: old.adam.steps })?;
        self.buffers = Buffers::new(&self.gpu, &band, &base, &mask, &change);
        (self.band, self.adam) = (band, adam);
        self.apply();
        Ok(())
    }

    /// Recomputes the values in force.
    fn apply(&mut self) {
        let b = &self.buffers;
        let buffers = [&b.uniform, &b.base, &b.mask, &b.change, &b.values];
        self.launch(&self.kernels.apply, &buffers);
    }

    /// Runs a kernel over the nodes.
    fn launch(&self, kernel: &super::kernel::Kernel, buffers: &[&wgpu::Buffer]) {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            kernel.run(&mut pass, buffers, groups_for(self.band.nodes.len() as u32));
        }
        self.gpu.queue.submit([encoder.finish()]);
    }
}

#[allow(clippy::needless_pass_by_value, reason = "what map_err hands over")]
fn invalid(error: GeometryError) -> RenderError {
    RenderError::Invalid(error.to_string())
}

/// 1, but 0 near the scene cube's sides, where nothing may grow: the surface stays closed.
fn free(band: &Band) -> Vec<f32> {
    let limit = 1.0 - WALL * band.lattice.spacing();
    let is_free = |code: &u32| band.lattice.position(*code).abs().max_element() < limit;
    band.nodes.iter().map(|code| f32::from(u8::from(is_free(code)))).collect()
}

/// Signed distances of a band's nodes to a closed mesh, in cells, and no displacement.
fn distances(band: &Band, mesh: &Mesh) -> Vec<[f32; 4]> {
    let lattice = band.lattice;
    let nodes: Vec<[u32; 3]> =
        band.nodes.iter().map(|code| lattice.coordinates(*code).to_array()).collect();
    let side = lattice.side() as usize;
    let found = DistanceField::at_nodes(&mesh.positions, &mesh.triangles, side, &nodes);
    let cells = |(d, free): (f32, f32)| {
        if free == 0.0 { FARTHEST } else { (d / lattice.spacing()).clamp(-FARTHEST, FARTHEST) }
    };
    found.into_iter().zip(free(band)).map(|pair| [cells(pair), 0.0, 0.0, 0.0]).collect()
}

impl Buffers {
    fn new(
        gpu: &GpuContext,
        band: &Band,
        base: &[[f32; 4]],
        mask: &[f32],
        change: &[[f32; 4]],
    ) -> Self {
        let (nodes, edges, tets) = (band.nodes.len(), band.edges.len(), band.tets.len());
        let lattice = LatticeUniform {
            nodes: nodes as u32,
            edges: edges as u32,
            tets: tets as u32,
            side: band.lattice.side(),
            cells: band.lattice.cells() as f32,
            reach: REACH * band.lattice.spacing(),
            pad: [0; 2],
        };
        let most = edges.max(tets) as u64;
        let incident = [band.starts.as_slice(), &band.incident].concat();
        let zeroed = |label, n: usize, bytes: u64| gpu.storage_zeroed(label, bytes * n as u64);
        Self {
            uniform: gpu.uniform("lattice", &lattice),
            codes: gpu.storage("lattice codes", &band.nodes),
            edges: gpu.storage("lattice edges", &band.edges),
            tets: gpu.storage("tetrahedra", &band.tets),
            tet_edges: gpu.storage("edges of tetrahedra", &band.tet_edges),
            incident: gpu.storage("edges at nodes", &incident),
            base: gpu.storage("lattice base", base),
            mask: gpu.storage("lattice mask", mask),
            change: gpu.storage("lattice change", change),
            values: zeroed("lattice values", nodes, 16),
            gradient: zeroed("lattice gradient", nodes, 16),
            flags: gpu.storage_zeroed("lattice flags", 4 * most),
            sums: gpu.storage_zeroed("lattice sums", 4 * most.div_ceil(u64::from(BLOCK))),
            total: gpu.storage_zeroed("lattice total", 4),
            edge_offsets: zeroed("edge offsets", edges + 1, 4),
            tet_offsets: zeroed("tetrahedron offsets", tets + 1, 4),
        }
    }
}
