//! The window's GPU device: a lost one does not take the work along.
//!
//! egui cannot change its device, so that a window whose device is lost is closed, and the same
//! [`Window`] goes on in another one: its document, its running job, its log.

use super::Window;
use crate::app::panels::log::Level;
use crate::app::theme;
use crate::session::Waker;
use eframe::egui;
use egui::ViewportCommand;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What is lost, in the driver's words.
pub(super) type Loss = Arc<OnceLock<String>>;

/// Wakes the window of the moment up, from any thread.
#[derive(Debug, Clone)]
pub(super) struct Wake(Arc<Mutex<egui::Context>>);

impl Wake {
    pub fn new(ctx: &egui::Context) -> Self {
        Self(Arc::new(Mutex::new(ctx.clone())))
    }

    pub fn now(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).request_repaint();
    }

    /// What a job calls when there is something to see.
    pub fn waker(&self) -> Waker {
        let wake = self.clone();
        Arc::new(move || wake.now())
    }

    fn bind(&self, ctx: &egui::Context) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ctx.clone();
    }
}

/// Notes the loss of a window's device, and keeps errors of its driver from ending the program.
pub(super) fn watch(cc: &eframe::CreationContext<'_>) -> Loss {
    let loss = Loss::default();
    let Some(state) = &cc.wgpu_render_state else { return loss };
    let (slot, ctx) = (Arc::clone(&loss), cc.egui_ctx.clone());
    state.device.set_device_lost_callback(move |reason, message| {
        let message = if message.is_empty() { format!("{reason:?}") } else { message };
        // The first reason counts.
        let _ = slot.set(message);
        ctx.request_repaint();
    });
    state.device.on_uncaptured_error(Arc::new(|error: wgpu::Error| {
        tracing::warn!("the window's graphics driver: {error}");
    }));
    loss
}

impl Window {
    /// Why this window can draw no more, in the driver's words.
    #[must_use]
    pub fn loss(&self) -> Option<&str> {
        self.loss.get().map(String::as_str)
    }

    /// Closes a window that can draw no more.
    pub(super) fn leave_lost(&self, ctx: &egui::Context) {
        if self.loss().is_some() {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    /// Goes on in another window, after the device of the one before was lost.
    pub fn rebind(&mut self, cc: &eframe::CreationContext<'_>) {
        if let Some(reason) = self.loss.get() {
            let text = format!(
                "The window was opened anew: its GPU device was lost ({reason}). Nothing else was"
            );
            self.log.push(Level::Warning, text);
        }
        theme::apply(&cc.egui_ctx, self.preferences.theme);
        cc.egui_ctx.set_zoom_factor(self.preferences.zoom);
        self.loss = watch(cc);
        self.wake.bind(&cc.egui_ctx);
        self.viewport.reset_gpu(cc.wgpu_render_state.as_ref());
        self.history.forget_pictures();
        self.progress.forget_pictures();
        self.candidates.forget_pictures();
    }
}

/// A [`Window`] as eframe shows it: what is left when eframe's own window is gone is shared.
#[derive(Debug, Clone, Default)]
pub struct Face(Rc<RefCell<Option<Window>>>);

impl Face {
    /// The window, once it has been opened.
    #[must_use]
    pub fn window(&self) -> std::cell::Ref<'_, Option<Window>> {
        self.0.borrow()
    }

    /// Puts a window behind the face: a new one, or the one that was there in its new place.
    pub fn open(
        &self,
        cc: &eframe::CreationContext<'_>,
        new: impl FnOnce(&eframe::CreationContext<'_>) -> Window,
    ) {
        let mut slot = self.0.borrow_mut();
        match slot.as_mut() {
            Some(window) => window.rebind(cc),
            None => *slot = Some(new(cc)),
        }
    }
}

impl eframe::App for Face {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        if let Some(window) = self.0.borrow_mut().as_mut() {
            window.logic(ctx, frame);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        if let Some(window) = self.0.borrow_mut().as_mut() {
            window.ui(ui, frame);
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        if let Some(window) = self.0.borrow_mut().as_mut() {
            window.save(storage);
        }
    }
}
