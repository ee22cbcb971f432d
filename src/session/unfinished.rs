//! An edit that was broken off: what it needs to go on lies beside the head, until it is done.

use super::{JobContext, SessionError};
use crate::fingerprint;
use crate::io::atomic;
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
    is_copy: bool,
}

impl Unfinished {
    /// Those of the edit whose result goes to `output`, which holds a project already or, for a
    /// copy, not yet; `settings` is everything that decides the result: another edit never goes
    /// on with them.
    pub fn of(output: &Path, is_copy: bool, settings: &impl Serialize) -> Self {
        let text = serde_json::to_string(settings)
            .unwrap_or_else(|error| unreachable!("numbers and strings serialise: {error}"));
        let fingerprint = fingerprint::hex(Sha256::new_with_prefix(text), 16);
        let folder = output.join(PROJECT_DIR).join(FOLDER).join(&fingerprint);
        Self {
            output: output.to_path_buf(),
            store: CheckpointStore::new(folder.clone()),
            folder,
            fingerprint,
            is_copy,
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
        self.create().map_err(|error| {
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

    fn create(&self) -> std::io::Result<()> {
        if self.is_copy {
            return std::fs::create_dir_all(&self.folder);
        }
        // A project that was removed must not come back in part.
        for folder in self.folder.parent().into_iter().chain([self.folder.as_path()]) {
            atomic::create_folder(folder)?;
        }
        Ok(())
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
