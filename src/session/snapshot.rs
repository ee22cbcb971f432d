//! The newest picture of a head in the making.

use crate::batch::ImageBatch;
use crate::geometry::ColoredMesh;
use std::sync::{Arc, Mutex, PoisonError};

/// What the optimiser has made so far, as a viewer may show it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadSnapshot {
    /// Steps done.
    pub step: u64,
    /// Front, left, back and right views, 3 channels.
    pub images: ImageBatch,
    /// The surface, in stages that have one.
    pub surface: Option<ColoredMesh>,
}

/// A slot that holds one value; a newer one replaces what nobody has taken. Clones
/// share the slot.
#[derive(Debug)]
pub struct Latest<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl<T> Latest<T> {
    /// Puts a value, dropping the one before.
    pub fn put(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    /// Takes the newest value, if there is one that has not been taken.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
