//! Contents of arrays, each stored once under the SHA-256 of its bytes.

use super::{ProjectError, packing};
use crate::fingerprint;
use crate::io::atomic;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most bytes that the arrays of a checkpoint may have together.
pub(super) const MOST_BYTES: u64 = 8 << 30;
/// The most bytes of a file of a version: a mesh of two million triangles has a tenth of them.
pub(super) const LONGEST_FILE: u64 = 512 << 20;

/// The SHA-256 of an array: 64 lower-case hexadecimal digits, and so a safe file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct ObjectId(String);

impl ObjectId {
    fn of(array: &[u8]) -> Self {
        Self(fingerprint::hex(Sha256::new_with_prefix(array), 32))
    }
}

impl TryFrom<String> for ObjectId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(digit) {
            Ok(Self(text))
        } else {
            Err("a SHA-256 has 64 lower-case hexadecimal digits")
        }
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> Self {
        id.0
    }
}

/// Which contents an array has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectRef {
    /// Hash of the array, and name of its file.
    pub sha256: ObjectId,
    /// Length of the array, not of its file.
    pub bytes: u64,
}

/// A folder of packed arrays ([`packing`]).
#[derive(Debug, Clone)]
pub(super) struct ObjectStore {
    folder: PathBuf,
}

impl ObjectStore {
    /// The store in `folder`, which the first array creates.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Stores an array, unless it is there already and whole.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub fn put(&self, array: &[u8]) -> Result<ObjectRef, ProjectError> {
        let object = ObjectRef { sha256: ObjectId::of(array), bytes: array.len() as u64 };
        // Read, not only looked for: nothing new shall rest on a damaged file.
        if self.get(&object).is_err() {
            self.create()?;
            ProjectError::write(&self.path(&object.sha256), &packing::pack(array))?;
        }
        Ok(object)
    }

    /// Reads an array and verifies it.
    ///
    /// # Errors
    /// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
    pub fn get(&self, object: &ObjectRef) -> Result<Vec<u8>, ProjectError> {
        let path = self.path(&object.sha256);
        let broken = |what: &str| ProjectError::Broken { path: path.clone(), what: what.into() };
        let length = usize::try_from(object.bytes).ok().filter(|_| object.bytes <= MOST_BYTES);
        let length = length.ok_or_else(|| broken("is larger than this program reads"))?;
        let packed = read_file(&path, packing::longest(object.bytes))?;
        let array = packing::unpack(&packed, length).map_err(broken)?;
        if ObjectId::of(&array) != object.sha256 {
            return Err(broken("is damaged: its contents are not those that its name says"));
        }
        Ok(array)
    }

    /// Removes what is not `live`, and what a write that was cut short left.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub fn sweep(&self, live: &BTreeSet<ObjectId>) -> Result<(), ProjectError> {
        for (id, path) in self.objects()? {
            if !live.contains(&id) {
                std::fs::remove_file(&path).map_err(ProjectError::io("remove", &path))?;
            }
        }
        if self.folder.is_dir() {
            let swept = atomic::remove_leftovers(&self.folder);
            swept.map_err(ProjectError::io("clean", &self.folder))?;
        }
        Ok(())
    }

    /// Copies every array into another store, as it is.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub fn copy_to(&self, other: &Self) -> Result<(), ProjectError> {
        for (id, path) in self.objects()? {
            other.create()?;
            let copy = other.path(&id);
            std::fs::copy(&path, &copy).map_err(ProjectError::io("write", &copy))?;
        }
        Ok(())
    }

    /// Makes this folder and the one that it lies in, but no other: a project that was removed
    /// must not come back in part.
    fn create(&self) -> Result<(), ProjectError> {
        for folder in self.folder.parent().into_iter().chain([self.folder.as_path()]) {
            atomic::create_folder(folder).map_err(ProjectError::io("create", folder))?;
        }
        Ok(())
    }

    fn path(&self, id: &ObjectId) -> PathBuf {
        self.folder.join(&id.0)
    }

    /// The files that are named like arrays.
    fn objects(&self) -> Result<Vec<(ObjectId, PathBuf)>, ProjectError> {
        let io = || ProjectError::io("read", &self.folder);
        let mut objects = Vec::new();
        if self.folder.is_dir() {
            for entry in std::fs::read_dir(&self.folder).map_err(io())? {
                let entry = entry.map_err(io())?;
                let name = entry.file_name().into_string().unwrap_or_default();
                let is_file = entry.file_type().map_err(io())?.is_file();
                if let (Ok(id), true) = (ObjectId::try_from(name), is_file) {
                    objects.push((id, entry.path()));
                }
            }
        }
        Ok(objects)
    }
}

/// Reads a file of at most `longest` bytes; a link, a pipe or a device is refused.
///
/// # Errors
/// [`ProjectError::Io`] or [`ProjectError::Broken`] naming the file.
pub(super) fn read_file(path: &Path, longest: u64) -> Result<Vec<u8>, ProjectError> {
    let broken = |what: &str| ProjectError::Broken { path: path.into(), what: what.into() };
    let found = std::fs::symlink_metadata(path).map_err(ProjectError::io("read", path))?;
    if !found.is_file() {
        return Err(broken("is not a file"));
    }
    if found.len() > longest {
        return Err(broken("is too long"));
    }
    let file = std::fs::File::open(path).map_err(ProjectError::io("read", path))?;
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes).map_err(ProjectError::io("read", path))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_stored_once_and_mended() {
        let dir = tempfile::tempdir().unwrap();
        let store = ObjectStore::new(dir.path().join("objects"));
        let array: Vec<u8> = (0..5000_u32).flat_map(u32::to_le_bytes).collect();
        let object = store.put(&array).unwrap();
        assert_eq!(store.put(&array).unwrap(), object);
        assert_eq!(store.objects().unwrap().len(), 1);
        assert_eq!(store.get(&object).unwrap(), array);
        let path = store.path(&object.sha256);
        std::fs::write(&path, "damaged").unwrap();
        assert!(store.get(&object).is_err());
        store.put(&array).unwrap();
        assert_eq!(store.get(&object).unwrap(), array);
    }

    #[test]
    fn only_what_is_live_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = ObjectStore::new(dir.path().join("objects"));
        store.sweep(&BTreeSet::new()).unwrap();
        let [live, dead] = [b"live", b"dead"].map(|array| store.put(array).unwrap());
        let other = store.folder.join("somebody's");
        std::fs::write(&other, "").unwrap();
        std::fs::write(store.folder.join(".writing-abc"), "half").unwrap();
        store.sweep(&BTreeSet::from([live.sha256.clone()])).unwrap();
        assert_eq!(store.get(&live).unwrap(), b"live");
        assert!(store.get(&dead).is_err());
        assert!(other.exists());
        assert_eq!(std::fs::read_dir(&store.folder).unwrap().count(), 2);
    }

    #[test]
    fn names_are_sixty_four_digits() {
        let good = ObjectId::of(b"").0;
        assert!(ObjectId::try_from(good.clone()).is_ok());
        let bad = ["", "../../x", &good[1..], &good.to_uppercase(), &format!("{good}0")];
        for name in bad.map(str::to_owned).into_iter().chain([format!("/{}", &good[1..])]) {
            assert!(ObjectId::try_from(name.clone()).is_err(), "{name}");
        }
    }
}
