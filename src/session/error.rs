//! What can go wrong in a session.

use crate::config::ConfigError;
use crate::diffusion::DiffusionError;
use crate::guidance::GuidanceError;
use crate::pipeline::StageError;
use crate::project::ProjectError;
use crate::render::RenderError;
use std::path::PathBuf;

/// What can go wrong in a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Bad settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The project on disk cannot be opened or created.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The project on disk cannot be read or written any more; what was saved stays.
    #[error(transparent)]
    Storage(ProjectError),
    /// The diffusion checkpoint.
    #[error(transparent)]
    Model(#[from] DiffusionError),
    /// The GPU.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Guidance.
    #[error(transparent)]
    Guidance(#[from] GuidanceError),
    /// The optimisation.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Writing the results.
    #[error(transparent)]
    Export(#[from] crate::io::ExportError),
    /// The checkpoint belongs to other settings.
    #[error("the checkpoint in {0} was made with other settings; it cannot be continued")]
    OtherSettings(PathBuf),
    /// There is nothing to continue any more.
    #[error("{0} was edited after it was generated: there is nothing to resume")]
    Edited(PathBuf),
    /// An edit that cannot be started.
    #[error("{0}")]
    Edit(String),
    /// A head that cannot be exported, or not as or to what was asked for.
    #[error("{0}")]
    CannotExport(String),
    /// The system could not start a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// A bug.
    #[error("the session stopped because of a bug; please report it with the log (-vv)")]
    Panicked,
}

impl SessionError {
    /// Whether the user's input, machine or files are the cause, and nothing was
    /// started (exit code 2).
    #[must_use]
    pub fn is_input(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::Project(_)
            | Self::OtherSettings(_)
            | Self::Edited(_)
            | Self::Edit(_)
            | Self::CannotExport(_)
            | Self::Stage(StageError::Checkpoint(_))
            | Self::Guidance(GuidanceError::NoReferenceNet | GuidanceError::Strength(_))
            | Self::Model(DiffusionError::Checkpoint(_)) => true,
            Self::Render(error) | Self::Stage(StageError::Render(error)) => {
                matches!(error, RenderError::NoAdapter | RenderError::NoDevice { .. })
            }
            _ => false,
        }
    }
}
