//! What was done to a head: by their logs, one project can be the head before another's edit.

use crate::eval::EvalError;
use crate::pipeline::EditRegion;
use crate::project::{Operation, Project, ProjectError};
use crate::session::SessionError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One edit of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct EditStep {
    /// The sentence.
    pub instruction: String,
    /// Where it was kept to.
    pub region: EditRegion,
    /// How far it was followed, `(0, 1]`.
    pub strength: f64,
    /// What it was understood to change, by attribute.
    pub changed: BTreeMap<String, Value>,
    /// Its random numbers' seed and its steps: with them, equal edits give equal heads.
    settings: (u64, u64),
}

/// How a finished head came about.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The newest generation, with settings, version and device.
    generation: Option<Operation>,
    /// The edits since, oldest first.
    pub edits: Vec<EditStep>,
}

impl History {
    /// How a project's current version came about.
    #[must_use]
    pub fn of(project: &Project) -> Self {
        let mut history = Self { generation: None, edits: Vec::new() };
        for operation in project.path() {
            match operation {
                operation @ Operation::Generate { .. } => {
                    history = Self { generation: Some(operation.clone()), edits: Vec::new() };
                }
                Operation::Edit { instruction, region, strength, changed, seed, steps } => {
                    history.edits.push(EditStep {
                        instruction: instruction.clone(),
                        region: *region,
                        strength: *strength,
                        changed: changed.clone(),
                        settings: (*seed, *steps),
                    });
                }
                _ => {}
            }
        }
        history
    }

    /// The history of a finished project; `None` if there is no project, or if it is not
    /// finished.
    ///
    /// # Errors
    /// [`EvalError::Session`] for a project that cannot be read.
    pub fn open(folder: &Path) -> Result<Option<Self>, EvalError> {
        match Project::open_read_only(folder) {
            Ok(project) => Ok(project.is_finished().then(|| Self::of(&project))),
            Err(ProjectError::NotAProject(_)) => Ok(None),
            Err(error) => Err(SessionError::from(error).into()),
        }
    }

    /// Whether this head, with more edits, becomes `other`.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.generation.is_some()
            && self.generation == other.generation
            && self.edits.len() < other.edits.len()
            && other.edits.starts_with(&self.edits)
    }

    /// Which of `all` is the head before the newest edits of `all[of]`: of several, the one
    /// with the fewest edits between.
    ///
    /// # Panics
    /// If `of` is out of range.
    #[must_use]
    pub fn before(all: &[Self], of: usize) -> Option<usize> {
        let earlier = (0..all.len()).filter(|&k| all[k].is_before(&all[of]));
        earlier.max_by_key(|&k| all[k].edits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GenerationConfig;

    fn history(prompt: &str, instructions: &[&str]) -> History {
        let config = GenerationConfig {
            prompt: prompt.into(),
            ..GenerationConfig::preset("quick").unwrap()
        };
        let dir = tempfile::tempdir().unwrap();
        let (version, device) = ("0".to_owned(), "test".to_owned());
        let first = Operation::Generate { config: Box::new(config), version, device };
        let mut project = Project::create(dir.path(), first).unwrap();
        let finish = Operation::Finish { vertices: 3, triangles: 1 };
        project.append(finish.clone()).unwrap();
        for instruction in instructions {
            let instruction = (*instruction).to_owned();
            let changed = BTreeMap::new();
            project
                .append(Operation::Edit {
                    instruction,
                    region: EditRegion::All,
                    strength: 1.0,
                    steps: 1,
                    seed: 0,
                    changed,
                })
                .unwrap();
            project.append(finish.clone()).unwrap();
        }
        drop(project);
        History::open(dir.path()).unwrap().unwrap()
    }

    #[test]
    fn the_head_before_has_the_same_log_but_for_the_newest_edits() {
        let all = [
            history("a man", &["make him older", "add glasses"]),
            history("a man", &[]),
            history("a man", &["make him older"]),
            history("a man", &["make him younger"]),
            history("a woman", &["make him older"]),
        ];
        let found: Vec<_> = (0..all.len()).map(|k| History::before(&all, k)).collect();
        assert_eq!(found, [Some(2), None, Some(1), Some(1), None]);
        assert_eq!(History::before(&all[..2], 0), Some(1));
        assert_eq!(all[0].edits[1].instruction, "add glasses");
    }

    #[test]
    fn a_folder_without_a_project_has_no_history() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(History::open(dir.path()).unwrap(), None);
    }
}
