//! The colours of a surface: a field, and over it the changes that only some places see.
//!
//! A local change is a field of its own whose logits, times a [`Mask`], are added to those of the
//! colours below. Where the mask is 0 the colours below come through bit for bit, whatever
//! the change has learned, and its optimiser never touches them.

mod source;
#[cfg(test)]
mod tests;

pub use source::shader_sources;

use super::field::{Field, PAINTED_EDGE, Rates, logit};
use super::kernel::groups_for;
use super::mask::Mask;
use super::{GpuContext, RenderError};
use bytemuck::Zeroable;
use glam::Vec3;
use source::Kernels;

/// Albedo stays within this of 0 and 1 when it is read back as a logit: the shader's bound.
const EDGE: f32 = 1e-6;

/// Mirrors `Local` of the shaders.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct Local {
    count: u32,
    side: u32,
    pad: [u32; 2],
}

/// What changes some places' colours.
#[derive(Debug)]
pub struct LocalChange {
    name: String,
    mask: Mask,
    field: Field,
    weights: wgpu::Buffer,
    /// The changed colours of the last evaluation.
    colors: wgpu::Buffer,
}

impl LocalChange {
    /// What the texture calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is seen.
    #[must_use]
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Its logits, as the albedo of a field.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }
}

/// A surface's colours with their optimiser. One part of it is trained: the field below
/// everything, or one of the changes.
#[derive(Debug)]
pub struct Texture {
    base: Field,
    changes: Vec<LocalChange>,
    /// The change that is trained.
    trained: Option<usize>,
    tools: Option<Tools>,
    /// The points of the last evaluation.
    points: Option<wgpu::Buffer>,
    gpu: GpuContext,
}

#[derive(Debug)]
struct Tools {
    kernels: Kernels,
    change_gradients: wgpu::Buffer,
    capacity: u32,
}

impl Texture {
    /// The colours of a field.
    #[must_use]
    pub fn new(gpu: &GpuContext, base: Field) -> Self {
        let gpu = gpu.clone();
        Self { base, changes: Vec::new(), trained: None, tools: None, points: None, gpu }
    }

    /// Puts a change over everything so far; `field` must start with no effect (logits of 0).
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a name that is taken; what the driver reports.
    pub fn add(&mut self, name: &str, mask: Mask, field: Field) -> Result<(), RenderError> {
        if self.changes.iter().any(|change| change.name == name) {
            return Err(RenderError::Invalid(format!("there is a change named {name} already")));
        }
        if self.tools.is_none() {
            self.tools = Some(Tools {
                kernels: Kernels::new(&self.gpu)?,
                change_gradients: self.gpu.storage_zeroed("change gradients", 16),
                capacity: 1,
            });
        }
        self.changes.push(LocalChange {
            name: name.to_owned(),
            weights: self.gpu.storage("change mask", mask.weights()),
            mask,
            field,
            colors: self.gpu.storage_zeroed("changed colours", 16),
        });
        if let Some(tools) = &mut self.tools {
            // Every change needs room of its own.
            tools.capacity = 1;
        }
        Ok(())
    }

    /// Trains a change from here on, or what lies below all of them.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] if there is no such change.
    pub fn train(&mut self, change: Option<&str>) -> Result<(), RenderError> {
        let place = |name| {
            let found = self.changes.iter().position(|change| change.name == name);
            found.ok_or_else(|| RenderError::Invalid(format!("there is no change named {name}")))
        };
        self.trained = change.map(place).transpose()?;
        Ok(())
    }

    /// The field below the changes.
    pub fn base(&mut self) -> &mut Field {
        &mut self.base
    }

    /// The changes, lowest first.
    #[must_use]
    pub fn changes(&self) -> &[LocalChange] {
        &self.changes
    }

    /// The field that is trained.
    pub fn trained(&mut self) -> &mut Field {
        match self.trained {
            Some(i) => &mut self.changes[i].field,
            None => &mut self.base,
        }
    }

    /// Evaluates the colours at the first `count` of some points (a vector of four floats each,
    /// the last unused); gives a vector each, the albedo in its last three components.
    ///
    /// # Errors
    /// Device loss.
    pub fn surface_colors(
        &mut self,
        points: &wgpu::Buffer,
        count: u32,
    ) -> Result<&wgpu::Buffer, RenderError> {
        self.points = Some(points.clone());
        self.base.surface_colors(points, count)?;
        self.make_room(count.max(1));
        let Some(tools) = &self.tools else { return Ok(self.surface_values()) };
        let mut below = self.base.surface_values().clone();
        for change in &mut self.changes {
            let values = change.field.surface_colors(points, count)?.clone();
            let local = self.gpu.uniform("local change", &of(count, &change.mask));
            let buffers = [&local, &change.weights, points, &below, &values, &change.colors];
            let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                tools.kernels.change.run(&mut pass, &buffers, groups_for(count));
            }
            self.gpu.queue.submit([encoder.finish()]);
            below = change.colors.clone();
        }
        Ok(self.surface_values())
    }

    /// What the last [`Self::surface_colors`] gave.
    #[must_use]
    pub fn surface_values(&self) -> &wgpu::Buffer {
        self.changes.last().map_or(self.base.surface_values(), |change| &change.colors)
    }

    /// Adds to the gradient of the part that is trained that of the last
    /// [`Self::surface_colors`], given the gradients of the albedos (in the last three components
    /// of each vector; overwritten), and to `position_gradients` what they mean for the points.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] without colours, [`RenderError::Numerical`] for values that are not
    /// finite, device loss.
    pub fn surface_backward(
        &mut self,
        count: u32,
        albedo_gradients: &wgpu::Buffer,
        position_gradients: &wgpu::Buffer,
    ) -> Result<(), RenderError> {
        if let (Some(tools), Some(points)) = (&self.tools, &self.points) {
            for i in (0..self.changes.len()).rev() {
                let below = match i.checked_sub(1) {
                    Some(lower) => self.changes[lower].colors.clone(),
                    None => self.base.surface_values().clone(),
                };
                let change = &mut self.changes[i];
                let local = self.gpu.uniform("local change", &of(count, &change.mask));
                let buffers = [
                    &local,
                    &change.weights,
                    points,
                    &below,
                    change.field.surface_values(),
                    albedo_gradients,
                    &tools.change_gradients,
                    position_gradients,
                ];
                let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
                {
                    let mut pass = encoder.begin_compute_pass(&Default::default());
                    tools.kernels.unchange.run(&mut pass, &buffers, groups_for(count));
                }
                self.gpu.queue.submit([encoder.finish()]);
                let trained = self.trained == Some(i);
                let gradients = &tools.change_gradients;
                change.field.surface_backward(count, gradients, position_gradients, trained)?;
            }
        }
        let trained = self.trained.is_none();
        self.base.surface_backward(count, albedo_gradients, position_gradients, trained)
    }

    /// One step of the optimiser of the part that is trained.
    ///
    /// # Errors
    /// As [`Field::step`].
    pub fn step(&mut self, rates: &Rates) -> Result<(), RenderError> {
        self.trained().step(rates)
    }

    /// The albedo (sRGB-encoded) at any points.
    ///
    /// # Errors
    /// As [`Field::query`].
    pub fn query(&mut self, points: &[Vec3]) -> Result<Vec<Vec3>, RenderError> {
        let albedo = |field: &mut Field| -> Result<Vec<Vec3>, RenderError> {
            Ok(field.query(points)?.iter().map(|p| Vec3::from_array(p.albedo)).collect())
        };
        let mut colors = albedo(&mut self.base)?;
        for change in &mut self.changes {
            for ((color, by), point) in
                colors.iter_mut().zip(albedo(&mut change.field)?).zip(points)
            {
                let by = change.mask.at(*point) * logit(by, EDGE);
                let changed = logit(*color, EDGE) + by;
                let pick = |k: usize| if by[k] == 0.0 { color[k] } else { sigmoid(changed[k]) };
                *color = Vec3::new(pick(0), pick(1), pick(2));
            }
        }
        Ok(colors)
    }

    /// Whether [`Self::repaint_surface`] can colour the part that is trained: its colours go through
    /// no network.
    pub fn is_plain(&mut self) -> bool {
        self.trained().is_plain()
    }

    /// Changes the colours (sRGB-encoded) at points of a surface; the others' `None` stay, and so
    /// does the texture wherever no changed point is near. It is the trained part that changes:
    /// where a mask lets only some of it through, only some of the change is seen.
    ///
    /// # Errors
    /// As [`Field::shift_surface`].
    pub fn repaint_surface(
        &mut self,
        points: &[Vec3],
        colors: &[Option<Vec3>],
    ) -> Result<(), RenderError> {
        let known = self.query(points)?;
        let by = |(color, known): (&Option<Vec3>, &Vec3)| match color {
            Some(color) => logit(*color, PAINTED_EDGE) - logit(*known, PAINTED_EDGE),
            None => Vec3::ZERO,
        };
        let shifts = colors.iter().zip(&known).map(by).collect();
        self.trained().shift_surface(points, shifts)
    }

    fn make_room(&mut self, count: u32) {
        let Some(tools) = self.tools.as_mut().filter(|tools| tools.capacity < count) else {
            return;
        };
        tools.capacity = count + count / 4;
        let bytes = 16 * u64::from(tools.capacity);
        tools.change_gradients = self.gpu.storage_zeroed("change gradients", bytes);
        for change in &mut self.changes {
            change.colors = self.gpu.storage_zeroed("changed colours", bytes);
        }
    }
}

fn of(count: u32, mask: &Mask) -> Local {
    Local { count, side: mask.resolution() as u32, pad: [0; 2] }
}

fn sigmoid(x: f32) -> f32 {
    let t = (-x.abs()).exp();
    if x >= 0.0 { 1.0 / (1.0 + t) } else { t / (1.0 + t) }
}
