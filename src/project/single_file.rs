//! Checkpoints of schema 1: one safetensors file each, with what it is in the header.

use super::manifest::SCHEMA;
use super::objects::{MOST_BYTES, read_file};
use super::{Checkpoint, ProjectError};
use safetensors::SafeTensors;
use std::path::Path;

/// Reads such a file.
///
/// # Errors
/// [`ProjectError`] naming the file.
pub(super) fn read(path: &Path) -> Result<Checkpoint, ProjectError> {
    decode(&read_file(path, MOST_BYTES)?, path)
}

/// The checkpoint in the bytes of such a file; `path` is where errors say that they lie.
///
/// # Errors
/// [`ProjectError`] naming the file.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<Checkpoint, ProjectError> {
    let broken = |what: String| ProjectError::Broken { path: path.to_path_buf(), what };
    let (_, header) =
        SafeTensors::read_metadata(bytes).map_err(|error| broken(error.to_string()))?;
    let header = header.metadata().clone().unwrap_or_default();
    let field = |name: &str| {
        header.get(name).cloned().ok_or_else(|| broken(format!("has no '{name}' in its header")))
    };
    let number = |name: &str| {
        field(name)?.parse::<u64>().map_err(|_| broken(format!("'{name}' is not a number")))
    };
    let schema = u32::try_from(number("schema")?).unwrap_or(u32::MAX);
    if schema > SCHEMA {
        return Err(ProjectError::TooNew { path: path.into(), found: schema, known: SCHEMA });
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| broken(error.to_string()))?;
    let arrays =
        tensors.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
    Ok(Checkpoint {
        stage: field("stage")?,
        step: number("step")?,
        fingerprint: field("fingerprint")?,
        arrays,
    })
}
