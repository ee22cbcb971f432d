//! All models at one glance: the carried one, those that were added, those that are missing.

use super::catalog::{Catalog, CatalogEntry, EmbeddedEntry, Role};
use super::embedded;
use super::error::CheckpointError;
use super::inspect::{CheckpointFacts, inspect};
use super::registry::{Registered, Registry};

/// The models of this machine.
#[derive(Debug)]
pub struct Library {
    /// What is known of the carried model, which is always there.
    pub embedded: &'static EmbeddedEntry,
    /// Its size in bytes.
    pub embedded_bytes: u64,
    /// The checkpoints that were added, in the order of their names.
    pub added: Vec<AddedModel>,
    /// The catalogue's models whose part of the work no usable added checkpoint does.
    pub missing: Vec<&'static CatalogEntry>,
}

/// A checkpoint that was added.
#[derive(Debug)]
pub struct AddedModel {
    /// Its name and folder.
    pub model: Registered,
    /// What the folder holds now, or what is wrong with it.
    pub state: Result<CheckpointFacts, CheckpointError>,
}

impl Library {
    /// Looks into the folder of every name; no weights are read.
    #[must_use]
    pub fn of(registry: &Registry) -> Self {
        let look =
            |model: &Registered| AddedModel { state: inspect(&model.folder), model: model.clone() };
        let added: Vec<AddedModel> = registry.models().iter().map(look).collect();
        let serves = |role: Role| {
            let mut usable = added.iter().filter_map(|added| added.state.as_ref().ok());
            usable.any(|facts| match role.control() {
                Some(kind) => facts.controls.values().any(|sees| *sees == Some(kind)),
                None => true,
            })
        };
        let catalog = Catalog::carried();
        let missing = catalog.models.iter().filter(|entry| !serves(entry.role)).collect();
        let (embedded, embedded_bytes) = (&catalog.embedded, embedded::bytes());
        Self { embedded, embedded_bytes, added, missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::tests::{copy as copy_folder, fixture};

    fn roles(library: &Library) -> Vec<Role> {
        library.missing.iter().map(|entry| entry.role).collect()
    }

    #[test]
    fn what_added_models_do_is_not_missing() {
        use Role::{Base, Edit, Landmarks, Normals};
        let data = tempfile::tempdir().unwrap();
        let mut registry = Registry::open(data.path()).unwrap();
        let library = Library::of(&registry);
        assert_eq!(roles(&library), [Base, Base, Landmarks, Edit, Normals]);
        assert!((10_000_000..50_000_000).contains(&library.embedded_bytes));
        // One whose only ControlNet nobody gives anything to see.
        registry.add(&fixture("sd_like"), Some("plain")).unwrap();
        assert_eq!(roles(&Library::of(&registry)), [Landmarks, Edit, Normals]);
        // One that says what its networks see, until it is gone.
        let copy = data.path().join("copy");
        copy_folder(&fixture("sd_like"), &copy);
        let manifest = "{\"controls\": {\"controlnet\": \"reference\"}}";
        std::fs::write(copy.join("headsculpt.json"), manifest).unwrap();
        registry.add(&copy, None).unwrap();
        let library = Library::of(&registry);
        assert_eq!(roles(&library), [Landmarks, Normals]);
        assert!(library.added.iter().all(|added| added.state.is_ok()));
        std::fs::remove_dir_all(&copy).unwrap();
        let library = Library::of(&registry);
        assert_eq!(roles(&library), [Landmarks, Edit, Normals]);
        assert!(library.added[0].state.is_err() && library.added[0].model.name == "copy");
    }
}
