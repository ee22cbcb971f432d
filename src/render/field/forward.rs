//! From views to images: march, compact, evaluate, composite.

use super::occupancy::lattice_shift;
use super::{Evaluation, Field, FieldStats};
use crate::batch::{ImageBatch, Light, View};
use crate::render::gpu_view::{Appearance, GpuView, common_size};
use crate::render::kernel::groups_for;
use crate::render::scan::{BLOCK, ScanBuffers};
use crate::render::{GpuContext, RenderError};
use bytemuck::Zeroable;
use std::ops::Range;

/// Rays of one batch outside training.
const PREVIEW_RAYS: u32 = 1 << 14;
/// Evaluations of one batch outside training.
const PREVIEW_EVALUATIONS: u32 = 1 << 18;

/// What a render returns; all in `[view][y][x]` order.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldImages {
    /// Colour over each view's background, three channels.
    pub color: ImageBatch,
    /// Opacity, `[0, 1]`.
    pub opacity: Vec<f32>,
    /// Mean distance along the viewing direction, world units, weighted by what each
    /// sample contributes; 0 where nothing is hit.
    pub depth: Vec<f32>,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct March {
    rays: u32,
    first: u32,
    pixels: u32,
    max_steps: u32,
    key: [u32; 2],
    jitter: u32,
    reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
pub(super) struct Composite {
    pub rays: u32,
    pub first: u32,
    pub pixels: u32,
    /// What comes before the probes: samples and lattice points.
    pub samples: u32,
    pub normals: u32,
    pub entropy: f32,
    pub orientation: f32,
    pub binarise: f32,
}

/// Buffers with one entry a ray.
#[derive(Debug)]
pub(super) struct RayBuffers {
    capacity: u32,
    counts: wgpu::Buffer,
    sums: wgpu::Buffer,
    total: wgpu::Buffer,
    pub offsets: wgpu::Buffer,
    pub rendered: wgpu::Buffer,
    pub upstream: wgpu::Buffer,
}

impl RayBuffers {
    pub fn new(context: &GpuContext, capacity: u32) -> Self {
        let n = u64::from(capacity);
        Self {
            capacity,
            counts: context.storage_zeroed("ray counts", 4 * n),
            sums: context.storage_zeroed("ray count sums", 4 * n.div_ceil(u64::from(BLOCK))),
            total: context.storage_zeroed("sample total", 4),
            offsets: context.storage_zeroed("ray offsets", 4 * (n + 1)),
            rendered: context.storage_zeroed("rendered rays", 32 * n),
            upstream: context.storage_zeroed("ray gradients", 16 * n),
        }
    }
}

/// Buffers with one entry an evaluation.
#[derive(Debug)]
pub(super) struct SampleBuffers {
    /// Evaluations that fit; the distance between blocks of the encodings.
    pub capacity: u32,
    pub samples: wgpu::Buffer,
    pub values: wgpu::Buffer,
    pub shares: wgpu::Buffer,
    pub encodings: wgpu::Buffer,
    pub value_gradients: wgpu::Buffer,
    pub encoding_gradients: wgpu::Buffer,
}

impl SampleBuffers {
    pub fn new(context: &GpuContext, capacity: u32, input_blocks: u32) -> Self {
        let n = u64::from(capacity);
        let encoded = 16 * n * u64::from(input_blocks);
        Self {
            capacity,
            samples: context.storage_zeroed("samples", 16 * n),
            values: context.storage_zeroed("values", 16 * n),
            shares: context.storage_zeroed("shares", 8 * n),
            encodings: context.storage_zeroed("encodings", encoded),
            value_gradients: context.storage_zeroed("value gradients", 16 * n),
            encoding_gradients: context.storage_zeroed("encoding gradients", encoded),
        }
    }
}

/// What the adjoint needs of the last training render.
#[derive(Debug)]
pub(super) struct Pending {
    pub views: wgpu::Buffer,
    pub composite: Composite,
    /// Samples along the rays; lattice points, then probes follow them.
    pub samples: u32,
    pub lattice: u32,
    pub evaluations: u32,
    /// Opacity, entropy and orientation of each ray.
    pub rays: Vec<[f32; 3]>,
}

impl std::fmt::Debug for Composite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rays, {} samples", self.rays, self.samples)
    }
}

/// One batch of rays that has been marched.
struct Marched {
    samples: u32,
    /// Points of the smoothness lattice, evaluated after the samples.
    lattice: u32,
    normals: bool,
}

impl Marched {
    fn evaluations(&self) -> u64 {
        u64::from(self.lattice) + u64::from(self.samples) * if self.normals { 5 } else { 1 }
    }
}

impl Field {
    /// Renders views (all of one size) under their lights.
    ///
    /// With `training`, each ray's samples start at a jitter drawn from `step_key`
    /// (else in the middle of a step), and everything that [`Self::backward`] needs is
    /// kept until the next render or step.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for views of different or excessive size,
    /// [`RenderError::TooLarge`] in training for more evaluations than
    /// `march.max_evaluations`.
    pub fn render(
        &mut self,
        views: &[View],
        step_key: u64,
        training: bool,
    ) -> Result<FieldImages, RenderError> {
        self.render_as(views, Appearance::Shaded, step_key, training)
    }

    /// Like [`Self::render`], showing colours or normals.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn render_as(
        &mut self,
        views: &[View],
        appearance: Appearance,
        step_key: u64,
        training: bool,
    ) -> Result<FieldImages, RenderError> {
        let size = common_size(views)?;
        let rendered = self.render_some(views, size, appearance, step_key, training, None)?;
        let color = ImageBatch {
            views: views.len(),
            height: size.1 as usize,
            width: size.0 as usize,
            channels: 3,
            data: rendered.iter().flat_map(|r| [r[0], r[1], r[2]]).collect(),
        };
        Ok(FieldImages {
            color,
            opacity: rendered.iter().map(|r| r[3]).collect(),
            depth: rendered.iter().map(|r| r[4]).collect(),
        })
    }

    /// Like a training [`Self::render`], but only of some of the views' pixels (counted row
    /// by row, view by view), whose gradient [`Self::backward`] then takes. Each of them is
    /// sampled where a render of all of them would sample it.
    ///
    /// # Errors
    /// As [`Self::render`], and for pixels that the views do not have.
    pub fn render_pixels(
        &mut self,
        views: &[View],
        appearance: Appearance,
        pixels: Range<u32>,
        step_key: u64,
    ) -> Result<(), RenderError> {
        let size = common_size(views)?;
        if pixels.is_empty() || pixels.end > size.0 * size.1 * views.len() as u32 {
            return Err(RenderError::Invalid(format!("the views have no pixels {pixels:?}")));
        }
        self.render_some(views, size, appearance, step_key, true, Some(pixels))?;
        Ok(())
    }

    /// Renders all pixels or, in training, only some: colour and opacity, depth and
    /// regularisers of each.
    fn render_some(
        &mut self,
        views: &[View],
        (width, height): (u32, u32),
        appearance: Appearance,
        step_key: u64,
        training: bool,
        only: Option<Range<u32>>,
    ) -> Result<Vec<[f32; 8]>, RenderError> {
        self.pending = None;
        self.start_lap();
        let pixels = width * height;
        let rays = pixels * views.len() as u32;
        let gpu_views: Vec<GpuView> = views.iter().map(|v| GpuView::new(v, appearance)).collect();
        let view_buffer = self.context.storage("views", &gpu_views);
        let lit = views.iter().any(|v| matches!(v.light, Light::Lambertian { .. }));
        let normals = lit
            || appearance == Appearance::Normals
            || (training && self.regularisers.orientation > 0.0);
        let march = March {
            rays,
            first: 0,
            pixels,
            max_steps: (2.0 * 1.732_050_8 / self.config.march.step).ceil() as u32 + 1,
            key: [step_key as u32, (step_key >> 32) as u32],
            jitter: u32::from(training),
            reserved: 0,
        };
        self.stats = FieldStats { rays: u64::from(rays), ..FieldStats::default() };
        let mut rendered: Vec<[f32; 8]> = Vec::with_capacity(rays as usize);
        if training {
            let march = match only {
                Some(only) => March { first: only.start, rays: only.end - only.start, ..march },
                None => march,
            };
            let mut marched = self.march(&view_buffer, march, normals)?;
            if self.regularisers.area > 0.0 || self.regularisers.roughness > 0.0 {
                marched.lattice = self.occupancy.lattice.count;
            }
            let limit = self.config.march.max_evaluations;
            let evaluations = marched.evaluations();
            if evaluations > u64::from(limit) {
                return Err(RenderError::TooLarge { evaluations, limit });
            }
            let composite = self.shoot(&view_buffer, march, &marched, true, &mut rendered)?;
            self.pending = Some(Pending {
                views: view_buffer,
                composite,
                samples: marched.samples,
                lattice: marched.lattice,
                evaluations: evaluations as u32,
                rays: rendered.iter().map(|r| [r[3], r[5], r[6]]).collect(),
            });
        } else {
            let mut first = 0;
            let mut batch = PREVIEW_RAYS;
            while first < rays {
                let part = March { first, rays: batch.min(rays - first), ..march };
                let marched = self.march(&view_buffer, part, normals)?;
                if marched.evaluations() > u64::from(PREVIEW_EVALUATIONS) && part.rays > 1 {
                    batch = part.rays / 2;
                    continue;
                }
                self.shoot(&view_buffer, part, &marched, false, &mut rendered)?;
                first += part.rays;
            }
        }
        self.stats.used = rendered.iter().map(|r| r[7] as u64).sum();
        if let Some(bad) = rendered.iter().position(|r| r.iter().any(|v| !v.is_finite())) {
            self.pending = None;
            return Err(RenderError::Numerical {
                place: "field compositing",
                what: format!("ray {bad} is not finite"),
            });
        }
        Ok(rendered)
    }

    /// Counts the samples of each ray and finds where they go.
    fn march(
        &mut self,
        views: &wgpu::Buffer,
        march: March,
        normals: bool,
    ) -> Result<Marched, RenderError> {
        if march.rays > self.rays.capacity {
            self.rays = RayBuffers::new(&self.context, march.rays);
        }
        let uniform = self.context.uniform("march", &march);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let o = &self.occupancy;
            self.kernels.count.run(
                &mut pass,
                &[&uniform, views, &o.bits_buffer, &o.density_buffer, &self.rays.counts],
                groups_for(march.rays),
            );
            let buffers = ScanBuffers {
                values: &self.rays.counts,
                sums: &self.rays.sums,
                offsets: &self.rays.offsets,
                total: &self.rays.total,
            };
            self.scan.run(&self.context, &mut pass, march.rays, &buffers);
        }
        self.context.queue.submit([encoder.finish()]);
        let samples = self.context.read::<u32>(&self.rays.total, 1)?[0];
        self.lap("march")?;
        Ok(Marched { samples, lattice: 0, normals })
    }

    /// Evaluates and composites a batch that has been marched, and reads it back.
    fn shoot(
        &mut self,
        views: &wgpu::Buffer,
        march: March,
        marched: &Marched,
        training: bool,
        rendered: &mut Vec<[f32; 8]>,
    ) -> Result<Composite, RenderError> {
        let Marched { samples, lattice, normals } = *marched;
        let evaluations = marched.evaluations() as u32;
        self.make_room(evaluations);
        self.stats.samples += u64::from(samples);
        self.stats.evaluations += u64::from(evaluations);
        let reg = self.regularisers;
        let composite = Composite {
            rays: march.rays,
            first: march.first,
            pixels: march.pixels,
            samples: samples + lattice,
            normals: u32::from(normals),
            entropy: reg.entropy / samples.max(1) as f32,
            orientation: if normals { reg.orientation / samples.max(1) as f32 } else { 0.0 },
            binarise: reg.binarise / march.rays as f32,
        };
        let march_uniform = self.context.uniform("march", &march);
        let composite_uniform = self.context.uniform("composite", &composite);
        let evaluation =
            self.context.uniform("evaluation", &self.evaluation(samples + lattice, evaluations));
        let s = &self.samples;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        self.publish_weights(&mut encoder);
        if lattice > 0 {
            let key = u64::from(march.key[0]) | u64::from(march.key[1]) << 32;
            let shift = lattice_shift(key, 2.0 / self.config.occupancy.resolution as f32);
            let centres = &self.occupancy.lattice.centres;
            let points: Vec<[f32; 4]> =
                centres.iter().map(|c| (*c + shift).extend(0.0).into()).collect();
            let at = 16 * u64::from(samples);
            self.context.queue.write_buffer(&s.samples, at, bytemuck::cast_slice(&points));
        }
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.kernels.write.run(
                &mut pass,
                &[
                    &march_uniform,
                    views,
                    &self.occupancy.bits_buffer,
                    &self.rays.offsets,
                    &s.samples,
                ],
                groups_for(march.rays),
            );
            let kernel =
                if training { &self.kernels.evaluate } else { &self.kernels.evaluate_only };
            kernel.run(
                &mut pass,
                &[
                    &evaluation,
                    &self.weights,
                    &self.parameters,
                    &self.distances,
                    &s.samples,
                    &s.values,
                    &s.encodings,
                ],
                groups_for(evaluations),
            );
        }
        self.context.queue.submit([encoder.finish()]);
        self.lap("evaluate")?;
        let s = &self.samples;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            self.kernels.composite.run(
                &mut pass,
                &[
                    &composite_uniform,
                    views,
                    &self.rays.offsets,
                    &s.values,
                    &s.samples,
                    &s.shares,
                    &self.rays.rendered,
                ],
                groups_for(march.rays),
            );
        }
        self.context.queue.submit([encoder.finish()]);
        rendered.extend(self.context.read::<[f32; 8]>(&self.rays.rendered, march.rays as usize)?);
        self.lap("composite")?;
        Ok(composite)
    }

    /// Makes room for so many evaluations.
    pub(super) fn make_room(&mut self, evaluations: u32) {
        if evaluations > self.samples.capacity {
            // A quarter of headroom, so that a growing scene does not reallocate each step.
            let limit = self.config.march.max_evaluations.max(PREVIEW_EVALUATIONS);
            let capacity = (evaluations + evaluations / 4).min(limit).max(evaluations);
            self.samples = SampleBuffers::new(&self.context, capacity, self.layout.input_blocks);
        }
    }

    /// The uniform of a launch over all evaluations of a batch.
    pub(super) fn evaluation(&self, samples: u32, evaluations: u32) -> Evaluation {
        Evaluation {
            count: evaluations,
            first: 0,
            samples,
            stride: self.samples.capacity,
            prior_weight: self.prior_weight,
            pad: [0; 3],
        }
    }
}
