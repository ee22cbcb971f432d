//! What the program carries: a small Stable Diffusion of synthetic heads, the reader of
//! prompts, that of instructions, and the classifier that judges pictures of heads.
//!
//! The first is an ordinary diffusers folder. The first use unpacks it into the user's cache
//! folder (or, where that cannot be written, the folder for temporary files), under a name
//! that holds the hash of its contents, and from there it is loaded by the same code as every
//! other checkpoint.

use super::CheckpointError;
use super::registry::{self, Registry};
use crate::fingerprint;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What `--model` calls it.
pub const NAME: &str = "embedded";

/// The attribute classifier's folder in [`classifier_root`].
pub const CLASSIFIER: &str = "classifier";

macro_rules! files {
    ($root:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../assets/models/", $root, $path)))),+]
    };
}

type Files = &'static [(&'static str, &'static [u8])];

const JUDGE: Files = files!["": "classifier/config.json", "classifier/model.safetensors"];

const READER: Files = files!["reader/":
    "headsculpt.json",
    "words.txt",
    "attributes/config.json",
    "attributes/model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
];

const INSTRUCTIONS: Files = files!["instructions/":
    "headsculpt.json",
    "words.txt",
    "instructions/config.json",
    "instructions/model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
];

const FILES: Files = files!["embedded/":
    "model_index.json",
    "headsculpt.json",
    "controlnet/config.json",
    "controlnet/diffusion_pytorch_model.safetensors",
    "controlnet_reference/config.json",
    "controlnet_reference/diffusion_pytorch_model.safetensors",
    "region_text/config.json",
    "region_text/model.safetensors",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
];

/// The folder of a model as users name it: [`NAME`], the name of an added model, or a folder.
/// A folder that shares its name with an added model can be written with a separator, `./it`.
///
/// # Errors
/// [`CheckpointError::Unknown`]; [`CheckpointError::Moved`] for an added model whose folder is
/// gone; as [`Registry::of_user`] and [`folder`].
pub fn resolve(model: &str) -> Result<PathBuf, CheckpointError> {
    if model == NAME {
        return folder();
    }
    if registry::can_be_name(model)
        && let Some(folder) = Registry::of_user()?.folder_of(model)
    {
        let (name, folder) = (model.to_owned(), folder.to_owned());
        let is_there = folder.is_dir();
        return is_there.then(|| folder.clone()).ok_or(CheckpointError::Moved { name, folder });
    }
    let folder = PathBuf::from(model);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(CheckpointError::Unknown { name: model.to_owned() })
    }
}

/// A model's name that means the same from any working folder.
///
/// # Errors
/// As [`resolve`], and [`CheckpointError::Unreadable`].
pub fn stable_name(model: &str) -> Result<String, CheckpointError> {
    if model == NAME {
        return Ok(NAME.to_owned());
    }
    let path = resolve(model)?;
    match path.canonicalize() {
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        Err(error) => Err(CheckpointError::Unreadable { path, reason: error.to_string() }),
    }
}

/// The unpacked checkpoint's folder, unpacking it if it is not there.
///
/// # Errors
/// [`CheckpointError::Cache`] if neither the cache folder nor that for temporary files can
/// be written.
pub fn folder() -> Result<PathBuf, CheckpointError> {
    unpack(NAME, FILES)
}

/// Bytes of the model's files.
#[must_use]
pub fn bytes() -> u64 {
    FILES.iter().map(|(_, contents)| contents.len() as u64).sum()
}

/// The unpacked reader of prompts.
///
/// # Errors
/// As [`folder`].
pub fn reader() -> Result<PathBuf, CheckpointError> {
    unpack("reader", READER)
}

/// The unpacked reader of instructions.
///
/// # Errors
/// As [`folder`].
pub fn instructions() -> Result<PathBuf, CheckpointError> {
    unpack("instructions", INSTRUCTIONS)
}

/// The folder that holds the attribute classifier's, unpacking it if it is not there.
///
/// # Errors
/// As [`folder`].
pub fn classifier_root() -> Result<PathBuf, CheckpointError> {
    unpack(CLASSIFIER, JUDGE)
}

fn unpack(name: &str, files: Files) -> Result<PathBuf, CheckpointError> {
    let inside = |cache: PathBuf| cache.join("headsculpt").join("models");
    let unpacked = cache_folder().map(|cache| unpack_into(&inside(cache), name, files));
    match unpacked {
        Some(Ok(folder)) => Ok(folder),
        // No home, or one that cannot be written, as in containers and services.
        _ => unpack_into(&inside(std::env::temp_dir()), name, files),
    }
}

fn cache_folder() -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    from("XDG_CACHE_HOME")
        .or_else(|| from("LOCALAPPDATA"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
}

fn unpack_into(models: &Path, kind: &str, files: Files) -> Result<PathBuf, CheckpointError> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |error: std::io::Error| CheckpointError::Cache { path, what: error.to_string() }
    };
    let mut hasher = Sha256::new();
    for (name, contents) in files {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update((contents.len() as u64).to_le_bytes());
        hasher.update(contents);
    }
    let hash = fingerprint::hex(hasher, 6);
    let target = models.join(format!("{kind}-{hash}"));
    if is_complete(&target, files) {
        return Ok(target);
    }
    std::fs::create_dir_all(models).map_err(fail(models))?;
    let temporary =
        tempfile::Builder::new().prefix(".unpacking-").tempdir_in(models).map_err(fail(models))?;
    for (name, contents) in files {
        let path = temporary.path().join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(fail(parent))?;
        }
        std::fs::write(&path, contents).map_err(fail(&path))?;
    }
    // Another process may have been faster, or an old copy may be damaged.
    if target.exists() && !is_complete(&target, files) {
        std::fs::remove_dir_all(&target).map_err(fail(&target))?;
    }
    match std::fs::rename(temporary.path(), &target) {
        Ok(()) => Ok(target),
        Err(_) if is_complete(&target, files) => Ok(target),
        Err(error) => Err(fail(&target)(error)),
    }
}

fn is_complete(folder: &Path, files: Files) -> bool {
    files.iter().all(|(name, contents)| {
        std::fs::read(folder.join(name)).is_ok_and(|found| found == *contents)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_asset_is_carried() {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_string_lossy();
                    found.push(name.replace('\\', "/"));
                }
            }
        }
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models");
        for (folder, files) in
            [("embedded", FILES), ("reader", READER), ("instructions", INSTRUCTIONS), ("", JUDGE)]
        {
            let root = models.join(folder);
            let mut found = Vec::new();
            let start = if folder.is_empty() { root.join(CLASSIFIER) } else { root.clone() };
            walk(&start, &root, &mut found);
            let beside = ["MODEL_CARD.md", "samples.webp", "report.json"];
            found.retain(|name| !beside.iter().any(|file| name.ends_with(file)));
            found.sort();
            let mut carried: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
            carried.sort_unstable();
            assert_eq!(found, carried, "{folder}");
        }
    }

    #[test]
    fn unpacks_once_and_repairs_a_damaged_copy() {
        let dir = tempfile::tempdir().unwrap();
        let folder = unpack_into(dir.path(), NAME, FILES).unwrap();
        assert!(is_complete(&folder, FILES));
        let unet = folder.join("unet/config.json");
        let mut damaged = std::fs::read(&unet).unwrap();
        damaged[0] ^= 1;
        std::fs::write(&unet, damaged).unwrap();
        assert!(!is_complete(&folder, FILES));
        assert_eq!(unpack_into(dir.path(), NAME, FILES).unwrap(), folder);
        assert!(is_complete(&folder, FILES));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
