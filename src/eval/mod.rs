//! Measuring: does a head show what its prompt says, and what an instruction asked for?
//!
//! Prompts come with claims ("skin is green"), and so do edits; pictures of a subject (samples
//! of the diffusion model, instant heads, distilled heads, finished projects) are read by the
//! attribute classifier, which none of them was made with. Results accumulate, a line each, in
//! `results.jsonl`; `summary.md` counts them with Wilson intervals.

pub mod edit;
mod judge;
mod lens;
mod list;
mod pictures;
mod projects;
mod prompts;
mod reading;
mod results;
mod run;
mod subject;
mod summary;
mod wilson;

pub use judge::{ClaimVerdict, Judge, Verdict};
pub use lens::{Lens, Measured};
pub use list::ListError;
pub use pictures::{Pictures, Portraits, Ring};
pub use projects::projects;
pub use prompts::{Claims, EvalPrompt, read, stratified};
pub use reading::Reading;
pub use results::Line;
pub use run::{Plan, Tick, run};
pub use subject::{Edited, Subject, SubjectKind};
pub use summary::summarise;
pub use wilson::{Interval, wilson};

use crate::session::SessionError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// One judged subject: a line of `results.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was judged.
    pub kind: SubjectKind,
    /// The sentence.
    pub prompt: String,
    /// The prompt's stratum.
    pub stratum: String,
    /// The seed.
    pub seed: u64,
    /// The diffusion model.
    pub model: String,
    /// What the classifier says of each claim, and of the face in each view.
    pub verdict: Verdict,
    /// Seconds that making and judging it took.
    pub seconds: f64,
}

/// What can go wrong while measuring.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A list of prompts or edits.
    #[error(transparent)]
    List(#[from] ListError),
    /// Results of another run are in the way.
    #[error(
        "{0} already holds results; add to them with --resume, or choose another folder with -o"
    )]
    Exists(PathBuf),
    /// A line of the results does not read.
    #[error("{path}: line {line}: {what}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The reason.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        what: String,
    },
    /// Making or judging a subject failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl EvalError {
    /// Whether the user's input is the cause (exit code 2).
    #[must_use]
    pub fn is_input(&self) -> bool {
        match self {
            Self::Session(error) => error.is_input(),
            _ => true,
        }
    }

    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, what: error.to_string() }
    }
}
