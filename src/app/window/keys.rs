//! Keys of the window, and what is dropped onto it.

use super::Window;
use crate::app::action::Action;
use crate::session::history::Move;
use eframe::egui;
use egui::{Key, KeyboardShortcut, Modifiers, Ui};
use std::path::{Path, PathBuf};

const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
const REDO: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
const GENERATE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Enter);
const OPEN: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::O);
const EXPORT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::E);

/// Shortcuts of the window, for the help: keys and what they do.
pub(super) const WINDOW_SHORTCUTS: [(&str, &str); 8] = [
    ("Ctrl+Enter", "Make the head of the prompt"),
    ("Ctrl+Z", "Undo"),
    ("Ctrl+Shift+Z", "Redo"),
    ("Ctrl+O", "Open a project"),
    ("Ctrl+E", "Export"),
    ("Space", "Pause or continue"),
    ("Ctrl+L", "Show or hide the log"),
    ("F1", "This list"),
];

impl Window {
    pub(super) fn shortcuts(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        let pressed = |shortcut| ui.input_mut(|input| input.consume_shortcut(&shortcut));
        let can_redo = pressed(REDO);
        let can_undo = pressed(UNDO);
        if can_redo && self.work.is_none() {
            actions.push(Action::Move(Move::Redo));
        }
        if can_undo && self.work.is_none() {
            actions.push(Action::Move(Move::Undo));
        }
        if pressed(GENERATE) && self.work.is_none() {
            self.panel(actions, |window, cx| window.prompt.generate(cx));
        }
        if pressed(EXPORT) {
            self.panel(actions, |window, cx| window.export.export(cx));
        }
        if pressed(OPEN) {
            self.opening = Some(String::new());
        }
        if pressed(KeyboardShortcut::new(Modifiers::COMMAND, Key::L)) {
            self.preferences.log = !self.preferences.log;
        }
        if pressed(KeyboardShortcut::new(Modifiers::NONE, Key::F1)) {
            self.is_helping = !self.is_helping;
        }
        // Space writes into a text field first.
        if !ui.ctx().egui_wants_keyboard_input()
            && let Some(work) = self.work.as_ref().filter(|work| work.is_long())
            && pressed(KeyboardShortcut::new(Modifiers::NONE, Key::Space))
        {
            actions.push(Action::Pause(!work.is_paused()));
        }
        for file in ui.input(|input| input.raw.dropped_files.clone()) {
            let path = file.path();
            actions.push(if is_checkpoint(path) {
                Action::AddModel(path.to_path_buf())
            } else {
                Action::Open(project_of(path))
            });
        }
    }
}

/// Whether a dropped folder is a checkpoint in diffusers layout.
fn is_checkpoint(path: &Path) -> bool {
    path.join("model_index.json").is_file() || path.join("unet").is_dir()
}

/// The project that a dropped folder or file belongs to.
fn project_of(path: &Path) -> PathBuf {
    if path.is_file() { path.parent().unwrap_or(path).to_path_buf() } else { path.to_path_buf() }
}
