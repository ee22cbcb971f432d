//! Opening the window.

use super::{Preferences, Window};
use eframe::egui;
use std::path::PathBuf;

/// Name of the window and of the folder that remembers its layout.
const NAME: &str = "HeadSculpt";
/// Where the preferences lie in eframe's storage.
pub(super) const PREFERENCES: &str = "preferences";

/// What the window starts with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A project to open.
    pub open: Option<PathBuf>,
    /// Where new projects go, in place of the remembered folder.
    pub projects: Option<PathBuf>,
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// A sentence if the system has no display or no graphics driver.
pub fn run(options: Options) -> Result<(), String> {
    let viewport = egui::ViewportBuilder::default()
        .with_title(NAME)
        .with_app_id("headsculpt")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([820.0, 560.0])
        .with_drag_and_drop(true);
    let native = eframe::NativeOptions { viewport, ..Default::default() };
    let create = move |cc: &eframe::CreationContext<'_>| {
        let read = cc.storage.and_then(|storage| eframe::get_value(storage, PREFERENCES));
        let preferences: Preferences = read.unwrap_or_default();
        let app: Box<dyn eframe::App> = Box::new(Window::new(cc, preferences, options));
        Ok(app)
    };
    eframe::run_native(NAME, native, Box::new(create)).map_err(|error| {
        tracing::info!("{error}");
        let error = match error {
            // Its own words name a line of its source.
            eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
                "there is no display".to_owned()
            }
            other => other.to_string(),
        };
        format!("the window cannot be opened ({error}); headsculpt --help lists the commands that need none")
    })
}
