//! Prompts with what their heads must show.

use crate::head::Look;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// By attribute (see [`Look::attributes`]) the values that fulfil the prompt.
pub type Claims = BTreeMap<String, Vec<Value>>;

/// One prompt of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalPrompt {
    /// What the prompt is about: a short list takes some of each stratum.
    pub stratum: String,
    /// The sentence.
    pub prompt: String,
    /// What its head must show.
    pub claims: Claims,
}

/// What is wrong with a list of prompts.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
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
    #[error("{0} holds no prompts")]
    Empty(PathBuf),
}

/// Reads a list: one JSON object a line.
///
/// # Errors
/// [`PromptError`] naming file and line.
pub fn read(path: &Path) -> Result<Vec<EvalPrompt>, PromptError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| PromptError::File { path: path.into(), what: error.to_string() })?;
    let mut list = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fail = |what: String| PromptError::Line { path: path.into(), line: i + 1, what };
        let prompt: EvalPrompt =
            serde_json::from_str(line).map_err(|error| fail(error.to_string()))?;
        check(&prompt).map_err(fail)?;
        list.push(prompt);
    }
    if list.is_empty() { Err(PromptError::Empty(path.into())) } else { Ok(list) }
}

fn check(prompt: &EvalPrompt) -> Result<(), String> {
    if prompt.prompt.trim().is_empty() {
        return Err("`prompt` is empty".into());
    }
    for (name, values) in &prompt.claims {
        if values.is_empty() {
            return Err(format!("`claims.{name}` lists no value"));
        }
        for value in values {
            if Look::default().with_attribute(name, value).is_none() {
                return Err(format!("`claims.{name}`: the studio draws no {value}"));
            }
        }
    }
    Ok(())
}

/// `count` of the prompts, evenly over the strata and within each, in the order of the list.
#[must_use]
pub fn stratified(prompts: &[EvalPrompt], count: usize) -> Vec<EvalPrompt> {
    let mut strata: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, prompt) in prompts.iter().enumerate() {
        strata.entry(&prompt.stratum).or_default().push(i);
    }
    let mut chosen = Vec::new();
    let mut round = 0;
    while chosen.len() < count.min(prompts.len()) {
        for members in strata.values().filter(|members| round < members.len()) {
            if chosen.len() < count {
                chosen.push(members[round]);
            }
        }
        round += 1;
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|i| prompts[i].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/eval").join(name)
    }

    #[test]
    fn the_shipped_list_is_a_hundred_prompts_of_all_kinds() {
        let list = read(&shipped("prompts.jsonl")).unwrap();
        assert_eq!(list.len(), 100);
        let some = stratified(&list, 20);
        assert_eq!(some.len(), 20);
        for prompt in &list {
            let own = some.iter().filter(|p| p.stratum == prompt.stratum).count();
            assert!((2..=3).contains(&own), "{}", prompt.stratum);
            assert_eq!(list.iter().filter(|p| p.prompt == prompt.prompt).count(), 1);
        }
        assert_eq!(stratified(&list, 1000), list);
    }

    #[test]
    fn the_shipped_edits_name_attributes_that_are_drawn() {
        let text = std::fs::read_to_string(shipped("edits.jsonl")).unwrap();
        let edits: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(edits.len(), 40);
        for edit in &edits {
            let name = edit["attribute"].as_str().unwrap();
            for value in edit["values"].as_array().unwrap() {
                assert!(Look::default().with_attribute(name, value).is_some(), "{edit}");
            }
            assert!(!edit["instruction"].as_str().unwrap().is_empty());
        }
    }

    #[test]
    fn wrong_lists_are_named_by_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.jsonl");
        let message = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).unwrap_err().to_string()
        };
        let good = r#"{"stratum": "a", "prompt": "a man", "claims": {"male": [true]}}"#;
        let teal = r#"{"stratum": "a", "prompt": "b", "claims": {"skin": ["teal"]}}"#;
        assert!(message(&format!("{good}\n{teal}")).contains("line 2: `claims.skin`"));
        assert!(message("nonsense").contains("line 1"));
        assert!(message("\n").contains("holds no prompts"));
        assert!(read(&dir.path().join("none")).is_err());
    }
}
