//! The open project as the window sees it.

use crate::config::GenerationConfig;
use crate::geometry::{MorphMesh, TexturedMesh};
use crate::io::image::decode_png;
use crate::project::{DiskUse, History, Project, ProjectError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most pixels along a side of a version's picture; all of them are held at once.
const LARGEST_THUMBNAIL: u32 = 512;

/// A version that can be drawn: the mesh with its motion, and as it is first shown.
#[derive(Debug, Clone)]
pub struct Head {
    /// What moves.
    pub morph: Arc<MorphMesh>,
    /// It at its own weights.
    pub shown: Arc<TexturedMesh>,
}

/// The open project as the window sees it: a copy in memory, so that jobs may hold the lock.
#[derive(Debug)]
pub struct Document {
    folder: PathBuf,
    history: History,
    config: GenerationConfig,
    /// The version that is shown; ahead of the log while a job writes a move down.
    shown: u64,
    heads: BTreeMap<u64, Option<Head>>,
    thumbnails: BTreeMap<u64, Option<image::RgbaImage>>,
    disk: DiskUse,
    repairs: Vec<String>,
}

impl Document {
    /// Reads a project.
    ///
    /// # Errors
    /// [`ProjectError`] naming what does not read.
    pub fn open(folder: &Path) -> Result<Self, ProjectError> {
        let project = Project::open_read_only(folder)?;
        let mut document = Self {
            folder: project.output().to_path_buf(),
            history: project.history().clone(),
            config: project.generation()?.clone(),
            shown: project.history().current().id,
            heads: BTreeMap::new(),
            thumbnails: BTreeMap::new(),
            disk: DiskUse::default(),
            repairs: project.repairs().to_vec(),
        };
        document.read(&project)?;
        Ok(document)
    }

    /// Reads what has changed on disk.
    ///
    /// # Errors
    /// [`ProjectError`] naming what does not read; the document is then as it was.
    pub fn reload(&mut self) -> Result<(), ProjectError> {
        let project = Project::open_read_only(&self.folder)?;
        self.history = project.history().clone();
        self.config = project.generation()?.clone();
        self.shown = self.history.current().id;
        self.read(&project)
    }

    fn read(&mut self, project: &Project) -> Result<(), ProjectError> {
        self.disk = project.disk_use()?;
        for version in self.history.versions() {
            if !matches!(self.thumbnails.get(&version.id), Some(Some(_))) && !version.is_pruned {
                // A damaged thumbnail is no reason not to open.
                let png = project.thumbnail(version.id).ok().flatten();
                let picture = png.and_then(|png| decode_png(&png, LARGEST_THUMBNAIL).ok());
                self.thumbnails.insert(version.id, picture.map(|p| p.into_rgba8()));
            }
        }
        self.load(project, self.shown)?;
        if let Some(before) = self.history.get(self.shown).and_then(|version| version.parent) {
            self.load(project, before)?;
        }
        Ok(())
    }

    fn load(&mut self, project: &Project, version: u64) -> Result<(), ProjectError> {
        if matches!(self.heads.get(&version), Some(Some(_))) {
            return Ok(());
        }
        let head = project.avatar_of(version)?.map(|morph| {
            let shown = Arc::new(morph.shown());
            Head { morph: Arc::new(morph), shown }
        });
        self.heads.insert(version, head);
        Ok(())
    }

    /// Shows a version at once, before a job has made it the current one.
    ///
    /// # Errors
    /// [`ProjectError`] naming what does not read.
    pub fn show(&mut self, version: u64) -> Result<(), ProjectError> {
        if !matches!(self.heads.get(&version), Some(Some(_))) {
            let project = Project::open_read_only(&self.folder)?;
            self.load(&project, version)?;
        }
        self.shown = version;
        Ok(())
    }

    /// Makes a version that need not lead here ready to be compared.
    ///
    /// # Errors
    /// [`ProjectError`] naming what does not read.
    pub fn prepare(&mut self, version: u64) -> Result<(), ProjectError> {
        let project = Project::open_read_only(&self.folder)?;
        self.load(&project, version)
    }

    /// The output folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All versions.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The settings that the head was made with.
    #[must_use]
    pub fn config(&self) -> &GenerationConfig {
        &self.config
    }

    /// The version that is shown.
    #[must_use]
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// The head that is shown; `None` if it is not finished.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head_of(self.shown)
    }

    /// A version's head, if it has been loaded.
    #[must_use]
    pub fn head_of(&self, version: u64) -> Option<&Head> {
        self.heads.get(&version)?.as_ref()
    }

    /// The head before the edit that made the one that is shown.
    #[must_use]
    pub fn before(&self) -> Option<&Head> {
        self.head_of(self.history.get(self.shown)?.parent?)
    }

    /// A small picture of a version.
    #[must_use]
    pub fn thumbnail(&self, version: u64) -> Option<&image::RgbaImage> {
        self.thumbnails.get(&version)?.as_ref()
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn disk(&self) -> DiskUse {
        self.disk
    }

    /// What had to be repaired while opening.
    #[must_use]
    pub fn repairs(&self) -> &[String] {
        &self.repairs
    }

    /// Whether the current version can be edited and exported.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.history.current().is_finished
    }
}
