//! The desktop: a window over the same sessions and projects as the command line.
//!
//! [`Window`] is the eframe app. Panels show what [`Document`] (the open project) and
//! [`Work`] (the running job) hold, and return [`Action`]s; only the window acts on them.
//! Everything that takes time runs as a [`crate::session`] job on its own thread and its own
//! GPU device; the window repaints on input and when a job has something new.

mod action;
mod dialogs;
mod document;
mod panels;
mod preferences;
mod start;
#[cfg(test)]
mod tests;
mod theme;
pub mod viewport;
mod window;
mod work;

pub use action::{Action, Ask};
pub use document::Document;
pub use preferences::Preferences;
pub use start::{Options, run};
pub use window::{Face, Window};
pub use work::Work;
