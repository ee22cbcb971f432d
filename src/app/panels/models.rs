//! Which models there are, under which licence, and what is missing.

use super::{Context, button, heading, line};
use crate::app::{Action, Ask, theme};
use crate::diffusion::Licence;
use eframe::egui;
use egui::{RichText, TextEdit, Ui};
use std::path::PathBuf;

/// The model manager.
#[derive(Debug, Default)]
pub struct ModelsPanel {
    /// The folder as it was typed or chosen.
    pub folder: String,
}

impl ModelsPanel {
    /// The panel.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        heading(ui, "Models");
        let Some(models) = cx.models else {
            ui.weak("The list of models cannot be read; the log says why.");
            return;
        };
        entry(ui, "embedded", true, &models.embedded.purpose, models.embedded_bytes);
        licence(ui, &models.embedded.licence);
        for added in &models.added {
            ui.separator();
            let folder = added.model.folder.display().to_string();
            match &added.state {
                Ok(facts) => entry(ui, &added.model.name, true, &folder, facts.bytes),
                Err(error) => {
                    entry(ui, &added.model.name, false, &folder, 0);
                    ui.colored_label(theme::ERROR, error.to_string());
                }
            }
            let busy = cx.work.map(|_| "Wait until the running job has ended");
            if button(ui, "Forget", "Take it off the list; its files stay", busy) {
                cx.actions.push(Action::RemoveModel(added.model.name.clone()));
            }
        }
        ui.separator();
        let label = ui.label("Add a checkpoint (a folder in diffusers layout)");
        line(ui, |ui| {
            let none = self.folder.trim().is_empty().then_some("Name a folder first");
            if button(ui, "Add", "Check the folder and put it on the list", none) {
                cx.actions.push(Action::AddModel(PathBuf::from(self.folder.trim())));
            }
            if ui.button("Choose…").on_hover_text("With the system's dialog").clicked() {
                cx.actions.push(Action::Ask(Ask::Model));
            }
            let edit = TextEdit::singleline(&mut self.folder)
                .hint_text("folder, or drop it onto the window")
                .desired_width(f32::INFINITY);
            ui.add(edit).labelled_by(label.id);
        });
        if !models.missing.is_empty() {
            ui.separator();
            ui.label(RichText::new("Not installed").strong());
            ui.weak(
                "Nothing is downloaded by itself. Get a model from its page, then add its folder.",
            );
            for missing in &models.missing {
                egui::CollapsingHeader::new(&missing.name).id_salt(&missing.name).show(ui, |ui| {
                    ui.label(&missing.purpose);
                    ui.label(format!(
                        "huggingface.co/{}, about {:.1} GB",
                        missing.repository,
                        f64::from(missing.size_mb) / 1e3
                    ));
                    licence(ui, &missing.licence);
                });
            }
        }
    }
}

fn entry(ui: &mut Ui, name: &str, works: bool, what: &str, bytes: u64) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).strong());
        if !works {
            ui.colored_label(theme::ERROR, "cannot be used");
        }
        if bytes > 0 {
            ui.weak(format!("{:.0} MB", bytes as f64 / 1e6));
        }
    });
    ui.label(what);
}

fn licence(ui: &mut Ui, licence: &Licence) {
    ui.label(RichText::new(format!("Licence: {}. {}", licence.name, licence.meaning)).small());
}
