//! The diffusion model made ready to guide one prompt.

use super::person::Person;
use super::{SessionError, completion};
use crate::config::GenerationConfig;
use crate::diffusion::{DiffusionError, DiffusionModel, embedded};
use crate::guidance::{ControlRequest, DiffusionDenoiser, ScoreDistillation};
use std::sync::Arc;

/// The loaded diffusion model, conditioned on the prompt.
pub(crate) struct Guide {
    pub guidance: ScoreDistillation<DiffusionDenoiser>,
    pub controls: ControlRequest,
    /// The sentence that guides in the prompt's place.
    pub completed: Option<String>,
    /// Tells one model from another that has the same name in the settings.
    pub identity: String,
    /// What the user should know before the first step.
    pub warnings: Vec<String>,
}

impl Guide {
    /// `person`: whom the prompt is about, for settings that need to know.
    pub(crate) fn load(
        config: &GenerationConfig,
        person: Option<&Person>,
    ) -> Result<Self, SessionError> {
        let folder = embedded::resolve(&config.model).map_err(DiffusionError::from)?;
        let identity = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let model = Arc::new(DiffusionModel::load(&folder, &candle_core::Device::Cpu)?);
        let mut warnings = model.warnings().to_vec();
        for (name, _) in model.controls().filter(|(_, kind)| kind.is_none()) {
            warnings.push(format!(
                "the ControlNet `{name}` takes no part: headsculpt.json does not say what it reads"
            ));
        }
        let longest = |text: &str| DiffusionDenoiser::longest_prompt(&model, text);
        let completed = match person {
            Some(person) if config.complete_prompt => {
                completion::describe(&person.reader, &person.sample.look, config.seed, |text| {
                    Ok(model.tokenize_report(&longest(text))?.cut.is_none())
                })?
            }
            _ => None,
        };
        if config.complete_prompt && completed.is_none() {
            warnings.push(
                "what the prompt leaves open is not filled in: no full description fits the \
                 checkpoint's tokenizer"
                    .into(),
            );
        }
        let unknown = match person {
            // What the studio's words leave out, the embedded model never saw.
            Some(person) if config.model == embedded::NAME => {
                person.reader.ignored_words(&config.prompt)?
            }
            _ => model.tokenize_report(&config.prompt)?.unknown,
        };
        warnings.extend(ignored(&unknown, &config.model));
        let guiding = completed.as_ref().unwrap_or(&config.prompt);
        // A completion says what the readers read of the prompt, and fits by itself.
        let read = if completed.is_some() { config.prompt.clone() } else { longest(guiding) };
        for (what, text) in [("prompt", &read), ("negative prompt", &config.negative)] {
            let report = model.tokenize_report(text)?;
            if let Some(cut) = report.cut {
                warnings.push(format!(
                    "the {what} is longer than the {} tokens that the model reads; it does not see: {cut}",
                    report.limit
                ));
            }
        }
        let denoiser = DiffusionDenoiser::new(
            Arc::clone(&model),
            guiding,
            &config.negative,
            config.coarse.control_scale,
        )?;
        let controls = denoiser.controls();
        let guidance = ScoreDistillation::new(denoiser, config.guidance.clone(), config.seed);
        Ok(Self { guidance, controls, completed, identity, warnings })
    }
}

/// Tells which words of the prompt a model ignores, and what would know them.
pub(super) fn ignored(words: &[String], model: &str) -> Option<String> {
    if words.is_empty() {
        return None;
    }
    let list = words.join(", ");
    Some(if model == embedded::NAME {
        format!(
            "the embedded model ignores: {list}; a Stable Diffusion 1.5 or 2.1 checkpoint in \
             diffusers layout would know them (--model FOLDER)"
        )
    } else {
        format!("the model does not know: {list}")
    })
}
