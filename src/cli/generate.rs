//! `headsculpt generate`.

use super::progress::Progress;
use super::{Failure, Output};
use crate::config::{GenerationConfig, Overrides};
use crate::session::{self, Event, GenerateJob, Outcome, SessionError};
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What the head should look like
    #[arg(required_unless_present = "resume")]
    prompt: Option<String>,
    /// Output folder [default: ./<slug of the prompt>-<seed>]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Continue an interrupted run from its output folder; prompt and settings come
    /// from its project
    #[arg(long, value_name = "DIR", conflicts_with_all = ["prompt", "output", "preset", "model", "seed", "negative", "size", "coarse_steps", "fine_steps", "guidance", "guidance_scale", "verbatim"])]
    resume: Option<PathBuf>,
    /// A built-in preset, or a TOML file of settings
    #[arg(long, value_name = "NAME|FILE.toml", default_value = "quick")]
    preset: String,
    #[command(flatten)]
    overrides: Overrides,
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        let job = if let Some(folder) = self.resume {
            GenerateJob::Resume { folder }
        } else {
            let mut config = GenerationConfig::preset(&self.preset).map_err(Failure::input)?;
            config.prompt = self.prompt.unwrap_or_default();
            self.overrides.apply(&mut config);
            config.validate().map_err(Failure::input)?;
            let folder = self.output.unwrap_or_else(|| PathBuf::from(config.default_folder()));
            GenerateJob::New { folder, config: Box::new(config) }
        };
        follow(job, output)
    }
}

/// Runs the job, showing its progress, until it ends; the first interrupt cancels it.
fn follow(job: GenerateJob, output: Output) -> Result<(), Failure> {
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
        Outcome::Completed(artifacts) => {
            if output == Output::Human {
                println!("{}", artifacts.folder.display());
            }
            Ok(())
        }
        Outcome::Cancelled { resumable: Some(folder) } => Err(Failure::Cancelled(format!(
            "cancelled; continue with: headsculpt generate --resume '{}'",
            folder.display()
        ))),
        Outcome::Cancelled { resumable: None } => {
            Err(Failure::Cancelled("cancelled before anything was written".into()))
        }
        Outcome::Failed(error) if error.is_input() => Err(Failure::input(error)),
        Outcome::Failed(error) => Err(Failure::Broken(anyhow::anyhow!("{error}"))),
    }
}
