//! What has happened, in plain words.

use crate::app::theme;
use eframe::egui;
use egui::{RichText, ScrollArea, Ui};
use std::time::SystemTime;

/// Lines that are kept.
const KEPT: usize = 500;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It went as it should.
    Note,
    /// Something to know.
    Warning,
    /// Something failed.
    Error,
}

/// What has happened.
#[derive(Debug, Default)]
pub struct Log {
    lines: Vec<(SystemTime, Level, String)>,
    /// Lines that were not seen yet because the log was closed.
    pub unseen: usize,
}

impl Log {
    /// Adds a line.
    pub fn push(&mut self, level: Level, text: impl Into<String>) {
        let text = text.into();
        match level {
            Level::Error => tracing::error!("{text}"),
            Level::Warning => tracing::warn!("{text}"),
            Level::Note => tracing::info!("{text}"),
        }
        self.lines.push((SystemTime::now(), level, text));
        self.unseen += usize::from(level != Level::Note);
        let extra = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..extra);
    }

    /// The newest line of at least this weight.
    #[must_use]
    pub fn newest(&self, least: Level) -> Option<(Level, &str)> {
        let rank = |level| level as u8;
        let found = self.lines.iter().rev().find(|(_, level, _)| rank(*level) >= rank(least));
        found.map(|(_, level, text)| (*level, text.as_str()))
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = (Level, &str)> {
        self.lines.iter().map(|(_, level, text)| (*level, text.as_str()))
    }

    /// The panel.
    pub fn ui(&mut self, ui: &mut Ui) {
        self.unseen = 0;
        ScrollArea::vertical().auto_shrink(false).stick_to_bottom(true).show(ui, |ui| {
            if self.lines.is_empty() {
                ui.weak("Nothing has happened yet.");
            }
            for (at, level, text) in &self.lines {
                let ago = at.elapsed().map_or(0.0, |ago| ago.as_secs_f64());
                let colour = match level {
                    Level::Note => ui.visuals().text_color(),
                    Level::Warning => theme::WARNING,
                    Level::Error => theme::ERROR,
                };
                ui.horizontal_wrapped(|ui| {
                    ui.weak(RichText::new(format!("{} ago", super::duration(ago))).small());
                    ui.label(RichText::new(text).color(colour));
                });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_line_of_a_weight_is_found() {
        let mut log = Log::default();
        log.push(Level::Warning, "w");
        log.push(Level::Note, "n");
        assert_eq!(log.newest(Level::Warning), Some((Level::Warning, "w")));
        assert_eq!(log.newest(Level::Note), Some((Level::Note, "n")));
        assert_eq!(log.newest(Level::Error), None);
        assert_eq!(log.unseen, 1);
        for i in 0..2 * KEPT {
            log.push(Level::Note, i.to_string());
        }
        assert_eq!(log.lines().count(), KEPT);
    }
}
