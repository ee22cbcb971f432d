//! The instant head: whom the prompt asks for, on the prior's own surface, without any
//! optimisation.

use super::event::Artifacts;
use super::guide::ignored;
use super::person::Person;
use super::report::{Report, StageTiming};
use super::{Event, JobContext, Outcome, SessionError, StepReport, completion, export, finish};
use crate::config::GenerationConfig;
use crate::pipeline::instant;
use crate::project::Project;
use crate::render::GpuContext;
use std::time::Instant;

/// Name of the stage in events and reports.
const STAGE: &str = "instant";
const STEPS: u64 = 3;

/// Makes and writes the head of `person`; `open` gives the project when everything that can
/// be refused has been looked at.
pub(super) fn run(
    config: &GenerationConfig,
    person: &Person,
    context: &JobContext,
    started: Instant,
    open: impl FnOnce(&GpuContext) -> Result<Project, SessionError>,
) -> Result<Outcome, SessionError> {
    let events = &context.events;
    let described =
        completion::describe(&person.reader, &person.sample.look, config.seed, |_| Ok(true))?;
    let warnings: Vec<String> =
        ignored(&person.reader.ignored_words(&config.prompt)?, &config.model).into_iter().collect();
    for warning in &warnings {
        events.warn(warning);
    }
    if let Some(text) = &described {
        events.send(Event::PromptCompleted(text.clone()));
    }
    let gpu = GpuContext::new()?;
    if context.cancel.is_cancelled() {
        return Ok(Outcome::Cancelled { resumable: None });
    }
    let mut project = open(&gpu)?;
    events.send(Event::StageStarted { stage: STAGE, steps: STEPS, done: 0 });
    let mut timing = StageTiming::new(STAGE);
    let mut mark = Instant::now();
    let mut tick = |step| {
        timing.push(mark.elapsed());
        mark = Instant::now();
        events.send(Event::Step(StepReport::plain(STAGE, step, STEPS)));
    };
    let head = instant::build(&person.sample, config.mesh.texture)?;
    tick(1);
    let version = project.history().current().id;
    project.save_avatar(version, &head).map_err(SessionError::Storage)?;
    tick(2);
    let folder = project.output().to_path_buf();
    let written = export::write_all(&folder, &head, config, &gpu)?;
    tick(3);
    let mut report = Report::new(config, described, &gpu);
    report.push_stage(&timing, None);
    report.finish(&head.rest, started.elapsed(), warnings);
    let file = finish::record(&mut project, written, &report, &head.rest)?;
    Ok(Outcome::Completed(Artifacts { folder, file }))
}
