//! The generation job: a sentence in, an output folder out.

use super::event::Artifacts;
use super::guide::{Guide, PromptLength};
use super::person::Person;
use super::report::{Report, StageTiming};
use super::steered::Steered;
use super::{
    Event, Job, JobContext, Outcome, SessionError, StepReport, completion, export, finish, instant,
    steps,
};
use crate::config::{GenerationConfig, Start as StartFrom};
use crate::diffusion::{DiffusionError, embedded};
use crate::geometry::MorphMesh;
use crate::guidance::{DiffusionDenoiser, ScoreDistillation, Steering};
use crate::pipeline::coarse::{CoarseResult, StartHead};
use crate::pipeline::controls::Controls;
use crate::pipeline::state::Arrays;
use crate::pipeline::{Avatar, CoarseStage, FineStage, Stage, edit, state};
use crate::project::{Checkpoint, Keep, Operation, Project};
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
    /// Go on from a kept state of another head's generation, as a head of its own.
    Branch {
        /// The other head's output folder, or the project in it.
        from: PathBuf,
        /// Stage of the state.
        stage: String,
        /// Steps of the stage that it has behind it.
        step: u64,
        /// The output folder, which holds no head yet.
        folder: PathBuf,
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
            Self::Branch { from, stage, step, folder } => {
                let other = Project::open_read_only(&from)?;
                let project = other.branch_at(&stage, step, &folder)?;
                (project.generation()?.clone(), Start::Continued(Box::new(project)))
            }
            Self::Resume { folder } => {
                let project = Project::open(&folder)?;
                (project.usable_generation()?.clone(), Start::Continued(Box::new(project)))
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
        let from = match person.as_ref().filter(|_| config.start == StartFrom::Person) {
            Some(person) => StartHead::person(&person.sample)?,
            None => StartHead::mean(),
        };
        let fingerprint = config.fingerprint(&guide.identity);
        let saved = match &start {
            Start::Continued(project) => newest(project, &fingerprint)?,
            Start::Fresh(_) => None,
        };
        let begun = match saved {
            Some((checkpoint, damaged)) if checkpoint.stage == FineStage::<Guided>::NAME => {
                let controls = Controls::new(&gpu, guide.controls, from.control)?;
                Begun::Fine(checkpoint, damaged, Box::new((guide.guidance, controls)))
            }
            None if config.coarse.steps == 0 && from.look.is_some() => {
                let controls = Controls::new(&gpu, guide.controls, from.control.clone())?;
                Begun::Person(Box::new((from, guide.guidance, controls)))
            }
            saved => {
                let settings = config.coarse_settings();
                let mut stage =
                    CoarseStage::new(&gpu, settings, guide.guidance, guide.controls, from)?;
                let mut damaged = Vec::new();
                let mut resumed = None;
                if let Some((checkpoint, warnings)) = saved {
                    damaged = warnings;
                    stage.restore(checkpoint.arrays, checkpoint.step)?;
                    resumed = Some(checkpoint.step);
                }
                Begun::Coarse(Box::new(stage), damaged, resumed)
            }
        };
        if context.cancel.is_cancelled() {
            return Ok(cancelled());
        }
        let mut project = open(&gpu, &config, start)?;
        let mut run = Run {
            report: Report::new(&config, guide.completed, &gpu),
            steered: Steered::of(&project),
            fingerprint,
            config,
            context,
            started,
            warnings: guide.warnings,
            length: guide.length,
        };
        run.warn_all(project.repairs().to_vec());
        let done = run.stages(begun, &gpu, &mut project)?;
        let folder = project.output().to_path_buf();
        Ok(match done {
            Some(file) => Outcome::Completed(Artifacts { folder, file }),
            None => Outcome::Cancelled { resumable: Some(folder) },
        })
    }
}

type Guided = ScoreDistillation<DiffusionDenoiser>;

/// Where the optimisation begins.
enum Begun {
    /// In the coarse stage, at this step if it was resumed, with what was damaged on disk.
    Coarse(Box<CoarseStage<Guided>>, Vec<String>, Option<u64>),
    /// In the fine stage, with the person whom the prompt asks for.
    Person(Box<(StartHead, Guided, Controls)>),
    /// In the fine stage, from a checkpoint.
    Fine(Checkpoint, Vec<String>, Box<(Guided, Controls)>),
}

/// The newest checkpoint of a project, with what was damaged on the way to it.
fn newest(
    project: &Project,
    fingerprint: &str,
) -> Result<Option<(Checkpoint, Vec<String>)>, SessionError> {
    let found = project.checkpoints().newest()?;
    match found {
        Some((checkpoint, _)) if checkpoint.stage == edit::STAGE => {
            Err(SessionError::Edited(project.root().to_path_buf()))
        }
        Some((checkpoint, _)) if checkpoint.fingerprint != fingerprint => {
            Err(SessionError::OtherSettings(project.root().to_path_buf()))
        }
        found => Ok(found),
    }
}

/// A run in progress.
struct Run<'a> {
    config: GenerationConfig,
    context: &'a JobContext,
    report: Report,
    /// What checkpoints of this run carry.
    fingerprint: String,
    steered: Steered,
    length: PromptLength,
    started: Instant,
    warnings: Vec<String>,
}

impl Run<'_> {
    /// All stages to the end; gives the path of the GLB. `None` if it was cancelled (and saved).
    fn stages(
        mut self,
        begun: Begun,
        gpu: &GpuContext,
        project: &mut Project,
    ) -> Result<Option<PathBuf>, SessionError> {
        let (fine_steps, config) = (self.config.fine.steps, self.config.clone());
        let (stage, resumed, damaged) = match begun {
            Begun::Coarse(mut stage, damaged, resumed) => {
                self.warn_all(damaged);
                let steps = config.coarse.steps;
                if !self.optimise(&mut *stage, steps, resumed, project)? {
                    return Ok(None);
                }
                if fine_steps == 0 {
                    return self.finish(&mut *stage, gpu, project);
                }
                let coarse = stage.into_parts();
                let guidance = fine_guidance(coarse.guidance, &config);
                let coarse = CoarseResult { guidance, ..coarse };
                let stage = FineStage::new(gpu, config.fine_settings(), coarse)?;
                (stage, None, Vec::new())
            }
            Begun::Person(begun) => {
                let (start, guidance, controls) = *begun;
                let guidance = fine_guidance(guidance, &config);
                let settings = config.fine_settings();
                let field = &config.field;
                let stage = FineStage::of_person(gpu, settings, field, guidance, controls, &start)?;
                (stage, None, Vec::new())
            }
            Begun::Fine(checkpoint, damaged, guided) => {
                let (guidance, controls) = *guided;
                let guidance = fine_guidance(guidance, &config);
                let settings = config.fine_settings();
                let stage = FineStage::restore(
                    gpu,
                    settings,
                    &config.field,
                    guidance,
                    controls,
                    checkpoint.arrays,
                    checkpoint.step,
                )?;
                (stage, Some(checkpoint.step), damaged)
            }
        };
        self.warn_all(damaged);
        let mut stage = stage;
        if !self.optimise(&mut stage, fine_steps, resumed, project)? {
            return Ok(None);
        }
        self.finish(&mut stage, gpu, project)
    }

    /// One stage to its end; false if it was cancelled (and saved). `resumed` is the step of the
    /// checkpoint that it goes on from.
    fn optimise<S: Stage>(
        &mut self,
        stage: &mut S,
        steps: u64,
        resumed: Option<u64>,
        project: &mut Project,
    ) -> Result<bool, SessionError> {
        if steps == 0 {
            return Ok(true);
        }
        if let Some(step) = resumed {
            project.append(Operation::Resume { stage: S::NAME.into(), step })?;
        }
        self.steered.enter(stage, &[CoarseStage::<Guided>::NAME, FineStage::<Guided>::NAME])?;
        let mut keeper = Keeper {
            config: &self.config,
            fingerprint: &self.fingerprint,
            steered: &mut self.steered,
            length: &self.length,
            started: self.started,
            context: self.context,
            project,
        };
        let ran = steps::run(self.context, stage, steps, &self.config.coarse, &mut keeper)?;
        // What comes after the last stage only reads its state.
        let is_last = S::NAME == FineStage::<Guided>::NAME || self.config.fine.steps == 0;
        let arrays = stage.save()?;
        if is_last && ran.is_some() {
            keeper.keep(stage, Keep::Pinned, state::without_moments(arrays))?;
        } else {
            keeper.keep(stage, Keep::Rolling, arrays)?;
        }
        if let Some((timing, evaluations)) = &ran {
            self.report.push_stage(timing, Some(*evaluations));
        }
        Ok(ran.is_some())
    }

    /// Surface, texture, files; gives the path of the GLB. `None` if it was cancelled:
    /// the last stage's last checkpoint is on disk.
    fn finish<S: Stage>(
        mut self,
        stage: &mut S,
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
        let Avatar { textured, notes } = stage.finish(&self.config.mesh)?;
        timing.push(started.elapsed());
        if cancelled() {
            return Ok(None);
        }
        self.warn_all(notes);
        events.send(Event::Step(mesh_step(1)));
        let avatar = MorphMesh::still(textured);
        let version = project.history().current().id;
        project.save_avatar(version, &avatar).map_err(SessionError::Storage)?;
        let started = Instant::now();
        let written = export::write_all(project.output(), &avatar, &self.config, gpu)?;
        timing.push(started.elapsed());
        events.send(Event::Step(mesh_step(2)));
        self.report.push_stage(&timing, None);
        self.report.finish(&avatar.rest, self.started.elapsed(), self.warnings);
        finish::record(project, written, &self.report, &avatar.rest).map(Some)
    }

    fn warn_all(&mut self, texts: Vec<String>) {
        for text in texts {
            self.context.events.warn(text.clone());
            self.warnings.push(text);
        }
    }
}

/// Another prompt with what it leaves open filled in, as the first was; what the model does not
/// read of it is warned of.
fn completed(
    change: Steering,
    config: &GenerationConfig,
    length: &PromptLength,
    context: &JobContext,
) -> Result<Steering, SessionError> {
    let text = match change {
        Steering::Prompt { text, .. } => text,
        Steering::Negative { text } => {
            if let Some(cut) = length.of("negative prompt", &text)? {
                context.events.warn(cut);
            }
            return Ok(Steering::Negative { text });
        }
        other => return Ok(other),
    };
    let mut described = None;
    if config.complete_prompt && !text.trim().is_empty() {
        let person = Person::of(&GenerationConfig { prompt: text.clone(), ..config.clone() })?;
        let look = &person.sample.look;
        described =
            completion::describe(&person.reader, look, config.seed, |text| length.fits(text))?;
    }
    let cut = if described.is_some() { length.of("prompt", &text) } else { length.prompt(&text) };
    if let Some(cut) = cut? {
        context.events.warn(cut);
    }
    Ok(Steering::Prompt { guided: described.unwrap_or_else(|| text.clone()), text })
}

/// Keeps the states of a run, and what was changed of it.
struct Keeper<'a> {
    config: &'a GenerationConfig,
    fingerprint: &'a str,
    steered: &'a mut Steered,
    length: &'a PromptLength,
    context: &'a JobContext,
    project: &'a mut Project,
    started: Instant,
}

impl Keeper<'_> {
    fn keep<S: Stage>(&self, stage: &S, keep: Keep, arrays: Arrays) -> Result<(), SessionError> {
        let checkpoint = Checkpoint {
            stage: S::NAME.into(),
            step: stage.done(),
            fingerprint: self.fingerprint.to_owned(),
            arrays,
        };
        let saved = self.project.checkpoints().save(&checkpoint, keep);
        let path = saved.map_err(SessionError::Storage)?;
        self.context.events.send(Event::CheckpointSaved(path));
        Ok(())
    }
}

impl<S: Stage> steps::Keeper<S> for Keeper<'_> {
    fn save(&mut self, stage: &mut S, keep: Keep) -> Result<(), SessionError> {
        let arrays = stage.save()?;
        self.keep(stage, keep, arrays)
    }

    /// To begin takes as long from a kept state as from the start: nothing is won by one of no
    /// steps.
    fn begin(&mut self, _: &mut S) -> Result<Instant, SessionError> {
        Ok(self.started)
    }

    fn steer(&mut self, stage: &mut S, asked: Vec<Steering>) -> Result<(), SessionError> {
        let (config, length, context) = (self.config, self.length, self.context);
        let asked = asked.into_iter().map(|change| completed(change, config, length, context));
        let asked = asked.collect::<Result<Vec<_>, _>>()?;
        self.steered.take(stage, asked, self.project, self.context)
    }
}

/// The guidance of the coarse stage, distilled as the fine one does.
fn fine_guidance(guidance: Guided, config: &GenerationConfig) -> Guided {
    let fine = config.fine.guidance(guidance.config());
    guidance.with_config(fine)
}

pub(super) fn mesh_step(step: u64) -> StepReport {
    StepReport::plain("mesh", step, 2)
}
