//! `headsculpt bench`.

use super::{Failure, Output};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only measurements whose name contains this
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

impl Arguments {
    pub(super) fn run(self, _output: Output) -> Result<(), Failure> {
        todo!()
    }
}
