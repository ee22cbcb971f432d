//! A checkpoint's manifest: what it is, and which contents its arrays have.

use super::ProjectError;
use super::objects::{MOST_BYTES, ObjectRef, read_file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of a checkpoint's layout: 1 was one safetensors file, 2 is a manifest with objects.
pub(super) const SCHEMA: u32 = 2;
/// The most bytes of a manifest; a real one has about two thousand.
const LONGEST: u64 = 1 << 20;

/// One checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// [`SCHEMA`] of the file.
    pub schema: u32,
    /// Name of the stage.
    pub stage: String,
    /// Steps of the stage that are done.
    pub step: u64,
    /// Hash of the settings.
    pub fingerprint: String,
    /// Whether it stays when newer ones are saved.
    pub pinned: bool,
    /// The state, by name.
    pub arrays: BTreeMap<String, ObjectRef>,
}

/// What every schema has.
#[derive(Deserialize)]
struct Versioned {
    schema: u64,
}

impl Manifest {
    /// Reads a manifest; the arrays are not looked for.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file.
    pub fn read(path: &Path) -> Result<Self, ProjectError> {
        Self::parse(&read_file(path, LONGEST)?, path)
    }

    /// The manifest in the bytes of a file; `path` is where errors say that they lie.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, ProjectError> {
        let json = |error: serde_json::Error| broken(path, error.to_string());
        let schema = serde_json::from_slice::<Versioned>(text).map_err(json)?.schema;
        if schema > u64::from(SCHEMA) {
            let found = u32::try_from(schema).unwrap_or(u32::MAX);
            return Err(ProjectError::TooNew { path: path.into(), found, known: SCHEMA });
        }
        let manifest: Self = serde_json::from_slice(text).map_err(json)?;
        if manifest.schema != SCHEMA {
            return Err(broken(path, format!("has no such schema as {schema}")));
        }
        manifest.check_size(path)?;
        Ok(manifest)
    }

    /// Writes the manifest atomically; what it names must be on disk before.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub fn write(&self, path: &Path) -> Result<(), ProjectError> {
        self.check_size(path)?;
        let json = serde_json::to_string_pretty(self);
        let text = json.map_err(|error| broken(path, error.to_string()))?;
        ProjectError::write(path, (text + "\n").as_bytes())
    }

    fn check_size(&self, path: &Path) -> Result<(), ProjectError> {
        let bytes = self.arrays.values().fold(0_u64, |sum, array| sum.saturating_add(array.bytes));
        if bytes > MOST_BYTES {
            let what = format!("arrays of {bytes} bytes are too large, {MOST_BYTES} is the most");
            return Err(broken(path, what));
        }
        Ok(())
    }
}

fn broken(path: &Path, what: String) -> ProjectError {
    ProjectError::Broken { path: path.into(), what }
}
