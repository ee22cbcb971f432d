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
    /// For prompts that come later.
    pub length: PromptLength,
}

/// How much of a sentence a model reads.
#[derive(Clone)]
pub(crate) struct PromptLength(Arc<DiffusionModel>);

impl PromptLength {
    /// Whether the model reads all of a prompt, with the longest name of a side after it.
    pub fn fits(&self, prompt: &str) -> Result<bool, DiffusionError> {
        let longest = DiffusionDenoiser::longest_prompt(&self.0, prompt);
        Ok(self.0.tokenize_report(&longest)?.cut.is_none())
    }

    /// Tells what the model does not read of a prompt, with the longest name of a side after it.
    pub fn prompt(&self, prompt: &str) -> Result<Option<String>, DiffusionError> {
        self.of("prompt", &DiffusionDenoiser::longest_prompt(&self.0, prompt))
    }

    /// Tells what the model does not read of a text; `what` names it.
    pub fn of(&self, what: &str, text: &str) -> Result<Option<String>, DiffusionError> {
        let report = self.0.tokenize_report(text)?;
        Ok(report.cut.map(|cut| {
            format!(
                "the {what} is longer than the {} tokens that the model reads; it does not see: {cut}",
                report.limit
            )
        }))
    }
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
        let length = PromptLength(Arc::clone(&model));
        let completed = match person {
            Some(person) if config.complete_prompt => {
                let look = &person.sample.look;
                completion::describe(&person.reader, look, config.seed, |text| length.fits(text))?
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
        warnings.extend(match &completed {
            Some(_) => length.of("prompt", &config.prompt)?,
            None => length.prompt(guiding)?,
        });
        warnings.extend(length.of("negative prompt", &config.negative)?);
        let denoiser = DiffusionDenoiser::new(
            Arc::clone(&model),
            guiding,
            &config.negative,
            config.coarse.control_scale,
        )?;
        let controls = denoiser.controls();
        let guidance = ScoreDistillation::new(denoiser, config.guidance.clone(), config.seed);
        Ok(Self { guidance, controls, completed, identity, warnings, length })
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
