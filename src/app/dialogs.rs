//! Asking for files and folders with the system's dialogs, which must not hold the window up.

use super::action::Ask;
use crate::session::Waker;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, TryRecvError};

type Answer = Pin<Box<dyn Future<Output = Option<rfd::FileHandle>> + Send>>;

/// The dialog that is open, if one is.
#[derive(Default)]
pub(super) struct Dialogs {
    open: Option<(Ask, Receiver<Option<PathBuf>>)>,
}

impl Dialogs {
    /// Opens a dialog, unless one is open; the window is woken when it is answered.
    pub fn ask(&mut self, ask: Ask, wake: Waker) -> std::io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        // Dialogs are made where the window is, as some systems demand, and waited for elsewhere.
        let dialog = rfd::AsyncFileDialog::new();
        let answer: Answer = match ask {
            Ask::Project | Ask::Projects | Ask::Model => Box::pin(dialog.pick_folder()),
            Ask::Export(format) => {
                let extension = format.extension();
                let name = format!("avatar.{extension}");
                let dialog = dialog.add_filter(extension, &[extension]).set_file_name(name);
                Box::pin(dialog.save_file())
            }
        };
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        std::thread::Builder::new().name("headsculpt-dialog".into()).spawn(move || {
            let path = pollster::block_on(answer).map(|file| file.path().to_path_buf());
            // The window may be gone.
            let _ = sender.send(path);
            wake();
        })?;
        self.open = Some((ask, receiver));
        Ok(())
    }

    /// What was asked for and chosen, once.
    pub fn answer(&mut self) -> Option<(Ask, PathBuf)> {
        let (ask, receiver) = self.open.as_ref()?;
        let ask = *ask;
        match receiver.try_recv() {
            Err(TryRecvError::Empty) => None,
            Ok(path) => {
                self.open = None;
                path.map(|path| (ask, path))
            }
            Err(TryRecvError::Disconnected) => {
                self.open = None;
                None
            }
        }
    }
}
