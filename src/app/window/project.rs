//! The open project and what the view shows of it.

use super::Window;
use crate::app::document::Document;
use crate::app::panels::log::Level;
use crate::app::viewport::{Content, Landmarks, OrbitCamera};
use crate::app::work::Task;
use crate::session::prior;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::TryRecvError;

impl Window {
    pub(super) fn open(&mut self, folder: &Path) {
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
    pub(super) fn reload(&mut self) {
        let Some(document) = &mut self.document else { return };
        if let Err(error) = document.reload() {
            self.log.push(Level::Error, error.to_string());
        }
        self.show();
    }

    /// Gives the view what the document shows.
    pub(super) fn show(&mut self) {
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
    pub(super) fn look_for_prior(&mut self) {
        let Some(document) = &self.document else { return };
        let config = document.config().clone();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let wake = self.wake.clone();
        let build = move || {
            let built = prior::prior(&config).map_err(|error| error.to_string());
            // The window may have moved on to another project.
            let _ = sender.send(built);
            wake.now();
        };
        match std::thread::Builder::new().name("headsculpt-prior".into()).spawn(build) {
            Ok(_) => self.prior_receiver = Some(receiver),
            Err(error) => self.log.push(Level::Error, format!("cannot start a thread: {error}")),
        }
    }

    pub(super) fn take_prior(&mut self) {
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
}
