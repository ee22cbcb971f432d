//! Changing the head by a sentence.

use super::{Context, heading, main_button};
use crate::app::Action;
use crate::pipeline::EditRegion;
use clap::ValueEnum;
use eframe::egui;
use egui::{ComboBox, Slider, TextEdit, Ui};

/// Instructions to press, of all kinds that there are.
const SUGGESTIONS: [&str; 8] = [
    "make him older",
    "give her blue hair",
    "add round glasses",
    "make him smile",
    "give him a red beard",
    "make his nose bigger",
    "put on a blue cap",
    "turn her into a bronze statue",
];

/// The edit panel.
#[derive(Debug)]
pub struct EditPanel {
    /// The sentence.
    pub instruction: String,
    /// Where the head is changed.
    pub region: EditRegion,
    /// How far the sentence is followed.
    pub strength: f64,
    /// Whether the next click on the head chooses the region.
    pub is_picking: bool,
}

impl Default for EditPanel {
    fn default() -> Self {
        Self {
            instruction: String::new(),
            region: EditRegion::All,
            strength: 1.0,
            is_picking: false,
        }
    }
}

impl EditPanel {
    /// Asks for the edit.
    pub fn apply(&mut self, cx: &mut Context<'_>) {
        if self.instruction.trim().is_empty() || cx.hindrance().is_some() {
            return;
        }
        cx.actions.push(Action::Edit {
            instruction: self.instruction.trim().to_owned(),
            region: self.region,
            strength: self.strength,
        });
    }

    /// The panel.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        heading(ui, "Change it");
        let label = ui.label("Instruction");
        let edit = TextEdit::singleline(&mut self.instruction)
            .hint_text("make him older")
            .desired_width(f32::INFINITY);
        let edit = ui.add(edit).labelled_by(label.id);
        if edit.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
            self.apply(cx);
        }
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(4.0, 4.0);
            for suggestion in SUGGESTIONS {
                if ui.small_button(suggestion).on_hover_text("Take this instruction").clicked() {
                    suggestion.clone_into(&mut self.instruction);
                }
            }
        });
        ui.horizontal(|ui| {
            let label = ui.label("Strength");
            ui.add(Slider::new(&mut self.strength, 0.0..=1.0).fixed_decimals(2))
                .labelled_by(label.id)
                .on_hover_text("0 changes nothing, 1 follows the instruction fully");
        });
        ui.horizontal(|ui| {
            let label = ui.label("Only the");
            let shown = region_label(self.region);
            let combo = ComboBox::from_id_salt("region").selected_text(shown).show_ui(ui, |ui| {
                for region in EditRegion::value_variants() {
                    ui.selectable_value(&mut self.region, *region, region_label(*region));
                }
            });
            combo
                .response
                .labelled_by(label.id)
                .on_hover_text("Everything outside stays as it is, bit for bit");
            let useless = cx.document.and_then(|document| document.head()).is_none();
            ui.add_enabled_ui(!useless, |ui| {
                ui.toggle_value(&mut self.is_picking, "pick")
                    .on_hover_text("Choose the region by clicking on the head");
            });
        });
        let useless = cx.hindrance().or_else(|| {
            self.instruction.trim().is_empty().then_some("Say what to change, or take a suggestion")
        });
        if main_button(ui, "Apply edit", "Change the head (Enter)", useless) {
            self.apply(cx);
        }
    }
}

/// A region as menus call it.
fn region_label(region: EditRegion) -> &'static str {
    if region.is_all() { "whole head" } else { region.name() }
}
