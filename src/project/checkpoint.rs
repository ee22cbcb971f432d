//! Checkpoints of the optimisation: a small manifest each, and arrays that they share.

use super::manifest::{Manifest, SCHEMA};
use super::objects::ObjectStore;
use super::{ProjectError, single_file};
use crate::io::atomic;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The stages of a run, in their order.
pub(super) const STAGES: [&str; 3] = ["coarse", "fine", "edit"];
/// The stage whose checkpoints were always those of finished operations.
pub(super) const EDIT: &str = STAGES[2];
/// How many checkpoints of a running stage stay on disk: if the newest was damaged, the
/// one before it still opens.
const KEPT: usize = 2;

/// What a run needs to go on as if it had never stopped: named byte arrays.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Name of the stage.
    pub stage: String,
    /// Steps of the stage that are done.
    pub step: u64,
    /// Hash of the settings ([`crate::config::GenerationConfig::fingerprint`]).
    pub fingerprint: String,
    /// The state.
    pub arrays: BTreeMap<String, Vec<u8>>,
}

/// How long a checkpoint stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// While its stage runs: until two newer ones are there, or a pinned one.
    Rolling,
    /// For good: the state that a finished generation or edit left.
    Pinned,
}

/// The checkpoints folder of a project.
///
/// `<stage>-<step>.json` says what a checkpoint is and names its arrays by the hash of their
/// contents; these lie packed in `objects/`. A manifest is written after everything that
/// it names, and removed before.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    folder: PathBuf,
    objects: ObjectStore,
}

/// A checkpoint on disk; sorts by age.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Saved {
    /// Index in [`STAGES`].
    stage: usize,
    step: u64,
    layout: Layout,
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layout {
    SingleFile,
    Manifest,
}

impl Layout {
    fn extension(self) -> &'static str {
        match self {
            Self::SingleFile => "safetensors",
            Self::Manifest => "json",
        }
    }
}

impl CheckpointStore {
    /// The store in `folder`, which must exist before saving.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        let objects = ObjectStore::new(folder.join("objects"));
        Self { folder, objects }
    }

    /// Writes a checkpoint so that it is there whole or not at all, removes those that are
    /// no longer kept, and returns the path of its manifest.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file, [`ProjectError::Broken`] for more than 8 GiB.
    pub fn save(&self, checkpoint: &Checkpoint, keep: Keep) -> Result<PathBuf, ProjectError> {
        let mut arrays = BTreeMap::new();
        for (name, array) in &checkpoint.arrays {
            arrays.insert(name.clone(), self.objects.put(array)?);
        }
        let manifest = Manifest {
            schema: SCHEMA,
            stage: checkpoint.stage.clone(),
            step: checkpoint.step,
            fingerprint: checkpoint.fingerprint.clone(),
            pinned: keep == Keep::Pinned,
            arrays,
        };
        let path = self.path(&checkpoint.stage, checkpoint.step, Layout::Manifest);
        manifest.write(&path)?;
        self.prune(&path)?;
        Ok(path)
    }

    /// The checkpoint of a stage at a step; `None` if there is none.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file if it cannot be read.
    pub fn find(&self, stage: &str, step: u64) -> Result<Option<Checkpoint>, ProjectError> {
        let found = self.saved()?.into_iter().rev();
        let mut found = found.filter(|saved| STAGES[saved.stage] == stage && saved.step == step);
        found.next().map(|saved| self.read(&saved)).transpose()
    }

    /// The newest checkpoint that reads, with a sentence for each newer one that does
    /// not; `None` if there is none at all.
    ///
    /// # Errors
    /// [`ProjectError::Io`] if the folder cannot be listed; the newest file's error if
    /// no checkpoint reads.
    pub fn newest(&self) -> Result<Option<(Checkpoint, Vec<String>)>, ProjectError> {
        let mut damaged = Vec::new();
        let mut first_error = None;
        for saved in self.saved()?.iter().rev() {
            match self.read(saved) {
                Ok(checkpoint) => return Ok(Some((checkpoint, damaged))),
                Err(error) => {
                    damaged.push(format!("{error}; using the checkpoint before it"));
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(None), Err)
    }

    /// The states of the generation that can be gone on from, oldest first: stage, steps done.
    ///
    /// # Errors
    /// [`ProjectError::Io`] if the folder cannot be listed.
    pub fn states(&self) -> Result<Vec<(&'static str, u64)>, ProjectError> {
        let saved = self.saved()?.into_iter().filter(|saved| STAGES[saved.stage] != EDIT);
        Ok(saved.map(|saved| (STAGES[saved.stage], saved.step)).collect())
    }

    /// Removes the states that edits of these numbers left, and what only they were made of.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub(super) fn remove_edits(
        &self,
        numbers: impl Iterator<Item = u64>,
    ) -> Result<(), ProjectError> {
        let numbers: BTreeSet<u64> = numbers.collect();
        for saved in self.saved()? {
            if STAGES[saved.stage] == EDIT && numbers.contains(&saved.step) {
                let removed = std::fs::remove_file(&saved.path);
                removed.map_err(ProjectError::io("remove", &saved.path))?;
            }
        }
        self.prune(&self.folder)
    }

    /// Copies all checkpoints into another store, whose folder is created.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub(super) fn copy_to(&self, other: &Self) -> Result<(), ProjectError> {
        let folder = &other.folder;
        std::fs::create_dir_all(folder).map_err(ProjectError::io("create", folder))?;
        self.objects.copy_to(&other.objects)?;
        for Saved { path, .. } in self.saved()? {
            let copy = folder.join(path.file_name().unwrap_or_default());
            std::fs::copy(&path, &copy).map_err(ProjectError::io("write", &copy))?;
        }
        Ok(())
    }

    fn path(&self, stage: &str, step: u64, layout: Layout) -> PathBuf {
        self.folder.join(format!("{stage}-{step:06}.{}", layout.extension()))
    }

    fn read(&self, saved: &Saved) -> Result<Checkpoint, ProjectError> {
        let path = &saved.path;
        if saved.layout == Layout::SingleFile {
            return single_file::read(path);
        }
        let broken = |what: String| ProjectError::Broken { path: path.clone(), what };
        let manifest = Manifest::read(path)?;
        if (manifest.stage.as_str(), manifest.step) != (STAGES[saved.stage], saved.step) {
            let what = format!("is '{}' after {} steps", manifest.stage, manifest.step);
            return Err(broken(what));
        }
        let mut arrays = BTreeMap::new();
        for (name, object) in manifest.arrays {
            let array = self.objects.get(&object);
            let array = array.map_err(|error| broken(format!("'{name}': {error}")))?;
            arrays.insert(name, array);
        }
        let (stage, step, fingerprint) = (manifest.stage, manifest.step, manifest.fingerprint);
        Ok(Checkpoint { stage, step, fingerprint, arrays })
    }

    /// Removes what need not stay now that `newest` was written, then the contents that nothing
    /// names any more.
    fn prune(&self, newest: &Path) -> Result<(), ProjectError> {
        let mut live = BTreeSet::new();
        let mut all_known = true;
        let (mut rolling, mut pinned_after, mut edit_after) = (0, false, false);
        for saved in self.saved()?.iter().rev() {
            let is_edit = STAGES[saved.stage] == EDIT;
            let manifest = match saved.layout {
                Layout::Manifest => Some(Manifest::read(&saved.path)),
                Layout::SingleFile => None,
            };
            let pinned = match &manifest {
                Some(Ok(manifest)) => manifest.pinned,
                Some(Err(ProjectError::Broken { .. })) => false,
                // It may be in order, only not for this program, or not now.
                Some(Err(_)) => true,
                // Schema 1 knew no pins: its edits are finished states, and so is what the
                // first of them started from.
                None => is_edit || edit_after,
            };
            edit_after = is_edit;
            rolling += usize::from(!pinned);
            let stays = pinned || saved.path == newest || !pinned_after && rolling <= KEPT;
            pinned_after |= pinned;
            if !stays {
                let removed = std::fs::remove_file(&saved.path);
                removed.map_err(ProjectError::io("remove", &saved.path))?;
                continue;
            }
            match manifest {
                Some(Ok(manifest)) => live.extend(manifest.arrays.into_values().map(|a| a.sha256)),
                Some(Err(_)) => all_known = false,
                None => {}
            }
        }
        atomic::remove_leftovers(&self.folder).map_err(ProjectError::io("clean", &self.folder))?;
        // A manifest must not come back after a crash when its arrays have gone.
        atomic::sync_folder(&self.folder).map_err(ProjectError::io("write", &self.folder))?;
        if all_known { self.objects.sweep(&live) } else { Ok(()) }
    }

    /// The checkpoints on disk, oldest first.
    fn saved(&self) -> Result<Vec<Saved>, ProjectError> {
        let io = || ProjectError::io("read", &self.folder);
        let mut saved = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(io())? {
            let entry = entry.map_err(io())?;
            if entry.file_type().map_err(io())?.is_file() {
                saved.extend(Saved::at(entry.path()));
            }
        }
        saved.sort();
        Ok(saved)
    }
}

impl Saved {
    /// What a file is by its name; `None` for one that is no checkpoint.
    fn at(path: PathBuf) -> Option<Self> {
        let (stage, step) = path.file_stem()?.to_str()?.rsplit_once('-')?;
        let extension = path.extension()?;
        let layouts = [Layout::SingleFile, Layout::Manifest];
        let layout = layouts.into_iter().find(|layout| layout.extension() == extension)?;
        let stage = STAGES.iter().position(|known| *known == stage)?;
        Some(Self { stage, step: step.parse().ok()?, layout, path })
    }
}
