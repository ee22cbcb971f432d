//! Measuring lists of prompts and edits.

use super::edit::distance::Outside;
use super::edit::{EditRecord, EvalEdit, Question, Untouched, write_sheet};
use super::results::Results;
use super::subject::{Edited, Request};
use super::{Claims, EvalError, EvalPrompt, Lens, Line, Record, Subject, SubjectKind, prompts};
use crate::config::GenerationConfig;
use crate::pipeline::StageError;
use crate::project::PROJECT_DIR;
use crate::render::GpuContext;
use crate::session::SessionError;
use glam::Vec3;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The prompts with their claims.
    pub prompts: Vec<EvalPrompt>,
    /// The edits.
    pub edits: Vec<EvalEdit>,
    /// How far each edit of a distilled head is followed, `(0, 1]`; without any, as the
    /// settings say.
    pub strengths: Vec<f64>,
    /// Which subjects to make of each prompt and to edit. Samples cannot be edited.
    pub kinds: Vec<SubjectKind>,
    /// Seeds 0 .. of each prompt.
    pub seeds: u64,
    /// Settings of distilled heads and samples.
    pub config: GenerationConfig,
    /// The output folder.
    pub folder: PathBuf,
    /// Whether results that are there are kept and added to.
    pub resume: bool,
    /// Whether edited copies keep what further edits would start from.
    pub keep: bool,
}

/// Progress of [`run`].
#[derive(Debug, Clone, Copy)]
pub struct Tick<'a> {
    /// Subjects and edits measured, of how many.
    pub done: usize,
    /// All of them, those of earlier runs included.
    pub total: usize,
    /// Seconds left, once it can be told.
    pub eta_seconds: Option<f64>,
    /// The one that was just measured.
    pub line: &'a Line,
}

/// One thing to measure.
#[derive(Debug, Clone, Copy)]
enum Task<'a> {
    Prompt { kind: SubjectKind, prompt: &'a EvalPrompt, seed: u64 },
    Edit { kind: SubjectKind, edit: &'a EvalEdit, seed: u64, strength: f64 },
}

/// What takes about as long as each other: edits or not, of what kind.
type Pace = (bool, SubjectKind);

impl Task<'_> {
    fn pace(&self) -> Pace {
        match self {
            Self::Prompt { kind, .. } => (false, *kind),
            Self::Edit { kind, .. } => (true, *kind),
        }
    }

    /// Whether a line is the result of this task.
    fn is_done_by(&self, line: &Line) -> bool {
        match (self, line) {
            (Self::Prompt { kind, prompt, seed }, Line::Subject(record)) => {
                record.kind == *kind && record.prompt == prompt.prompt && record.seed == *seed
            }
            (Self::Edit { kind, edit, seed, strength }, Line::Edit(record)) => {
                (record.kind, record.seed, record.strength) == (*kind, *seed, *strength)
                    && record.region == edit.region
                    && record.failed.is_none()
                    && record.prompt == edit.prompt
                    && record.instruction == edit.instruction
                    && record.asked.keys().eq([&edit.attribute])
            }
            _ => false,
        }
    }
}

impl Plan {
    fn tasks(&self) -> Vec<Task<'_>> {
        let mut tasks = Vec::new();
        for &kind in &self.kinds {
            for prompt in &self.prompts {
                tasks.extend((0..self.seeds).map(|seed| Task::Prompt { kind, prompt, seed }));
            }
        }
        let usual = [self.config.edit.strength];
        for &kind in self.kinds.iter().filter(|kind| **kind != SubjectKind::Samples) {
            // Persons are changed altogether.
            let strengths = match kind {
                SubjectKind::Instant => &[1.0],
                _ if self.strengths.is_empty() => &usual[..],
                _ => &self.strengths,
            };
            for edit in &self.edits {
                for seed in 0..self.seeds {
                    let with = |&strength| Task::Edit { kind, edit, seed, strength };
                    tasks.extend(strengths.iter().map(with));
                }
            }
        }
        tasks
    }
}

/// Measures a plan; returns all results of the folder. `tick` hears of each new one and may
/// stop the run by returning false: what is measured stays.
///
/// # Errors
/// [`EvalError`].
pub fn run(plan: &Plan, mut tick: impl FnMut(Tick<'_>) -> bool) -> Result<Vec<Line>, EvalError> {
    let mut results = Results::open(&plan.folder, plan.resume)?;
    let mut todo = plan.tasks();
    let total = todo.len();
    todo.retain(|task| !results.lines.iter().any(|line| task.is_done_by(line)));
    let gpu = GpuContext::new().map_err(SessionError::from)?;
    let lens = Lens::new(&gpu)?;
    let mut subject = Subject::new(&plan.config, &plan.folder, &gpu);
    let mut times: Vec<(Pace, f64)> = Vec::new();
    for (i, task) in todo.iter().enumerate() {
        let started = Instant::now();
        let mut line = measure(plan, task, &mut subject, &lens)?;
        let seconds = started.elapsed().as_secs_f64();
        match &mut line {
            Line::Subject(record) => record.seconds = seconds,
            Line::Edit(record) => record.seconds = seconds,
        }
        times.push((task.pace(), seconds));
        results.push(line)?;
        let left = &todo[i + 1..];
        let go_on = tick(Tick {
            done: total - left.len(),
            total,
            eta_seconds: eta(&times, left.iter().map(Task::pace)),
            line: &results.lines[results.lines.len() - 1],
        });
        if !go_on {
            break;
        }
    }
    results.summarise()?;
    Ok(results.lines)
}

fn measure(
    plan: &Plan,
    task: &Task<'_>,
    subject: &mut Subject,
    lens: &Lens,
) -> Result<Line, EvalError> {
    match *task {
        Task::Prompt { kind, prompt, seed } => {
            let (text, claims) = (&prompt.prompt, &prompt.claims);
            let verdict = match kind {
                SubjectKind::Samples => lens.pictures(&subject.samples(text, seed)?, claims)?,
                SubjectKind::Instant => lens.head(&subject.instant(text, seed)?, claims)?,
                SubjectKind::Head | SubjectKind::Project => {
                    lens.head(&subject.head(text, seed)?, claims)?
                }
            };
            Ok(Line::Subject(Box::new(Record {
                kind,
                prompt: text.clone(),
                stratum: prompt.stratum.clone(),
                seed,
                model: plan.config.model.clone(),
                verdict,
                seconds: 0.0,
            })))
        }
        Task::Edit { kind, edit, seed, strength } => {
            let record = measure_edit(plan, (kind, edit, seed, strength), subject, lens)?;
            Ok(Line::Edit(Box::new(record)))
        }
    }
}

fn measure_edit(
    plan: &Plan,
    (kind, edit, seed, strength): (SubjectKind, &EvalEdit, u64, f64),
    subject: &mut Subject,
    lens: &Lens,
) -> Result<EditRecord, EvalError> {
    let EvalEdit { prompt, instruction, region, .. } = edit;
    let mut record = EditRecord {
        kind,
        prompt: prompt.clone(),
        instruction: instruction.clone(),
        seed,
        region: *region,
        strength,
        model: plan.config.model.clone(),
        asked: Claims::from([(edit.attribute.clone(), edit.values.clone())]),
        changed: Default::default(),
        verdict: Default::default(),
        whole: None,
        outside: None,
        sheet: None,
        failed: None,
        seconds: 0.0,
    };
    let request = Request { prompt, seed, instruction, region: *region, strength };
    let mut name = subject.edit_name(request);
    let mut untouched = None;
    let made = if kind == SubjectKind::Instant {
        name = format!("instant-{name}");
        subject.instant_edit(prompt, seed, instruction).map_err(EvalError::from)
    } else {
        let config = subject.config(prompt, seed);
        untouched = Untouched::of(&config, &[], &[(instruction, *region)])?;
        subject.head_edit(request)
    };
    let Edited { before, after, changed, folder } = match made {
        Ok(made) => made,
        // An edit that leads nowhere is a result, too.
        Err(EvalError::Session(SessionError::Stage(error)))
            if !matches!(error, StageError::Render(_)) =>
        {
            record.failed = Some(error.to_string());
            return Ok(record);
        }
        Err(error) => return Err(error),
    };
    let claims = match &edit.claims {
        Some(claims) => claims.clone(),
        None => prompts::said(subject.reader()?, prompt)?,
    };
    let question = Question { asked: &record.asked, changed: &changed, prompt: &claims };
    let outside = untouched.as_ref().map(|rest| |point: Vec3| rest.holds(point));
    let outside = outside.as_ref().map(|outside| outside as Outside<'_>);
    let seen = lens.edit(Some(&before), &after, &question, outside)?;
    record.sheet = Some(write_sheet(lens, &plan.folder, &name, &before, &after)?);
    if let Some(copy) = folder.filter(|_| !plan.keep) {
        forget_states(&copy)?;
    }
    Ok(EditRecord {
        changed,
        verdict: seen.verdict,
        whole: seen.whole,
        outside: seen.outside,
        ..record
    })
}

/// Removes the states of an edited copy that only another edit would need.
fn forget_states(copy: &Path) -> Result<(), EvalError> {
    let folder = copy.join(PROJECT_DIR).join("checkpoints");
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(EvalError::file(&folder)(error));
        }
        _ => {}
    }
    // A project has the folder, whether or not anything is in it.
    std::fs::create_dir_all(&folder).map_err(EvalError::file(&folder))
}

/// Seconds for what is left, by the mean of its kind; `None` before all kinds were seen.
fn eta(times: &[(Pace, f64)], left: impl Iterator<Item = Pace>) -> Option<f64> {
    left.map(|pace| {
        let own: Vec<f64> = times.iter().filter(|t| t.0 == pace).map(|t| t.1).collect();
        (!own.is_empty()).then(|| own.iter().sum::<f64>() / own.len() as f64)
    })
    .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::EditRegion;
    use serde_json::json;

    #[test]
    fn the_time_left_waits_for_every_kind() {
        use SubjectKind::{Head, Instant};
        let (instant, head, edit) = ((false, Instant), (false, Head), (true, Head));
        let times = [(instant, 2.0), (instant, 4.0), (edit, 50.0)];
        assert_eq!(eta(&times, [instant, instant].into_iter()), Some(6.0));
        assert_eq!(eta(&times, [instant, edit].into_iter()), Some(53.0));
        assert_eq!(eta(&times, [instant, head].into_iter()), None);
    }

    #[test]
    fn strengths_are_of_distilled_heads_alone() {
        let edit = EvalEdit {
            prompt: "a man".into(),
            claims: None,
            instruction: "green skin".into(),
            region: EditRegion::All,
            attribute: "skin".into(),
            values: vec![json!("green")],
        };
        let mut plan = Plan {
            prompts: Vec::new(),
            edits: vec![edit],
            strengths: vec![0.5, 1.0],
            kinds: vec![SubjectKind::Samples, SubjectKind::Instant, SubjectKind::Head],
            seeds: 2,
            config: GenerationConfig::preset("quick").unwrap(),
            folder: PathBuf::new(),
            resume: false,
            keep: false,
        };
        let strengths = |plan: &Plan| -> Vec<f64> {
            let of = |task: &Task<'_>| match task {
                Task::Edit { strength, .. } => *strength,
                Task::Prompt { .. } => f64::NAN,
            };
            plan.tasks().iter().map(of).collect()
        };
        assert_eq!(strengths(&plan), [1.0, 1.0, 0.5, 1.0, 0.5, 1.0]);
        plan.strengths.clear();
        plan.config.edit.strength = 0.8;
        assert_eq!(strengths(&plan), [1.0, 1.0, 0.8, 0.8]);
    }

    #[test]
    fn copies_lose_their_states_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join(PROJECT_DIR);
        let checkpoints = root.join("checkpoints");
        std::fs::create_dir_all(checkpoints.join("objects")).unwrap();
        std::fs::write(checkpoints.join("edit-000001.json"), "{}").unwrap();
        std::fs::write(checkpoints.join("objects/00"), "state").unwrap();
        std::fs::write(root.join("mesh.safetensors"), "mesh").unwrap();
        forget_states(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(&checkpoints).unwrap().count(), 0);
        assert!(root.join("mesh.safetensors").is_file());
    }
}
