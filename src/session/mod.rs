//! The one seam between the engine and its faces.
