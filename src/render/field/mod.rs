//! The differentiable neural field: a multiresolution grid and a small network,
//! marched and composited on wgpu, with hand-written adjoints.
//!
//! One training step is [`Field::render`] (training), [`Field::backward`] with the
//! gradient of the images, [`Field::step`]; every few steps
//! [`Field::update_occupancy`]. The order of kernels:
//!
//! ```text
//! march (count) -> prefix sum -> march (write) -> evaluate -> composite
//! composite adjoint -> network adjoint -> weight gradients (stripes, summed in order)
//!                                      -> scatter (fixed point) -> gather -> smoothness -> Adam
//! ```
//!
//! Every sum that a thread order could change is an integer sum or is taken in a fixed
//! order, so two runs on one device agree bit for bit. Randomness is a hash of the key
//! that the caller gives.
//!
//! Densities are per world unit. Fails with [`RenderError`]: settings out of range,
//! more samples than the configuration allows, numbers that are not finite, a lost
//! device.

mod backward;
mod config;
mod forward;
mod layout;
mod occupancy;
mod paint;
mod prior;
mod query;
mod source;
mod state;
mod surface;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod surface_tests;
#[cfg(test)]
pub(in crate::render) mod tests;

pub use crate::render::gpu_view::{Appearance, MAX_RAYS};
pub use backward::BackwardStats;
pub use config::{
    DensityActivation, DensityConfig, FieldConfig, GridConfig, MarchConfig, MlpConfig,
    OccupancyConfig, PriorConfig, Rates, Regularisers,
};
pub use forward::FieldImages;
pub(in crate::render) use paint::{PAINTED_EDGE, logit};
pub use prior::PriorGrid;
pub use query::{DensityLattice, FieldPoint};
pub use source::shader_sources;
pub use state::FieldState;

use crate::render::adam::{Adam, AdamGroup};
use crate::render::kernel::Kernel;
use crate::render::scan::Scan;
use crate::render::{GpuContext, RenderError};
use bytemuck::Zeroable;
use forward::{Pending, RayBuffers, SampleBuffers};
use layout::{Layout, TAPE_STRIDE};
use occupancy::Occupancy;
use rand::Rng;
use source::Sources;
use std::time::{Duration, Instant};

/// Where the low limbs of the fixed-point sums start; see `common/fixed_point.wgsl`.
const LOW_START: u32 = 0x8000_0000;

/// A neural field on the GPU with its optimiser and occupancy grid.
#[derive(Debug)]
pub struct Field {
    context: GpuContext,
    config: FieldConfig,
    layout: Layout,
    kernels: Kernels,
    scan: Scan,
    seed: u64,
    prior_weight: f32,
    regularisers: Regularisers,
    parameters: wgpu::Buffer,
    /// The network's part of the parameters, as the kernels read it.
    weights: wgpu::Buffer,
    gradient: wgpu::Buffer,
    low: wgpu::Buffer,
    high: wgpu::Buffer,
    maxima: wgpu::Buffer,
    distances: wgpu::Buffer,
    levels: Vec<wgpu::Buffer>,
    tiles: wgpu::Buffer,
    tape: wgpu::Buffer,
    partials: wgpu::Buffer,
    adam: Adam,
    occupancy: Occupancy,
    rays: RayBuffers,
    samples: SampleBuffers,
    points: query::PointBuffers,
    pending: Option<Pending>,
    stats: FieldStats,
    profile: Option<Profile>,
}

/// What the last render needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldStats {
    /// Rays of all views.
    pub rays: u64,
    /// Samples along them.
    pub samples: u64,
    /// Field evaluations: samples and, with normals, their probes.
    pub evaluations: u64,
    /// Samples that were composited before their ray ended.
    pub used: u64,
}

#[derive(Debug)]
struct Kernels {
    count: Kernel,
    write: Kernel,
    evaluate: Kernel,
    evaluate_only: Kernel,
    composite: Kernel,
    composite_adjoint: Kernel,
    network_adjoint: Kernel,
    weight_gradient: Kernel,
    weight_sum: Kernel,
    scatter: Kernel,
    gather: Kernel,
    smooth: Kernel,
    smooth_lattice: Kernel,
    surface_adjoint: Kernel,
    position_gradient: Kernel,
}

impl Kernels {
    fn new(context: &GpuContext, s: &Sources, train: bool) -> Result<Self, RenderError> {
        let bound = Kernel::with_bindings;
        Ok(Self {
            count: bound(context, "count_samples", &s.march, &[], &[0, 1, 2, 3, 4])?,
            write: bound(context, "write_samples", &s.march, &[], &[0, 1, 2, 5, 6])?,
            evaluate: Kernel::new(context, "evaluate", &s.evaluate, &[("keep_encodings", 1.0)])?,
            evaluate_only: Kernel::new(
                context,
                "evaluate",
                &s.evaluate,
                &[("keep_encodings", 0.0)],
            )?,
            composite: Kernel::new(context, "composite_rays", &s.composite_forward, &[])?,
            composite_adjoint: Kernel::new(
                context,
                "composite_adjoint",
                &s.composite_backward,
                &[],
            )?,
            network_adjoint: bound(
                context,
                "network_adjoint",
                &s.network_adjoint,
                &[],
                if train { &[0, 1, 2, 3, 4, 5, 6] } else { &[0, 1, 2, 3, 4, 5] },
            )?,
            weight_gradient: Kernel::new(context, "weight_gradient", &s.weight_gradient, &[])?,
            weight_sum: Kernel::new(context, "weight_sum", &s.weight_sum, &[])?,
            scatter: Kernel::new(context, "scatter", &s.scatter, &[])?,
            gather: Kernel::new(context, "gather_gradient", &s.gather_gradient, &[])?,
            smooth: Kernel::new(context, "smooth_level", &s.smooth, &[])?,
            smooth_lattice: Kernel::new(context, "smooth_lattice", &s.lattice, &[])?,
            surface_adjoint: Kernel::new(context, "surface_adjoint", &s.surface_adjoint, &[])?,
            position_gradient: Kernel::new(
                context,
                "position_gradient",
                &s.position_gradient,
                &[],
            )?,
        })
    }
}

/// Uniform of the kernels that run over evaluations.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct Evaluation {
    count: u32,
    first: u32,
    samples: u32,
    stride: u32,
    prior_weight: f32,
    pad: [u32; 3],
}

/// Uniform of the kernels that run over one level.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct LevelUniform {
    index: u32,
    resolution: u32,
    offset: u32,
    mask: u32,
    block: u32,
    lane: u32,
    entries: u32,
    reserved: u32,
}

#[derive(Debug, Default)]
struct Profile {
    laps: Vec<(&'static str, Duration)>,
    last: Option<Instant>,
}

impl Field {
    /// Makes a field: features uniform in the configured range, network weights
    /// uniform in one over the root of a layer's inputs, and an occupancy grid
    /// refreshed once.
    ///
    /// # Errors
    /// Settings out of range, or whatever the driver reports.
    pub fn new(
        context: &GpuContext,
        config: FieldConfig,
        prior: &PriorGrid,
        seed: u64,
    ) -> Result<Self, RenderError> {
        let layout = Layout::new(&config)?;
        let sources = Sources::new(&config, &layout, prior.resolution());
        let kernels = Kernels::new(context, &sources, config.mlp.train)?;
        let initial = initial_parameters(&config, &layout, seed);
        let parameters = layout.parameters();
        let bytes = 4 * u64::from(parameters);
        let per_level = |l: usize, level: &layout::Level| LevelUniform {
            index: l as u32,
            resolution: level.resolution,
            offset: level.offset,
            mask: level.mask(),
            block: l as u32 * layout.features / 4,
            lane: l as u32 * layout.features % 4,
            entries: level.entries,
            reserved: 0,
        };
        let levels = layout
            .levels
            .iter()
            .enumerate()
            .map(|(l, level)| context.uniform("level", &per_level(l, level)))
            .collect();
        let tiles = uniform_slice(context, "tiles", &layout.tiles());
        let mlp = vec![[0.0_f32; 4]; layout.mlp_vectors as usize];
        let train = config.mlp.train;
        let tape = if train && !layout.fused() { layout.tape_blocks() * TAPE_STRIDE } else { 1 };
        let partials = if train { layout.mlp_vectors * layout.stripes() } else { 1 };
        let low = vec![LOW_START; layout.grid_floats as usize];
        let mut field = Self {
            kernels,
            scan: Scan::new(context)?,
            seed,
            prior_weight: 1.0,
            regularisers: config.regularisers,
            parameters: context.storage("field parameters", &initial),
            weights: uniform_slice(context, "field weights", &mlp),
            gradient: context.storage_zeroed("field gradient", bytes),
            low: context.storage("gradient low limbs", &low),
            high: context.storage_zeroed("gradient high limbs", 4 * u64::from(layout.grid_floats)),
            maxima: context.storage_zeroed("gradient maxima", 4 * (layout.levels.len() as u64 + 1)),
            distances: context.storage("prior distances", prior.values()),
            levels,
            tiles,
            tape: context.storage_zeroed("tape", 16 * u64::from(tape)),
            partials: context.storage_zeroed("weight partials", 16 * u64::from(partials)),
            adam: Adam::new(context, parameters, config.adam)?,
            occupancy: Occupancy::new(context, &config.occupancy),
            rays: RayBuffers::new(context, 1),
            samples: SampleBuffers::new(context, 1, layout.input_blocks),
            points: query::PointBuffers::new(context),
            pending: None,
            stats: FieldStats::default(),
            profile: None,
            context: context.clone(),
            config,
            layout,
        };
        context.check()?;
        field.refresh_occupancy(0)?;
        Ok(field)
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &FieldConfig {
        &self.config
    }

    /// What the last render needed.
    #[must_use]
    pub fn stats(&self) -> FieldStats {
        self.stats
    }

    /// How strongly the prior holds, 1 at the start; see [`PriorConfig`].
    ///
    /// # Errors
    /// [`RenderError::Invalid`] outside `[0, 10]`.
    pub fn set_prior_weight(&mut self, weight: f32) -> Result<(), RenderError> {
        if !(0.0..=10.0).contains(&weight) {
            return Err(RenderError::Invalid(format!("the prior's weight cannot be {weight}")));
        }
        self.prior_weight = weight;
        Ok(())
    }

    /// The prior's weight.
    #[must_use]
    pub fn prior_weight(&self) -> f32 {
        self.prior_weight
    }

    /// The regularisers' weights.
    #[must_use]
    pub fn regularisers(&self) -> Regularisers {
        self.regularisers
    }

    /// Changes the regularisers from the next render on.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] naming a weight that is negative or not finite.
    pub fn set_regularisers(&mut self, regularisers: Regularisers) -> Result<(), RenderError> {
        regularisers.validate()?;
        self.regularisers = regularisers;
        Ok(())
    }

    /// Applies the gradient that [`Self::backward`] collected and clears it. Several
    /// renders with their backward passes may come before one step: gradients add up.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for rates that are not finite and non-negative.
    pub fn step(&mut self, rates: &Rates) -> Result<(), RenderError> {
        let grid = AdamGroup {
            first: 0,
            count: self.layout.grid_floats,
            rates: rates.features,
            epsilons: self.config.feature_epsilons(),
            period: self.layout.features,
        };
        let mlp = AdamGroup {
            first: self.layout.grid_floats,
            count: if self.config.mlp.train { 4 * self.layout.mlp_vectors } else { 0 },
            rates: [rates.mlp; 4],
            epsilons: [self.config.adam.epsilon; 4],
            period: 1,
        };
        self.adam.step(&self.parameters, &self.gradient, &[grid, mlp])?;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.gradient, 0, None);
        self.context.queue.submit([encoder.finish()]);
        self.pending = None;
        self.lap("adam")
    }

    /// Starts (or stops) measuring how long each kind of kernel takes. While it is on,
    /// the field waits for the device between them.
    pub fn set_profiling(&mut self, on: bool) {
        self.profile = on.then(Profile::default);
    }

    /// The times since profiling was started or last asked for, added up by kind, in
    /// the order in which they first ran.
    pub fn take_profile(&mut self) -> Vec<(&'static str, Duration)> {
        self.profile.as_mut().map(|p| std::mem::take(&mut p.laps)).unwrap_or_default()
    }

    /// Starts the clock of the next lap.
    fn start_lap(&mut self) {
        if let Some(profile) = &mut self.profile {
            profile.last = Some(Instant::now());
        }
    }

    /// Ends a lap: the time since the last one belongs to `name`.
    fn lap(&mut self, name: &'static str) -> Result<(), RenderError> {
        let Some(profile) = &mut self.profile else { return Ok(()) };
        self.context.wait()?;
        let now = Instant::now();
        let spent = profile.last.map_or(Duration::ZERO, |last| now - last);
        profile.last = Some(now);
        match profile.laps.iter_mut().find(|lap| lap.0 == name) {
            Some(lap) => lap.1 += spent,
            None => profile.laps.push((name, spent)),
        }
        Ok(())
    }

    /// Copies the network's weights to where the kernels read them.
    fn publish_weights(&self, encoder: &mut wgpu::CommandEncoder) {
        let bytes = 16 * u64::from(self.layout.mlp_vectors);
        let from = 4 * u64::from(self.layout.grid_floats);
        encoder.copy_buffer_to_buffer(&self.parameters, from, &self.weights, 0, bytes);
    }
}

/// A uniform buffer of several values, writable.
fn uniform_slice<T: bytemuck::Pod>(
    context: &GpuContext,
    label: &str,
    values: &[T],
) -> wgpu::Buffer {
    let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: size_of_val(values) as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(values));
    buffer
}

fn initial_parameters(config: &FieldConfig, layout: &Layout, seed: u64) -> Vec<f32> {
    let mut out = vec![0.0; layout.parameters() as usize];
    let mut rng = crate::rng::stream(seed, "field", 0, "features");
    let range = config.grid.init_range;
    if range > 0.0 {
        let features: u32 = layout.levels.iter().map(|l| l.entries * layout.features).sum();
        for value in &mut out[..features as usize] {
            *value = rng.random_range(-range..=range);
        }
    }
    let mut rng = crate::rng::stream(seed, "field", 0, "network");
    let encoded = layout.levels.len() as u32 * layout.features;
    for (k, layer) in layout.layers.iter().enumerate() {
        // Padding inputs are always zero; their weights stay zero.
        let real = if k == 0 { encoded } else { 4 * layer.inputs };
        let range = 1.0 / (real as f32).sqrt();
        for o in 0..layer.outputs {
            for i in 0..layer.inputs {
                for c in 0..4 {
                    for r in 0..4 {
                        let drawn = rng.random_range(-range..=range);
                        let value = if config.is_plain() {
                            if c == r { 1.0 } else { 0.0 }
                        } else if 4 * i + c < real {
                            drawn
                        } else {
                            0.0
                        };
                        let at = layout.grid_floats + 4 * (layer.matrix(o, i) + c) + r;
                        out[at as usize] = value;
                    }
                }
            }
        }
    }
    out
}
