//! An edit in words: the finished mesh goes on, guided by description and instruction, with
//! pictures of the head before as a reference.
//!
//! Where the instruction is understood as a change of the person (another beard, older), the
//! edit starts as that change: the difference between the two persons' distances is added to
//! the mesh's, and that of their colours to its texture. What the two have in common is left
//! alone, whatever became of it since.

use super::coarse::{Dressed, StartHead};
use super::controls::Controls;
use super::extract::{self, Avatar, MeshConfig};
use super::fine::{FineConfig, FineSettings, FineStage, surface_points};
use super::state::Arrays;
use super::{Progress, Stage, StageError};
use crate::batch::ImageBatch;
use crate::geometry::ScalarGrid;
use crate::guidance::{Guidance, TimestepSchedule};
use crate::head::DistanceField;
use crate::render::GpuContext;
use crate::render::field::FieldConfig;
use crate::render::mesh_scene::MeshScene;
use crate::render::studio::StudioSample;
use glam::Vec3;
use serde::{Deserialize, Serialize};

/// Name of the stage in events, checkpoints and random streams.
pub const STAGE: &str = "edit";

/// Distances are compared up to here, world units: the lattice's band is not much wider.
const FARTHEST: f32 = 0.04;
/// Differences of distances below this are rounding, world units.
const SAME: f32 = 1e-5;
/// Differences of colours below this count as none.
const SAME_COLOR: f32 = 4e-3;
/// By how many cells of the lattice what grows is thicker than the person's.
const THICKER: f32 = 0.2;
/// Triangles of the mesh that says where the edited surface may be.
const REACH_TRIANGLES: usize = 60_000;

/// How an edit is optimised; everything else is the fine stage's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditConfig {
    /// Steps.
    pub steps: u64,
    /// How far an edit follows its instruction where nobody says: 0 not at all, 1 without
    /// looking back.
    pub strength: f64,
    /// Noise levels; by default the fine stage's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timesteps: Option<TimestepSchedule>,
}

impl Default for EditConfig {
    /// The paper's: what a log of an older version means.
    fn default() -> Self {
        let always = [0.02, 0.5];
        let timesteps = Some(TimestepSchedule { first: always, last: always });
        Self { steps: 1000, strength: 0.5, timesteps }
    }
}

impl EditConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The flag or key and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, String)> {
        if self.steps > 100_000 {
            return Err(("--steps", format!("{} is not within 0..100000", self.steps)));
        }
        if !(0.0..=1.0).contains(&self.strength) {
            return Err(("--strength", format!("{} is not within 0..1", self.strength)));
        }
        if self.timesteps.is_some_and(|timesteps| !timesteps.is_valid()) {
            return Err(("edit.timesteps", "needs ordered bounds within 0..1".into()));
        }
        Ok(())
    }

    /// The fine stage's settings, for this edit.
    #[must_use]
    pub fn of(&self, fine: &FineConfig) -> FineConfig {
        FineConfig {
            steps: self.steps,
            normal_steps: 0,
            timesteps: self.timesteps.or(fine.timesteps),
            ..fine.clone()
        }
    }
}

/// A person as a solid with colours.
#[derive(Debug)]
struct Outfit {
    dressed: Dressed,
    solid: DistanceField,
}

impl Outfit {
    fn of(person: &StudioSample) -> Result<Self, StageError> {
        let dressed = Dressed::of(person)?;
        let look = Some(dressed.clone());
        let solid = StartHead { look, ..StartHead::of(&person.params)? }.solid();
        Ok(Self { dressed, solid })
    }

    fn colors(&self, points: &[Vec3]) -> Vec<Vec3> {
        self.dressed.colors(&self.solid, points)
    }
}

/// Who the head is before and after.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// As the head is.
    pub before: &'a StudioSample,
    /// As it should be.
    pub after: &'a StudioSample,
    /// How much of the difference is taken over, `[0, 1]`.
    pub strength: f32,
}

/// The stage with its state.
#[derive(Debug)]
pub struct EditStage<G>(FineStage<G>);

impl<G: Guidance> EditStage<G> {
    /// An edit at step 0 of the head whose saved state is `arrays`; `field` are the settings of
    /// its coarse field, and `controls` show the head after the edit.
    ///
    /// # Errors
    /// [`StageError::Checkpoint`] if the arrays do not fit, [`StageError::Render`].
    pub fn new(
        gpu: &GpuContext,
        settings: FineSettings<'_>,
        field: &FieldConfig,
        guidance: G,
        controls: Controls,
        arrays: Arrays,
        change: Option<Change<'_>>,
    ) -> Result<Self, StageError> {
        let field = settings.fine.field(field);
        let scene = |arrays| FineStage::<G>::saved_scene(gpu, field.clone(), arrays, 0);
        let (frozen, mut live) = (scene(arrays.clone())?, scene(arrays)?);
        if let Some(change) = change {
            let (before, after) = (Outfit::of(change.before)?, Outfit::of(change.after)?);
            dress(&mut live, &before, &after, change.strength, settings.mesh)?;
        }
        let stage = FineStage::of(live, settings, guidance, controls, 0);
        Ok(Self(stage.editing(frozen, STAGE)))
    }
}

/// Takes over what distinguishes the persons.
fn dress(
    scene: &mut MeshScene,
    before: &Outfit,
    after: &Outfit,
    strength: f32,
    config: &MeshConfig,
) -> Result<(), StageError> {
    let near = |d: f32| d.clamp(-FARTHEST, FARTHEST);
    let spacing = scene.tets().band().lattice.spacing();
    let grown = |p: Vec3| {
        let by = near(after.solid.sample(p)) - near(before.solid.sample(p));
        if by.abs() < SAME {
            return 0.0;
        }
        // What grows is a little thicker: glasses must not fall through the lattice.
        strength * if by < 0.0 { by - THICKER * spacing } else { by }
    };
    let grid = ScalarGrid::new(after.solid.resolution, after.solid.values.clone())?;
    let reach = extract::cleaned(&grid, config, REACH_TRIANGLES)?.mesh;
    scene.reshape(&reach, grown)?;
    if !scene.texture().is_plain() {
        return Ok(());
    }
    let (points, _) = surface_points(&scene.mesh()?);
    let now = scene.texture().query(&points)?;
    let colors: Vec<Option<Vec3>> = before
        .colors(&points)
        .into_iter()
        .zip(after.colors(&points))
        .zip(&now)
        .map(|((was, will), now)| {
            let by = will - was;
            let differs = by.abs().max_element() > SAME_COLOR;
            differs.then(|| Vec3::from_array(now.albedo) + strength * by)
        })
        .collect();
    scene.texture().repaint_surface(&points, &colors)?;
    Ok(())
}

impl<G: Guidance> Stage for EditStage<G> {
    const NAME: &'static str = STAGE;

    fn done(&self) -> u64 {
        self.0.done()
    }

    fn step(&mut self) -> Result<Progress, StageError> {
        self.0.step()
    }

    fn snapshot(&mut self) -> Result<ImageBatch, StageError> {
        self.0.snapshot()
    }

    fn save(&mut self) -> Result<Arrays, StageError> {
        self.0.save()
    }

    fn finish(&mut self, config: &MeshConfig) -> Result<Avatar, StageError> {
        self.0.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::topology;
    use crate::head::look::{BeardStyle, HairColor, HairStyle};
    use crate::head::{HeadParams, Look};
    use crate::render::field::{Field, GridConfig, PriorGrid};

    /// The person as the fine stage would start from them.
    fn scene(gpu: &GpuContext, outfit: &Outfit, config: &MeshConfig) -> MeshScene {
        let grid = ScalarGrid::new(outfit.solid.resolution, outfit.solid.values.clone()).unwrap();
        let mesh = extract::cleaned(&grid, config, REACH_TRIANGLES).unwrap().mesh;
        let mut field = FieldConfig::quick_voxels();
        field.grid = GridConfig {
            levels: 2,
            base_resolution: 48,
            finest_resolution: 128,
            log2_table: 18,
            ..field.grid
        };
        let nowhere = PriorGrid::from_distance(2, |_| 1.0).unwrap();
        let mut texture = Field::new(gpu, field, &nowhere, 0).unwrap();
        let (points, _) = surface_points(&mesh);
        texture.paint_surface(&points, &outfit.colors(&points)).unwrap();
        MeshScene::new(gpu, &mesh, 64, texture).unwrap()
    }

    #[test]
    fn a_beard_grows_where_beards_grow_and_nowhere_else() {
        let gpu = GpuContext::new().unwrap();
        let config = crate::config::GenerationConfig::preset("quick").unwrap().mesh;
        let person = |beard| StudioSample {
            look: Look {
                male: true,
                beard,
                beard_length: 0.5,
                beard_color: HairColor::Red,
                hair: HairStyle::Bald,
                ..StudioSample::draw(1, crate::render::studio::Split::Train, 3).look.at_rest()
            },
            params: HeadParams { gender: 1.0, ..HeadParams::default() },
            seed: 7,
        };
        let outfit = |beard| Outfit::of(&person(beard)).unwrap();
        let (before, after) = (outfit(BeardStyle::None), outfit(BeardStyle::Full));
        let mut volumes = Vec::new();
        let mut reds = Vec::new();
        let chin = Vec3::new(0.0, -0.33, 0.3);
        let start = scene(&gpu, &before, &config).mesh().unwrap();
        for strength in [0.5, 1.0] {
            let mut scene = scene(&gpu, &before, &config);
            let crown = [Vec3::new(0.0, 0.35, 0.0), Vec3::new(0.1, -0.6, 0.0)];
            let calm = scene.texture().query(&crown).unwrap();
            dress(&mut scene, &before, &after, strength, &config).unwrap();
            let mesh = scene.mesh().unwrap();
            let found = topology::check(&mesh);
            assert!(found.is_closed_manifold(), "{found}");
            volumes.push(mesh.signed_volume());
            let near = |p: &&Vec3| p.distance(chin) < 0.12;
            let points: Vec<Vec3> = mesh.positions.iter().filter(near).copied().collect();
            assert!(points.len() > 20, "{}", points.len());
            let colors = scene.texture().query(&points).unwrap();
            let red = colors.iter().map(|c| c.albedo[0] - c.albedo[2]).sum::<f32>();
            reds.push(red / colors.len() as f32);
            // Above the brows and below the neck every bit stays.
            let far = |mesh: &crate::geometry::Mesh| -> Vec<[u32; 3]> {
                let far = mesh.positions.iter().filter(|p| p.y > 0.2 || p.y < -0.65);
                let mut bits: Vec<_> = far.map(|p| p.to_array().map(f32::to_bits)).collect();
                bits.sort_unstable();
                bits
            };
            assert!(far(&start).len() > 1000);
            assert!(far(&start) == far(&mesh), "{strength}");
            assert_eq!(calm, scene.texture().query(&crown).unwrap());
        }
        let first = start.signed_volume();
        assert!(volumes[0] > first && volumes[1] > volumes[0], "{first} {volumes:?}");
        assert!(reds[1] > reds[0] + 0.05, "{reds:?}");
    }
}
