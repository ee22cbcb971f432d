//! `headsculpt edit`.

use super::{Failure, Output, follow};
use crate::project::PROJECT_DIR;
use crate::session::EditJob;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A finished project, or the output folder that holds it
    #[arg(value_name = "PROJECT")]
    project: PathBuf,
    /// What to change, as "make him older"
    instruction: String,
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
        let folder = match &self.output {
            Some(copy) => {
                copied(&self.project, copy)?;
                copy.clone()
            }
            None => self.project,
        };
        let Self { instruction, strength, steps, seed, .. } = self;
        follow::run(EditJob { folder, instruction, strength, steps, seed }, output)
    }
}

/// Copies a project with its exports into a folder that holds none.
fn copied(project: &Path, to: &Path) -> Result<(), Failure> {
    use crate::project::Project;
    let source = Project::open_read_only(project).map_err(Failure::input)?;
    Project::check_free(to).map_err(Failure::input)?;
    let copy = |from: &Path, to: &Path| -> std::io::Result<()> {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            if entry.file_type()?.is_file() && entry.file_name() != "lock" {
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
        Ok(())
    };
    let root = source.root();
    copy(&root.join("checkpoints"), &to.join(PROJECT_DIR).join("checkpoints"))
        .and_then(|()| copy(root, &to.join(PROJECT_DIR)))
        .and_then(|()| copy(source.output(), to))
        .map_err(|error| {
            Failure::input(anyhow::anyhow!("cannot copy to {}: {error}", to.display()))
        })
}
