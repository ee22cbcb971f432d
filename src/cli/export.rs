//! `headsculpt export`.

use super::{Failure, Output, follow};
use crate::io::MeshFormat;
use crate::session::ExportJob;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A finished project, or the output folder that holds it; it is only read
    #[arg(value_name = "PROJECT")]
    project: PathBuf,
    /// Format of the file [default: what the file's name says, else glb]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<MeshFormat>,
    /// File to write, in a folder that exists; .obj puts a .mtl and a .png beside it
    /// [default: avatar.<format> in the output folder]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Pixels along a side of the texture, 64 to 4096; more than it was baked with only enlarge
    /// it [default: as it was baked]
    #[arg(long, value_name = "PX", allow_negative_numbers = true)]
    texture_size: Option<u32>,
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        let Self { project: folder, format, output: path, texture_size } = self;
        let format = MeshFormat::choose(format, path.as_deref()).map_err(Failure::input)?;
        let job = ExportJob { folder, format, path, texture_size };
        let done = follow::run(job, output, |_| "nothing was written".into())?;
        output.say(done.file.display());
        Ok(())
    }
}
