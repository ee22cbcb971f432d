//! Measuring edits: does the head show what the instruction asked for, and is everything else
//! as it was?

pub mod distance;
pub mod history;
pub mod list;
pub mod region;
mod sheet;
mod summary;
mod sweep;
pub mod verdict;

pub use distance::Distances;
pub use history::History;
pub use list::EvalEdit;
pub use region::Untouched;
pub use sheet::write as write_sheet;
pub(super) use summary::section;
pub use verdict::{EditVerdict, Question};

use super::{Claims, SubjectKind};
use crate::pipeline::EditRegion;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One measured edit: a line of `results.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditRecord {
    /// What was edited.
    pub kind: SubjectKind,
    /// The sentence that the head before was made from.
    pub prompt: String,
    /// What was asked of it; several instructions are joined by semicolons.
    pub instruction: String,
    /// The seed.
    pub seed: u64,
    /// Where it was kept to; of several, the last one's.
    pub region: EditRegion,
    /// How far the (last) instruction was followed, `(0, 1]`.
    pub strength: f64,
    /// The diffusion model.
    pub model: String,
    /// What must be seen after the edit.
    pub asked: Claims,
    /// What the instruction was understood to change.
    pub changed: BTreeMap<String, Value>,
    /// What the classifier says; nothing of an edit that failed.
    pub verdict: EditVerdict,
    /// The distance between the heads before and after, if both are known.
    pub whole: Option<Distances>,
    /// The same outside of the region, if there is one.
    pub outside: Option<Distances>,
    /// The sheet of both heads, from the results' folder.
    pub sheet: Option<String>,
    /// Why there is no head after the edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Seconds that making and measuring it took.
    pub seconds: f64,
}

impl EditRecord {
    /// What tells this edit from all others but for its strength.
    #[must_use]
    pub fn key(&self) -> EditKey<'_> {
        EditKey {
            kind: self.kind,
            prompt: &self.prompt,
            instruction: &self.instruction,
            seed: self.seed,
            region: self.region.name(),
            asked: self.asked.keys().map(String::as_str).collect(),
        }
    }
}

/// See [`EditRecord::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EditKey<'a> {
    /// What was edited.
    pub kind: SubjectKind,
    /// The prompt.
    pub prompt: &'a str,
    /// The instruction.
    pub instruction: &'a str,
    /// The seed.
    pub seed: u64,
    /// The region's name.
    pub region: &'static str,
    /// The attributes that were asked for.
    pub asked: Vec<&'a str>,
}
