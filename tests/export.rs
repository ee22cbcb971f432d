//! From the head prior to files: distance field, surface, texture, GLB, turntable.
//!
//! Set `HEADSCULPT_TEST_OUT` to a folder to keep the files and look at them.

use glam::Vec3;
use headsculpt::geometry::extract::{SurfaceOptions, surface};
use headsculpt::geometry::uv::UnwrapOptions;
use headsculpt::geometry::{Mesh, ScalarGrid, TexturedMesh, topology};
use headsculpt::head::{DistanceField, HeadModel, Region};
use headsculpt::io::{glb, image as pictures, turntable};
use headsculpt::render::GpuContext;
use headsculpt::render::bake::bake;
use headsculpt::render::mesh::{MeshRenderer, RenderKind, orbit_view, turntable_views};
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Instant;

const SKIN: [f32; 3] = [0.85, 0.68, 0.58];
const LIPS: [f32; 3] = [0.9, 0.1, 0.15];
const EARS: [f32; 3] = [0.15, 0.35, 0.9];
const SCALP: [f32; 3] = [0.3, 0.22, 0.16];
const BROWS: [f32; 3] = [0.1, 0.05, 0.02];
const CHEST: [f32; 3] = [0.3, 0.6, 0.35];

/// Colours of points on the mean head by region, smooth over a few millimetres.
struct Paint {
    points: Vec<Vec3>,
    colours: Vec<Vec3>,
    /// Points sorted by cell.
    cells: Vec<(i32, u32)>,
}

impl Paint {
    const CELL: f32 = 0.06;

    fn new(model: &HeadModel) -> Self {
        let mut points = Vec::new();
        let mut colours = Vec::new();
        for (v, part) in model.vertex_part().iter().enumerate() {
            if *part != headsculpt::head::Part::Skin {
                continue;
            }
            let mut colour = Vec3::from(SKIN);
            for (region, tint) in [
                (Region::Scalp, SCALP),
                (Region::Brows, BROWS),
                (Region::Lips, LIPS),
                (Region::Ears, EARS),
                (Region::Chest, CHEST),
            ] {
                colour = colour.lerp(Vec3::from(tint), model.region(region)[v]);
            }
            points.push(model.canonical()[v]);
            colours.push(colour);
        }
        let mut cells: Vec<(i32, u32)> = points
            .iter()
            .enumerate()
            .map(|(i, p)| (Self::key((*p / Self::CELL).floor().as_ivec3().to_array()), i as u32))
            .collect();
        cells.sort_unstable();
        Self { points, colours, cells }
    }

    fn key([x, y, z]: [i32; 3]) -> i32 {
        ((z + 64) * 128 + y + 64) * 128 + x + 64
    }

    fn at(&self, p: Vec3) -> [f32; 3] {
        let [cx, cy, cz] = (p / Self::CELL).floor().as_ivec3().to_array();
        let mut near: Vec<(f32, u32)> = Vec::new();
        for z in cz - 1..=cz + 1 {
            for y in cy - 1..=cy + 1 {
                for x in cx - 1..=cx + 1 {
                    let key = Self::key([x, y, z]);
                    let start = self.cells.partition_point(|c| c.0 < key);
                    for (_, i) in self.cells[start..].iter().take_while(|c| c.0 == key) {
                        near.push((self.points[*i as usize].distance_squared(p), *i));
                    }
                }
            }
        }
        let closest = near.iter().map(|n| n.0).fold(f32::INFINITY, f32::min);
        let (mut sum, mut total) = (Vec3::ZERO, 0.0);
        for (d, i) in near {
            let w = (-(d - closest) / 1.5e-4).exp();
            sum += self.colours[i as usize] * w;
            total += w;
        }
        // Far from the skin, on the cut below the chest.
        if total > 0.0 { (sum / total).to_array() } else { CHEST }
    }
}

fn textured(mesh: &Mesh, paint: &Paint) -> TexturedMesh {
    let clock = Instant::now();
    let textured = bake(mesh, UnwrapOptions::default(), 65_536, |points: &[Vec3], _| {
        Ok::<_, Infallible>(points.iter().map(|p| paint.at(*p)).collect())
    })
    .expect("bakes");
    println!(
        "unwrap and bake {} triangles: {:?}, {} vertices",
        mesh.triangles.len(),
        clock.elapsed(),
        textured.mesh.positions.len()
    );
    textured
}

/// How many pixels of a view are closer to a colour than 0.15.
fn count(view: &[f32], colour: [f32; 3]) -> usize {
    view.chunks_exact(3)
        .filter(|p| Vec3::new(p[0], p[1], p[2]).distance(Vec3::from(colour)) < 0.15)
        .count()
}

#[test]
fn the_prior_becomes_files_that_show_it() {
    let model = HeadModel::embedded();
    let clock = Instant::now();
    let field = DistanceField::of(&model.closed_surface(model.mean()), 128);
    println!("distance field: {:?}", clock.elapsed());

    let clock = Instant::now();
    let grid = ScalarGrid::new(field.resolution, field.values.clone()).expect("finite");
    let result = surface(&grid, &SurfaceOptions::default()).expect("a surface");
    println!("surface: {:?} {:?} {:?}", clock.elapsed(), result.clean, result.decimate);
    assert!(topology::check(&result.mesh).is_closed_manifold());
    assert_eq!(topology::components(&result.mesh).len(), 1);
    assert!(result.mesh.triangles.len() <= 30_000);
    for p in &result.mesh.positions {
        assert!(field.sample(*p).abs() < 0.03, "{p} is {} off", field.sample(*p));
    }

    let paint = Paint::new(model);
    let head = textured(&result.mesh, &paint);
    let gpu = GpuContext::new().expect("a Vulkan driver");
    let renderer = MeshRenderer::new(&gpu).expect("compiles");
    let uploaded = renderer.upload(&head).expect("valid");

    let albedo = renderer
        .render(&uploaded, &turntable_views(8, 5.0, 160), RenderKind::Albedo, 2)
        .expect("draws");
    assert!(count(albedo.view(0), LIPS) > 40, "{} lip pixels", count(albedo.view(0), LIPS));
    assert_eq!(count(albedo.view(4), LIPS), 0);
    assert_eq!(count(albedo.view(4), BROWS), 0);
    let ears: Vec<usize> = (0..8).map(|v| count(albedo.view(v), EARS)).collect();
    assert!(ears[2] > 80 && ears[6] > 80 && ears[2] > ears[0], "{ears:?}");
    // The nose points to the right of the picture when the subject's right side is seen...
    // that is azimuth 270, and to the left at azimuth 90.
    let lips_at = |view: usize| {
        let (mut sum, mut n) = (0.0, 0.0f32);
        for (i, p) in albedo.view(view).chunks_exact(3).enumerate() {
            if Vec3::new(p[0], p[1], p[2]).distance(Vec3::from(LIPS)) < 0.15 {
                sum += (i % 160) as f32;
                n += 1.0;
            }
        }
        sum / n
    };
    assert!(lips_at(2) < 70.0 && lips_at(6) > 90.0, "{} {}", lips_at(2), lips_at(6));

    let kept = std::env::var_os("HEADSCULPT_TEST_OUT").map(PathBuf::from);
    let scratch = tempfile::tempdir().expect("a folder");
    let out = kept.as_deref().unwrap_or(scratch.path());
    let clock = Instant::now();
    let shaded = |count, size| {
        let views = turntable_views(count, 5.0, size);
        let frames = renderer.render(&uploaded, &views, RenderKind::Shaded, 3).expect("draws");
        pictures::pictures(&frames)
    };
    turntable::write_strip(&out.join("turntable.png"), &shaded(8, 256)).expect("written");
    println!("turntable: {:?}", clock.elapsed());
    let clock = Instant::now();
    let preview = out.join("preview.webp");
    turntable::write_animation(&preview, &shaded(30, 256), 100, 1_000_000).expect("written");
    println!("preview: {:?}", clock.elapsed());
    let size = std::fs::metadata(&preview).expect("there").len();
    assert!((20_000..=1_000_000).contains(&size), "{size} bytes");

    let clock = Instant::now();
    let options = glb::GlbOptions {
        name: "head".into(),
        metres_per_unit: model.similarity().metres_per_unit,
        roughness: 0.8,
        copyright: None,
        provenance: serde_json::json!({ "prompt": "the mean head" }),
    };
    let path = out.join("avatar.glb");
    glb::write(&path, &head, &options).expect("written");
    println!(
        "glb: {:?}, {} bytes",
        clock.elapsed(),
        std::fs::metadata(&path).expect("there").len()
    );
    let file = gltf::Gltf::open(&path).expect("valid");
    let bounds = file.meshes().flat_map(|m| m.primitives().collect::<Vec<_>>());
    let bounds = bounds.map(|p| p.bounding_box()).next().expect("one mesh");
    let height = bounds.max[1] - bounds.min[1];
    assert!((0.2..0.6).contains(&height), "a bust of {height} m");

    if kept.is_some() {
        for (kind, name) in [
            (RenderKind::Shaded, "shaded.png"),
            (RenderKind::Albedo, "albedo.png"),
            (RenderKind::Normal, "normal.png"),
            (RenderKind::Depth, "depth.png"),
        ] {
            let views = [0.0, 60.0, 140.0].map(|a| orbit_view(a, 5.0, 512));
            let drawn = renderer.render(&uploaded, &views, kind, 3).expect("draws");
            let row = pictures::row(&pictures::pictures(&drawn)).expect("equal sizes");
            pictures::write_image(&out.join(name), &row).expect("written");
        }
        let texture = image::DynamicImage::ImageRgba8(head.albedo.clone()).into_rgb8();
        pictures::write_image(&out.join("texture.png"), &texture).expect("written");
    }
}

#[test]
fn the_closed_prior_itself_can_be_unwrapped_and_painted() {
    let model = HeadModel::embedded();
    let closed = model.closed_surface(model.mean());
    let mesh = Mesh { positions: closed.positions, triangles: closed.triangles };
    let head = textured(&mesh, &Paint::new(model));
    head.validate().expect("complete");
    if let Some(out) = std::env::var_os("HEADSCULPT_TEST_OUT").map(PathBuf::from) {
        let gpu = GpuContext::new().expect("a Vulkan driver");
        let renderer = MeshRenderer::new(&gpu).expect("compiles");
        let uploaded = renderer.upload(&head).expect("valid");
        let views = [0.0, 60.0, 140.0].map(|a| orbit_view(a, 5.0, 512));
        let drawn = renderer.render(&uploaded, &views, RenderKind::Shaded, 3).expect("draws");
        let row = pictures::row(&pictures::pictures(&drawn)).expect("equal sizes");
        pictures::write_image(&out.join("closed.png"), &row).expect("written");
        let texture = image::DynamicImage::ImageRgba8(head.albedo.clone()).into_rgb8();
        pictures::write_image(&out.join("closed_texture.png"), &texture).expect("written");
    }
}
