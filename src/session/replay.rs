//! Doing again what a project's log says, in another folder.

use super::history::Move;
use super::{EditJob, GenerateJob, HistoryJob, Job, JobContext, Outcome, SessionError};
use crate::project::{Operation, Project, ProjectError};
use crate::render::GpuContext;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Repeats everything that made a project: the generation with its changes on the way, the edits
/// on all branches, the names. On the same device the same program makes the same bytes; a
/// version whose mesh, texture or motion comes out otherwise is warned of.
#[derive(Debug)]
pub struct ReplayJob {
    /// The project, or the output folder that holds it.
    pub folder: PathBuf,
    /// The folder for the repeated one, which holds no head yet.
    pub to: PathBuf,
}

impl Job for ReplayJob {
    fn run(self, context: &JobContext) -> Result<Outcome, SessionError> {
        let source = Project::open_read_only(&self.folder)?;
        source.usable_generation()?;
        if !source.history().versions().iter().all(|version| version.is_finished) {
            let what = "is not finished; finish it with generate --resume first";
            return Err(SessionError::Edit(format!("{} {what}", source.root().display())));
        }
        Project::check_free(&self.to)?;
        begin(&source, &self.to, context)?;
        let mut replay = Replay { to: &self.to, context, versions: BTreeMap::new() };
        for entry in source.entries() {
            if let Some(stopped) = replay.repeat(entry.id, &entry.operation)? {
                return Ok(stopped);
            }
        }
        let current = replay.version(source.history().current().id)?;
        let to = Move::Goto(current.to_string());
        let done = HistoryJob { folder: self.to.clone(), to }.run(context)?;
        compare(&source, &Project::open_read_only(&self.to)?, &replay.versions, context)?;
        Ok(done)
    }
}

/// Creates the project with its generation and what changed it on its way.
fn begin(source: &Project, to: &Path, context: &JobContext) -> Result<(), SessionError> {
    let Some(Operation::Generate { config, version, device }) =
        source.entries().first().map(|entry| &entry.operation)
    else {
        let path = source.root().to_path_buf();
        let what = "does not begin with a generation".into();
        return Err(ProjectError::Broken { path, what }.into());
    };
    let (program, gpu) = (env!("CARGO_PKG_VERSION"), GpuContext::new()?.describe());
    for (what, then, now) in [("HeadSculpt", version.as_str(), program), ("the GPU", device, &gpu)]
    {
        if then != now {
            context.events.warn(format!("{what} was {then}, and is {now}: bytes may differ"));
        }
    }
    let first =
        Operation::Generate { config: config.clone(), version: program.into(), device: gpu };
    let mut project = Project::create(to, first).map_err(SessionError::Storage)?;
    for entry in source.entries() {
        if let steer @ Operation::Steer { .. } = &entry.operation {
            project.append(steer.clone()).map_err(SessionError::Storage)?;
        }
    }
    Ok(())
}

struct Replay<'a> {
    to: &'a Path,
    context: &'a JobContext,
    /// The versions here by those of the source.
    versions: BTreeMap<u64, u64>,
}

impl Replay<'_> {
    /// Does an operation again; gives how it was stopped, if it was.
    fn repeat(&mut self, id: u64, operation: &Operation) -> Result<Option<Outcome>, SessionError> {
        let folder = self.to.to_path_buf();
        let outcome = match operation {
            Operation::Generate { .. } => GenerateJob::Resume { folder }.run(self.context)?,
            Operation::Edit { instruction, region, strength, steps, seed, .. } => EditJob {
                folder,
                copy: None,
                instruction: instruction.clone(),
                region: *region,
                strength: Some(*strength),
                steps: Some(*steps),
                seed: Some(*seed),
            }
            .run(self.context)?,
            Operation::Select { version } => {
                self.project()?.select(self.version(*version)?)?;
                return Ok(None);
            }
            Operation::Name { version, name } => {
                self.project()?.rename(self.version(*version)?, name)?;
                return Ok(None);
            }
            // How often it was interrupted, and what was thrown away, makes nothing.
            Operation::Resume { .. }
            | Operation::Steer { .. }
            | Operation::Finish { .. }
            | Operation::Prune { .. } => return Ok(None),
        };
        let Outcome::Completed(_) = outcome else { return Ok(Some(outcome)) };
        self.versions.insert(id, self.project()?.history().current().id);
        Ok(None)
    }

    fn project(&self) -> Result<Project, SessionError> {
        Project::open(self.to).map_err(SessionError::Storage)
    }

    fn version(&self, of_source: u64) -> Result<u64, SessionError> {
        self.versions.get(&of_source).copied().ok_or_else(|| {
            SessionError::Edit(format!("the log names version {of_source} before it makes it"))
        })
    }
}

/// Warns of versions that came out otherwise.
fn compare(
    source: &Project,
    replayed: &Project,
    versions: &BTreeMap<u64, u64>,
    context: &JobContext,
) -> Result<(), SessionError> {
    for (then, now) in versions {
        let digest = |project: &Project, version| project.avatar_digest(version);
        // What was pruned cannot be compared.
        let Some(was) = digest(source, *then)? else { continue };
        if digest(replayed, *now)? != Some(was) {
            context.events.warn(format!("version {then} came out with other bytes"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GenerationConfig;
    use crate::guidance::Steering;
    use crate::pipeline::EditRegion;
    use crate::project::PROJECT_DIR;
    use crate::session::{Command, Event, spawn};

    /// Runs a job to its end with changes on its way; the warnings.
    fn run(job: impl Job, changes: &[Steering]) -> Vec<String> {
        let session = spawn(job).unwrap();
        for change in changes {
            session.send(Command::Steer(change.clone()));
        }
        let mut warnings = Vec::new();
        while let Ok(event) = session.events.recv() {
            match event {
                Event::Warning(warning) => warnings.push(warning.0),
                Event::Finished(Outcome::Completed(_)) => return warnings,
                Event::Finished(other) => panic!("{other:?}"),
                _ => {}
            }
        }
        panic!("the job went away")
    }

    fn edit(folder: &Path, instruction: &str) -> EditJob {
        EditJob {
            folder: folder.to_path_buf(),
            copy: None,
            instruction: instruction.into(),
            region: EditRegion::All,
            strength: Some(0.9),
            steps: None,
            seed: Some(4),
        }
    }

    #[test]
    fn a_log_done_again_makes_the_same_bytes_and_another_log_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let preset = at("small.toml");
        let text = "extends = \"quick\"\n\
            [views]\nsize = 32\ncount = 1\nclose_ups = { count = 0, frame_height = 0.9, azimuth = 30.0 }\n\
            [coarse]\nsteps = 2\ninner_steps = 1\n\
            [field.grid]\nfinest_resolution = 48\nlog2_table = 18\n\
            [fine]\nsteps = 2\ninner_steps = 1\nsize = 32\ncells = 32\n\
            [fine.texture]\nbase_resolution = 24\nfinest_resolution = 64\nlog2_table = 16\n\
            [edit]\nsteps = 1\n[mesh]\ngrid = 64\ntexture = 256\ntriangles = 4000\n";
        std::fs::write(&preset, text).unwrap();
        let mut config = GenerationConfig::preset(preset.to_str().unwrap()).unwrap();
        config.prompt = "a bald man".into();
        let head = at("head");
        let long = "an ugly hat with a feather, ".repeat(20);
        let changes = [Steering::Rates { factor: 3.0 }, Steering::Negative { text: long }];
        let job = GenerateJob::New { folder: head.clone(), config: Box::new(config) };
        let warnings = run(job, &changes);
        let cut = warnings.iter().filter(|text| text.contains("the negative prompt is longer"));
        assert_eq!(cut.count(), 1, "{warnings:?}");
        run(edit(&head, "give him a red beard"), &[]);
        let to = |to| HistoryJob { folder: head.clone(), to };
        run(to(Move::Name("bearded".into())), &[]);
        run(to(Move::Undo), &[]);
        run(edit(&head, "give him green skin"), &[]);
        let source = Project::open_read_only(&head).unwrap();
        assert_eq!(source.steerings().count(), 2);
        drop(source);

        let replay = |from: &str, to: &str| ReplayJob { folder: at(from), to: at(to) };
        let log = |name: &str| at(name).join(PROJECT_DIR).join("operations.jsonl");
        let other = |warnings: &[String]| {
            warnings.iter().filter(|warning| warning.contains("other bytes")).count()
        };
        let warnings = run(replay("head", "again"), &[]);
        assert_eq!(other(&warnings), 0, "{warnings:?}");
        let glb = |name: &str| std::fs::read(at(name).join("avatar.glb")).unwrap();
        assert!(glb("head") == glb("again"));
        let [first, second] = ["head", "again"].map(|name| {
            let project = Project::open_read_only(&at(name)).unwrap();
            let versions = project.history().versions();
            versions.iter().map(|v| (v.name.clone(), v.depth, v.is_finished)).collect::<Vec<_>>()
        });
        assert_eq!(first, second);

        // Without the changes on its way it is another head, and so is all that follows.
        let text = std::fs::read_to_string(log("again")).unwrap();
        std::fs::write(log("again"), text.replace("\"factor\":3.0", "\"factor\":1.0")).unwrap();
        let warnings = run(replay("again", "third"), &[]);
        assert_eq!(other(&warnings), 3, "{warnings:?}");
        // A folder that holds a head is left alone.
        let session = spawn(replay("head", "third")).unwrap();
        let last = std::iter::from_fn(|| session.events.recv().ok()).last();
        assert!(matches!(last, Some(Event::Finished(Outcome::Failed(_)))), "{last:?}");
    }
}
