//! Renders a captioned data set of synthetic heads with control maps, in shards.
//!
//! ```text
//! cargo run --example render_dataset -- --out data --count 40000 --seed 1
//! ```
//!
//! A shard is `shard_00000.safetensors` (`image` u8 `[N,H,W,3]`, `control` u8
//! `[N,16,h,w]`, `view` f32 `[N,4]` = azimuth, elevation, radius, fov, `flat` u8 `[N]`,
//! `mean` u8 `[N]` = 1 where the control map is the mean head's, `before` i32 `[N]`) and
//! `shard_00000.jsonl`, one line an image. Existing shards are kept.
//!
//! A share of the people, `--edits`, is drawn twice: as they are and, from the same views
//! over the same control maps, after an edit in words. In the second one's rows `before` is
//! the row of the same view before the edit, elsewhere -1, and the lines have an
//! `instruction`.
//!
//! `--sentences N` writes `sentences.jsonl` instead: wordings and attributes of N people who
//! are not drawn, for what reads text alone. `--instructions N` writes `instructions.jsonl`: the
//! attributes `before`, an `instruction`, of `after` those that it changes, and the `attribute`
//! that it is about (null if it means nothing).

use anyhow::{Context, Result};
use clap::Parser;
use headsculpt::batch::{ControlKind, DENSE_CHANNELS, Light, View};
use headsculpt::head::HeadModel;
use headsculpt::render::GpuContext;
use headsculpt::render::control::ControlRenderer;
use headsculpt::render::studio::caption::{Edit, caption, full_caption, view_words};
use headsculpt::render::studio::{
    Instructed, Split, Studio, StudioHead, StudioSample, framed_view,
};
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
    #[arg(long, default_value_t = 128)]
    size: u32,
    /// Side of the control maps in pixels.
    #[arg(long, default_value_t = 64)]
    control_size: u32,
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
    /// Share of the heads that are drawn again after an edit in words.
    #[arg(long, default_value_t = 0.0)]
    edits: f64,
    /// Share of the heads that are, of four people, the one with the most features of a shape
    /// that has a name: each such shape is rare.
    #[arg(long, default_value_t = 0.0)]
    shapes: f64,
    /// Draw only every so many shards, starting at `--part`: for several processes at once.
    #[arg(long, default_value_t = 1)]
    parts: usize,
    /// See `--parts`.
    #[arg(long, default_value_t = 0)]
    part: usize,
    /// Describe this many people in words, and draw nobody.
    #[arg(long)]
    sentences: Option<u64>,
    /// Write this many instructions about people, and draw nobody.
    #[arg(long)]
    instructions: Option<u64>,
}

#[derive(Default)]
struct Shard {
    image: Vec<u8>,
    control: Vec<u8>,
    view: Vec<f32>,
    flat: Vec<u8>,
    mean: Vec<u8>,
    before: Vec<i32>,
    lines: String,
}

/// A person, and what became of it.
struct Subject {
    sample: StudioSample,
    head: StudioHead,
    edited: Option<(StudioSample, StudioHead, Edit)>,
}

fn byte(v: f32) -> u8 {
    (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// Donors of an edit that are tried; hardly anybody needs more.
const ATTEMPTS: u64 = 20;

/// People to choose from for the share of [`Arguments::shapes`].
const CANDIDATES: u64 = 4;

/// The seed of the data set that person number `index` is drawn from.
fn chosen(arguments: &Arguments, index: u64) -> u64 {
    let (split, stage) = split(arguments);
    if !rng::stream(arguments.seed, stage, index, "shapes").random_bool(arguments.shapes) {
        return arguments.seed;
    }
    let shapes = |seed: &u64| StudioSample::draw(*seed, split, index).look.remarkable_shapes();
    // Of several with as many, the last: each is as likely as the others.
    let candidates = (0..CANDIDATES).map(|k| arguments.seed + (k << 32));
    candidates.max_by_key(shapes).unwrap_or(arguments.seed)
}

fn prepare(arguments: &Arguments, index: u64) -> Result<Subject> {
    let (split, stage) = split(arguments);
    let shaped = |sample: &StudioSample| {
        StudioHead::new(&sample.params, &sample.look, sample.seed)
            .with_context(|| format!("shaping head {index}"))
    };
    let seed = chosen(arguments, index);
    let sample = StudioSample::draw(seed, split, index);
    let head = shaped(&sample)?;
    let mut rng = rng::stream(arguments.seed, stage, index, "edited");
    let edited = if rng.random_bool(arguments.edits) {
        StudioSample::edited(seed, split, index, ATTEMPTS)
    } else {
        None
    };
    let edited = match edited {
        Some((sample, edit)) => Some((shaped(&sample).map(|head| (sample, head, edit)))?),
        None => None,
    };
    Ok(Subject { sample, head, edited })
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("creating the folder {}", arguments.out.display()))?;
    if let Some(people) = arguments.sentences {
        return describe(&arguments, people);
    }
    if let Some(count) = arguments.instructions {
        return instruct(&arguments, count);
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
    for number in (arguments.part..shards).step_by(arguments.parts.max(1)) {
        let stem = arguments.out.join(format!("shard_{number:05}"));
        if stem.with_extension("safetensors").exists() {
            continue;
        }
        let range = number * heads_per_shard..((number + 1) * heads_per_shard).min(heads);
        let shard = render_shard(&arguments, &mut studio, &mut control, range)?;
        drawn += shard.flat.len();
        write(&stem, &arguments, &shard)?;
        let speed = drawn as f64 / started.elapsed().as_secs_f64();
        eprintln!("shard {} of {shards}, {drawn} images, {speed:.1} images/s", number + 1);
    }
    Ok(())
}

/// The part of the seed space that the arguments name, and the name of its random streams.
fn split(arguments: &Arguments) -> (Split, &'static str) {
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
    let (split, stage) = split(arguments);
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

fn instruct(arguments: &Arguments, count: u64) -> Result<()> {
    let (split, _) = split(arguments);
    let mut lines = String::new();
    for index in 0..count {
        let Instructed { before, after, text, attribute } =
            Instructed::draw(arguments.seed, split, index);
        let (mut before, mut after) = (before.attributes(), after.attributes());
        // Readers know named values alone.
        before.retain(|_, value| !value.is_f64() && !value.is_array());
        after.retain(|name, value| before.get(name).is_some_and(|old| old != value));
        let line = serde_json::json!({
            "before": before,
            "instruction": text,
            "after": after,
            "attribute": attribute,
        });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let path = arguments.out.join("instructions.jsonl");
    std::fs::write(&path, lines).with_context(|| format!("writing {}", path.display()))
}

fn render_shard(
    arguments: &Arguments,
    studio: &mut Studio,
    control: &mut ControlRenderer,
    range: std::ops::Range<usize>,
) -> Result<Shard> {
    let mut shard = Shard::default();
    // The next head is shaped on another thread while this one is drawn.
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::sync_channel(2);
        scope.spawn(move || {
            for index in range {
                if sender.send((index, prepare(arguments, index as u64))).is_err() {
                    break;
                }
            }
        });
        for (index, prepared) in receiver {
            add_subject(arguments, studio, control, index as u64, &prepared?, &mut shard)?;
        }
        Ok(shard)
    })
}

fn add_subject(
    arguments: &Arguments,
    studio: &mut Studio,
    control: &mut ControlRenderer,
    index: u64,
    subject: &Subject,
    shard: &mut Shard,
) -> Result<()> {
    let (_, stage) = split(arguments);
    let mut rng = rng::stream(arguments.seed, stage, index, "views");
    let framed: Vec<_> = (0..arguments.views_per_head.max(1))
        .map(|_| framed_view(&mut rng, arguments.size))
        .collect();
    let views: Vec<View> = framed.iter().map(|f| f.0).collect();
    let side = arguments.control_size;
    let small: Vec<View> = views
        .iter()
        .map(|view| View { camera: view.camera.with_size(side, side), ..*view })
        .collect();
    let use_mean = rng.random_bool(arguments.mean_control);
    let below = if use_mean { HeadModel::embedded().mean() } else { &subject.head.neutral };
    let maps = control.render(ControlKind::Dense, below, &small)?;
    let mut captions = rng::stream(arguments.seed, stage, index, "captions");
    let first = shard.flat.len();
    let edited = subject.edited.as_ref().map(|(sample, head, edit)| (sample, head, Some(edit)));
    for (sample, head, edit) in [(&subject.sample, &subject.head, None)].into_iter().chain(edited) {
        let images = studio.render(head, &views)?;
        let attributes = sample.look.attributes();
        for (v, (view, numbers)) in framed.iter().enumerate() {
            shard.image.extend(images.view(v).iter().map(|p| byte(*p)));
            let map = maps.view(v);
            for channel in 0..DENSE_CHANNELS {
                let plane = map.iter().skip(channel).step_by(DENSE_CHANNELS);
                shard.control.extend(plane.map(|p| byte(*p)));
            }
            shard.view.extend(numbers);
            shard.flat.push(u8::from(view.light == Light::Flat));
            shard.mean.push(u8::from(use_mean));
            shard.before.push(edit.map_or(-1, |_| (first + v) as i32));
            let mut line = serde_json::json!({
                "head": index,
                "captions": wordings(sample, &mut captions, 4),
                "view_words": view_words(view.region),
                "attributes": attributes,
            });
            if let Some(edit) = edit {
                line["instruction"] = edit.text.clone().into();
                line["edited"] = edit.attribute.into();
            }
            shard.lines.push_str(&line.to_string());
            shard.lines.push('\n');
        }
    }
    Ok(())
}

fn write(stem: &Path, arguments: &Arguments, shard: &Shard) -> Result<()> {
    use safetensors::tensor::{Dtype, TensorView};
    let n = shard.flat.len();
    let (side, control) = (arguments.size as usize, arguments.control_size as usize);
    let tensors = [
        ("image", TensorView::new(Dtype::U8, vec![n, side, side, 3], &shard.image)?),
        (
            "control",
            TensorView::new(Dtype::U8, vec![n, DENSE_CHANNELS, control, control], &shard.control)?,
        ),
        ("view", TensorView::new(Dtype::F32, vec![n, 4], bytemuck::cast_slice(&shard.view))?),
        ("flat", TensorView::new(Dtype::U8, vec![n], &shard.flat)?),
        ("mean", TensorView::new(Dtype::U8, vec![n], &shard.mean)?),
        ("before", TensorView::new(Dtype::I32, vec![n], bytemuck::cast_slice(&shard.before))?),
    ];
    // The tensors' file appears last and whole, so that a reader can trust it.
    std::fs::write(stem.with_extension("jsonl"), &shard.lines)?;
    let part = stem.with_extension("part");
    safetensors::serialize_to_file(tensors, None, &part)?;
    let target = stem.with_extension("safetensors");
    std::fs::rename(&part, &target).with_context(|| format!("writing {}", target.display()))
}
