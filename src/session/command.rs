//! What a face may ask of a running job.

use super::CancelToken;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// A request that takes effect before the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Hold before the next step, or go on.
    Pause(bool),
    /// Write a checkpoint now.
    Checkpoint,
}

/// Takes all waiting commands, blocking while the job is paused and not cancelled.
/// Returns whether a checkpoint was asked for.
pub fn drain(commands: &Receiver<Command>, cancel: &CancelToken, paused: &mut bool) -> bool {
    let mut checkpoint = false;
    loop {
        while let Ok(command) = commands.try_recv() {
            match command {
                Command::Pause(pause) => *paused = pause,
                Command::Checkpoint => checkpoint = true,
            }
        }
        if !*paused || cancel.is_cancelled() {
            return checkpoint;
        }
        // Short enough that cancelling a paused job feels immediate.
        std::thread::sleep(Duration::from_millis(10));
    }
}
