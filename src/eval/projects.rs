//! Measuring finished projects: by what the reader finds in their prompts and, where they were
//! edited, by what their logs say.

use super::edit::distance::Outside;
use super::edit::history::EditStep;
use super::edit::{EditRecord, History, Question, Untouched, write_sheet};
use super::results::Results;
use super::subject::avatar;
use super::{Claims, EvalError, Lens, Line, Record, SubjectKind, prompts};
use crate::config::{GenerationConfig, slug};
use crate::diffusion::PromptReader;
use crate::geometry::TexturedMesh;
use crate::pipeline::EditRegion;
use crate::project::Project;
use crate::render::GpuContext;
use crate::session::{SessionError, person};
use glam::Vec3;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A project that is measured.
struct Finished {
    config: GenerationConfig,
    history: History,
    mesh: TexturedMesh,
}

/// Measures projects; `tick` hears of each. A project whose log is the beginning of another's is
/// the head before the other's newest edits. With a folder, results, summary and sheets go
/// there; `resume` adds to those that are there.
///
/// # Errors
/// [`EvalError`].
pub fn projects(
    folders: &[PathBuf],
    output: Option<&Path>,
    resume: bool,
    mut tick: impl FnMut(&Line),
) -> Result<Vec<Line>, EvalError> {
    let finished: Vec<Finished> =
        folders.iter().map(|folder| open(folder)).collect::<Result<_, _>>()?;
    let histories: Vec<History> = finished.iter().map(|f| f.history.clone()).collect();
    let mut results = output.map(|folder| Results::open(folder, resume)).transpose()?;
    let gpu = GpuContext::new().map_err(SessionError::from)?;
    let lens = Lens::new(&gpu)?;
    let mut readers: BTreeMap<String, PromptReader> = BTreeMap::new();
    let mut lines = Vec::new();
    for (k, subject) in finished.iter().enumerate() {
        let started = Instant::now();
        let model = &subject.config.model;
        if !readers.contains_key(model) {
            readers.insert(model.clone(), person::reader(&subject.config)?);
        }
        let claims = prompts::said(&readers[model], &subject.config.prompt)?;
        let before = History::before(&histories, k).map(|k| &finished[k]);
        let mut line = if subject.history.edits.is_empty() {
            judged(&lens, subject, &claims)?
        } else {
            edited(&lens, before, subject, &claims, output)?
        };
        let seconds = started.elapsed().as_secs_f64();
        match &mut line {
            Line::Subject(record) => record.seconds = seconds,
            Line::Edit(record) => record.seconds = seconds,
        }
        tick(&line);
        if let Some(results) = &mut results {
            results.push(line.clone())?;
        }
        lines.push(line);
    }
    if let Some(results) = results {
        results.summarise()?;
    }
    Ok(lines)
}

fn open(folder: &Path) -> Result<Finished, EvalError> {
    let project = Project::open_read_only(folder).map_err(SessionError::from)?;
    let config = project.generation().map_err(SessionError::from)?.clone();
    Ok(Finished { config, history: History::of(&project), mesh: avatar(folder)? })
}

fn judged(lens: &Lens, subject: &Finished, claims: &Claims) -> Result<Line, EvalError> {
    let config = &subject.config;
    Ok(Line::Subject(Box::new(Record {
        kind: SubjectKind::Project,
        prompt: config.prompt.clone(),
        stratum: config.preset.clone(),
        seed: config.seed,
        model: config.model.clone(),
        verdict: lens.head(&subject.mesh, claims)?,
        seconds: 0.0,
    })))
}

fn edited(
    lens: &Lens,
    before: Option<&Finished>,
    subject: &Finished,
    prompt: &Claims,
    output: Option<&Path>,
) -> Result<Line, EvalError> {
    // Without the head before, the result shows all edits at once.
    let known = before.map_or(0, |before| before.history.edits.len());
    let edits = &subject.history.edits[known..];
    let changed = |of: &[EditStep]| -> BTreeMap<String, Value> {
        of.iter().flat_map(|edit| edit.changed.clone()).collect()
    };
    let new = changed(edits);
    let asked: Claims =
        new.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
    // What earlier edits changed, the prompt does not claim any more.
    let mut prompt = prompt.clone();
    for (name, value) in changed(&subject.history.edits[..known]) {
        prompt.insert(name, vec![value]);
    }
    let question = Question { asked: &asked, changed: &new, prompt: &prompt };
    let before = before.map(|before| &before.mesh);
    let config = &subject.config;
    let untouched = match before {
        Some(_) => rest(config, &subject.history.edits, known)?,
        None => None,
    };
    let outside = untouched.as_ref().map(|rest| |point: Vec3| rest.holds(point));
    let outside = outside.as_ref().map(|outside| outside as Outside<'_>);
    let seen = lens.edit(before, &subject.mesh, &question, outside)?;
    let instructions: Vec<&str> = edits.iter().map(|edit| edit.instruction.as_str()).collect();
    let instruction = instructions.join("; ");
    let sheet = match (output, before) {
        (Some(folder), Some(before)) => {
            let name = format!("{}-{}", config.default_folder(), slug(&instruction));
            Some(write_sheet(lens, folder, &name, before, &subject.mesh)?)
        }
        _ => None,
    };
    Ok(Line::Edit(Box::new(EditRecord {
        kind: SubjectKind::Project,
        prompt: config.prompt.clone(),
        instruction,
        seed: config.seed,
        region: edits.last().map_or(EditRegion::All, |edit| edit.region),
        strength: edits.last().map_or(0.0, |edit| edit.strength),
        model: config.model.clone(),
        asked,
        changed: new,
        verdict: seen.verdict,
        whole: seen.whole,
        outside: seen.outside,
        sheet,
        failed: None,
        seconds: 0.0,
    })))
}

/// Where none of the edits from number `known` on had anything to change.
fn rest(
    config: &GenerationConfig,
    edits: &[EditStep],
    known: usize,
) -> Result<Option<Untouched>, SessionError> {
    let (earlier, new) = edits.split_at(known);
    let earlier: Vec<&str> = earlier.iter().map(|edit| edit.instruction.as_str()).collect();
    let new: Vec<_> = new.iter().map(|edit| (edit.instruction.as_str(), edit.region)).collect();
    Untouched::of(config, &earlier, &new)
}
