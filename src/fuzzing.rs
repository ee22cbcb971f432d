//! What reads bytes of strangers, for the fuzzer in `fuzz/` and for the test that replays its
//! corpus. No part of the interface.

use crate::config::GenerationConfig;
use crate::diffusion;
use crate::io::image;
use crate::project::fuzzing as project;

/// What reads bytes, and drops what they say.
pub type Reader = fn(&[u8]);

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

/// Gives bytes to the reader of this name.
///
/// # Panics
/// If there is none, or if the reader does: that is a bug of it.
pub fn run(name: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, reader) = found.unwrap_or_else(|| panic!("there is no reader {name}"));
    reader(bytes);
}

fn texture(bytes: &[u8]) {
    // As large as a thumbnail: a fuzzer should not spend its time on pixels.
    drop(image::decode_png(bytes, 512));
}

fn preset(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(config) = GenerationConfig::from_text(text)
    {
        drop(config.validate());
    }
}

fn model_manifest(bytes: &[u8]) {
    drop(serde_json::from_slice::<diffusion::Manifest>(bytes));
}

fn model_weights(bytes: &[u8]) {
    drop(diffusion::header::parse(bytes));
}
