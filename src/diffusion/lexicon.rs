//! The words that a checkpoint was taught.

use super::checkpoint::Checkpoint;
use super::config::read_text;
use super::error::CheckpointError;
use super::manifest::Manifest;
use std::collections::BTreeSet;

/// The words of a small model, which a prompt can leave.
#[derive(Debug, Clone)]
pub(super) struct Lexicon(BTreeSet<String>);

impl Lexicon {
    /// Loads the list that a manifest names; `None` if it names none.
    pub(super) fn load(
        checkpoint: &Checkpoint,
        manifest: &Manifest,
    ) -> Result<Option<Self>, CheckpointError> {
        let Some(name) = &manifest.words else { return Ok(None) };
        let text = read_text(&checkpoint.path(name))?;
        Ok(Some(Self(text.lines().map(|line| line.trim().to_lowercase()).collect())))
    }

    /// The words of a text that are not in the list, in their order, each once.
    pub(super) fn ignored(&self, text: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let apostrophes = ['\'', '\u{2019}'];
        let words = text.split(|c: char| !c.is_alphanumeric() && !apostrophes.contains(&c));
        for word in words.map(|word| {
            let stem = apostrophes.iter().find_map(|a| word.strip_suffix(&format!("{a}s")));
            stem.unwrap_or(word).trim_matches(apostrophes)
        }) {
            if word.is_empty() {
                continue;
            }
            let known = self.0.contains(&word.to_lowercase());
            if !known && !found.iter().any(|other| other == word) {
                found.push(word.to_owned());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_the_model_was_not_taught() {
        let words = ["a", "man", "with", "red", "hair"].map(str::to_owned);
        let lexicon = Lexicon(BTreeSet::from(words));
        assert!(lexicon.ignored("A man with red hair, red HAIR!").is_empty());
        assert_eq!(
            lexicon.ignored("a steampunk man with Napoleon's hair and steampunk"),
            ["steampunk", "Napoleon", "and"]
        );
    }
}
