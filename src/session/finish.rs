//! The end of every job that makes a head: files for people, records for the project.

use super::report::Report;
use super::{SessionError, export};
use crate::geometry::TexturedMesh;
use crate::io;
use crate::project::Project;
use std::path::PathBuf;

/// Writes the report, keeps with the current version what stands for it in lists, and notes in
/// the log that it is finished; gives the path of the GLB.
pub(super) fn record(
    project: &mut Project,
    written: export::Written,
    report: &Report,
    shown: &TexturedMesh,
) -> Result<PathBuf, SessionError> {
    exported(project, &written, &report.to_json())?;
    // Last: a job that was killed before is caught up by asking for the same again.
    project.finish(shown).map_err(SessionError::Storage)?;
    Ok(written.glb)
}

/// Writes the report, keeps with the current version what stands for it in lists, and notes that
/// the files in the output folder show it.
pub(super) fn exported(
    project: &Project,
    written: &export::Written,
    report: &[u8],
) -> Result<(), SessionError> {
    io::write_file(&project.output().join("report.json"), report)?;
    let version = project.history().current().id;
    project.save_records(version, &written.thumbnail, report).map_err(SessionError::Storage)?;
    project.mark_exported().map_err(SessionError::Storage)
}
