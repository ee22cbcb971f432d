//! The fine stage: the coarse head as a mesh of its own, drawn sharply and pulled on towards
//! what the diffusion model sees.
//!
//! The surface is a tetrahedral lattice's ([`crate::render::tets`]), started from the cleaned
//! mesh of the coarse field with its true distances; the colours are a field's albedo at the
//! surface, so nothing is seen through anything and light is kept apart from albedo.

use super::coarse::{CoarseResult, StartHead, pull};
use super::controls::Controls;
use super::extract::{self, Avatar, MeshConfig};
use super::state::Arrays;
use super::views::{self, ViewConfig};
use super::{Progress, Stage, StageError, origin};
use crate::batch::{ControlKind, ImageBatch};
use crate::geometry::{ColoredMesh, Mesh, smooth};
use crate::guidance::{DistillationConfig, Guidance, Steering, StepId, TimestepSchedule};
use crate::render::GpuContext;
use crate::render::field::{Appearance, FieldConfig, GridConfig, Rates};
use crate::render::mesh::orbit_view;
use crate::render::mesh_scene::MeshScene;
use crate::render::raster::MeshRegularisers;
use crate::render::tets::TetRates;
use glam::Vec3;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Name of the stage in events, checkpoints and random streams.
pub const STAGE: &str = "fine";

/// How long and how fast the mesh is optimised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineConfig {
    /// Steps; 0 leaves the stage out.
    pub steps: u64,
    /// Updates of the mesh in one step, as in the coarse stage.
    pub inner_steps: u32,
    /// Cells a side of the tetrahedral lattice.
    pub cells: u32,
    /// Height and width of the rendered views, pixels.
    pub size: u32,
    /// Share of views lit by a random light: what shapes the surface between its outlines.
    pub lit: f32,
    /// Steps at the start that show the surface's normals alone.
    pub normal_steps: u64,
    /// Share of later steps that do.
    pub normal_share: f32,
    /// Noise levels; by default the coarse stage's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timesteps: Option<TimestepSchedule>,
    /// See [`DistillationConfig::coarser_than`]; by default the coarse stage's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coarser_than: Option<f64>,
    /// Grid of the texture, for a field without a network; by default the coarse stage's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texture: Option<GridConfig>,
    /// Learning rate of the signed distances, cells a step.
    pub distance_rate: f32,
    /// Learning rate of the nodes' displacements.
    pub deform_rate: f32,
    /// Learning rate of the texture's feature grid.
    pub grid_rate: f32,
    /// Adam's epsilon for the texture's features: places with less gradient than that move
    /// in proportion to it, so that noise does not grow into specks. By default the field's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_epsilon: Option<f32>,
    /// Learning rate of its small network.
    pub network_rate: f32,
    /// Factor on the learning rates at the last step; they fall linearly to it.
    pub final_rate: f32,
    /// What keeps the mesh even.
    pub regularisers: MeshRegularisers,
}

impl Default for FineConfig {
    /// No fine stage: what a log of an older version means.
    fn default() -> Self {
        Self {
            steps: 0,
            inner_steps: 1,
            cells: 96,
            size: 128,
            lit: 0.0,
            normal_steps: 0,
            normal_share: 0.0,
            timesteps: None,
            coarser_than: None,
            texture: None,
            distance_rate: 0.02,
            deform_rate: 0.01,
            grid_rate: 0.01,
            grid_epsilon: None,
            network_rate: 0.001,
            final_rate: 1.0,
            regularisers: MeshRegularisers::default(),
        }
    }
}

impl FineConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The flag or key and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        if self.steps > 100_000 {
            return Err(("--fine-steps", format!("{} is not within 0..100000", self.steps)));
        }
        if !(1..=100).contains(&self.inner_steps) {
            let what = format!("{} is not within 1..100", self.inner_steps);
            return Err(("fine.inner_steps", what));
        }
        if !(16..=256).contains(&self.cells) {
            return Err(("fine.cells", format!("{} is not within 16..256", self.cells)));
        }
        for (field, value, max) in [
            ("fine.lit", self.lit, 1.0),
            ("fine.normal_share", self.normal_share, 1.0),
            // A node must not cross the lattice's band before the band follows.
            ("fine.distance_rate", self.distance_rate, 0.3),
            ("fine.deform_rate", self.deform_rate, 10.0),
            ("fine.grid_rate", self.grid_rate, 10.0),
            ("fine.network_rate", self.network_rate, 10.0),
            ("fine.final_rate", self.final_rate, 1.0),
            ("fine.regularisers.laplacian", self.regularisers.laplacian, 1e9),
            ("fine.regularisers.consistency", self.regularisers.consistency, 1e9),
        ] {
            if !(0.0..=max).contains(&value) {
                return Err((field, format!("{value} is not within 0..{max}")));
            }
        }
        if self.timesteps.is_some_and(|timesteps| !timesteps.is_valid()) {
            return Err(("fine.timesteps", "needs ordered bounds within 0..1".into()));
        }
        if let Some(width) = self.coarser_than.filter(|width| !(0.0..=0.2).contains(width)) {
            return Err(("fine.coarser_than", format!("{width} is not within 0..0.2")));
        }
        Ok(())
    }

    /// How this stage distils, given how the coarse one does.
    #[must_use]
    pub fn guidance(&self, coarse: &DistillationConfig) -> DistillationConfig {
        DistillationConfig {
            timesteps: self.timesteps.unwrap_or(coarse.timesteps),
            coarser_than: self.coarser_than.unwrap_or(coarse.coarser_than),
            ..coarse.clone()
        }
    }

    /// The field that colours the mesh, given the coarse one.
    #[must_use]
    pub fn field(&self, coarse: &FieldConfig) -> FieldConfig {
        let mut field = coarse.clone();
        if let Some(grid) = self.texture.as_ref().filter(|_| coarse.is_plain()) {
            field.grid = grid.clone();
        }
        field.adam.epsilon = self.grid_epsilon.unwrap_or(field.adam.epsilon);
        field
    }

    /// The views of this stage: the coarse stage's, drawn as these settings say.
    #[must_use]
    pub fn views(&self, coarse: &ViewConfig) -> ViewConfig {
        ViewConfig { size: self.size, lit: self.lit, ..coarse.clone() }
    }
}

/// The stage with its state.
#[derive(Debug)]
pub struct FineStage<G> {
    scene: MeshScene,
    guidance: G,
    controls: Controls,
    views: ViewConfig,
    config: FineConfig,
    /// On all learning rates.
    rate_factor: f32,
    seed: u64,
    done: u64,
    /// Name in random streams.
    stream: &'static str,
    /// The head before an edit, for guidance that reads pictures of it.
    frozen: Option<MeshScene>,
}

/// The settings that the stage is made from.
#[derive(Debug, Clone, Copy)]
pub struct FineSettings<'a> {
    /// Cameras, lights, backgrounds of the coarse stage.
    pub views: &'a ViewConfig,
    /// The optimisation.
    pub fine: &'a FineConfig,
    /// How the coarse surface is found.
    pub mesh: &'a MeshConfig,
    /// Decides every random number.
    pub seed: u64,
}

impl<G: Guidance> FineStage<G> {
    /// A stage at step 0 that starts from a coarse stage.
    ///
    /// # Errors
    /// [`StageError::Geometry`] if the field has no surface, [`StageError::Render`].
    pub fn new(
        gpu: &GpuContext,
        settings: FineSettings<'_>,
        coarse: CoarseResult<G>,
    ) -> Result<Self, StageError> {
        let CoarseResult { field, guidance, controls } = coarse;
        let scene = origin::of_field(gpu, settings, field)?;
        Ok(Self::of(scene, settings, guidance, controls, 0))
    }

    /// A stage at step 0 that starts from a head of the prior, without a coarse stage; `field`
    /// are the settings that a coarse field would have.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_person(
        gpu: &GpuContext,
        settings: FineSettings<'_>,
        field: &FieldConfig,
        guidance: G,
        controls: Controls,
        start: &StartHead,
    ) -> Result<Self, StageError> {
        let scene = origin::of_person(gpu, settings, field, start)?;
        Ok(Self::of(scene, settings, guidance, controls, 0))
    }

    /// A stage that goes on from a checkpoint's state after `done` steps; `field` are the
    /// settings of the texture.
    ///
    /// # Errors
    /// [`StageError::Checkpoint`] if the arrays do not fit, [`StageError::Render`].
    pub fn restore(
        gpu: &GpuContext,
        settings: FineSettings<'_>,
        field: &FieldConfig,
        guidance: G,
        controls: Controls,
        arrays: Arrays,
        done: u64,
    ) -> Result<Self, StageError> {
        let scene = origin::restore(gpu, &settings.fine.field(field), arrays, done)?;
        Ok(Self::of(scene, settings, guidance, controls, done))
    }

    /// The mesh as it is.
    pub fn scene(&mut self) -> &mut MeshScene {
        &mut self.scene
    }

    /// The same stage as an edit of the head that `frozen` shows.
    pub(super) fn editing(mut self, frozen: MeshScene, stream: &'static str) -> Self {
        (self.frozen, self.stream) = (Some(frozen), stream);
        self
    }

    pub(super) fn of(
        scene: MeshScene,
        settings: FineSettings<'_>,
        guidance: G,
        controls: Controls,
        done: u64,
    ) -> Self {
        let config = settings.fine.clone();
        let views = config.views(settings.views);
        let (seed, stream, frozen) = (settings.seed, STAGE, None);
        let rate_factor = 1.0;
        Self { scene, guidance, controls, views, config, rate_factor, seed, done, stream, frozen }
    }

    /// What this step shows of the surface.
    fn appearance(&self) -> Appearance {
        let mut rng = crate::rng::stream(self.seed, self.stream, self.done, "appearance");
        let normals =
            self.done < self.config.normal_steps || rng.random::<f32>() < self.config.normal_share;
        if normals { Appearance::Normals } else { Appearance::Shaded }
    }

    fn rates(&self, progress: f64) -> (Rates, TetRates) {
        let config = &self.config;
        let decay = 1.0 + (config.final_rate - 1.0) * progress as f32;
        let factor = self.rate_factor * decay;
        let geometry = TetRates {
            distance: config.distance_rate * factor,
            deform: config.deform_rate * factor,
        };
        (Rates::new(config.grid_rate * factor, config.network_rate * factor), geometry)
    }
}

impl<G: Guidance> Stage for FineStage<G> {
    const NAME: &'static str = STAGE;

    fn done(&self) -> u64 {
        self.done
    }

    fn step(&mut self) -> Result<Progress, StageError> {
        let at = StepId { stage: self.stream, step: self.done, steps: self.config.steps };
        let views = views::sample(&self.views, self.seed, self.stream, self.done);
        let appearance = self.appearance();
        let mut controls = self.controls.draw(&views)?;
        if let Some(frozen) = &mut self.frozen {
            // The same camera, light and background, as the ControlNet was trained.
            let before = frozen.render(&views, Appearance::Shaded)?.color;
            controls.insert(ControlKind::Reference, before);
        }
        let images = self.scene.render(&views, appearance)?.color;
        let mut evaluations = self.scene.covered();
        let guided = self.guidance.image_gradient(&views, &images, &controls, at)?;
        let (rates, geometry) = self.rates(at.progress());
        let regularisers = self.config.regularisers;
        self.scene.backward(&guided.gradient.data, None, regularisers)?;
        self.scene.step(&rates, geometry)?;
        if let Some(target) = &guided.target {
            for _ in 1..self.config.inner_steps {
                let images = self.scene.render(&views, appearance)?.color;
                evaluations += self.scene.covered();
                self.scene.backward(&pull(&images, target).data, None, regularisers)?;
                self.scene.step(&rates, geometry)?;
            }
        }
        self.done += 1;
        Ok(Progress {
            done: self.done,
            loss: guided.loss,
            gradient_norm: guided.gradient.norm(),
            timestep: guided.timestep,
            evaluations: u64::from(evaluations),
        })
    }

    fn snapshot(&mut self) -> Result<ImageBatch, StageError> {
        let views = [0.0, 90.0, 180.0, 270.0].map(|a| orbit_view(a, 5.0, self.views.size));
        Ok(self.scene.render(&views, Appearance::Shaded)?.color)
    }

    fn surface(&mut self) -> Result<Option<ColoredMesh>, StageError> {
        let mesh = self.scene.mesh()?;
        let colors = self.scene.texture().query(&mesh.positions)?;
        let normals = smooth::vertex_normals(&mesh);
        Ok(Some(ColoredMesh { mesh, normals, colors }))
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
        origin::save(&mut self.scene)
    }

    fn finish(&mut self, config: &MeshConfig) -> Result<Avatar, StageError> {
        let mesh = self.scene.mesh()?;
        extract::finish(&mesh, self.scene.texture(), config)
    }
}

/// Points all over a mesh (its vertices and the middles of its triangles), with normals.
pub(super) fn surface_points(mesh: &Mesh) -> (Vec<Vec3>, Vec<Vec3>) {
    let normals = smooth::vertex_normals(mesh);
    let middles = mesh.triangles.iter().map(|t| {
        let [a, b, c] = t.map(|v| v as usize);
        let at = |values: &[Vec3]| (values[a] + values[b] + values[c]) / 3.0;
        (at(&mesh.positions), at(&normals).normalize_or(Vec3::Y))
    });
    let corners = mesh.positions.iter().copied().zip(normals.iter().copied());
    corners.chain(middles).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GenerationConfig;
    use crate::geometry::topology;
    use crate::guidance::ControlRequest;
    use crate::pipeline::CoarseStage;
    use crate::pipeline::coarse::StartHead;
    use crate::pipeline::unrest::Unrest;

    #[test]
    fn a_field_with_a_network_goes_on_as_a_texture() {
        let gpu = GpuContext::new().unwrap();
        let mut config = GenerationConfig::preset("headsculpt").unwrap();
        let grid = &mut config.field.grid;
        (grid.levels, grid.finest_resolution, grid.log2_table) = (6, 64, 14);
        (config.field.mlp.hidden_width, config.field.mlp.hidden_layers) = (16, 1);
        config.field.occupancy.resolution = 64;
        (config.views.size, config.views.count) = (24, 2);
        (config.coarse.steps, config.coarse.normal_steps) = (2, 1);
        (config.fine.steps, config.fine.normal_steps) = (3, 1);
        (config.fine.cells, config.fine.size) = (40, 32);
        (config.mesh.grid, config.mesh.triangles, config.mesh.texture) = (64, 3000, 512);
        config.mesh.bust = -0.8;
        let request = ControlRequest::default();
        let start = StartHead::mean();
        let settings = config.coarse_settings();
        let mut coarse =
            CoarseStage::new(&gpu, settings, Unrest, request.clone(), start.clone()).unwrap();
        coarse.step().unwrap();
        coarse.step().unwrap();
        let fine = config.fine_settings();
        let mut stage = FineStage::new(&gpu, fine, coarse.into_parts()).unwrap();
        let begun = stage.save().unwrap();
        // One of normals, then one of colours.
        stage.step().unwrap();
        let middle = stage.save().unwrap();
        assert!(begun["tets.change"] != middle["tets.change"], "the surface stays");
        stage.step().unwrap();
        assert!(middle["parameters"] != stage.save().unwrap()["parameters"], "the colours stay");
        stage.step().unwrap();
        let whole = stage.save().unwrap();
        let controls = Controls::new(&gpu, request, start.control).unwrap();
        let mut resumed =
            FineStage::restore(&gpu, fine, &config.field, Unrest, controls, middle, 1).unwrap();
        resumed.step().unwrap();
        resumed.step().unwrap();
        assert!(whole == resumed.save().unwrap());
        let found = topology::check(&stage.scene().mesh().unwrap());
        assert!(found.is_closed_manifold(), "{found}");
        let avatar = stage.finish(&config.mesh).unwrap();
        assert!(avatar.textured.mesh.triangles.len() > 1000);
    }
}
