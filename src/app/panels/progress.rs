//! The running job: how far it is, and what the optimiser sees.

use super::{Context, button, duration};
use crate::app::work::Task;
use crate::app::{Action, Work};
use crate::batch::ImageBatch;
use eframe::egui;
use egui::{Color32, ColorImage, ProgressBar, RichText, TextureHandle, TextureOptions, Ui};
use egui_plot::{Line, Plot, PlotPoints};
use std::time::Duration;

/// The directions of a snapshot's pictures.
const SIDES: [&str; 4] = ["front", "left", "back", "right"];

/// The progress panel.
#[derive(Default)]
pub struct ProgressPanel {
    /// The pictures of the newest snapshot, and which one it is.
    views: Option<(u64, Vec<TextureHandle>)>,
}

impl std::fmt::Debug for ProgressPanel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.views.as_ref().map(|(count, _)| count);
        f.debug_struct("ProgressPanel").field("snapshot", &count).finish_non_exhaustive()
    }
}

impl ProgressPanel {
    /// The strip below the view: title, bar, buttons.
    pub fn strip(ui: &mut Ui, cx: &mut Context<'_>) {
        let Some(work) = cx.work else { return };
        let progress = &work.progress;
        // Nothing here moves by itself: each frame costs the optimiser time where both share
        // the processor. The clock ticks.
        ui.ctx().request_repaint_after(Duration::from_secs(1));
        ui.horizontal(|ui| {
            ui.label(RichText::new(work.task.title()).strong());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let stopping = work.is_stopping().then_some("It stops after this step");
                let what = "Stop; what there is is kept, and can be continued";
                if button(ui, "Stop", what, stopping) {
                    cx.actions.push(Action::Stop);
                }
                if matches!(work.task, Task::Generate { .. }) {
                    let what = "Keep the state as it is now, to branch from it later";
                    if button(ui, "Keep", what, stopping) {
                        cx.actions.push(Action::Keep);
                    }
                }
                if work.is_long() {
                    let (text, what) = if work.is_paused() {
                        ("Continue", "Go on (Space)")
                    } else {
                        ("Pause", "Hold before the next step (Space)")
                    };
                    if button(ui, text, what, stopping) {
                        cx.actions.push(Action::Pause(!work.is_paused()));
                    }
                }
            });
        });
        let share = progress.step as f32 / progress.steps.max(1) as f32;
        ui.add(ProgressBar::new(share).text(describe(work)));
        if let Some(prompt) = &progress.completed_prompt {
            ui.add(egui::Label::new(RichText::new(prompt).small().weak()).truncate())
                .on_hover_text(format!(
                    "What is drawn, with what the prompt leaves open: {prompt}"
                ));
        }
    }

    /// What the optimiser sees from four sides, and the loss.
    pub fn details(&mut self, ui: &mut Ui, work: &Work) {
        self.update(ui, work);
        if let Some((_, views)) = &self.views {
            ui.label("What the optimiser sees");
            let side = (0.5 * (ui.available_width() - 8.0)).clamp(48.0, 220.0);
            egui::Grid::new("sides").spacing([4.0, 4.0]).show(ui, |ui| {
                for (i, (view, name)) in views.iter().zip(SIDES).enumerate() {
                    let image = egui::Image::new((view.id(), egui::Vec2::splat(side)));
                    ui.add(image.corner_radius(4).alt_text(format!("The head from the {name}")))
                        .on_hover_text(name);
                    if i % 2 == 1 {
                        ui.end_row();
                    }
                }
            });
        } else {
            ui.weak("The first picture comes after the first steps.");
        }
        if let Some(curves) = work.progress.curves.last().filter(|c| c.loss.len() > 1) {
            plot(ui, &format!("Loss of the {} stage", curves.stage), &curves.loss);
            plot(ui, "Gradient norm", &curves.gradient_norm);
        }
    }

    /// The front view, as large as there is room, while there is no mesh to turn.
    pub fn large(&mut self, ui: &mut Ui, work: &Work) {
        self.update(ui, work);
        let side = ui.available_size().min_elem().clamp(64.0, 640.0);
        if let Some(front) = self.views.as_ref().and_then(|(_, views)| views.first()) {
            let image = egui::Image::new((front.id(), egui::Vec2::splat(side)));
            ui.add(image.corner_radius(6).alt_text("The head in the making, from the front"));
        } else {
            ui.add_space(0.3 * side);
            ui.label(RichText::new("The head appears here").size(18.0));
        }
    }

    /// Draws its pictures anew, after the window's device was lost.
    pub fn forget_pictures(&mut self) {
        self.views = None;
    }

    fn update(&mut self, ui: &Ui, work: &Work) {
        let Some((count, images)) = &work.snapshot else {
            self.views = None;
            return;
        };
        if self.views.as_ref().is_some_and(|(known, _)| known == count) {
            return;
        }
        let pictures = (0..images.views).map(|view| picture(images, view));
        match &mut self.views {
            Some((known, views)) if views.len() == images.views => {
                for (view, picture) in views.iter_mut().zip(pictures) {
                    view.set(picture, TextureOptions::LINEAR);
                }
                *known = *count;
            }
            _ => {
                let load = |(i, picture)| {
                    ui.ctx().load_texture(format!("side {i}"), picture, TextureOptions::LINEAR)
                };
                self.views = Some((*count, pictures.enumerate().map(load).collect()));
            }
        }
    }
}

fn picture(images: &ImageBatch, view: usize) -> ColorImage {
    let data = images.view(view);
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let pixels = data
        .chunks_exact(images.channels)
        .map(|c| Color32::from_rgb(byte(c[0]), byte(c[1]), byte(c[2])))
        .collect();
    ColorImage::new([images.width, images.height], pixels)
}

fn plot(ui: &mut Ui, name: &str, points: &[[f64; 2]]) {
    ui.label(name);
    Plot::new(name)
        .height(72.0)
        .show_axes([false, true])
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .show(ui, |plot| {
            let line = Line::new(name, PlotPoints::from(points.to_vec()));
            plot.line(line.color(crate::app::theme::ACCENT));
        });
}

/// A line as "fine 3 of 16 · 1.2 s a step · 20 s left".
fn describe(work: &Work) -> String {
    let progress = &work.progress;
    if progress.steps == 0 {
        return format!("preparing · {}", duration(work.started.elapsed().as_secs_f64()));
    }
    let mut parts = vec![format!("{} {} of {}", progress.stage, progress.step, progress.steps)];
    match progress.rate {
        Some(rate) if rate >= 1.0 => parts.push(format!("{rate:.1} steps a second")),
        Some(rate) => parts.push(format!("{:.1} s a step", 1.0 / rate)),
        None => {}
    }
    if work.is_stopping() {
        parts.push("stopping".into());
    } else if work.is_paused() {
        parts.push("paused".into());
    } else if let Some(eta) = progress.eta_seconds {
        parts.push(format!("{} left", duration(eta)));
    }
    parts.join(" · ")
}
