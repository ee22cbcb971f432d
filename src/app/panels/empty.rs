//! What is seen before there is a head.

use super::Context;
use crate::app::{Action, theme};
use crate::config::GenerationConfig;
use eframe::egui;
use egui::{RichText, Ui};

/// Sentences to press.
pub const EXAMPLES: [&str; 3] = [
    "a smiling woman with curly red hair and round glasses",
    "an old man with a long white beard",
    "an elf with green skin and a golden crown",
];

/// The empty state: what to type, examples to press, projects to open again.
pub fn ui(ui: &mut Ui, cx: &mut Context<'_>) {
    ui.add_space(0.16 * ui.available_height());
    ui.vertical_centered(|ui| {
        ui.label(RichText::new("A sentence becomes a head").size(30.0).strong());
        ui.add_space(4.0);
        ui.label(
            RichText::new(
                "Describe somebody on the left: age, skin, hair, glasses, a hat, an expression.",
            )
            .size(15.0),
        );
        ui.add_space(18.0);
        ui.label("Or press one, and see a first head in seconds:");
        for example in EXAMPLES {
            let text = RichText::new(example).size(15.0);
            let button = egui::Button::new(text).min_size(egui::vec2(430.0, 36.0));
            if ui.add(button).on_hover_text("Make an instant head").clicked() {
                match instant(example) {
                    Ok(config) => cx.actions.push(Action::Generate(Box::new(config))),
                    Err(error) => drop(ui.colored_label(theme::ERROR, error)),
                }
            }
        }
        let recent: Vec<_> = cx.preferences.recent.iter().take(5).cloned().collect();
        if !recent.is_empty() {
            ui.add_space(18.0);
            ui.label("Open again:");
            for folder in recent {
                let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
                let link = ui.link(name).on_hover_text(folder.display().to_string());
                if link.clicked() {
                    cx.actions.push(Action::Open(folder));
                }
            }
        }
        ui.add_space(18.0);
        ui.weak("A project or a checkpoint folder can also be dropped onto the window.");
    });
}

/// The settings of an example.
fn instant(prompt: &str) -> Result<GenerationConfig, String> {
    let mut config = GenerationConfig::preset("instant").map_err(|error| error.to_string())?;
    prompt.clone_into(&mut config.prompt);
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_examples_can_be_made() {
        for example in super::EXAMPLES {
            assert!(super::instant(example).unwrap().is_instant());
        }
    }
}
