//! The versions of the head as a tree.

use super::{Context, button, heading, texture};
use crate::app::{Action, Document};
use crate::project::{Origin, Version};
use crate::session::history::Move;
use eframe::egui;
use egui::{Color32, Rect, RichText, Sense, StrokeKind, TextEdit, TextureHandle, Ui, Vec2};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

/// Height and width of a version's picture.
const PICTURE: f32 = 52.0;
/// How far a branch stands in from where it begins.
const INDENT: f32 = 14.0;

/// The history panel.
#[derive(Default)]
pub struct HistoryPanel {
    /// The version whose name is being typed, and what there is of it.
    naming: Option<(u64, String)>,
    pictures: BTreeMap<u64, TextureHandle>,
    /// The project that the pictures are of.
    of: PathBuf,
}

impl std::fmt::Debug for HistoryPanel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HistoryPanel").field("naming", &self.naming).finish_non_exhaustive()
    }
}

impl HistoryPanel {
    /// The panel.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        heading(ui, "History");
        let Some(document) = cx.document else {
            ui.weak("Each edit of a head is kept here as a version. There is no head yet.");
            return;
        };
        if self.of != document.folder() {
            *self = Self { of: document.folder().to_path_buf(), ..Self::default() };
        }
        let history = document.history();
        let busy = cx.busy();
        ui.horizontal(|ui| {
            let none = history.undo_target().is_none().then_some("This is the head as it was made");
            if button(ui, "Undo", "Back to the version before (Ctrl+Z)", busy.or(none)) {
                cx.actions.push(Action::Move(Move::Undo));
            }
            let none = history.redo_target().is_none().then_some("Nothing was made from this head");
            if button(ui, "Redo", "To the version after (Ctrl+Shift+Z)", busy.or(none)) {
                cx.actions.push(Action::Move(Move::Redo));
            }
        });
        for (version, depth) in history.tree() {
            self.row(ui, cx, document, version, depth, busy);
        }
        if !document.states().is_empty() {
            ui.add_space(6.0);
            ui.label("States of its making").on_hover_text(
                "A branch goes on from there as a head of its own, and can be steered elsewhere",
            );
        }
        for (stage, step) in document.states() {
            ui.horizontal(|ui| {
                ui.weak(format!("{stage}, after {step} steps"));
                if button(ui, "Branch", "A new head that goes on from here", busy) {
                    cx.actions.push(Action::Branch { stage: (*stage).to_owned(), step: *step });
                }
            });
        }
        ui.add_space(6.0);
        let disk = document.disk();
        ui.horizontal_wrapped(|ui| {
            ui.weak(format!("{:.1} MB on disk", disk.total() as f64 / 1e6)).on_hover_text(format!(
                "{:.1} MB of states to edit from, {:.1} MB of meshes and textures",
                disk.checkpoints as f64 / 1e6,
                disk.versions as f64 / 1e6
            ));
            let none = (history.idle().next().is_none())
                .then_some("There are no branches without a name beside the current one");
            let what = "Remove the files of versions that neither lead here nor have a name";
            if button(ui, "Prune", what, busy.or(none)) {
                cx.actions.push(Action::Prune);
            }
        });
    }

    fn row(
        &mut self,
        ui: &mut Ui,
        cx: &mut Context<'_>,
        document: &Document,
        version: &Version,
        depth: usize,
        busy: Option<&str>,
    ) {
        let is_shown = version.id == document.shown();
        let indent = INDENT * depth.min(6) as f32;
        let size = Vec2::new(ui.available_width(), PICTURE + 6.0);
        let (rect, row) = ui.allocate_exact_size(size, Sense::click());
        let said = sentence(version);
        row.widget_info(|| {
            egui::WidgetInfo::selected(
                egui::Role::Button,
                busy.is_none(),
                is_shown,
                format!("Version {}: {said}", version.id),
            )
        });
        let inside = rect.with_min_x(rect.left() + indent);
        let fill = match (is_shown, row.hovered()) {
            (true, _) => ui.visuals().selection.bg_fill.gamma_multiply(0.6),
            (_, true) => ui.visuals().widgets.hovered.weak_bg_fill,
            _ => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(inside, 5.0, fill);
        if row.has_focus() {
            let stroke = ui.visuals().selection.stroke;
            ui.painter().rect_stroke(inside, 5.0, stroke, StrokeKind::Inside);
        }
        let place = Rect::from_min_size(inside.min + Vec2::splat(3.0), Vec2::splat(PICTURE));
        match self.picture(ui, document, version.id) {
            Some(texture) => {
                egui::Image::new(&*texture).corner_radius(4).paint_at(ui, place);
            }
            None => drop(ui.painter().rect_filled(place, 4.0, ui.visuals().extreme_bg_color)),
        }
        let text = inside.with_min_x(place.right() + 8.0).shrink2(Vec2::new(0.0, 4.0));
        let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(text));
        inner.set_clip_rect(text.intersect(ui.clip_rect()));
        inner.style_mut().interaction.selectable_labels = false;
        inner.spacing_mut().item_spacing.y = 2.0;
        let mut title = RichText::new(&said);
        if is_shown {
            title = title.strong();
        }
        inner.add(egui::Label::new(title).truncate().sense(Sense::empty()));
        inner.add(
            egui::Label::new(RichText::new(notes(version)).small().weak())
                .truncate()
                .sense(Sense::empty()),
        );
        if let Some((naming, name)) = &mut self.naming
            && *naming == version.id
        {
            let edit = inner.add(TextEdit::singleline(name).hint_text("name").desired_width(140.0));
            edit.request_focus();
            let (enter, escape) = inner
                .input(|i| (i.key_pressed(egui::Key::Enter), i.key_pressed(egui::Key::Escape)));
            if enter {
                cx.actions.push(Action::Rename { version: version.id, name: name.clone() });
            }
            if enter || escape {
                self.naming = None;
            }
        } else if let Some(name) = &version.name {
            inner.add(
                egui::Label::new(RichText::new(name).small().color(crate::app::theme::ACCENT))
                    .sense(Sense::empty()),
            );
        }
        let useless = busy.or(version.is_pruned.then_some("It was removed to save space"));
        if row.clicked() && useless.is_none() && !is_shown {
            cx.actions.push(Action::Move(Move::Goto(version.id.to_string())));
        }
        row.context_menu(|ui| {
            if button(ui, "Show this version", "Edits then start here", useless) {
                cx.actions.push(Action::Move(Move::Goto(version.id.to_string())));
                ui.close();
            }
            if button(ui, "Compare with the one shown", "Side by side in the view", useless) {
                cx.actions.push(Action::Compare(version.id));
                ui.close();
            }
            if button(ui, "Name…", "A name keeps it from being pruned", busy) {
                self.naming = Some((version.id, version.name.clone().unwrap_or_default()));
                ui.close();
            }
        });
        row.on_hover_text(format!("Version {}: {said}\nRight-click for more", version.id));
    }

    /// Draws its pictures anew, after the window's device was lost.
    pub fn forget_pictures(&mut self) {
        self.pictures.clear();
    }

    fn picture(
        &mut self,
        ui: &Ui,
        document: &Document,
        version: u64,
    ) -> Option<&mut TextureHandle> {
        match self.pictures.entry(version) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(place) => {
                let picture = document.thumbnail(version)?;
                Some(place.insert(texture(ui.ctx(), format!("version {version}"), picture)))
            }
        }
    }
}

fn sentence(version: &Version) -> String {
    version.origin.text().to_owned()
}

fn notes(version: &Version) -> String {
    let mut notes = match &version.origin {
        Origin::Generate { seed, preset, .. } => {
            // A preset of one's own is a file.
            let name = std::path::Path::new(preset).file_stem().unwrap_or_default();
            vec![format!("{}, seed {seed}", name.to_string_lossy())]
        }
        Origin::Edit { region, strength, .. } => {
            let mut notes = Vec::new();
            if !region.is_all() {
                notes.push(format!("only the {}", region.name()));
            }
            if *strength < 1.0 {
                notes.push(format!("strength {strength:.2}"));
            }
            notes
        }
    };
    if !version.is_finished {
        notes.push("not finished".into());
    }
    if version.is_pruned {
        notes.push("removed".into());
    }
    notes.join(" · ")
}
