//! The encoded texts of one run: which words a view is judged by.

use super::{Condition, GuidanceError, prompt};
use crate::batch::ViewRegion;
use crate::diffusion::{DiffusionModel, LatentSpace, TextEmbedding};

/// Encoded prompts: with view words for each region, and without.
#[derive(Debug)]
pub(super) struct Texts {
    front: TextEmbedding,
    side: TextEmbedding,
    back: TextEmbedding,
    plain: TextEmbedding,
    empty: TextEmbedding,
    negative: Option<TextEmbedding>,
    /// What an edit should do.
    instruction: Option<TextEmbedding>,
}

impl Texts {
    /// Encodes the texts. An empty `negative` means none; edits have an `instruction`.
    pub(super) fn encode(
        model: &DiffusionModel,
        text: &str,
        negative: &str,
        instruction: Option<&str>,
    ) -> Result<Self, GuidanceError> {
        let encode = |text: &str| model.encode_text(&[text.to_owned()]);
        let view = |region| encode(&prompt::with_view(text, region, describes_back(model)));
        Ok(Self {
            front: view(ViewRegion::Front)?,
            side: view(ViewRegion::Left)?,
            back: view(ViewRegion::Back)?,
            plain: encode(text)?,
            empty: encode("")?,
            negative: if negative.is_empty() { None } else { Some(encode(negative)?) },
            instruction: instruction.map(encode).transpose()?,
        })
    }

    /// Whether these are the texts of an edit.
    pub(super) fn of_edit(&self) -> bool {
        self.instruction.is_some()
    }

    /// The text that a view of `region` is judged by.
    pub(super) fn get(
        &self,
        condition: Condition,
        region: ViewRegion,
    ) -> Result<&TextEmbedding, GuidanceError> {
        Ok(match (condition, region) {
            (Condition::Prompt, ViewRegion::Front) => &self.front,
            (Condition::Prompt, ViewRegion::Left | ViewRegion::Right) => &self.side,
            (Condition::Prompt, ViewRegion::Back) => &self.back,
            (Condition::PromptWithoutView, _) => &self.plain,
            (Condition::Instruction, _) => {
                self.instruction.as_ref().ok_or(GuidanceError::NoInstruction)?
            }
            (Condition::Unconditional | Condition::Negative, _) => {
                self.negative.as_ref().unwrap_or(&self.empty)
            }
            (Condition::Empty, _) => &self.empty,
        })
    }
}

/// Whether back views say what is absent from them: a pixel-space model learnt the short
/// captions of the studio, which never do.
pub(super) fn describes_back(model: &DiffusionModel) -> bool {
    matches!(model.latents(), LatentSpace::Autoencoder(_))
}
