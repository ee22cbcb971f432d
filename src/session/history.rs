//! Moving between the versions of a head: undo, redo, jumps, names.

use super::event::Artifacts;
use super::{Event, Job, JobContext, Outcome, SessionError, StepReport, export, finish};
use crate::io::MeshFormat;
use crate::project::Project;
use crate::render::GpuContext;
use std::path::PathBuf;

/// Name of the stage in events.
const STAGE: &str = "history";

/// Where to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// To the version that the current one was made from.
    Undo,
    /// To where undo came from.
    Redo,
    /// To a version by its id or its name.
    Goto(String),
    /// Nowhere, but the current version gets a name.
    Name(String),
}

/// Makes another version of a project the current one, and writes its files anew.
#[derive(Debug)]
pub struct HistoryJob {
    /// The project, or the output folder that holds it.
    pub folder: PathBuf,
    /// Where to go.
    pub to: Move,
}

impl Job for HistoryJob {
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
        let mut project = Project::open(&self.folder)?;
        match self.to {
            Move::Undo => {
                project.undo()?;
            }
            Move::Redo => {
                project.redo()?;
            }
            Move::Goto(version) => {
                let found = project.history().find(&version).map(|version| version.id);
                let id = found.ok_or_else(|| {
                    SessionError::Edit(format!(
                        "{} has no version '{version}'",
                        project.root().display()
                    ))
                })?;
                project.select(id)?;
            }
            Move::Name(name) => project.name(&name)?,
        }
        let folder = project.output().to_path_buf();
        let file = export::usual_path(&folder, MeshFormat::Glb);
        if !project.is_exported() {
            // The choice is made and in the log; a cancelled export is caught up next time.
            if !export_current(&project, context)? {
                return Ok(Outcome::Cancelled { resumable: Some(folder) });
            }
        }
        Ok(Outcome::Completed(Artifacts { folder, file }))
    }
}

/// Writes the files of the current version into the output folder; false if it was cancelled.
fn export_current(project: &Project, context: &JobContext) -> Result<bool, SessionError> {
    let events = &context.events;
    events.send(Event::StageStarted { stage: STAGE, steps: 2, done: 0 });
    let step = |step| {
        events.send(Event::Step(StepReport::plain(STAGE, step, 2)));
    };
    let Some(avatar) = project.load_avatar().map_err(SessionError::Storage)? else {
        // Not finished: there is nothing to show yet.
        return Ok(true);
    };
    let gpu = GpuContext::new()?;
    step(1);
    if context.cancel.is_cancelled() {
        return Ok(false);
    }
    let version = project.history().current().id;
    let written = export::write_all(project.output(), &avatar, project.generation()?, &gpu)?;
    let report = project.report(version).map_err(SessionError::Storage)?.unwrap_or_default();
    // Heads of older programs have no records yet.
    finish::exported(project, &written, &report)?;
    step(2);
    Ok(true)
}
