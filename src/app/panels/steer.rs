//! Changing a generation while it runs.

use super::{button, line};
use crate::app::work::Task;
use crate::app::{Action, Work};
use crate::guidance::Steering;
use eframe::egui;
use egui::{DragValue, Response, TextEdit, Ui};
use std::path::PathBuf;

/// The directions that view weights belong to, in the order of the settings.
const SIDES: [&str; 4] = ["front", "back", "left", "right"];

/// The steering panel.
#[derive(Debug)]
pub struct SteerPanel {
    /// The generation that the values below belong to.
    of: PathBuf,
    prompt: String,
    negative: String,
    scale: f64,
    factor: f32,
    weights: [f32; 4],
}

impl Default for SteerPanel {
    fn default() -> Self {
        Self {
            of: PathBuf::new(),
            prompt: String::new(),
            negative: String::new(),
            scale: 7.5,
            factor: 1.0,
            weights: [1.0; 4],
        }
    }
}

impl SteerPanel {
    /// The panel; only generations can be steered.
    pub fn ui(&mut self, ui: &mut Ui, work: &Work, actions: &mut Vec<Action>) {
        let Task::Generate { folder, prompt, negative, scale, weights } = &work.task else {
            return;
        };
        if self.of != *folder {
            *self = Self {
                of: folder.clone(),
                prompt: prompt.clone(),
                negative: negative.clone(),
                scale: scale.unwrap_or(7.5),
                factor: 1.0,
                weights: *weights,
            };
        }
        egui::CollapsingHeader::new("Steer").show(ui, |ui| {
            ui.weak("Takes effect before the next step, and is kept in the project.");
            let text = self.prompt.clone();
            let change = Steering::Prompt { guided: text.clone(), text };
            row(ui, actions, "Other prompt", "What guides from here on", change, |ui| {
                ui.add(TextEdit::singleline(&mut self.prompt).desired_width(f32::INFINITY))
            });
            let change = Steering::Negative { text: self.negative.clone() };
            row(ui, actions, "Avoid", "What the head should not look like", change, |ui| {
                ui.add(TextEdit::singleline(&mut self.negative).desired_width(f32::INFINITY))
            });
            let change = Steering::GuidanceScale { scale: self.scale };
            row(
                ui,
                actions,
                "Pull",
                "Guidance scale: how strongly the prompt pulls",
                change,
                |ui| ui.add(DragValue::new(&mut self.scale).range(0.0..=200.0).speed(0.1)),
            );
            let change = Steering::Rates { factor: self.factor };
            row(ui, actions, "Learning rates", "A factor on the preset's", change, |ui| {
                ui.add(DragValue::new(&mut self.factor).range(0.0..=10.0).speed(0.02))
            });
            let change = Steering::Views { weights: self.weights };
            row(ui, actions, "View weights", "How often each side is seen", change, |ui| {
                ui.horizontal(|ui| {
                    // The line is filled from the right.
                    for (weight, side) in self.weights.iter_mut().zip(SIDES).rev() {
                        ui.add(DragValue::new(weight).range(0.0..=100.0).speed(0.05))
                            .on_hover_text(side);
                    }
                })
                .response
            });
        });
    }
}

/// A value with the button that sends it.
fn row(
    ui: &mut Ui,
    actions: &mut Vec<Action>,
    name: &str,
    what: &str,
    change: Steering,
    show: impl FnOnce(&mut Ui) -> Response,
) {
    let label = ui.label(name);
    line(ui, |ui| {
        let bad = change.validate().err();
        if button(ui, "Set", what, bad.as_deref()) {
            actions.push(Action::Steer(change));
        }
        show(ui).labelled_by(label.id).on_hover_text(what);
    });
}
