//! The one place that maps a checkpoint file into memory.
//!
//! Mapping is `unsafe` because another process could shorten or rewrite the
//! file while we read it. Checkpoints are several gigabytes, so reading them
//! whole first would double the peak memory.
#![allow(unsafe_code)]

use super::error::CheckpointError;
use std::fs::File;
use std::path::Path;

/// A read-only view of a whole file.
pub struct MappedFile(memmap2::Mmap);

impl MappedFile {
    /// Maps a file.
    ///
    /// # Errors
    /// If the file does not exist or cannot be mapped.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => CheckpointError::Missing { path: path.to_owned() },
            _ => CheckpointError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        };
        let file = File::open(path).map_err(unreadable)?;
        // SAFETY: the map is private to this value, read-only, and lives only while a
        // checkpoint is being loaded: every tensor is copied out of it. All offsets are
        // checked against its length. What remains is the documented condition that
        // nobody truncates the file during those seconds.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(unreadable)?;
        Ok(Self(map))
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
