//! Heads of one sentence with several seeds, to pick from.

use super::{Context, texture};
use crate::app::{Action, Document};
use eframe::egui;
use egui::{RichText, TextureHandle, Ui, Vec2};
use image::RgbaImage;
use std::path::PathBuf;

/// Height and width of a head's picture.
const PICTURE: f32 = 84.0;

/// A head to pick.
struct Candidate {
    folder: PathBuf,
    seed: u64,
    thumbnail: Option<RgbaImage>,
    picture: Option<TextureHandle>,
}

/// The strip of candidates; empty unless several heads were asked for.
#[derive(Default)]
pub struct Candidates {
    heads: Vec<Candidate>,
    is_open: bool,
}

impl std::fmt::Debug for Candidates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidates").field("count", &self.heads.len()).finish_non_exhaustive()
    }
}

impl Candidates {
    /// Begins another choice.
    pub fn begin(&mut self) {
        self.heads.clear();
        self.is_open = true;
    }

    /// Ends it: heads that are made later are no part of it.
    pub fn end(&mut self) {
        self.is_open = false;
        self.heads.clear();
    }

    /// Adds the head that was just made, if a choice is going on.
    pub fn add(&mut self, document: &Document) {
        let Some(root) = document.history().versions().first().filter(|_| self.is_open) else {
            return;
        };
        let thumbnail = document.thumbnail(root.id).cloned();
        let (folder, seed) = (document.folder().to_path_buf(), document.config().seed);
        self.heads.push(Candidate { folder, seed, thumbnail, picture: None });
    }

    /// Draws its pictures anew, after the window's device was lost.
    pub fn forget_pictures(&mut self) {
        self.heads.iter_mut().for_each(|head| head.picture = None);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.heads.len()
    }

    /// The strip; `waiting` heads are still to come.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Context<'_>, waiting: usize) {
        let mut is_done = false;
        ui.horizontal(|ui| {
            ui.label(RichText::new("Pick a head").strong());
            if waiting > 0 {
                ui.weak(format!("{waiting} more to come"));
            }
            let busy = cx.work.is_some();
            if ui.add_enabled(!busy, egui::Button::new("Done")).clicked() {
                is_done = true;
            }
        });
        egui::ScrollArea::horizontal().show(ui, |ui| {
            ui.horizontal(|ui| {
                for head in &mut self.heads {
                    let name = format!("Seed {}", head.seed);
                    if let (None, Some(thumbnail)) = (&head.picture, &head.thumbnail) {
                        head.picture = Some(texture(ui.ctx(), name.clone(), thumbnail));
                    }
                    let shown = cx.document.map(Document::folder) == Some(&head.folder);
                    let button = match &head.picture {
                        Some(picture) => {
                            let image = egui::Image::new((picture.id(), Vec2::splat(PICTURE)));
                            egui::Button::image_and_text(image, &name)
                        }
                        None => egui::Button::new(&name),
                    };
                    let response = ui.add_enabled(cx.work.is_none(), button.selected(shown));
                    if response.on_hover_text("Look at this one").clicked() {
                        cx.actions.push(Action::Open(head.folder.clone()));
                    }
                }
            });
        });
        if is_done {
            self.end();
        }
    }
}
