//! `results.jsonl`: what was measured, a line as soon as it is known.

use super::edit::EditRecord;
use super::{EvalError, Record};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// A judged subject.
    Subject(Box<Record>),
    /// A measured edit.
    Edit(Box<EditRecord>),
}

impl Line {
    fn parse(line: &str) -> Result<Self, serde_json::Error> {
        let value: serde_json::Value = serde_json::from_str(line)?;
        // Only edits have an instruction.
        if value.get("instruction").is_some() {
            Ok(Self::Edit(serde_json::from_value(value)?))
        } else {
            Ok(Self::Subject(serde_json::from_value(value)?))
        }
    }
}

/// The results of a folder.
#[derive(Debug)]
pub(super) struct Results {
    path: PathBuf,
    /// All of them, in the order in which they were found.
    pub lines: Vec<Line>,
}

impl Results {
    /// Opens those of `folder`, which is made if need be; there must be none unless `resume`.
    ///
    /// # Errors
    /// [`EvalError::Exists`], [`EvalError::Broken`] naming the line, [`EvalError::File`].
    pub fn open(folder: &Path, resume: bool) -> Result<Self, EvalError> {
        let path = folder.join("results.jsonl");
        let lines = if path.exists() {
            if !resume {
                return Err(EvalError::Exists(folder.to_owned()));
            }
            read(&path)?
        } else {
            Vec::new()
        };
        std::fs::create_dir_all(folder).map_err(EvalError::file(folder))?;
        Ok(Self { path, lines })
    }

    /// Writes a line durably.
    ///
    /// # Errors
    /// [`EvalError::File`].
    pub fn push(&mut self, line: Line) -> Result<(), EvalError> {
        // Names, numbers and lists always serialise.
        let text = serde_json::to_string(&line).unwrap_or_default() + "\n";
        let write = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()
        };
        write().map_err(EvalError::file(&self.path))?;
        self.lines.push(line);
        Ok(())
    }

    /// Writes `summary.md` beside the results.
    ///
    /// # Errors
    /// [`EvalError::File`].
    pub fn summarise(&self) -> Result<(), EvalError> {
        let summary = self.path.with_file_name("summary.md");
        let page = super::summarise(&self.lines);
        std::fs::write(&summary, page).map_err(EvalError::file(&summary))
    }
}

/// Reads results; a last line that a killed run left unfinished is dropped.
fn read(path: &Path) -> Result<Vec<Line>, EvalError> {
    let text = std::fs::read_to_string(path).map_err(EvalError::file(path))?;
    let (whole, rest) = text.rsplit_once('\n').unwrap_or(("", &text));
    if !rest.is_empty() {
        let kept = if whole.is_empty() { String::new() } else { format!("{whole}\n") };
        std::fs::write(path, kept).map_err(EvalError::file(path))?;
    }
    let parse = |(i, line): (usize, &str)| {
        Line::parse(line).map_err(|error| EvalError::Broken {
            path: path.to_owned(),
            line: i + 1,
            what: error.to_string(),
        })
    };
    whole.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{SubjectKind, Verdict};
    use crate::pipeline::EditRegion;

    fn subject(seed: u64) -> Line {
        Line::Subject(Box::new(Record {
            kind: SubjectKind::Instant,
            prompt: "a man".into(),
            stratum: "people".into(),
            seed,
            model: "embedded".into(),
            verdict: Verdict::default(),
            seconds: 1.0,
        }))
    }

    fn edit() -> Line {
        Line::Edit(Box::new(EditRecord {
            kind: SubjectKind::Head,
            prompt: "a man".into(),
            instruction: "make him older".into(),
            seed: 0,
            region: EditRegion::All,
            strength: 0.5,
            model: "embedded".into(),
            asked: Default::default(),
            changed: Default::default(),
            verdict: Default::default(),
            whole: None,
            outside: None,
            sheet: None,
            failed: Some("no surface".into()),
            seconds: 1.0,
        }))
    }

    #[test]
    fn results_survive_a_killed_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        let mut results = Results::open(dir.path(), false).unwrap();
        results.push(subject(0)).unwrap();
        results.push(edit()).unwrap();
        assert!(matches!(Results::open(dir.path(), false), Err(EvalError::Exists(_))));
        assert_eq!(Results::open(dir.path(), true).unwrap().lines, [subject(0), edit()]);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let mut results = Results::open(dir.path(), true).unwrap();
        assert_eq!(results.lines, [subject(0)]);
        // And the file can be added to again.
        results.push(subject(2)).unwrap();
        assert_eq!(read(&path).unwrap(), [subject(0), subject(2)]);
        for broken in ["{\"kind\": 3}\n", "{\"instruction\": 3}\n"] {
            std::fs::write(&path, broken).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("results.jsonl: line 1"), "{error}");
        }
    }
}
