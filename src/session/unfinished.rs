//! An edit that was broken off: what it needs to go on lies beside the head, until it is done.

use super::{JobContext, SessionError};
use crate::fingerprint;
use crate::pipeline::Stage;
use crate::pipeline::edit::Begun;
use crate::project::{Checkpoint, CheckpointStore, Keep, PROJECT_DIR, ProjectError};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The folder of what unfinished edits need, within a project: a folder each.
const FOLDER: &str = "editing";

/// The checkpoints of one edit.
pub(super) struct Unfinished {
    output: PathBuf,
    folder: PathBuf,
    store: CheckpointStore,
    fingerprint: String,
}

impl Unfinished {
    /// Those of the edit whose result goes to `output`; `settings` is everything that decides
    /// the result: another edit never goes on with them.
    pub fn of(output: &Path, settings: &impl Serialize) -> Self {
        let text = serde_json::to_string(settings)
            .unwrap_or_else(|error| unreachable!("numbers and strings serialise: {error}"));
        let fingerprint = fingerprint::hex(Sha256::new_with_prefix(text), 16);
        let folder = output.join(PROJECT_DIR).join(FOLDER).join(&fingerprint);
        Self {
            output: output.to_path_buf(),
            store: CheckpointStore::new(folder.clone()),
            folder,
            fingerprint,
        }
    }

    /// Where the edit was broken off.
    pub fn saved(&self, context: &JobContext) -> Result<Option<Begun>, SessionError> {
        if !self.folder.is_dir() {
            return Ok(None);
        }
        let Some((checkpoint, damaged)) = self.store.newest()? else { return Ok(None) };
        for warning in damaged {
            context.events.warn(warning);
        }
        Ok(Some(Begun { arrays: checkpoint.arrays, done: checkpoint.step }))
    }

    /// The folder that the result will lie in.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// Keeps the state of the stage; gives the checkpoint's path.
    pub fn save<S: Stage>(&self, stage: &mut S) -> Result<PathBuf, SessionError> {
        std::fs::create_dir_all(&self.folder).map_err(|error| {
            SessionError::Storage(ProjectError::io("create", &self.folder)(error))
        })?;
        let checkpoint = Checkpoint {
            stage: S::NAME.into(),
            step: stage.done(),
            fingerprint: self.fingerprint.clone(),
            arrays: stage.save()?,
        };
        self.store.save(&checkpoint, Keep::Rolling).map_err(SessionError::Storage)
    }

    /// Removes what is no longer needed: this edit is done, and others that were broken off
    /// began with the head before it.
    pub fn forget(&self) {
        let all = self.output.join(PROJECT_DIR).join(FOLDER);
        if let Err(error) = std::fs::remove_dir_all(&all)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "could not remove {}", all.display());
        }
    }
}
