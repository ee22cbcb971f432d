//! The operation log as a file: lines that are only ever appended.

use super::objects::read_file;
use super::operation::SCHEMA;
use super::{Entry, Operation, ProjectError};
use crate::io::atomic;
use serde::Deserialize;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The file's name in a project.
pub(super) const LOG: &str = "operations.jsonl";

/// The most bytes of a log; one of a thousand edits has about half a million.
const LONGEST: u64 = 64 << 20;
/// The most bytes of a line: what a line holds takes many times its length in memory.
const LONGEST_LINE: usize = 4 << 20;
/// The most lines.
const MOST_ENTRIES: u64 = 100_000;

/// What every schema has.
#[derive(Deserialize)]
struct Versioned {
    schema: u64,
}

/// An entry of today, and its line.
///
/// # Errors
/// [`ProjectError::Broken`] if a log cannot hold it.
pub(super) fn encode(
    root: &Path,
    id: u64,
    parent: Option<u64>,
    operation: Operation,
) -> Result<(Entry, String), ProjectError> {
    let broken = |what: String| ProjectError::Broken { path: root.join(LOG), what };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let at = now.ok().map(|since| since.as_secs());
    let entry = Entry { schema: SCHEMA, id, parent, at, operation };
    let line = serde_json::to_string(&entry).map_err(|error| broken(error.to_string()))?;
    // What would be refused when it is read must not be written.
    if line.len() > LONGEST_LINE || id > MOST_ENTRIES {
        return Err(broken("cannot take in more".into()));
    }
    Ok((entry, line + "\n"))
}

/// Writes a log of one line.
///
/// # Errors
/// [`ProjectError::Io`].
pub(super) fn create(root: &Path, line: &str) -> Result<(), ProjectError> {
    // Whole or not at all: a log without its first line is no project, and in the way of one.
    ProjectError::write(&root.join(LOG), line.as_bytes())
}

/// Copies a log, whole or not at all.
///
/// # Errors
/// [`ProjectError::Io`].
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), ProjectError> {
    ProjectError::write(&to.join(LOG), &read_file(&from.join(LOG), LONGEST)?)
}

/// Appends a line durably.
///
/// # Errors
/// [`ProjectError::Io`]; [`ProjectError::Broken`] if the log is full.
pub(super) fn append(root: &Path, line: &str) -> Result<(), ProjectError> {
    let path = root.join(LOG);
    let length = path.metadata().map_err(ProjectError::io("write", &path))?.len();
    if length + line.len() as u64 > LONGEST {
        return Err(ProjectError::Broken { path, what: "cannot take in more".into() });
    }
    let append = || -> std::io::Result<()> {
        // Not created: a project that was removed must not come back as a single line.
        let mut file = OpenOptions::new().append(true).open(&path)?;
        let before = file.metadata()?.len();
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a line, of a full disk for example, must not stand before the next one.
            file.set_len(before)?;
        }
        written?;
        atomic::sync_folder(root)
    };
    append().map_err(ProjectError::io("write", &path))
}

/// The log's entries, with a sentence for each thing that was mended; `repair` says whether an
/// unfinished last line is removed from disk.
///
/// # Errors
/// [`ProjectError`] naming the file and line.
pub(super) fn read(path: &Path, repair: bool) -> Result<(Vec<Entry>, Vec<String>), ProjectError> {
    let bytes = read_file(path, LONGEST)?;
    let complete = complete(&bytes);
    let entries = parse(complete, path)?;
    let mut repairs = Vec::new();
    if repair && complete.len() < bytes.len() {
        ProjectError::write(path, complete)?;
        repairs.push(format!("dropped an unfinished last line of {}", path.display()));
    }
    Ok((entries, repairs))
}

/// The whole lines: a crash while appending leaves a last one without its end, maybe in the
/// middle of a letter; it never happened.
fn complete(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    &bytes[..end]
}

/// The entries of whole lines; `path` is where errors say that they lie.
///
/// # Errors
/// [`ProjectError::TooNew`], or [`ProjectError::Broken`] naming the line.
pub(super) fn parse(lines: &[u8], path: &Path) -> Result<Vec<Entry>, ProjectError> {
    let broken = |what: String| ProjectError::Broken { path: path.into(), what };
    let mut entries: Vec<Entry> = Vec::new();
    for (id, line) in (1..).zip(complete(lines).split_inclusive(|byte| *byte == b'\n')) {
        let wrong = |what: String| broken(format!("line {id}: {what}"));
        let json = |error: serde_json::Error| wrong(error.to_string());
        if id > MOST_ENTRIES || line.len() > LONGEST_LINE + 1 {
            return Err(wrong("the log is too long".into()));
        }
        let schema = serde_json::from_slice::<Versioned>(line).map_err(json)?.schema;
        if schema > u64::from(SCHEMA) {
            let found = u32::try_from(schema).unwrap_or(u32::MAX);
            return Err(ProjectError::TooNew { path: path.into(), found, known: SCHEMA });
        }
        let entry: Entry = serde_json::from_slice(line).map_err(json)?;
        if entry.id != id {
            return Err(wrong(format!("expected id {id}, found {}", entry.id)));
        }
        entries.push(entry);
    }
    if entries.is_empty() { Err(broken("is empty".into())) } else { Ok(entries) }
}
