//! The operation log: what was done to the avatar, in order.
//!
//! Schema 2 has a tree of versions ([`super::History`]): [`Operation::Select`] moves in it, and
//! each entry says which version it builds on. Logs of schema 1 know no moves; their lines are
//! read as they are, and new ones appended behind them.

use crate::config::GenerationConfig;
use crate::guidance::Steering;
use crate::pipeline::EditRegion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of a log line; newer ones are refused.
pub const SCHEMA: u32 = 2;

/// Something that was done to the avatar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Operation {
    /// A head is made from a sentence; the settings are complete, so that the same
    /// program can repeat it.
    Generate {
        /// Everything that decides the result.
        config: Box<GenerationConfig>,
        /// Version of the program.
        version: String,
        /// Adapter and driver that the optimisation ran on.
        device: String,
    },
    /// A run was continued from a checkpoint.
    Resume {
        /// Stage of the checkpoint.
        stage: String,
        /// Steps done at the checkpoint.
        step: u64,
    },
    /// A running generation was changed. A run that goes on from an earlier step takes the
    /// change again at this one.
    Steer {
        /// The stage that was running.
        stage: String,
        /// Steps of it that were done.
        step: u64,
        /// What changed.
        change: Steering,
    },
    /// The avatar was changed by a sentence.
    Edit {
        /// The sentence.
        instruction: String,
        /// Where it was kept to.
        #[serde(default, skip_serializing_if = "EditRegion::is_all")]
        region: EditRegion,
        /// How far it was followed, `(0, 1]`.
        strength: f64,
        /// Steps of the optimisation.
        steps: u64,
        /// Decides its random numbers.
        seed: u64,
        /// What the sentence was understood to change, by attribute.
        changed: BTreeMap<String, serde_json::Value>,
    },
    /// The avatar's mesh and texture were written.
    Finish {
        /// Vertices of the mesh.
        vertices: u64,
        /// Triangles of the mesh.
        triangles: u64,
    },
    /// Another version became the current one: undo, redo, or a jump.
    Select {
        /// Id of the operation that made it.
        version: u64,
    },
    /// A version got a name.
    Name {
        /// Id of the operation that made it.
        version: u64,
        /// What it is called; empty takes the name away.
        name: String,
    },
    /// What some versions need to be shown or edited again was removed to save space.
    Prune {
        /// Ids of the operations that made them.
        versions: Vec<u64>,
    },
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`SCHEMA`] of the line.
    pub schema: u32,
    /// Counts from 1.
    pub id: u64,
    /// The version that was current (in schema 1: the entry before); `None` for the first.
    pub parent: Option<u64>,
    /// When, in seconds since 1970; unknown in schema 1. Nothing is computed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// What was done.
    pub operation: Operation,
}
