//! The row of switches over the live view.

use super::camera::{OrbitCamera, Preset};
use super::settings::{ShadingMode, ViewSettings};
use super::shortcuts::preset_key;
use eframe::egui;
use egui::containers::menu::MenuButton;
use egui::{Button, Slider, Ui};

/// What the view shows, as far as the toolbar has to know.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shown {
    /// Whether there is a head.
    pub head: bool,
    /// Whether there is a head before an edit to compare with.
    pub before: bool,
    /// Whether there are landmarks.
    pub landmarks: bool,
}

/// A slim row with the settings and the named directions of a view; wraps in narrow panels.
/// Returns whether the user wants the head to be fitted into the view.
pub fn toolbar(
    ui: &mut Ui,
    settings: &mut ViewSettings,
    camera: &mut OrbitCamera,
    shown: Shown,
) -> bool {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        modes(ui, &mut settings.mode);
        ui.separator();
        switch(ui, &mut settings.wireframe, "Wireframe", "Edges of the triangles (W)", None);
        switch(
            ui,
            &mut settings.landmarks,
            "Landmarks",
            "Named places of the face (L)",
            (!shown.landmarks).then_some("This head has no landmarks"),
        );
        switch(
            ui,
            &mut settings.compare,
            "Compare",
            "The head before the last edit beside the one after it (C)",
            (!shown.before).then_some("There is no earlier head to compare with"),
        );
        ui.separator();
        light(ui, settings);
        ui.color_edit_button_srgb(&mut settings.background).on_hover_text("Colour behind the head");
        ui.separator();
        directions(ui, camera);
        ui.add_enabled(shown.head, Button::new("Fit"))
            .on_hover_text("Fit the head into the view (F)")
            .on_disabled_hover_text("There is no head yet")
            .clicked()
    })
    .inner
}

fn modes(ui: &mut Ui, mode: &mut ShadingMode) {
    for choice in ShadingMode::ALL {
        let what = match choice {
            ShadingMode::Shaded => "In studio light (M: next mode)",
            ShadingMode::Albedo => "The texture without light (M: next mode)",
            ShadingMode::Normal => "Where the surface looks, as colours (M: next mode)",
        };
        ui.selectable_value(mode, choice, choice.label()).on_hover_text(what);
    }
}

/// A switch that can be of no use, and says why.
fn switch(ui: &mut Ui, on: &mut bool, name: &str, what: &str, useless: Option<&str>) {
    let button = Button::selectable(*on && useless.is_none(), name);
    let mut response = ui.add_enabled(useless.is_none(), button).on_hover_text(what);
    if let Some(why) = useless {
        response = response.on_disabled_hover_text(why);
    }
    if response.clicked() {
        *on = !*on;
    }
}

fn light(ui: &mut Ui, settings: &mut ViewSettings) {
    let config = egui::containers::menu::MenuConfig::new()
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let (button, _) = MenuButton::new("Light").config(config).ui(ui, |ui| {
        ui.spacing_mut().slider_width = 160.0;
        let slider =
            |value, range, name| Slider::new(value, range).text(name).suffix("°").fixed_decimals(0);
        ui.add(slider(&mut settings.light_azimuth, -180.0..=180.0, "left – right"))
            .on_hover_text("Where the key light comes from; it goes with the camera");
        ui.add(slider(&mut settings.light_elevation, -90.0..=90.0, "down – up"))
            .on_hover_text("How high the key light is");
        if ui.button("Reset light").clicked() {
            settings.light_azimuth = ViewSettings::LIGHT_AZIMUTH;
            settings.light_elevation = ViewSettings::LIGHT_ELEVATION;
        }
    });
    button.on_hover_text("Direction of the key light");
}

fn directions(ui: &mut Ui, camera: &mut OrbitCamera) {
    let (button, _) = MenuButton::new("View").ui(ui, |ui| {
        for preset in Preset::ALL {
            let key = preset_key(preset).symbol_or_name();
            let choice =
                Button::selectable(camera.looks(preset), preset.label()).shortcut_text(key);
            if ui.add(choice).clicked() {
                camera.look(preset);
            }
        }
        ui.separator();
        if ui.add(Button::new("Opposite side").shortcut_text("9")).clicked() {
            camera.turn(180.0, -2.0 * camera.elevation_degrees);
        }
        if ui.add(Button::new("First view").shortcut_text("Home")).clicked() {
            *camera = OrbitCamera::default();
        }
    });
    button.on_hover_text("Look from a named direction");
}
