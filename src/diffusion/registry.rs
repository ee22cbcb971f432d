//! The checkpoints that the user has given names to.
//!
//! The names lie in `models.json` in the user's data folder; the checkpoints stay where they
//! are, and nothing here ever touches their files.

use super::error::CheckpointError;
use super::inspect::{CheckpointFacts, inspect};
use super::{config, embedded};
use crate::io::atomic;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Overrides the data folder.
const OVERRIDE: &str = "HEADSCULPT_DATA";
const FILE: &str = "models.json";
const LOCK: &str = "models.lock";
/// Version of the file's layout.
const SCHEMA: u32 = 1;
/// Characters that a name may have.
const LONGEST: usize = 64;

/// The named checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// The data folder; `None` where the system knows none.
    folder: Option<PathBuf>,
    models: Vec<Registered>,
}

/// A checkpoint with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// What `--model` calls it.
    pub name: String,
    /// Its folder, from the root of the file system.
    pub folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    models: Vec<Registered>,
}

impl Registry {
    /// Reads the user's names: `models.json` in `HEADSCULPT_DATA`, or else in `headsculpt` in
    /// the system's folder for data. Without such a file there are none.
    ///
    /// # Errors
    /// [`CheckpointError::Registry`] for a file that cannot be read or is not valid.
    pub fn of_user() -> Result<Self, CheckpointError> {
        match data_folder() {
            Some(folder) => Self::open(&folder),
            None => Ok(Self { folder: None, models: Vec::new() }),
        }
    }

    /// Reads the names in a data folder, which need not exist.
    ///
    /// # Errors
    /// As [`Self::of_user`].
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        let models = read(&folder.join(FILE))?;
        Ok(Self { folder: Some(folder.to_owned()), models })
    }

    /// The checkpoints in the order of their names.
    #[must_use]
    pub fn models(&self) -> &[Registered] {
        &self.models
    }

    /// The folder of a name.
    #[must_use]
    pub fn folder_of(&self, name: &str) -> Option<&Path> {
        self.models.iter().find(|model| model.name == name).map(|model| model.folder.as_path())
    }

    /// Gives a checkpoint folder a name, by default its own, after [`inspect`] has found
    /// nothing wrong with it. The same name for the same folder changes nothing.
    ///
    /// # Errors
    /// What [`inspect`] says; [`CheckpointError::Name`] for a name that cannot be one or
    /// belongs to another folder; [`CheckpointError::Registry`] if it cannot be written.
    pub fn add(
        &mut self,
        folder: &Path,
        name: Option<&str>,
    ) -> Result<(Registered, CheckpointFacts), CheckpointError> {
        let facts = inspect(folder)?;
        let unreadable =
            |reason: String| CheckpointError::Unreadable { path: folder.to_owned(), reason };
        let folder = folder.canonicalize().map_err(|error| unreadable(error.to_string()))?;
        if folder.to_str().is_none() {
            return Err(unreadable("its path is no text".into()));
        }
        let own = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.unwrap_or(own);
        if let Some(problem) = wrong_with(name) {
            return Err(CheckpointError::Name { name: name.to_owned(), problem });
        }
        let added = Registered { name: name.to_owned(), folder };
        self.change(|models| {
            match models.iter().find(|model| model.name == added.name) {
                Some(taken) if *taken != added => {
                    let problem = format!(
                        "already belongs to {}: remove it first, or add this one with another --name",
                        taken.folder.display()
                    );
                    return Err(CheckpointError::Name { name: added.name.clone(), problem });
                }
                Some(_) => {}
                None => models.push(added.clone()),
            }
            models.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(())
        })?;
        Ok((added, facts))
    }

    /// Forgets a name and returns what it stood for; the checkpoint's files stay.
    ///
    /// # Errors
    /// [`CheckpointError::Name`] for a name that nothing has; [`CheckpointError::Registry`] if
    /// it cannot be written.
    pub fn remove(&mut self, name: &str) -> Result<Registered, CheckpointError> {
        let fail = |problem: &str| {
            Err(CheckpointError::Name { name: name.to_owned(), problem: problem.to_owned() })
        };
        if name == embedded::NAME {
            return fail("is the model that is part of the program: it cannot be removed");
        }
        if self.folder_of(name).is_none() {
            return fail("belongs to no added model; `headsculpt models list` shows them");
        }
        self.change(|models| match models.iter().position(|model| model.name == name) {
            Some(at) => Ok(models.remove(at)),
            None => fail("was removed by another headsculpt"),
        })
    }

    /// Changes the file, as it is by now, while nobody else does.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Vec<Registered>) -> Result<T, CheckpointError>,
    ) -> Result<T, CheckpointError> {
        let Some(folder) = &self.folder else {
            let problem = format!(
                "cannot be written: the system names no folder for data, set {OVERRIDE} to one"
            );
            return Err(CheckpointError::Registry { path: PathBuf::from(FILE), problem });
        };
        let path = folder.join(FILE);
        let fail = |error: std::io::Error| CheckpointError::Registry {
            path: path.clone(),
            problem: format!("cannot be written: {error}"),
        };
        std::fs::create_dir_all(folder).map_err(fail)?;
        let lock = File::create(folder.join(LOCK)).map_err(fail)?;
        // A place that knows no locks can still be written.
        if let Err(error) = lock.lock() {
            tracing::debug!("{LOCK} cannot be locked: {error}");
        }
        let mut models = read(&path)?;
        let found = change(&mut models)?;
        let document = Document { schema: SCHEMA, models };
        let text = serde_json::to_string_pretty(&document).map_err(|error| {
            CheckpointError::Registry { path: path.clone(), problem: error.to_string() }
        })?;
        atomic::write(&path, text.as_bytes()).map_err(fail)?;
        self.models = document.models;
        Ok(found)
    }
}

/// What is wrong with a name, to be put after it. A name is never a path.
fn wrong_with(name: &str) -> Option<String> {
    if name == embedded::NAME {
        return Some("is the model that is part of the program: choose another with --name".into());
    }
    (!can_be_name(name)).then(|| {
        format!(
            "cannot be a model's: give it one with --name, 1 to {LONGEST} letters, digits, '-', '_' \
             and '.', the first a letter or digit"
        )
    })
}

/// Whether a model as users name it can be a name, and not a path with a separator.
pub(super) fn can_be_name(text: &str) -> bool {
    let usual = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=LONGEST).contains(&text.len())
        && text.chars().all(usual)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn read(path: &Path) -> Result<Vec<Registered>, CheckpointError> {
    let fail = |problem: String| CheckpointError::Registry { path: path.to_owned(), problem };
    let document: Document = match config::read_json(path) {
        Ok(document) => document,
        Err(CheckpointError::Missing { .. }) => return Ok(Vec::new()),
        Err(CheckpointError::Json { reason, .. }) => {
            return Err(fail(format!("is not valid: {reason}")));
        }
        Err(CheckpointError::Unreadable { reason, .. }) => {
            return Err(fail(format!("cannot be read: {reason}")));
        }
        Err(other) => return Err(other),
    };
    if document.schema != SCHEMA {
        let found = document.schema;
        return Err(fail(format!("has the schema {found}, this HeadSculpt reads {SCHEMA}")));
    }
    if let Some(wrong) = document.models.iter().find(|model| wrong_with(&model.name).is_some()) {
        return Err(fail(format!("`models` has the name '{}', which is none", wrong.name)));
    }
    Ok(document.models)
}

/// Where the user's data belong, by the customs of the system.
fn data_folder() -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(folder) = from(OVERRIDE) {
        return Some(folder);
    }
    let home = |inside: &str| std::env::home_dir().map(|home| home.join(inside));
    let data = from("XDG_DATA_HOME").or_else(|| {
        if cfg!(windows) {
            from("APPDATA")
        } else if cfg!(target_os = "macos") {
            home("Library/Application Support")
        } else {
            home(".local/share")
        }
    });
    data.map(|data| data.join("headsculpt"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::tests::fixture;

    #[test]
    fn names_are_given_found_and_forgotten() {
        let data = tempfile::tempdir().unwrap();
        // A folder that is made when it is needed.
        let data = data.path().join("a/b");
        let mut registry = Registry::open(&data).unwrap();
        assert!(registry.models().is_empty() && !data.exists());
        let (first, facts) = registry.add(&fixture("sd_like"), Some("mine")).unwrap();
        assert_eq!(first.folder, fixture("sd_like").canonicalize().unwrap());
        assert!(facts.bytes > 1000 && facts.controls["controlnet"].is_none());
        // Two that were opened at the same time do not lose each other's names.
        let mut other = Registry::open(&data).unwrap();
        other.add(&fixture("pixel_space"), None).unwrap();
        registry.add(&fixture("sd_like"), Some("also-mine")).unwrap();
        registry.add(&fixture("sd_like"), Some("mine")).unwrap();
        let names: Vec<&str> = registry.models().iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["also-mine", "mine", "pixel_space"]);
        assert_eq!(Registry::open(&data).unwrap(), registry);
        assert_eq!(registry.folder_of("mine"), Some(first.folder.as_path()));
        assert_eq!(registry.remove("mine").unwrap(), first);
        assert_eq!(registry.folder_of("mine"), None);
        assert_eq!(Registry::open(&data).unwrap(), registry);
        assert!(first.folder.is_dir());
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        let data = tempfile::tempdir().unwrap();
        let mut registry = Registry::open(data.path()).unwrap();
        registry.add(&fixture("sd_like"), Some("taken")).unwrap();
        let long = "a".repeat(LONGEST + 1);
        for name in ["", ".", "..", "-x", "a/b", "a\\b", "a b", "ä", "embedded", "taken", &long] {
            let error = registry.add(&fixture("pixel_space"), Some(name)).unwrap_err();
            assert!(matches!(error, CheckpointError::Name { .. }), "{name}: {error}");
            assert!(error.to_string().contains("--name"), "{error}");
        }
        for name in ["embedded", "nobody"] {
            let error = registry.remove(name).unwrap_err();
            assert!(matches!(error, CheckpointError::Name { .. }), "{name}: {error}");
        }
        assert_eq!(registry.models().len(), 1);
    }

    #[test]
    fn broken_files_are_named_and_kept() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join(FILE);
        let entry = |name: &str| format!("[{{\"name\": \"{name}\", \"folder\": \"/x\"}}]");
        for (text, word) in [
            ("{\"schema\": 1".to_owned(), "is not valid"),
            ("{\"schema\": 2, \"models\": []}".to_owned(), "schema 2"),
            ("{\"schema\": 1, \"models\": [], \"more\": 1}".to_owned(), "more"),
            (format!("{{\"schema\": 1, \"models\": {}}}", entry("../up")), "../up"),
        ] {
            std::fs::write(&file, &text).unwrap();
            let error = Registry::open(data.path()).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(FILE), "{error}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        let mut nowhere = Registry { folder: None, models: Vec::new() };
        let error = nowhere.add(&fixture("sd_like"), Some("mine")).unwrap_err().to_string();
        assert!(error.contains(OVERRIDE), "{error}");
    }
}
