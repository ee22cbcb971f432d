//! Opening, creating and appending to a project.

use super::log::{self, LOG};
use super::{
    CheckpointStore, Entry, History, Operation, PROJECT_DIR, ProjectError, VersionStore, plain,
};
use crate::config::GenerationConfig;
use crate::guidance::Steering;
use crate::io::atomic;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

const LOCK: &str = "lock";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const VERSIONS: &str = "versions";

/// An open project. The lock is held until it is dropped.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    entries: Vec<Entry>,
    history: History,
    /// A sentence for each thing that had to be repaired while opening.
    repairs: Vec<String>,
    _lock: Option<File>,
}

impl Project {
    /// Whether a project can be made in `output`, as far as that can be told without
    /// writing anything.
    ///
    /// # Errors
    /// [`ProjectError::Exists`] if there is one already, [`ProjectError::Broken`] if what lies
    /// there leads elsewhere, [`ProjectError::Io`] if the nearest folder that exists is none, or
    /// read-only.
    pub fn check_free(output: &Path) -> Result<(), ProjectError> {
        let root = output.join(PROJECT_DIR);
        if root.symlink_metadata().is_ok() {
            plain::check(&root)?;
        }
        if root.join(LOG).exists() {
            return Err(ProjectError::Exists(output.to_path_buf()));
        }
        let fail = |kind: std::io::ErrorKind| Err(ProjectError::io("create", output)(kind.into()));
        let named = |path: &&Path| !path.as_os_str().is_empty();
        match output.ancestors().filter(named).find_map(|path| path.metadata().ok()) {
            Some(found) if !found.is_dir() => fail(std::io::ErrorKind::NotADirectory),
            Some(found) if found.permissions().readonly() => {
                fail(std::io::ErrorKind::PermissionDenied)
            }
            _ => Ok(()),
        }
    }

    /// Creates `<output>/avatar.headsculpt` with its first operation.
    ///
    /// # Errors
    /// [`ProjectError::Exists`] if there is one already, [`ProjectError::Io`] if the
    /// folder cannot be written.
    pub fn create(output: &Path, first: Operation) -> Result<Self, ProjectError> {
        let root = output.join(PROJECT_DIR);
        Self::check_free(output)?;
        let checkpoints = root.join(CHECKPOINTS);
        std::fs::create_dir_all(&checkpoints).map_err(ProjectError::io("create", output))?;
        let lock = take_lock(&root)?;
        // Another process may have been faster.
        Self::check_free(output)?;
        let (entry, line) = log::encode(&root, 1, None, first)?;
        let history = read_history(std::slice::from_ref(&entry), &root.join(LOG))?;
        log::create(&root, &line)?;
        Ok(Self { root, entries: vec![entry], history, repairs: Vec::new(), _lock: Some(lock) })
    }

    /// Opens a project: `path` is its folder or the output folder that holds it.
    ///
    /// # Errors
    /// [`ProjectError::NotAProject`], [`ProjectError::Locked`], [`ProjectError::TooNew`]
    /// or [`ProjectError::Broken`] naming the line.
    pub fn open(path: &Path) -> Result<Self, ProjectError> {
        let root = locate(path)?;
        let lock = take_lock(&root)?;
        let project = Self::read(root, Some(lock), true)?;
        project.adopt_avatar()?;
        // Whoever was writing there has died: the lock is ours. What stays is only litter.
        for folder in [project.output(), project.root(), &project.root().join(VERSIONS)] {
            if let Err(error) = atomic::remove_leftovers(folder) {
                tracing::debug!(%error, "could not clean {}", folder.display());
            }
        }
        Ok(project)
    }

    /// Opens a project to read it only: nothing is written, so that it may lie in a
    /// read-only place, and readers do not shut each other out.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_read_only(path: &Path) -> Result<Self, ProjectError> {
        let root = locate(path)?;
        let lock = match File::open(root.join(LOCK)) {
            Ok(file) => match file.try_lock_shared() {
                Err(TryLockError::WouldBlock) => return Err(ProjectError::Locked(root)),
                // A place that knows no locks has no other process to fear either.
                Ok(()) | Err(TryLockError::Error(_)) => Some(file),
            },
            Err(_) => None,
        };
        Self::read(root, lock, false)
    }

    /// `repair` says whether an unfinished last line is removed from disk.
    fn read(root: PathBuf, lock: Option<File>, repair: bool) -> Result<Self, ProjectError> {
        let log = root.join(LOG);
        let (entries, repairs) = log::read(&log, repair)?;
        let history = read_history(&entries, &log)?;
        Ok(Self { root, entries, history, repairs, _lock: lock })
    }

    /// Copies the project, with what was exported beside it, into a folder that holds none.
    ///
    /// # Errors
    /// As [`Self::check_free`]; [`ProjectError::Io`] if a file cannot be copied.
    pub fn copy_to(&self, output: &Path) -> Result<(), ProjectError> {
        Self::check_free(output)?;
        let root = output.join(PROJECT_DIR);
        // The log comes last, and whole: without it there is no project yet.
        self.checkpoints().copy_to(&CheckpointStore::new(root.join(CHECKPOINTS)))?;
        self.versions().copy_to(&VersionStore::new(root.join(VERSIONS)))?;
        copy_files(self.output(), output)?;
        copy_files(&self.root, &root)?;
        log::copy(&self.root, &root)
    }

    /// The project's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that the project lies in; exports go there.
    #[must_use]
    pub fn output(&self) -> &Path {
        self.root.parent().unwrap_or(&self.root)
    }

    /// The log so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What had to be repaired while opening, in plain words.
    #[must_use]
    pub fn repairs(&self) -> &[String] {
        &self.repairs
    }

    /// The versions that the log tells of.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The operations that made the current version, from its `generate` on.
    pub fn path(&self) -> impl Iterator<Item = &Operation> {
        let path = self.history.path_to(self.history.current().id);
        path.into_iter().map(|version| &self.entries[version.id as usize - 1].operation)
    }

    /// The settings of the `generate` that the current version comes from.
    ///
    /// # Errors
    /// [`ProjectError::Broken`] if the log has none.
    pub fn generation(&self) -> Result<&GenerationConfig, ProjectError> {
        let found = self.path().find_map(|operation| match operation {
            Operation::Generate { config, .. } => Some(&**config),
            _ => None,
        });
        found.ok_or_else(|| ProjectError::Broken {
            path: self.root.join(LOG),
            what: "has no 'generate' operation".into(),
        })
    }

    /// [`Self::generation`] in the ranges of this program: what a job may go on with.
    ///
    /// # Errors
    /// [`ProjectError::Broken`] naming the setting.
    pub fn usable_generation(&self) -> Result<&GenerationConfig, ProjectError> {
        let config = self.generation()?;
        config.validate().map_err(|error| ProjectError::Broken {
            path: self.root.join(LOG),
            what: format!("settings that cannot be used: {error}"),
        })?;
        Ok(config)
    }

    /// The instructions of the edits that led to the current version, oldest first.
    pub fn instructions(&self) -> impl Iterator<Item = &str> {
        self.path().filter_map(|operation| match operation {
            Operation::Edit { instruction, .. } => Some(instruction.as_str()),
            _ => None,
        })
    }

    /// The changes of the current version's generation while it ran, oldest first: stage, steps
    /// of it that were done, change.
    pub fn steerings(&self) -> impl Iterator<Item = (&str, u64, &Steering)> {
        let root = self.history.path_to(self.history.current().id).first().map(|v| v.id);
        self.entries.iter().filter(move |entry| entry.parent == root).filter_map(|entry| {
            match &entry.operation {
                Operation::Steer { stage, step, change } => Some((stage.as_str(), *step, change)),
                _ => None,
            }
        })
    }

    /// Whether the current version has been finished.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.history.current().is_finished
    }

    /// The id that the next operation will have.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.entries.len() as u64 + 1
    }

    /// Appends an operation durably and returns its id.
    ///
    /// # Errors
    /// [`ProjectError::Io`]; [`ProjectError::Broken`] if it makes no sense here.
    pub fn append(&mut self, operation: Operation) -> Result<u64, ProjectError> {
        let parent = Some(self.history.current().id);
        let (entry, line) = log::encode(&self.root, self.next_id(), parent, operation)?;
        let mut history = self.history.clone();
        history.push(&entry).map_err(|what| senseless(&self.root.join(LOG), entry.id, &what))?;
        log::append(&self.root, &line)?;
        let id = entry.id;
        self.entries.push(entry);
        self.history = history;
        Ok(id)
    }

    /// The files of this project's versions.
    #[must_use]
    pub fn versions(&self) -> VersionStore {
        VersionStore::new(self.root.join(VERSIONS))
    }

    /// The checkpoints of this project.
    #[must_use]
    pub fn checkpoints(&self) -> CheckpointStore {
        CheckpointStore::new(self.root.join(CHECKPOINTS))
    }
}

fn read_history(entries: &[Entry], log: &Path) -> Result<History, ProjectError> {
    History::of(entries).map_err(|(id, what)| senseless(log, id, &what))
}

fn senseless(log: &Path, id: u64, what: &str) -> ProjectError {
    ProjectError::Broken { path: log.into(), what: format!("line {id}: {what}") }
}

/// Copies the files of a folder, but not its folders nor a lock or log.
fn copy_files(from: &Path, to: &Path) -> Result<(), ProjectError> {
    std::fs::create_dir_all(to).map_err(ProjectError::io("create", to))?;
    for entry in std::fs::read_dir(from).map_err(ProjectError::io("read", from))? {
        let entry = entry.map_err(ProjectError::io("read", from))?;
        let path = entry.path();
        let name = entry.file_name();
        if path.is_file() && name != LOCK && name != LOG {
            let copy = to.join(name);
            std::fs::copy(&path, &copy).map_err(ProjectError::io("write", copy))?;
        }
    }
    Ok(())
}

/// Finds the project folder from itself or from the output folder, and refuses what leads out
/// of it.
fn locate(path: &Path) -> Result<PathBuf, ProjectError> {
    let root = [path.to_path_buf(), path.join(PROJECT_DIR)]
        .into_iter()
        .find(|root| root.join(LOG).symlink_metadata().is_ok())
        .ok_or_else(|| ProjectError::NotAProject(path.to_path_buf()))?;
    plain::check(&root)?;
    Ok(root)
}

fn take_lock(root: &Path) -> Result<File, ProjectError> {
    let path = root.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(ProjectError::io("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ProjectError::Locked(root.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(ProjectError::io("lock", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn generate() -> Operation {
        Operation::Generate {
            config: Box::new(GenerationConfig::preset("quick").unwrap()),
            version: "0".into(),
            device: "test".into(),
        }
    }

    #[test]
    fn survives_reopening_and_a_torn_last_line() {
        let dir = tempfile::tempdir().unwrap();
        let mut project = Project::create(dir.path(), generate()).unwrap();
        project.append(Operation::Resume { stage: "coarse".into(), step: 5 }).unwrap();
        assert!(matches!(Project::open(dir.path()), Err(ProjectError::Locked(_))));
        assert!(matches!(Project::open_read_only(dir.path()), Err(ProjectError::Locked(_))));
        assert!(matches!(Project::create(dir.path(), generate()), Err(ProjectError::Exists(_))));
        let entries = project.entries().to_vec();
        let log = project.root().join(LOG);
        drop(project);
        let mut file = OpenOptions::new().append(true).open(&log).unwrap();
        file.write_all(b"{\"schema\":1,\"id\":3,\"par").unwrap();
        let torn = std::fs::read(&log).unwrap();
        let (a, b) = (Project::open_read_only(dir.path()), Project::open_read_only(dir.path()));
        assert_eq!(a.unwrap().entries(), b.unwrap().entries());
        assert_eq!(std::fs::read(&log).unwrap(), torn, "a reader wrote");
        let project = Project::open(&dir.path().join(PROJECT_DIR)).unwrap();
        assert_eq!(project.entries(), entries);
        assert_eq!(project.repairs().len(), 1);
        assert!(!project.is_finished());
    }

    #[test]
    fn refuses_newer_and_broken_logs_naming_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let project = Project::create(dir.path(), generate()).unwrap();
        let log = project.root().join(LOG);
        drop(project);
        let good = std::fs::read_to_string(&log).unwrap();
        std::fs::write(&log, good.clone() + "{\"schema\": 99}\n").unwrap();
        assert!(matches!(Project::open(dir.path()), Err(ProjectError::TooNew { found: 99, .. })));
        std::fs::write(&log, good.clone() + "nonsense\n").unwrap();
        assert!(Project::open(dir.path()).unwrap_err().to_string().contains("line 2"));
        std::fs::write(&log, good.clone() + &good).unwrap();
        assert!(Project::open(dir.path()).unwrap_err().to_string().contains("expected id 2"));
        assert!(matches!(
            Project::open(&dir.path().join("nowhere")),
            Err(ProjectError::NotAProject(_))
        ));
    }
}
