//! How the window looks.

use super::preferences::Theme;
use eframe::egui::{self, Color32, CornerRadius, FontFamily, FontId, TextStyle, Visuals};

/// What is pressed, chosen or moving.
pub const ACCENT: Color32 = Color32::from_rgb(0xd9, 0x7b, 0x4a);
/// Something went wrong.
pub const ERROR: Color32 = Color32::from_rgb(0xe0, 0x5a, 0x52);
/// Something to know.
pub const WARNING: Color32 = Color32::from_rgb(0xd6, 0xa2, 0x3a);

/// Applies fonts, spacing and both sets of colours.
pub fn apply(ctx: &egui::Context, theme: Theme) {
    for (which, mut visuals) in
        [(egui::Theme::Dark, Visuals::dark()), (egui::Theme::Light, Visuals::light())]
    {
        let is_dark = which == egui::Theme::Dark;
        visuals.selection.bg_fill = if is_dark { ACCENT.gamma_multiply(0.55) } else { ACCENT };
        visuals.selection.stroke.color = if is_dark { Color32::WHITE } else { Color32::BLACK };
        visuals.hyperlink_color = ACCENT;
        if is_dark {
            visuals.panel_fill = Color32::from_rgb(0x24, 0x25, 0x28);
            visuals.window_fill = Color32::from_rgb(0x2a, 0x2b, 0x2f);
            visuals.extreme_bg_color = Color32::from_rgb(0x18, 0x19, 0x1b);
            visuals.faint_bg_color = Color32::from_rgb(0x2c, 0x2d, 0x31);
            // WCAG AA on the panel.
            visuals.override_text_color = Some(Color32::from_rgb(0xdc, 0xdd, 0xdf));
        }
        for widget in [
            &mut visuals.widgets.noninteractive,
            &mut visuals.widgets.inactive,
            &mut visuals.widgets.hovered,
            &mut visuals.widgets.active,
            &mut visuals.widgets.open,
        ] {
            widget.corner_radius = CornerRadius::same(5);
        }
        ctx.set_visuals_of(which, visuals);
    }
    ctx.all_styles_mut(|style| {
        style.spacing.item_spacing = egui::vec2(8.0, 7.0);
        style.spacing.button_padding = egui::vec2(9.0, 4.0);
        style.spacing.slider_width = 88.0;
        for (text, size) in [
            (TextStyle::Body, 13.5),
            (TextStyle::Button, 13.5),
            (TextStyle::Small, 11.0),
            (TextStyle::Heading, 17.0),
        ] {
            style.text_styles.insert(text, FontId::new(size, FontFamily::Proportional));
        }
    });
    ctx.set_theme(match theme {
        Theme::System => egui::ThemePreference::System,
        Theme::Dark => egui::ThemePreference::Dark,
        Theme::Light => egui::ThemePreference::Light,
    });
}
