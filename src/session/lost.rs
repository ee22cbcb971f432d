//! What is left when the graphics device goes away in the middle of an optimisation.

use super::{Event, Job, JobContext, Outcome, SessionError, spawn, steps};
use crate::batch::{ImageBatch, View};
use crate::config::GenerationConfig;
use crate::guidance::{
    ControlImages, ControlRequest, Guidance, GuidanceError, ImageGradient, Steering, StepId,
};
use crate::pipeline::coarse::StartHead;
use crate::pipeline::{CoarseStage, Stage, state};
use crate::project::{Checkpoint, Keep, Operation, Project};
use crate::render::GpuContext;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Steps of a whole run, and how many of them are done when the device goes.
const STEPS: u64 = 5;
const LOST_AFTER: u64 = 2;

/// Pulls at every pixel, and takes the device away where it is told to.
struct Puller {
    gpu: GpuContext,
    lose: bool,
}

impl Guidance for Puller {
    fn image_gradient(
        &mut self,
        _: &[View],
        images: &ImageBatch,
        _: &ControlImages,
        at: StepId,
    ) -> Result<ImageGradient, GuidanceError> {
        if self.lose && at.step == LOST_AFTER {
            self.gpu.device.destroy();
        }
        let mut gradient = images.clone();
        for (i, value) in gradient.data.iter_mut().enumerate() {
            *value = 0.02 * (0.7 * (i as f32 + 13.0 * at.step as f32)).sin();
        }
        Ok(ImageGradient { gradient, target: None, loss: 0.0, timestep: 0 })
    }
}

fn config() -> GenerationConfig {
    let mut config = GenerationConfig::preset("quick").unwrap();
    config.prompt = "a man".into();
    config.views.size = 16;
    config.views.count = 2;
    config.views.close_ups = None;
    config.coarse.steps = STEPS;
    config.coarse.checkpoint_seconds = 0.0;
    (config.field.grid.finest_resolution, config.field.grid.log2_table) = (32, 14);
    config
}

struct Keeper<'a>(&'a Project);

impl<S: Stage> steps::Keeper<S> for Keeper<'_> {
    fn save(&mut self, stage: &mut S, _: Keep) -> Result<(), SessionError> {
        let (step, arrays) = (stage.done(), stage.save()?);
        let (stage, fingerprint) = (S::NAME.into(), "f".into());
        let checkpoint = Checkpoint { stage, step, fingerprint, arrays };
        let saved = self.0.checkpoints().save(&checkpoint, Keep::Rolling);
        saved.map(drop).map_err(SessionError::Storage)
    }

    fn begin(&mut self, _: &mut S) -> Result<Instant, SessionError> {
        Ok(Instant::now())
    }

    fn steer(&mut self, _: &mut S, _: Vec<Steering>) -> Result<(), SessionError> {
        Ok(())
    }
}

/// The coarse stage of a project, from its newest checkpoint on.
struct Coarse {
    folder: PathBuf,
    lose: bool,
}

impl Job for Coarse {
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
        let project = Project::open(&self.folder)?;
        let config = config();
        let gpu = GpuContext::new()?;
        let guidance = Puller { gpu: gpu.clone(), lose: self.lose };
        let (request, start) = (ControlRequest::default(), StartHead::mean());
        let mut stage = CoarseStage::new(&gpu, config.coarse_settings(), guidance, request, start)?;
        if let Some((found, _)) = project.checkpoints().newest()? {
            assert_eq!(found.step, LOST_AFTER, "the checkpoint before the loss");
            stage.restore(found.arrays, found.step)?;
        }
        let mut keeper = Keeper(&project);
        steps::run(context, &mut stage, STEPS, &config.coarse, &mut keeper)?;
        steps::Keeper::save(&mut keeper, &mut stage, Keep::Rolling)?;
        Ok(Outcome::Cancelled { resumable: None })
    }
}

fn project(folder: &Path) -> PathBuf {
    let (version, device) = ("0".into(), "test".into());
    let first = Operation::Generate { config: Box::new(config()), version, device };
    Project::create(folder, first).unwrap();
    folder.to_path_buf()
}

fn run(folder: &Path, lose: bool) -> Outcome {
    let session = spawn(Coarse { folder: folder.to_path_buf(), lose }).unwrap();
    let last = std::iter::from_fn(|| session.events.recv().ok()).last();
    let Some(Event::Finished(outcome)) = last else { panic!("{last:?}") };
    outcome
}

#[test]
fn a_lost_device_is_one_sentence_and_the_run_goes_on_from_its_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, broken] = ["whole", "broken"].map(|name| project(&dir.path().join(name)));
    assert!(matches!(run(&whole, false), Outcome::Cancelled { .. }));

    let Outcome::Failed(error) = run(&broken, true) else { panic!("nothing was lost") };
    let sentence = error.to_string();
    assert!(sentence.contains("the GPU device was lost"), "{sentence}");
    assert!(!sentence.contains('\n') && !error.is_input(), "{sentence}");

    assert!(matches!(run(&broken, false), Outcome::Cancelled { .. }));
    let end = |folder: &Path| {
        let (found, damaged) =
            Project::open(folder).unwrap().checkpoints().newest().unwrap().unwrap();
        assert!(damaged.is_empty() && found.step == STEPS);
        state::decode(found.arrays).unwrap()
    };
    assert_eq!(end(&whole), end(&broken));
}
