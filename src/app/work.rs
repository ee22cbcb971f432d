//! The running job as the window shows it.

use crate::batch::ImageBatch;
use crate::config::GenerationConfig;
use crate::geometry::ColoredMesh;
use crate::guidance::Steering;
use crate::session::{self, Command, Event, Job, Outcome, SessionError, SessionHandle, Waker};
use std::path::PathBuf;
use std::time::Instant;

/// Points that a plot keeps; older ones are thinned out.
const PLOTTED: usize = 2000;

/// What a job does, as its title and what follows from its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// A head is made in this folder.
    Generate {
        /// The output folder.
        folder: PathBuf,
        /// The sentence.
        prompt: String,
        /// What is avoided.
        negative: String,
        /// The guidance scale, if it is not the model's own.
        scale: Option<f64>,
        /// How often each side is seen.
        weights: [f32; 4],
    },
    /// The open head is edited.
    Edit {
        /// The sentence.
        instruction: String,
    },
    /// Another version becomes current.
    History,
    /// A file is written.
    Export,
}

impl Task {
    /// The generation of a head in a folder.
    #[must_use]
    pub fn generate(folder: PathBuf, config: &GenerationConfig) -> Self {
        Self::Generate {
            folder,
            prompt: config.prompt.clone(),
            negative: config.negative.clone(),
            scale: config.guidance.scale,
            weights: config.views.region_weights,
        }
    }

    /// What is being done, for the progress panel.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Generate { prompt, .. } => format!("Making “{prompt}”"),
            Self::Edit { instruction } => format!("Editing: “{instruction}”"),
            Self::History => "Writing the files of this version".into(),
            Self::Export => "Exporting".into(),
        }
    }
}

/// What the steps of a stage measured, as points of step and value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// The stage.
    pub stage: &'static str,
    /// Its disagreement with the guidance.
    pub loss: Vec<[f64; 2]>,
    /// L2 norm of the gradient on the pictures.
    pub gradient_norm: Vec<[f64; 2]>,
}

/// Adds a point, if it is one, and thins out a curve that has become long.
fn push(points: &mut Vec<[f64; 2]>, step: u64, value: f32) {
    if !value.is_finite() {
        return;
    }
    points.push([step as f64, f64::from(value)]);
    if points.len() > PLOTTED {
        let mut keep = false;
        points.retain(|_| {
            keep = !keep;
            keep
        });
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The stage.
    pub stage: &'static str,
    /// Steps of the stage done.
    pub step: u64,
    /// Steps of the stage in all.
    pub steps: u64,
    /// Seconds until the stage ends.
    pub eta_seconds: Option<f64>,
    /// Steps a second, from the last ones.
    pub rate: Option<f64>,
    /// What the steps of each stage measured.
    pub curves: Vec<Curves>,
    /// The sentence that guides in the prompt's place.
    pub completed_prompt: Option<String>,
}

/// The running job as the window shows it.
#[derive(Debug)]
pub struct Work {
    /// What it does.
    pub task: Task,
    /// Where it stands.
    pub progress: Progress,
    /// When it began.
    pub started: Instant,
    /// Front, left, back and right, as the optimiser has them; counts its changes.
    pub snapshot: Option<(u64, ImageBatch)>,
    /// The newest surface, until somebody takes it.
    pub surface: Option<ColoredMesh>,
    session: SessionHandle,
    is_paused: bool,
    is_stopping: bool,
    last_step: Option<(Instant, u64)>,
}

/// What [`Work::poll`] has found.
#[derive(Debug)]
pub enum News {
    /// A sentence for the log.
    Warning(String),
    /// A change is in force.
    Steered(Steering),
    /// The job has ended.
    Ended(Outcome),
}

impl Work {
    /// Starts a job; `waker` is called when there is something to poll for.
    ///
    /// # Errors
    /// [`SessionError::Thread`].
    pub fn start(task: Task, job: impl Job, waker: Waker) -> Result<Self, SessionError> {
        Ok(Self {
            task,
            progress: Progress::default(),
            started: Instant::now(),
            snapshot: None,
            surface: None,
            session: session::spawn_watched(job, waker)?,
            is_paused: false,
            is_stopping: false,
            last_step: None,
        })
    }

    /// Takes in what the job has said since the last call.
    pub fn poll(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        while let Ok(event) = self.session.events.try_recv() {
            match event {
                Event::StageStarted { stage, steps, done } => {
                    self.progress.stage = stage;
                    self.progress.steps = steps;
                    self.progress.step = done;
                    self.progress.eta_seconds = None;
                    self.progress.rate = None;
                    self.last_step = None;
                }
                Event::Step(report) => self.step(&report),
                Event::Warning(warning) => news.push(News::Warning(warning.0)),
                Event::PromptCompleted(prompt) => self.progress.completed_prompt = Some(prompt),
                Event::Steered(change) => news.push(News::Steered(change)),
                Event::CheckpointSaved(path) => {
                    tracing::info!(path = %path.display(), "checkpoint saved");
                }
                Event::Finished(outcome) => news.push(News::Ended(outcome)),
            }
        }
        if let Some(snapshot) = self.session.snapshots.take() {
            let count = self.snapshot.as_ref().map_or(0, |(count, _)| *count);
            self.snapshot = Some((count + 1, snapshot.images));
            self.surface = snapshot.surface.or(self.surface.take());
        }
        news
    }

    fn step(&mut self, report: &session::StepReport) {
        let progress = &mut self.progress;
        progress.stage = report.stage;
        progress.step = report.step;
        progress.steps = report.steps;
        progress.eta_seconds = report.eta_seconds;
        if let Some((at, step)) = self.last_step
            && report.step > step
        {
            let rate = (report.step - step) as f64 / at.elapsed().as_secs_f64().max(1e-6);
            progress.rate = Some(progress.rate.map_or(rate, |old| 0.8 * old + 0.2 * rate));
        }
        self.last_step = Some((Instant::now(), report.step));
        let (Some(loss), Some(norm)) = (report.loss, report.gradient_norm) else { return };
        if progress.curves.last().is_none_or(|curves| curves.stage != report.stage) {
            progress.curves.push(Curves { stage: report.stage, ..Curves::default() });
        }
        if let Some(curves) = progress.curves.last_mut() {
            push(&mut curves.loss, report.step, loss);
            push(&mut curves.gradient_norm, report.step, norm);
        }
    }

    /// Changes a generation before its next step.
    pub fn steer(&self, change: Steering) {
        self.session.send(Command::Steer(change));
    }

    /// Keeps the state as it is, to branch from it.
    pub fn keep(&self) {
        self.session.send(Command::Keep);
    }

    /// Holds the job before its next step, or lets it go on.
    pub fn pause(&mut self, pause: bool) {
        self.is_paused = pause;
        self.session.send(Command::Pause(pause));
    }

    /// Whether it is held.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Asks the job to stop; what it has is kept.
    pub fn stop(&mut self) {
        self.is_stopping = true;
        self.session.cancel.cancel();
    }

    /// Whether it has been asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    /// Whether it makes or changes a head, and so can be paused.
    #[must_use]
    pub fn is_long(&self) -> bool {
        matches!(self.task, Task::Generate { .. } | Task::Edit { .. })
    }
}
