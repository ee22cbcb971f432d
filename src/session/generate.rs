//! The generation job: a sentence in, an output folder out.

use super::event::Artifacts;
use super::report::{Report, StageTiming};
use super::{Event, HeadSnapshot, Job, JobContext, Outcome, StepReport, command, export};
use crate::batch::ControlKind;
use crate::config::{ConfigError, GenerationConfig};
use crate::diffusion::{DiffusionError, DiffusionModel, embedded};
use crate::guidance::{DiffusionDenoiser, GuidanceError, ScoreDistillation};
use crate::pipeline::{Avatar, CoarseStage, StageError, coarse, extract};
use crate::project::{Checkpoint, Operation, Project, ProjectError};
use crate::render::{GpuContext, RenderError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What can go wrong in a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Bad settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The project on disk.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The diffusion checkpoint.
    #[error(transparent)]
    Model(#[from] DiffusionError),
    /// The GPU.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Guidance.
    #[error(transparent)]
    Guidance(#[from] GuidanceError),
    /// The optimisation.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Writing the results.
    #[error(transparent)]
    Export(#[from] crate::io::ExportError),
    /// The checkpoint belongs to other settings.
    #[error("the checkpoint in {0} was made with other settings; it cannot be continued")]
    OtherSettings(PathBuf),
    /// The system could not start a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// A bug.
    #[error("the session stopped because of a bug; please report it with the log (-vv)")]
    Panicked,
}

impl SessionError {
    /// Whether the user's input, machine or files are the cause, and nothing was
    /// started (exit code 2).
    #[must_use]
    pub fn is_input(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::Project(_)
            | Self::OtherSettings(_)
            | Self::Model(DiffusionError::Checkpoint(_)) => true,
            Self::Render(error) => {
                matches!(error, RenderError::NoAdapter | RenderError::NoDevice { .. })
            }
            _ => false,
        }
    }
}

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

impl Job for GenerateJob {
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
        let started = Instant::now();
        // Everything that bad input can break comes before the first file is written,
        // and before the graphics driver has a chance to print.
        let (project, config) = match &self {
            Self::New { folder, config } => {
                Project::check_free(folder)?;
                (None, (**config).clone())
            }
            Self::Resume { folder } => {
                let project = Project::open(folder)?;
                let config = project.generation()?.clone();
                (Some(project), config)
            }
        };
        config.validate()?;
        let guide = Guide::load(&config, context)?;
        let gpu = GpuContext::new()?;
        let stage = CoarseStage::new(&gpu, config.coarse_settings(), guide.guidance, guide.kinds)?;
        let mut project = match (self, project) {
            (_, Some(project)) => project,
            (Self::New { folder, config }, None) => Project::create(
                &folder,
                Operation::Generate {
                    config,
                    version: env!("CARGO_PKG_VERSION").into(),
                    device: gpu.describe(),
                },
            )?,
            (Self::Resume { folder }, None) => {
                return Err(ProjectError::NotAProject(folder).into());
            }
        };
        for repair in project.repairs() {
            context.events.warn(repair);
        }
        let mut run = Run {
            report: Report::new(&config, &gpu),
            config,
            context,
            started,
            warnings: guide.warnings,
        };
        let Some(mut stage) = run.coarse(stage, &mut project)? else {
            let resumable = Some(project.output().to_path_buf());
            return Ok(Outcome::Cancelled { resumable });
        };
        run.finish(&mut stage, &gpu, &mut project)
    }
}

type Stage = CoarseStage<ScoreDistillation<DiffusionDenoiser>>;

/// The loaded diffusion model, conditioned on the prompt.
struct Guide {
    guidance: ScoreDistillation<DiffusionDenoiser>,
    kinds: Vec<ControlKind>,
    warnings: Vec<String>,
}

impl Guide {
    fn load(config: &GenerationConfig, context: &JobContext) -> Result<Self, SessionError> {
        let folder = embedded::resolve(&config.model).map_err(DiffusionError::from)?;
        let model = Arc::new(DiffusionModel::load(&folder, &candle_core::Device::Cpu)?);
        let mut warnings = Vec::new();
        let prompt = model.tokenize_report(&config.prompt)?;
        if let Some(cut) = prompt.cut {
            warnings.push(format!(
                "the prompt is longer than the {} tokens that the model reads; it does not see: {cut}",
                prompt.limit
            ));
        }
        for warning in &warnings {
            context.events.warn(warning);
        }
        let denoiser = DiffusionDenoiser::new(
            Arc::clone(&model),
            &config.prompt,
            &config.negative,
            config.coarse.control_scale,
        )?;
        let kinds = denoiser.control_kinds();
        let guidance = ScoreDistillation::new(denoiser, config.guidance.clone(), config.seed);
        Ok(Self { guidance, kinds, warnings })
    }
}

/// A run in progress.
struct Run<'a> {
    config: GenerationConfig,
    context: &'a JobContext,
    report: Report,
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
        let fingerprint = self.config.fingerprint();
        if let Some((checkpoint, damaged)) = project.checkpoints().newest()? {
            self.warn_all(damaged);
            if checkpoint.fingerprint != fingerprint {
                return Err(SessionError::OtherSettings(project.root().to_path_buf()));
            }
            stage.restore(checkpoint.arrays, checkpoint.step)?;
            project.append(Operation::Resume { stage: checkpoint.stage, step: checkpoint.step })?;
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
                fingerprint: fingerprint.clone(),
                arrays: stage.save()?,
            };
            let path = project.checkpoints().save(&checkpoint)?;
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

    /// Surface, texture, files.
    fn finish(
        mut self,
        stage: &mut Stage,
        gpu: &GpuContext,
        project: &mut Project,
    ) -> Result<Outcome, SessionError> {
        let events = &self.context.events;
        events.send(Event::StageStarted { stage: "mesh", steps: 2, done: 0 });
        let mut timing = StageTiming::new("mesh");
        let started = Instant::now();
        let Avatar { textured, notes } = extract::extract(stage.field(), &self.config.mesh)?;
        timing.push(started.elapsed());
        self.warn_all(notes);
        events.send(Event::Step(mesh_step(1)));
        project.save_avatar(&textured)?;
        let folder = project.output().to_path_buf();
        let started = Instant::now();
        let glb = export::write_all(&folder, &textured, &self.config, gpu)?;
        timing.push(started.elapsed());
        events.send(Event::Step(mesh_step(2)));
        self.report.push_stage(&timing, None);
        self.report.finish(&textured, self.started.elapsed(), self.warnings);
        self.report.write(&folder.join("report.json"))?;
        if !project.is_finished() {
            project.append(Operation::Finish {
                vertices: textured.mesh.positions.len() as u64,
                triangles: textured.mesh.triangles.len() as u64,
            })?;
        }
        Ok(Outcome::Completed(Artifacts { folder, glb }))
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
