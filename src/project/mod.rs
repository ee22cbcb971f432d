//! The avatar document on disk.
//!
//! A project is a folder `avatar.headsculpt/`:
//!
//! | file | what |
//! |---|---|
//! | `operations.jsonl` | the operation log, one versioned JSON object a line |
//! | `checkpoints/<stage>-<step>.json` | a checkpoint: the newest two of a running stage, and what each finished generation or edit left |
//! | `checkpoints/objects/<SHA-256>` | the arrays that these name, packed, each once |
//! | `versions/<id>.json` | the files of a finished version: mesh, texture, thumbnail, report |
//! | `versions/objects/<SHA-256>` | their contents, packed, each once |
//! | `exported` | the version that the files in the output folder show |
//! | `lock` | held while a process works on it |
//!
//! Everything in it is a file or a folder: a project with a link, or a file of absurd length, is
//! refused. Files are replaced atomically (write, fsync, rename), the log only grows, so a
//! process that dies at any moment leaves a document that opens. The log is a tree of versions
//! ([`History`]): undo, redo and branches are entries like any other.

pub mod avatar;
pub mod checkpoint;
pub mod document;
pub(crate) mod fuzzing;
pub mod history;
mod log;
mod manifest;
mod motion;
mod objects;
pub mod operation;
mod packing;
mod plain;
mod selection;
mod single_file;
#[cfg(test)]
mod tests;
pub mod versions;

pub use checkpoint::{Checkpoint, CheckpointStore, Keep};
pub use document::Project;
pub use history::{History, Origin, Version};
pub use operation::{Entry, Operation};
pub use selection::DiskUse;
pub use versions::VersionStore;

use std::path::PathBuf;

/// The folder's name inside an output folder.
pub const PROJECT_DIR: &str = "avatar.headsculpt";

/// What can go wrong with a project on disk.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Reading or writing failed.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// "read", "write", "create", ..
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There is no project there.
    #[error("{0} holds no HeadSculpt project (no avatar.headsculpt/operations.jsonl)")]
    NotAProject(PathBuf),
    /// There already is one, and it is not ours to overwrite.
    #[error(
        "{0} already holds an avatar: continue it with --resume, or choose another folder with -o"
    )]
    Exists(PathBuf),
    /// Another process works on it.
    #[error("{0} is in use by another headsculpt")]
    Locked(PathBuf),
    /// A file does not parse.
    #[error("{path}: {what}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    /// A move in the history that is not possible.
    #[error("{0}")]
    History(String),
    /// Written by a newer program.
    #[error(
        "{path} was written by a newer HeadSculpt (schema {found}, this one reads up to {known})"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that this program reads.
        known: u32,
    },
}

impl ProjectError {
    /// Replaces a file atomically.
    pub(crate) fn write(path: &std::path::Path, contents: &[u8]) -> Result<(), Self> {
        crate::io::atomic::write(path, contents).map_err(Self::io("write", path))
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
