//! The reader of instructions: what an edit in words changes about a look.
//!
//! The pooled text of the instruction and one learned vector for each value of the look before
//! go through two small layers. For each attribute they say how likely it is to change, and
//! how likely each value is if it does. Words that the reader was not taught are all the same
//! to it, and it was taught that they change nothing.

use super::Result;
use super::attributes::{Attribute, AttributeOdds, softmax};
use super::checkpoint::{Checkpoint, Part};
use super::clip::ClipText;
use super::error::CheckpointError;
use super::layers::Linear;
use super::lexicon::Lexicon;
use super::manifest::Manifest;
use super::ops::{self, Activation};
use super::prompt_reader::{load_text, note_unused};
use super::tokenizer::PromptTokenizer;
use super::weights::Weights;
use candle_core::{Device, Tensor};
use serde_json::{Map, Value};
use std::path::Path;

/// What an instruction does to one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeChange {
    /// The probability that the attribute changes.
    pub probability: f32,
    /// Its new value, if it changes.
    pub odds: AttributeOdds,
}

impl AttributeChange {
    /// The new value, if a change is likelier than none.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        (self.probability > 0.5).then(|| self.odds.likeliest()).flatten().map(|(value, _)| value)
    }
}

/// The layers behind the text.
#[derive(Debug, Clone)]
struct InstructionReaders {
    attributes: Vec<Attribute>,
    /// One vector a value of each attribute, `(values, hidden)`.
    look: Tensor,
    text: Linear,
    mix: Linear,
    changes: Linear,
    values: Linear,
    width: usize,
    unknown: String,
}

impl InstructionReaders {
    fn load(part: &Part, device: &Device) -> Result<(Self, Vec<String>)> {
        let c = &part.config;
        c.class_is("InstructionReaders")?;
        let attributes = Attribute::list(c)?;
        let (width, hidden) = (c.size_required("width")?, c.size_required("hidden")?);
        let unknown = c.text_or("unknown", "something")?.to_owned();
        let outputs = attributes.iter().map(|a| a.values.len()).sum();
        let file = part.weights()?;
        let w = Weights::root(&file, device);
        let readers = Self {
            look: w.get("look.weight", &[outputs, hidden])?,
            text: Linear::load(&w.at("text"), width, hidden, true)?,
            mix: Linear::load(&w.at("mix"), hidden, hidden, true)?,
            changes: Linear::load(&w.at("changes"), hidden, attributes.len(), true)?,
            values: Linear::load(&w.at("values"), hidden, outputs, true)?,
            attributes,
            width,
            unknown,
        };
        Ok((readers, file.unused()))
    }

    /// The rows of `look` for the values that are known here.
    fn rows(&self, before: &Map<String, Value>) -> Vec<u32> {
        let mut start = 0;
        let mut rows = Vec::with_capacity(self.attributes.len());
        for attribute in &self.attributes {
            let value = before.get(&attribute.name);
            let at = attribute.values.iter().position(|known| Some(known) == value);
            rows.extend(at.map(|at| (start + at) as u32));
            start += attribute.values.len();
        }
        rows
    }

    fn read(&self, pooled: &Tensor, before: &Map<String, Value>) -> Result<Vec<AttributeChange>> {
        let mut state = self.text.forward(pooled)?;
        let rows = self.rows(before);
        if !rows.is_empty() {
            let rows = Tensor::new(rows, pooled.device())?;
            let seen = self.look.index_select(&rows, 0)?.sum_keepdim(0)?;
            state = (state + seen)?;
        }
        let state = ops::activate(&state, Activation::Silu)?;
        let mixed = ops::activate(&self.mix.forward(&state)?, Activation::Silu)?;
        let state = (state + mixed)?;
        let changes: Vec<f32> = self.changes.forward(&state)?.flatten_all()?.to_vec1()?;
        let values: Vec<f32> = self.values.forward(&state)?.flatten_all()?.to_vec1()?;
        let odds = softmax(&self.attributes, &values);
        let change = |(logit, odds): (f32, AttributeOdds)| AttributeChange {
            probability: 1.0 / (1.0 + (-logit).exp()),
            odds,
        };
        Ok(changes.into_iter().zip(odds).map(change).collect())
    }
}

/// A reader of instructions: tokenizer, text encoder and the layers behind them. Its folder has
/// `tokenizer`, `text_encoder` and, named by its manifest, the layers and the list of words.
pub struct InstructionReader {
    tokenizer: PromptTokenizer,
    text: ClipText,
    readers: InstructionReaders,
    lexicon: Lexicon,
}

impl InstructionReader {
    /// Loads the reader of a folder.
    ///
    /// # Errors
    /// If a file is missing or broken, the folder holds no reader of instructions, or the parts
    /// do not fit each other.
    pub fn load(folder: &Path, device: &Device) -> Result<Self> {
        let checkpoint = Checkpoint::open(folder)?;
        let manifest = Manifest::load(&checkpoint)?;
        let missing = |field: &str| CheckpointError::Field {
            path: checkpoint.path("headsculpt.json"),
            field: field.to_owned(),
            problem: "is missing, so the folder holds no reader of instructions".to_owned(),
        };
        let name = manifest.instructions.as_ref().ok_or_else(|| missing("instructions"))?;
        let lexicon = Lexicon::load(&checkpoint, &manifest)?.ok_or_else(|| missing("words"))?;
        let (readers, unused) = InstructionReaders::load(&checkpoint.part(name)?, device)?;
        note_unused(name, &unused);
        let (tokenizer, text) = load_text(&checkpoint, name, readers.width, device)?;
        Ok(Self { tokenizer, text, readers, lexicon })
    }

    /// What an instruction changes about somebody with these attributes (see
    /// [`crate::head::Look::attributes`]); of those that are missing or unknown here, it
    /// assumes nothing.
    ///
    /// # Errors
    /// If the tokenizer library refuses the text.
    pub fn read(
        &self,
        instruction: &str,
        before: &Map<String, Value>,
    ) -> Result<Vec<AttributeChange>> {
        let words = self.lexicon.known_words(instruction, &self.readers.unknown);
        let ids = self.tokenizer.report(&words)?.ids;
        self.readers.read(&self.text.forward(&[ids])?.pooled, before)
    }

    /// The words of an instruction that mean nothing here.
    #[must_use]
    pub fn ignored_words(&self, instruction: &str) -> Vec<String> {
        self.lexicon.ignored(instruction)
    }
}
