//! The steps of a stage, as a job runs them: commands, cancellation, snapshots, progress.

use super::report::StageTiming;
use super::{Event, HeadSnapshot, JobContext, SessionError, StepReport, command};
use crate::pipeline::{CoarseConfig, Stage};
use std::time::Instant;

/// Runs a stage up to `steps` steps; gives its timing and field evaluations, or `None` if it was
/// cancelled. A snapshot is put out every `config.snapshot_every` steps (0: none). `save` is
/// called between steps, as often as `config.checkpoint_seconds` says or when it is asked for.
pub(super) fn run<S: Stage>(
    context: &JobContext,
    stage: &mut S,
    steps: u64,
    config: &CoarseConfig,
    mut save: impl FnMut(&mut S) -> Result<(), SessionError>,
) -> Result<Option<(StageTiming, u64)>, SessionError> {
    let events = &context.events;
    events.send(Event::StageStarted { stage: S::NAME, steps, done: stage.done() });
    let mut timing = StageTiming::new(S::NAME);
    let mut evaluations = 0;
    let mut paused = false;
    let mut saved = Instant::now();
    while stage.done() < steps {
        let wanted = command::drain(&context.commands, &context.cancel, &mut paused);
        if context.cancel.is_cancelled() {
            return Ok(None);
        }
        if wanted || saved.elapsed().as_secs_f64() >= config.checkpoint_seconds {
            save(stage)?;
            saved = Instant::now();
        }
        let started = Instant::now();
        let progress = stage.step()?;
        timing.push(started.elapsed());
        evaluations += progress.evaluations;
        if config.snapshot_every > 0 && progress.done.is_multiple_of(config.snapshot_every) {
            let images = stage.snapshot()?;
            context.snapshots.put(HeadSnapshot { step: progress.done, images });
        }
        let (loss, t) = (progress.loss, progress.timestep);
        tracing::info!(stage = S::NAME, step = progress.done, loss, t);
        let left = (steps - progress.done) as f64;
        events.send(Event::Step(StepReport {
            stage: S::NAME,
            step: progress.done,
            steps,
            loss: Some(loss),
            eta_seconds: timing.recent_median().map(|each| each * left),
        }));
    }
    Ok(Some((timing, evaluations)))
}
