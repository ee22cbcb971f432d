//! The export job: a finished head in, a mesh file out. The project is only read.

use super::{Artifacts, Event, Job, JobContext, Outcome, SessionError, StepReport, export};
use crate::geometry::MorphMesh;
use crate::io::{self, ExportError, MeshFormat, TEXTURE_SIZES};
use crate::project::Project;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Name of the stage in events.
const STAGE: &str = "export";
const STEPS: u64 = 2;

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportJob {
    /// The project, or the output folder that holds it. Nothing in it is changed but what
    /// `path` names, so that it may be read-only.
    pub folder: PathBuf,
    /// The format; see [`MeshFormat::choose`].
    pub format: MeshFormat,
    /// The file, with the format's extension, in a folder that exists; by default
    /// `avatar.<extension>` in the output folder. A file that is there is replaced.
    pub path: Option<PathBuf>,
    /// Pixels along a side of the texture, within [`TEXTURE_SIZES`]; by default those that it
    /// was baked with. For formats with a texture only.
    pub texture_size: Option<u32>,
}

impl Job for ExportJob {
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
        let format = self.format;
        self.check()?;
        let project = Project::open_read_only(&self.folder)?;
        let path = self.path.unwrap_or_else(|| export::usual_path(project.output(), format));
        check_target(&path)?;
        let config = project.generation()?;
        let mut avatar = finished(&project)?;
        context.events.send(Event::StageStarted { stage: STAGE, steps: STEPS, done: 0 });
        if let Some(side) = self.texture_size {
            avatar.rest.albedo = io::resized(&avatar.rest.albedo, side).into_owned();
        }
        context.events.send(step(1));
        if context.cancel.is_cancelled() {
            return Ok(Outcome::Cancelled { resumable: None });
        }
        export::write(&path, format, &avatar, config).map_err(refused)?;
        context.events.send(step(2));
        let folder = project.output().to_path_buf();
        Ok(Outcome::Completed(Artifacts { folder, file: path }))
    }
}

impl ExportJob {
    /// What can be told without the project.
    fn check(&self) -> Result<(), SessionError> {
        let refuse = |what: String| Err(SessionError::CannotExport(what));
        if let Err(error) = MeshFormat::choose(Some(self.format), self.path.as_deref()) {
            return refuse(error.to_string());
        }
        match self.texture_size {
            Some(_) if !self.format.has_texture() => refuse(format!(
                "--texture-size: a {} file has no texture, its colours lie on the vertices",
                self.format
            )),
            Some(side) if !TEXTURE_SIZES.contains(&side) => {
                let (least, most) = TEXTURE_SIZES.into_inner();
                refuse(format!("--texture-size: {side} is not within {least}..={most}"))
            }
            _ => Ok(()),
        }
    }
}

/// The head of a finished project.
fn finished(project: &Project) -> Result<MorphMesh, SessionError> {
    let head = if project.is_finished() { project.load_avatar()? } else { None };
    head.ok_or_else(|| {
        let folder = project.output().display();
        SessionError::CannotExport(format!(
            "{folder} is not finished; continue it with: headsculpt generate --resume '{folder}'"
        ))
    })
}

/// Refuses, before any work, a file that cannot be written.
fn check_target(path: &Path) -> Result<(), SessionError> {
    let refuse = |what: String| Err(SessionError::CannotExport(what));
    if path.is_dir() {
        return refuse(format!("{} is a folder: name a file in it", path.display()));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.metadata() {
        Ok(found) if !found.is_dir() => refuse(format!(
            "{} cannot be written: {} is no folder",
            path.display(),
            folder.display()
        )),
        Ok(found) if found.permissions().readonly() => refuse(format!(
            "{} cannot be written: its folder is read-only; choose another file with -o",
            path.display()
        )),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => refuse(format!(
            "{} cannot be written: the folder {} does not exist",
            path.display(),
            folder.display()
        )),
        Err(error) => refuse(format!("{} cannot be written: {error}", path.display())),
    }
}

/// An error while writing, as the user's where another file would help.
fn refused(error: ExportError) -> SessionError {
    let is_place = match &error {
        ExportError::Write { source, .. } => matches!(
            source.kind(),
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotFound
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::InvalidFilename
        ),
        _ => false,
    };
    if is_place { SessionError::CannotExport(error.to_string()) } else { error.into() }
}

fn step(step: u64) -> Event {
    Event::Step(StepReport::plain(STAGE, step, STEPS))
}
