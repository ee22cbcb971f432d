//! `headsculpt edit`.

use super::{Failure, Output, follow};
use crate::pipeline::EditRegion;
use crate::session::EditJob;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A finished project, or the output folder that holds it
    #[arg(value_name = "PROJECT")]
    project: PathBuf,
    /// What to change, as "make him older"
    instruction: String,
    /// Part of the head that the edit is kept to: everything else stays as it is, bit for bit
    #[arg(long, value_name = "NAME", default_value = "all")]
    region: EditRegion,
    /// How far the instruction is followed: 0 changes nothing, 1 all of it
    /// [default: the preset's]
    #[arg(long, value_name = "W", allow_negative_numbers = true)]
    strength: Option<f64>,
    /// Steps of the optimisation [default: the preset's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    steps: Option<u64>,
    /// Seed of its random numbers [default: the head's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Edit a copy in this folder, and leave the project as it is
    #[arg(short, long, value_name = "PROJECT")]
    output: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        let Self { project: folder, instruction, region, strength, steps, seed, output: copy } =
            self;
        let job = EditJob { folder, copy, instruction, region, strength, steps, seed };
        let done = follow::run(job, output, |_| "the same command goes on with it".into())?;
        output.say(done.folder.display());
        Ok(())
    }
}
