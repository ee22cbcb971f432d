//! Renders a captioned data set of synthetic heads with control maps, in shards.
//!
//! ```text
//! cargo run --example render_dataset -- --out data --count 40000 --seed 1
//! ```
//!
//! A shard is `shard_00000.safetensors` (`image` u8 `[N,H,W,3]`, `control` u8
//! `[N,16,H,W]`, `view` f32 `[N,4]` = azimuth, elevation, radius, fov, `flat` u8 `[N]`,
//! `mean` u8 `[N]` = 1 where the control map is the mean head's) and
//! `shard_00000.jsonl`, one line an image. Existing shards are kept.
//!
//! `--sentences N` writes `sentences.jsonl` instead: wordings and attributes of N people who
//! are not drawn, for what reads text alone.

use anyhow::{Context, Result};
use clap::Parser;
use headsculpt::batch::{ControlKind, DENSE_CHANNELS, Light};
use headsculpt::head::HeadModel;
use headsculpt::render::GpuContext;
use headsculpt::render::control::ControlRenderer;
use headsculpt::render::studio::caption::{caption, full_caption, view_words};
use headsculpt::render::studio::{Split, Studio, StudioHead, StudioSample, framed_view};
use headsculpt::rng;
use rand::Rng;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Renders a captioned data set of synthetic heads.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for the shards.
    #[arg(long)]
    out: PathBuf,
    /// Number of images.
    #[arg(long, default_value_t = 4096)]
    count: usize,
    /// Seed of the data set.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Image side in pixels.
    #[arg(long, default_value_t = 64)]
    size: u32,
    /// Views of each head.
    #[arg(long, default_value_t = 6)]
    views_per_head: usize,
    /// Images in a shard, rounded down to whole heads.
    #[arg(long, default_value_t = 2048)]
    shard_size: usize,
    /// Draw from the held-out split.
    #[arg(long)]
    held_out: bool,
    /// Share of the heads whose control maps show the mean head.
    #[arg(long, default_value_t = 0.6)]
    mean_control: f64,
    /// Describe this many people in words, and draw nobody.
    #[arg(long)]
    sentences: Option<u64>,
}

#[derive(Default)]
struct Shard {
    image: Vec<u8>,
    control: Vec<u8>,
    view: Vec<f32>,
    flat: Vec<u8>,
    mean: Vec<u8>,
    lines: String,
}

fn byte(v: f32) -> u8 {
    (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

fn prepare(seed: u64, split: Split, index: u64) -> Result<(StudioSample, StudioHead)> {
    let sample = StudioSample::draw(seed, split, index);
    let head = StudioHead::new(&sample.params, &sample.look, sample.seed)
        .with_context(|| format!("shaping head {index}"))?;
    Ok((sample, head))
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("creating the folder {}", arguments.out.display()))?;
    if let Some(people) = arguments.sentences {
        return describe(&arguments, people);
    }
    let context = GpuContext::new()?;
    let mut studio = Studio::new(&context)?;
    let mut control = ControlRenderer::new(&context)?;
    let views = arguments.views_per_head.max(1);
    let heads_per_shard = (arguments.shard_size / views).max(1);
    let heads = arguments.count.div_ceil(views);
    let shards = heads.div_ceil(heads_per_shard);
    let started = Instant::now();
    let mut drawn = 0;
    eprintln!("{} heads in {shards} shards on {}", heads, context.describe());
    for number in 0..shards {
        let stem = arguments.out.join(format!("shard_{number:05}"));
        if stem.with_extension("safetensors").exists() {
            continue;
        }
        let range = number * heads_per_shard..((number + 1) * heads_per_shard).min(heads);
        drawn += range.len() * views;
        let shard = render_shard(&arguments, &mut studio, &mut control, range)?;
        write(&stem, &arguments, &shard)?;
        let speed = drawn as f64 / started.elapsed().as_secs_f64();
        eprintln!("shard {} of {shards}, {drawn} images, {speed:.1} images/s", number + 1);
    }
    Ok(())
}

/// The part of the seed space that the arguments name, and the name of its random streams.
fn part(arguments: &Arguments) -> (Split, &'static str) {
    if arguments.held_out {
        (Split::HeldOut, "dataset-held-out")
    } else {
        (Split::Train, "dataset-train")
    }
}

/// Wordings of one person: most as people write, the last with everything, which is what
/// completed prompts look like.
fn wordings(sample: &StudioSample, rng: &mut impl Rng, brief: usize) -> Vec<String> {
    let mut list: Vec<String> = (0..brief).map(|_| caption(&sample.look, rng)).collect();
    list.push(full_caption(&sample.look, rng));
    list
}

fn describe(arguments: &Arguments, people: u64) -> Result<()> {
    let (split, stage) = part(arguments);
    let mut lines = String::new();
    for index in 0..people {
        let sample = StudioSample::draw(arguments.seed, split, index);
        let mut rng = rng::stream(arguments.seed, stage, index, "sentences");
        let line = serde_json::json!({
            "captions": wordings(&sample, &mut rng, 3),
            "attributes": sample.look.attributes(),
        });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let path = arguments.out.join("sentences.jsonl");
    std::fs::write(&path, lines).with_context(|| format!("writing {}", path.display()))
}

fn render_shard(
    arguments: &Arguments,
    studio: &mut Studio,
    control: &mut ControlRenderer,
    range: std::ops::Range<usize>,
) -> Result<Shard> {
    let (split, _) = part(arguments);
    let seed = arguments.seed;
    let mut shard = Shard::default();
    // The next head is shaped on another thread while this one is drawn.
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::sync_channel(2);
        scope.spawn(move || {
            for index in range {
                if sender.send((index, prepare(seed, split, index as u64))).is_err() {
                    break;
                }
            }
        });
        for (index, prepared) in receiver {
            let (sample, head) = prepared?;
            add_head(arguments, studio, control, index as u64, &sample, &head, &mut shard)?;
        }
        Ok(shard)
    })
}

#[allow(clippy::too_many_arguments, reason = "one call site, all of it state of the loop")]
fn add_head(
    arguments: &Arguments,
    studio: &mut Studio,
    control: &mut ControlRenderer,
    index: u64,
    sample: &StudioSample,
    head: &StudioHead,
    shard: &mut Shard,
) -> Result<()> {
    let (_, stage) = part(arguments);
    let mut rng = rng::stream(arguments.seed, stage, index, "views");
    let framed: Vec<_> = (0..arguments.views_per_head.max(1))
        .map(|_| framed_view(&mut rng, arguments.size))
        .collect();
    let views: Vec<_> = framed.iter().map(|f| f.0).collect();
    let images = studio.render(head, &views)?;
    let use_mean = rng.random_bool(arguments.mean_control);
    let below = if use_mean { HeadModel::embedded().mean() } else { &head.neutral };
    let maps = control.render(ControlKind::Dense, below, &views)?;
    let attributes = sample.look.attributes();
    let mut rng = rng::stream(arguments.seed, stage, index, "captions");
    let pixels = (arguments.size * arguments.size) as usize;
    for (v, (view, numbers)) in framed.iter().enumerate() {
        shard.image.extend(images.view(v).iter().map(|p| byte(*p)));
        let map = maps.view(v);
        for channel in 0..DENSE_CHANNELS {
            shard.control.extend((0..pixels).map(|p| byte(map[p * DENSE_CHANNELS + channel])));
        }
        shard.view.extend(numbers);
        shard.flat.push(u8::from(view.light == Light::Flat));
        shard.mean.push(u8::from(use_mean));
        let captions = wordings(sample, &mut rng, 4);
        let line = serde_json::json!({
            "head": index,
            "captions": captions,
            "view_words": view_words(view.region),
            "attributes": attributes,
        });
        shard.lines.push_str(&line.to_string());
        shard.lines.push('\n');
    }
    Ok(())
}

fn write(stem: &Path, arguments: &Arguments, shard: &Shard) -> Result<()> {
    use safetensors::tensor::{Dtype, TensorView};
    let n = shard.flat.len();
    let side = arguments.size as usize;
    let tensors = [
        ("image", TensorView::new(Dtype::U8, vec![n, side, side, 3], &shard.image)?),
        (
            "control",
            TensorView::new(Dtype::U8, vec![n, DENSE_CHANNELS, side, side], &shard.control)?,
        ),
        ("view", TensorView::new(Dtype::F32, vec![n, 4], bytemuck::cast_slice(&shard.view))?),
        ("flat", TensorView::new(Dtype::U8, vec![n], &shard.flat)?),
        ("mean", TensorView::new(Dtype::U8, vec![n], &shard.mean)?),
    ];
    // The tensors' file appears last and whole, so that a reader can trust it.
    std::fs::write(stem.with_extension("jsonl"), &shard.lines)?;
    let part = stem.with_extension("part");
    safetensors::serialize_to_file(tensors, None, &part)?;
    let target = stem.with_extension("safetensors");
    std::fs::rename(&part, &target).with_context(|| format!("writing {}", target.display()))
}
