//! Fills in what a prompt leaves open.
//!
//! A small model that is asked for "a smiling man with a red beard" drifts between skin
//! tones and hair from view to view, because the words allow them all. So the person who
//! was chosen for the prompt (see [`super::person`]) is described in full.

use crate::diffusion::{DiffusionError, PromptReader};
use crate::head::Look;
use crate::render::studio::caption::full_caption;
use crate::rng;

/// Wordings of the description that are compared.
const WORDINGS: usize = 12;

/// A description that says everything about a look; a function of the model, the look and
/// the seed. `None` if no wording fits. `fits` says whether the model reads a wording to its
/// end.
///
/// # Errors
/// If the text cannot be encoded.
pub fn describe(
    reader: &PromptReader,
    look: &Look,
    seed: u64,
    fits: impl Fn(&str) -> Result<bool, DiffusionError>,
) -> Result<Option<String>, DiffusionError> {
    let attributes = look.attributes();
    let mut rng = rng::stream(seed, "completion", 0, "wording");
    let mut best: Option<(f32, String)> = None;
    for _ in 0..WORDINGS {
        let text = full_caption(look, &mut rng);
        if !fits(&text)? {
            continue;
        }
        // The wording that the model itself understands best.
        let understood: f32 = reader
            .read(&text)?
            .iter()
            .filter_map(|odds| odds.of(attributes.get(&odds.name)?))
            .map(|p| p.max(1e-6).ln())
            .sum();
        if best.as_ref().is_none_or(|(score, _)| understood > *score) {
            best = Some((understood, text));
        }
    }
    Ok(best.map(|(_, wording)| wording))
}
