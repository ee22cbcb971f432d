//! What is measured, and how it is made.

use super::EvalError;
use super::edit::history::{EditStep, History};
use super::pictures::{Pictures, views};
use crate::batch::View;
use crate::config::{GenerationConfig, slug};
use crate::diffusion::{InstructionReader, PromptReader};
use crate::geometry::TexturedMesh;
use crate::guidance::DistillationConfig;
use crate::head::HeadModel;
use crate::pipeline::{EditRegion, instant};
use crate::project::Project;
use crate::render::GpuContext;
use crate::render::control::ControlRenderer;
use crate::render::studio::StudioSample;
use crate::session::guide::Guide;
use crate::session::person::{self, Person};
use crate::session::{self, EditJob, Event, GenerateJob, Job, Outcome, SessionError, edited};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Steps of samples of the diffusion model.
const SAMPLE_STEPS: usize = 12;
/// Side of an instant head's texture.
const INSTANT_TEXTURE: u32 = 1024;

/// What is measured.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// Pictures that the diffusion model draws with the mean head's control
    Samples,
    /// Heads of the preset `instant`
    Instant,
    /// Distilled heads
    Head,
    /// A finished project
    #[value(skip)]
    Project,
}

/// What to do to which distilled head.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The sentence that the head is made from.
    pub prompt: &'a str,
    /// Its seed.
    pub seed: u64,
    /// What to change.
    pub instruction: &'a str,
    /// Where that is kept to.
    pub region: EditRegion,
    /// How far it is followed, `(0, 1]`.
    pub strength: f64,
}

/// A head before and after an instruction.
#[derive(Debug)]
pub struct Edited {
    /// The head before.
    pub before: TexturedMesh,
    /// The head after.
    pub after: TexturedMesh,
    /// What the instruction was understood to change.
    pub changed: BTreeMap<String, Value>,
    /// The edited copy, if it is one on disk.
    pub folder: Option<PathBuf>,
}

/// Makes subjects.
pub struct Subject {
    config: GenerationConfig,
    folder: PathBuf,
    gpu: GpuContext,
    reader: Option<PromptReader>,
    instructions: Option<InstructionReader>,
}

impl Subject {
    /// `folder` receives the distilled heads and edited copies.
    #[must_use]
    pub fn new(config: &GenerationConfig, folder: &Path, gpu: &GpuContext) -> Self {
        Self {
            config: config.clone(),
            folder: folder.into(),
            gpu: gpu.clone(),
            reader: None,
            instructions: None,
        }
    }

    /// The reader of prompts, loaded once.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub fn reader(&mut self) -> Result<&PromptReader, SessionError> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => person::reader(&self.config)?,
        };
        Ok(self.reader.insert(reader))
    }

    /// An instant head.
    ///
    /// # Errors
    /// If the prompt cannot be read.
    pub fn instant(&mut self, prompt: &str, seed: u64) -> Result<TexturedMesh, SessionError> {
        posed(&person::sample(self.reader()?, prompt, seed)?)
    }

    /// The instant heads of a person before and after an instruction.
    ///
    /// # Errors
    /// If the sentences cannot be read.
    pub fn instant_edit(
        &mut self,
        prompt: &str,
        seed: u64,
        instruction: &str,
    ) -> Result<Edited, SessionError> {
        let before = person::sample(self.reader()?, prompt, seed)?;
        let reader = match self.instructions.take() {
            Some(reader) => reader,
            None => edited::reader()?,
        };
        let reader = self.instructions.insert(reader);
        let after = edited::edited(reader, &before, seed, instruction)?;
        Ok(Edited {
            before: posed(&before)?,
            after: posed(&after.sample)?,
            changed: after.changed.into_iter().collect(),
            folder: None,
        })
    }

    /// Pictures that the diffusion model draws of what the coarse stage would be guided by:
    /// with most presets, the completed prompt.
    ///
    /// # Errors
    /// If the model cannot be loaded or asked.
    pub fn samples(&self, prompt: &str, seed: u64) -> Result<Pictures, SessionError> {
        let config = self.config(prompt, seed);
        let person = if config.needs_person() { Some(Person::of(&config)?) } else { None };
        let settings = DistillationConfig { ddim_steps: SAMPLE_STEPS, ..config.guidance.clone() };
        let config = GenerationConfig { guidance: settings, ..config };
        let Guide { mut guidance, controls: request, .. } = Guide::load(&config, person.as_ref())?;
        let (views, azimuths) = views();
        let sized: Vec<View> = views
            .iter()
            .map(|v| View { camera: v.camera.with_size(request.size, request.size), ..*v })
            .collect();
        let mut renderer = ControlRenderer::new(&self.gpu)?;
        let mut controls = BTreeMap::new();
        for &kind in &request.kinds {
            controls.insert(kind, renderer.render(kind, HeadModel::embedded().mean(), &sized)?);
        }
        let images = guidance.draw(&views, &controls)?;
        Ok(Pictures { images, azimuths })
    }

    /// A distilled head: made in a folder of its own, or what an earlier run left there.
    ///
    /// # Errors
    /// [`EvalError::Session`] for whatever can go wrong while it is made.
    pub fn head(&self, prompt: &str, seed: u64) -> Result<TexturedMesh, EvalError> {
        avatar(&self.head_folder(prompt, seed)?)
    }

    fn head_folder(&self, prompt: &str, seed: u64) -> Result<PathBuf, EvalError> {
        let config = self.config(prompt, seed);
        let folder = self.folder.join("heads").join(config.default_folder());
        let job = if folder.exists() {
            GenerateJob::Resume { folder: folder.clone() }
        } else {
            GenerateJob::New { folder: folder.clone(), config: Box::new(config) }
        };
        let finished = Project::open_read_only(&folder).is_ok_and(|project| project.is_finished());
        if !finished {
            wait(job)?;
        }
        Ok(folder)
    }

    /// A distilled head and an edited copy of it, which an earlier run may have left.
    ///
    /// # Errors
    /// [`EvalError::Session`] for whatever can go wrong while they are made;
    /// [`EvalError::File`] if another edit has taken the copy's folder.
    pub fn head_edit(&self, request: Request<'_>) -> Result<Edited, EvalError> {
        let Request { prompt, seed, instruction, region, strength } = request;
        let head = self.head_folder(prompt, seed)?;
        let copy = self.folder.join("edits").join(self.edit_name(request));
        if History::open(&copy)?.is_none_or(|history| history.edits.is_empty()) {
            // A run that was killed while it copied left the head as it was before the edit;
            // one that was killed before that left what the edit goes on with.
            if Project::check_free(&copy).is_err() {
                std::fs::remove_dir_all(&copy).map_err(EvalError::file(&copy))?;
            }
            wait(EditJob {
                folder: head.clone(),
                copy: Some(copy.clone()),
                instruction: instruction.to_owned(),
                region,
                strength: Some(strength),
                steps: None,
                seed: None,
            })?;
        }
        let made = History::open(&copy)?.and_then(|mut history| history.edits.pop());
        let made = made.filter(|made| {
            (made.instruction.as_str(), made.region, made.strength)
                == (instruction.trim(), region, strength)
        });
        let Some(EditStep { changed, .. }) = made else {
            let what = "holds something else than the edit that is measured".into();
            return Err(EvalError::File { path: copy, what });
        };
        let (before, after) = (avatar(&head)?, avatar(&copy)?);
        Ok(Edited { before, after, changed, folder: Some(copy) })
    }

    /// What an edit is called in file names.
    #[must_use]
    pub fn edit_name(&self, request: Request<'_>) -> String {
        let mut name = self.config(request.prompt, request.seed).default_folder();
        name = format!("{name}-{}", slug(request.instruction));
        if request.region != EditRegion::All {
            name = format!("{name}-in-{}", request.region.name());
        }
        if request.strength != self.config.edit.strength {
            name = format!("{name}-at-{}", request.strength);
        }
        name
    }

    /// The settings of a distilled head.
    #[must_use]
    pub fn config(&self, prompt: &str, seed: u64) -> GenerationConfig {
        GenerationConfig { prompt: prompt.to_owned(), seed, ..self.config.clone() }
    }
}

/// The avatar of a finished project.
///
/// # Errors
/// [`EvalError`] if it is none, or not finished.
pub fn avatar(folder: &Path) -> Result<TexturedMesh, EvalError> {
    let project = Project::open_read_only(folder).map_err(SessionError::from)?;
    let avatar = project.load_avatar().map_err(SessionError::from)?;
    avatar.map(|avatar| avatar.shown()).ok_or_else(|| EvalError::File {
        path: folder.into(),
        what: "the head is not finished".into(),
    })
}

/// A person's head with its expression.
fn posed(person: &StudioSample) -> Result<TexturedMesh, SessionError> {
    let head = instant::build(person, INSTANT_TEXTURE)?;
    Ok(head.posed(&head.weights))
}

/// Runs a job to its end.
fn wait(job: impl Job) -> Result<(), SessionError> {
    let session = session::spawn(job)?;
    loop {
        match session.events.recv() {
            Ok(Event::Finished(Outcome::Failed(error))) => {
                return Err(Arc::try_unwrap(error).unwrap_or(SessionError::Panicked));
            }
            Ok(Event::Finished(_)) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(SessionError::Panicked),
        }
    }
}
