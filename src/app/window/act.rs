//! What the actions of panels do.

use super::Window;
use super::jobs::free_folder;
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::panels::log::Level;
use crate::app::work::Task;
use crate::config::GenerationConfig;
use crate::diffusion::Registry;
use crate::project::{Project, ProjectError};
use crate::session::history::{HistoryJob, Move};
use crate::session::{EditJob, ExportJob, GenerateJob};

impl Window {
    pub(super) fn act(&mut self, action: Action) {
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
                if let Err(error) = self.dialogs.ask(ask, self.wake.waker()) {
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
    pub(super) fn go(&mut self, to: Move) {
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

    pub(super) fn compare(&mut self, version: u64) {
        if let Some(document) = &mut self.document
            && let Err(error) = document.prepare(version)
        {
            self.log.push(Level::Error, error.to_string());
            return;
        }
        self.compared = Some(version);
        self.viewport.settings.compare = true;
        self.show();
    }

    pub(super) fn pose(&mut self, weights: &[f32]) {
        let Some(head) = self.document.as_ref().and_then(Document::head) else { return };
        let posed = head.morph.posed(weights);
        if let Err(error) = self.viewport.set_pose(posed.mesh.positions, posed.normals) {
            self.log.push(Level::Error, error.to_string());
        }
    }

    /// A short change of the project's log.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Project) -> Result<(), ProjectError>) {
        let Some(document) = &self.document else { return };
        let changed = Project::open(document.folder()).and_then(|mut project| change(&mut project));
        match changed {
            Ok(()) => self.reload(),
            Err(error) => self.log.push(Level::Error, error.to_string()),
        }
    }

    pub(super) fn change_models<E: std::fmt::Display>(
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
}
