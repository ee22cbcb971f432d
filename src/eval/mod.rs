//! Measuring: does a head show what its prompt says?
//!
//! Prompts come with claims ("skin is green"); pictures of a subject (samples of the diffusion
//! model, instant heads, distilled heads, finished projects) are read by the attribute
//! classifier, which none of them was made with. Results accumulate, a line each, in
//! `results.jsonl`; `summary.md` counts them with Wilson intervals.

mod judge;
mod prompts;
mod subject;
mod summary;
mod wilson;

pub use judge::{Judge, Verdict};
pub use prompts::{Claims, EvalPrompt, PromptError, read, stratified};
pub use subject::{Subject, SubjectKind};
pub use summary::summarise;
pub use wilson::{Interval, wilson};

use crate::config::GenerationConfig;
use crate::session::SessionError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// One judged subject: a line of `results.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was judged.
    pub kind: SubjectKind,
    /// The sentence.
    pub prompt: String,
    /// The prompt's stratum.
    pub stratum: String,
    /// The seed.
    pub seed: u64,
    /// The diffusion model.
    pub model: String,
    /// What the classifier says of each claim, and of the face in each view.
    pub verdict: Verdict,
    /// Seconds that making and judging it took.
    pub seconds: f64,
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The prompts with their claims.
    pub prompts: Vec<EvalPrompt>,
    /// Which subjects to make of each.
    pub kinds: Vec<SubjectKind>,
    /// Seeds 0 .. of each prompt.
    pub seeds: u64,
    /// Settings of distilled heads and samples.
    pub config: GenerationConfig,
    /// The output folder.
    pub folder: PathBuf,
    /// Whether results that are there are kept and added to.
    pub resume: bool,
}

/// What can go wrong while measuring.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The prompts.
    #[error(transparent)]
    Prompts(#[from] PromptError),
    /// Results of another run are in the way.
    #[error(
        "{0} already holds results; add to them with --resume, or choose another folder with -o"
    )]
    Exists(PathBuf),
    /// A line of the results does not read.
    #[error("{path}: line {line}: {what}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// The reason.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        what: String,
    },
    /// Making or judging a subject failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl EvalError {
    /// Whether the user's input is the cause (exit code 2).
    #[must_use]
    pub fn is_input(&self) -> bool {
        match self {
            Self::Session(error) => error.is_input(),
            _ => true,
        }
    }

    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, what: error.to_string() }
    }
}

/// Progress of [`run`].
#[derive(Debug, Clone, Copy)]
pub struct Tick<'a> {
    /// Subjects judged, of how many.
    pub done: usize,
    /// All of them, those of earlier runs included.
    pub total: usize,
    /// Seconds left, once it can be told.
    pub eta_seconds: Option<f64>,
    /// The one that was just judged.
    pub record: &'a Record,
}

/// Measures a plan; returns all records of the folder. `tick` hears of each new one and may
/// stop the run by returning false: what is measured stays.
///
/// # Errors
/// [`EvalError`].
pub fn run(plan: &Plan, mut tick: impl FnMut(Tick<'_>) -> bool) -> Result<Vec<Record>, EvalError> {
    let path = plan.folder.join("results.jsonl");
    let mut records = if path.exists() {
        if !plan.resume {
            return Err(EvalError::Exists(plan.folder.clone()));
        }
        read_records(&path)?
    } else {
        Vec::new()
    };
    std::fs::create_dir_all(&plan.folder).map_err(EvalError::file(&plan.folder))?;
    let key = |kind: SubjectKind, prompt: &str, seed| (kind, prompt.to_owned(), seed);
    let known: BTreeSet<_> = records.iter().map(|r| key(r.kind, &r.prompt, r.seed)).collect();
    let mut todo = Vec::new();
    for kind in &plan.kinds {
        for prompt in &plan.prompts {
            for seed in 0..plan.seeds {
                todo.push((*kind, prompt, seed));
            }
        }
    }
    let total = todo.len();
    todo.retain(|(kind, prompt, seed)| !known.contains(&key(*kind, &prompt.prompt, *seed)));
    let mut subjects = Subject::new(&plan.config, &plan.folder)?;
    let judge = Judge::load()?;
    let mut times: Vec<(SubjectKind, f64)> = Vec::new();
    for (i, (kind, prompt, seed)) in todo.iter().enumerate() {
        let started = Instant::now();
        let pictures = subjects.pictures(*kind, &prompt.prompt, *seed)?;
        let verdict = judge.verdict(&pictures, &prompt.claims)?;
        let seconds = started.elapsed().as_secs_f64();
        times.push((*kind, seconds));
        let record = Record {
            kind: *kind,
            prompt: prompt.prompt.clone(),
            stratum: prompt.stratum.clone(),
            seed: *seed,
            model: plan.config.model.clone(),
            verdict,
            seconds,
        };
        append(&path, &record)?;
        records.push(record);
        let left = &todo[i + 1..];
        let go_on = tick(Tick {
            done: total - left.len(),
            total,
            eta_seconds: eta(&times, left.iter().map(|t| t.0)),
            record: &records[records.len() - 1],
        });
        if !go_on {
            break;
        }
    }
    let summary = plan.folder.join("summary.md");
    std::fs::write(&summary, summarise(&records)).map_err(EvalError::file(&summary))?;
    Ok(records)
}

/// Seconds for the subjects left, by the mean of their kind; `None` before all kinds were seen.
fn eta(times: &[(SubjectKind, f64)], left: impl Iterator<Item = SubjectKind>) -> Option<f64> {
    left.map(|kind| {
        let own: Vec<f64> = times.iter().filter(|t| t.0 == kind).map(|t| t.1).collect();
        (!own.is_empty()).then(|| own.iter().sum::<f64>() / own.len() as f64)
    })
    .sum()
}

fn append(path: &Path, record: &Record) -> Result<(), EvalError> {
    // Names, numbers and lists always serialise.
    let line = serde_json::to_string(record).unwrap_or_default() + "\n";
    let write = || {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(line.as_bytes())?;
        file.sync_data()
    };
    write().map_err(EvalError::file(path))
}

/// Reads results; a last line that a killed run left unfinished is dropped.
fn read_records(path: &Path) -> Result<Vec<Record>, EvalError> {
    let text = std::fs::read_to_string(path).map_err(EvalError::file(path))?;
    let (whole, rest) = text.rsplit_once('\n').unwrap_or(("", &text));
    if !rest.is_empty() {
        std::fs::write(path, format!("{whole}\n")).map_err(EvalError::file(path))?;
    }
    let read = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| EvalError::Broken {
            path: path.to_owned(),
            line: i + 1,
            what: error.to_string(),
        })
    };
    whole.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seed: u64) -> Record {
        Record {
            kind: SubjectKind::Instant,
            prompt: "a man".into(),
            stratum: "people".into(),
            seed,
            model: "embedded".into(),
            verdict: Verdict::default(),
            seconds: 1.0,
        }
    }

    #[test]
    fn results_survive_a_killed_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        append(&path, &record(0)).unwrap();
        append(&path, &record(1)).unwrap();
        assert_eq!(read_records(&path).unwrap(), [record(0), record(1)]);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert_eq!(read_records(&path).unwrap(), [record(0)]);
        // And the file can be added to again.
        append(&path, &record(2)).unwrap();
        assert_eq!(read_records(&path).unwrap(), [record(0), record(2)]);
        std::fs::write(&path, "{\"kind\": 3}\n").unwrap();
        let error = read_records(&path).unwrap_err().to_string();
        assert!(error.contains("results.jsonl: line 1"), "{error}");
    }

    #[test]
    fn the_time_left_waits_for_every_kind() {
        use SubjectKind::{Head, Instant};
        let times = [(Instant, 2.0), (Instant, 4.0)];
        assert_eq!(eta(&times, [Instant, Instant].into_iter()), Some(6.0));
        assert_eq!(eta(&times, [Instant, Head].into_iter()), None);
    }
}
