//! How a head comes about: at once from a person of the studio ([`instant`]), or by
//! optimisation: which views a step sees, the coarse stage, how its field becomes a
//! mesh, and the fine stage that goes on with that.

pub mod coarse;
pub mod controls;
pub mod edit;
pub mod extract;
pub mod fine;
pub mod instant;
mod moved;
pub mod origin;
pub mod region;
pub mod state;
mod texture;
#[cfg(test)]
mod unrest;
pub mod views;

use crate::batch::ImageBatch;
use crate::geometry::ColoredMesh;
use crate::guidance::Steering;
use state::Arrays;

pub use coarse::{CoarseConfig, CoarseStage};
pub use edit::EditStage;
pub use extract::{Avatar, MeshConfig};
pub use fine::{FineConfig, FineStage};
pub use region::EditRegion;

/// An optimisation in steps, as the session drives it.
pub trait Stage {
    /// Name in events, checkpoints and random streams.
    const NAME: &'static str;

    /// Steps done.
    fn done(&self) -> u64;

    /// One step.
    ///
    /// # Errors
    /// [`StageError`]; the state is then undefined and must be restored from a checkpoint.
    fn step(&mut self) -> Result<Progress, StageError>;

    /// Front, left, back and right views of the head as it is.
    ///
    /// # Errors
    /// [`StageError::Render`].
    fn snapshot(&mut self) -> Result<ImageBatch, StageError>;

    /// The surface as it is, with a colour for each vertex; `None` where it would take long to
    /// find one.
    ///
    /// # Errors
    /// [`StageError::Render`].
    fn surface(&mut self) -> Result<Option<ColoredMesh>, StageError> {
        Ok(None)
    }

    /// Takes a change before the next step.
    ///
    /// # Errors
    /// [`StageError::Guidance`] if a sentence cannot be encoded.
    fn steer(&mut self, change: &Steering) -> Result<(), StageError>;

    /// The state that a checkpoint holds.
    ///
    /// # Errors
    /// [`StageError::Render`] if the GPU cannot be read.
    fn save(&mut self) -> Result<Arrays, StageError>;

    /// The finished head.
    ///
    /// # Errors
    /// [`StageError::Geometry`] if there is no surface that can be closed,
    /// [`StageError::Render`].
    fn finish(&mut self, config: &MeshConfig) -> Result<Avatar, StageError>;
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps done, this one included.
    pub done: u64,
    /// The guidance's residual.
    pub loss: f32,
    /// The timestep that guidance drew.
    pub timestep: usize,
    /// Field evaluations of the step (samples of all renders).
    pub evaluations: u64,
}

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

impl StageError {
    /// An error while a saved state is restored: what the renderer refuses is the checkpoint's
    /// fault.
    fn unfit(self) -> Self {
        match self {
            Self::Render(crate::render::RenderError::Invalid(what)) => Self::Checkpoint(what),
            other => other,
        }
    }
}
