//! An edit in words: the finished mesh goes on, guided by description and instruction, with
//! pictures of the head before as a reference.
//!
//! Where the instruction is understood as a change of the person (another beard, older), the
//! edit starts as that change: the difference between the two persons' distances is added to
//! the mesh's, and that of their colours to its texture. What the two have in common is left
//! alone, whatever became of it since.

use super::coarse::{self, Dressed};
use super::controls::Controls;
use super::extract::{self, Avatar, MeshConfig};
use super::fine::{FineConfig, FineSettings, FineStage, surface_points};
use super::moved::Moved;
use super::state::Arrays;
use super::{Progress, Stage, StageError, origin, texture};
use crate::batch::ImageBatch;
use crate::geometry::{ColoredMesh, Mesh, ScalarGrid, smoothstep};
use crate::guidance::{Guidance, Steering, TimestepSchedule};
use crate::head::DistanceField;
use crate::render::GpuContext;
use crate::render::field::FieldConfig;
use crate::render::mask::Mask;
use crate::render::mesh_scene::MeshScene;
use crate::render::studio::{StudioHead, StudioSample};
use crate::render::tets::Difference;
use glam::Vec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Name of the stage in events, checkpoints and random streams.
pub const STAGE: &str = "edit";

/// Differences of colours below this count as none.
const SAME_COLOR: f32 = 4e-3;
/// From which to which growth of its area a place is new: it had no texels of its own before.
const UNFOLDED: [f32; 2] = [1.15, 1.6];
/// By how many cells of the lattice what grows is thicker than the person's.
const THICKER: f32 = 0.2;

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
    /// The skin's vertices, and the distances to it.
    skin: (Vec<Vec3>, DistanceField),
    solid: DistanceField,
}

impl Outfit {
    /// A person; what it has in common with another is not measured again.
    fn of(person: &StudioSample, other: Option<&Self>) -> Result<Self, StageError> {
        let dressed = Dressed::of(person)?;
        let positions = &dressed.head().skin.positions;
        let skin = match other.filter(|other| other.skin.0 == *positions) {
            Some(other) => other.skin.clone(),
            None => (positions.clone(), coarse::bare(&dressed.head().skin)),
        };
        let solid = match other.filter(|other| other.dressed.has_shape_of(&dressed)) {
            Some(other) => other.solid.clone(),
            None => dressed.over(&skin.1),
        };
        Ok(Self { dressed, skin, solid })
    }

    fn colors(&self, points: &[Vec3]) -> Vec<Vec3> {
        self.dressed.colors(&self.solid, points)
    }

    fn head(&self) -> &StudioHead {
        self.dressed.head()
    }

    /// The solid's surface, not reduced: where two persons agree, so must their surfaces.
    fn surface(&self, config: &MeshConfig) -> Result<Mesh, StageError> {
        let grid = ScalarGrid::new(self.solid.resolution, self.solid.values.clone())?;
        Ok(extract::cleaned(&grid, config, usize::MAX)?.mesh)
    }
}

/// Where an edit is kept to: a name for it, and where it may change something.
#[derive(Debug, Clone)]
pub struct Place {
    /// Edits of one name share a local change, and the mask of the first of them.
    pub name: &'static str,
    /// Where it may change something.
    pub mask: Mask,
}

/// An edit that was broken off.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The state that its stage saved.
    pub arrays: Arrays,
    /// The steps that were done.
    pub done: u64,
}

/// What an edit does to a head.
#[derive(Debug)]
pub struct EditPlan<'a> {
    /// The saved state of the head.
    pub head: Arrays,
    /// What it takes over of the difference of two persons.
    pub change: Option<Change<'a>>,
    /// Where it is kept to; `None` is everywhere.
    pub place: Option<Place>,
    /// Where it goes on; `None` begins.
    pub begun: Option<Begun>,
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
    /// An edit; `field` are the settings of the head's coarse field, and `controls` show the head
    /// after the edit.
    ///
    /// # Errors
    /// [`StageError::Checkpoint`] if the arrays do not fit, [`StageError::Render`].
    pub fn new(
        gpu: &GpuContext,
        settings: FineSettings<'_>,
        field: &FieldConfig,
        guidance: G,
        controls: Controls,
        plan: EditPlan<'_>,
    ) -> Result<Self, StageError> {
        let EditPlan { head, change, place, begun } = plan;
        let field = settings.fine.field(field);
        let scene = |arrays, done| origin::restore(gpu, &field, arrays, done);
        let resumes = begun.is_some();
        let Begun { arrays, done } =
            begun.unwrap_or_else(|| Begun { arrays: head.clone(), done: 0 });
        let mut live = scene(arrays, done)?;
        let mask = confine(gpu, &mut live, place.as_ref(), &field)?;
        if resumes {
            live.keep_mask(mask);
        } else {
            live.set_mask(mask)?;
            if let Some(change) = change {
                let before = Outfit::of(change.before, None)?;
                let after = Outfit::of(change.after, Some(&before))?;
                dress(&mut live, &before, &after, change.strength, settings.mesh)?;
            }
        }
        let frozen = scene(head, 0)?;
        let stage = FineStage::of(live, settings, guidance, controls, done);
        Ok(Self(stage.editing(frozen, STAGE)))
    }
}

/// Trains only what the edit may change of the colours, and gives where it may change something:
/// edits of one name share a change, and its mask.
fn confine(
    gpu: &GpuContext,
    scene: &mut MeshScene,
    place: Option<&Place>,
    field: &FieldConfig,
) -> Result<Option<Mask>, StageError> {
    let texture = scene.texture();
    let Some(Place { name, mask }) = place else {
        texture.train(None)?;
        return Ok(None);
    };
    let known = texture.changes().iter().find(|change| change.name() == *name);
    let mask = if let Some(change) = known {
        change.mask().clone()
    } else {
        let blank = texture::blank(gpu, texture::change_config(field))?;
        texture.add(name, mask.clone(), blank)?;
        mask.clone()
    };
    texture.train(Some(name))?;
    Ok(Some(mask))
}

/// Takes over what distinguishes the persons.
fn dress(
    scene: &mut MeshScene,
    before: &Outfit,
    after: &Outfit,
    strength: f32,
    config: &MeshConfig,
) -> Result<(), StageError> {
    let uncovered = if before.solid == after.solid {
        None
    } else {
        let (was, is) = (before.surface(config)?, after.surface(config)?);
        let difference = Difference { before: &was, after: &is, share: strength, thicker: THICKER };
        Some(scene.reshape(difference)?)
    };
    if !scene.texture().is_plain() {
        return Ok(());
    }
    let spacing = scene.tets().band().lattice.spacing();
    let (points, _) = surface_points(&scene.mesh()?);
    // A mouth that has moved brings its colours along.
    let moved = Moved::new(before.head(), after.head(), strength);
    let (places, widened): (Vec<Vec3>, Vec<f32>) = points
        .par_iter()
        .map(|point| (moved.back(*point), moved.widening(*point, spacing)))
        .unzip();
    let (now, known) = (scene.texture().query(&places)?, scene.texture().query(&points)?);
    let (was, will) = (before.colors(&places), after.colors(&points));
    let colors: Vec<Option<Vec3>> = (0..points.len())
        .map(|i| {
            // Where there was no surface before, or another thing's, or next to none (the lids
            // of open eyes), nothing is known of its colour.
            let away = before.solid.sample(places[i]).abs() > spacing;
            let bare = uncovered.as_ref().map_or(0.0, |uncovered| uncovered.at(points[i]));
            let unfolded = smoothstep(UNFOLDED[0], UNFOLDED[1], widened[i]).max(bare);
            let new = if away { 1.0 } else { unfolded };
            let by = will[i] - was[i].lerp(now[i], new);
            let wanted = now[i] + strength * by;
            ((wanted - known[i]).abs().max_element() > SAME_COLOR).then_some(wanted)
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

    fn surface(&mut self) -> Result<Option<ColoredMesh>, StageError> {
        self.0.surface()
    }

    fn steer(&mut self, change: &Steering) -> Result<(), StageError> {
        self.0.steer(change)
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
    use crate::pipeline::EditRegion;
    use crate::pipeline::coarse::StartHead;
    use crate::pipeline::unrest::Unrest;
    use crate::render::field::GridConfig;
    use crate::render::texture::Texture;

    /// The person as the fine stage would start from them.
    fn scene(gpu: &GpuContext, outfit: &Outfit, config: &MeshConfig) -> MeshScene {
        let mesh = outfit.surface(config).unwrap();
        let mut field = FieldConfig::quick_voxels();
        field.grid = GridConfig {
            levels: 2,
            base_resolution: 48,
            finest_resolution: 128,
            log2_table: 18,
            ..field.grid
        };
        let mut colors = texture::blank(gpu, field).unwrap();
        let (points, _) = surface_points(&mesh);
        colors.paint_surface(&points, &outfit.colors(&points)).unwrap();
        MeshScene::new(gpu, &mesh, 64, Texture::new(gpu, colors)).unwrap()
    }

    /// A bald man.
    fn bearded(beard: BeardStyle) -> StudioSample {
        StudioSample {
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
        }
    }

    /// Some of a mesh's vertices, to the last bit.
    fn bits(mesh: &Mesh, some: impl Fn(Vec3) -> bool) -> Vec<[u32; 3]> {
        let some = mesh.positions.iter().filter(|p| some(**p));
        let mut bits: Vec<_> = some.map(|p| p.to_array().map(f32::to_bits)).collect();
        bits.sort_unstable();
        bits
    }

    #[test]
    fn a_head_of_another_size_is_closed_and_where_it_should_be() {
        let gpu = GpuContext::new().unwrap();
        let config = crate::config::GenerationConfig::preset("quick").unwrap().mesh;
        let person = |gender: f32, age: f32| StudioSample {
            look: Look { hair: HairStyle::Long, ..Look::default() },
            params: HeadParams { gender, age, ..HeadParams::default() },
            seed: 7,
        };
        let outfit = |gender, age| Outfit::of(&person(gender, age), None).unwrap();
        let before = outfit(0.0, 0.5);
        for after in [outfit(1.0, 0.5), outfit(0.0, 0.12)] {
            let mut scene = scene(&gpu, &before, &config);
            dress(&mut scene, &before, &after, 1.0, &config).unwrap();
            let mesh = scene.mesh().unwrap();
            let found = topology::check(&mesh);
            assert!(found.is_closed_manifold(), "{found}");
            let above = mesh.positions.iter().filter(|p| p.y > config.bust + 0.05);
            let off: Vec<f32> = above.map(|p| after.solid.sample(*p).abs()).collect();
            let mean = off.iter().sum::<f32>() / off.len() as f32;
            assert!(mean < 0.006, "{mean}");
        }
    }

    #[test]
    fn a_beard_grows_where_beards_grow_and_nowhere_else() {
        let gpu = GpuContext::new().unwrap();
        let config = crate::config::GenerationConfig::preset("quick").unwrap().mesh;
        let outfit = |beard| Outfit::of(&bearded(beard), None).unwrap();
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
            let red = colors.iter().map(|c| c.x - c.z).sum::<f32>();
            reds.push(red / colors.len() as f32);
            // Above the brows and below the neck every bit stays.
            let far = |mesh: &Mesh| bits(mesh, |p| p.y > 0.2 || p.y < -0.65);
            assert!(far(&start).len() > 1000);
            assert!(far(&start) == far(&mesh), "{strength}");
            assert_eq!(calm, scene.texture().query(&crown).unwrap());
        }
        let first = start.signed_volume();
        assert!(volumes[0] > first && volumes[1] > volumes[0], "{first} {volumes:?}");
        assert!(reds[1] > reds[0] + 0.05, "{reds:?}");
    }

    #[test]
    fn what_two_people_have_in_common_is_measured_once_and_rightly() {
        let before = bearded(BeardStyle::Full);
        let with = |look: Look| StudioSample { look, ..before.clone() };
        let first = Outfit::of(&before, None).unwrap();
        for (after, same_skin, same_shape) in [
            (with(Look { beard_color: HairColor::Blue, ..before.look }), true, true),
            (with(Look { beard: BeardStyle::Goatee, ..before.look }), true, false),
            (
                StudioSample {
                    params: HeadParams { age: 0.1, ..before.params.clone() },
                    ..before.clone()
                },
                false,
                false,
            ),
        ] {
            let alone = Outfit::of(&after, None).unwrap();
            let beside = Outfit::of(&after, Some(&first)).unwrap();
            assert!(alone.solid == beside.solid && alone.skin == beside.skin);
            assert_eq!(first.skin == alone.skin, same_skin);
            assert_eq!(first.solid == alone.solid, same_shape);
        }
    }

    #[test]
    fn what_lies_outside_a_region_stays_to_the_last_bit() {
        let gpu = GpuContext::new().unwrap();
        let preset = crate::config::GenerationConfig::preset("quick").unwrap();
        let fine = FineConfig {
            steps: 3,
            cells: 48,
            size: 48,
            distance_rate: 0.1,
            texture: Some(GridConfig {
                levels: 2,
                features: 4,
                base_resolution: 24,
                finest_resolution: 96,
                log2_table: 16,
                smoothstep: false,
                init_range: 0.0,
            }),
            ..preset.fine.clone()
        };
        let (before, after) = (bearded(BeardStyle::None), bearded(BeardStyle::Full));
        let mesh = MeshConfig { grid: 96, ..preset.mesh.clone() };
        let settings = FineSettings { views: &preset.views, fine: &fine, mesh: &mesh, seed: 5 };
        let start = StartHead::person(&before).unwrap();
        let head = origin::head_of_person(&gpu, settings, &preset.field, &start).unwrap();
        let mask = EditRegion::Jaw.mask(&start.surface, &[&before, &after]).unwrap().unwrap();
        let controls = || {
            let request = crate::guidance::ControlRequest::default();
            Controls::new(&gpu, request, start.control.clone()).unwrap()
        };
        let stage = |head: &Arrays, begun| {
            let plan = EditPlan {
                head: head.clone(),
                change: Some(Change { before: &before, after: &after, strength: 1.0 }),
                place: Some(Place { name: "jaw", mask: mask.clone() }),
                begun,
            };
            EditStage::new(&gpu, settings, &preset.field, Unrest, controls(), plan).unwrap()
        };
        let mut whole = stage(&head, None);
        whole.step().unwrap();
        let (arrays, done) = (whole.save().unwrap(), whole.done());
        for _ in 1..fine.steps {
            whole.step().unwrap();
        }
        let edited = whole.save().unwrap();
        // Broken off after one step, and gone on with.
        let mut resumed = stage(&head, Some(Begun { arrays, done }));
        for _ in 1..fine.steps {
            resumed.step().unwrap();
        }
        assert!(edited == resumed.save().unwrap());
        // A second edit of the same region goes on with the first one's change.
        let mut second = stage(&edited, None);
        second.step().unwrap();
        let twice = second.save().unwrap();
        assert_eq!(twice.keys().collect::<Vec<_>>(), edited.keys().collect::<Vec<_>>());

        let field = fine.field(&preset.field);
        let scene = |arrays: &Arrays| origin::restore(&gpu, &field, arrays.clone(), 0).unwrap();
        let (mut first, mut last) = (scene(&head), scene(&twice));
        let mut rng = crate::rng::stream(1, "test", 0, "points");
        let points: Vec<Vec3> = (0..100_000)
            .map(|_| Vec3::from_array(rand::Rng::random::<[f32; 3]>(&mut rng)) * 2.0 - 1.0)
            .collect();
        let (was, is) =
            (first.texture().query(&points).unwrap(), last.texture().query(&points).unwrap());
        let outside = |p: Vec3| mask.at(p) == 0.0;
        let kept = points.iter().filter(|p| outside(**p)).count();
        assert!(kept > 50_000, "{kept}");
        for ((was, is), point) in was.iter().zip(&is).zip(&points) {
            assert!(!outside(*point) || was == is, "{point}: {was} became {is}");
        }
        // Vertices lie between two nodes of the lattice.
        let spacing = 2.0 * first.tets().band().lattice.spacing();
        let far = |p: Vec3| {
            let around = [Vec3::X, Vec3::Y, Vec3::Z].map(|a| spacing * a);
            around.iter().all(|by| outside(p + *by) && outside(p - *by))
        };
        let (was, is) = (first.mesh().unwrap(), last.mesh().unwrap());
        let kept = bits(&was, far);
        assert!(kept.len() > 2000, "{}", kept.len());
        assert!(kept == bits(&is, far));
        assert!(is.signed_volume() > 1.002 * was.signed_volume(), "no beard has grown");
    }
}
