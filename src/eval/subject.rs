//! Pictures of what is measured.

use super::EvalError;
use crate::batch::{ImageBatch, Light, View, ViewRegion};
use crate::config::GenerationConfig;
use crate::diffusion::PromptReader;
use crate::geometry::TexturedMesh;
use crate::guidance::DistillationConfig;
use crate::head::HeadModel;
use crate::pipeline::instant;
use crate::project::Project;
use crate::render::GpuContext;
use crate::render::control::ControlRenderer;
use crate::render::mesh::{MeshRenderer, RenderKind};
use crate::render::studio::framed_camera;
use crate::session::guide::Guide;
use crate::session::person::{self, Person};
use crate::session::{self, Event, GenerateJob, Outcome, SessionError};
use glam::Vec3;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Side of the pictures, pixels: what the classifier reads.
const SIZE: u32 = 128;
/// Samples along a pixel's side.
const SAMPLES: u32 = 4;
/// Steps of samples of the diffusion model.
const SAMPLE_STEPS: usize = 12;
/// Azimuths of the ring of views, and of the close-ups of the face, degrees.
const RING: [f32; 8] = [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0];
const CLOSE: [f32; 3] = [0.0, 30.0, 330.0];
const CLOSE_DISTANCE: f32 = 0.66;

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

/// Pictures of one subject.
#[derive(Debug)]
pub struct Pictures {
    /// RGB, flat light.
    pub images: ImageBatch,
    /// The azimuth of each, degrees.
    pub azimuths: Vec<f32>,
}

/// Makes subjects and takes their pictures.
pub struct Subject {
    config: GenerationConfig,
    folder: PathBuf,
    gpu: GpuContext,
    renderer: MeshRenderer,
    reader: Option<PromptReader>,
}

impl Subject {
    /// `folder` receives the distilled heads.
    ///
    /// # Errors
    /// If there is no adapter.
    pub fn new(config: &GenerationConfig, folder: &Path) -> Result<Self, SessionError> {
        let gpu = GpuContext::new()?;
        let renderer = MeshRenderer::new(&gpu)?;
        Ok(Self { config: config.clone(), folder: folder.into(), gpu, renderer, reader: None })
    }

    /// Pictures of the subject that a prompt becomes.
    ///
    /// # Errors
    /// [`EvalError::Session`] for whatever can go wrong while it is made.
    pub fn pictures(
        &mut self,
        kind: SubjectKind,
        prompt: &str,
        seed: u64,
    ) -> Result<Pictures, EvalError> {
        let config = GenerationConfig { prompt: prompt.to_owned(), seed, ..self.config.clone() };
        match kind {
            SubjectKind::Samples => Ok(self.samples(&config)?),
            SubjectKind::Instant => Ok(self.instant(&config)?),
            SubjectKind::Head | SubjectKind::Project => self.head(config),
        }
    }

    /// Pictures of a mesh without light.
    ///
    /// # Errors
    /// A driver error.
    pub fn of_mesh(&self, mesh: &TexturedMesh) -> Result<Pictures, SessionError> {
        let uploaded = self.renderer.upload(mesh)?;
        let (views, azimuths) = views();
        let images = self.renderer.render(&uploaded, &views, RenderKind::Albedo, SAMPLES)?;
        Ok(Pictures { images, azimuths })
    }

    fn instant(&mut self, config: &GenerationConfig) -> Result<Pictures, SessionError> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => person::reader(config)?,
        };
        let sample = person::sample(&reader, &config.prompt, config.seed)?;
        self.reader = Some(reader);
        let head = instant::build(&sample, 1024)?;
        self.of_mesh(&head.posed(&head.weights))
    }

    /// Drawn of what the coarse stage would be guided by: with most presets, the completed prompt.
    fn samples(&self, config: &GenerationConfig) -> Result<Pictures, SessionError> {
        let person = if config.needs_person() { Some(Person::of(config)?) } else { None };
        let settings = DistillationConfig { ddim_steps: SAMPLE_STEPS, ..config.guidance.clone() };
        let config = GenerationConfig { guidance: settings, ..config.clone() };
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
    fn head(&self, config: GenerationConfig) -> Result<Pictures, EvalError> {
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
        self.of_project(&folder)
    }

    /// Pictures of a finished project.
    ///
    /// # Errors
    /// [`EvalError`] if it is none, or not finished.
    pub fn of_project(&self, folder: &Path) -> Result<Pictures, EvalError> {
        let project = Project::open_read_only(folder).map_err(SessionError::from)?;
        let mesh = project.load_avatar().map_err(SessionError::from)?.ok_or_else(|| {
            EvalError::File { path: folder.into(), what: "the head is not finished".into() }
        })?;
        Ok(self.of_mesh(&mesh)?)
    }
}

/// Runs a job to its end.
fn wait(job: GenerateJob) -> Result<(), SessionError> {
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

/// The ring and the close-ups, in flat light on mid-grey.
fn views() -> (Vec<View>, Vec<f32>) {
    let ring = RING.map(|azimuth| (azimuth, 1.0));
    let all = ring.into_iter().chain(CLOSE.map(|azimuth| (azimuth, CLOSE_DISTANCE)));
    all.map(|(azimuth, distance)| {
        let camera = framed_camera(azimuth, 5.0, 28.0, distance, Vec3::ZERO, SIZE);
        let region = ViewRegion::of_azimuth(azimuth);
        (View { camera, light: Light::Flat, region, background: [0.6; 3] }, azimuth)
    })
    .unzip()
}
