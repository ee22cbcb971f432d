//! The keys of the live view.

use super::camera::{OrbitCamera, Preset};
use super::settings::ViewSettings;
use eframe::egui;
use egui::{Event, Key, Modifiers};

/// Degrees that an arrow key turns, and with Shift.
const STEP: (f32, f32) = (15.0, 3.0);
/// How much nearer a key press comes.
const ZOOM: f32 = 1.2;

/// What keys and mouse do over the live view, for a help window: what to press, and what
/// it does.
pub const SHORTCUTS: &[(&str, &str)] = &[
    ("Left drag", "Turn round the head"),
    ("Right drag, middle drag, Shift + left drag", "Move the picture"),
    ("Scroll, pinch", "Zoom at the pointer"),
    ("Click", "Point at a place on the head"),
    ("Double click, F", "Fit the head into the view"),
    ("Arrow keys", "Turn by 15 degrees, with Shift by 3"),
    ("+, -", "Zoom in, zoom out"),
    ("Home", "Back to the first view"),
    ("1", "Look at the front"),
    ("2", "Look at the back"),
    ("3", "Look at the subject's left side"),
    ("4", "Look at the subject's right side"),
    ("7", "Look from the top"),
    ("9", "Look from the opposite side"),
    ("M", "Next mode: shaded, texture, normals"),
    ("W", "Show or hide the wireframe"),
    ("L", "Show or hide the landmarks"),
    ("C", "Compare with the head before the edit"),
];

/// The key of a named direction.
pub(super) fn preset_key(preset: Preset) -> Key {
    match preset {
        Preset::Front => Key::Num1,
        Preset::Back => Key::Num2,
        Preset::Left => Key::Num3,
        Preset::Right => Key::Num4,
        Preset::Top => Key::Num7,
    }
}

/// Does what the keys pressed since the last frame ask for, and takes them. `frame` fits the
/// head into the view.
pub(super) fn handle(
    ui: &egui::Ui,
    camera: &mut OrbitCamera,
    settings: &mut ViewSettings,
    frame: impl Fn(&mut OrbitCamera),
) {
    ui.input_mut(|input| {
        input.events.retain(|event| match event {
            Event::Key { key, pressed: true, modifiers, .. }
                if *modifiers == Modifiers::NONE || *modifiers == Modifiers::SHIFT =>
            {
                !press(*key, modifiers.shift, camera, settings, &frame)
            }
            _ => true,
        });
    });
}

/// Whether the key means something.
fn press(
    key: Key,
    shift: bool,
    camera: &mut OrbitCamera,
    settings: &mut ViewSettings,
    frame: impl Fn(&mut OrbitCamera),
) -> bool {
    let step = if shift { STEP.1 } else { STEP.0 };
    match key {
        Key::ArrowLeft => camera.turn(-step, 0.0),
        Key::ArrowRight => camera.turn(step, 0.0),
        Key::ArrowUp => camera.turn(0.0, step),
        Key::ArrowDown => camera.turn(0.0, -step),
        // On many keyboards plus is Shift and equals.
        Key::Plus | Key::Equals => camera.zoom(ZOOM),
        Key::Minus => camera.zoom(1.0 / ZOOM),
        _ if shift => return false,
        Key::F => frame(camera),
        Key::Home => *camera = OrbitCamera::default(),
        Key::Num9 => camera.turn(180.0, -2.0 * camera.elevation_degrees),
        Key::M => settings.mode = settings.mode.next(),
        Key::W => settings.wireframe = !settings.wireframe,
        Key::L => settings.landmarks = !settings.landmarks,
        Key::C => settings.compare = !settings.compare,
        _ => {
            let preset = Preset::ALL.into_iter().find(|preset| preset_key(*preset) == key);
            let Some(preset) = preset else { return false };
            camera.look(preset);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_what_the_table_says() {
        let (mut camera, mut settings) = (OrbitCamera::default(), ViewSettings::default());
        let mut press = |key, shift| press(key, shift, &mut camera, &mut settings, |_| ());
        assert!(press(Key::Num3, false) && press(Key::ArrowUp, false) && press(Key::W, false));
        assert!(press(Key::ArrowRight, true) && press(Key::Num9, false) && press(Key::M, false));
        assert!(!press(Key::Num5, false) && !press(Key::W, true));
        assert!((camera.azimuth_degrees - -87.0).abs() < 1e-3, "{camera:?}");
        assert!((camera.elevation_degrees - -15.0).abs() < 1e-3);
        assert!(settings.wireframe);
        for preset in Preset::ALL {
            let key = preset_key(preset).symbol_or_name();
            assert!(SHORTCUTS.iter().any(|(keys, _)| *keys == key), "{key}");
        }
    }
}
