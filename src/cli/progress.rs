//! Progress of a session, as a bar or as JSON lines.

use super::Output;
use crate::session::{Event, Outcome, StepReport};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Shows the events of one session.
#[derive(Debug)]
pub(super) struct Progress {
    output: Output,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        Self { output, bar: None }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match self.output {
            Output::Quiet => {}
            Output::Json => println!("{}", to_json(event)),
            Output::Human => self.show_human(event),
        }
    }

    fn show_human(&mut self, event: &Event) {
        match event {
            Event::StageStarted { stage, steps, done } => {
                self.finish();
                let bar = ProgressBar::new(*steps).with_position(*done);
                let style = "{prefix:>10} {wide_bar} {pos}/{len} {msg}";
                if let Ok(style) = ProgressStyle::with_template(style) {
                    bar.set_style(style);
                }
                bar.set_prefix(*stage);
                bar.tick();
                self.bar = Some(bar);
            }
            Event::Step(StepReport { step, eta_seconds, .. }) => {
                if let Some(bar) = &self.bar {
                    if let Some(seconds) = eta_seconds {
                        let left = Duration::from_secs(seconds.round().max(0.0) as u64);
                        bar.set_message(format!("{} left", indicatif::HumanDuration(left)));
                    }
                    bar.set_position(*step);
                }
            }
            Event::Warning(warning) => match &self.bar {
                Some(bar) => bar.suspend(|| eprintln!("warning: {}", warning.0)),
                None => eprintln!("warning: {}", warning.0),
            },
            Event::PromptCompleted(prompt) => eprintln!("{:>10} {prompt}", "drawing"),
            Event::Steered(change) => eprintln!("{:>10} {}", "changed", change.describe()),
            Event::CheckpointSaved(path) => {
                tracing::info!(path = %path.display(), "checkpoint saved");
            }
            Event::Finished(_) => self.finish(),
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.set_message("");
            bar.finish();
        }
    }
}

fn to_json(event: &Event) -> serde_json::Value {
    use serde_json::json;
    match event {
        Event::PromptCompleted(prompt) => json!({"event": "prompt", "completed": prompt}),
        Event::StageStarted { stage, steps, done } => {
            json!({"event": "stage", "stage": stage, "steps": steps, "done": done})
        }
        Event::Step(report) => {
            let mut value = json!({"event": "step"});
            if let (Some(object), Ok(serde_json::Value::Object(fields))) =
                (value.as_object_mut(), serde_json::to_value(report))
            {
                object.extend(fields);
            }
            value
        }
        Event::Warning(warning) => json!({"event": "warning", "text": warning.0}),
        Event::Steered(change) => json!({"event": "steered", "change": change}),
        Event::CheckpointSaved(path) => json!({"event": "checkpoint", "path": path}),
        Event::Finished(Outcome::Completed(artifacts)) => {
            json!({"event": "finished", "outcome": "completed", "folder": artifacts.folder, "file": artifacts.file})
        }
        Event::Finished(Outcome::Cancelled { resumable }) => {
            json!({"event": "finished", "outcome": "cancelled", "resumable": resumable})
        }
        Event::Finished(Outcome::Failed(error)) => {
            json!({"event": "finished", "outcome": "failed", "error": error.to_string()})
        }
    }
}
