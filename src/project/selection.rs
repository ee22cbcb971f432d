//! Moving between versions, naming them, and removing what is no longer wanted.

use super::document::{CHECKPOINTS, VERSIONS};
use super::objects::read_file;
use super::{Operation, Project, ProjectError, Version};
use std::path::Path;

/// Says which version the files in the output folder show.
const EXPORTED: &str = "exported";

/// Bytes that a project takes on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct DiskUse {
    /// States to go on from.
    pub checkpoints: u64,
    /// Meshes, textures and thumbnails of all versions.
    pub versions: u64,
    /// The log and whatever else lies in the project.
    pub rest: u64,
}

impl DiskUse {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.checkpoints + self.versions + self.rest
    }
}

impl Project {
    /// Makes another version the current one; nothing happens if it is already.
    ///
    /// # Errors
    /// [`ProjectError::History`] if there is no such version, or nothing left of it to show.
    pub fn select(&mut self, version: u64) -> Result<(), ProjectError> {
        let refuse = |what| Err(ProjectError::History(what));
        let Some(found) = self.history().get(version) else {
            return refuse(format!("{} has no version {version}", self.root().display()));
        };
        if found.id == self.history().current().id {
            return Ok(());
        }
        if found.is_pruned {
            return refuse(format!("version {version} was removed to save space"));
        }
        if self.avatar_of(version)?.is_none() {
            return refuse(format!(
                "version {version} was made by an older HeadSculpt, which kept the files of the newest head alone"
            ));
        }
        self.append(Operation::Select { version })?;
        Ok(())
    }

    /// Goes back to the version that the current one was made from; gives its id.
    ///
    /// # Errors
    /// [`ProjectError::History`] if there is none.
    pub fn undo(&mut self) -> Result<u64, ProjectError> {
        let target = self.history().undo_target().map(|version| version.id);
        self.go(target, "there is nothing to undo: this is the head as it was generated")
    }

    /// Goes forward to where undo came from; gives its id.
    ///
    /// # Errors
    /// [`ProjectError::History`] if there is nothing.
    pub fn redo(&mut self) -> Result<u64, ProjectError> {
        let target = self.history().redo_target().map(|version| version.id);
        self.go(target, "there is nothing to redo: nothing was made from this head")
    }

    /// Gives the current version a name (an empty one takes it away).
    ///
    /// # Errors
    /// [`ProjectError::History`] for a name that is a number or too long.
    pub fn name(&mut self, name: &str) -> Result<(), ProjectError> {
        let version = self.history().current().id;
        self.rename(version, name)
    }

    /// Gives a version a name (an empty one takes it away).
    ///
    /// # Errors
    /// [`ProjectError::History`] for a name that is a number or too long, or of no version.
    pub fn rename(&mut self, version: u64, name: &str) -> Result<(), ProjectError> {
        let name = name.trim();
        let refuse = |what: String| Err(ProjectError::History(what));
        if self.history().get(version).is_none() {
            return refuse(format!("{} has no version {version}", self.root().display()));
        }
        if name.parse::<u64>().is_ok() {
            return refuse(format!("the name '{name}' is a number, as versions have"));
        }
        if name.chars().count() > super::history::LONGEST_NAME {
            let most = super::history::LONGEST_NAME;
            return refuse(format!("the name '{name}' is longer than {most} characters"));
        }
        self.append(Operation::Name { version, name: name.to_owned() })?;
        Ok(())
    }

    /// Removes states and files of all versions that neither lead to the current one nor have
    /// a name, and gives their ids. The log still tells of them.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the file.
    pub fn prune(&mut self) -> Result<Vec<u64>, ProjectError> {
        let idle: Vec<Version> = self.history().idle().cloned().collect();
        let ids: Vec<u64> = idle.iter().map(|version| version.id).collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        // First the log: files that nothing speaks of are only waste, the reverse is a loss.
        self.append(Operation::Prune { versions: ids.clone() })?;
        self.checkpoints().remove_edits(idle.iter().map(|version| version.edit_number))?;
        self.versions().remove(&ids.iter().copied().collect())?;
        Ok(ids)
    }

    /// What the project takes on disk.
    ///
    /// # Errors
    /// [`ProjectError::Io`] naming the folder.
    pub fn disk_use(&self) -> Result<DiskUse, ProjectError> {
        let checkpoints = bytes_in(&self.root().join(CHECKPOINTS))?;
        let versions = bytes_in(&self.root().join(VERSIONS))?;
        let rest = bytes_in(self.root())?.saturating_sub(checkpoints + versions);
        Ok(DiskUse { checkpoints, versions, rest })
    }

    /// Notes that the files in the output folder show the current version from now on.
    ///
    /// # Errors
    /// [`ProjectError::Io`].
    pub fn mark_exported(&self) -> Result<(), ProjectError> {
        let version = self.history().current().id.to_string();
        ProjectError::write(&self.root().join(EXPORTED), version.as_bytes())
    }

    /// Whether the files in the output folder show the current version, as far as is known.
    #[must_use]
    pub fn is_exported(&self) -> bool {
        let noted = read_file(&self.root().join(EXPORTED), 64).unwrap_or_default();
        // Without branches there was no need for a note.
        let by_history = || self.history().versions().last().map(|version| version.id);
        let noted = std::str::from_utf8(&noted).ok().and_then(|text| text.trim().parse().ok());
        noted.or_else(by_history) == Some(self.history().current().id)
    }

    fn go(&mut self, target: Option<u64>, nothing: &str) -> Result<u64, ProjectError> {
        let target = target.ok_or_else(|| ProjectError::History(nothing.into()))?;
        self.select(target)?;
        Ok(target)
    }
}

/// Bytes of all files in a folder and below; links are not followed.
fn bytes_in(folder: &Path) -> Result<u64, ProjectError> {
    let io = || ProjectError::io("read", folder);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(io()(error)),
    };
    let mut sum = 0;
    for entry in entries {
        let entry = entry.map_err(io())?;
        let kind = entry.file_type().map_err(io())?;
        if kind.is_dir() {
            sum += bytes_in(&entry.path())?;
        } else if kind.is_file() {
            sum += entry.metadata().map_err(io())?.len();
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GenerationConfig;
    use crate::geometry::mesh::sphere;
    use crate::geometry::{MorphMesh, TexturedMesh};
    use crate::pipeline::EditRegion;
    use crate::project::{Checkpoint, Keep};
    use glam::{Vec2, Vec3};
    use std::collections::BTreeMap;

    /// A head that differs by its radius.
    fn head(radius: f32) -> MorphMesh {
        let mesh = sphere(Vec3::ZERO, radius, 4, 5);
        let normals = mesh.positions.iter().map(|p| p.normalize()).collect();
        let uvs = vec![Vec2::splat(0.5); mesh.positions.len()];
        let albedo = image::RgbaImage::from_pixel(2, 2, image::Rgba([9, 8, 7, 255]));
        MorphMesh::still(TexturedMesh { mesh, normals, uvs, albedo })
    }

    fn state(project: &Project, step: u64) {
        let arrays = BTreeMap::from([("own".to_owned(), step.to_le_bytes().repeat(1000))]);
        let (stage, fingerprint) = ("edit".into(), "f".into());
        let checkpoint = Checkpoint { stage, step, fingerprint, arrays };
        project.checkpoints().save(&checkpoint, Keep::Pinned).unwrap();
    }

    fn project(folder: &Path) -> Project {
        let config = Box::new(GenerationConfig::preset("quick").unwrap());
        let (version, device) = ("0".into(), "test".into());
        let first = Operation::Generate { config, version, device };
        let mut project = Project::create(folder, first).unwrap();
        project.save_avatar(1, &head(1.0)).unwrap();
        project.finish(&head(1.0).rest).unwrap();
        project
    }

    /// An edit as its job leaves it; gives its id.
    fn edit(project: &mut Project, radius: f32) -> u64 {
        let id = project.next_id();
        state(project, id);
        project.save_avatar(id, &head(radius)).unwrap();
        let edit = Operation::Edit {
            instruction: format!("{radius}"),
            region: EditRegion::All,
            strength: 1.0,
            steps: 1,
            seed: 0,
            changed: BTreeMap::new(),
        };
        assert_eq!(project.append(edit).unwrap(), id);
        id
    }

    #[test]
    fn undo_shows_the_head_before_and_pruning_keeps_what_leads_here() {
        let dir = tempfile::tempdir().unwrap();
        let mut project = project(dir.path());
        let a = edit(&mut project, 2.0);
        let b = edit(&mut project, 3.0);
        assert_eq!(project.undo().unwrap(), a);
        assert_eq!(project.load_avatar().unwrap().unwrap(), head(2.0));
        let c = edit(&mut project, 4.0);
        project.rename(b, " wide ").unwrap();
        assert_eq!(project.history().find("wide").unwrap().id, b);
        assert_eq!(project.undo().unwrap(), a);
        assert!(project.rename(b, "12").is_err());
        assert!(project.prune().unwrap() == [c], "what has a name stays");
        assert!(project.avatar_of(c).unwrap().is_none());
        assert!(project.checkpoints().find("edit", c).unwrap().is_none());
        assert!(matches!(project.select(c), Err(ProjectError::History(_))));
        let before = project.disk_use().unwrap();
        project.rename(b, "").unwrap();
        assert!(project.prune().unwrap() == [b]);
        assert!(project.prune().unwrap().is_empty());
        let after = project.disk_use().unwrap();
        assert!(after.checkpoints < before.checkpoints && after.versions < before.versions);
        drop(project);
        let project = Project::open(dir.path()).unwrap();
        assert_eq!(project.load_avatar().unwrap().unwrap(), head(2.0));
        assert!(project.checkpoints().find("edit", a).unwrap().is_some());
        assert!(project.history().get(b).unwrap().is_pruned);
    }

    #[test]
    fn it_is_known_which_version_the_exported_files_show() {
        let dir = tempfile::tempdir().unwrap();
        let mut project = project(dir.path());
        assert!(project.is_exported(), "projects without the note have one version");
        edit(&mut project, 2.0);
        project.mark_exported().unwrap();
        assert!(project.is_exported());
        project.undo().unwrap();
        assert!(!project.is_exported());
    }

    /// A project as the first schema left it: a line of edits, and the newest head's files
    /// beside the log.
    #[test]
    fn a_project_of_schema_1_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut project = project(dir.path());
        let last = edit(&mut project, 2.0);
        state(&project, 1);
        let root = project.root().to_path_buf();
        for name in ["mesh.safetensors", "albedo.png"] {
            let file = project.versions().get(last, name).unwrap().unwrap();
            std::fs::write(root.join(name), file).unwrap();
        }
        drop(project);
        std::fs::remove_dir_all(root.join("versions")).unwrap();
        let log = root.join("operations.jsonl");
        let mut old = Vec::new();
        for line in std::fs::read_to_string(&log).unwrap().lines() {
            let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let id = entry["id"].as_u64().unwrap();
            entry["schema"] = 1.into();
            entry["parent"] = (id > 1).then(|| id - 1).into();
            entry.as_object_mut().unwrap().remove("at");
            old.push(entry.to_string() + "\n");
        }
        std::fs::write(&log, old.concat()).unwrap();

        let reader = Project::open_read_only(dir.path()).unwrap();
        assert_eq!(reader.load_avatar().unwrap().unwrap(), head(2.0));
        assert_eq!(reader.history().current().edit_number, 1);
        drop(reader);
        let mut project = Project::open(dir.path()).unwrap();
        assert!(!root.join("mesh.safetensors").exists());
        assert_eq!(project.load_avatar().unwrap().unwrap(), head(2.0));
        let error = project.undo().unwrap_err().to_string();
        assert!(error.contains("older HeadSculpt"), "{error}");
        edit(&mut project, 3.0);
        assert_eq!(project.undo().unwrap(), last);
        assert_eq!(project.load_avatar().unwrap().unwrap(), head(2.0));
        assert!(project.checkpoints().find("edit", 1).unwrap().is_some());
    }
}
