//! A head of its own from a state that another one's generation went through.

use super::checkpoint::{EDIT, STAGES};
use super::{Keep, Operation, Project, ProjectError};
use std::path::Path;

impl Project {
    /// Creates a project in `output` that has come as far as this one's generation had in a
    /// stage after some steps: same settings, the changes until then, and that state.
    ///
    /// # Errors
    /// [`ProjectError::History`] if the state was not kept; as [`Self::create`].
    pub fn branch_at(&self, stage: &str, step: u64, output: &Path) -> Result<Self, ProjectError> {
        Self::check_free(output)?;
        let checkpoint = self.checkpoints().find(stage, step)?;
        let checkpoint = checkpoint.filter(|_| stage != EDIT).ok_or_else(|| {
            let root = self.root().display();
            ProjectError::History(format!("{root} keeps no state of '{stage}' after {step} steps"))
        })?;
        let generate = self.path().next().cloned();
        let generate = generate.ok_or_else(|| ProjectError::NotAProject(self.root().into()))?;
        let mut branch = Self::create(output, generate)?;
        let order = |name: &str| STAGES.iter().position(|known| *known == name);
        for (name, at, change) in self.steerings() {
            // A change at this very step is the branch's to repeat, or not.
            if (order(name), at) < (order(stage), step) {
                let (stage, change) = (name.to_owned(), change.clone());
                branch.append(Operation::Steer { stage, step: at, change })?;
            }
        }
        branch.checkpoints().save(&checkpoint, Keep::Rolling)?;
        Ok(branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GenerationConfig;
    use crate::guidance::Steering;
    use crate::project::Checkpoint;
    use std::collections::BTreeMap;

    #[test]
    fn a_branch_has_the_state_and_what_led_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let config = Box::new(GenerationConfig::preset("quick").unwrap());
        let (version, device) = ("0".into(), "test".into());
        let first = Operation::Generate { config, version, device };
        let mut project = Project::create(&dir.path().join("a"), first.clone()).unwrap();
        for (stage, step, factor) in [("coarse", 9, 0.5), ("fine", 1, 2.0), ("fine", 2, 3.0)] {
            let change = Steering::Rates { factor };
            project.append(Operation::Steer { stage: stage.into(), step, change }).unwrap();
        }
        let state = Checkpoint {
            stage: "fine".into(),
            step: 2,
            fingerprint: "f".into(),
            arrays: BTreeMap::from([("x".to_owned(), vec![1, 2, 3])]),
        };
        project.checkpoints().save(&state, Keep::Pinned).unwrap();
        assert_eq!(project.checkpoints().states().unwrap(), [("fine", 2)]);
        let output = dir.path().join("b");
        assert!(project.branch_at("fine", 3, &output).is_err());
        assert!(project.branch_at("edit", 2, &output).is_err());
        assert!(!output.exists(), "what is refused leaves nothing");
        let branch = project.branch_at("fine", 2, &output).unwrap();
        assert_eq!(branch.checkpoints().newest().unwrap().unwrap().0, state);
        assert_eq!(branch.entries()[0].operation, first);
        let factors: Vec<_> = branch.steerings().map(|(_, step, _)| step).collect();
        assert_eq!(factors, [9, 1]);
        assert!(!branch.is_finished());
        assert!(project.branch_at("fine", 2, &output).is_err(), "there is a head already");
    }
}
