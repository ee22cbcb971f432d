//! Writing the head for other programs.

use super::{Context, heading, line, main_button};
use crate::app::{Action, Ask};
use crate::io::MeshFormat;
use eframe::egui;
use egui::{ComboBox, TextEdit, Ui};
use std::path::PathBuf;

/// Sides of the texture that are offered, pixels.
const SIZES: [u32; 4] = [512, 1024, 2048, 4096];

/// The export panel.
#[derive(Debug)]
pub struct ExportPanel {
    format: MeshFormat,
    texture_size: Option<u32>,
    /// The file as it was typed; empty is the project's folder.
    pub path: String,
    /// The file that was written last.
    pub written: Option<PathBuf>,
}

impl Default for ExportPanel {
    fn default() -> Self {
        Self { format: MeshFormat::Glb, texture_size: None, path: String::new(), written: None }
    }
}

impl ExportPanel {
    /// The panel.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        heading(ui, "Export");
        for format in MeshFormat::ALL {
            ui.radio_value(&mut self.format, format, name(format)).on_hover_text(what(format));
        }
        ui.horizontal(|ui| {
            let label = ui.label("Texture");
            let shown = |size: Option<u32>| {
                size.map_or("as it was baked".to_owned(), |size| format!("{size} × {size}"))
            };
            ui.add_enabled_ui(self.format.has_texture(), |ui| {
                let combo = ComboBox::from_id_salt("texture size");
                let combo = combo.selected_text(shown(self.texture_size)).show_ui(ui, |ui| {
                    for size in [None].into_iter().chain(SIZES.map(Some)) {
                        ui.selectable_value(&mut self.texture_size, size, shown(size));
                    }
                });
                combo.response.labelled_by(label.id).on_hover_text(
                    "Pixels along a side; larger than it was baked only enlarges it",
                );
            });
        });
        let label = ui.label("File");
        line(ui, |ui| {
            if ui.button("Choose…").on_hover_text("With the system's dialog").clicked() {
                cx.actions.push(Action::Ask(Ask::Export(self.format)));
            }
            let usual = cx.document.map_or_else(String::new, |document| {
                let file = format!("avatar.{}", self.format.extension());
                document.folder().join(file).display().to_string()
            });
            let edit = TextEdit::singleline(&mut self.path).hint_text(usual);
            ui.add(edit.desired_width(f32::INFINITY)).labelled_by(label.id);
        });
        if main_button(ui, "Export", "Write the file (Ctrl+E)", cx.hindrance()) {
            self.export(cx);
        }
        if let Some(written) = &self.written {
            ui.label(format!("Written: {}", written.display()));
        }
    }

    /// Asks for the file.
    pub fn export(&mut self, cx: &mut Context<'_>) {
        if cx.hindrance().is_some() {
            return;
        }
        let path = self.path.trim();
        cx.actions.push(Action::Export {
            format: self.format,
            path: Some(PathBuf::from(path)).filter(|_| !path.is_empty()),
            texture_size: self.texture_size.filter(|_| self.format.has_texture()),
        });
    }
}

fn name(format: MeshFormat) -> &'static str {
    match format {
        MeshFormat::Glb => "GLB",
        MeshFormat::Obj => "OBJ",
        MeshFormat::Ply => "PLY",
    }
}

fn what(format: MeshFormat) -> &'static str {
    match format {
        MeshFormat::Glb => {
            "One file for Blender, Unity, Unreal and three.js, with face units if the head has them"
        }
        MeshFormat::Obj => "A mesh with a material and a texture beside it",
        MeshFormat::Ply => "A mesh with a colour for each vertex, for scanning and research tools",
    }
}
