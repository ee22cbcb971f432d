//! The files of finished versions: small manifests over contents that they share.

use super::ProjectError;
use super::objects::{LONGEST_FILE, ObjectRef, ObjectStore, read_file};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Version of a manifest's layout.
const SCHEMA: u32 = 1;
/// The most bytes of a manifest; a real one has a few hundred.
const LONGEST: u64 = 1 << 16;

/// The files of one version by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    schema: u32,
    files: BTreeMap<String, ObjectRef>,
}

/// The versions folder of a project: `<id>.json` names a version's files by the hash of their
/// contents, which lie packed in `objects/`.
#[derive(Debug, Clone)]
pub struct VersionStore {
    folder: PathBuf,
    objects: ObjectStore,
}

impl VersionStore {
    /// The store in `folder`, which the first file creates.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        let objects = ObjectStore::new(folder.join("objects"));
        Self { folder, objects }
    }

    /// Stores files of a version beside those that it has; one of the same name is replaced.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file on disk.
    pub fn put(&self, version: u64, files: &[(&str, &[u8])]) -> Result<(), ProjectError> {
        let mut manifest = match self.manifest(version) {
            Ok(Some(manifest)) => manifest,
            // A damaged one is written anew: what it named is lost either way.
            Ok(None) | Err(ProjectError::Broken { .. }) => {
                Manifest { schema: SCHEMA, files: BTreeMap::new() }
            }
            Err(error) => return Err(error),
        };
        for (name, contents) in files {
            manifest.files.insert((*name).to_owned(), self.objects.put(contents)?);
        }
        let path = self.path(version);
        let json = serde_json::to_string_pretty(&manifest);
        let text = json.map_err(|error| broken(&path, error.to_string()))?;
        ProjectError::write(&path, (text + "\n").as_bytes())
    }

    /// Whether a version has a file of this name; it may be damaged.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file on disk.
    pub fn has(&self, version: u64, name: &str) -> Result<bool, ProjectError> {
        Ok(self.manifest(version)?.is_some_and(|manifest| manifest.files.contains_key(name)))
    }

    /// SHA-256 of a version's files, by their names; empty without any.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file on disk.
    pub fn digests(&self, version: u64) -> Result<BTreeMap<String, String>, ProjectError> {
        let files = self.manifest(version)?.map(|manifest| manifest.files).unwrap_or_default();
        Ok(files.into_iter().map(|(name, object)| (name, object.sha256.into())).collect())
    }

    /// A file of a version; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file on disk.
    pub fn get(&self, version: u64, name: &str) -> Result<Option<Vec<u8>>, ProjectError> {
        let Some(manifest) = self.manifest(version)? else { return Ok(None) };
        let Some(object) = manifest.files.get(name) else { return Ok(None) };
        if object.bytes > LONGEST_FILE {
            return Err(broken(&self.path(version), format!("'{name}' is too long")));
        }
        let file = self.objects.get(object);
        file.map(Some).map_err(|error| broken(&self.path(version), format!("'{name}': {error}")))
    }

    /// Forgets the files of some versions, then removes contents that no other version has.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file on disk.
    pub(super) fn remove(&self, versions: &BTreeSet<u64>) -> Result<(), ProjectError> {
        for version in versions {
            let path = self.path(*version);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ProjectError::io("remove", path)(error));
                }
                _ => {}
            }
        }
        let mut live = BTreeSet::new();
        for version in self.ids()? {
            match self.manifest(version) {
                Ok(Some(manifest)) => live.extend(manifest.files.into_values().map(|o| o.sha256)),
                Ok(None) => {}
                // What a damaged one names is not known: nothing is thrown away.
                Err(ProjectError::Broken { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.objects.sweep(&live)
    }

    /// Copies everything into another store.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub(super) fn copy_to(&self, other: &Self) -> Result<(), ProjectError> {
        self.objects.copy_to(&other.objects)?;
        for version in self.ids()? {
            let (from, to) = (self.path(version), other.path(version));
            std::fs::create_dir_all(&other.folder)
                .and_then(|()| std::fs::copy(&from, &to))
                .map_err(ProjectError::io("write", &to))?;
        }
        Ok(())
    }

    /// The versions that have files.
    fn ids(&self) -> Result<Vec<u64>, ProjectError> {
        let io = || ProjectError::io("read", &self.folder);
        let mut ids = Vec::new();
        if self.folder.is_dir() {
            for entry in std::fs::read_dir(&self.folder).map_err(io())? {
                let path = entry.map_err(io())?.path();
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                let id = stem.and_then(|stem| stem.parse().ok());
                ids.extend(id.filter(|id| self.path(*id) == path && path.is_file()));
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    fn path(&self, version: u64) -> PathBuf {
        self.folder.join(format!("{version}.json"))
    }

    fn manifest(&self, version: u64) -> Result<Option<Manifest>, ProjectError> {
        let path = self.path(version);
        // A link is no file of ours: reading it is refused below.
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        Manifest::parse(&read_file(&path, LONGEST)?, &path).map(Some)
    }
}

impl Manifest {
    /// The manifest in the bytes of a file; `path` is where errors say that they lie.
    ///
    /// # Errors
    /// [`ProjectError`] naming the file.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, ProjectError> {
        let manifest: Self =
            serde_json::from_slice(text).map_err(|error| broken(path, error.to_string()))?;
        if manifest.schema > SCHEMA {
            let (path, found) = (path.into(), manifest.schema);
            return Err(ProjectError::TooNew { path, found, known: SCHEMA });
        }
        Ok(manifest)
    }
}

fn broken(path: &Path, what: String) -> ProjectError {
    ProjectError::Broken { path: path.into(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_are_stored_once_and_go_with_their_last_version() {
        let dir = tempfile::tempdir().unwrap();
        let store = VersionStore::new(dir.path().join("versions"));
        assert!(store.get(1, "a").unwrap().is_none());
        store.put(1, &[("a", b"one"), ("b", b"same")]).unwrap();
        store.put(2, &[("b", b"same")]).unwrap();
        store.put(2, &[("c", b"three")]).unwrap();
        let objects = || std::fs::read_dir(dir.path().join("versions/objects")).unwrap().count();
        assert_eq!(objects(), 3);
        assert_eq!(store.get(2, "b").unwrap().unwrap(), b"same");
        assert!(!store.has(2, "a").unwrap());
        let copy = VersionStore::new(dir.path().join("copy"));
        store.copy_to(&copy).unwrap();
        store.remove(&BTreeSet::from([1, 9])).unwrap();
        assert_eq!(objects(), 2);
        assert!(store.get(1, "b").unwrap().is_none());
        assert_eq!(store.get(2, "b").unwrap().unwrap(), b"same");
        assert_eq!(copy.get(1, "a").unwrap().unwrap(), b"one");
    }

    #[test]
    fn damage_is_named_and_can_be_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let store = VersionStore::new(dir.path().to_path_buf());
        store.put(1, &[("a", b"one")]).unwrap();
        let manifest = dir.path().join("1.json");
        let good = std::fs::read_to_string(&manifest).unwrap();
        for bad in ["", "[[[", "{\"schema\":1,\"files\":{\"a\":\"../../x\"}}"] {
            std::fs::write(&manifest, bad).unwrap();
            let error = store.get(1, "a").unwrap_err().to_string();
            assert!(error.contains("1.json"), "{error}");
        }
        std::fs::write(&manifest, good.replace("\"schema\": 1", "\"schema\": 9")).unwrap();
        assert!(matches!(store.get(1, "a"), Err(ProjectError::TooNew { found: 9, .. })));
        assert!(store.put(1, &[("a", b"two")]).is_err(), "a newer one is not ours to replace");
        std::fs::write(&manifest, "nonsense").unwrap();
        store.put(1, &[("a", b"two")]).unwrap();
        assert_eq!(store.get(1, "a").unwrap().unwrap(), b"two");
    }
}
