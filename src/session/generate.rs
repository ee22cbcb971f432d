//! The generation job: a sentence in, an output folder out.

use super::event::Artifacts;
use super::guide::Guide;
use super::person::Person;
use super::report::{Report, StageTiming};
use super::{
    Event, HeadSnapshot, Job, JobContext, Outcome, SessionError, StepReport, command, export,
    instant,
};
use crate::config::{GenerationConfig, Start as StartFrom};
use crate::diffusion::{DiffusionError, embedded};
use crate::guidance::{DiffusionDenoiser, ScoreDistillation};
use crate::pipeline::coarse::StartHead;
use crate::pipeline::{Avatar, CoarseStage, coarse, extract};
use crate::project::{Checkpoint, Operation, Project};
use crate::render::GpuContext;
use std::path::PathBuf;
use std::time::Instant;

/// What to generate.
#[derive(Debug)]
pub enum GenerateJob {
    /// A new head in an output folder that holds none.
    New {
        /// The output folder.
        folder: PathBuf,
        /// The settings, already validated.
        config: Box<GenerationConfig>,
    },
    /// Continue from the newest checkpoint.
    Resume {
        /// The output folder, or the project in it.
        folder: PathBuf,
    },
}

/// Where a run begins.
enum Start {
    /// In this folder, with a new project.
    Fresh(PathBuf),
    /// In an open project.
    Continued(Box<Project>),
}

impl Job for GenerateJob {
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
        let started = Instant::now();
        // Everything that bad input can break comes before the first file is written,
        // and before the graphics driver has a chance to print.
        let (mut config, start) = match self {
            Self::New { folder, config } => {
                Project::check_free(&folder)?;
                (*config, Start::Fresh(folder))
            }
            Self::Resume { folder } => {
                let project = Project::open(&folder)?;
                (project.generation()?.clone(), Start::Continued(Box::new(project)))
            }
        };
        config.validate()?;
        // A project must find its model again from any folder.
        config.model = embedded::stable_name(&config.model).map_err(DiffusionError::from)?;
        let person = config.needs_person().then(|| Person::of(&config)).transpose()?;
        let open = |gpu: &GpuContext, config: &GenerationConfig, start| match start {
            Start::Continued(project) => Ok(*project),
            Start::Fresh(folder) => Project::create(
                &folder,
                Operation::Generate {
                    config: Box::new(config.clone()),
                    version: env!("CARGO_PKG_VERSION").into(),
                    device: gpu.describe(),
                },
            ),
        };
        if let Some(person) = person.as_ref().filter(|_| config.is_instant()) {
            return instant::run(&config, person, context, started, |gpu| {
                Ok(open(gpu, &config, start)?)
            });
        }
        let guide = Guide::load(&config, person.as_ref())?;
        for warning in &guide.warnings {
            context.events.warn(warning);
        }
        if let Some(prompt) = &guide.completed {
            context.events.send(Event::PromptCompleted(prompt.clone()));
        }
        let resumable = match &start {
            Start::Fresh(_) => None,
            Start::Continued(project) => Some(project.output().to_path_buf()),
        };
        let cancelled = || Outcome::Cancelled { resumable: resumable.clone() };
        if context.cancel.is_cancelled() {
            return Ok(cancelled());
        }
        let gpu = GpuContext::new()?;
        let settings = config.coarse_settings();
        let from = match person.as_ref().filter(|_| config.start == StartFrom::Person) {
            Some(person) => StartHead::person(&person.sample)?,
            None => StartHead::mean(),
        };
        let stage = CoarseStage::new(&gpu, settings, guide.guidance, guide.controls, from)?;
        if context.cancel.is_cancelled() {
            return Ok(cancelled());
        }
        let mut project = open(&gpu, &config, start)?;
        let mut run = Run {
            report: Report::new(&config, guide.completed, &gpu),
            fingerprint: config.fingerprint(&guide.identity),
            config,
            context,
            started,
            warnings: guide.warnings,
        };
        run.warn_all(project.repairs().to_vec());
        let done = match run.coarse(stage, &mut project)? {
            Some(mut stage) => run.finish(&mut stage, &gpu, &mut project)?,
            None => None,
        };
        let folder = project.output().to_path_buf();
        Ok(match done {
            Some(glb) => Outcome::Completed(Artifacts { folder, glb }),
            None => Outcome::Cancelled { resumable: Some(folder) },
        })
    }
}

type Stage = CoarseStage<ScoreDistillation<DiffusionDenoiser>>;

/// A run in progress.
struct Run<'a> {
    config: GenerationConfig,
    context: &'a JobContext,
    report: Report,
    /// What checkpoints of this run carry.
    fingerprint: String,
    started: Instant,
    warnings: Vec<String>,
}

impl Run<'_> {
    /// The coarse stage to its end; `None` if it was cancelled (and saved).
    fn coarse(
        &mut self,
        mut stage: Stage,
        project: &mut Project,
    ) -> Result<Option<Stage>, SessionError> {
        if let Some((checkpoint, damaged)) = project.checkpoints().newest()? {
            self.warn_all(damaged);
            if checkpoint.fingerprint != self.fingerprint {
                return Err(SessionError::OtherSettings(project.root().to_path_buf()));
            }
            stage.restore(checkpoint.arrays, checkpoint.step)?;
            let resumed = Operation::Resume { stage: checkpoint.stage, step: checkpoint.step };
            project.append(resumed)?;
        }
        let steps = self.config.coarse.steps;
        let events = &self.context.events;
        events.send(Event::StageStarted { stage: coarse::STAGE, steps, done: stage.done() });
        let mut timing = StageTiming::new(coarse::STAGE);
        let mut evaluations = 0;
        let mut saved = Instant::now();
        let mut paused = false;
        let save = |stage: &mut Stage| -> Result<(), SessionError> {
            let checkpoint = Checkpoint {
                stage: coarse::STAGE.into(),
                step: stage.done(),
                fingerprint: self.fingerprint.clone(),
                arrays: stage.save()?,
            };
            let path = project.checkpoints().save(&checkpoint).map_err(SessionError::Storage)?;
            events.send(Event::CheckpointSaved(path));
            Ok(())
        };
        while stage.done() < steps {
            let wanted = command::drain(&self.context.commands, &self.context.cancel, &mut paused);
            if self.context.cancel.is_cancelled() {
                save(&mut stage)?;
                return Ok(None);
            }
            if wanted || saved.elapsed().as_secs_f64() >= self.config.coarse.checkpoint_seconds {
                save(&mut stage)?;
                saved = Instant::now();
            }
            let step_started = Instant::now();
            let progress = stage.step()?;
            timing.push(step_started.elapsed());
            evaluations += progress.evaluations;
            let every = self.config.coarse.snapshot_every;
            if every > 0 && progress.done.is_multiple_of(every) {
                let images = stage.snapshot()?;
                self.context.snapshots.put(HeadSnapshot { step: progress.done, images });
            }
            tracing::info!(step = progress.done, loss = progress.loss, t = progress.timestep);
            events.send(Event::Step(StepReport {
                stage: coarse::STAGE,
                step: progress.done,
                steps,
                loss: Some(progress.loss),
                eta_seconds: timing
                    .recent_median()
                    .map(|each| each * (steps - progress.done) as f64),
            }));
        }
        save(&mut stage)?;
        self.report.push_stage(&timing, Some(evaluations));
        Ok(Some(stage))
    }

    /// Surface, texture, files; gives the path of the GLB. `None` if it was cancelled:
    /// the coarse stage's last checkpoint is on disk.
    fn finish(
        mut self,
        stage: &mut Stage,
        gpu: &GpuContext,
        project: &mut Project,
    ) -> Result<Option<PathBuf>, SessionError> {
        let events = &self.context.events;
        let cancelled = || self.context.cancel.is_cancelled();
        if cancelled() {
            return Ok(None);
        }
        events.send(Event::StageStarted { stage: "mesh", steps: 2, done: 0 });
        let mut timing = StageTiming::new("mesh");
        let started = Instant::now();
        let Avatar { textured, notes } = extract::extract(stage.field(), &self.config.mesh)?;
        timing.push(started.elapsed());
        if cancelled() {
            return Ok(None);
        }
        self.warn_all(notes);
        events.send(Event::Step(mesh_step(1)));
        project.save_avatar(&textured).map_err(SessionError::Storage)?;
        let folder = project.output().to_path_buf();
        let started = Instant::now();
        let glb = export::write_all(&folder, &export::Avatar::Still(&textured), &self.config, gpu)?;
        timing.push(started.elapsed());
        events.send(Event::Step(mesh_step(2)));
        self.report.push_stage(&timing, None);
        self.report.finish(&textured, self.started.elapsed(), self.warnings);
        self.report.write(&folder.join("report.json"))?;
        project.finish(&textured).map_err(SessionError::Storage)?;
        Ok(Some(glb))
    }

    fn warn_all(&mut self, texts: Vec<String>) {
        for text in texts {
            self.context.events.warn(text.clone());
            self.warnings.push(text);
        }
    }
}

fn mesh_step(step: u64) -> StepReport {
    StepReport { stage: "mesh", step, steps: 2, loss: None, eta_seconds: None }
}
