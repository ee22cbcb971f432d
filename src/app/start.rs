//! Opening the window.

use super::{Face, Preferences, Window};
use eframe::egui;
use std::path::PathBuf;
use std::time::{Duration, Instant};

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

/// How long a window has to last for its successor to be opened, should its device be lost.
const LASTING: Duration = Duration::from_secs(20);

/// Opens the window and returns when it is closed. If its GPU device is lost, another window
/// goes on where it was.
///
/// # Errors
/// A sentence if the system has no display or no graphics driver, or one that fails at once
/// again.
pub fn run(options: &Options) -> Result<(), String> {
    let face = Face::default();
    loop {
        let opened = Instant::now();
        show(face.clone(), options.clone())?;
        let window = face.window();
        let Some(reason) = window.as_ref().and_then(Window::loss) else { return Ok(()) };
        tracing::warn!("the window's GPU device was lost: {reason}");
        if opened.elapsed() < LASTING {
            return Err(format!(
                "the window's GPU device was lost ({reason}), and a new one is no better; \
                 everything that was saved is there when the window is opened again"
            ));
        }
    }
}

/// Shows a face until its window is closed.
fn show(face: Face, options: Options) -> Result<(), String> {
    let viewport = egui::ViewportBuilder::default()
        .with_title(NAME)
        .with_app_id("headsculpt")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([820.0, 560.0])
        .with_drag_and_drop(true);
    let native = eframe::NativeOptions { viewport, ..Default::default() };
    let create = move |cc: &eframe::CreationContext<'_>| {
        face.open(cc, |cc| {
            let read = cc.storage.and_then(|storage| eframe::get_value(storage, PREFERENCES));
            let preferences: Preferences = read.unwrap_or_default();
            Window::new(cc, preferences, options)
        });
        let app: Box<dyn eframe::App> = Box::new(face);
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
