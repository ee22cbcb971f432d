//! The diffusion model made ready to guide one prompt.

use super::{SessionError, completion};
use crate::config::GenerationConfig;
use crate::diffusion::{DiffusionError, DiffusionModel, embedded};
use crate::guidance::{ControlRequest, DiffusionDenoiser, ScoreDistillation};
use std::sync::Arc;

/// The loaded diffusion model, conditioned on the prompt.
pub(super) struct Guide {
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
    pub(super) fn load(config: &GenerationConfig) -> Result<Self, SessionError> {
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
        let completed = if config.complete_prompt {
            completion::complete(&model, &config.prompt, config.seed, |wording| {
                Ok(model.tokenize_report(&longest(wording))?.cut.is_none())
            })?
        } else {
            None
        };
        if config.complete_prompt && completed.is_none() {
            warnings.push(
                "what the prompt leaves open is not filled in: the checkpoint has no attribute \
                 readers, or no full description fits its tokenizer"
                    .into(),
            );
        }
        let unknown = model.tokenize_report(&config.prompt)?.unknown;
        if !unknown.is_empty() {
            warnings.push(format!("the model does not know: {}", unknown.join(", ")));
        }
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
