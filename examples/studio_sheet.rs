//! Contact sheets of the studio: styles from four sides, or random heads.
//!
//! ```text
//! cargo run --example studio_sheet -- hair sheet.png --size 256
//! ```

use anyhow::{Result, bail};
use clap::Parser;
use headsculpt::batch::{ControlKind, Light, View, ViewRegion};
use headsculpt::head::HeadModel;
use headsculpt::head::Look;
use headsculpt::head::look::{
    AgeGroup, BeardStyle, Brows, Cheeks, Chin, ClothColor, Earrings, Ears, Ethnicity, Expression,
    EyeSize, Face, FacePaint, Forehead, Glasses, HairColor, HairStyle, Hat, IrisColor, Jaw, Lips,
    Material, Mouth, Neck, Nose, SkinTone,
};
use headsculpt::render::GpuContext;
use headsculpt::render::control::ControlRenderer;
use headsculpt::render::studio::{
    Split, Studio, StudioHead, StudioSample, framed_camera, framed_view,
};
use headsculpt::rng;
use std::path::PathBuf;

/// Draws a contact sheet.
#[derive(Debug, Parser)]
struct Arguments {
    /// attributes, hair, beard, wear, material, face, random or control.
    what: String,
    /// PNG to write.
    out: PathBuf,
    /// Side of a picture in pixels.
    #[arg(long, default_value_t = 256)]
    size: u32,
    /// Columns of the sheet (random and control).
    #[arg(long, default_value_t = 12)]
    columns: usize,
    /// Rows of the sheet (random and control).
    #[arg(long, default_value_t = 8)]
    rows: usize,
    /// First person.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Enlargement of the written picture.
    #[arg(long, default_value_t = 1)]
    zoom: u32,
    /// Flat light.
    #[arg(long)]
    flat: bool,
}

fn plain(mut sample: StudioSample) -> StudioSample {
    sample.look.glasses = Glasses::None;
    sample.look.hat = Hat::None;
    sample.look.beard = BeardStyle::None;
    sample.look.material = None;
    sample.look.expression = Expression::Neutral;
    sample.params.expression.clear();
    sample
}

fn people(arguments: &Arguments) -> Result<Vec<StudioSample>> {
    let draw = |i: usize| StudioSample::draw(0, Split::HeldOut, arguments.seed + i as u64);
    let mut list = Vec::new();
    match arguments.what.as_str() {
        "hair" => {
            for (i, style) in HairStyle::ALL.iter().flat_map(|s| [s, s]).enumerate() {
                let mut sample = plain(draw(i));
                sample.look.hair = *style;
                list.push(sample);
            }
        }
        "beard" => {
            for (i, style) in BeardStyle::ALL.iter().flat_map(|s| [s, s]).enumerate() {
                let mut sample = (0..64)
                    .map(|k| draw(i + 100 * k))
                    .find(|s| s.look.male)
                    .map_or_else(|| draw(i), plain);
                sample.look.beard = *style;
                list.push(sample);
            }
        }
        "wear" => {
            for (i, hat) in Hat::ALL.iter().flat_map(|s| [s, s]).enumerate() {
                let mut sample = plain(draw(i));
                sample.look.glasses = Glasses::ALL[i % 4];
                sample.look.hat = *hat;
                sample.look.horns = *hat == Hat::None;
                sample.look.earrings = Earrings::ALL[i % 3];
                if matches!(
                    sample.look.hair,
                    HairStyle::Afro | HairStyle::Mohawk | HairStyle::Spiky | HairStyle::Bun
                ) {
                    sample.look.hair = HairStyle::Long;
                }
                list.push(sample);
            }
        }
        "material" => {
            for (i, material) in Material::ALL.iter().enumerate() {
                let mut sample = draw(i);
                sample.look.material = Some(*material);
                list.push(sample);
            }
        }
        "face" => list.extend((0..8).map(draw)),
        other => {
            bail!(
                "unknown sheet '{other}': attributes, hair, beard, wear, material, face, random or control"
            )
        }
    }
    Ok(list)
}

/// How an attribute is looked at: azimuth, and the share of the usual distance.
type Angle = (f32, f32);

/// Every value of every attribute on one plain person: a row an attribute.
fn rows() -> Vec<(&'static str, Angle, Vec<Look>)> {
    let man = Look { hair: HairStyle::Short, ..Look::default() };
    let woman = Look { male: false, hair: HairStyle::Long, ..Look::default() };
    let near = (20.0, 0.66);
    let wide = (35.0, 0.95);
    macro_rules! row {
        ($name:literal, $view:expr, $type:ident, |$value:ident| $look:expr) => {
            ($name, $view, $type::ALL.iter().map(|&$value| $look).collect())
        };
    }
    vec![
        row!("age", near, AgeGroup, |age| Look { age, ..man }),
        row!("age (woman)", near, AgeGroup, |age| Look { age, ..woman }),
        row!("ethnicity", near, Ethnicity, |ethnicity| Look { ethnicity, ..woman }),
        row!("expression", near, Expression, |expression| Look { expression, ..man }),
        row!("skin", near, SkinTone, |skin| Look { skin, hair: HairStyle::Bald, ..woman }),
        row!("material", wide, Material, |material| Look { material: Some(material), ..man }),
        row!("hair", wide, HairStyle, |hair| Look { hair, ..woman }),
        row!("hair (behind)", (150.0, 0.95), HairStyle, |hair| Look { hair, ..woman }),
        row!("hair colour", wide, HairColor, |hair_color| Look {
            hair_color,
            hair: HairStyle::Bob,
            ..woman
        }),
        row!("two-tone hair", wide, HairStyle, |hair| Look {
            hair,
            hair_color: HairColor::Black,
            hair_tips: Some(HairColor::Pink),
            ..woman
        }),
        row!("beard", near, BeardStyle, |beard| Look { beard, ..man }),
        row!("brows", near, Brows, |brows| Look { brows, ..man }),
        row!("eyes", (0.0, 0.50), IrisColor, |eyes| Look { eyes, ..woman }),
        row!("glasses", near, Glasses, |glasses| Look { glasses, ..woman }),
        row!("glasses colour", near, ClothColor, |glasses_color| Look {
            glasses_color,
            glasses: Glasses::Square,
            ..man
        }),
        row!("hat", wide, Hat, |hat| Look { hat, ..man }),
        row!("hat (long hair, behind)", (140.0, 0.95), Hat, |hat| Look { hat, ..woman }),
        row!("earrings", wide, Earrings, |earrings| Look {
            earrings,
            hair: HairStyle::Bun,
            ..woman
        }),
        row!("face paint", near, FacePaint, |face_paint| Look { face_paint, ..man }),
        (
            "horns, lipstick, fringe, receding",
            near,
            vec![
                Look { horns: true, skin: SkinTone::Red, ..man },
                Look { horns: true, ..woman },
                Look { red_lips: true, ..woman },
                Look { fringe: true, ..woman },
                Look { receding: 1.0, ..man },
            ],
        ),
        row!("nose", near, Nose, |nose| Look { nose, ..man }),
        row!("jaw", near, Jaw, |jaw| Look { jaw, ..man }),
        row!("chin", (70.0, 0.66), Chin, |chin| Look { chin, ..man }),
        row!("lips", near, Lips, |lips| Look { lips, ..woman }),
        row!("mouth", near, Mouth, |mouth| Look { mouth, ..woman }),
        row!("eye size", near, EyeSize, |eye_size| Look { eye_size, ..woman }),
        row!("ears", near, Ears, |ears| Look { ears, ..man }),
        row!("cheeks", near, Cheeks, |cheeks| Look { cheeks, ..man }),
        row!("face", near, Face, |face| Look { face, ..man }),
        row!("forehead", near, Forehead, |forehead| Look { forehead, ..man }),
        row!("neck", wide, Neck, |neck| Look { neck, ..man }),
    ]
}

/// Columns of the sheet of all attributes.
const COLUMNS: usize = 18;

/// Draws the sheet of all attributes, row by row from left to right with a gap between two
/// attributes; prints where each one is.
fn attributes(arguments: &Arguments, studio: &mut Studio) -> Result<()> {
    let size = arguments.size;
    let blank = vec![1.0; (size * size * 3) as usize];
    let mut tiles = Vec::new();
    for (name, (azimuth, distance), looks) in rows() {
        let column = tiles.len() % COLUMNS;
        if column + looks.len() > COLUMNS {
            let row = tiles.len().next_multiple_of(COLUMNS);
            tiles.resize(row, blank.clone());
        }
        let (row, column) = (tiles.len() / COLUMNS + 1, tiles.len() % COLUMNS + 1);
        println!("row {row}, columns {column} to {}: {name}", column + looks.len() - 1);
        for look in &looks {
            let mut rng = rng::stream(arguments.seed, "sheet", 0, "person");
            let sample = StudioSample::with_look(*look, &mut rng);
            let head = StudioHead::new(&sample.params, look, sample.seed)?;
            let camera = framed_camera(azimuth, 5.0, 28.0, distance, glam::Vec3::ZERO, size);
            let direction = (-camera.forward + 0.4 * camera.up - 0.4 * camera.right).normalize();
            let light = Light::Lambertian { ambient: 0.6, direction };
            let region = ViewRegion::of_azimuth(azimuth);
            let view = View { camera, light, region, background: [0.72; 3] };
            tiles.push(studio.render(&head, &[view])?.data);
        }
        if !tiles.len().is_multiple_of(COLUMNS) {
            tiles.push(blank.clone());
        }
    }
    save(arguments, &tiles, COLUMNS)
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let context = GpuContext::new()?;
    let mut studio = Studio::new(&context)?;
    let size = arguments.size;
    if arguments.what == "attributes" {
        return attributes(&arguments, &mut studio);
    }
    let mut tiles: Vec<Vec<f32>> = Vec::new();
    let columns;
    if arguments.what == "random" || arguments.what == "control" {
        columns = arguments.columns;
        let mut control = ControlRenderer::new(&context)?;
        let wide = arguments.what == "control";
        let count = if wide { arguments.rows } else { columns * arguments.rows };
        for i in 0..count as u64 {
            let sample = StudioSample::draw(0, Split::HeldOut, arguments.seed + i);
            let head = StudioHead::new(&sample.params, &sample.look, sample.seed)?;
            let view =
                framed_view(&mut rng::stream(0, "sheet", arguments.seed + i, "view"), size).0;
            tiles.push(studio.render(&head, &[view])?.data);
            if wide {
                let mean = HeadModel::embedded().mean();
                let map = control.render(ControlKind::Dense, mean, &[view])?;
                let pick = |channels: [usize; 3]| -> Vec<f32> {
                    map.data.chunks_exact(16).flat_map(|p| channels.map(|c| p[c])).collect()
                };
                for channels in
                    [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11], [12, 13, 14], [15, 15, 15]]
                {
                    tiles.push(pick(channels));
                }
                tiles.push(control.render(ControlKind::Landmarks, mean, &[view])?.data);
                tiles.push(control.render(ControlKind::Normals, mean, &[view])?.data);
            }
        }
        let columns = if wide { 9 } else { columns };
        return save(&arguments, &tiles, columns);
    }
    columns = 8;
    for sample in people(&arguments)? {
        let head = StudioHead::new(&sample.params, &sample.look, sample.seed)?;
        let views: Vec<View> = [0.0, 40.0, 90.0, 180.0]
            .into_iter()
            .map(|azimuth| {
                let camera = framed_camera(azimuth, 5.0, 28.0, 1.0, glam::Vec3::ZERO, size);
                let light = if arguments.flat {
                    Light::Flat
                } else {
                    let direction =
                        (-camera.forward + 0.5 * camera.up - 0.5 * camera.right).normalize();
                    Light::Lambertian { ambient: 0.45, direction }
                };
                View {
                    camera,
                    light,
                    region: ViewRegion::of_azimuth(azimuth),
                    background: [0.72; 3],
                }
            })
            .collect();
        let images = studio.render(&head, &views)?;
        tiles.extend((0..views.len()).map(|v| images.view(v).to_vec()));
    }
    save(&arguments, &tiles, columns)
}

fn save(arguments: &Arguments, tiles: &[Vec<f32>], columns: usize) -> Result<()> {
    let size = arguments.size;
    let rows = tiles.len().div_ceil(columns) as u32;
    let white = image::Rgb([255; 3]);
    let mut sheet = image::RgbImage::from_pixel(columns as u32 * size, rows * size, white);
    for (i, tile) in tiles.iter().enumerate() {
        let (x0, y0) = ((i % columns) as u32 * size, (i / columns) as u32 * size);
        for (p, rgb) in tile.chunks_exact(3).enumerate() {
            let (x, y) = (p as u32 % size, p as u32 / size);
            let pixel = [0, 1, 2].map(|k| (rgb[k].clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
            sheet.put_pixel(x0 + x, y0 + y, image::Rgb(pixel));
        }
    }
    let (w, h) = (sheet.width() * arguments.zoom, sheet.height() * arguments.zoom);
    image::imageops::resize(&sheet, w, h, image::imageops::FilterType::Nearest)
        .save(&arguments.out)?;
    Ok(())
}
