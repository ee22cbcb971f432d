//! The picture test: generates five heads and measures whether the named colours are on
//! the named parts, on renders of the texture without light, and whether only the front has
//! the detail of a face.
//!
//! ```text
//! cargo run --example picture_test -- --out runs/pictures [--seed 1] [--preset quick]
//! ```
//!
//! Heads that exist in the folder are measured again, not made again. Prints a line a
//! claim, writes `sheet.png` (the turntables, one a row) and fails if a claim fails.

use anyhow::{Context, Result, bail};
use clap::Parser;
use glam::Vec3;
use headsculpt::batch::{ControlKind, DENSE_CHANNELS, ImageBatch, View};
use headsculpt::config::GenerationConfig;
use headsculpt::geometry::TexturedMesh;
use headsculpt::head::HeadModel;
use headsculpt::head::look::{HairColor, Material, SkinTone};
use headsculpt::io::image;
use headsculpt::project::Project;
use headsculpt::render::GpuContext;
use headsculpt::render::control::ControlRenderer;
use headsculpt::render::mesh::{MeshRenderer, RenderKind, orbit_view};
use headsculpt::session::{self, Event, GenerateJob, Outcome};
use std::path::{Path, PathBuf};

/// Generates five heads and measures their colours.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for the heads.
    #[arg(long)]
    out: PathBuf,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value = "quick")]
    preset: String,
    /// The diffusion checkpoint.
    #[arg(long)]
    model: Option<String>,
}

/// Channels of the dense control image (see `batch::DENSE_CHANNELS`).
const SILHOUETTE: usize = 6;
const SCALP: usize = 9;
const BROWS: usize = 10;
const EYES: usize = 11;
const LIPS: usize = 13;
const JAW: usize = 14;
const SIZE: u32 = 192;
/// How much more detail the albedo has where the face is than at the back of the head.
const ONE_FACE: f32 = 1.5;
const AZIMUTHS: [f32; 5] = [0.0, 35.0, -35.0, 180.0, 90.0];

#[derive(Clone, Copy)]
enum Part {
    /// Cheeks, nose and forehead from the front.
    Face,
    /// The hair's place, from all sides.
    Scalp,
    /// Chin and jaw from the front.
    Jaw,
    /// The back of the head.
    Back,
}

/// The colours that a part's is compared with.
#[derive(Clone, Copy)]
enum Table {
    Skin,
    Hair,
    /// Materials, and skins that could be mistaken for them.
    Material,
}

impl Table {
    fn colors(self) -> Vec<(&'static str, Vec3)> {
        let skin = |tones: &[SkinTone]| tones.iter().map(|c| (c.name(), c.srgb())).collect();
        match self {
            Self::Skin => skin(SkinTone::ALL),
            Self::Hair => HairColor::ALL.iter().map(|c| (c.name(), c.srgb())).collect(),
            Self::Material => {
                let mut all: Vec<_> = skin(&SkinTone::FANTASY);
                all.extend(Material::ALL.iter().map(|c| (c.name(), c.srgb())));
                all
            }
        }
    }

    /// The name of the colour that is nearest.
    fn nearest(self, color: [f32; 3]) -> &'static str {
        let distance = |named: &(&str, Vec3)| named.1.distance_squared(Vec3::from_array(color));
        let all = self.colors().into_iter();
        all.min_by(|a, b| distance(a).total_cmp(&distance(b))).map_or("", |named| named.0)
    }
}

/// What a prompt claims: the colour of a part is, among a table's, one of these.
struct Claim {
    part: Part,
    table: Table,
    one_of: &'static [&'static str],
}

const NATURAL: &[&str] = &["pale", "fair", "light", "tan", "olive", "brown", "dark", "black"];

const fn claim(part: Part, table: Table, one_of: &'static [&'static str]) -> Claim {
    Claim { part, table, one_of }
}

const PROMPTS: [(&str, &[Claim]); 5] = [
    (
        "a bald man with green skin",
        &[
            claim(Part::Face, Table::Skin, &["green"]),
            claim(Part::Scalp, Table::Skin, &["green"]),
            claim(Part::Back, Table::Skin, &["green"]),
        ],
    ),
    (
        "an old woman with long white hair",
        &[
            claim(Part::Scalp, Table::Hair, &["white"]),
            claim(Part::Back, Table::Hair, &["white"]),
            claim(Part::Face, Table::Skin, NATURAL),
        ],
    ),
    (
        "a smiling man with a red beard",
        &[
            claim(Part::Jaw, Table::Hair, &["red", "auburn", "orange"]),
            claim(Part::Face, Table::Skin, NATURAL),
        ],
    ),
    (
        "a young woman with short black hair and round glasses",
        &[
            claim(Part::Scalp, Table::Hair, &["black"]),
            claim(Part::Back, Table::Hair, &["black"]),
            claim(Part::Face, Table::Skin, NATURAL),
        ],
    ),
    (
        "a bronze statue of a man",
        &[
            claim(Part::Face, Table::Material, &["bronze"]),
            claim(Part::Back, Table::Material, &["bronze"]),
        ],
    ),
];

/// Albedo of the avatar and the prior's regions, in the same views.
struct Views {
    albedo: ImageBatch,
    control: ImageBatch,
}

impl Views {
    fn draw(gpu: &GpuContext, avatar: &TexturedMesh) -> Result<Self> {
        let views: Vec<View> = AZIMUTHS.iter().map(|&a| orbit_view(a, 5.0, SIZE)).collect();
        let renderer = MeshRenderer::new(gpu)?;
        let albedo = renderer.render(&renderer.upload(avatar)?, &views, RenderKind::Albedo, 2)?;
        let head = HeadModel::embedded().mean();
        let control = ControlRenderer::new(gpu)?.render(ControlKind::Dense, head, &views)?;
        Ok(Self { albedo, control })
    }

    /// Median colour of a part.
    fn color(&self, part: Part) -> Option<[f32; 3]> {
        let mut channels: [Vec<f32>; 3] = Default::default();
        for (view, azimuth) in AZIMUTHS.iter().enumerate() {
            let wanted = match part {
                Part::Face | Part::Jaw => azimuth.abs() < 40.0,
                Part::Scalp => true,
                Part::Back => *azimuth == 180.0,
            };
            if !wanted {
                continue;
            }
            let control = self.control.view(view).chunks_exact(DENSE_CHANNELS);
            let colors = self.albedo.view(view).chunks_exact(3);
            for (i, (map, color)) in control.zip(colors).enumerate() {
                if inside(part, map, i / SIZE as usize) {
                    for (channel, value) in channels.iter_mut().zip(color) {
                        channel.push(*value);
                    }
                }
            }
        }
        if channels[0].len() < 50 {
            return None;
        }
        Some(channels.map(|mut values| {
            values.sort_by(f32::total_cmp);
            values[values.len() / 2]
        }))
    }

    /// Spread of the colour over the middle of the head in one view: a face has more
    /// than a back.
    fn detail(&self, view: usize) -> f32 {
        let side = SIZE as usize;
        let map = self.control.view(view);
        let colors = self.albedo.view(view);
        let picked: Vec<&[f32]> = (0..side * side)
            .filter(|i| {
                let (x, y) = (i % side, i / side);
                map[i * DENSE_CHANNELS + SILHOUETTE] > 0.9
                    && (side * 2 / 5..side * 3 / 5).contains(&x)
                    && (side * 2 / 5..side * 13 / 20).contains(&y)
            })
            .map(|i| &colors[i * 3..i * 3 + 3])
            .collect();
        let n = picked.len().max(1) as f32;
        (0..3)
            .map(|k| {
                let mean = picked.iter().map(|c| c[k]).sum::<f32>() / n;
                picked.iter().map(|c| (c[k] - mean).powi(2)).sum::<f32>() / n
            })
            .sum::<f32>()
            .sqrt()
    }
}

fn inside(part: Part, map: &[f32], row: usize) -> bool {
    let row = row as f32 / SIZE as f32;
    let plain = [SCALP, BROWS, EYES, LIPS].iter().all(|&k| map[k] < 0.1);
    match part {
        // Chin to crown is the middle half of the frame: the beard's place is left out.
        Part::Face => map[SILHOUETTE] > 0.9 && plain && (0.33..0.56).contains(&row),
        Part::Scalp => map[SCALP] > 0.8 && row < 0.5,
        Part::Jaw => map[JAW] > 0.8 && map[LIPS] < 0.1 && row > 0.62,
        Part::Back => map[SILHOUETTE] > 0.9 && (0.3..0.5).contains(&row),
    }
}

fn generate(arguments: &Arguments, prompt: &str, folder: &Path) -> Result<()> {
    let mut config = GenerationConfig::preset(&arguments.preset)?;
    prompt.clone_into(&mut config.prompt);
    config.seed = arguments.seed;
    config.model = arguments.model.clone().unwrap_or(config.model);
    config.validate()?;
    let job = if folder.exists() {
        GenerateJob::Resume { folder: folder.into() }
    } else {
        GenerateJob::New { folder: folder.into(), config: Box::new(config) }
    };
    let session = session::spawn(job)?;
    for event in &session.events {
        match event {
            Event::Warning(warning) => eprintln!("  warning: {}", warning.0),
            Event::PromptCompleted(prompt) => eprintln!("  {prompt}"),
            Event::Finished(Outcome::Completed(_)) => return Ok(()),
            Event::Finished(Outcome::Failed(error)) => bail!("{error}"),
            Event::Finished(Outcome::Cancelled { .. }) => bail!("cancelled"),
            _ => {}
        }
    }
    bail!("the session ended without an outcome")
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let gpu = GpuContext::new()?;
    let (mut claims, mut failed) = (0, 0);
    let mut rows = Vec::new();
    for (prompt, expected) in PROMPTS {
        println!("{prompt}");
        let folder = arguments.out.join(prompt.replace(' ', "-"));
        if !folder.join("report.json").exists() {
            generate(&arguments, prompt, &folder)?;
        }
        let avatar = Project::open(&folder)?.load_avatar()?.context("no avatar")?;
        let views = Views::draw(&gpu, &avatar.shown())?;
        for claim in expected {
            let part = match claim.part {
                Part::Face => "face",
                Part::Scalp => "scalp",
                Part::Jaw => "jaw",
                Part::Back => "back",
            };
            let color = views.color(claim.part).context("the part is not visible")?;
            let found = claim.table.nearest(color);
            let right = claim.one_of.contains(&found);
            claims += 1;
            failed += u32::from(!right);
            let [r, g, b] = color.map(|v| (v * 255.0).round());
            println!("  {} {part}: {found} ({r} {g} {b})", if right { "right" } else { "WRONG" });
        }
        let (front, back) = (views.detail(0), views.detail(3));
        let right = front > ONE_FACE * back;
        claims += 1;
        failed += u32::from(!right);
        let word = if right { "right" } else { "WRONG" };
        println!("  {word} detail of the front {front:.3}, of the back {back:.3}");
        rows.push(::image::open(folder.join("turntable.png"))?.to_rgb8());
    }
    let (width, height) = rows[0].dimensions();
    let mut sheet = ::image::RgbImage::new(width, height * rows.len() as u32);
    for (k, row) in rows.iter().enumerate() {
        ::image::imageops::replace(&mut sheet, row, 0, i64::from(height) * k as i64);
    }
    image::write_image(&arguments.out.join("sheet.png"), &sheet)?;
    println!("{} of {claims} claims hold", claims - failed);
    if failed > 0 {
        bail!("{failed} claims fail");
    }
    Ok(())
}
