//! What mouse and keys do in the live view.

use super::camera::OrbitCamera;
use super::pick::{Hit, pick_among};
use super::{Viewport, ViewportResponse, frame, shortcuts};
use eframe::egui;
use egui::{
    CursorIcon, EventFilter, Id, Key, Modifiers, PointerButton, Pos2, Rect, Response, Role, Sense,
    WidgetInfo, vec2,
};

/// How much nearer one point of scrolling comes, as an exponent.
const ZOOM_A_POINT: f32 = 0.0025;
/// Width of the handle between before and after, points.
const HANDLE: f32 = 22.0;
/// How far an arrow key moves that handle, as a share of the width.
const HANDLE_STEP: f32 = 0.05;

/// The handle between before and after of a view.
pub(super) fn handle_id(viewport: &Response) -> Id {
    viewport.id.with("split")
}

impl Viewport {
    /// Does what the user asks for.
    pub(super) fn interact(
        &mut self,
        ui: &egui::Ui,
        response: &Response,
        rect: Rect,
    ) -> ViewportResponse {
        self.move_split(ui, response, rect);
        self.drag(ui, response, rect);
        self.scroll(ui, response, rect);
        self.keys(ui, response);
        let mut happened = ViewportResponse::default();
        if response.double_clicked() {
            self.frame();
        } else if response.clicked_by(PointerButton::Primary)
            && let Some(at) = response.interact_pointer_pos()
        {
            happened.clicked = self.hit(at, rect);
        }
        if self.pick_on_hover && !response.dragged() {
            happened.hovered = response.hover_pos().and_then(|at| self.hover_hit(at, rect));
        }
        happened
    }

    fn drag(&mut self, ui: &egui::Ui, response: &Response, rect: Rect) {
        if response.clicked() || response.drag_started() {
            response.request_focus();
        }
        if !response.dragged() {
            return;
        }
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        // Until it is clear that this is no click, the drag has gone some way already.
        let whole = if response.drag_started() { response.total_drag_delta() } else { None };
        let drag = whole.unwrap_or_else(|| response.drag_delta());
        if response.drag_started() {
            let shift = ui.input(|i| i.modifiers.shift);
            self.pans = shift || !response.dragged_by(PointerButton::Primary);
        }
        if self.pans {
            self.camera.pan(drag, rect.size());
        } else {
            self.camera.orbit(drag);
        }
    }

    fn scroll(&mut self, ui: &egui::Ui, response: &Response, rect: Rect) {
        let Some(at) = response.hover_pos() else { return };
        let factor = ui.input_mut(|input| {
            let scroll = input.smooth_scroll_delta();
            // Whatever the view is in must not scroll as well.
            input.smooth_scroll_delta = egui::Vec2::ZERO;
            (scroll.y * ZOOM_A_POINT).exp() * input.zoom_delta()
        });
        if factor != 1.0 {
            self.camera.zoom_at(factor, at, rect);
        }
    }

    fn keys(&mut self, ui: &egui::Ui, response: &Response) {
        let filter =
            EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        // Keys that go to no widget go to the view under the pointer.
        let free = ui.memory(|memory| memory.focused().is_none());
        if response.has_focus() || (response.hovered() && free) {
            let posed = &self.posed;
            let fit = |camera: &mut OrbitCamera| frame(camera, posed);
            shortcuts::handle(ui, &mut self.camera, &mut self.settings, fit);
        }
    }

    /// The handle between before and after: by mouse, by arrow keys, by assistive programs.
    fn move_split(&mut self, ui: &egui::Ui, response: &Response, rect: Rect) {
        if !self.compares() {
            return;
        }
        let x = rect.left() + self.settings.split * rect.width();
        let place =
            Rect::from_center_size(Pos2::new(x, rect.center().y), vec2(HANDLE, rect.height()));
        let id = handle_id(response);
        let handle = ui.interact(place.intersect(rect), id, Sense::drag());
        if handle.hovered() || handle.dragged() {
            ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
        }
        if handle.dragged()
            && let Some(at) = handle.interact_pointer_pos()
        {
            self.settings.split = ((at.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
        }
        if handle.has_focus() {
            let filter = EventFilter { horizontal_arrows: true, ..Default::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
            let presses = |key| ui.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key));
            let steps = presses(Key::ArrowRight) as f32 - presses(Key::ArrowLeft) as f32;
            let split = self.settings.split + steps * HANDLE_STEP;
            self.settings.split = split.clamp(0.0, 1.0);
        }
        let share = f64::from(self.settings.split);
        handle.widget_info(|| WidgetInfo {
            value: Some(share),
            ..WidgetInfo::labeled(Role::Slider, true, "Border between before and after")
        });
    }

    /// What of the head as it is a place of the view shows.
    fn hit(&self, at: Pos2, rect: Rect) -> Option<Hit> {
        let split = rect.left() + self.settings.split * rect.width();
        if self.compares() && at.x < split {
            return None;
        }
        let head = self.posed.surface()?;
        pick_among(head.positions, head.triangles, self.camera.ray(at, rect))
    }

    /// [`Self::hit`], looked for again only when something moved.
    fn hover_hit(&mut self, at: Pos2, rect: Rect) -> Option<Hit> {
        if let Some((place, camera, hit)) = &self.hover
            && *place == at
            && *camera == self.camera
        {
            return *hit;
        }
        let hit = self.hit(at, rect);
        self.hover = Some((at, self.camera, hit));
        hit
    }
}
