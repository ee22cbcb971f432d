//! What a prompt says about a head: tokenizer, text tower and attribute readers in one.

use super::Result;
use super::attributes::{AttributeOdds, AttributeReaders};
use super::checkpoint::Checkpoint;
use super::clip::ClipText;
use super::error::CheckpointError;
use super::lexicon::Lexicon;
use super::manifest::Manifest;
use super::tokenizer::{PromptTokenizer, TokenizeReport};
use candle_core::Device;
use std::path::Path;

/// The readers of a checkpoint folder, ready to read prompts.
pub struct PromptReader {
    tokenizer: PromptTokenizer,
    text: ClipText,
    readers: AttributeReaders,
    lexicon: Option<Lexicon>,
}

impl PromptReader {
    /// Loads the readers of a folder alone; `None` if it has none.
    ///
    /// # Errors
    /// If a file is missing or broken, or the parts do not fit each other.
    pub fn load(folder: &Path, device: &Device) -> Result<Option<Self>> {
        let checkpoint = Checkpoint::open(folder)?;
        let manifest = Manifest::load(&checkpoint)?;
        Self::of(&checkpoint, &manifest, device, &mut |part, unused| {
            tracing::debug!("{} tensors of `{part}` are unused", unused.len());
        })
    }

    /// Loads the readers that a manifest names; `note` hears of unused tensors.
    pub(super) fn of(
        checkpoint: &Checkpoint,
        manifest: &Manifest,
        device: &Device,
        note: &mut impl FnMut(&str, Vec<String>),
    ) -> Result<Option<Self>> {
        let Some(name) = &manifest.attributes else { return Ok(None) };
        let (readers, unused) = AttributeReaders::load(&checkpoint.part(name)?, device)?;
        note(name, unused);
        // Readers without a tower of their own read the pooled state of the model's.
        let tower = manifest.attribute_text.as_deref().unwrap_or("text_encoder");
        let (text, unused) = ClipText::load(&checkpoint.part(tower)?, device)?;
        note(tower, unused);
        if readers.text_width() != text.width() {
            let problem = format!(
                "reads text of width {}, not {} as `{tower}` has",
                readers.text_width(),
                text.width()
            );
            return Err(CheckpointError::Mismatch { path: checkpoint.path(name), problem }.into());
        }
        let tokenizer = PromptTokenizer::load(checkpoint, text.longest(), text.vocabulary())?;
        let lexicon = Lexicon::load(checkpoint, manifest)?;
        Ok(Some(Self { tokenizer, text, readers, lexicon }))
    }

    /// The probabilities of all attributes' values, given the prompt.
    ///
    /// # Errors
    /// If the tokenizer library refuses the text.
    pub fn read(&self, prompt: &str) -> Result<Vec<AttributeOdds>> {
        let ids = self.tokenizer.report(prompt)?.ids;
        self.readers.read(&self.text.forward(&[ids])?)
    }

    /// How a prompt is tokenized: what is cut, what is unknown.
    ///
    /// # Errors
    /// If the tokenizer library refuses the text.
    pub fn report(&self, prompt: &str) -> Result<TokenizeReport> {
        self.tokenizer.report(prompt)
    }

    /// The words of a prompt that mean nothing here.
    ///
    /// # Errors
    /// If the tokenizer library refuses the text.
    pub fn ignored_words(&self, prompt: &str) -> Result<Vec<String>> {
        match &self.lexicon {
            Some(lexicon) => Ok(lexicon.ignored(prompt)),
            None => Ok(self.tokenizer.report(prompt)?.unknown),
        }
    }
}
