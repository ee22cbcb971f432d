//! `headsculpt generate`.

use super::{Failure, Output, follow};
use crate::config::{GenerationConfig, Overrides};
use crate::session::GenerateJob;
use std::path::PathBuf;

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
        let done = follow::run(job, output, |folder| {
            format!("continue with: headsculpt generate --resume '{}'", folder.display())
        })?;
        output.say(done.folder.display());
        Ok(())
    }
}
