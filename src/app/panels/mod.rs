//! The parts of the window. A panel shows and asks; it changes nothing but itself.

pub mod candidates;
pub mod edit;
pub mod empty;
pub mod export;
pub mod expression;
pub mod history;
pub mod log;
pub mod models;
pub mod progress;
pub mod prompt;
pub mod steer;

use super::{Action, Document, Preferences, Work};
use crate::diffusion::Library;
use eframe::egui;

/// What panels may look at.
#[derive(Debug)]
pub struct Context<'a> {
    /// The open project.
    pub document: Option<&'a Document>,
    /// The running job.
    pub work: Option<&'a Work>,
    /// The models of this machine; `None` until they have been looked at.
    pub models: Option<&'a Library>,
    /// What is remembered.
    pub preferences: &'a mut Preferences,
    /// What the user asks for.
    pub actions: &'a mut Vec<Action>,
}

/// Why whatever needs the project to itself has to wait.
const BUSY: &str = "Wait until the running job has ended, or stop it";

impl Context<'_> {
    /// Why nothing can be started now; `None` if it can.
    #[must_use]
    pub fn busy(&self) -> Option<&'static str> {
        self.work.map(|_| BUSY)
    }

    /// Why the head cannot be changed or written now; `None` if it can.
    #[must_use]
    pub fn hindrance(&self) -> Option<&'static str> {
        match (self.document, self.work) {
            (None, _) => Some("There is no head yet: make one, or open a project"),
            (_, Some(_)) => Some(BUSY),
            (Some(document), _) if !document.is_finished() => {
                Some("This head is not finished: continue it first")
            }
            _ => None,
        }
    }
}

/// A small picture as a texture of the window.
pub(super) fn texture(
    ctx: &egui::Context,
    name: String,
    picture: &image::RgbaImage,
) -> egui::TextureHandle {
    let size = [picture.width() as usize, picture.height() as usize];
    let pixels = egui::ColorImage::from_rgba_unmultiplied(size, picture.as_raw());
    ctx.load_texture(name, pixels, egui::TextureOptions::LINEAR)
}

/// A button that can be of no use, and then says why. Returns whether it was pressed.
pub(super) fn button(
    ui: &mut egui::Ui,
    text: impl Into<egui::WidgetText>,
    what: &str,
    useless: Option<&str>,
) -> bool {
    let button = egui::Button::new(text.into());
    let mut response = ui.add_enabled(useless.is_none(), button).on_hover_text(what);
    if let Some(why) = useless {
        response = response.on_disabled_hover_text(why);
    }
    response.clicked()
}

/// The button that a panel is there for.
pub(super) fn main_button(
    ui: &mut egui::Ui,
    text: &str,
    what: &str,
    useless: Option<&str>,
) -> bool {
    let text = egui::RichText::new(text).strong().color(egui::Color32::WHITE);
    let fill = super::theme::ACCENT.gamma_multiply(if useless.is_some() { 0.4 } else { 0.85 });
    let button = egui::Button::new(text).fill(fill).min_size(egui::vec2(0.0, 30.0));
    let add = |ui: &mut egui::Ui| ui.add_enabled(useless.is_none(), button);
    let mut response = ui.vertical_centered_justified(add).inner.on_hover_text(what);
    if let Some(why) = useless {
        response = response.on_disabled_hover_text(why);
    }
    response.clicked()
}

/// A line that is filled from the right: buttons first, then a field that takes what is left. A
/// field with a width of its own would push a panel wider with every frame.
pub(super) fn line<R>(ui: &mut egui::Ui, add: impl FnOnce(&mut egui::Ui) -> R) -> R {
    let size = egui::vec2(ui.available_width(), ui.spacing().interact_size.y);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(size, layout, add).inner
}

/// A heading with room above it.
pub(super) fn heading(ui: &mut egui::Ui, text: &str) {
    ui.add_space(2.0);
    ui.heading(text);
}

/// Seconds as people say them.
#[must_use]
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_well() {
        assert_eq!(super::duration(59.4), "59 s");
        assert_eq!(super::duration(61.0), "1 min 01 s");
        assert_eq!(super::duration(3700.0), "1 h 01 min");
        assert_eq!(super::duration(-1.0), "0 s");
    }
}
