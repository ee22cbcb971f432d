//! A job on the command line: progress, interrupts, how it ended.

use super::progress::Progress;
use super::{Failure, Output};
use crate::session::{self, Artifacts, Event, Job, Outcome, SessionError};
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// Runs the job, showing its progress, until it ends, and returns what it wrote; the first
/// interrupt cancels it. `again` says how to continue what was cancelled, given its folder.
pub(super) fn run(
    job: impl Job,
    output: Output,
    again: impl FnOnce(&Path) -> String,
) -> Result<Artifacts, Failure> {
    let session = session::spawn(job).map_err(|error| Failure::Broken(error.into()))?;
    let cancel = session.cancel.clone();
    // A second interrupt ends the process at once; checkpoints make that harmless.
    let handler = ctrlc::set_handler(move || {
        if cancel.is_cancelled() {
            std::process::exit(130);
        }
        cancel.cancel();
    });
    if let Err(error) = handler {
        tracing::warn!("interrupts will not save the state: {error}");
    }
    let mut progress = Progress::new(output);
    let outcome = loop {
        match session.events.recv_timeout(Duration::from_millis(500)) {
            Ok(event) => {
                progress.show(&event);
                if let Event::Finished(outcome) = event {
                    break outcome;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Broken(SessionError::Panicked.into()));
            }
        }
    };
    match outcome {
        Outcome::Completed(artifacts) => Ok(artifacts),
        Outcome::Cancelled { resumable: Some(folder) } => {
            Err(Failure::Cancelled(format!("cancelled; {}", again(&folder))))
        }
        Outcome::Cancelled { resumable: None } => {
            Err(Failure::Cancelled("cancelled; nothing was changed".into()))
        }
        Outcome::Failed(error) if error.is_input() => Err(Failure::input(error)),
        Outcome::Failed(error) => Err(Failure::Broken(anyhow::anyhow!("{error}"))),
    }
}
