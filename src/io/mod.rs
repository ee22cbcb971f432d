//! Files people open: GLB, images, turntables.

pub mod glb;
pub mod image;
pub mod turntable;

use std::io::Write;
use std::path::{Path, PathBuf};

/// What can go wrong when a result is encoded or written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file name that does not say which format is wanted.
    #[error("cannot tell the image format of {}: use .png, .webp, .jpg or .jpeg", .0.display())]
    Format(PathBuf),
    /// An encoder refused.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// The picture or file.
        what: &'static str,
        /// The encoder's words.
        reason: String,
    },
    /// The result is larger than it may be.
    #[error("{what} takes {actual} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The picture or file.
        what: &'static str,
        /// Its size.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// A mesh that cannot be exported.
    #[error(transparent)]
    Geometry(#[from] crate::geometry::GeometryError),
    /// The caller asked for something impossible.
    #[error("{0}")]
    Invalid(&'static str),
}

/// Writes a file so that it is either complete or not there: into a neighbour first,
/// which then takes its name.
///
/// # Errors
/// [`ExportError::Write`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let failed = |source| ExportError::Write { path: path.to_owned(), source };
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or_else(|| failed(std::io::ErrorKind::InvalidInput.into()))?);
    name.push(".part");
    let part = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|source| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&part);
        failed(source)
    })
}
