//! What the user asked for: panels return these, the window acts on them.

use crate::config::GenerationConfig;
use crate::guidance::Steering;
use crate::io::MeshFormat;
use crate::pipeline::EditRegion;
use crate::session::history::Move;
use std::path::PathBuf;

/// What a system dialog asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A project to open.
    Project,
    /// The folder for new heads.
    Projects,
    /// A file to export to.
    Export(MeshFormat),
    /// A checkpoint's folder.
    Model,
}

/// Something that the user asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make a new head.
    Generate(Box<GenerationConfig>),
    /// Make heads of the same sentence with as many seeds, one after the other.
    Seeds(Box<GenerationConfig>, u32),
    /// Continue an unfinished head.
    Resume(PathBuf),
    /// Change the open head.
    Edit {
        /// The sentence.
        instruction: String,
        /// Where.
        region: EditRegion,
        /// How far, `[0, 1]`.
        strength: f64,
    },
    /// Show another version of the open head.
    Move(Move),
    /// Name a version.
    Rename {
        /// Its id.
        version: u64,
        /// The name; empty takes it away.
        name: String,
    },
    /// Remove what no branch that is in use needs.
    Prune,
    /// Show a version beside the current one.
    Compare(u64),
    /// Write a mesh file of the open head.
    Export {
        /// The format.
        format: MeshFormat,
        /// The file; by default one in the project's folder.
        path: Option<PathBuf>,
        /// Pixels along a side of the texture; by default as it was baked.
        texture_size: Option<u32>,
    },
    /// Choose a file or folder with the system's dialog.
    Ask(Ask),
    /// Open a project.
    Open(PathBuf),
    /// Close the open project, back to the empty state.
    Close,
    /// Change the running generation.
    Steer(Steering),
    /// Pause or continue the running job.
    Pause(bool),
    /// Keep the state of the running generation, to branch from it.
    Keep,
    /// Go on from a state of the open head's generation, as a head of its own.
    Branch {
        /// Stage of the state.
        stage: String,
        /// Steps of it that are done.
        step: u64,
    },
    /// Stop the running job; what it has is kept.
    Stop,
    /// Register a checkpoint folder.
    AddModel(PathBuf),
    /// Forget a registered checkpoint.
    RemoveModel(String),
    /// Weights of the morph targets that the view shows.
    Pose(Vec<f32>),
}
