//! The command line: one binary, one subcommand a task.
//!
//! Exit codes: 0 done, 1 failed, 2 bad usage or bad input (one sentence on stderr),
//! 130 cancelled with the state saved.

mod bench;
mod doctor;
mod edit;
mod eval;
mod export;
mod failure;
mod follow;
mod generate;
mod gui;
mod history;
mod models;
mod progress;
mod render;

pub use failure::Failure;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// A sentence becomes a 3D head.
#[derive(Debug, Parser)]
#[command(name = "headsculpt", version, about, max_term_width = 100)]
struct Arguments {
    /// Say more: -v for information, -vv for debugging
    #[arg(short, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    /// Machine-readable output: one JSON object a line on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Print nothing but errors
    #[arg(long, global = true, conflicts_with = "json")]
    quiet: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open the window; so does no command at all
    Gui(gui::Arguments),
    /// Make a head from a sentence, or continue an interrupted run
    Generate(generate::Arguments),
    /// Change a finished avatar by a sentence; it stays the same person
    Edit(edit::Arguments),
    /// Show the versions of a head, and move between them: undo, redo, branches
    History(history::Arguments),
    /// Draw pictures of a finished avatar
    Render(render::Arguments),
    /// Write a finished avatar as a mesh file: GLB, OBJ or PLY
    Export(export::Arguments),
    /// Work with diffusion checkpoints
    Models(models::Arguments),
    /// Measure whether heads show what their prompts say
    Eval(eval::Arguments),
    /// Measure the parts of one optimisation step on this machine
    Bench(bench::Arguments),
    /// Say what this machine offers and what is missing
    Doctor,
}

/// How a command talks to the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Progress bars and sentences.
    Human,
    /// One JSON object a line.
    Json,
    /// Errors only.
    Quiet,
}

impl Output {
    /// Prints a sentence, or a path, for people.
    fn say(self, what: impl std::fmt::Display) {
        if self == Self::Human {
            print_line(what);
        }
    }

    /// Prints a result: as JSON in JSON mode, else the sentence.
    fn result(self, sentence: &str, json: &serde_json::Value) {
        match self {
            Self::Human => print_line(sentence),
            Self::Json => print_line(json),
            Self::Quiet => {}
        }
    }
}

/// Prints a line to whoever still reads: `| head` closes the pipe early, which is no failure.
fn print_line(line: impl std::fmt::Display) {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            tracing::error!("cannot print: {error}");
        }
        _ => {}
    }
}

/// Parses the command line, runs the command and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            // clap's message is a paragraph; the contract is one sentence.
            eprintln!("{}", failure::first_sentence(&error.to_string()));
            return ExitCode::from(2);
        }
        Err(help) => {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
    };
    start_logging(arguments.verbose);
    let output = match (arguments.json, arguments.quiet) {
        (true, _) => Output::Json,
        (_, true) => Output::Quiet,
        _ => Output::Human,
    };
    let result = match arguments.command {
        Some(Command::Generate(generate)) => generate.run(output),
        Some(Command::Edit(edit)) => edit.run(output),
        Some(Command::History(history)) => history.run(output),
        Some(Command::Render(render)) => render.run(output),
        Some(Command::Export(export)) => export.run(output),
        Some(Command::Models(models)) => models.run(output),
        Some(Command::Eval(eval)) => eval.run(output),
        Some(Command::Bench(bench)) => bench.run(output),
        Some(Command::Doctor) => doctor::run(output),
        Some(Command::Gui(gui)) => gui.run(),
        None => gui::Arguments::default().run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure::plain(&failure.to_string()));
            failure.exit_code()
        }
    }
}

fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "headsculpt=info,warn",
        _ => "headsculpt=debug,info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("HEADSCULPT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_argument_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }
}
