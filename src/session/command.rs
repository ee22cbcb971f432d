//! What a face may ask of a running job.

use super::CancelToken;
use crate::guidance::Steering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// A request that takes effect before the next step.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Hold before the next step, or go on.
    Pause(bool),
    /// Keep the state as it is, for good: to branch from it later.
    Keep,
    /// Change what the optimisation aims at; goes into the log with its step. Jobs that
    /// cannot be steered warn.
    Steer(Steering),
}

/// What was asked for since the last step.
#[derive(Debug, Default, PartialEq)]
pub struct Asked {
    /// Whether the state should be kept for good.
    pub keep: bool,
    /// Changes, oldest first.
    pub changes: Vec<Steering>,
}

/// Takes all waiting commands, blocking while the job is paused and not cancelled.
pub fn drain(commands: &Receiver<Command>, cancel: &CancelToken, paused: &mut bool) -> Asked {
    let mut asked = Asked::default();
    loop {
        while let Ok(command) = commands.try_recv() {
            match command {
                Command::Pause(pause) => *paused = pause,
                Command::Keep => asked.keep = true,
                Command::Steer(change) => asked.changes.push(change),
            }
        }
        if !*paused || cancel.is_cancelled() {
            return asked;
        }
        // Short enough that cancelling a paused job feels immediate.
        std::thread::sleep(Duration::from_millis(10));
    }
}
