//! `headsculpt.json`: what a checkpoint folder tells this program beyond its configurations.

use super::checkpoint::Checkpoint;
use super::config::read_json;
use super::error::CheckpointError;
use crate::batch::ControlKind;
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// What our own extensions of the layout declare; all of it is optional.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Side in pixels of the images that the model was trained on; by default what the
    /// UNet's `sample_size` says.
    pub image_size: Option<usize>,
    /// Side of the pixel blocks that pixel-space folders move into channels; by default
    /// what the UNet's channels say.
    pub pixel_unshuffle: Option<usize>,
    /// A sensible classifier-free guidance scale, for settings that name none.
    pub guidance_scale: Option<f64>,
    /// Which control image feeds which `ControlNet` folder.
    pub controls: BTreeMap<String, ControlKind>,
    /// The region text binder, if the folder has one.
    pub region_text: Option<RegionTextEntry>,
    /// The folder of the attribute readers of its text encoder, if there is one.
    pub attributes: Option<String>,
    /// The folder of the layers that read instructions, if there is one.
    pub instructions: Option<String>,
    /// A text file with the words that the model was taught, one a line; what else a prompt
    /// holds is ignored. By default a model knows what its tokenizer knows.
    pub words: Option<String>,
    /// Free text about the model: name, licence, training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<serde_json::Value>,
}

/// The region text binder's place. In the file either the folder's name alone, or an object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "RegionTextJson")]
pub struct RegionTextEntry {
    /// The folder that holds it.
    pub folder: String,
    /// The `ControlNet` folder whose image it extends.
    pub control: String,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum RegionTextJson {
    Folder(String),
    Object { folder: Option<String>, control: Option<String> },
}

impl From<RegionTextJson> for RegionTextEntry {
    fn from(json: RegionTextJson) -> Self {
        let (folder, control) = match json {
            RegionTextJson::Folder(folder) => (Some(folder), None),
            RegionTextJson::Object { folder, control } => (folder, control),
        };
        Self {
            folder: folder.unwrap_or_else(|| "region_text".to_owned()),
            control: control.unwrap_or_else(|| "controlnet".to_owned()),
        }
    }
}

impl Manifest {
    /// Reads the folder's manifest; an empty one if there is none.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn load(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let path = checkpoint.path("headsculpt.json");
        if !path.exists() {
            return Ok(Self::default());
        }
        let manifest: Self = read_json(&path)?;
        let complain = |field: &str, problem: String| {
            Err(CheckpointError::Field { path: path.clone(), field: field.to_owned(), problem })
        };
        if let Err((field, problem)) = manifest.check() {
            return complain(field, problem);
        }
        if let Some(name) = manifest.controls.keys().find(|name| !checkpoint.has(name)) {
            return complain(
                "controls",
                format!("names `{name}`, which is not a folder of this checkpoint"),
            );
        }
        Ok(manifest)
    }

    /// Checks what can be told without the folder.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(size) = self.image_size.filter(|size| !(1..=4096).contains(size)) {
            return Err(("image_size", format!("is {size}, outside 1..4096")));
        }
        let divides = |factor: usize| {
            (1..=64).contains(&factor)
                && self.image_size.is_none_or(|size| size.is_multiple_of(factor))
        };
        if let Some(factor) = self.pixel_unshuffle.filter(|factor| !divides(*factor)) {
            let what = format!("is {factor}, which does not divide the image size");
            return Err(("pixel_unshuffle", what));
        }
        if let Some(scale) = self.guidance_scale.filter(|scale| !(0.0..=1000.0).contains(scale)) {
            return Err(("guidance_scale", format!("is {scale}, not within 0..1000")));
        }
        let region = self.region_text.iter().flat_map(|entry| [&entry.folder, &entry.control]);
        let places = (self.controls.keys().map(|name| ("controls", name)))
            .chain(region.map(|name| ("region_text", name)))
            .chain(self.attributes.iter().map(|name| ("attributes", name)))
            .chain(self.instructions.iter().map(|name| ("instructions", name)))
            .chain(self.words.iter().map(|name| ("words", name)));
        let leads_out = |name: &str| {
            let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
            !Path::new(name).components().all(inside)
        };
        for (field, name) in places {
            if leads_out(name) {
                return Err((field, format!("names `{name}`, which is not within this folder")));
            }
        }
        Ok(())
    }
}
