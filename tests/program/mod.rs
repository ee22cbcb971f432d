//! The program, as the tests start it, and what they do with its answers and folders.

// Each test file uses a part of it.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

mod folder;

pub use folder::copy;
use std::ffi::OsStr;
use std::process::{Command, Output};

/// The binary that the tests run.
pub const BINARY: &str = env!("CARGO_BIN_EXE_headsculpt");

/// The program with arguments, not yet started.
pub fn headsculpt<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = quiet_driver(BINARY);
    command.args(arguments);
    command
}

/// A command in whose processes the graphics driver says nothing by itself.
///
/// Mesa's device selection looks for a Wayland display, and complains on stderr where a
/// service or a container has no runtime folder. Tests that count sentences mean ours.
pub fn quiet_driver(command: &str) -> Command {
    let mut command = Command::new(command);
    command.env("NODEVICE_SELECT", "1");
    command
}

/// Runs to the end.
pub fn run(arguments: &[&str]) -> Output {
    headsculpt(arguments).output().unwrap()
}

/// What a successful run printed.
pub fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}
