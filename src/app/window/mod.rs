//! The window: panels round the view, and what their actions do.

mod act;
mod device;
mod jobs;
mod keys;
mod layout;
mod project;

use super::action::Action;
use super::dialogs::Dialogs;
use super::document::Document;
use super::panels;
use super::panels::candidates::Candidates;
use super::panels::edit::EditPanel;
use super::panels::export::ExportPanel;
use super::panels::expression::ExpressionPanel;
use super::panels::history::HistoryPanel;
use super::panels::log::{Level, Log};
use super::panels::models::ModelsPanel;
use super::panels::progress::ProgressPanel;
use super::panels::prompt::PromptPanel;
use super::panels::steer::SteerPanel;
use super::preferences::Preferences;
use super::start::{Options, PREFERENCES};
use super::theme;
use super::viewport::{Landmarks, Viewport};
use super::work::{Task, Work};
use crate::config::GenerationConfig;
use crate::diffusion::{Library, Registry};
use crate::geometry::TexturedMesh;
use crate::head::ShapedHead;
use eframe::egui;
use egui::{Panel, Ui};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

pub use device::Face;
use device::{Loss, Wake};

/// The panels on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    History,
    Expression,
    Export,
    Models,
}

impl Tab {
    const ALL: [(Self, &str); 4] = [
        (Self::History, "History"),
        (Self::Expression, "Expression"),
        (Self::Export, "Export"),
        (Self::Models, "Models"),
    ];
}

/// A surface with the colours of its vertices.
type Growing = (Arc<TexturedMesh>, Arc<Vec<[u8; 4]>>);

/// The prior below the open head, from a thread of its own.
type PriorReceiver = Receiver<Result<ShapedHead, String>>;

/// The window.
pub struct Window {
    preferences: Preferences,
    document: Option<Document>,
    work: Option<Work>,
    /// Heads that are made when the running one is.
    queue: VecDeque<GenerationConfig>,
    models: Option<Library>,
    log: Log,
    viewport: Viewport,
    prior: Option<ShapedHead>,
    prior_receiver: Option<PriorReceiver>,
    landmarks: Option<Arc<Landmarks>>,
    /// The newest surface of a head in the making, with the colours of its vertices.
    growing: Option<Growing>,
    /// A version to compare with, in place of the one before.
    compared: Option<u64>,
    candidates: Candidates,
    prompt: PromptPanel,
    edit: EditPanel,
    history: HistoryPanel,
    expression: ExpressionPanel,
    export: ExportPanel,
    models_panel: ModelsPanel,
    progress: ProgressPanel,
    steer: SteerPanel,
    tab: Tab,
    is_helping: bool,
    /// The path in the dialog that opens a project, while it is seen.
    opening: Option<String>,
    dialogs: Dialogs,
    wake: Wake,
    loss: Loss,
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window").field("document", &self.document).finish_non_exhaustive()
    }
}

impl Window {
    /// The window as it opens.
    #[must_use]
    pub fn new(
        cc: &eframe::CreationContext<'_>,
        mut preferences: Preferences,
        options: Options,
    ) -> Self {
        if let Some(projects) = options.projects {
            preferences.projects = projects;
        }
        theme::apply(&cc.egui_ctx, preferences.theme);
        cc.egui_ctx.set_zoom_factor(preferences.zoom.clamp(0.5, 3.0));
        let mut viewport = Viewport::new(cc.wgpu_render_state.as_ref());
        viewport.settings = preferences.view.clone();
        let mut window = Self {
            preferences,
            document: None,
            work: None,
            queue: VecDeque::new(),
            models: None,
            log: Log::default(),
            viewport,
            prior: None,
            prior_receiver: None,
            landmarks: None,
            growing: None,
            compared: None,
            candidates: Candidates::default(),
            prompt: PromptPanel::default(),
            edit: EditPanel::default(),
            history: HistoryPanel::default(),
            expression: ExpressionPanel::default(),
            export: ExportPanel::default(),
            models_panel: ModelsPanel::default(),
            progress: ProgressPanel::default(),
            steer: SteerPanel::default(),
            tab: Tab::default(),
            is_helping: false,
            opening: None,
            dialogs: Dialogs::default(),
            wake: Wake::new(&cc.egui_ctx),
            loss: device::watch(cc),
        };
        window.look_for_models();
        if let Some(folder) = options.open {
            window.open(&folder);
        }
        window
    }

    /// The open project.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.document.as_ref()
    }

    /// The running job.
    #[must_use]
    pub fn work(&self) -> Option<&Work> {
        self.work.as_ref()
    }

    fn task(&self) -> Option<&Task> {
        self.work.as_ref().map(|work| &work.task)
    }

    /// The view.
    #[must_use]
    pub fn viewport(&self) -> &Viewport {
        &self.viewport
    }

    /// What has happened so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    fn look_for_models(&mut self) {
        match Registry::of_user() {
            Ok(registry) => self.models = Some(Library::of(&registry)),
            Err(error) => {
                self.models = None;
                self.log.push(Level::Error, error.to_string());
            }
        }
    }

    /// Runs a panel with what it may look at, and takes its actions.
    pub(super) fn panel<R>(
        &mut self,
        actions: &mut Vec<Action>,
        show: impl FnOnce(&mut Self, &mut panels::Context<'_>) -> R,
    ) -> R {
        // Panels and what they look at are parts of the same window.
        let document = self.document.take();
        let work = self.work.take();
        let models = self.models.take();
        let mut preferences = std::mem::take(&mut self.preferences);
        let mut cx = panels::Context {
            document: document.as_ref(),
            work: work.as_ref(),
            models: models.as_ref(),
            preferences: &mut preferences,
            actions,
        };
        let shown = show(self, &mut cx);
        self.document = document;
        self.work = work;
        self.models = models;
        self.preferences = preferences;
        shown
    }
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.poll();
        self.leave_lost(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        if self.loss().is_some() {
            // Painting anything would fail.
            return;
        }
        let mut actions = Vec::new();
        self.shortcuts(ui, &mut actions);
        Panel::top("menu").show(ui, |ui| self.menu(ui, &mut actions));
        if self.preferences.log {
            Panel::bottom("log").resizable(true).default_size(130.0).show(ui, |ui| self.log.ui(ui));
        }
        self.newest_problem(ui);
        Panel::left("make")
            .resizable(true)
            .default_size(290.0)
            .size_range(230.0..=420.0)
            .show(ui, |ui| self.left(ui, &mut actions));
        Panel::right("head")
            .resizable(true)
            .default_size(280.0)
            .size_range(220.0..=460.0)
            .show(ui, |ui| self.right(ui, &mut actions));
        let fill = ui.visuals().panel_fill;
        let frame = egui::Frame::new().fill(fill);
        egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| self.centre(ui, &mut actions));
        let ctx = ui.ctx().clone();
        self.help(&ctx);
        self.open_dialog(&ctx, &mut actions);
        self.chosen(&mut actions);
        for action in actions {
            self.act(action);
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        eframe::set_value(storage, PREFERENCES, &self.preferences);
    }
}
