//! What a job tells its face.

use super::SessionError;
use crate::guidance::Steering;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

/// One step of a stage.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StepReport {
    /// The stage: "coarse", "mesh", "export", ..
    pub stage: &'static str,
    /// Steps done, from 1.
    pub step: u64,
    /// Steps of the stage in all.
    pub steps: u64,
    /// The stage's own measure of disagreement with its guidance; lower is closer,
    /// comparable only within a run.
    pub loss: Option<f32>,
    /// L2 norm of the gradient on the pictures of the step.
    pub gradient_norm: Option<f32>,
    /// Seconds until the stage ends, from the median of recent steps.
    pub eta_seconds: Option<f64>,
}

impl StepReport {
    /// A step of a stage that optimises nothing.
    #[must_use]
    pub fn plain(stage: &'static str, step: u64, steps: u64) -> Self {
        Self { stage, step, steps, loss: None, gradient_norm: None, eta_seconds: None }
    }
}

/// Something the user should know that does not stop the work.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning(pub String);

/// Files that a finished job wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    /// The output folder.
    pub folder: PathBuf,
    /// The avatar: a GLB, or the file that was exported to.
    pub file: PathBuf,
}

/// How a job ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// To the end.
    Completed(Artifacts),
    /// The token was set; with the folder to resume from, if anything was saved.
    Cancelled {
        /// The output folder.
        resumable: Option<PathBuf>,
    },
    /// Not at all.
    Failed(Arc<SessionError>),
}

/// Progress of a job.
#[derive(Debug, Clone)]
pub enum Event {
    /// A stage begins.
    StageStarted {
        /// Its name.
        stage: &'static str,
        /// Its steps.
        steps: u64,
        /// Steps that a resumed run has behind it.
        done: u64,
    },
    /// A step ended. Dropped, not queued, when the face does not keep up.
    Step(StepReport),
    /// See [`Warning`].
    Warning(Warning),
    /// What the prompt leaves open has been filled in; this sentence guides from here on.
    PromptCompleted(String),
    /// A change that was asked for is in force, and in the log.
    Steered(Steering),
    /// A checkpoint was written.
    CheckpointSaved(PathBuf),
    /// The job has ended; nothing follows.
    Finished(Outcome),
}

/// Called on the job's thread when there is something new for the face.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The sending end of the bounded event channel.
#[derive(Clone)]
pub struct EventSender {
    sender: SyncSender<Event>,
    waker: Option<Waker>,
}

impl std::fmt::Debug for EventSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventSender").finish_non_exhaustive()
    }
}

impl EventSender {
    pub(super) fn new(sender: SyncSender<Event>, waker: Option<Waker>) -> Self {
        Self { sender, waker }
    }

    /// Sends an event. Step reports are dropped when the channel is full, everything
    /// else waits for room; a face that has gone away is ignored.
    pub fn send(&self, event: Event) {
        if matches!(event, Event::Step(_)) {
            if let Err(TrySendError::Full(_)) = self.sender.try_send(event) {
                tracing::trace!("the face is behind, a step report is dropped");
            }
        } else if self.sender.send(event).is_err() {
            tracing::debug!("nobody listens to the job's events any more");
        }
        self.wake();
    }

    /// Wakes the face, if it sleeps.
    pub(super) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker();
        }
    }

    /// Sends a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.send(Event::Warning(Warning(text.into())));
    }
}
