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
        for word in words(text) {
            if !self.has(word) && !found.iter().any(|other| other == word) {
                found.push(word.to_owned());
            }
        }
        found
    }

    /// The words of a text in lower case, with `unknown` for each that is not in the list.
    pub(super) fn known_words(&self, text: &str, unknown: &str) -> String {
        let plain = |word: &str| {
            if self.has(word) {
                word.to_lowercase().replace(APOSTROPHES[1], "'")
            } else {
                unknown.to_owned()
            }
        };
        words(text).map(plain).collect::<Vec<_>>().join(" ")
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(&word.to_lowercase().replace(APOSTROPHES[1], "'"))
    }
}

const APOSTROPHES: [char; 2] = ['\'', '\u{2019}'];

/// The words of a text, without the `'s` of owners.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !APOSTROPHES.contains(&c))
        .map(|word| {
            let stem = APOSTROPHES.iter().find_map(|a| word.strip_suffix(&format!("{a}s")));
            stem.unwrap_or(word).trim_matches(APOSTROPHES)
        })
        .filter(|word| !word.is_empty())
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

    #[test]
    fn strange_words_are_all_the_same() {
        let words = ["make", "her", "hair", "o'clock"].map(str::to_owned);
        let lexicon = Lexicon(BTreeSet::from(words));
        let text =
            lexicon.known_words("Make Anna\u{2019}s hair, O\u{2019}CLOCK cat-like!", "thing");
        assert_eq!(text, "make thing hair o'clock thing thing");
        assert_eq!(lexicon.known_words(" ... ", "thing"), "");
    }
}
