//! Meshes: extraction, clean-up, decimation and texture coordinates.
