//! Checkpoints of the optimisation: one safetensors file each, the last two kept.

use super::ProjectError;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Version of the file's layout.
const SCHEMA: u32 = 1;
/// The stages of a run, in their order.
const STAGES: [&str; 3] = ["coarse", "fine", "edit"];
/// How many checkpoints of a run stay on disk: if the newest was damaged, the one
/// before it still opens.
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

/// The checkpoints folder of a project.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    folder: PathBuf,
}

impl CheckpointStore {
    /// The store in `folder`, which must exist before saving.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes a checkpoint atomically, removes all but the newest two, and returns
    /// its path.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<PathBuf, ProjectError> {
        let name = format!("{}-{:06}.safetensors", checkpoint.stage, checkpoint.step);
        let path = self.folder.join(name);
        ProjectError::write(&path, &encode(checkpoint, &path)?)?;
        for old in self.paths()?.iter().rev().skip(KEPT) {
            std::fs::remove_file(old).map_err(ProjectError::io("remove", old))?;
        }
        Ok(path)
    }

    /// The checkpoint of a stage at a step; `None` if there is none.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file if it cannot be read.
    pub fn find(&self, stage: &str, step: u64) -> Result<Option<Checkpoint>, ProjectError> {
        let path = self.folder.join(format!("{stage}-{step:06}.safetensors"));
        if path.is_file() { read(&path).map(Some) } else { Ok(None) }
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
        for path in self.paths()?.iter().rev() {
            match read(path) {
                Ok(checkpoint) => return Ok(Some((checkpoint, damaged))),
                Err(error) => {
                    damaged.push(format!("{error}; using the checkpoint before it"));
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(None), Err)
    }

    /// Checkpoint files, oldest first.
    fn paths(&self) -> Result<Vec<PathBuf>, ProjectError> {
        let io = || ProjectError::io("read", &self.folder);
        let mut dated = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(io())? {
            let path = entry.map_err(io())?.path();
            let place = path.file_stem().and_then(|stem| {
                let (stage, step) = stem.to_str()?.rsplit_once('-')?;
                let order = STAGES.iter().position(|known| *known == stage)?;
                Some((order, step.parse::<u64>().ok()?))
            });
            if let (Some(place), Some("safetensors")) =
                (place, path.extension().and_then(|e| e.to_str()))
            {
                dated.push((place, path));
            }
        }
        dated.sort();
        Ok(dated.into_iter().map(|(_, path)| path).collect())
    }
}

fn encode(checkpoint: &Checkpoint, path: &Path) -> Result<Vec<u8>, ProjectError> {
    let broken = |error: safetensors::SafeTensorError| ProjectError::Broken {
        path: path.to_path_buf(),
        what: error.to_string(),
    };
    let mut views = Vec::new();
    for (name, bytes) in &checkpoint.arrays {
        views.push((
            name.clone(),
            TensorView::new(Dtype::U8, vec![bytes.len()], bytes).map_err(broken)?,
        ));
    }
    let header = HashMap::from([
        ("schema".to_owned(), SCHEMA.to_string()),
        ("stage".to_owned(), checkpoint.stage.clone()),
        ("step".to_owned(), checkpoint.step.to_string()),
        ("fingerprint".to_owned(), checkpoint.fingerprint.clone()),
    ]);
    safetensors::serialize(views, Some(header)).map_err(broken)
}

fn read(path: &Path) -> Result<Checkpoint, ProjectError> {
    let broken = |what: String| ProjectError::Broken { path: path.to_path_buf(), what };
    let bytes = std::fs::read(path).map_err(ProjectError::io("read", path))?;
    let (_, header) =
        SafeTensors::read_metadata(&bytes).map_err(|error| broken(error.to_string()))?;
    let header = header.metadata().clone().unwrap_or_default();
    let field = |name: &str| {
        header.get(name).cloned().ok_or_else(|| broken(format!("has no '{name}' in its header")))
    };
    let number = |name: &str| {
        field(name)?.parse::<u64>().map_err(|_| broken(format!("'{name}' is not a number")))
    };
    let schema = number("schema")? as u32;
    if schema > SCHEMA {
        return Err(ProjectError::TooNew { path: path.into(), found: schema, known: SCHEMA });
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| broken(error.to_string()))?;
    let arrays =
        tensors.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
    Ok(Checkpoint {
        stage: field("stage")?,
        step: number("step")?,
        fingerprint: field("fingerprint")?,
        arrays,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64) -> Checkpoint {
        Checkpoint {
            stage: "coarse".into(),
            step,
            fingerprint: "f".into(),
            arrays: BTreeMap::from([
                ("field.table".to_owned(), vec![step as u8; 1000]),
                ("empty".to_owned(), Vec::new()),
            ]),
        }
    }

    #[test]
    fn keeps_two_and_falls_back_from_a_damaged_one() {
        let dir = tempfile::tempdir().unwrap();
        let store = CheckpointStore::new(dir.path().to_path_buf());
        assert!(store.newest().unwrap().is_none());
        for step in [8, 9, 10, 100] {
            store.save(&at(step)).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), KEPT);
        let (newest, damaged) = store.newest().unwrap().unwrap();
        assert_eq!((newest, damaged.len()), (at(100), 0));
        let path = dir.path().join("coarse-000100.safetensors");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let (newest, damaged) = store.newest().unwrap().unwrap();
        assert_eq!(newest, at(10));
        assert!(damaged[0].contains("coarse-000100"));
    }
}
