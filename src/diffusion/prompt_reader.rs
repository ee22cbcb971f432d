//! What a prompt says about a head: tokenizer, text encoder and attribute readers in one.

use super::Result;
use super::attributes::{AttributeOdds, AttributeReaders};
use super::checkpoint::Checkpoint;
use super::clip::ClipText;
use super::error::CheckpointError;
use super::lexicon::Lexicon;
use super::manifest::Manifest;
use super::tokenizer::PromptTokenizer;
use candle_core::Device;
use std::path::Path;

/// Warns of tensors that a part has too many.
pub(super) fn note_unused(part: &str, unused: &[String]) {
    if let Some(first) = unused.first() {
        tracing::warn!("tensors of `{part}` are unused, `{first}` for example");
    }
}

/// Loads what brings text to the readers called `name`, which take states of that width.
pub(super) fn load_text(
    checkpoint: &Checkpoint,
    name: &str,
    width: usize,
    device: &Device,
) -> Result<(PromptTokenizer, ClipText)> {
    let (text, unused) = ClipText::load(&checkpoint.part("text_encoder")?, device)?;
    note_unused("text_encoder", &unused);
    if width != text.width() {
        let problem = format!("reads text of width {width}, not {}", text.width());
        return Err(CheckpointError::Mismatch { path: checkpoint.path(name), problem }.into());
    }
    Ok((PromptTokenizer::load(checkpoint, text.longest(), text.vocabulary())?, text))
}

/// The readers of a folder, ready to read prompts. The folder has `tokenizer`,
/// `text_encoder` and, named by its manifest, the readers; it may be a whole checkpoint.
pub struct PromptReader {
    tokenizer: PromptTokenizer,
    text: ClipText,
    readers: AttributeReaders,
    lexicon: Option<Lexicon>,
}

impl PromptReader {
    /// Loads the readers of a folder; `None` if it has none.
    ///
    /// # Errors
    /// If a file is missing or broken, or the parts do not fit each other.
    pub fn load(folder: &Path, device: &Device) -> Result<Option<Self>> {
        let checkpoint = Checkpoint::open(folder)?;
        let manifest = Manifest::load(&checkpoint)?;
        let Some(name) = &manifest.attributes else { return Ok(None) };
        let (readers, unused) = AttributeReaders::load(&checkpoint.part(name)?, device)?;
        note_unused(name, &unused);
        let (tokenizer, text) = load_text(&checkpoint, name, readers.text_width(), device)?;
        let lexicon = Lexicon::load(&checkpoint, &manifest)?;
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
