//! `headsculpt models`.

use super::{Failure, Output};
use crate::diffusion::{DiffusionError, embedded, verify};
use candle_core::Device;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Load every network of a checkpoint and run it once
    Verify {
        /// 'embedded', or a folder in diffusers layout
        #[arg(value_name = "NAME|DIR")]
        model: String,
        /// Compare with tensors recorded from the reference library
        #[arg(long, value_name = "FILE")]
        reference: Option<PathBuf>,
    },
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        let Command::Verify { model, reference } = self.command;
        let folder = embedded::resolve(&model).map_err(Failure::input)?;
        let report =
            verify(&folder, reference.as_deref(), &Device::Cpu).map_err(|error| match error {
                DiffusionError::Checkpoint(error) => Failure::input(error),
                other => Failure::Broken(other.into()),
            })?;
        for warning in report.warnings.iter().filter(|_| output != Output::Quiet) {
            eprintln!("warning: {warning}");
        }
        for found in &report.comparisons {
            output.result(
                &format!(
                    "{:22} relative error {:9.2e}  max abs error {:9.2e}",
                    found.tensor, found.relative_error, found.max_abs_error
                ),
                &json!({
                    "tensor": found.tensor,
                    "relative_error": found.relative_error,
                    "max_abs_error": found.max_abs_error,
                }),
            );
        }
        if output == Output::Human {
            for (network, shape) in &report.ran {
                println!("{network:22} runs, gives {shape:?}");
            }
        }
        Ok(())
    }
}
