//! Counter-based randomness.
//!
//! Every random number is a function of `(seed, stage, step, purpose)`, so a run
//! that is resumed draws exactly what an uninterrupted one would have drawn, and
//! no component can disturb the stream of another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator of one purpose.
pub type Stream = ChaCha8Rng;

/// Builds the generator for one purpose of one step.
///
/// `stage` and `purpose` are short stable names (`"coarse"`, `"cameras"`); they
/// are part of the key, so renaming one changes the results of a seed.
///
/// ```
/// use rand::Rng;
/// let a: u64 = headsculpt::rng::stream(1, "coarse", 7, "noise").random();
/// let b: u64 = headsculpt::rng::stream(1, "coarse", 7, "noise").random();
/// let c: u64 = headsculpt::rng::stream(1, "coarse", 8, "noise").random();
/// assert_eq!(a, b);
/// assert_ne!(a, c);
/// ```
#[must_use]
pub fn stream(seed: u64, stage: &str, step: u64, purpose: &str) -> Stream {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(step.to_le_bytes());
    hasher.update((stage.len() as u64).to_le_bytes());
    hasher.update(stage.as_bytes());
    hasher.update(purpose.as_bytes());
    ChaCha8Rng::from_seed(hasher.finalize().into())
}
