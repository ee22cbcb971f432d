//! The models that HeadSculpt can use, as facts: what for, where they are, under which licence.

use crate::batch::ControlKind;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

static CARRIED: LazyLock<Catalog> = LazyLock::new(|| {
    Catalog::parse(include_str!("../../assets/models/catalog.toml"))
        .unwrap_or_else(|error| unreachable!("the carried catalogue parses: {error}"))
});

/// What is known of models.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The model that the program carries.
    pub embedded: EmbeddedEntry,
    /// Models that can be added, base checkpoints first.
    #[serde(rename = "model")]
    pub models: Vec<CatalogEntry>,
}

/// The model that the program carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedEntry {
    /// What it is good for, one sentence.
    pub purpose: String,
    /// What it may be used for.
    pub licence: Licence,
}

/// A model that can be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogEntry {
    /// Its name in lists.
    pub name: String,
    /// Which part of the work it does.
    pub role: Role,
    /// Owner and name of its repository on huggingface.co.
    pub repository: String,
    /// The folder in the repository, if it is not the whole.
    #[serde(default)]
    pub folder: Option<String>,
    /// Why it matters, one sentence.
    pub purpose: String,
    /// What it may be used for.
    pub licence: Licence,
    /// Roughly the size of what is needed of it, 10^6 bytes.
    pub size_mb: u32,
    /// Other places and models, a phrase each.
    pub alternatives: Vec<String>,
}

/// A licence in short; the text itself is what counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// What it is called.
    pub name: String,
    /// What it means, one sentence.
    pub meaning: String,
}

/// Which part of the work a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A whole checkpoint: text encoder, `UNet`, autoencoder.
    Base,
    /// A `ControlNet` that reads facial landmarks.
    Landmarks,
    /// A `ControlNet` that reads the head before an edit.
    Edit,
    /// A `ControlNet` that reads normals.
    Normals,
}

impl Role {
    /// What a `ControlNet` of this role sees; `None` for whole checkpoints.
    #[must_use]
    pub fn control(self) -> Option<ControlKind> {
        match self {
            Self::Base => None,
            Self::Landmarks => Some(ControlKind::Landmarks),
            Self::Edit => Some(ControlKind::Reference),
            Self::Normals => Some(ControlKind::Normals),
        }
    }
}

impl Catalog {
    /// The catalogue that the program carries.
    #[must_use]
    pub fn carried() -> &'static Self {
        &CARRIED
    }

    /// Parses a catalogue.
    ///
    /// # Errors
    /// The parser's words, which name the line and the field; a name that is there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let catalog: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let names = catalog.models.iter().map(|entry| entry.name.as_str());
        for (i, name) in names.clone().enumerate() {
            if names.clone().take(i).any(|before| before == name) {
                return Err(format!("the name `{name}` is there twice"));
            }
        }
        Ok(catalog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARRIED: &str = include_str!("../../assets/models/catalog.toml");

    #[test]
    fn the_carried_catalogue_serves_every_role() {
        let catalog = Catalog::carried();
        for role in [Role::Base, Role::Landmarks, Role::Edit, Role::Normals] {
            assert!(catalog.models.iter().any(|entry| entry.role == role), "{role:?}");
        }
        for entry in &catalog.models {
            assert_eq!(entry.repository.split('/').count(), 2, "{}", entry.repository);
            assert!(entry.purpose.ends_with('.') && entry.licence.meaning.ends_with('.'));
            assert!((100..10_000).contains(&entry.size_mb), "{}", entry.name);
        }
        // The card is what says under which licence the weights are.
        let card = include_str!("../../assets/models/embedded/MODEL_CARD.md");
        assert!(card.contains(&format!("Licence: {}", catalog.embedded.licence.name)));
    }

    #[test]
    fn unknown_and_missing_fields_are_named() {
        let unknown = CARRIED.replacen("size_mb", "megabytes", 1);
        assert!(Catalog::parse(&unknown).unwrap_err().contains("megabytes"));
        let missing = CARRIED.replacen("repository = ", "folder = ", 1);
        assert!(Catalog::parse(&missing).unwrap_err().contains("repository"));
        let role = CARRIED.replacen("\"normals\"", "\"depth\"", 1);
        assert!(Catalog::parse(&role).unwrap_err().contains("depth"));
        let twice = CARRIED.replace("controlnet-normals", "controlnet-ip2p");
        assert!(Catalog::parse(&twice).unwrap_err().contains("twice"));
    }
}
