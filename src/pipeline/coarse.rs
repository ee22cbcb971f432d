//! The coarse stage: a neural field pulled towards what the diffusion model sees.

use super::controls::Controls;
use super::extract::{self, Avatar, MeshConfig};
use super::state::{self, Arrays};
use super::views::{self, ViewConfig};
use super::{Progress, Stage, StageError};
use crate::batch::{ImageBatch, View};
use crate::guidance::{ControlRequest, Guidance, Steering, StepId};
use crate::head::{DistanceField, HeadModel, HeadParams, HeadPose, ShapedHead};
use crate::render::field::{Appearance, Field, FieldConfig, FieldImages, PriorGrid, Rates};
use crate::render::mesh::orbit_view;
use crate::render::studio::{StudioHead, StudioSample, voxels};
use crate::render::{GpuContext, RenderError};
use glam::Vec3;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the stage in events, checkpoints and random streams.
pub const STAGE: &str = "coarse";

/// Nodes a side of the lattice on which the field sees the prior's distance: 0.01
/// world units apart, about 3 mm, and interpolated.
const PRIOR_RESOLUTION: u32 = 192;

/// How long and how fast the field is optimised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoarseConfig {
    /// Steps: guidance is asked once in each.
    pub steps: u64,
    /// Updates of the field in one step. More than 1 needs a rule with a target (x0):
    /// the views are rendered again and pulled to the same target.
    pub inner_steps: u32,
    /// Seconds between checkpoints, at most 20: what a killed run loses.
    pub checkpoint_seconds: f64,
    /// The fewest steps between snapshots for a viewer; 0 leaves it to the time that they take.
    pub snapshot_every: u64,
    /// Steps at the start that show normals instead of colours: to a latent diffusion model
    /// with the opacity as a fourth channel, straight as its latents, to others as pictures.
    #[serde(default)]
    pub normal_steps: u64,
    /// Learning rate of the feature grid.
    pub grid_rate: f32,
    /// Learning rate of its first feature, the density logit, for a field without a
    /// network; by default the grid's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density_rate: Option<f32>,
    /// Learning rate of the small network.
    pub network_rate: f32,
    /// Factor on the learning rates at the last step; they fall linearly to it.
    pub final_rate: f32,
    /// How strongly ControlNets steer; 1 is the paper's.
    pub control_scale: f64,
}

impl CoarseConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        if !(1..=100).contains(&self.inner_steps) {
            let what = format!("{} is not within 1..100", self.inner_steps);
            return Err(("coarse.inner_steps", what));
        }
        for (field, value, max) in [
            ("coarse.grid_rate", self.grid_rate, 10.0),
            ("coarse.density_rate", self.density_rate.unwrap_or(0.0), 10.0),
            ("coarse.network_rate", self.network_rate, 10.0),
            ("coarse.final_rate", self.final_rate, 1.0),
            ("coarse.control_scale", self.control_scale as f32, 10.0),
            ("coarse.checkpoint_seconds", self.checkpoint_seconds as f32, 20.0),
        ] {
            if !(0.0..=max).contains(&value) {
                return Err((field, format!("{value} is not within 0..{max}")));
            }
        }
        Ok(())
    }
}

/// What a step shows of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Colors,
    Normals,
    /// Normals and opacity, four channels over black.
    NormalLatents,
}

impl Shown {
    fn appearance(self) -> Appearance {
        match self {
            Self::Colors => Appearance::Shaded,
            Self::Normals | Self::NormalLatents => Appearance::Normals,
        }
    }

    /// The views as they are drawn: latents have no background.
    fn views(self, mut views: Vec<View>) -> Vec<View> {
        if self == Self::NormalLatents {
            for view in &mut views {
                view.background = [0.0; 3];
            }
        }
        views
    }

    fn images(self, drawn: FieldImages) -> ImageBatch {
        if self != Self::NormalLatents {
            return drawn.color;
        }
        let pixels = drawn.color.data.chunks_exact(3).zip(&drawn.opacity);
        let data = pixels.flat_map(|(n, opacity)| [n[0], n[1], n[2], *opacity]).collect();
        ImageBatch { channels: 4, data, ..drawn.color }
    }

    /// The gradients of colour and opacity in those of the images.
    fn split(self, gradient: &ImageBatch) -> (Vec<f32>, Option<Vec<f32>>) {
        if self != Self::NormalLatents {
            return (gradient.data.clone(), None);
        }
        let pixels = gradient.data.chunks_exact(4);
        let color = pixels.clone().flat_map(|p| [p[0], p[1], p[2]]).collect();
        (color, Some(pixels.map(|p| p[3]).collect()))
    }
}

/// The settings that the stage is made from.
#[derive(Debug, Clone, Copy)]
pub struct CoarseSettings<'a> {
    /// Cameras, lights, backgrounds.
    pub views: &'a ViewConfig,
    /// The neural field.
    pub field: &'a FieldConfig,
    /// The optimisation.
    pub coarse: &'a CoarseConfig,
    /// Decides every random number.
    pub seed: u64,
}

/// The head that the stage starts from.
#[derive(Debug, Clone)]
pub struct StartHead {
    /// What control images show: one identity at rest.
    pub control: ShapedHead,
    /// Where the field is solid at first: the same identity, with its expression.
    pub surface: ShapedHead,
    /// What it has on, and its colours.
    pub look: Option<Dressed>,
}

/// A person of the studio as the field starts from it.
#[derive(Debug, Clone)]
pub struct Dressed {
    person: StudioSample,
    head: StudioHead,
}

impl StartHead {
    /// The mean head of the prior.
    #[must_use]
    pub fn mean() -> Self {
        let mean = HeadModel::embedded().mean();
        Self { control: mean.clone(), surface: mean.clone(), look: None }
    }

    /// The head with these parameters.
    ///
    /// # Errors
    /// [`StageError::Head`] for parameters out of range.
    pub fn of(params: &HeadParams) -> Result<Self, StageError> {
        let model = HeadModel::embedded();
        let rest =
            HeadParams { expression: BTreeMap::new(), pose: HeadPose::default(), ..params.clone() };
        Ok(Self { control: model.shape(&rest)?, surface: model.shape(params)?, look: None })
    }

    /// Signed distances to the head with what it has on.
    #[must_use]
    pub fn solid(&self) -> DistanceField {
        let bare = bare(&self.surface);
        match &self.look {
            Some(look) => look.over(&bare),
            None => bare,
        }
    }

    /// A person of the studio, with hair, hats and glasses as solid as skin, and in its
    /// colours.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn person(person: &StudioSample) -> Result<Self, StageError> {
        let look = Dressed::of(person)?;
        let surface = look.head().skin.clone();
        Ok(Self { look: Some(look), surface, ..Self::of(&person.params)? })
    }
}

/// Signed distances to the bare skin of a head.
#[must_use]
pub fn bare(head: &ShapedHead) -> DistanceField {
    let surface = HeadModel::embedded().closed_surface(head);
    DistanceField::of(&surface, PRIOR_RESOLUTION as usize)
}

/// The stage with its state.
#[derive(Debug)]
pub struct CoarseStage<G> {
    field: Field,
    guidance: G,
    controls: Controls,
    views: ViewConfig,
    config: CoarseConfig,
    /// On all learning rates.
    rate_factor: f32,
    seed: u64,
    done: u64,
}

/// What a coarse stage leaves behind.
#[derive(Debug)]
pub struct CoarseResult<G> {
    /// The field.
    pub field: Field,
    /// The guidance.
    pub guidance: G,
    /// What draws control images.
    pub controls: Controls,
}

impl Dressed {
    /// The person with what they have on.
    ///
    /// # Errors
    /// [`StageError::Head`] for parameters out of range.
    pub fn of(person: &StudioSample) -> Result<Self, StageError> {
        let head = StudioHead::new(&person.params, &person.look, person.seed)?;
        Ok(Self { person: person.clone(), head })
    }

    /// Signed distances to the person, from those to its bare skin.
    #[must_use]
    pub fn over(&self, skin: &DistanceField) -> DistanceField {
        voxels::dressed(skin, &self.head)
    }

    /// Whether the two differ by colours alone.
    #[must_use]
    pub fn has_shape_of(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.head.mesh, &other.head.mesh);
        self.head.prior_triangles == other.head.prior_triangles
            && mine.triangles == theirs.triangles
            && mine.positions() == theirs.positions()
    }

    /// The person's head and what it has on.
    #[must_use]
    pub fn head(&self) -> &StudioHead {
        &self.head
    }

    /// The albedo (sRGB-encoded) at points of the person's surface; `solid` is where it is solid.
    #[must_use]
    pub fn colors(&self, solid: &DistanceField, points: &[Vec3]) -> Vec<Vec3> {
        voxels::surface_colors(&self.head, &self.person, solid, points)
    }
}

/// The field as it starts.
///
/// # Errors
/// [`StageError::Render`] for settings that the field refuses, or a driver error.
pub(super) fn field_of(
    gpu: &GpuContext,
    settings: CoarseSettings<'_>,
    start: &StartHead,
) -> Result<Field, StageError> {
    let solid = start.solid();
    let prior = PriorGrid::from_values(PRIOR_RESOLUTION, solid.values.clone())?;
    let mut field = Field::new(gpu, settings.field.clone(), &prior, settings.seed)?;
    // A field with a network finds its colours by itself.
    if let Some((look, nodes)) = start.look.as_ref().zip(field.paintable()) {
        field.paint(&voxels::colors(&look.head, &look.person, &solid, nodes))?;
    }
    Ok(field)
}

impl<G: Guidance> CoarseStage<G> {
    /// A stage at step 0: the field starts as `start`. `requested` are the control images
    /// that the guidance needs.
    ///
    /// # Errors
    /// [`StageError::Render`] for settings that the field refuses, or a driver error.
    pub fn new(
        gpu: &GpuContext,
        settings: CoarseSettings<'_>,
        guidance: G,
        requested: ControlRequest,
        start: StartHead,
    ) -> Result<Self, StageError> {
        Ok(Self {
            field: field_of(gpu, settings, &start)?,
            guidance,
            controls: Controls::new(gpu, requested, start.control)?,
            views: settings.views.clone(),
            config: settings.coarse.clone(),
            rate_factor: 1.0,
            seed: settings.seed,
            done: 0,
        })
    }

    /// The field as it is.
    pub fn field(&mut self) -> &mut Field {
        &mut self.field
    }

    /// Ends the stage: what the next one goes on with.
    pub fn into_parts(self) -> CoarseResult<G> {
        CoarseResult { field: self.field, guidance: self.guidance, controls: self.controls }
    }

    /// Draws the views for training; `true` if the field kept what their gradient needs.
    /// If all of them together are more than it may hold, they are only drawn, and
    /// [`Self::descend`] takes them piece by piece.
    fn render(
        &mut self,
        views: &[View],
        shown: Shown,
        inner: u32,
    ) -> Result<(ImageBatch, bool), StageError> {
        let key = self.render_key(inner);
        let mut draw = |training| self.field.render_as(views, shown.appearance(), key, training);
        match draw(true) {
            Ok(images) => Ok((shown.images(images), true)),
            Err(RenderError::TooLarge { .. }) => Ok((shown.images(draw(false)?), false)),
            Err(error) => Err(error.into()),
        }
    }

    /// What this step shows.
    fn shown(&self) -> Shown {
        if self.done >= self.config.normal_steps {
            Shown::Colors
        } else if self.guidance.takes_latents() {
            Shown::NormalLatents
        } else {
            Shown::Normals
        }
    }

    /// Adds the gradient of the views to the field's, with that of the regularisers.
    fn descend(
        &mut self,
        views: &[View],
        (shown, inner): (Shown, u32),
        kept: bool,
        gradient: &ImageBatch,
    ) -> Result<(), StageError> {
        let (color, opacity) = shown.split(gradient);
        if kept {
            self.field.backward(&color, opacity.as_deref())?;
            return Ok(());
        }
        let whole = self.field.regularisers();
        let pixels = (color.len() / 3) as u32;
        let mut first = 0;
        let mut count = pixels.div_ceil(2);
        while first < pixels {
            let part = first..pixels.min(first + count);
            // Regularisers are means over a render: each part brings its share.
            self.field.set_regularisers(whole.scaled(part.len() as f32 / pixels as f32))?;
            let key = self.render_key(inner);
            match self.field.render_pixels(views, shown.appearance(), part.clone(), key) {
                Err(RenderError::TooLarge { .. }) if part.len() > 1 => count = count.div_ceil(2),
                drawn => {
                    drawn?;
                    let alone = part.start as usize..part.end as usize;
                    let values = 3 * alone.start..3 * alone.end;
                    let opacity = opacity.as_ref().map(|opacity| &opacity[alone]);
                    self.field.backward(&color[values], opacity)?;
                    first = part.end;
                }
            }
        }
        self.field.set_regularisers(whole)?;
        Ok(())
    }

    /// Keys the jitter of one render: a function of seed, step and inner step.
    fn render_key(&self, inner: u32) -> u64 {
        use rand::RngCore;
        let step = self.done * u64::from(self.config.inner_steps) + u64::from(inner);
        crate::rng::stream(self.seed, STAGE, step, "jitter").next_u64()
    }

    fn rates(&self, progress: f64) -> Rates {
        let decay = 1.0 + (self.config.final_rate - 1.0) * progress as f32;
        let factor = self.rate_factor * decay;
        let mut rates =
            Rates::new(self.config.grid_rate * factor, self.config.network_rate * factor);
        if let Some(rate) = self.config.density_rate {
            rates.features[0] = rate * factor;
        }
        rates
    }

    /// Goes on from a checkpoint's state after `done` steps.
    ///
    /// # Errors
    /// [`StageError::Checkpoint`] if the arrays do not fit the settings.
    pub fn restore(&mut self, arrays: Arrays, done: u64) -> Result<(), StageError> {
        let restored = self.field.restore(&state::decode(arrays)?);
        restored.map_err(|error| StageError::from(error).unfit())?;
        self.done = done;
        Ok(())
    }
}

impl<G: Guidance> Stage for CoarseStage<G> {
    const NAME: &'static str = STAGE;

    fn done(&self) -> u64 {
        self.done
    }

    fn step(&mut self) -> Result<Progress, StageError> {
        let at = StepId { stage: STAGE, step: self.done, steps: self.config.steps };
        let shown = self.shown();
        let views = shown.views(views::sample(&self.views, self.seed, STAGE, self.done));
        let controls = self.controls.draw(&views)?;
        self.field.update_occupancy(self.done)?;
        let (images, kept) = self.render(&views, shown, 0)?;
        let mut evaluations = self.field.stats().evaluations;
        let guided = self.guidance.image_gradient(&views, &images, &controls, at)?;
        let rates = self.rates(at.progress());
        self.descend(&views, (shown, 0), kept, &guided.gradient)?;
        self.field.step(&rates)?;
        if let Some(target) = &guided.target {
            for inner in 1..self.config.inner_steps {
                let (images, kept) = self.render(&views, shown, inner)?;
                evaluations += self.field.stats().evaluations;
                self.descend(&views, (shown, inner), kept, &pull(&images, target))?;
                self.field.step(&rates)?;
            }
        }
        self.done += 1;
        Ok(Progress {
            done: self.done,
            loss: guided.loss,
            gradient_norm: guided.gradient.norm(),
            timestep: guided.timestep,
            evaluations,
        })
    }

    fn snapshot(&mut self) -> Result<ImageBatch, StageError> {
        let views: Vec<View> = [0.0, 90.0, 180.0, 270.0]
            .map(|azimuth| orbit_view(azimuth, 5.0, self.views.size))
            .to_vec();
        Ok(self.field.render(&views, 0, false)?.color)
    }

    fn steer(&mut self, change: &Steering) -> Result<(), StageError> {
        match change {
            Steering::Rates { factor } => self.rate_factor = *factor,
            Steering::Views { weights } => self.views.region_weights = *weights,
            _ => {}
        }
        Ok(self.guidance.steer(change)?)
    }

    fn save(&mut self) -> Result<Arrays, StageError> {
        Ok(state::encode(&self.field.state()?))
    }

    fn finish(&mut self, config: &MeshConfig) -> Result<Avatar, StageError> {
        extract::extract(&mut self.field, config)
    }
}

/// Gradient of `sum (x - target)^2 / views`.
pub(super) fn pull(images: &ImageBatch, target: &ImageBatch) -> ImageBatch {
    let scale = 2.0 / images.views as f32;
    let data = images.data.iter().zip(&target.data).map(|(x, t)| (x - t) * scale).collect();
    ImageBatch { data, ..*images }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Look;
    use crate::head::look::{Ears, HairStyle};

    #[test]
    fn controls_rest_and_the_surface_has_the_expression() {
        let expression = BTreeMap::from([("jawOpen".to_owned(), 1.0)]);
        let params = HeadParams { age: 0.9, expression, ..HeadParams::default() };
        let start = StartHead::of(&params).unwrap();
        let rest = HeadParams { expression: BTreeMap::new(), ..params.clone() };
        assert_eq!(start.control, HeadModel::embedded().shape(&rest).unwrap());
        assert_eq!(start.surface, HeadModel::embedded().shape(&params).unwrap());
        assert_ne!(start.control, start.surface);
        assert!(StartHead::of(&HeadParams { age: 2.0, ..params }).is_err());
        assert_eq!(StartHead::mean().control, *HeadModel::embedded().mean());
    }

    #[test]
    fn an_elf_is_one_before_anything_is_optimised() {
        let start = |ears| {
            let look = Look { ears, hair: HairStyle::Long, ..Look::default() };
            let person = StudioSample { look, params: HeadParams::default(), seed: 1 };
            StartHead::person(&person).unwrap()
        };
        // How far up the solid reaches beside the skull.
        let top = |head: &StartHead| {
            let ears = head.surface.positions.iter().filter(|p| p.x.abs() > 0.28);
            ears.map(|p| p.y).fold(f32::NEG_INFINITY, f32::max)
        };
        let (elf, other) = (start(Ears::Pointed), start(Ears::Normal));
        assert!(top(&elf) > top(&other) + 0.05, "{} {}", top(&elf), top(&other));
        assert_eq!(elf.control, other.control);
        // Skin, not hair, is seen there.
        let tip = *elf.surface.positions.iter().max_by(|a, b| a.x.total_cmp(&b.x)).unwrap();
        assert!(elf.solid().sample(tip) < 0.02);
        let side = Vec3::new(0.5, 0.0, 0.0);
        let outermost = |head: &StartHead| {
            let solid = head.solid();
            let inwards = (0..200).map(|i| side - Vec3::X * (i as f32 * 0.002));
            inwards.into_iter().find(|p| solid.sample(*p) < 0.0).unwrap().x
        };
        assert!(outermost(&elf) < outermost(&other), "hair falls over an elf's ears");
    }
}
