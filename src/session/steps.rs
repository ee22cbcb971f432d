//! The steps of a stage, as a job runs them: commands, cancellation, snapshots, progress.

use super::report::StageTiming;
use super::{Event, HeadSnapshot, JobContext, SessionError, StepReport, command};
use crate::guidance::Steering;
use crate::pipeline::{CoarseConfig, Stage};
use crate::project::Keep;
use std::time::Instant;

/// The share of a job's time that snapshots may take, for a face that watches.
const WATCHING: f64 = 0.05;

/// Puts out snapshots for a face that watches, so often that they cost no more than they may.
struct Watch {
    /// The fewest steps between two.
    every: u64,
    next: Instant,
}

impl Watch {
    fn look<S: Stage>(&mut self, context: &JobContext, stage: &mut S) -> Result<(), SessionError> {
        let is_due = Instant::now() >= self.next
            && (self.every == 0 || stage.done().is_multiple_of(self.every));
        if !context.is_watched || !is_due {
            return Ok(());
        }
        let started = Instant::now();
        let (images, surface) = (stage.snapshot()?, stage.surface()?);
        context.snapshots.put(HeadSnapshot { step: stage.done(), images, surface });
        context.events.wake();
        self.next = Instant::now() + started.elapsed().mul_f64(1.0 / WATCHING);
        Ok(())
    }
}

/// What happens between the steps of a stage.
pub(super) trait Keeper<S> {
    /// Keeps the stage's state.
    fn save(&mut self, stage: &mut S, keep: Keep) -> Result<(), SessionError>;

    /// Keeps a stage that has just begun, where that is worth it; gives since when whatever is
    /// done would have to be done again.
    fn begin(&mut self, stage: &mut S) -> Result<Instant, SessionError>;

    /// Takes the changes that are due before the stage's next step: those that `asked` has just
    /// brought, and what an earlier run noted for this step.
    fn steer(&mut self, stage: &mut S, asked: Vec<Steering>) -> Result<(), SessionError>;
}

/// Runs a stage up to `steps` steps; gives its timing and field evaluations, or `None` if it was
/// cancelled. Faces that watch get snapshots; looking changes nothing of the result. The keeper
/// saves between steps, as often as `config.checkpoint_seconds` says or when it is asked for.
pub(super) fn run<S: Stage>(
    context: &JobContext,
    stage: &mut S,
    steps: u64,
    config: &CoarseConfig,
    keeper: &mut impl Keeper<S>,
) -> Result<Option<(StageTiming, u64)>, SessionError> {
    let events = &context.events;
    events.send(Event::StageStarted { stage: S::NAME, steps, done: stage.done() });
    let mut timing = StageTiming::new(S::NAME);
    let mut evaluations = 0;
    let mut paused = false;
    let mut saved = (keeper.begin(stage)?, stage.done());
    let mut watch = Watch { every: config.snapshot_every, next: Instant::now() };
    watch.look(context, stage)?;
    while stage.done() < steps {
        let asked = command::drain(&context.commands, &context.cancel, &mut paused);
        if context.cancel.is_cancelled() {
            return Ok(None);
        }
        let is_due = saved.0.elapsed().as_secs_f64() >= config.checkpoint_seconds;
        if asked.keep {
            keeper.save(stage, Keep::Pinned)?;
        } else if is_due && saved.1 < stage.done() {
            keeper.save(stage, Keep::Rolling)?;
            saved = (Instant::now(), stage.done());
        }
        keeper.steer(stage, asked.changes)?;
        let started = Instant::now();
        let progress = stage.step()?;
        timing.push(started.elapsed());
        evaluations += progress.evaluations;
        watch.look(context, stage)?;
        let (loss, t) = (progress.loss, progress.timestep);
        tracing::info!(stage = S::NAME, step = progress.done, loss, t);
        let left = (steps - progress.done) as f64;
        events.send(Event::Step(StepReport {
            stage: S::NAME,
            step: progress.done,
            steps,
            loss: Some(loss),
            gradient_norm: Some(progress.gradient_norm),
            eta_seconds: timing.recent_median().map(|each| each * left),
        }));
    }
    Ok(Some((timing, evaluations)))
}
