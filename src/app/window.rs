//! The window: panels round the view, and what their actions do.

use super::action::{Action, Ask};
use super::dialogs::Dialogs;
use super::document::Document;
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
use super::panels::{self, empty};
use super::preferences::{Preferences, Theme};
use super::start::{Options, PREFERENCES};
use super::theme;
use super::viewport::{Content, Landmarks, OrbitCamera, SHORTCUTS, Viewport};
use super::work::{News, Task, Work};
use crate::config::{GenerationConfig, slug};
use crate::diffusion::{Library, Registry};
use crate::geometry::{ColoredMesh, TexturedMesh};
use crate::head::ShapedHead;
use crate::session::history::{HistoryJob, Move};
use crate::session::{EditJob, ExportJob, GenerateJob, Job, Outcome, Waker, prior};
use eframe::egui;
use egui::{Key, KeyboardShortcut, Modifiers, Panel, RichText, Ui};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
const REDO: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
const GENERATE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Enter);
const OPEN: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::O);
const EXPORT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::E);

/// Shortcuts of the window, for the help: keys and what they do.
const WINDOW_SHORTCUTS: [(&str, &str); 8] = [
    ("Ctrl+Enter", "Make the head of the prompt"),
    ("Ctrl+Z", "Undo"),
    ("Ctrl+Shift+Z", "Redo"),
    ("Ctrl+O", "Open a project"),
    ("Ctrl+E", "Export"),
    ("Space", "Pause or continue"),
    ("Ctrl+L", "Show or hide the log"),
    ("F1", "This list"),
];

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
    ctx: egui::Context,
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
            ctx: cc.egui_ctx.clone(),
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

    // ---- Projects ----

    fn open(&mut self, folder: &Path) {
        match Document::open(folder) {
            Ok(document) => {
                for repair in document.repairs() {
                    self.log.push(Level::Warning, repair);
                }
                self.preferences.remember(document.folder());
                if !document.is_finished() {
                    let text =
                        "This head is not finished: press Continue to go on where it was left";
                    self.log.push(Level::Warning, text);
                }
                self.prompt.prompt.clone_from(&document.config().prompt);
                self.prompt.negative.clone_from(&document.config().negative);
                self.prompt.seed = document.config().seed;
                self.document = Some(document);
                self.prior = None;
                self.landmarks = None;
                self.prior_receiver = None;
                self.compared = None;
                self.look_for_prior();
                self.show();
                self.viewport.camera = OrbitCamera::default();
            }
            Err(error) => self.log.push(Level::Error, error.to_string()),
        }
    }

    /// Reads the open project again after a job has changed it.
    fn reload(&mut self) {
        let Some(document) = &mut self.document else { return };
        if let Err(error) = document.reload() {
            self.log.push(Level::Error, error.to_string());
        }
        self.show();
    }

    /// Gives the view what the document shows.
    fn show(&mut self) {
        // A head in the making is seen instead of the one that it will replace.
        if let Some(growing) = &self.growing {
            let (after, colors) = growing.clone();
            let before = self.document.as_ref().and_then(Document::head);
            let before = before.filter(|_| matches!(self.task(), Some(Task::Edit { .. })));
            self.viewport.set_content(Content {
                after: Some(after),
                colors: Some(colors),
                before: before.map(|head| Arc::clone(&head.shown)),
                landmarks: None,
            });
            return;
        }
        let content = match &self.document {
            None => Content::default(),
            Some(document) => {
                let compared = self.compared.and_then(|version| document.head_of(version));
                let before = compared.or_else(|| document.before());
                Content {
                    after: document.head().map(|head| Arc::clone(&head.shown)),
                    colors: None,
                    before: before.map(|head| Arc::clone(&head.shown)),
                    landmarks: self.landmarks.clone(),
                }
            }
        };
        self.viewport.set_content(content);
    }

    /// Builds the prior's head of the open project on a thread: it takes about a second.
    fn look_for_prior(&mut self) {
        let Some(document) = &self.document else { return };
        let config = document.config().clone();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let ctx = self.ctx.clone();
        let build = move || {
            let built = prior::prior(&config).map_err(|error| error.to_string());
            // The window may have moved on to another project.
            let _ = sender.send(built);
            ctx.request_repaint();
        };
        match std::thread::Builder::new().name("headsculpt-prior".into()).spawn(build) {
            Ok(_) => self.prior_receiver = Some(receiver),
            Err(error) => self.log.push(Level::Error, format!("cannot start a thread: {error}")),
        }
    }

    fn take_prior(&mut self) {
        let Some(receiver) = &self.prior_receiver else { return };
        match receiver.try_recv() {
            Ok(Ok(head)) => {
                let (points, lines) = prior::landmark_lines(&head);
                self.landmarks = Some(Arc::new(Landmarks { points, lines }));
                self.prior = Some(head);
                self.show();
            }
            Ok(Err(error)) => {
                let text = format!("landmarks and regions cannot be shown: {error}");
                self.log.push(Level::Warning, text);
            }
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => {}
        }
        self.prior_receiver = None;
    }

    // ---- Jobs ----

    fn start(&mut self, task: Task, job: impl Job) {
        let ctx = self.ctx.clone();
        let waker: Waker = Arc::new(move || ctx.request_repaint());
        match Work::start(task, job, waker) {
            Ok(work) => self.work = Some(work),
            Err(error) => self.log.push(Level::Error, error.to_string()),
        }
    }

    fn generate(&mut self, config: GenerationConfig) {
        let folder = free_folder(&self.preferences.projects, &config);
        if let Err(error) = std::fs::create_dir_all(&self.preferences.projects) {
            let place = self.preferences.projects.display();
            self.log.push(Level::Error, format!("cannot create {place}: {error}"));
            return;
        }
        // The head that was open stays as it is; what is made now is what is looked at.
        self.act(Action::Close);
        let task = Task::generate(folder.clone(), &config);
        self.start(task, GenerateJob::New { folder, config: Box::new(config) });
    }

    fn poll(&mut self) {
        self.take_prior();
        let Some(work) = &mut self.work else { return };
        let mut ended = None;
        for news in work.poll() {
            match news {
                News::Warning(text) => self.log.push(Level::Warning, text),
                News::Steered(change) => {
                    self.log.push(Level::Note, format!("from here on {}", change.describe()));
                }
                News::Saved(_) => {}
                News::Ended(outcome) => ended = Some(outcome),
            }
        }
        let surface = work.surface.take();
        if let Some(surface) = surface.filter(|surface| !surface.mesh.triangles.is_empty()) {
            let is_first = self.growing.is_none() && self.viewport.content().after.is_none();
            self.growing = Some(shown(surface));
            self.show();
            if is_first {
                self.viewport.camera = OrbitCamera::default();
            }
        }
        let Some(outcome) = ended else { return };
        let Some(work) = self.work.take() else { return };
        self.growing = None;
        self.ended(&work, outcome);
    }

    fn ended(&mut self, work: &Work, outcome: Outcome) {
        let took = panels::duration(work.started.elapsed().as_secs_f64());
        match outcome {
            Outcome::Completed(artifacts) => match &work.task {
                Task::Generate { prompt, .. } => {
                    self.log.push(Level::Note, format!("“{prompt}” is ready after {took}"));
                    self.open(&artifacts.folder);
                    if let Some(document) = &self.document {
                        self.candidates.add(&self.ctx, document);
                    }
                }
                Task::Edit { instruction } => {
                    self.log.push(Level::Note, format!("“{instruction}” is done after {took}"));
                    self.compared = None;
                    self.edit.instruction.clear();
                    self.reload();
                }
                Task::History => self.reload(),
                Task::Export => {
                    let text = format!("written: {}", artifacts.file.display());
                    self.log.push(Level::Note, text);
                    self.export.written = Some(artifacts.file);
                }
            },
            Outcome::Cancelled { resumable } => {
                self.queue.clear();
                let text = match (&resumable, &work.task) {
                    (Some(_), Task::Generate { .. }) => "stopped; Continue goes on with it",
                    (Some(_), _) => "stopped; the same again goes on with it",
                    (None, _) => "stopped; nothing was changed",
                };
                self.log.push(Level::Note, text);
                match (resumable, &work.task) {
                    (Some(folder), Task::Generate { .. }) => self.open(&folder),
                    _ => self.reload(),
                }
            }
            Outcome::Failed(error) => {
                self.queue.clear();
                self.log.push(Level::Error, error.to_string());
                self.preferences.log = true;
                if let Task::Generate { folder, .. } = &work.task
                    && Document::open(folder).is_ok()
                {
                    // What was saved before it failed can be continued.
                    self.open(&folder.clone());
                } else {
                    self.reload();
                }
            }
        }
        if let Some(next) = self.queue.pop_front() {
            self.generate(next);
        }
    }

    // ---- Actions ----

    fn act(&mut self, action: Action) {
        let is_busy = self.work.is_some();
        match action {
            Action::Pause(pause) => {
                if let Some(work) = &mut self.work {
                    work.pause(pause);
                }
            }
            Action::Steer(change) => {
                if let Some(work) = &self.work {
                    work.steer(change);
                }
            }
            Action::Keep => {
                if let Some(work) = &self.work {
                    work.keep();
                    self.log.push(Level::Note, "the state before the next step is kept");
                }
            }
            Action::Stop => {
                self.queue.clear();
                if let Some(work) = &mut self.work {
                    work.stop();
                }
            }
            Action::Pose(weights) => self.pose(&weights),
            Action::Ask(ask) => {
                if let Err(error) = self.dialogs.ask(ask, &self.ctx) {
                    self.log.push(Level::Error, format!("cannot open a dialog: {error}"));
                }
            }
            Action::Compare(version) => self.compare(version),
            // Everything below needs the project to itself.
            _ if is_busy => {
                self.log.push(Level::Warning, "a job is running: wait until it ends, or stop it");
            }
            Action::Generate(config) => {
                self.candidates.end();
                self.generate(*config);
            }
            Action::Seeds(config, count) => {
                self.candidates.begin();
                for i in 1..u64::from(count) {
                    let seed = config.seed.wrapping_add(i);
                    self.queue.push_back(GenerationConfig { seed, ..(*config).clone() });
                }
                self.generate(*config);
            }
            Action::Resume(folder) => {
                let Some(document) = &self.document else { return };
                let task = Task::generate(folder.clone(), document.config());
                self.start(task, GenerateJob::Resume { folder });
            }
            Action::Branch { stage, step } => {
                let Some(document) = &self.document else { return };
                let (from, config) = (document.folder().to_path_buf(), document.config().clone());
                let folder = free_folder(&self.preferences.projects, &config);
                self.act(Action::Close);
                let task = Task::generate(folder.clone(), &config);
                self.start(task, GenerateJob::Branch { from, stage, step, folder });
            }
            Action::Edit { instruction, region, strength } => {
                let Some(document) = &self.document else { return };
                let job = EditJob {
                    folder: document.folder().to_path_buf(),
                    copy: None,
                    instruction: instruction.clone(),
                    region,
                    strength: Some(strength),
                    steps: None,
                    seed: None,
                };
                self.start(Task::Edit { instruction }, job);
            }
            Action::Move(to) => self.go(to),
            Action::Rename { version, name } => {
                self.change(|project| project.rename(version, &name));
            }
            Action::Prune => self.change(|project| project.prune().map(drop)),
            Action::Export { format, path, texture_size } => {
                let Some(document) = &self.document else { return };
                let folder = document.folder().to_path_buf();
                self.start(Task::Export, ExportJob { folder, format, path, texture_size });
            }
            Action::Open(path) => self.open(&path),
            Action::Close => {
                self.document = None;
                self.prior = None;
                self.landmarks = None;
                self.show();
            }
            Action::AddModel(folder) => self.change_models(|models| {
                models.add(&folder, None).map(|(model, _)| format!("added {}", model.name))
            }),
            Action::RemoveModel(name) => self.change_models(|models| {
                models.remove(&name).map(|model| {
                    format!(
                        "{} is off the list; its files stay in {}",
                        model.name,
                        model.folder.display()
                    )
                })
            }),
        }
    }

    /// Shows another version at once, and has a job write it down.
    fn go(&mut self, to: Move) {
        let Some(document) = &mut self.document else { return };
        let history = document.history();
        let target = match &to {
            Move::Undo => history.undo_target(),
            Move::Redo => history.redo_target(),
            Move::Goto(version) => history.find(version),
            Move::Name(_) => None,
        };
        let Some(target) = target.map(|version| version.id) else { return };
        if let Err(error) = document.show(target) {
            self.log.push(Level::Error, error.to_string());
            return;
        }
        let folder = document.folder().to_path_buf();
        self.compared = None;
        self.show();
        self.start(Task::History, HistoryJob { folder, to });
    }

    fn compare(&mut self, version: Option<u64>) {
        if let (Some(document), Some(version)) = (&mut self.document, version)
            && let Err(error) = document.prepare(version)
        {
            self.log.push(Level::Error, error.to_string());
            return;
        }
        self.compared = version;
        self.viewport.settings.compare = true;
        self.show();
    }

    fn pose(&mut self, weights: &[f32]) {
        let Some(head) = self.document.as_ref().and_then(Document::head) else { return };
        let posed = head.morph.posed(weights);
        if let Err(error) = self.viewport.set_pose(posed.mesh.positions, posed.normals) {
            self.log.push(Level::Error, error.to_string());
        }
    }

    /// A short change of the project's log.
    fn change(
        &mut self,
        change: impl FnOnce(&mut crate::project::Project) -> Result<(), crate::project::ProjectError>,
    ) {
        let Some(document) = &self.document else { return };
        let changed = crate::project::Project::open(document.folder())
            .and_then(|mut project| change(&mut project));
        match changed {
            Ok(()) => self.reload(),
            Err(error) => self.log.push(Level::Error, error.to_string()),
        }
    }

    fn change_models<E: std::fmt::Display>(
        &mut self,
        change: impl FnOnce(&mut Registry) -> Result<String, E>,
    ) {
        let changed = Registry::of_user()
            .map_err(|error| error.to_string())
            .and_then(|mut registry| change(&mut registry).map_err(|error| error.to_string()));
        match changed {
            Ok(text) => self.log.push(Level::Note, text),
            Err(error) => self.log.push(Level::Error, error),
        }
        self.look_for_models();
    }

    // ---- The window ----

    /// Runs a panel with what it may look at, and takes its actions.
    fn panel<R>(
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

    fn shortcuts(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        let pressed = |shortcut| ui.input_mut(|input| input.consume_shortcut(&shortcut));
        let can_redo = pressed(REDO);
        let can_undo = pressed(UNDO);
        if can_redo && self.work.is_none() {
            actions.push(Action::Move(Move::Redo));
        }
        if can_undo && self.work.is_none() {
            actions.push(Action::Move(Move::Undo));
        }
        if pressed(GENERATE) && self.work.is_none() {
            self.panel(actions, |window, cx| window.prompt.generate(cx));
        }
        if pressed(EXPORT) {
            self.panel(actions, |window, cx| window.export.export(cx));
        }
        if pressed(OPEN) {
            self.opening = Some(String::new());
        }
        if pressed(KeyboardShortcut::new(Modifiers::COMMAND, Key::L)) {
            self.preferences.log = !self.preferences.log;
        }
        if pressed(KeyboardShortcut::new(Modifiers::NONE, Key::F1)) {
            self.is_helping = !self.is_helping;
        }
        // Space writes into a text field first.
        if !ui.ctx().egui_wants_keyboard_input()
            && let Some(work) = self.work.as_ref().filter(|work| work.is_long())
            && pressed(KeyboardShortcut::new(Modifiers::NONE, Key::Space))
        {
            actions.push(Action::Pause(!work.is_paused()));
        }
        for file in ui.input(|input| input.raw.dropped_files.clone()) {
            let path = file.path();
            actions.push(if is_checkpoint(path) {
                Action::AddModel(path.to_path_buf())
            } else {
                Action::Open(project_of(path))
            });
        }
    }

    fn menu(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        egui::MenuBar::new().ui(ui, |ui| {
            ui.menu_button("File", |ui| {
                if ui
                    .button("New head")
                    .on_hover_text("Close this one, back to the start")
                    .clicked()
                {
                    actions.push(Action::Close);
                }
                if ui.button("Open…   Ctrl+O").clicked() {
                    self.opening = Some(String::new());
                }
                ui.menu_button("Open again", |ui| {
                    for folder in &self.preferences.recent {
                        if ui.button(folder.display().to_string()).clicked() {
                            actions.push(Action::Open(folder.clone()));
                        }
                    }
                });
                let place = self.preferences.projects.display().to_string();
                if ui.button("Folder for new heads…").on_hover_text(place).clicked() {
                    actions.push(Action::Ask(Ask::Projects));
                }
                if ui.button("Quit").clicked() {
                    ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
                }
            });
            ui.menu_button("View", |ui| {
                for (theme, name) in [
                    (Theme::Dark, "Dark"),
                    (Theme::Light, "Light"),
                    (Theme::System, "As the system"),
                ] {
                    if ui.radio_value(&mut self.preferences.theme, theme, name).changed() {
                        theme::apply(ui.ctx(), theme);
                    }
                }
                ui.separator();
                let zoom = egui::Slider::new(&mut self.preferences.zoom, 0.7..=2.0).text("size");
                if ui.add(zoom).drag_stopped() {
                    ui.ctx().set_zoom_factor(self.preferences.zoom);
                }
                ui.checkbox(&mut self.preferences.log, "Log   Ctrl+L");
            });
            if ui.button("Shortcuts").on_hover_text("All keys (F1)").clicked() {
                self.is_helping = !self.is_helping;
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let unseen = self.log.unseen;
                let text = if unseen > 0 { format!("Log ({unseen})") } else { "Log".to_owned() };
                ui.toggle_value(&mut self.preferences.log, text)
                    .on_hover_text("What has happened, in words (Ctrl+L)");
                if let Some(document) = &self.document {
                    let name = document.folder().file_name().unwrap_or_default();
                    ui.weak(name.to_string_lossy())
                        .on_hover_text(document.folder().display().to_string());
                }
            });
        });
    }

    fn left(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            self.panel(actions, |window, cx| {
                let unfinished = cx.document.filter(|document| !document.is_finished());
                if let Some(document) = unfinished {
                    let busy = cx.work.map(|_| "It is running");
                    ui.label(RichText::new("This head is not finished").strong());
                    if panels::main_button(ui, "Continue", "Go on where it was left", busy) {
                        cx.actions.push(Action::Resume(document.folder().to_path_buf()));
                    }
                    ui.separator();
                }
                window.prompt.ui(ui, cx);
                ui.separator();
                window.edit.ui(ui, cx);
            });
        });
    }

    fn right(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.spacing_mut().button_padding.x = 7.0;
            for (tab, name) in Tab::ALL {
                ui.selectable_value(&mut self.tab, tab, name);
            }
        });
        ui.separator();
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if let Some(work) = self.work.take() {
                if work.is_long() {
                    self.progress.details(ui, &work);
                    self.steer.ui(ui, &work, actions);
                    ui.separator();
                }
                self.work = Some(work);
            }
            let tab = self.tab;
            self.panel(actions, |window, cx| match tab {
                Tab::History => window.history.ui(ui, cx),
                Tab::Expression => window.expression.ui(ui, cx),
                Tab::Export => window.export.ui(ui, cx),
                Tab::Models => window.models_panel.ui(ui, cx),
            });
        });
    }

    fn centre(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        if self.document.is_none() && self.work.is_none() {
            self.panel(actions, |_, cx| empty::ui(ui, cx));
            return;
        }
        if self.work.is_some() {
            egui::Frame::new().inner_margin(8).show(ui, |ui| {
                self.panel(actions, |window, cx| window.progress.strip(ui, cx));
            });
        }
        if self.candidates.count() > 0 {
            Panel::bottom("candidates").show(ui, |ui| {
                let waiting = self.queue.len() + usize::from(self.work.is_some());
                let mut candidates = std::mem::take(&mut self.candidates);
                self.panel(actions, |_, cx| candidates.ui(ui, cx, waiting));
                self.candidates = candidates;
            });
        }
        if self.viewport.content().after.is_none() {
            self.waiting(ui);
            return;
        }
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            self.viewport.toolbar(ui);
        });
        let happened = self.viewport.ui(ui);
        if let (Some(hit), Some(prior), true) =
            (happened.clicked, &self.prior, self.edit.is_picking)
        {
            self.edit.region = prior::region_at(prior, hit.position);
            self.edit.is_picking = false;
        }
        self.preferences.view = self.viewport.settings.clone();
    }

    /// What is seen while there is no mesh yet: the optimiser's pictures, large.
    fn waiting(&mut self, ui: &mut Ui) {
        ui.vertical_centered(|ui| {
            ui.add_space(0.08 * ui.available_height());
            match self.work.take() {
                Some(work) => {
                    self.progress.large(ui, &work);
                    self.work = Some(work);
                }
                None => {
                    ui.label("This head has no mesh yet. Continue it on the left.");
                }
            }
        });
    }

    fn newest_problem(&mut self, ui: &mut Ui) {
        if self.preferences.log || self.log.unseen == 0 {
            return;
        }
        let Some((level, text)) = self.log.newest(Level::Warning) else { return };
        let colour = if level == Level::Error { theme::ERROR } else { theme::WARNING };
        let text = text.to_owned();
        Panel::bottom("problem").show(ui, |ui| {
            ui.horizontal(|ui| {
                if ui.button("Dismiss").on_hover_text("Take it away; the log keeps it").clicked() {
                    self.log.unseen = 0;
                }
                ui.add(egui::Label::new(RichText::new(&text).color(colour)).wrap());
            });
        });
    }

    /// The dialog that opens a project by its path.
    fn open_dialog(&mut self, ctx: &egui::Context, actions: &mut Vec<Action>) {
        let Some(path) = &mut self.opening else { return };
        let (mut is_open, mut is_done) = (true, false);
        egui::Window::new("Open a project").open(&mut is_open).resizable(false).show(ctx, |ui| {
            let label = ui.label("Its folder");
            let edit = egui::TextEdit::singleline(path).desired_width(420.0);
            let edit = ui.add(edit).labelled_by(label.id);
            let enter = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if path.is_empty() && !edit.has_focus() && !enter {
                edit.request_focus();
            }
            ui.horizontal(|ui| {
                if ui.button("Choose…").on_hover_text("With the system's dialog").clicked() {
                    actions.push(Action::Ask(Ask::Project));
                    is_done = true;
                }
                let named = !path.trim().is_empty();
                let open = ui.add_enabled(named, egui::Button::new("Open")).clicked();
                if open || enter && named {
                    actions.push(Action::Open(PathBuf::from(path.trim())));
                    is_done = true;
                }
            });
        });
        if !is_open || is_done || ctx.input(|input| input.key_pressed(Key::Escape)) {
            self.opening = None;
        }
    }

    /// What was chosen in a system dialog.
    fn chosen(&mut self, actions: &mut Vec<Action>) {
        let Some((ask, path)) = self.dialogs.answer() else { return };
        match ask {
            Ask::Project => actions.push(Action::Open(path)),
            Ask::Projects => self.preferences.projects = path,
            Ask::Export(_) => self.export.path = path.display().to_string(),
            Ask::Model => self.models_panel.folder = path.display().to_string(),
        }
    }

    fn help(&mut self, ctx: &egui::Context) {
        egui::Window::new("Shortcuts").open(&mut self.is_helping).resizable(false).show(
            ctx,
            |ui| {
                egui::Grid::new("shortcuts").num_columns(2).striped(true).show(ui, |ui| {
                    for (keys, what) in WINDOW_SHORTCUTS.iter().chain(SHORTCUTS) {
                        ui.label(RichText::new(*keys).monospace());
                        ui.label(*what);
                        ui.end_row();
                    }
                });
            },
        );
    }
}

impl eframe::App for Window {
    fn logic(&mut self, _: &egui::Context, _: &mut eframe::Frame) {
        self.poll();
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
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

/// A surface in the making as the view takes it.
fn shown(surface: ColoredMesh) -> Growing {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let color = |c: &glam::Vec3| [byte(c.x), byte(c.y), byte(c.z), u8::MAX];
    let colors = surface.colors.iter().map(color).collect();
    let mesh = TexturedMesh {
        uvs: vec![glam::Vec2::ZERO; surface.mesh.positions.len()],
        normals: surface.normals,
        mesh: surface.mesh,
        albedo: image::RgbaImage::from_pixel(1, 1, image::Rgba([u8::MAX; 4])),
    };
    (Arc::new(mesh), Arc::new(colors))
}

/// A folder for a new head that holds none yet.
fn free_folder(projects: &Path, config: &GenerationConfig) -> PathBuf {
    let name = format!("{}-{}", slug(&config.prompt), config.seed);
    let names = std::iter::once(name.clone()).chain((2..).map(|i| format!("{name}-{i}")));
    let mut folders = names.map(|name| projects.join(name));
    folders.find(|folder| !folder.exists()).unwrap_or_else(|| projects.join(name))
}

/// Whether a dropped folder is a checkpoint in diffusers layout.
fn is_checkpoint(path: &Path) -> bool {
    path.join("model_index.json").is_file() || path.join("unet").is_dir()
}

/// The project that a dropped folder or file belongs to.
fn project_of(path: &Path) -> PathBuf {
    if path.is_file() { path.parent().unwrap_or(path).to_path_buf() } else { path.to_path_buf() }
}
