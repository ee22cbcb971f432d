//! Guidance by small recorded checkpoints, against combinations written out by hand.

mod blend;
mod edit;
mod latents;

use super::denoiser::EncodedViews;
use super::{Condition, ControlImages, Denoiser, GuidanceError};
use crate::batch::{ImageBatch, Light, View, ViewRegion};
use crate::diffusion::{DiffusionModel, NoiseSchedule};
use crate::render::camera::Camera;
use candle_core::{Device, Tensor};
use glam::Vec3;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

const CPU: Device = Device::Cpu;

fn inside(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A recorded checkpoint: `pixel_space` has ControlNets for dense maps and reference
/// pictures of 16 pixels, `sd_like` an undeclared one.
fn recorded(name: &str) -> Arc<DiffusionModel> {
    load(&inside("tests/fixtures/diffusion").join(name))
}

fn load(folder: &Path) -> Arc<DiffusionModel> {
    Arc::new(DiffusionModel::load(folder, &CPU).unwrap())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = {
            let e = entry.unwrap();
            (e.path(), to.join(e.file_name()))
        };
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

/// `sd_like` with a ControlNet for landmarks and, on request, one for reference pictures.
fn like_stable_diffusion(reference: bool) -> Arc<DiffusionModel> {
    let folder = tempfile::tempdir().unwrap();
    let original = inside("tests/fixtures/diffusion/sd_like");
    copy(&original, folder.path());
    let mut controls = serde_json::json!({ "controlnet": "landmarks" });
    if reference {
        copy(&original.join("controlnet"), &folder.path().join("controlnet_1"));
        controls["controlnet_1"] = "reference".into();
    }
    let manifest = serde_json::json!({ "controls": controls });
    std::fs::write(folder.path().join("headsculpt.json"), manifest.to_string()).unwrap();
    load(folder.path())
}

fn view(region: ViewRegion, size: u32) -> View {
    let azimuth = match region {
        ViewRegion::Front => 0.0,
        ViewRegion::Left => 90.0,
        ViewRegion::Back => 180.0,
        ViewRegion::Right => 270.0,
    };
    let camera = Camera::orbit(Vec3::ZERO, azimuth, 5.0, 1.5, 40.0, (size, size));
    View { camera, light: Light::Flat, region, background: [0.5; 3] }
}

fn views(size: u32) -> [View; 2] {
    [view(ViewRegion::Front, size), view(ViewRegion::Back, size)]
}

/// Two pictures of random pixels.
fn pictures(size: usize, channels: usize, seed: u64) -> ImageBatch {
    let mut rng = crate::rng::stream(seed, "test", 0, "pictures");
    let mut images = ImageBatch::filled(2, size, size, channels, 0.0);
    images.data.iter_mut().for_each(|value| *value = rng.random());
    images
}

fn values(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect()
}

/// `max |a - b| / max |b|`.
fn gap(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|v| v.is_finite()), "not finite");
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    largest(&mut a.iter().zip(b).map(|(a, b)| (a - b).abs()))
        / largest(&mut b.iter().map(|b| b.abs()))
}

/// The conditions of every call.
type Calls = Rc<RefCell<Vec<Vec<Condition>>>>;

/// A denoiser that remembers what it is asked.
struct Recorder<D> {
    inner: D,
    calls: Calls,
}

impl<D: Denoiser> Denoiser for Recorder<D> {
    fn begin(&mut self, views: &[View], controls: &ControlImages) -> Result<(), GuidanceError> {
        self.inner.begin(views, controls)
    }

    fn encode(
        &self,
        images: &Tensor,
        rng: &mut ChaCha8Rng,
    ) -> Result<EncodedViews<'_>, GuidanceError> {
        self.inner.encode(images, rng)
    }

    fn decode(
        &self,
        latents: &Tensor,
        height: usize,
        width: usize,
    ) -> Result<Tensor, GuidanceError> {
        self.inner.decode(latents, height, width)
    }

    fn guidance_scale(&self) -> f64 {
        self.inner.guidance_scale()
    }

    fn schedule(&self) -> &NoiseSchedule {
        self.inner.schedule()
    }

    fn latent_range(&self) -> Option<(f32, f32)> {
        self.inner.latent_range()
    }

    fn predict(
        &self,
        noised: &Tensor,
        timestep: usize,
        conditions: &[Condition],
    ) -> Result<Vec<Tensor>, GuidanceError> {
        self.calls.borrow_mut().push(conditions.to_vec());
        self.inner.predict(noised, timestep, conditions)
    }
}
