//! `headsculpt bench`: the parts of one optimisation step, timed on this machine.
//!
//! Each figure is the median of several runs after one that is not counted; the
//! ratios between the lines of one run hold better than the absolute times.

mod ui;

use super::{Failure, Output};
use crate::batch::{ControlKind, Light, View, ViewRegion};
use crate::config::GenerationConfig;
use crate::diffusion::{ControlInput, DiffusionModel, EncodedImage, embedded};
use crate::geometry::mesh::sphere;
use crate::guidance::{DiffusionDenoiser, ScoreDistillation};
use crate::head::HeadModel;
use crate::pipeline::coarse::StartHead;
use crate::pipeline::{CoarseStage, FineStage, Stage, views};
use crate::render::GpuContext;
use crate::render::camera::Camera;
use crate::render::control::ControlRenderer;
use crate::render::field::{Appearance, Rates};
use crate::render::mesh_scene::MeshScene;
use crate::render::raster::{MeshRegularisers, Rasteriser, SurfaceMesh};
use crate::render::tets::TetRates;
use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use glam::Vec3;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Counted runs of each measurement.
const RUNS: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only measurements whose name contains this
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// The diffusion checkpoint: 'embedded' or a folder in diffusers layout
    #[arg(long, value_name = "NAME|DIR", default_value = embedded::NAME)]
    model: String,
}

/// One line of the result.
struct Figure {
    name: &'static str,
    milliseconds: f64,
    /// What the time is divided by to compare runs, and how many of it there were.
    per: Option<(&'static str, f64)>,
}

struct Bench {
    filter: Option<String>,
    figures: Vec<Figure>,
}

impl Bench {
    /// Whether the filter lets a measurement, or a group of them, through.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Times `run` if its name passes the filter.
    pub fn time(
        &mut self,
        name: &'static str,
        per: Option<(&'static str, f64)>,
        mut run: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        if !self.wants(name) {
            return Ok(());
        }
        run()?;
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let start = Instant::now();
            run()?;
            times.push(start.elapsed());
        }
        self.record(name, per, &mut times);
        Ok(())
    }

    fn record(
        &mut self,
        name: &'static str,
        per: Option<(&'static str, f64)>,
        times: &mut [Duration],
    ) {
        times.sort();
        let milliseconds = times[times.len() / 2].as_secs_f64() * 1e3;
        self.figures.push(Figure { name, milliseconds, per });
    }
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        let gpu = GpuContext::new().map_err(Failure::input)?;
        let folder = embedded::resolve(&self.model).map_err(Failure::input)?;
        let model = DiffusionModel::load(&folder, &Device::Cpu).map_err(Failure::input)?;
        let mut bench = Bench { filter: self.filter, figures: Vec::new() };
        let mut config = GenerationConfig::preset("quick").map_err(Failure::input)?;
        // More than are ever timed: rates fall over a stage's steps.
        (config.coarse.steps, config.fine.steps) = (1000, 1000);
        measure(&mut bench, &gpu, &Arc::new(model), &config)?;
        for figure in &bench.figures {
            let each = figure.per.map(|(unit, count)| (unit, figure.milliseconds * 1e6 / count));
            let suffix = each.map_or(String::new(), |(unit, ns)| format!("  {ns:9.0} ns a {unit}"));
            output.result(
                &format!("{:24} {:9.1} ms{suffix}", figure.name, figure.milliseconds),
                &json!({
                    "name": figure.name,
                    "milliseconds": figure.milliseconds,
                    "unit": each.map(|(unit, _)| unit),
                    "nanoseconds_per_unit": each.map(|(_, ns)| ns),
                }),
            );
        }
        if output == Output::Human {
            println!("on {}, medians of {RUNS}", gpu.describe());
        }
        Ok(())
    }
}

fn measure(
    bench: &mut Bench,
    gpu: &GpuContext,
    model: &Arc<DiffusionModel>,
    config: &GenerationConfig,
) -> Result<()> {
    rasteriser(bench, gpu)?;
    let views = views::sample(&config.views, 0, "bench", 0);
    let denoiser = DiffusionDenoiser::new(Arc::clone(model), "a man", "", 1.0)?;
    let controls = denoiser.controls();
    let guidance = ScoreDistillation::new(denoiser, config.guidance.clone(), 0);
    let mut stage =
        CoarseStage::new(gpu, config.coarse_settings(), guidance, controls, StartHead::mean())?;
    field(bench, &mut stage, &views)?;

    let mut controls = ControlRenderer::new(gpu)?;
    let mean = HeadModel::embedded().mean();
    for (name, kind) in priors(model) {
        bench.time("control image", Some(("view", views.len() as f64)), || {
            controls.render(kind, mean, &views)?;
            Ok(())
        })?;
        tracing::debug!(name, ?kind, "timed a control image");
    }
    networks(bench, model)?;
    bench.time("coarse step", None, || {
        stage.step()?;
        Ok(())
    })?;
    let mut fine = FineStage::new(gpu, config.fine_settings(), stage.into_parts())?;
    mesh(bench, fine.scene(), &views::sample(&config.fine.views(&config.views), 0, "bench", 0))?;
    bench.time("fine step", None, || {
        fine.step()?;
        Ok(())
    })?;
    ui::measure(bench, &mut fine)
}

/// Rings and sectors of the sphere that is drawn: about 100,000 triangles.
const SPHERE: (u32, u32) = (224, 224);

/// One view of 512 x 512 pixels of 100,000 grey triangles, forward, and with gradients to its
/// vertices, as `benches/raster_torch.py` times them.
fn rasteriser(bench: &mut Bench, gpu: &GpuContext) -> Result<()> {
    if !bench.wants("rasteriser") {
        return Ok(());
    }
    let (rings, sectors) = SPHERE;
    let mesh = sphere(Vec3::ZERO, 0.5, rings, sectors);
    let surface = SurfaceMesh::of(gpu, &mesh)?;
    let mut raster = Rasteriser::new(gpu)?;
    let view = View {
        camera: Camera::orbit(Vec3::ZERO, 20.0, 10.0, 1.8, 40.0, (512, 512)),
        light: Light::Flat,
        region: ViewRegion::Front,
        background: [1.0, 1.0, 1.0],
    };
    let pixels = 512 * 512;
    let grey = gpu.storage("values", &vec![[0.0_f32, 0.5, 0.5, 0.5]; pixels]);
    let gradient: Vec<f32> = (0..3 * pixels).map(|i| 1e-6 * ((i % 17) as f32 - 8.0)).collect();
    let per = Some(("triangle", mesh.triangles.len() as f64));
    let mut draw = |backward: bool| -> Result<()> {
        // A step of an optimiser has moved the vertices.
        raster.connect(&surface);
        raster.update_normals(&surface);
        raster.draw(&surface, &[view], Appearance::Shaded)?;
        raster.finish(&surface, &grey)?;
        if backward {
            let regularisers = MeshRegularisers::default();
            raster.backward(&surface, &grey, &gradient, None, regularisers, |_, _| Ok(()))?;
            surface.gradients(gpu)?;
        }
        Ok(())
    };
    bench.time("rasteriser forward", per, || draw(false))?;
    bench.time("rasteriser forward and backward", per, || draw(true))
}

/// The mesh scene: drawing, its adjoint, and a step of the optimisers with marching.
fn mesh(bench: &mut Bench, scene: &mut MeshScene, views: &[View]) -> Result<()> {
    let images = scene.render(views, Appearance::Shaded)?;
    let per = Some(("covered pixel", f64::from(scene.covered())));
    let gradient: Vec<f32> = images.color.data.iter().map(|v| 1e-6 * (v - 0.5)).collect();
    bench.time("mesh draw", per, || {
        scene.render(views, Appearance::Shaded)?;
        Ok(())
    })?;
    bench.time("mesh draw and backward", per, || {
        scene.render(views, Appearance::Shaded)?;
        scene.backward(&gradient, None, MeshRegularisers::default())?;
        Ok(())
    })?;
    let still = TetRates { distance: 0.0, deform: 0.0 };
    bench.time("mesh step", None, || {
        scene.step(&Rates::new(0.0, 0.0), still)?;
        Ok(())
    })
}

/// The ControlNets that a generation asks, which see the head prior.
fn priors(model: &DiffusionModel) -> impl Iterator<Item = (&str, ControlKind)> {
    let declared = model.controls().filter_map(|(name, kind)| Some((name, kind?)));
    declared.filter(|(_, kind)| *kind != ControlKind::Reference)
}

/// Forward and backward of the field, by kernel: occupancy, march, evaluation,
/// adjoints, scatter, Adam.
fn field<G: crate::guidance::Guidance>(
    bench: &mut Bench,
    stage: &mut CoarseStage<G>,
    views: &[View],
) -> Result<()> {
    let field = stage.field();
    let saved = field.state()?;
    let rates = Rates::new(1e-3, 1e-3);
    field.update_occupancy(0)?;
    let images = field.render(views, 0, true)?;
    let evaluations = field.stats().evaluations as f64;
    let gradient: Vec<f32> = images.color.data.iter().map(|v| 1e-3 * (v - 0.5)).collect();
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    let mut kernels: Vec<(&'static str, Vec<Duration>)> = Vec::new();
    for run in 0..=RUNS {
        field.set_profiling(true);
        let start = Instant::now();
        field.render(views, run as u64, true)?;
        let rendered = Instant::now();
        field.backward(&gradient, None)?;
        field.step(&rates)?;
        // Profiling waits after every kernel, so both spans are complete.
        let done = Instant::now();
        if run == 0 {
            field.take_profile();
            continue;
        }
        forward.push(rendered - start);
        backward.push(done - rendered);
        for (name, time) in field.take_profile() {
            match kernels.iter_mut().find(|(known, _)| *known == name) {
                Some((_, times)) => times.push(time),
                None => kernels.push((name, vec![time])),
            }
        }
    }
    field.set_profiling(false);
    field.restore(&saved)?;
    let per = Some(("evaluation", evaluations));
    for (name, times) in [("field forward", &mut forward), ("field backward", &mut backward)] {
        if bench.wants(name) {
            bench.record(name, per, times);
        }
    }
    for (name, mut times) in kernels {
        if bench.wants("field") || bench.wants(name) {
            bench.record(name, per, &mut times);
        }
    }
    Ok(())
}

/// One guided evaluation of the networks, and the encoder with its VJP.
fn networks(bench: &mut Bench, model: &DiffusionModel) -> Result<()> {
    const VIEWS: usize = 6;
    let cpu = &Device::Cpu;
    let size = model.image_size();
    let (channels, height, width) = model.latent_shape();
    let latent = Tensor::full(0.1f32, (2 * VIEWS, channels, height, width), cpu)?;
    let text = model.encode_text(&vec!["a man".to_owned(); 2 * VIEWS])?;
    let mut images = Vec::new();
    for (name, _) in priors(model) {
        let count = model.control_channels(name).context("a ControlNet without channels")?;
        let side = model.control_size(name).context("a ControlNet without a size")?;
        images.push((name, Tensor::full(0.5f32, (2 * VIEWS, count, side, side), cpu)?));
    }
    let controls: Vec<ControlInput> =
        images.iter().map(|(name, image)| ControlInput { name, image, scales: &[1.0] }).collect();
    let per = Some(("sample", 2.0 * VIEWS as f64));
    bench.time("unet alone", per, || {
        model.predict(&latent, &[500.0], &text, &[])?;
        Ok(())
    })?;
    bench.time("unet with controls", per, || {
        model.predict(&latent, &[500.0], &text, &controls)?;
        Ok(())
    })?;
    let picture = Tensor::full(0.5f32, (1, 3, size, size), cpu)?;
    let cotangent = Tensor::ones((1, channels, height, width), DType::F32, cpu)?;
    bench.time("encode", None, || {
        model.encode_image(&picture)?;
        Ok(())
    })?;
    let encoded: EncodedImage<'_> = model.encode_image(&picture)?;
    bench.time("encode vjp", None, || {
        encoded.image_vjp(&cotangent)?;
        Ok(())
    })
}
