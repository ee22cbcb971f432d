//! From the head prior to files: distance field, surface, texture, GLB, turntable; and
//! `headsculpt export` in every format.
//!
//! Set `HEADSCULPT_TEST_OUT` to a folder to keep the files and look at them.

mod program;
mod readers;

use glam::{Vec2, Vec3};
use headsculpt::geometry::extract::{SurfaceOptions, surface};
use headsculpt::geometry::uv::UnwrapOptions;
use headsculpt::geometry::{Mesh, ScalarGrid, TexturedMesh, topology};
use headsculpt::head::{DistanceField, HeadModel, Region};
use headsculpt::io::{glb, image as pictures, turntable};
use headsculpt::render::GpuContext;
use headsculpt::render::bake::bake;
use headsculpt::render::mesh::{MeshRenderer, RenderKind, orbit_view, turntable_views};
use program::{done, run};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
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

/// A text for a path; tests know theirs.
fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Everything below a folder, with its contents.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

#[test]
fn an_instant_head_is_exported_in_every_format() {
    let dir = tempfile::tempdir().expect("a folder");
    let (head, out) = (dir.path().join("head"), dir.path().join("out"));
    std::fs::create_dir(&out).expect("made");
    let (project, prompt) = (text(&head), "a smiling woman with \u{201c}curly\u{201d} red hair");
    let make = ["generate", prompt, "--preset", "instant", "--seed", "3", "-o", project, "--quiet"];
    done(&run(&make));
    let before = contents(&head);

    // The GLB is the one that was generated, face units and all.
    let glb = out.join("copy.glb");
    let said = done(&run(&["export", project, "-o", text(&glb), "--json"]));
    assert!(said.contains("\"export\"") && said.contains("copy.glb"), "{said}");
    assert!(!said.contains("warning"), "{said}");
    let bytes = |path: &Path| std::fs::read(path).expect("a file");
    assert!(bytes(&glb) == bytes(&head.join("avatar.glb")), "the exported GLB differs");

    // OBJ and PLY are the surface as it is first shown, which the project stores.
    let shown = headsculpt::project::Project::open_read_only(&head).expect("a project");
    let shown = shown.load_avatar().expect("readable").expect("finished").shown();
    let scale = HeadModel::embedded().similarity().metres_per_unit;
    let positions: Vec<Vec3> = shown.mesh.positions.iter().map(|p| *p * scale).collect();
    let texture = image::DynamicImage::ImageRgba8(shown.albedo.clone()).into_rgb8();
    let (obj, ply) = (out.join("head.obj"), out.join("head.PLY"));
    let said = done(&run(&["export", project, "-o", text(&obj)]));
    assert_eq!(said.trim(), text(&obj));
    done(&run(&["export", project, "-o", text(&ply), "--quiet"]));
    let (of_obj, of_ply) = (readers::obj(&obj), readers::ply(&ply));
    for read in [&of_obj, &of_ply] {
        assert!(read.positions == positions && read.normals == shown.normals);
        assert!(read.triangles == shown.mesh.triangles);
        let mentions = |text: &str| read.comments.iter().any(|line| line.contains(text));
        assert!(mentions("generator: HeadSculpt") && mentions("seed: 3"), "{:?}", read.comments);
        assert!(mentions("\\u201ccurly\\u201d red hair"), "{:?}", read.comments);
    }
    assert!(of_obj.texture == texture);
    let off = of_obj.uvs.iter().zip(&shown.uvs).map(|(a, b)| a.distance(*b)).fold(0.0, f32::max);
    assert!(of_obj.uvs.len() == shown.uvs.len() && off < 1e-6, "{off}");
    // A vertex has the colour of its texels.
    for (colour, uv) in of_ply.colours.iter().zip(&shown.uvs).step_by(97) {
        let at = *uv * texture.width() as f32 - 0.5;
        let (low, high) = (at.floor().max(Vec2::ZERO), (at.floor() + 1.0).max(Vec2::ZERO));
        let texel = |x: f32, y: f32| {
            let last = texture.width() - 1;
            texture.get_pixel((x as u32).min(last), (y as u32).min(last)).0
        };
        let near = [(low.x, low.y), (high.x, low.y), (low.x, high.y), (high.x, high.y)]
            .map(|(x, y)| texel(x, y));
        for (c, value) in colour.iter().enumerate() {
            let (least, most) = near.iter().fold((255, 0), |(l, m), t| (t[c].min(l), t[c].max(m)));
            assert!((least..=most).contains(value), "{colour:?} {near:?}");
        }
    }
    for (path, name) in [(&obj, "again.obj"), (&ply, "again.ply")] {
        let again = out.join(name);
        done(&run(&["export", project, "-o", text(&again), "--quiet"]));
        let written = bytes(&again);
        let renamed = String::from_utf8_lossy(&written).replace("again.mtl", "head.mtl");
        assert!(written == bytes(path) || renamed.as_bytes() == bytes(path), "{name}");
    }

    // Another size of the texture changes the texture alone.
    let small = out.join("small.glb");
    done(&run(&["export", project, "-o", text(&small), "--texture-size", "100"]));
    let (read, whole) = (readers::glb(&small), readers::glb(&glb));
    assert_eq!(read.texture.dimensions(), (100, 100));
    assert!(readers::Read { texture: whole.texture.clone(), ..read } == whole);
    let targets = |path: &Path| {
        let file = gltf::Gltf::open(path).expect("valid");
        let primitive = file.meshes().next().and_then(|m| m.primitives().next());
        primitive.expect("a primitive").morph_targets().len()
    };
    assert_eq!((targets(&small), targets(&glb)), (52, 52));

    // Nothing of all this touched the project; without -o the file lies beside it.
    assert!(contents(&head) == before, "exporting changed the project");
    let said = done(&run(&["export", project, "--format", "ply"]));
    assert_eq!(Path::new(said.trim()), head.join("avatar.ply"));
    assert!(bytes(&head.join("avatar.ply")) == bytes(&ply));

    // The project keeps surface and face units: what today's program would make of its settings
    // does not matter.
    let log = head.join("avatar.headsculpt/operations.jsonl");
    let other = std::fs::read_to_string(&log).expect("text").replace("\"seed\":3", "\"seed\":4");
    std::fs::write(&log, other).expect("written");
    let kept = out.join("kept.glb");
    done(&run(&["export", project, "-o", text(&kept)]));
    assert_eq!(targets(&kept), 52);
    assert!(readers::glb(&kept) == readers::glb(&glb));
}

#[test]
fn what_cannot_be_exported_is_one_sentence() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name);
    let (head, half) = (at("head"), at("half"));
    let make = |folder: &Path| {
        let folder = text(folder);
        done(&run(&["generate", "a man", "--preset", "instant", "-o", folder, "--quiet"]));
    };
    make(&head);
    // One that was stopped before its end.
    std::fs::create_dir_all(half.join("avatar.headsculpt")).expect("made");
    let log = "avatar.headsculpt/operations.jsonl";
    let lines = std::fs::read_to_string(head.join(log)).expect("text");
    let first = lines.lines().next().expect("a line").to_owned() + "\n";
    std::fs::write(half.join(log), first).expect("written");
    // One whose files are damaged.
    let broken = at("broken");
    std::fs::create_dir_all(broken.join("avatar.headsculpt/versions")).expect("made");
    std::fs::write(broken.join(log), &lines).expect("written");
    std::fs::write(broken.join("avatar.headsculpt/versions/1.json"), "no").expect("written");
    std::fs::write(at("file"), "no folder").expect("written");
    std::fs::create_dir(at("folder.glb")).expect("made");
    std::fs::create_dir(at("out")).expect("made");
    let before = contents(dir.path());
    let good = text(&head);
    let (half, broken, nowhere) = (half.clone(), broken.clone(), at("nowhere"));
    let target = |name: &str| text(&at("out")).to_owned() + "/../" + name;
    let cases: Vec<(Vec<String>, &str)> = [
        (vec![text(&nowhere)], "nowhere"),
        (vec![text(&half)], "is not finished"),
        (vec![text(&broken)], "1.json"),
        (vec![good, "-o", &target("x.fbx")], "x.fbx"),
        (vec![good, "-o", &target("x")], ".glb, .obj or .ply"),
        (vec![good, "-o", &target("x.obj"), "--format", "ply"], ".ply"),
        (vec![good, "-o", &target("folder.glb")], "is a folder"),
        (vec![good, "-o", &target("no/such/x.glb")], "does not exist"),
        (vec![good, "-o", &target("file/x.glb")], "file"),
        (vec![good, "-o", "/proc/x.ply"], "/proc"),
        (vec![good, "--format", "fbx"], "--format"),
        (vec![good, "--texture-size", "63"], "--texture-size: 63"),
        (vec![good, "--texture-size", "-1"], "--texture-size"),
        (vec![good, "--texture-size", "4097"], "--texture-size: 4097"),
        (vec![good, "--texture-size", "big"], "--texture-size"),
        (vec![good, "--texture-size", "256", "--format", "ply"], "no texture"),
        (vec![good, "--topology", "free"], "--topology"),
        (vec![], "PROJECT"),
    ]
    .into_iter()
    .map(|(list, word)| (list.into_iter().map(str::to_owned).collect(), word))
    .collect();
    let mut failures = Vec::new();
    for (arguments, word) in &cases {
        let mut all = vec!["export"];
        all.extend(arguments.iter().map(String::as_str));
        all.push("--quiet");
        let output = run(&all);
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let one = stderr.lines().count() == 1 && stderr.contains(word);
        if output.status.code() != Some(2) || !one {
            failures.push(format!("{arguments:?}: {:?} {stderr:?}", output.status));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(contents(dir.path()) == before, "a refused export wrote something");
}
