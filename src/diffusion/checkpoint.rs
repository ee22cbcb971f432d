//! The diffusers folder layout: `<part>/config.json` next to the part's weights.

use super::config::Config;
use super::error::CheckpointError;
use super::weights::WeightFile;
use std::path::{Path, PathBuf};

/// A checkpoint folder.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    root: PathBuf,
}

/// One network's sub-folder.
#[derive(Debug, Clone)]
pub struct Part {
    /// The folder's name, `unet` for example.
    pub name: String,
    /// Its `config.json`.
    pub config: Config,
    folder: PathBuf,
}

impl Checkpoint {
    /// Opens a folder; the optional `model_index.json` must at least be JSON.
    ///
    /// # Errors
    /// If the folder does not exist or its index is broken.
    pub fn open(root: &Path) -> Result<Self, CheckpointError> {
        if !root.is_dir() {
            return Err(CheckpointError::Missing { path: root.to_owned() });
        }
        let index = root.join("model_index.json");
        if index.exists() {
            Config::read(&index)?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// A path inside the folder.
    #[must_use]
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside)
    }

    /// Whether the folder has that part.
    #[must_use]
    pub fn has(&self, part: &str) -> bool {
        self.path(part).is_dir()
    }

    /// A part that must be there.
    ///
    /// # Errors
    /// If the part or its `config.json` is missing or broken.
    pub fn part(&self, name: &str) -> Result<Part, CheckpointError> {
        let folder = self.path(name);
        if !folder.is_dir() {
            return Err(CheckpointError::Missing { path: folder });
        }
        let config = Config::read(&folder.join("config.json"))?;
        Ok(Part { name: name.to_owned(), config, folder })
    }

    /// The `ControlNets` of the folder: `controlnet`, then `controlnet_1`, `controlnet_2` and so on,
    /// in the alphabetical order of their names.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn control_nets(&self) -> Result<Vec<String>, CheckpointError> {
        let unreadable = |error: std::io::Error| CheckpointError::Unreadable {
            path: self.root.clone(),
            reason: error.to_string(),
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.root).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if (name == "controlnet" || name.starts_with("controlnet_")) && entry.path().is_dir() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

impl Part {
    /// Opens the part's weights: safetensors under the names that diffusers and
    /// transformers use, the full-precision file first.
    ///
    /// # Errors
    /// If there is none, or none that is safetensors in one file, or its header does not fit.
    pub fn weights(&self) -> Result<WeightFile, CheckpointError> {
        let stems = ["diffusion_pytorch_model", "model"];
        let files = ["safetensors", "fp16.safetensors"]
            .iter()
            .flat_map(|end| stems.iter().map(move |stem| format!("{stem}.{end}")));
        let found = files.map(|name| self.folder.join(name)).find(|path| path.exists());
        if found.is_none() {
            self.refuse_other_weights()?;
        }
        // What to miss when there is none: transformers and our own parts say `model`.
        let ours = self.config.value("_class_name").is_some()
            && ["RegionText", "AttributeReaders", "InstructionReaders"]
                .iter()
                .any(|c| self.config.class_is(c).is_ok());
        let usual = usize::from(ours || self.config.value("architectures").is_some());
        WeightFile::open(
            &found.unwrap_or_else(|| self.folder.join(format!("{}.safetensors", stems[usual]))),
        )
    }

    /// Fails if there are weights, but not in a file that can be read.
    fn refuse_other_weights(&self) -> Result<(), CheckpointError> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut names: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        names.sort();
        let ends = |path: &Path, end: &str| path.to_string_lossy().ends_with(end);
        if let Some(path) = names.iter().find(|path| ends(path, ".safetensors.index.json")) {
            return Err(CheckpointError::Sharded { path: path.clone() });
        }
        let pickles = [".bin", ".ckpt", ".pt", ".pth"];
        match names.into_iter().find(|path| pickles.iter().any(|end| ends(path, end))) {
            Some(path) => Err(CheckpointError::Pickle { path }),
            None => Ok(()),
        }
    }
}
