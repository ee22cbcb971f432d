//! Stable Diffusion on candle: checkpoints, networks and noise schedules.
//!
//! [`DiffusionModel`] is the door: it loads a folder in the diffusers layout, every size taken
//! from its `config.json` files, and encodes text, encodes and decodes images (with the encoder's
//! vector-Jacobian product), and predicts noise under any number of `ControlNets`. All numbers
//! are f32; networks are frozen, so no weight gradient is ever computed.
//!
//! A folder is untrusted input: headers are checked against file sizes, shapes against
//! configurations, values for being finite, and each complaint is a [`CheckpointError`] of one
//! sentence that names the file.

mod attributes;
mod catalog;
mod checkpoint;
mod classifier;
mod clip;
mod config;
mod controlnet;
pub mod embedded;
mod error;
pub(crate) mod header;
pub mod images;
mod inspect;
mod instructions;
mod kernels;
mod latent;
mod layers;
mod lexicon;
mod library;
mod manifest;
mod map;
mod model;
mod noise;
mod ops;
mod pixel;
mod prompt_reader;
mod region_text;
mod registry;
mod resnet;
#[cfg(test)]
mod tests;
mod time;
mod tokenizer;
mod transformer;
mod unet;
mod unet_blocks;
mod unet_config;
mod vae;
mod verify;
mod weights;

pub use attributes::{AttributeOdds, AttributeReaders};
pub use catalog::{Catalog, CatalogEntry, EmbeddedEntry, Licence, Role};
pub use classifier::AttributeClassifier;
pub use clip::TextEmbedding;
pub use error::{CheckpointError, DiffusionError, Result};
pub use inspect::{CheckpointFacts, inspect};
pub use instructions::{AttributeChange, InstructionReader};
pub use latent::{EncodedImage, LatentSpace};
pub use library::{AddedModel, Library};
pub use manifest::{Manifest, RegionTextEntry};
pub use model::{ControlInput, DiffusionModel};
pub use noise::{Denoised, NoiseSchedule, Prediction};
pub use prompt_reader::PromptReader;
pub use registry::{Registered, Registry};
pub use tokenizer::TokenizeReport;
pub use verify::{Comparison, VerifyReport, verify};
