//! What reads bytes of strangers, for the fuzzer in `fuzz/` and for the test that replays its
//! corpus. No part of the interface.

use crate::config::GenerationConfig;
use crate::diffusion;
use crate::io::image;
use crate::project::fuzzing as project;

/// What reads bytes, and says whether they are what they should be.
pub type Reader = fn(&[u8]) -> bool;

/// The readers by name.
pub const TARGETS: [(&str, Reader); 11] = [
    ("operations", project::operations),
    ("checkpoint_manifest", project::checkpoint_manifest),
    ("version_manifest", project::version_manifest),
    ("checkpoint", project::checkpoint),
    ("mesh", project::mesh),
    ("motion", project::motion),
    ("packed", project::packed),
    ("texture", texture),
    ("preset", preset),
    ("model_manifest", model_manifest),
    ("model_weights", model_weights),
];

/// Gives bytes to the reader of this name; says whether it takes them.
///
/// # Panics
/// If there is none, or if the reader does: that is a bug of it.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, reader) = found.unwrap_or_else(|| panic!("there is no reader {name}"));
    reader(bytes)
}

fn texture(bytes: &[u8]) -> bool {
    // As large as a thumbnail: a fuzzer should not spend its time on pixels.
    image::decode_png(bytes, 512).is_ok()
}

fn preset(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(mut config) = GenerationConfig::from_text(text) else { return false };
    config.prompt = "a man".into();
    config.validate().is_ok()
}

fn model_manifest(bytes: &[u8]) -> bool {
    let manifest = serde_json::from_slice::<diffusion::Manifest>(bytes);
    manifest.is_ok_and(|manifest| manifest.check().is_ok())
}

fn model_weights(bytes: &[u8]) -> bool {
    diffusion::header::parse(bytes).is_ok()
}
