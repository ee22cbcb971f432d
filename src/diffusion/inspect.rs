//! What a checkpoint folder holds, as far as its files tell without their weights being read.

use super::checkpoint::{Checkpoint, Part};
use super::config::Config;
use super::error::CheckpointError;
use super::manifest::Manifest;
use super::noise::NoiseSchedule;
use super::pixel::PixelSpace;
use super::tokenizer::PromptTokenizer;
use super::unet_config::{UnetConfig, UnetExtras};
use crate::batch::ControlKind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Folders inside one another that are looked into for sizes: links may go in circles.
const DEEPEST: usize = 6;

/// What a usable checkpoint folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointFacts {
    /// What each of its `ControlNets` sees, by folder; `None` for one that takes no part.
    pub controls: BTreeMap<String, Option<ControlKind>>,
    /// Bytes of all files in the folder.
    pub bytes: u64,
}

/// Checks that a folder is in the diffusers layout: every configuration is one that this
/// program implements, and every network has safetensors whose header fits their file. Values
/// and shapes are only checked when the checkpoint is loaded, as by [`super::verify()`].
///
/// # Errors
/// What is missing, broken or unsupported, in one sentence that names the file.
pub fn inspect(folder: &Path) -> Result<CheckpointFacts, CheckpointError> {
    if folder.is_file() {
        return Err(CheckpointError::SingleFile { path: folder.to_owned() });
    }
    let checkpoint = Checkpoint::open(folder)?;
    if !checkpoint.has("unet") && is_control_alone(&checkpoint) {
        return Err(CheckpointError::ControlAlone { path: folder.to_owned() });
    }
    let manifest = Manifest::load(&checkpoint)?;
    NoiseSchedule::load(&checkpoint)?;
    let text = weighed(&checkpoint, "text_encoder")?.config;
    let longest = text.size_or("max_position_embeddings", 77)?;
    PromptTokenizer::load(&checkpoint, longest, text.size_or("vocab_size", 49408)?)?;
    let unet = weighed(&checkpoint, "unet")?.config;
    unet.class_is("UNet2DConditionModel")?;
    let config = UnetConfig::read(&unet)?;
    UnetExtras::read(&unet, &config.levels)?;
    let mut names: BTreeSet<String> = checkpoint.control_nets()?.into_iter().collect();
    names.extend(manifest.controls.keys().cloned());
    for name in &names {
        let control = weighed(&checkpoint, name)?.config;
        control.class_is("ControlNetModel")?;
        UnetConfig::read(&control)?;
    }
    if checkpoint.has("vae") {
        weighed(&checkpoint, "vae")?.config.class_is("AutoencoderKL")?;
    } else {
        PixelSpace::of(folder, &manifest, config.in_channels)?;
    }
    let ours = [manifest.region_text.as_ref().map(|entry| &entry.folder)];
    for name in ours.into_iter().chain([manifest.attributes.as_ref()]).flatten() {
        weighed(&checkpoint, name)?;
    }
    let kind = |name: &String| manifest.controls.get(name).copied();
    let controls = names.iter().map(|name| (name.clone(), kind(name))).collect();
    Ok(CheckpointFacts { controls, bytes: bytes(folder, DEEPEST) })
}

/// A part whose weights are there and have a header that fits.
fn weighed(checkpoint: &Checkpoint, name: &str) -> Result<Part, CheckpointError> {
    let part = checkpoint.part(name)?;
    part.weights()?;
    Ok(part)
}

/// Whether the folder is a part, and not a checkpoint that holds parts.
fn is_control_alone(checkpoint: &Checkpoint) -> bool {
    let config = Config::read(&checkpoint.path("config.json"));
    config.is_ok_and(|c| c.value("_class_name").and_then(|v| v.as_str()) == Some("ControlNetModel"))
}

/// Bytes of the files in a folder, as far as they can be seen; links count as what they lead to,
/// which is how download caches store checkpoints.
fn bytes(folder: &Path, deepest: usize) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path().metadata() {
            Ok(found) if found.is_dir() && deepest > 0 => bytes(&entry.path(), deepest - 1),
            Ok(found) if found.is_file() => found.len(),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::embedded;
    use crate::diffusion::tests::{copy, fixture};
    use std::fs;

    /// The complaint about a copy of a fixture after `damage`.
    fn complaint(name: &str, damage: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        copy(&fixture(name), folder.path());
        damage(folder.path());
        let error = inspect(folder.path()).expect_err("it must be refused").to_string();
        assert!(!error.contains('\n') && !error.contains(". "), "not one sentence: {error}");
        error
    }

    #[test]
    fn usable_folders_say_what_they_hold() {
        for name in ["sd_like", "pixel_space", "odd_channels", "asymmetric"] {
            let facts = inspect(&fixture(name)).unwrap();
            assert!(facts.bytes > 1000, "{name}");
        }
        let facts = inspect(&embedded::folder().unwrap()).unwrap();
        assert_eq!(facts.bytes, embedded::bytes());
        assert_eq!(facts.controls["controlnet"], Some(ControlKind::Dense));
        assert_eq!(facts.controls["controlnet_reference"], Some(ControlKind::Reference));
    }

    #[test]
    fn unusable_folders_are_refused_without_their_weights_being_read() {
        let unet = "unet/diffusion_pytorch_model.safetensors";
        for part in [unet, "unet/config.json", "text_encoder", "tokenizer/vocab.json"] {
            let error = complaint("sd_like", |folder| {
                let path = folder.join(part);
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
                    .unwrap();
            });
            assert!(error.ends_with(&format!("{part} does not exist")), "{error}");
        }
        let error = complaint("sd_like", |f| fs::remove_dir_all(f.join("vae")).unwrap());
        assert!(error.contains("has no `vae` folder"), "{error}");
        let error = complaint("sd_like", |f| fs::write(f.join(unet), "short").unwrap());
        assert!(error.contains("is not a usable safetensors file"), "{error}");
        let error = complaint("sd_like", |f| {
            let path = f.join("unet/config.json");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("UNet2DConditionModel", "FluxModel")).unwrap();
        });
        assert!(error.contains("FluxModel"), "{error}");
    }

    #[test]
    fn other_layouts_are_told_apart() {
        let unet = "unet/diffusion_pytorch_model";
        let rename = |end: &'static str| {
            move |f: &Path| {
                let from = f.join(format!("{unet}.safetensors"));
                fs::rename(from, f.join(format!("{unet}{end}"))).unwrap();
            }
        };
        let error = complaint("sd_like", rename(".bin"));
        assert!(error.contains(".bin: pickled weights are not read"), "{error}");
        let error = complaint("sd_like", rename(".safetensors.index.json"));
        assert!(error.contains("weights in several files are not read"), "{error}");
        let file = fixture("sd_like").join("unet/config.json");
        let error = inspect(&file).unwrap_err().to_string();
        assert!(error.contains("only folders in the diffusers layout"), "{error}");
        let error = inspect(&fixture("sd_like").join("controlnet")).unwrap_err().to_string();
        assert!(error.contains("is a ControlNet alone"), "{error}");
        assert!(inspect(Path::new("/no/such/folder")).is_err());
    }
}
