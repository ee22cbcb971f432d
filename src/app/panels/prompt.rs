//! Making a new head: the sentence and its settings.

use super::{Context, heading, main_button};
use crate::app::{Action, theme};
use crate::config::{BUILT_IN, GenerationConfig, Overrides};
use crate::guidance::Rule;
use eframe::egui;
use egui::{ComboBox, DragValue, TextEdit, Ui};

/// The most heads that are made of one sentence at once.
const MOST_SEEDS: u32 = 16;

/// The prompt panel.
#[derive(Debug)]
pub struct PromptPanel {
    /// The sentence.
    pub prompt: String,
    /// What the head should not look like.
    pub negative: String,
    /// Decides the random numbers.
    pub seed: u64,
    /// Whether the seed stays when a head is made.
    pub is_seed_locked: bool,
    seeds: u32,
    advanced: Overrides,
    error: Option<String>,
}

impl Default for PromptPanel {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            negative: String::new(),
            seed: 0,
            is_seed_locked: true,
            seeds: 1,
            advanced: Overrides::default(),
            error: None,
        }
    }
}

/// What a preset is for, for its menu.
fn purpose(preset: &str) -> &'static str {
    match preset {
        "instant" => "a first head in seconds, without optimisation",
        "quick" => "the embedded model, about a minute on a CPU",
        "standard" => "a Stable Diffusion checkpoint",
        "headsculpt" => "the paper's settings, hours without a GPU",
        _ => "your own settings",
    }
}

impl PromptPanel {
    /// The settings as they are chosen.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn config(&self, preset: &str, model: &str) -> Result<GenerationConfig, String> {
        let mut config = GenerationConfig::preset(preset).map_err(|error| error.to_string())?;
        self.prompt.trim().clone_into(&mut config.prompt);
        let mut overrides = self.advanced.clone();
        overrides.seed = Some(self.seed);
        overrides.negative = Some(self.negative.trim().to_owned());
        overrides.model = Some(model.to_owned()).filter(|model| !model.is_empty());
        overrides.apply(&mut config);
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    /// Asks for a head with the settings as they are, if they make sense.
    pub fn generate(&mut self, cx: &mut Context<'_>) {
        match self.config(&cx.preferences.preset, &cx.preferences.model) {
            Ok(config) if self.seeds > 1 => {
                cx.actions.push(Action::Seeds(Box::new(config), self.seeds));
                self.error = None;
            }
            Ok(config) => {
                cx.actions.push(Action::Generate(Box::new(config)));
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
        if !self.is_seed_locked {
            self.seed = rand::random_range(0..1_000_000);
        }
    }

    /// The panel.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        heading(ui, "Describe a head");
        let label = ui.label("Prompt");
        let edit = TextEdit::multiline(&mut self.prompt)
            .hint_text("a smiling man with a red beard")
            .desired_rows(3)
            .desired_width(f32::INFINITY);
        ui.add(edit).labelled_by(label.id).on_hover_text(
            "Age, skin, hair, beard, glasses, hat, expression, material … (Ctrl+Enter makes it)",
        );
        let label = ui.label("Not like this");
        let edit = TextEdit::singleline(&mut self.negative)
            .hint_text("what the head should not look like")
            .desired_width(f32::INFINITY);
        ui.add(edit).labelled_by(label.id);
        self.choices(ui, cx);
        egui::CollapsingHeader::new("Advanced").show(ui, |ui| self.advanced(ui));
        let useless = cx.busy();
        let text = if self.seeds > 1 {
            format!("Generate {} heads", self.seeds)
        } else {
            "Generate".into()
        };
        if main_button(ui, &text, "Make this head (Ctrl+Enter)", useless) {
            self.generate(cx);
        }
        if let Some(error) = &self.error {
            ui.colored_label(theme::ERROR, error);
        }
    }

    fn choices(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        let preferences = &mut *cx.preferences;
        egui::Grid::new("choices").num_columns(2).show(ui, |ui| {
            let label = ui.label("Preset");
            let shown = preferences.preset.clone();
            let combo = ComboBox::from_id_salt("preset").selected_text(shown).show_ui(ui, |ui| {
                for name in BUILT_IN {
                    let text = format!("{name}: {}", purpose(name));
                    ui.selectable_value(&mut preferences.preset, name.to_owned(), text);
                }
            });
            combo.response.labelled_by(label.id).on_hover_text(purpose(&preferences.preset));
            ui.end_row();
            let label = ui.label("Model");
            let usual = "the preset's";
            let shown = if preferences.model.is_empty() { usual } else { &preferences.model };
            let shown = shown.to_owned();
            let combo = ComboBox::from_id_salt("model").selected_text(shown).show_ui(ui, |ui| {
                let mut choice = |ui: &mut Ui, name: &str, text: &str| {
                    ui.selectable_value(&mut preferences.model, name.to_owned(), text);
                };
                choice(ui, "", usual);
                choice(ui, "embedded", "embedded");
                for added in cx.models.iter().flat_map(|models| &models.added) {
                    choice(ui, &added.model.name, &added.model.name);
                }
            });
            combo.response.labelled_by(label.id).on_hover_text("Add checkpoints under Models");
            ui.end_row();
            let label = ui.label("Seed");
            ui.horizontal(|ui| {
                ui.add(DragValue::new(&mut self.seed)).labelled_by(label.id).on_hover_text(
                    "Decides every random number: the same seed gives the same head",
                );
                if ui.button("Roll").on_hover_text("Another seed").clicked() {
                    self.seed = rand::random_range(0..1_000_000);
                }
                ui.checkbox(&mut self.is_seed_locked, "keep")
                    .on_hover_text("Otherwise each new head gets another seed");
            });
            ui.end_row();
            let label = ui.label("Heads");
            ui.add(DragValue::new(&mut self.seeds).range(1..=MOST_SEEDS))
                .labelled_by(label.id)
                .on_hover_text("How many seeds are tried, one after the other, to pick from");
            ui.end_row();
        });
    }

    fn advanced(&mut self, ui: &mut Ui) {
        egui::Grid::new("advanced").num_columns(2).show(ui, |ui| {
            let overrides = &mut self.advanced;
            optional(
                ui,
                "Guidance scale",
                "How strongly the prompt pulls",
                &mut overrides.guidance_scale,
                7.5,
                0.0..=200.0,
            );
            optional(
                ui,
                "Coarse steps",
                "Steps on the field of density and colour",
                &mut overrides.coarse_steps,
                24,
                0..=100_000,
            );
            optional(
                ui,
                "Fine steps",
                "Steps on the mesh",
                &mut overrides.fine_steps,
                16,
                0..=100_000,
            );
            optional(
                ui,
                "Picture size",
                "Pixels of the training views",
                &mut overrides.size,
                64,
                16..=1024,
            );
            let label = ui.label("Rule");
            let shown = overrides.guidance.map_or("the preset's".to_owned(), rule_name);
            let combo = ComboBox::from_id_salt("rule").selected_text(shown).show_ui(ui, |ui| {
                ui.selectable_value(&mut overrides.guidance, None, "the preset's");
                for rule in [Rule::X0, Rule::Sds, Rule::Ssd, Rule::Csd, Rule::Nfsd, Rule::Sdi] {
                    ui.selectable_value(&mut overrides.guidance, Some(rule), rule_name(rule));
                }
            });
            combo.response.labelled_by(label.id).on_hover_text("Rule of score distillation");
            ui.end_row();
            ui.label("");
            ui.checkbox(&mut overrides.verbatim, "verbatim")
                .on_hover_text("Guide by the prompt as it is: do not fill in what it leaves open");
            ui.end_row();
        });
    }
}

fn rule_name(rule: Rule) -> String {
    format!("{rule:?}").to_uppercase()
}

/// A number that is the preset's unless it is chosen.
fn optional<T: egui::emath::Numeric>(
    ui: &mut Ui,
    name: &str,
    what: &str,
    value: &mut Option<T>,
    first: T,
    range: std::ops::RangeInclusive<T>,
) {
    let mut is_chosen = value.is_some();
    if ui.checkbox(&mut is_chosen, name).on_hover_text(what).changed() {
        *value = is_chosen.then_some(first);
    }
    match value {
        Some(number) => drop(ui.add(DragValue::new(number).range(range)).on_hover_text(what)),
        None => drop(ui.weak("the preset's")),
    }
    ui.end_row();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_of_the_command_line() {
        let mut panel = PromptPanel { prompt: "  a man ".into(), seed: 7, ..Default::default() };
        let config = panel.config("quick", "").unwrap();
        let mut expected = GenerationConfig::preset("quick").unwrap();
        expected.prompt = "a man".into();
        expected.seed = 7;
        assert_eq!(config, expected);
        panel.advanced.fine_steps = Some(3);
        let config = panel.config("quick", "elsewhere").unwrap();
        assert_eq!((config.fine.steps, config.model.as_str()), (3, "elsewhere"));
        panel.prompt.clear();
        assert!(panel.config("quick", "").unwrap_err().contains("prompt"));
    }
}
