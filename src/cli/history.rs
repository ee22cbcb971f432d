//! `headsculpt history`: the versions of a head.

use super::failure::plain;
use super::{Failure, Output, follow};
use crate::project::{History, Origin, Project, Version};
use crate::session::ReplayJob;
use crate::session::history::{HistoryJob, Move};
use serde_json::json;
use std::path::PathBuf;

/// Branches within branches that are shown by their indent.
const DEEPEST: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The project, or the output folder that holds it
    project: PathBuf,
    /// Go back to the head that the current one was made from
    #[arg(long, group = "to")]
    undo: bool,
    /// Go forward to where undo came from
    #[arg(long, group = "to")]
    redo: bool,
    /// Go to a version by its number or its name; an edit then starts a branch there
    #[arg(long, value_name = "ID|NAME", group = "to")]
    goto: Option<String>,
    /// Name the current version, to come back to it with --goto NAME
    #[arg(long, value_name = "NAME", group = "to")]
    branch: Option<String>,
    /// Do everything that the log says again in another folder, and compare
    #[arg(long, value_name = "DIR", group = "to")]
    replay: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        if let Some(to) = self.replay {
            let job = ReplayJob { folder: self.project, to: to.clone() };
            follow::run(job, output, |_| "begin again in another folder".into())?;
            output.say(to.display());
            return Ok(());
        }
        let to = match (self.undo, self.redo, self.goto, self.branch) {
            (true, ..) => Some(Move::Undo),
            (_, true, ..) => Some(Move::Redo),
            (.., Some(version), _) => Some(Move::Goto(version)),
            (.., Some(name)) if name.trim().is_empty() => {
                return Err(Failure::Input("--branch: the name is empty".into()));
            }
            (.., Some(name)) => Some(Move::Name(name)),
            _ => None,
        };
        let folder = self.project;
        if let Some(to) = to {
            let job = HistoryJob { folder: folder.clone(), to };
            let quiet = if output == Output::Human { Output::Quiet } else { output };
            follow::run(job, quiet, |_| "the same command goes on with it".into())?;
        }
        let project = Project::open_read_only(&folder).map_err(Failure::input)?;
        show(project.history(), output);
        if output == Output::Human {
            let disk = project.disk_use().map_err(Failure::input)?;
            println!("{:.1} MB on disk", disk.total() as f64 / 1e6);
        }
        Ok(())
    }
}

/// Prints all versions, children below their parents.
fn show(history: &History, output: Output) {
    let current = history.current().id;
    for (version, depth) in history.tree() {
        let (id, is_current) = (version.id, version.id == current);
        let mark = if is_current { '*' } else { ' ' };
        let indent = "  ".repeat(depth.min(DEEPEST));
        output.result(
            &format!("{mark} {indent}{id:<3} {}", plain(&describe(version))),
            &json(version, is_current),
        );
    }
}

fn describe(version: &Version) -> String {
    let mut parts = match &version.origin {
        Origin::Generate { prompt, seed, preset } => {
            vec![format!("{prompt} ({preset}, seed {seed})")]
        }
        Origin::Edit { instruction, region, strength } => {
            let mut parts = vec![format!("\"{instruction}\"")];
            if !region.is_all() {
                parts.push(format!("in the {}", region.name()));
            }
            if *strength < 1.0 {
                parts.push(format!("at strength {strength}"));
            }
            parts
        }
    };
    parts.extend(version.name.as_ref().map(|name| format!("[{name}]")));
    parts.extend((!version.is_finished).then(|| "(not finished)".into()));
    parts.extend(version.is_pruned.then(|| "(removed)".into()));
    parts.join(" ")
}

fn json(version: &Version, is_current: bool) -> serde_json::Value {
    let mut value = json!({
        "version": version.id,
        "parent": version.parent,
        "name": version.name,
        "current": is_current,
        "finished": version.is_finished,
        "removed": version.is_pruned,
        "at": version.at,
    });
    match &version.origin {
        Origin::Generate { prompt, seed, preset } => {
            value["prompt"] = json!(prompt);
            value["seed"] = json!(seed);
            value["preset"] = json!(preset);
        }
        Origin::Edit { instruction, region, strength } => {
            value["instruction"] = json!(instruction);
            value["region"] = json!(region.name());
            value["strength"] = json!(strength);
        }
    }
    value
}
