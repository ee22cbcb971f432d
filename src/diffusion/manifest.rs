//! `headsculpt.json`: what a checkpoint folder tells this program beyond its configurations.

use super::checkpoint::Checkpoint;
use super::config::read_json;
use super::error::CheckpointError;
use crate::batch::ControlKind;
use std::collections::BTreeMap;

/// What our own extensions of the layout declare; optional for plain Stable Diffusion folders.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// Side in pixels of the images that the model was trained on.
    pub image_size: usize,
    /// Side of the pixel blocks that pixel-space folders move into channels.
    #[serde(default = "one")]
    pub pixel_unshuffle: usize,
    /// A sensible classifier-free guidance scale.
    pub guidance_scale: f64,
    /// Which control image feeds which `ControlNet` folder.
    #[serde(default)]
    pub controls: BTreeMap<String, ControlKind>,
    /// The region text binder, if the folder has one.
    #[serde(default)]
    pub region_text: Option<RegionTextEntry>,
    /// Free text about the model: name, licence, training data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

fn one() -> usize {
    1
}

impl Manifest {
    /// Reads the folder's manifest; `None` if there is none.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn load(checkpoint: &Checkpoint) -> Result<Option<Self>, CheckpointError> {
        let path = checkpoint.path("headsculpt.json");
        if !path.exists() {
            return Ok(None);
        }
        let manifest: Self = read_json(&path)?;
        let complain = |field: &str, problem: String| {
            Err(CheckpointError::Field { path: path.clone(), field: field.to_owned(), problem })
        };
        if !(1..=4096).contains(&manifest.image_size) {
            return complain("image_size", format!("is {}, outside 1..4096", manifest.image_size));
        }
        if !(1..=64).contains(&manifest.pixel_unshuffle)
            || !manifest.image_size.is_multiple_of(manifest.pixel_unshuffle)
        {
            return complain(
                "pixel_unshuffle",
                format!("is {}, which does not divide the image size", manifest.pixel_unshuffle),
            );
        }
        if !(manifest.guidance_scale.is_finite() && manifest.guidance_scale >= 0.0) {
            return complain(
                "guidance_scale",
                format!("is {}, not a number from 0", manifest.guidance_scale),
            );
        }
        if let Some(name) = manifest.controls.keys().find(|name| !checkpoint.has(name)) {
            return complain(
                "controls",
                format!("names `{name}`, which is not a folder of this checkpoint"),
            );
        }
        Ok(Some(manifest))
    }
}
