//! Files people open: GLB, images, turntables.

pub mod atomic;
pub mod glb;
pub mod image;
pub mod turntable;

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
    /// A picture does not decode.
    #[error("is no picture that can be read: {0}")]
    Decode(String),
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

/// Writes a file so that it is either complete or not there; see [`atomic::write`].
///
/// # Errors
/// [`ExportError::Write`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    atomic::write(path, bytes)
        .map_err(|source| ExportError::Write { path: path.to_owned(), source })
}
