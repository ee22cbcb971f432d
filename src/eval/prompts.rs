//! Prompts with what their heads must show.

use super::list::{self, ListError};
use crate::diffusion::PromptReader;
use crate::session::{SessionError, person};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// By attribute (see [`crate::head::Look::attributes`]) the values that fulfil the prompt.
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

/// Reads a list: one JSON object a line.
///
/// # Errors
/// [`ListError`] naming file and line.
pub fn read(path: &Path) -> Result<Vec<EvalPrompt>, ListError> {
    list::read(path, "prompts", check)
}

fn check(prompt: &EvalPrompt) -> Result<(), String> {
    if prompt.prompt.trim().is_empty() {
        return Err("`prompt` is empty".into());
    }
    let mut claims = prompt.claims.iter();
    claims
        .try_for_each(|(name, values)| list::check_values(&format!("claims.{name}"), name, values))
}

/// What a prompt says for sure, as claims.
///
/// # Errors
/// If it cannot be read.
pub(super) fn said(reader: &PromptReader, prompt: &str) -> Result<Claims, SessionError> {
    let said = person::said(reader, prompt)?;
    Ok(said.into_iter().map(|(name, value)| (name, vec![value])).collect())
}

/// `count` of the prompts, evenly over the strata and within each, in the order of the list.
#[must_use]
pub fn stratified(prompts: &[EvalPrompt], count: usize) -> Vec<EvalPrompt> {
    list::evenly(prompts, count, |prompt| &prompt.stratum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

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
