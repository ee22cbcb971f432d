//! Edits in words with what must be seen after them.

use crate::eval::Claims;
use crate::eval::list::{self, ListError};
use crate::pipeline::EditRegion;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// One edit of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalEdit {
    /// The sentence that the head before is made from.
    pub prompt: String,
    /// What that sentence claims; of a line without it, the reader of prompts says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// What is asked of it.
    pub instruction: String,
    /// Where it is kept to; everywhere by default. Only distilled heads are.
    #[serde(default, skip_serializing_if = "EditRegion::is_all")]
    pub region: EditRegion,
    /// The attribute that this is about (see [`crate::head::Look::attributes`]).
    pub attribute: String,
    /// The values that it may have afterwards.
    pub values: Vec<Value>,
}

/// Reads a list: one JSON object a line.
///
/// # Errors
/// [`ListError`] naming file and line.
pub fn read(path: &Path) -> Result<Vec<EvalEdit>, ListError> {
    list::read(path, "edits", |edit: &EvalEdit| {
        for (key, text) in [("prompt", &edit.prompt), ("instruction", &edit.instruction)] {
            if text.trim().is_empty() {
                return Err(format!("`{key}` is empty"));
            }
        }
        for (name, values) in edit.claims.iter().flatten() {
            list::check_values(&format!("claims.{name}"), name, values)?;
        }
        list::check_values("values", &edit.attribute, &edit.values)
    })
}

/// `count` of the edits, evenly over the attributes and within each, in the order of the list.
#[must_use]
pub fn evenly(edits: &[EvalEdit], count: usize) -> Vec<EvalEdit> {
    list::evenly(edits, count, |edit| &edit.attribute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_shipped_edits_name_attributes_that_are_drawn() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/eval/edits.jsonl");
        let edits = read(&path).unwrap();
        assert_eq!(edits.len(), 40);
        assert!(edits.iter().all(|edit| edit.claims.as_ref().is_some_and(|c| c.len() >= 2)));
        let attributes = |of: &[EvalEdit]| -> BTreeSet<String> {
            of.iter().map(|edit| edit.attribute.clone()).collect()
        };
        let few = evenly(&edits, 20);
        assert_eq!(few.len(), 20);
        assert_eq!(attributes(&few), attributes(&edits));
        assert_eq!(evenly(&edits, 100), edits);
    }

    #[test]
    fn wrong_lists_are_named_by_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.jsonl");
        let line = |instruction: &str, attribute: &str, values: &str| {
            format!(
                "{{\"prompt\": \"a man\", \"instruction\": \"{instruction}\", \
                 \"attribute\": \"{attribute}\", \"values\": {values}}}\n"
            )
        };
        let message = |second: &str| {
            let good = line("make him old", "age", "[\"old\"]");
            std::fs::write(&path, good + second).unwrap();
            read(&path).unwrap_err().to_string()
        };
        assert!(
            message(&line(" ", "age", "[\"old\"]")).ends_with("line 2: `instruction` is empty")
        );
        assert!(message(&line("older", "age", "[]")).contains("line 2: `values` lists no value"));
        let teal = message(&line("teal skin", "skin", "[\"teal\"]"));
        assert!(teal.contains("line 2: `values`: the studio draws no skin \"teal\""), "{teal}");
        assert!(message("{\"prompt\": \"a man\"}").contains("line 2: missing field"));
        let claims = line("older", "age", "[\"old\"], \"claims\": {\"skin\": [7]}");
        assert!(message(&claims).contains("line 2: `claims.skin`: the studio draws no skin 7"));
        assert!(message("nonsense").contains("line 2"));
        std::fs::write(&path, "\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("list.jsonl holds no edits"));
        assert!(read(&dir.path().join("none")).is_err());
    }
}
