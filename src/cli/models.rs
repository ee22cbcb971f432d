//! `headsculpt models`.

use super::{Failure, Output};
use crate::diffusion::{
    AddedModel, CatalogEntry, CheckpointFacts, DiffusionError, Library, Registry, embedded, verify,
};
use candle_core::Device;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say which models there are, and which are missing
    List,
    /// Give a checkpoint folder a name for --model; its files stay where they are
    Add {
        /// A folder in diffusers layout
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The name [default: the folder's]
        #[arg(long, value_name = "N")]
        name: Option<String>,
    },
    /// Forget a name; the checkpoint's files stay where they are
    Remove {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Load every network of a checkpoint and run it once
    Verify {
        /// 'embedded', the name of an added model, or a folder in diffusers layout
        #[arg(value_name = "NAME|DIR")]
        model: String,
        /// Compare with tensors recorded from the reference library
        #[arg(long, value_name = "FILE")]
        reference: Option<PathBuf>,
    },
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        match self.command {
            Command::List => list(output),
            Command::Add { folder, name } => add(&folder, name.as_deref(), output),
            Command::Remove { name } => remove(&name, output),
            Command::Verify { model, reference } => check(&model, reference.as_deref(), output),
        }
    }
}

fn list(output: Output) -> Result<(), Failure> {
    let library = Library::of(&Registry::of_user().map_err(Failure::input)?);
    let (entry, bytes) = (library.embedded, library.embedded_bytes);
    output.result(
        &format!(
            "{}\n    {}\n    licence: {}. {}",
            row(embedded::NAME, &size(bytes), "part of the program"),
            entry.purpose,
            entry.licence.name,
            entry.licence.meaning
        ),
        &json!({
            "model": embedded::NAME, "state": "embedded", "bytes": bytes,
            "purpose": entry.purpose, "licence": entry.licence,
        }),
    );
    for added in &library.added {
        show_added(added, output);
    }
    if !library.missing.is_empty() {
        output.say("\nMissing (add one when you have it: headsculpt models add DIR):");
    }
    for entry in &library.missing {
        show_missing(entry, output);
    }
    Ok(())
}

fn show_added(added: &AddedModel, output: Output) {
    let (name, folder) = (&added.model.name, &added.model.folder);
    let place = folder.display().to_string();
    match &added.state {
        Ok(facts) => output.result(
            &format!("{}\n    {}", row(name, &size(facts.bytes), &place), controls(facts)),
            &json!({
                "model": name, "state": "added", "folder": folder, "bytes": facts.bytes,
                "controls": facts.controls,
            }),
        ),
        Err(error) => output.result(
            &format!("{}\n    cannot be used: {error}", row(name, "?", &place)),
            &json!({
                "model": name, "state": "broken", "folder": folder, "problem": error.to_string(),
            }),
        ),
    }
}

fn show_missing(entry: &CatalogEntry, output: Output) {
    let bytes = u64::from(entry.size_mb) * 1_000_000;
    let folder = entry.folder.as_ref().map(|f| format!(", folder {f}")).unwrap_or_default();
    let place = format!("huggingface.co/{}{folder}", entry.repository);
    let mut lines = vec![
        row(&entry.name, &format!("~{}", size(bytes)), &place),
        entry.purpose.clone(),
        format!("licence: {}. {}", entry.licence.name, entry.licence.meaning),
    ];
    lines.extend(entry.alternatives.iter().map(|other| format!("also: {other}")));
    output.result(
        &lines.join("\n    "),
        &json!({
            "model": entry.name, "state": "missing", "role": entry.role,
            "repository": entry.repository, "folder": entry.folder, "bytes": bytes,
            "purpose": entry.purpose, "licence": entry.licence,
            "alternatives": entry.alternatives,
        }),
    );
}

/// Which of a checkpoint's `ControlNets` see what, in words.
fn controls(facts: &CheckpointFacts) -> String {
    if facts.controls.is_empty() {
        return "no ControlNet: the face may appear on several sides of the head".into();
    }
    let sees = |(name, kind): (&String, &Option<_>)| match kind {
        // Plain names always serialise.
        Some(kind) => format!("{name} sees {}", json!(kind).as_str().unwrap_or_default()),
        None => format!("{name} takes no part: headsculpt.json does not say what it reads"),
    };
    facts.controls.iter().map(sees).collect::<Vec<_>>().join("; ")
}

fn add(folder: &Path, name: Option<&str>, output: Output) -> Result<(), Failure> {
    let mut registry = Registry::of_user().map_err(Failure::input)?;
    let (added, facts) = registry.add(folder, name).map_err(Failure::input)?;
    let (name, place) = (&added.name, added.folder.display());
    output.result(
        &format!(
            "{name} stands for {place} ({}) from now on: use it with --model {name}\n    {}",
            size(facts.bytes),
            controls(&facts)
        ),
        &json!({
            "model": name, "state": "added", "folder": added.folder, "bytes": facts.bytes,
            "controls": facts.controls,
        }),
    );
    Ok(())
}

fn remove(name: &str, output: Output) -> Result<(), Failure> {
    let mut registry = Registry::of_user().map_err(Failure::input)?;
    let removed = registry.remove(name).map_err(Failure::input)?;
    output.result(
        &format!("{name} is forgotten; its files stay in {}", removed.folder.display()),
        &json!({"model": name, "state": "removed", "folder": removed.folder}),
    );
    Ok(())
}

fn check(model: &str, reference: Option<&Path>, output: Output) -> Result<(), Failure> {
    let folder = embedded::resolve(model).map_err(Failure::input)?;
    let report = verify(&folder, reference, &Device::Cpu).map_err(|error| match error {
        DiffusionError::Checkpoint(error) => Failure::input(error),
        other => Failure::Broken(other.into()),
    })?;
    for warning in report.warnings.iter().filter(|_| output != Output::Quiet) {
        eprintln!("warning: {warning}");
    }
    for found in &report.comparisons {
        output.result(
            &format!(
                "{:22} relative error {:9.2e}  max abs error {:9.2e}",
                found.tensor, found.relative_error, found.max_abs_error
            ),
            &json!({
                "tensor": found.tensor,
                "relative_error": found.relative_error,
                "max_abs_error": found.max_abs_error,
            }),
        );
    }
    for (network, shape) in &report.ran {
        output.say(format_args!("{network:22} runs, gives {shape:?}"));
    }
    Ok(())
}

/// The first line about a model.
fn row(name: &str, size: &str, place: &str) -> String {
    format!("{name:28} {size:>9}  {place}")
}

/// A number of bytes as people say it.
fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.0} MB", bytes / 1e6),
        bytes => format!("{:.0} kB", bytes / 1e3),
    }
}
