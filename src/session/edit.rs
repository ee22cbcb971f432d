//! The edit job: a finished head and an instruction in, the same person changed out.

use super::event::Artifacts;
use super::generate::mesh_step;
use super::person::Person;
use super::report::{Report, StageTiming};
use super::unfinished::Unfinished;
use super::{
    Event, Job, JobContext, Outcome, SessionError, completion, edited, export, finish, steps,
};
use crate::config::{GenerationConfig, Start};
use crate::diffusion::{DiffusionError, DiffusionModel, embedded};
use crate::geometry::MorphMesh;
use crate::guidance::{DiffusionDenoiser, DistillationConfig, ScoreDistillation, Steering};
use crate::io::MeshFormat;
use crate::pipeline::coarse::{self, StartHead};
use crate::pipeline::controls::Controls;
use crate::pipeline::edit::{Change, EditPlan, EditStage, Place, STAGE};
use crate::pipeline::fine::{self, FineSettings};
use crate::pipeline::origin;
use crate::pipeline::state::{self, Arrays};
use crate::pipeline::{Avatar, EditRegion, Stage};
use crate::project::{Checkpoint, Entry, Keep, Operation, Project, ProjectError};
use crate::render::GpuContext;
use crate::render::studio::StudioSample;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The longest instruction, in characters: beyond it, it is a file given by mistake.
const LONGEST_INSTRUCTION: usize = 10_000;

/// What to change.
#[derive(Debug)]
pub struct EditJob {
    /// The project, or the output folder that holds it.
    pub folder: PathBuf,
    /// A folder for an edited copy; without one the project itself is edited.
    pub copy: Option<PathBuf>,
    /// The instruction, as "make him older".
    pub instruction: String,
    /// Where it is kept to.
    pub region: EditRegion,
    /// How far it is followed, `[0, 1]`; by default the project's own setting. 0 changes nothing.
    pub strength: Option<f64>,
    /// Steps of the optimisation; by default the project's own setting.
    pub steps: Option<u64>,
    /// Decides the random numbers; by default the project's seed.
    pub seed: Option<u64>,
}

/// What the instruction is understood to do to the person.
struct Understood {
    before: StudioSample,
    after: StudioSample,
    changed: Vec<(String, Value)>,
    /// The person afterwards, described in full.
    description: String,
}

impl Job for EditJob {
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
        let started = Instant::now();
        let (project, copy) = open(&self.folder, self.copy)?;
        let mut config = project.usable_generation()?.clone();
        config.edit.strength = self.strength.unwrap_or(config.edit.strength);
        config.edit.steps = self.steps.unwrap_or(config.edit.steps);
        config.validate()?;
        let instruction = self.instruction.trim();
        if instruction.is_empty() {
            return Err(SessionError::Edit("the instruction is empty".into()));
        }
        if instruction.chars().count() > LONGEST_INSTRUCTION {
            let what = format!("the instruction is longer than {LONGEST_INSTRUCTION} characters");
            return Err(SessionError::Edit(what));
        }
        if config.edit.strength == 0.0 {
            let folder = target(project, copy)?.output().to_path_buf();
            let file = export::usual_path(&folder, MeshFormat::Glb);
            return Ok(Outcome::Completed(Artifacts { folder, file }));
        }
        let seed = self.seed.unwrap_or(config.seed);
        if copy.is_none() && is_unfinished(&project, instruction, self.region, &config, seed) {
            return catch_up(project, &config, context, started);
        }
        let checkpoint = finished_state(&project, &config)?;
        let version = project.history().current().id;
        let number = project.history().current().depth + 1;
        let fingerprint = match &checkpoint {
            Some(checkpoint) => checkpoint.fingerprint.clone(),
            None => config.fingerprint(&config.model),
        };
        let work = Unfinished::of(
            copy.as_deref().unwrap_or(project.output()),
            copy.is_some(),
            &(&fingerprint, version, instruction, self.region, &config.edit, seed),
        );
        let model_folder = embedded::resolve(&config.model).map_err(DiffusionError::from)?;
        let model = Arc::new(DiffusionModel::load(&model_folder, &candle_core::Device::Cpu)?);
        let understood = understand(&project, &config, &model, instruction, context)?;
        let description = understood.as_ref().map_or(&config.prompt, |u| &u.description);
        let strength = config.edit.strength;
        let denoiser = DiffusionDenoiser::for_edit(
            Arc::clone(&model),
            description,
            instruction,
            &config.negative,
            config.coarse.control_scale,
        )?;
        let controls = denoiser.controls();
        let fine = config.edit.of(&config.fine);
        // Every edit in a row has numbers of its own.
        let key = seed.wrapping_add(number << 32);
        let settings: DistillationConfig = fine.guidance(&config.guidance);
        let guidance = ScoreDistillation::new(denoiser, settings, key).for_edit(strength)?;
        if context.cancel.is_cancelled() {
            return Ok(Outcome::Cancelled { resumable: None });
        }
        let gpu = GpuContext::new()?;
        let shown = match &understood {
            Some(understood) => StartHead::of(&understood.after.params)?.control,
            None => StartHead::mean().control,
        };
        let change = understood.as_ref().filter(|u| !u.changed.is_empty()).map(|u| Change {
            before: &u.before,
            after: &u.after,
            strength: strength as f32,
        });
        let mask = match &understood {
            Some(Understood { before, after, .. }) => {
                self.region.mask(&StartHead::of(&before.params)?.surface, &[before, after])?
            }
            None => self.region.mask(&StartHead::mean().surface, &[])?,
        };
        let begun = work.saved(context)?;
        if let Some(begun) = &begun {
            context.events.warn(format!("the edit goes on after step {}", begun.done));
        }
        let settings =
            FineSettings { views: &config.views, fine: &fine, mesh: &config.mesh, seed: key };
        let person = understood.as_ref().map(|u| &u.before);
        let mut stage = EditStage::new(
            &gpu,
            settings,
            &config.field,
            guidance,
            Controls::new(&gpu, controls, shown)?,
            EditPlan {
                head: head(&gpu, settings, &config, checkpoint, person)?,
                change,
                place: mask.map(|mask| Place { name: self.region.name(), mask }),
                begun,
            },
        )?;
        let mut keeper = Keeper { work: &work, context };
        let ran = steps::run(context, &mut stage, fine.steps, &config.coarse, &mut keeper)?;
        let Some((timing, evaluations)) = ran else {
            context.events.send(Event::CheckpointSaved(work.save(&mut stage)?));
            return Ok(Outcome::Cancelled { resumable: Some(work.output().to_path_buf()) });
        };
        context.events.send(Event::StageStarted { stage: "mesh", steps: 2, done: 0 });
        let mut meshing = StageTiming::new("mesh");
        let mark = Instant::now();
        let Avatar { textured, notes } = stage.finish(&config.mesh)?;
        meshing.push(mark.elapsed());
        context.events.send(Event::Step(mesh_step(1)));
        if context.cancel.is_cancelled() {
            return Ok(Outcome::Cancelled { resumable: Some(work.output().to_path_buf()) });
        }
        // From here on the edit is part of the project: its state first, its log last.
        let mut project = target(project, copy)?;
        let folder = project.output().to_path_buf();
        let arrays = state::without_moments(stage.save()?);
        let id = project.next_id();
        let next = Checkpoint { stage: STAGE.into(), step: id, fingerprint, arrays };
        project.checkpoints().save(&next, Keep::Pinned).map_err(SessionError::Storage)?;
        let avatar = MorphMesh::still(textured);
        project.save_avatar(id, &avatar).map_err(SessionError::Storage)?;
        project
            .append(Operation::Edit {
                instruction: instruction.to_owned(),
                region: self.region,
                strength,
                steps: fine.steps,
                seed,
                changed: understood.into_iter().flat_map(|u| u.changed).collect(),
            })
            .map_err(SessionError::Storage)?;
        let mark = Instant::now();
        let written = export::write_all(&folder, &avatar, &config, &gpu)?;
        meshing.push(mark.elapsed());
        context.events.send(Event::Step(mesh_step(2)));
        let mut report = Report::new(&config, None, &gpu);
        report.push_stage(&timing, Some(evaluations));
        report.push_stage(&meshing, None);
        report.finish(&avatar.rest, started.elapsed(), notes);
        let file = finish::record(&mut project, written, &report, &avatar.rest)?;
        work.forget();
        Ok(Outcome::Completed(Artifacts { folder, file }))
    }
}

/// Keeps what an edit needs to go on.
struct Keeper<'a> {
    work: &'a Unfinished,
    context: &'a JobContext,
}

impl<S: Stage> steps::Keeper<S> for Keeper<'_> {
    fn save(&mut self, stage: &mut S, keep: Keep) -> Result<(), SessionError> {
        if keep == Keep::Pinned {
            self.context.events.warn("states of an edit are kept until it is done only");
        }
        self.context.events.send(Event::CheckpointSaved(self.work.save(stage)?));
        Ok(())
    }

    /// To begin an edit takes longer than many of its steps.
    fn begin(&mut self, stage: &mut S) -> Result<Instant, SessionError> {
        if stage.done() == 0 {
            self.save(stage, Keep::Rolling)?;
        }
        Ok(Instant::now())
    }

    fn steer(&mut self, _: &mut S, asked: Vec<Steering>) -> Result<(), SessionError> {
        if !asked.is_empty() {
            self.context.events.warn("an edit cannot be steered while it runs");
        }
        Ok(())
    }
}

/// The project to edit, with the folder of a copy that is yet to be made.
fn open(folder: &Path, copy: Option<PathBuf>) -> Result<(Project, Option<PathBuf>), SessionError> {
    let Some(copy) = copy else { return Ok((Project::open(folder)?, None)) };
    match Project::check_free(&copy) {
        Ok(()) => Ok((Project::open_read_only(folder)?, Some(copy))),
        Err(ProjectError::Exists(path)) => {
            // The same edit may have been broken off after the copy was made.
            let (original, copied) = (Project::open_read_only(folder)?, Project::open(&copy)?);
            let more = copied.entries().strip_prefix(original.entries());
            let is_same = |rest: &[Entry]| {
                rest.len() < 2 && rest.iter().all(|e| matches!(e.operation, Operation::Edit { .. }))
            };
            if more.is_some_and(is_same) {
                Ok((copied, None))
            } else {
                Err(ProjectError::Exists(path).into())
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether this very edit was made, but its files not written: its job was killed in between.
fn is_unfinished(
    project: &Project,
    asked: &str,
    place: EditRegion,
    config: &GenerationConfig,
    number: u64,
) -> bool {
    project.entries().last().is_some_and(|entry| match &entry.operation {
        Operation::Edit { instruction, region, strength, steps, seed, .. } => {
            (instruction.as_str(), *region, *seed) == (asked, place, number)
                && (*strength, *steps) == (config.edit.strength, config.edit.steps)
        }
        _ => false,
    })
}

/// Writes the files of an edit that [`is_unfinished`].
fn catch_up(
    mut project: Project,
    config: &GenerationConfig,
    context: &JobContext,
    started: Instant,
) -> Result<Outcome, SessionError> {
    let lost = || {
        let root = project.root().display();
        SessionError::Edit(format!("{root} has lost the head of its last edit: undo it first"))
    };
    let avatar = project.load_avatar()?.ok_or_else(lost)?;
    context.events.warn("the edit was made already, only its files were missing");
    let gpu = GpuContext::new()?;
    let folder = project.output().to_path_buf();
    let written = export::write_all(&folder, &avatar, config, &gpu)?;
    let mut report = Report::new(config, None, &gpu);
    report.finish(&avatar.rest, started.elapsed(), Vec::new());
    let file = finish::record(&mut project, written, &report, &avatar.rest)?;
    Unfinished::of(&folder, false, &()).forget();
    Ok(Outcome::Completed(Artifacts { folder, file }))
}

/// What is edited: the project itself, or a copy of it.
fn target(project: Project, copy: Option<PathBuf>) -> Result<Project, SessionError> {
    let Some(copy) = copy else { return Ok(project) };
    project.copy_to(&copy).map_err(SessionError::Storage)?;
    Project::open(&copy).map_err(SessionError::Storage)
}

/// The state that the newest finished operation left; `None` for a head that was made without
/// any optimisation.
fn finished_state(
    project: &Project,
    config: &GenerationConfig,
) -> Result<Option<Checkpoint>, SessionError> {
    let root = project.root().display();
    if !project.is_finished() {
        let what = format!("{root} is not finished; finish it with generate --resume first");
        return Err(SessionError::Edit(what));
    }
    let edit = project.history().current().edit_number;
    let stages =
        [(STAGE, edit), (fine::STAGE, config.fine.steps), (coarse::STAGE, config.coarse.steps)];
    let found = match stages.into_iter().find(|(_, steps)| *steps > 0) {
        Some((stage, step)) => project.checkpoints().find(stage, step)?,
        None => None,
    };
    if found.is_none() && !(edit == 0 && config.is_instant()) {
        let what = format!("{root} has lost the state of its head: it cannot be edited");
        return Err(SessionError::Edit(what));
    }
    Ok(found)
}

/// The head as the edit's lattice and texture begin with it.
fn head(
    gpu: &GpuContext,
    settings: FineSettings<'_>,
    config: &GenerationConfig,
    saved: Option<Checkpoint>,
    person: Option<&StudioSample>,
) -> Result<Arrays, SessionError> {
    let start = match person.filter(|_| config.start == Start::Person) {
        Some(person) => StartHead::person(person)?,
        None => StartHead::mean(),
    };
    Ok(match saved {
        Some(saved) if saved.stage == coarse::STAGE => {
            let coarse = config.coarse_settings();
            origin::head_of_coarse(gpu, settings, coarse, &start, saved.arrays)?
        }
        Some(saved) => saved.arrays,
        None => origin::head_of_person(gpu, settings, &config.field, &start)?,
    })
}

/// Reads the instruction, and the earlier ones, as changes of the person whom the prompt is
/// about; `None` for settings that know no person.
fn understand(
    project: &Project,
    config: &GenerationConfig,
    model: &DiffusionModel,
    instruction: &str,
    context: &JobContext,
) -> Result<Option<Understood>, SessionError> {
    if !config.needs_person() {
        return Ok(None);
    }
    let person = Person::of(config)?;
    let reader = edited::reader()?;
    let mut before = person.sample;
    for earlier in project.instructions() {
        before = edited::edited(&reader, &before, config.seed, earlier)?.sample;
    }
    let now = edited::edited(&reader, &before, config.seed, instruction)?;
    if now.changed.is_empty() {
        context.events.warn(format!(
            "nothing that the embedded model knows changes by \"{instruction}\"; it is only guided by the words"
        ));
    } else if !now.ignored.is_empty() {
        context.events.warn(format!("the embedded model ignores: {}", now.ignored.join(", ")));
    }
    let fits = |text: &str| {
        let longest = DiffusionDenoiser::longest_prompt(model, text);
        Ok(model.tokenize_report(&longest)?.cut.is_none())
    };
    let look = &now.sample.look;
    let described = completion::describe(&person.reader, look, config.seed, fits)?;
    let description = described.unwrap_or_else(|| config.prompt.clone());
    context.events.send(Event::PromptCompleted(description.clone()));
    Ok(Some(Understood { before, after: now.sample, changed: now.changed, description }))
}
