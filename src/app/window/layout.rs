//! Where the panels stand.

use super::keys::WINDOW_SHORTCUTS;
use super::{Tab, Window};
use crate::app::action::{Action, Ask};
use crate::app::panels::log::Level;
use crate::app::panels::progress::ProgressPanel;
use crate::app::panels::{self, empty};
use crate::app::preferences::Theme;
use crate::app::theme;
use crate::app::viewport::SHORTCUTS;
use crate::session::prior;
use eframe::egui;
use egui::{Key, Panel, RichText, Ui};
use std::path::PathBuf;
use std::time::Duration;

impl Window {
    pub(super) fn menu(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        egui::MenuBar::new().ui(ui, |ui| {
            ui.menu_button("File", |ui| {
                if ui
                    .button("New head")
                    .on_hover_text("Close this one, back to the start")
                    .clicked()
                {
                    actions.push(Action::Close);
                }
                if ui.button("Open…   Ctrl+O").clicked() {
                    self.opening = Some(String::new());
                }
                ui.menu_button("Open again", |ui| {
                    for folder in &self.preferences.recent {
                        if ui.button(folder.display().to_string()).clicked() {
                            actions.push(Action::Open(folder.clone()));
                        }
                    }
                });
                let place = self.preferences.projects.display().to_string();
                if ui.button("Folder for new heads…").on_hover_text(place).clicked() {
                    actions.push(Action::Ask(Ask::Projects));
                }
                if ui.button("Quit").clicked() {
                    ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
                }
            });
            ui.menu_button("View", |ui| {
                for (theme, name) in [
                    (Theme::Dark, "Dark"),
                    (Theme::Light, "Light"),
                    (Theme::System, "As the system"),
                ] {
                    if ui.radio_value(&mut self.preferences.theme, theme, name).changed() {
                        theme::apply(ui.ctx(), theme);
                    }
                }
                ui.separator();
                let zoom = egui::Slider::new(&mut self.preferences.zoom, 0.7..=2.0).text("size");
                if ui.add(zoom).drag_stopped() {
                    ui.ctx().set_zoom_factor(self.preferences.zoom);
                }
                ui.checkbox(&mut self.preferences.log, "Log   Ctrl+L");
            });
            if ui.button("Shortcuts").on_hover_text("All keys (F1)").clicked() {
                self.is_helping = !self.is_helping;
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let unseen = self.log.unseen;
                let text = if unseen > 0 { format!("Log ({unseen})") } else { "Log".to_owned() };
                ui.toggle_value(&mut self.preferences.log, text)
                    .on_hover_text("What has happened, in words (Ctrl+L)");
                if let Some(document) = &self.document {
                    let name = document.folder().file_name().unwrap_or_default();
                    ui.weak(name.to_string_lossy())
                        .on_hover_text(document.folder().display().to_string());
                }
            });
        });
    }

    pub(super) fn left(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            self.panel(actions, |window, cx| {
                let unfinished = cx.document.filter(|document| !document.is_finished());
                if let Some(document) = unfinished {
                    let busy = cx.work.map(|_| "It is running");
                    ui.label(RichText::new("This head is not finished").strong());
                    if panels::main_button(ui, "Continue", "Go on where it was left", busy) {
                        cx.actions.push(Action::Resume(document.folder().to_path_buf()));
                    }
                    ui.separator();
                }
                window.prompt.ui(ui, cx);
                ui.separator();
                window.edit.ui(ui, cx);
            });
        });
    }

    pub(super) fn right(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.spacing_mut().button_padding.x = 7.0;
            for (tab, name) in Tab::ALL {
                ui.selectable_value(&mut self.tab, tab, name);
            }
        });
        ui.separator();
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if let Some(work) = self.work.take() {
                if work.is_long() {
                    self.progress.details(ui, &work);
                    self.steer.ui(ui, &work, actions);
                    ui.separator();
                }
                self.work = Some(work);
            }
            let tab = self.tab;
            self.panel(actions, |window, cx| match tab {
                Tab::History => window.history.ui(ui, cx),
                Tab::Expression => window.expression.ui(ui, cx),
                Tab::Export => window.export.ui(ui, cx),
                Tab::Models => window.models_panel.ui(ui, cx),
            });
        });
    }

    pub(super) fn centre(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        if self.document.is_none() && self.work.is_none() {
            self.panel(actions, |_, cx| empty::ui(ui, cx));
            return;
        }
        if self.work.is_some() {
            egui::Frame::new().inner_margin(8).show(ui, |ui| {
                self.panel(actions, |_, cx| ProgressPanel::strip(ui, cx));
            });
        }
        if self.candidates.count() > 0 {
            Panel::bottom("candidates").show(ui, |ui| {
                let waiting = self.queue.len() + usize::from(self.work.is_some());
                let mut candidates = std::mem::take(&mut self.candidates);
                self.panel(actions, |_, cx| candidates.ui(ui, cx, waiting));
                self.candidates = candidates;
            });
        }
        if self.viewport.content().after.is_none() {
            self.waiting(ui);
            return;
        }
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            self.viewport.toolbar(ui);
        });
        self.viewport.pace = match self.work {
            Some(_) => self.viewport.pace_beside_jobs(),
            None => Duration::ZERO,
        };
        let happened = self.viewport.ui(ui);
        if let (Some(hit), Some(prior), true) =
            (happened.clicked, &self.prior, self.edit.is_picking)
        {
            self.edit.region = prior::region_at(prior, hit.position);
            self.edit.is_picking = false;
        }
        self.preferences.view = self.viewport.settings.clone();
    }

    /// What is seen while there is no mesh yet: the optimiser's pictures, large.
    pub(super) fn waiting(&mut self, ui: &mut Ui) {
        ui.vertical_centered(|ui| {
            ui.add_space(0.08 * ui.available_height());
            match self.work.take() {
                Some(work) => {
                    self.progress.large(ui, &work);
                    self.work = Some(work);
                }
                None => {
                    ui.label("This head has no mesh yet. Continue it on the left.");
                }
            }
        });
    }

    pub(super) fn newest_problem(&mut self, ui: &mut Ui) {
        if self.preferences.log || self.log.unseen == 0 {
            return;
        }
        let Some((level, text)) = self.log.newest(Level::Warning) else { return };
        let colour = if level == Level::Error { theme::ERROR } else { theme::WARNING };
        let text = text.to_owned();
        Panel::bottom("problem").show(ui, |ui| {
            ui.horizontal(|ui| {
                if ui.button("Dismiss").on_hover_text("Take it away; the log keeps it").clicked() {
                    self.log.unseen = 0;
                }
                ui.add(egui::Label::new(RichText::new(&text).color(colour)).wrap());
            });
        });
    }

    /// The dialog that opens a project by its path.
    pub(super) fn open_dialog(&mut self, ctx: &egui::Context, actions: &mut Vec<Action>) {
        let Some(path) = &mut self.opening else { return };
        let (mut is_open, mut is_done) = (true, false);
        egui::Window::new("Open a project").open(&mut is_open).resizable(false).show(ctx, |ui| {
            let label = ui.label("Its folder");
            let edit = egui::TextEdit::singleline(path).desired_width(420.0);
            let edit = ui.add(edit).labelled_by(label.id);
            let enter = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if path.is_empty() && !edit.has_focus() && !enter {
                edit.request_focus();
            }
            ui.horizontal(|ui| {
                if ui.button("Choose…").on_hover_text("With the system's dialog").clicked() {
                    actions.push(Action::Ask(Ask::Project));
                    is_done = true;
                }
                let named = !path.trim().is_empty();
                let open = ui.add_enabled(named, egui::Button::new("Open")).clicked();
                if open || enter && named {
                    actions.push(Action::Open(PathBuf::from(path.trim())));
                    is_done = true;
                }
            });
        });
        if !is_open || is_done || ctx.input(|input| input.key_pressed(Key::Escape)) {
            self.opening = None;
        }
    }

    /// What was chosen in a system dialog.
    pub(super) fn chosen(&mut self, actions: &mut Vec<Action>) {
        let Some((ask, path)) = self.dialogs.answer() else { return };
        match ask {
            Ask::Project => actions.push(Action::Open(path)),
            Ask::Projects => self.preferences.projects = path,
            Ask::Export(_) => self.export.path = path.display().to_string(),
            Ask::Model => self.models_panel.folder = path.display().to_string(),
        }
    }

    pub(super) fn help(&mut self, ctx: &egui::Context) {
        egui::Window::new("Shortcuts").open(&mut self.is_helping).resizable(false).show(
            ctx,
            |ui| {
                egui::Grid::new("shortcuts").num_columns(2).striped(true).show(ui, |ui| {
                    for (keys, what) in WINDOW_SHORTCUTS.iter().chain(SHORTCUTS) {
                        ui.label(RichText::new(*keys).monospace());
                        ui.label(*what);
                        ui.end_row();
                    }
                });
            },
        );
    }
}
