//! `headsculpt gui`, or `headsculpt` alone: the window.

use super::Failure;
use crate::app;
use std::path::PathBuf;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Arguments {
    /// A project to open, or the output folder that holds it
    project: Option<PathBuf>,
    /// Folder for new heads [default: the one that was used last]
    #[arg(long, value_name = "DIR")]
    projects: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<(), Failure> {
        let options = app::Options { open: self.project, projects: self.projects };
        app::run(&options).map_err(|error| Failure::Broken(anyhow::anyhow!(error)))
    }
}
