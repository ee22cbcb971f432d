//! The live view of a head.
//!
//! [`Viewport`] is the widget: it keeps an [`OrbitCamera`] and [`ViewSettings`], has
//! [`ViewportRenderer`] draw into a texture when something changed, and paints landmarks and
//! the handle between before and after over it.

mod anchors;
mod camera;
mod content;
mod edges;
mod gpu;
mod guard;
mod interaction;
mod mesh_slot;
mod mipmaps;
mod overlay;
mod pick;
mod pipelines;
mod renderer;
mod settings;
mod shortcuts;
mod targets;
#[cfg(test)]
mod tests;
mod toolbar;

pub use camera::{MAX_DISTANCE, MIN_DISTANCE, OrbitCamera, Preset};
pub use content::Content;
pub use overlay::Landmarks;
pub use pick::{Hit, pick, pick_among};
pub use pipelines::shader_sources;
pub use renderer::{MAX_SIDE, Slot, ViewportRenderer};
pub use settings::{ShadingMode, ViewSettings};
pub use shortcuts::SHORTCUTS;
pub use toolbar::{Shown, toolbar};

use crate::render::RenderError;
use content::Posed;
use eframe::egui;
use eframe::egui_wgpu::RenderState;
use egui::{Color32, Pos2, Rect, Role, Sense, WidgetInfo};
use glam::Vec3;
use gpu::Gpu;
use std::time::{Duration, Instant};

/// What is said where there is nothing to draw with.
const NO_GPU: &str = "The 3D view needs a graphics driver for Vulkan, Metal or DirectX 12, and \
                      this window has none.";

/// What the user did in the view since the last frame.
#[derive(Debug, Clone, Default)]
pub struct ViewportResponse {
    /// Where on the head as it is the user clicked. A drag is no click, and neither is one
    /// on the head before an edit.
    pub clicked: Option<Hit>,
    /// Where on the head as it is the pointer is, with [`Viewport::pick_on_hover`].
    pub hovered: Option<Hit>,
    /// Whether the user changed the camera or the settings, which are worth keeping then.
    pub changed: bool,
}

/// What of the heads has yet to go to the GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pending {
    after: bool,
    before: bool,
    pose: bool,
}

impl Pending {
    const ALL: Self = Self { after: true, before: true, pose: true };
    const NONE: Self = Self { after: false, before: false, pose: false };
}

/// The live view of a head.
///
/// It draws when camera, settings, content or size have changed and only then: a window that
/// nobody touches costs nothing.
#[derive(Debug)]
pub struct Viewport {
    /// Where the head is seen from.
    pub camera: OrbitCamera,
    /// How it is shown.
    pub settings: ViewSettings,
    /// Whether [`ViewportResponse::hovered`] is looked for, which takes a few milliseconds
    /// each time the pointer moves.
    pub pick_on_hover: bool,
    /// The shortest time between two pictures of a movement; see [`Self::pace_beside_jobs`].
    pub pace: Duration,
    gpu: Option<Gpu>,
    failure: Option<String>,
    posed: Posed,
    pending: Pending,
    drawn: Option<Drawn>,
    drawn_at: Instant,
    renders: u64,
    hover: Option<(Pos2, OrbitCamera, Option<Hit>)>,
    /// Whether the drag that goes on moves the picture instead of turning.
    pans: bool,
}

/// What the picture depends on besides the heads.
#[derive(Debug, Clone, PartialEq)]
struct Drawn {
    camera: OrbitCamera,
    settings: ViewSettings,
    size: [u32; 2],
    /// What a movement showed is drawn again when it has ended.
    moving: bool,
}

impl Viewport {
    /// A view that draws with the window's device. Without one it shows a sentence, and so it
    /// does if the driver refuses something.
    #[must_use]
    pub fn new(render_state: Option<&RenderState>) -> Self {
        let mut viewport = Self {
            camera: OrbitCamera::default(),
            settings: ViewSettings::default(),
            pick_on_hover: false,
            pace: Duration::ZERO,
            gpu: None,
            failure: None,
            posed: Posed::default(),
            pending: Pending::ALL,
            drawn: None,
            drawn_at: Instant::now(),
            renders: 0,
            hover: None,
            pans: false,
        };
        viewport.reset_gpu(render_state);
        viewport
    }

    /// Starts afresh with the window's device, after it was lost for example. Camera,
    /// settings and content stay.
    pub fn reset_gpu(&mut self, render_state: Option<&RenderState>) {
        self.gpu = None;
        self.failure = None;
        self.drawn = None;
        self.pending = Pending::ALL;
        match render_state.map(Gpu::new) {
            Some(Ok(gpu)) => self.gpu = Some(gpu),
            Some(Err(error)) => self.fail(&error),
            None => self.failure = Some(NO_GPU.to_owned()),
        }
    }

    /// Shows other heads. A new head is at rest; one that is shown already keeps its pose.
    pub fn set_content(&mut self, content: Content) {
        let (after, before) = self.posed.replace(content);
        self.pending.after |= after;
        self.pending.before |= before;
        self.hover = None;
        if after || before {
            self.retry();
        }
    }

    /// Moves the vertices of the head as it is: one position and one unit normal a vertex.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] if there is no head, or one with another number of vertices.
    pub fn set_pose(
        &mut self,
        positions: Vec<Vec3>,
        normals: Vec<Vec3>,
    ) -> Result<(), RenderError> {
        self.posed.set_pose(positions, normals)?;
        self.pending.pose = true;
        self.hover = None;
        Ok(())
    }

    /// What is shown.
    #[must_use]
    pub fn content(&self) -> &Content {
        self.posed.content()
    }

    /// The smallest and largest coordinates of the head as it is shown.
    #[must_use]
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        self.posed.bounds()
    }

    /// Fits the head into the view; without one, goes back to the first view.
    pub fn frame(&mut self) {
        frame(&mut self.camera, &self.posed);
    }

    /// Why there is no picture, in a sentence.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// How often it has drawn.
    #[must_use]
    pub fn render_count(&self) -> u64 {
        self.renders
    }

    /// How fast a movement may be shown while a job needs the machine.
    #[must_use]
    pub fn pace_beside_jobs(&self) -> Duration {
        self.gpu.as_ref().map_or(Duration::ZERO, |gpu| pace(gpu.device_type()))
    }

    /// The row of switches over the view; returns whether the user changed anything.
    pub fn toolbar(&mut self, ui: &mut egui::Ui) -> bool {
        let content = self.posed.content();
        let shown = Shown {
            head: content.after.is_some(),
            before: content.before.is_some(),
            landmarks: content.landmarks.is_some(),
        };
        let old = (self.camera, self.settings.clone());
        if toolbar(ui, &mut self.settings, &mut self.camera, shown) {
            self.frame();
        }
        old != (self.camera, self.settings.clone())
    }

    /// The view, in all the room that there is.
    pub fn ui(&mut self, ui: &mut egui::Ui) -> ViewportResponse {
        let size = ui.available_size().max(egui::Vec2::ZERO);
        let (_, rect) = ui.allocate_space(size);
        // On whole pixels the picture is shown as it was drawn.
        let rect = egui::emath::GuiRounding::round_to_pixels(rect, ui.pixels_per_point());
        let response = ui.interact(rect, ui.scope_id().with("viewport"), Sense::click_and_drag());
        if !(rect.width() >= 1.0 && rect.height() >= 1.0) {
            return ViewportResponse::default();
        }
        let old = (self.camera, self.settings.clone());
        self.camera = self.camera.sanitized();
        self.settings = self.settings.clone().sanitized();
        if self.failure.is_some() && response.clicked() {
            self.retry();
        }
        let mut happened = self.interact(ui, &response, rect);
        happened.changed = old != (self.camera, self.settings.clone());
        self.paint(ui, &response, rect);
        let description = self.camera.description();
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Canvas, true, format!("3D view of the head, {description}"))
        });
        happened
    }

    /// Whether the head before an edit is on the left of the view.
    fn compares(&self) -> bool {
        self.settings.compare && self.posed.content().before.is_some()
    }

    fn paint(&mut self, ui: &egui::Ui, response: &egui::Response, rect: Rect) {
        let size = (rect.size() * ui.pixels_per_point()).round();
        let moving =
            response.dragged() || ui.ctx().is_being_dragged(interaction::handle_id(response));
        match self.draw([size.x as u32, size.y as u32], moving) {
            Ok(None) => {}
            Ok(Some(later)) => ui.ctx().request_repaint_after(later),
            Err(error) => self.fail(&error),
        }
        let painter = ui.painter_at(rect);
        let [r, g, b] = self.settings.background;
        if let Some(failure) = &self.failure {
            painter.rect_filled(rect, 0.0, ui.visuals().extreme_bg_color);
            sentence(ui, &painter, rect, failure);
            return;
        }
        match self.gpu.as_ref().and_then(Gpu::texture) {
            Some(texture) => {
                let whole = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
                painter.image(texture, rect, whole, Color32::WHITE);
            }
            None => drop(painter.rect_filled(rect, 0.0, Color32::from_rgb(r, g, b))),
        }
        let split = rect.left() + self.settings.split * rect.width();
        if self.settings.landmarks
            && let Some(landmarks) = &self.posed.content().landmarks
        {
            let side = if self.compares() { rect.with_min_x(split) } else { rect };
            let (points, painter) = (self.posed.landmarks(), painter.with_clip_rect(side));
            overlay::landmarks(&painter, rect, &self.camera, &points, &landmarks.lines);
        }
        if self.compares() {
            let handle = interaction::handle_id(response);
            let active = ui
                .ctx()
                .read_response(handle)
                .is_some_and(|handle| handle.hovered() || handle.dragged() || handle.has_focus());
            overlay::split(&painter, rect, split, active);
        }
        if response.has_focus() {
            let stroke = ui.visuals().selection.stroke;
            painter.rect_stroke(rect, 0.0, stroke, egui::StrokeKind::Inside);
        }
    }

    /// Draws what has changed; gives how long to wait if that is not to be yet.
    fn draw(&mut self, size: [u32; 2], moving: bool) -> Result<Option<Duration>, RenderError> {
        let wanted = Drawn {
            camera: self.camera,
            settings: ViewSettings {
                // What is painted over the picture does not change it.
                landmarks: false,
                compare: self.compares(),
                split: if self.compares() { self.settings.split } else { 0.0 },
                ..self.settings.clone()
            },
            size,
            moving,
        };
        let Some(gpu) = &mut self.gpu else { return Ok(None) };
        if self.failure.is_some()
            || (self.pending == Pending::NONE && self.drawn.as_ref() == Some(&wanted))
        {
            return Ok(None);
        }
        let goes_on = self.drawn.as_ref().is_some_and(|drawn| drawn.moving && moving);
        let early = self.pace.saturating_sub(self.drawn_at.elapsed());
        if goes_on && !early.is_zero() {
            return Ok(Some(early));
        }
        let content = self.posed.content();
        if self.pending.after {
            let colors = content.colors.as_ref().map(|colors| colors.as_slice());
            gpu.renderer.set_colored_mesh(Slot::After, content.after.as_ref(), colors)?;
        }
        if self.pending.before {
            gpu.renderer.set_mesh(Slot::Before, content.before.as_ref())?;
        }
        if (self.pending.after || self.pending.pose)
            && let Some((positions, normals)) = self.posed.pose()
        {
            gpu.renderer.set_positions(Slot::After, positions, normals)?;
        }
        self.pending = Pending::NONE;
        self.drawn_at = Instant::now();
        self.renders += 1;
        gpu.renderer.set_moving(moving);
        if gpu.renderer.render(&wanted.camera, &wanted.settings, size)? {
            gpu.register()?;
        }
        self.drawn = Some(wanted);
        Ok(None)
    }

    fn fail(&mut self, error: &RenderError) {
        tracing::warn!("the 3D view cannot draw: {error}");
        let again = if self.gpu.is_some() { " Click to try again." } else { "" };
        let words = capitalized(error);
        self.failure = Some(format!("The 3D view cannot be drawn. {words}{again}"));
    }

    /// Draws again after a failure; what fails for good fails again.
    fn retry(&mut self) {
        if self.gpu.is_some() && self.failure.take().is_some() {
            self.pending = Pending::ALL;
            self.drawn = None;
        }
    }
}

/// The shortest time between two pictures of a movement while a job runs. A software driver
/// draws on the processor that the job needs: there a quarter of a screen's pictures must do.
#[must_use]
pub fn pace(device: wgpu::DeviceType) -> Duration {
    if device == wgpu::DeviceType::Cpu { Duration::from_millis(66) } else { Duration::ZERO }
}

/// Fits the head into the view; without one, goes back to the first view.
fn frame(camera: &mut OrbitCamera, posed: &Posed) {
    match posed.surface() {
        Some(head) => camera.frame_points(head.positions.iter().copied()),
        None => *camera = OrbitCamera::default(),
    }
}

/// An error's words as a sentence.
fn capitalized(error: &RenderError) -> String {
    let words = error.to_string();
    let mut rest = words.chars();
    let first = rest.next().map(char::to_uppercase).into_iter().flatten();
    let mut sentence: String = first.chain(rest).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// Paints a sentence in the middle.
fn sentence(ui: &egui::Ui, painter: &egui::Painter, rect: Rect, words: &str) {
    let colour = ui.visuals().text_color();
    let font = egui::TextStyle::Body.resolve(ui.style());
    let width = (rect.width() - 32.0).clamp(1.0, 480.0);
    let text = painter.layout(words.to_owned(), font, colour, width);
    painter.galley(rect.center() - 0.5 * text.size(), text, colour);
}
