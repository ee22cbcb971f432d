//! How a head comes about: at once from a person of the studio ([`instant`]), or by
//! optimisation: which views a step sees, the coarse stage, and how its field becomes a
//! textured mesh.

pub mod coarse;
pub mod extract;
pub mod instant;
pub mod state;
pub mod views;

pub use coarse::{CoarseConfig, CoarseStage, Progress};
pub use extract::{Avatar, MeshConfig};

/// What can go wrong in a stage.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// Rendering failed.
    #[error(transparent)]
    Render(#[from] crate::render::RenderError),
    /// Guidance failed.
    #[error(transparent)]
    Guidance(#[from] crate::guidance::GuidanceError),
    /// The surface could not be made.
    #[error(transparent)]
    Geometry(#[from] crate::geometry::GeometryError),
    /// The parameters of a head do not fit the prior.
    #[error(transparent)]
    Head(#[from] crate::head::HeadError),
    /// The texture could not be baked.
    #[error("{0}")]
    Bake(String),
    /// A checkpoint does not fit.
    #[error("the checkpoint does not fit this run: {0}")]
    Checkpoint(String),
}
