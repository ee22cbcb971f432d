//! Parity with the reference libraries on the fixtures of `tools/diffusion_fixtures`, and broken folders.

mod broken;
#[path = "../../../tests/program/folder.rs"]
mod folder;
mod parity;
mod schedule;
mod tokens;

use candle_core::Tensor;
pub(super) use folder::copy;
use std::path::PathBuf;

/// A recorded checkpoint folder.
pub(super) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diffusion").join(name)
}

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1::<f32>().unwrap()
}

/// `max |a - b| / max |b|`.
fn relative(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (values(a), values(b));
    // Folding with max would pass over NaN.
    assert!(a.iter().chain(&b).all(|v| v.is_finite()), "not finite");
    let gap = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    gap / b.iter().map(|b| b.abs()).fold(0.0, f32::max)
}

fn noise(shape: &[usize], seed: u64) -> Tensor {
    use rand::Rng;
    let mut rng = crate::rng::stream(seed, "test", 0, "diffusion");
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &candle_core::Device::Cpu).unwrap()
}
