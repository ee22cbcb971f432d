//! Starting jobs, hearing from them, and what follows from their ends.

use super::{Growing, Window};
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::panels;
use crate::app::panels::log::Level;
use crate::app::viewport::OrbitCamera;
use crate::app::work::{News, Task, Work};
use crate::config::GenerationConfig;
use crate::geometry::{ColoredMesh, TexturedMesh};
use crate::session::{GenerateJob, Job, Outcome};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Window {
    pub(super) fn start(&mut self, task: Task, job: impl Job) {
        match Work::start(task, job, self.wake.waker()) {
            Ok(work) => self.work = Some(work),
            Err(error) => self.log.push(Level::Error, error.to_string()),
        }
    }

    pub(super) fn generate(&mut self, config: GenerationConfig) {
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

    pub(super) fn poll(&mut self) {
        self.take_prior();
        let Some(work) = &mut self.work else { return };
        let mut ended = None;
        for news in work.poll() {
            match news {
                News::Warning(text) => self.log.push(Level::Warning, text),
                News::Steered(change) => {
                    self.log.push(Level::Note, format!("from here on {}", change.describe()));
                }
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

    pub(super) fn ended(&mut self, work: &Work, outcome: Outcome) {
        let took = panels::duration(work.started.elapsed().as_secs_f64());
        match outcome {
            Outcome::Completed(artifacts) => match &work.task {
                Task::Generate { prompt, .. } => {
                    self.log.push(Level::Note, format!("“{prompt}” is ready after {took}"));
                    self.open(&artifacts.folder);
                    if let Some(document) = &self.document {
                        self.candidates.add(document);
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
pub(super) fn free_folder(projects: &Path, config: &GenerationConfig) -> PathBuf {
    let name = config.default_folder();
    let names = std::iter::once(name.clone()).chain((2..).map(|i| format!("{name}-{i}")));
    let mut folders = names.map(|name| projects.join(name));
    folders.find(|folder| !folder.exists()).unwrap_or_else(|| projects.join(name))
}
