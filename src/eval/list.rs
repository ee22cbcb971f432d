//! Lists on disk: one JSON object a line.

use crate::head::Look;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What is wrong with a list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It cannot be read.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        what: String,
    },
    /// A line of it is wrong.
    #[error("{path}: line {line}: {what}")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The reason.
        what: String,
    },
    /// There is nothing in it.
    #[error("{path} holds no {what}")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
}

/// Reads a list of `what`; `check` says what is wrong with a line that parses.
///
/// # Errors
/// [`ListError`] naming file and line.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    what: &'static str,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<Vec<T>, ListError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ListError::File { path: path.into(), what: error.to_string() })?;
    let mut list = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fail = |what: String| ListError::Line { path: path.into(), line: i + 1, what };
        let item: T = serde_json::from_str(line).map_err(|error| fail(error.to_string()))?;
        check(&item).map_err(fail)?;
        list.push(item);
    }
    if list.is_empty() { Err(ListError::Empty { path: path.into(), what }) } else { Ok(list) }
}

/// Checks the values that an attribute may have; `key` names them in the sentence.
pub(super) fn check_values(key: &str, attribute: &str, values: &[Value]) -> Result<(), String> {
    if values.is_empty() {
        return Err(format!("`{key}` lists no value"));
    }
    match values.iter().find(|value| Look::default().with_attribute(attribute, value).is_none()) {
        Some(value) => Err(format!("`{key}`: the studio draws no {attribute} {value}")),
        None => Ok(()),
    }
}

/// `count` of a list, evenly over the groups that `group` tells apart and within each, in the
/// order of the list.
pub(super) fn evenly<T: Clone>(list: &[T], count: usize, group: impl Fn(&T) -> &str) -> Vec<T> {
    let mut groups: std::collections::BTreeMap<&str, Vec<usize>> = Default::default();
    for (i, item) in list.iter().enumerate() {
        groups.entry(group(item)).or_default().push(i);
    }
    let mut chosen = Vec::new();
    let mut round = 0;
    while chosen.len() < count.min(list.len()) {
        for members in groups.values().filter(|members| round < members.len()) {
            if chosen.len() < count {
                chosen.push(members[round]);
            }
        }
        round += 1;
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|i| list[i].clone()).collect()
}
