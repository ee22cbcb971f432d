//! The one seam between the engine and its faces.
//!
//! [`spawn`] runs a job on its own named thread and returns a [`SessionHandle`]:
//! small typed events come through a bounded channel, the heavy picture of the head
//! through a slot in which the newest wins, and the face talks back with commands
//! and a cancel token. Dropping the handle cancels the job and waits for it.

pub mod cancel;
pub mod command;
pub mod completion;
pub mod edit;
pub mod edited;
mod error;
pub mod event;
mod export;
mod export_job;
mod finish;
pub mod generate;
pub(crate) mod guide;
pub mod history;
mod instant;
#[cfg(test)]
mod lost;
pub mod person;
pub mod prior;
mod replay;
mod report;
pub mod snapshot;
mod steered;
mod steps;
mod unfinished;

pub use cancel::CancelToken;
pub use command::Command;
pub use edit::EditJob;
pub use error::SessionError;
pub use event::{Artifacts, Event, EventSender, Outcome, StepReport, Waker, Warning};
pub use export_job::ExportJob;
pub use generate::GenerateJob;
pub use history::HistoryJob;
pub use replay::ReplayJob;
pub use snapshot::{HeadSnapshot, Latest};

use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;

/// Events that fit in the channel before step reports are dropped.
const EVENT_CAPACITY: usize = 256;

/// What a job may use while it runs.
#[derive(Debug)]
pub struct JobContext {
    /// Where progress goes.
    pub events: EventSender,
    /// The slot for the newest picture of the head.
    pub snapshots: Latest<HeadSnapshot>,
    /// Whether a face looks at the snapshots.
    pub is_watched: bool,
    /// Set when the job should stop at the next step.
    pub cancel: CancelToken,
    /// What the face asks for.
    pub commands: Receiver<Command>,
}

/// Work that a session runs.
pub trait Job: Send + 'static {
    /// Runs to the end, or until the token is set.
    ///
    /// # Errors
    /// [`SessionError`]; a cancelled job is not an error but [`Outcome::Cancelled`].
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError>;
}

/// A running job as its face sees it.
#[derive(Debug)]
pub struct SessionHandle {
    /// Progress, warnings and the outcome; the last event is always
    /// [`Event::Finished`].
    pub events: Receiver<Event>,
    /// The newest picture of the head.
    pub snapshots: Latest<HeadSnapshot>,
    /// Stops the job within one step.
    pub cancel: CancelToken,
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl SessionHandle {
    /// Sends a command; it takes effect before the next step. A job that has ended
    /// ignores it.
    pub fn send(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!("the job has ended, the command is dropped");
        }
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        self.cancel.cancel();
        // The job may be blocked on a full channel: keep draining it until it ends.
        while let Some(thread) = &self.thread {
            if thread.is_finished() {
                break;
            }
            while self.events.try_recv().is_ok() {}
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the session's thread panicked");
        }
    }
}

/// Starts a job on its own thread.
///
/// # Errors
/// [`SessionError::Thread`] if the system cannot start one.
pub fn spawn(job: impl Job) -> Result<SessionHandle, SessionError> {
    start(job, None)
}

/// [`spawn`] for a face that watches the head grow, and sleeps until it is woken: after each
/// event and snapshot, on the job's thread.
///
/// # Errors
/// [`SessionError::Thread`] if the system cannot start one.
pub fn spawn_watched(job: impl Job, waker: Waker) -> Result<SessionHandle, SessionError> {
    start(job, Some(waker))
}

fn start(job: impl Job, waker: Option<Waker>) -> Result<SessionHandle, SessionError> {
    let is_watched = waker.is_some();
    let (sender, events) = std::sync::mpsc::sync_channel(EVENT_CAPACITY);
    let (commands, command_receiver) = std::sync::mpsc::channel();
    let cancel = CancelToken::default();
    let snapshots = Latest::default();
    let context = JobContext {
        events: EventSender::new(sender, waker),
        snapshots: snapshots.clone(),
        is_watched,
        cancel: cancel.clone(),
        commands: command_receiver,
    };
    let thread = std::thread::Builder::new()
        .name("headsculpt-session".into())
        .spawn(move || {
            let run = std::panic::AssertUnwindSafe(|| job.run(&context));
            let outcome = match std::panic::catch_unwind(run) {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(error)) => Outcome::Failed(std::sync::Arc::new(error)),
                Err(_) => Outcome::Failed(std::sync::Arc::new(SessionError::Panicked)),
            };
            context.events.send(Event::Finished(outcome));
        })
        .map_err(SessionError::Thread)?;
    Ok(SessionHandle { events, snapshots, cancel, commands, thread: Some(thread) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Counter {
        steps: u64,
        done: Arc<AtomicU64>,
    }

    impl Job for Counter {
        fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
            let mut paused = false;
            for step in 0..self.steps {
                drop(command::drain(&context.commands, &context.cancel, &mut paused));
                if context.cancel.is_cancelled() {
                    return Ok(Outcome::Cancelled { resumable: None });
                }
                self.done.fetch_add(1, Ordering::SeqCst);
                context.events.send(Event::Step(StepReport::plain("test", step, self.steps)));
            }
            Ok(Outcome::Cancelled { resumable: None })
        }
    }

    #[test]
    fn dropping_the_handle_stops_a_job_that_nobody_listens_to() {
        let done = Arc::new(AtomicU64::new(0));
        let session = spawn(Counter { steps: u64::MAX, done: Arc::clone(&done) }).unwrap();
        while done.load(Ordering::SeqCst) < 2 * EVENT_CAPACITY as u64 {
            std::thread::yield_now();
        }
        drop(session);
        let stopped_at = done.load(Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(done.load(Ordering::SeqCst), stopped_at);
    }

    #[test]
    fn pause_holds_the_next_step_and_cancel_ends_the_pause() {
        let done = Arc::new(AtomicU64::new(0));
        let session = spawn(Counter { steps: u64::MAX, done: Arc::clone(&done) }).unwrap();
        session.send(Command::Pause(true));
        let mut before = u64::MAX;
        while before != done.load(Ordering::SeqCst) {
            before = done.load(Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        session.send(Command::Pause(false));
        while done.load(Ordering::SeqCst) == before {
            std::thread::yield_now();
        }
        session.send(Command::Pause(true));
        session.cancel.cancel();
        let last = std::iter::from_fn(|| session.events.recv().ok()).last();
        assert!(matches!(last, Some(Event::Finished(Outcome::Cancelled { .. }))));
    }

    struct Panics;
    impl Job for Panics {
        fn run(self, _: &JobContext) -> Result<Outcome, SessionError> {
            panic!("boom");
        }
    }

    #[test]
    fn a_panic_becomes_a_failed_outcome() {
        let session = spawn(Panics).unwrap();
        let last = std::iter::from_fn(|| session.events.recv().ok()).last();
        assert!(matches!(last, Some(Event::Finished(Outcome::Failed(_)))));
    }
}
