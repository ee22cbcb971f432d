//! What the renderer draws.

use super::super::renderer::{Slot, ViewportRenderer};
use super::super::targets::Quality;
use super::super::{OrbitCamera, ShadingMode, ViewSettings};
use super::{ball, patterned};
use crate::batch::{Light, View, ViewRegion};
use crate::geometry::TexturedMesh;
use crate::geometry::mesh::samples::{cube, sphere};
use crate::pipeline::instant;
use crate::render::mesh::{MeshRenderer, RenderKind};
use crate::render::studio::StudioSample;
use crate::render::{GpuContext, RenderError};
use glam::Vec3;
use std::sync::Arc;

fn gpu() -> GpuContext {
    GpuContext::new().expect("a Vulkan driver")
}

fn renderer(gpu: &GpuContext) -> ViewportRenderer {
    ViewportRenderer::new(&gpu.device, &gpu.queue).expect("compiles")
}

/// The picture as bytes, four a pixel.
fn read(gpu: &GpuContext, renderer: &ViewportRenderer) -> Vec<u8> {
    gpu.read_texture(renderer.picture().expect("was drawn")).expect("is read")
}

fn draw(
    gpu: &GpuContext,
    renderer: &mut ViewportRenderer,
    camera: &OrbitCamera,
    settings: &ViewSettings,
    size: [u32; 2],
) -> Vec<u8> {
    renderer.render(camera, settings, size).expect("draws");
    read(gpu, renderer)
}

fn turned(azimuth: f32, elevation: f32) -> OrbitCamera {
    let mut camera = OrbitCamera::default();
    camera.turn(azimuth, elevation);
    camera
}

/// Mean difference to the offline renderer where the head is, in steps of 1/255, and whether
/// the rest is the same.
fn difference(
    gpu: &GpuContext,
    renderer: &mut ViewportRenderer,
    mesh: &Arc<TexturedMesh>,
    mode: ShadingMode,
    camera: &OrbitCamera,
) -> (f32, bool) {
    const SIZE: u32 = 320;
    let kind = match mode {
        ShadingMode::Shaded => RenderKind::Shaded,
        ShadingMode::Albedo => RenderKind::Albedo,
        ShadingMode::Normal => RenderKind::Normal,
    };
    let view = View {
        camera: camera.camera((SIZE, SIZE)),
        light: Light::Flat,
        region: ViewRegion::of_azimuth(camera.azimuth_degrees),
        background: [128.0 / 255.0; 3],
    };
    let offline = MeshRenderer::new(gpu).expect("compiles");
    let uploaded = offline.upload(mesh).expect("valid");
    let expected = offline.render(&uploaded, &[view], kind, 4).expect("draws");
    let mask = offline.render(&uploaded, &[view], RenderKind::Mask, 4).expect("draws");
    let settings = ViewSettings { mode, background: [128; 3], ..Default::default() };
    renderer.set_mesh(Slot::After, Some(mesh)).expect("valid");
    let ours = draw(gpu, renderer, camera, &settings, [SIZE, SIZE]);
    let (mut sum, mut count, mut background) = (0.0, 0, true);
    for pixel in 0..(SIZE * SIZE) as usize {
        for channel in 0..3 {
            let (a, b) = (f32::from(ours[pixel * 4 + channel]), expected.data[pixel * 3 + channel]);
            if mask.data[pixel * 3] > 0.0 {
                sum += (a - b * 255.0).abs();
                count += 1;
            } else {
                background &= (a - b * 255.0).abs() <= 1.0;
            }
        }
    }
    assert!(count > 10_000, "the head is not in the picture");
    (sum / count as f32, background)
}

#[test]
fn pictures_are_those_of_the_offline_renderer() {
    let gpu = gpu();
    let mut renderer = renderer(&gpu);
    let person = StudioSample::random(3);
    let head = Arc::new(instant::build(&person, 1024).expect("fits").rest);
    for (mesh, camera) in [(ball(), turned(20.0, 10.0)), (head, turned(-35.0, 5.0))] {
        for mode in ShadingMode::ALL {
            let (mean, background) = difference(&gpu, &mut renderer, &mesh, mode, &camera);
            assert!(mean < 2.0 && background, "{mode:?}: {mean} of 255, {background}");
        }
    }
}

#[test]
fn every_quality_draws_nearly_alike() {
    let gpu = gpu();
    let mut pictures = Vec::new();
    for quality in Quality::ATTEMPTS {
        let made = ViewportRenderer::with_quality(&gpu.device, &gpu.queue, quality);
        let mut renderer = made.expect("this driver can do all of them");
        assert_eq!(renderer.samples(), quality.samples);
        renderer.set_mesh(Slot::After, Some(&ball())).expect("valid");
        let settings = ViewSettings { wireframe: true, ..Default::default() };
        pictures.push(draw(&gpu, &mut renderer, &turned(10.0, 10.0), &settings, [160, 120]));
        // A movement may be drawn with fewer samples, what follows may not.
        renderer.set_moving(true);
        assert!(renderer.samples() <= quality.samples);
        pictures.push(draw(&gpu, &mut renderer, &turned(10.0, 10.0), &settings, [160, 120]));
        renderer.set_moving(false);
        let again = draw(&gpu, &mut renderer, &turned(10.0, 10.0), &settings, [160, 120]);
        assert!(pictures[pictures.len() - 2] == again);
    }
    for picture in &pictures[1..] {
        let sum: u32 =
            picture.iter().zip(&pictures[0]).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        let mean = sum as f32 / picture.len() as f32;
        assert!(mean < 2.5, "{mean} of 255");
    }
}

#[test]
fn a_pose_looks_like_the_posed_mesh() {
    let gpu = gpu();
    let mut renderer = renderer(&gpu);
    let (rest, camera, settings) = (ball(), turned(0.0, 0.0), ViewSettings::default());
    let moved = patterned(sphere(Vec3::new(0.1, 0.05, 0.0), 0.4, 60, 120));
    let expected = Arc::new(TexturedMesh { uvs: rest.uvs.clone(), ..(*moved).clone() });
    renderer.set_mesh(Slot::After, Some(&expected)).expect("valid");
    let expected = draw(&gpu, &mut renderer, &camera, &settings, [200, 150]);
    renderer.set_mesh(Slot::After, Some(&rest)).expect("valid");
    let at_rest = draw(&gpu, &mut renderer, &camera, &settings, [200, 150]);
    let pose = (&moved.mesh.positions, &moved.normals);
    renderer.set_positions(Slot::After, pose.0, pose.1).expect("fits");
    let posed = draw(&gpu, &mut renderer, &camera, &settings, [200, 150]);
    assert!(posed == expected && posed != at_rest);
    for wrong in [&pose.0[1..], &vec![Vec3::NAN; pose.0.len()]] {
        let result = renderer.set_positions(Slot::After, wrong, pose.1);
        assert!(matches!(result, Err(RenderError::Invalid(_))));
    }
    renderer.set_positions(Slot::Before, &[], &[]).expect("nothing to move");
}

#[test]
fn before_is_left_of_the_split_and_after_right_of_it() {
    let gpu = gpu();
    let mut renderer = renderer(&gpu);
    let (camera, size) = (turned(0.0, 0.0), [200, 120]);
    let mut settings = ViewSettings { split: 0.25, ..Default::default() };
    let mut alone = |mesh, settings: &_| {
        renderer.set_mesh(Slot::After, Some(mesh)).expect("valid");
        draw(&gpu, &mut renderer, &camera, settings, size)
    };
    let (before, after) = (ball(), patterned(cube(Vec3::ZERO, 0.3)));
    let pictures = [alone(&before, &settings), alone(&after, &settings)];
    renderer.set_mesh(Slot::Before, Some(&before)).expect("valid");
    // Without the setting it is not shown.
    assert_eq!(draw(&gpu, &mut renderer, &camera, &settings, size), pictures[1]);
    settings.compare = true;
    let both = draw(&gpu, &mut renderer, &camera, &settings, size);
    for (pixel, value) in both.chunks_exact(4).enumerate() {
        let source = &pictures[usize::from(pixel % 200 >= 50)];
        assert_eq!(value, &source[pixel * 4..pixel * 4 + 4], "pixel {pixel}");
    }
    for (split, picture) in [(0.0, &pictures[1]), (1.0, &pictures[0])] {
        settings.split = split;
        assert_eq!(&draw(&gpu, &mut renderer, &camera, &settings, size), picture);
    }
    renderer.set_mesh(Slot::Before, None).expect("forgets");
    assert_eq!(draw(&gpu, &mut renderer, &camera, &settings, size), pictures[1]);
}

#[test]
fn edges_are_drawn_in_front_and_hidden_behind() {
    let gpu = gpu();
    let mut renderer = renderer(&gpu);
    renderer.set_mesh(Slot::After, Some(&patterned(cube(Vec3::ZERO, 0.3)))).expect("valid");
    let (camera, mut settings) = (turned(0.0, 0.0), ViewSettings::default());
    let plain = draw(&gpu, &mut renderer, &camera, &settings, [128, 128]);
    settings.wireframe = true;
    let wired = draw(&gpu, &mut renderer, &camera, &settings, [128, 128]);
    let changed: Vec<usize> =
        (0..128 * 128).filter(|p| plain[p * 4..p * 4 + 3] != wired[p * 4..p * 4 + 3]).collect();
    // Four sides and one diagonal of the front, which is 62 pixels wide; the far side, which
    // is smaller in perspective, would add as much again within it.
    assert!((250..900).contains(&changed.len()), "{}", changed.len());
    // Off the border and the diagonal of the front nothing may be seen.
    let inner = |p: &&usize| {
        let (x, y) = (**p as i32 % 128 - 64, **p as i32 / 128 - 64);
        x.abs() < 27 && y.abs() < 27 && (x - y).abs() > 3 && (x + y).abs() > 3
    };
    assert_eq!(changed.iter().filter(inner).count(), 0);
}

#[test]
fn sizes_are_limited_and_impossible_heads_are_refused() {
    let gpu = gpu();
    let mut renderer = renderer(&gpu);
    let (camera, settings) = (OrbitCamera::default(), ViewSettings::default());
    assert!(!renderer.render(&camera, &settings, [0, 10]).expect("draws nothing"));
    assert!(renderer.picture().is_none());
    assert!(renderer.render(&camera, &settings, [70, 5000]).expect("is cut"));
    assert_eq!(renderer.picture().expect("drawn").height(), 4096);
    assert!(!renderer.render(&camera, &settings, [70, 4096]).expect("draws"));
    let mut broken = (*ball()).clone();
    broken.normals.pop();
    let result = renderer.set_mesh(Slot::After, Some(&Arc::new(broken)));
    assert!(matches!(result, Err(RenderError::Invalid(_))));
    let wide = TexturedMesh { albedo: image::RgbaImage::new(20_000, 1), ..(*ball()).clone() };
    let result = renderer.set_mesh(Slot::After, Some(&Arc::new(wide)));
    assert!(matches!(result, Err(RenderError::Invalid(_))));
    assert!(!renderer.render(&camera, &settings, [70, 4096]).expect("draws the background"));
}

#[test]
fn a_lost_device_is_an_error() {
    let gpu = gpu();
    let mut renderer = renderer(&gpu);
    renderer.set_mesh(Slot::After, Some(&ball())).expect("valid");
    let (camera, settings) = (OrbitCamera::default(), ViewSettings::default());
    renderer.render(&camera, &settings, [64, 64]).expect("draws");
    gpu.device.destroy();
    // It is not known before the work that was under way is done.
    let failed = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        renderer.render(&camera, &settings, [80, 64]).is_err()
    });
    assert!(failed, "drawing on a lost device must fail");
    assert!(renderer.set_mesh(Slot::After, Some(&ball())).is_err());
}
