//! The avatar document on disk.
