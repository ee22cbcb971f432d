//! The studio and the control maps against the camera and against themselves.

use glam::{Vec2, Vec3};
use headsculpt::batch::{ControlKind, DENSE_CHANNELS, Light, View, ViewRegion};
use headsculpt::head::HeadModel;
use headsculpt::render::GpuContext;
use headsculpt::render::control::ControlRenderer;
use headsculpt::render::studio::{
    Studio, StudioHead, StudioMesh, StudioSample, StudioVertex, framed_camera,
};

const ANGLES: [f32; 4] = [0.0, 30.0, 60.0, 90.0];
const RIGHT_EYE: [usize; 16] =
    [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173];
const LEFT_EYE: [usize; 16] =
    [263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398];

fn view(azimuth: f32, size: u32, light: Light) -> View {
    View {
        camera: framed_camera(azimuth, 5.0, 28.0, 1.0, Vec3::ZERO, size),
        light,
        region: ViewRegion::of_azimuth(azimuth),
        background: [0.0; 3],
    }
}

fn octahedron(centre: Vec3, radius: f32) -> StudioMesh {
    let corners = [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z];
    let vertices = corners
        .iter()
        .map(|c| StudioVertex {
            position: (centre + *c * radius).to_array(),
            normal: c.to_array(),
            albedo: [1.0; 3],
            gaze: [0.0; 3],
        })
        .collect();
    let triangles = vec![
        [0, 2, 4],
        [2, 1, 4],
        [1, 3, 4],
        [3, 0, 4],
        [2, 0, 5],
        [1, 2, 5],
        [3, 1, 5],
        [0, 3, 5],
    ];
    let (bound, charts) = (vec![None; 6], vec![None; 6]);
    StudioMesh { vertices, triangles, bound, charts }
}

fn centroid(image: &[f32], size: usize, weight: impl Fn(&[f32]) -> f32) -> Option<Vec2> {
    let (mut sum, mut total) = (Vec2::ZERO, 0.0);
    for (i, pixel) in image.chunks_exact(3).enumerate() {
        let w = weight(pixel);
        sum += w * Vec2::new((i % size) as f32 + 0.5, (i / size) as f32 + 0.5);
        total += w;
    }
    (total > 0.0).then(|| sum / total)
}

#[test]
fn rasterised_prior_vertices_land_where_the_camera_projects_them() {
    let context = GpuContext::new().unwrap();
    let mut studio = Studio::new(&context).unwrap();
    let mean = HeadModel::embedded().mean();
    let landmarks = HeadModel::embedded().landmarks468(mean);
    let views: Vec<View> = ANGLES.iter().map(|a| view(*a, 128, Light::Flat)).collect();
    let mut failures = Vec::new();
    for index in [1, 10, 33, 152, 234, 263, 454] {
        let point = landmarks[index];
        let mesh = octahedron(point, 0.02);
        let head = StudioHead {
            mesh,
            eyes: [Vec3::ONE; 3],
            prior_triangles: 0,
            hair: 0..0,
            skin: mean.clone(),
            neutral: mean.clone(),
        };
        let images = studio.render(&head, &views).unwrap();
        for (v, view) in views.iter().enumerate() {
            let seen = centroid(images.view(v), 128, |p| p[0]).unwrap();
            let error = seen.distance(view.camera.project(point).pixel);
            if error > 0.25 {
                failures.push(format!("landmark {index} at {} degrees: {error} px", ANGLES[v]));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn landmark_lines_frame_the_projected_eyes() {
    let context = GpuContext::new().unwrap();
    let mut control = ControlRenderer::new(&context).unwrap().with_occlusion(false);
    let mean = HeadModel::embedded().mean();
    let landmarks = HeadModel::embedded().landmarks468(mean);
    let size = 512;
    let is = |pixel: &[f32], colour: [f32; 3]| {
        pixel.iter().zip(colour).all(|(p, c)| (p - c / 255.0).abs() < 0.03)
    };
    for (a, azimuth) in ANGLES.into_iter().enumerate() {
        let view = view(azimuth, size, Light::Flat);
        let image = control.render(ControlKind::Landmarks, mean, &[view]).unwrap();
        let mut middles = Vec::new();
        for (colour, points) in
            [([180.0, 200.0, 10.0], RIGHT_EYE), ([10.0, 200.0, 180.0], LEFT_EYE)]
        {
            let projected: Vec<Vec2> =
                points.iter().map(|&i| view.camera.project(landmarks[i]).pixel).collect();
            let low = projected.iter().copied().fold(Vec2::INFINITY, Vec2::min) - 1.0;
            let high = projected.iter().copied().fold(Vec2::NEG_INFINITY, Vec2::max) + 1.0;
            let (mut drawn_low, mut drawn_high) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
            for (i, pixel) in image.data.chunks_exact(3).enumerate() {
                if is(pixel, colour) {
                    let corner = Vec2::new((i % size as usize) as f32, (i / size as usize) as f32);
                    drawn_low = drawn_low.min(corner);
                    drawn_high = drawn_high.max(corner + 1.0);
                }
            }
            // At 90 degrees both eyes' lines overlap; their hulls still agree within the line.
            let slack = if a == 3 { 4.0 } else { 1.0 };
            let error = (drawn_low - low).abs().max((drawn_high - high).abs());
            assert!(
                error.max_element() <= slack,
                "{azimuth}: {drawn_low} {low} {drawn_high} {high}"
            );
            middles.push(0.5 * (low + high));
        }
        if azimuth == 0.0 {
            assert!(
                middles[0].x < 256.0 && middles[1].x > 256.0,
                "the right eye must be image-left"
            );
        }
    }
    let back = view(180.0, 64, Light::Flat);
    let image = control.render(ControlKind::Landmarks, mean, &[back]).unwrap();
    assert!(image.data.iter().all(|v| *v == 0.0), "back views have no landmarks");
}

#[test]
fn hidden_landmarks_are_left_out() {
    let context = GpuContext::new().unwrap();
    let mean = HeadModel::embedded().mean();
    let side = view(90.0, 256, Light::Flat);
    let count = |occlusion: bool| {
        let mut control = ControlRenderer::new(&context).unwrap().with_occlusion(occlusion);
        let image = control.render(ControlKind::Landmarks, mean, &[side]).unwrap();
        // The right brow's colour; the camera is on the left.
        image.data.chunks_exact(3).filter(|p| p[0] > 0.6 && p[2] < 0.1).count()
    };
    assert_eq!(count(true), 0);
    assert!(count(false) > 10);
}

#[test]
fn dense_maps_are_sane() {
    let context = GpuContext::new().unwrap();
    let mut control = ControlRenderer::new(&context).unwrap();
    let mean = HeadModel::embedded().mean();
    let (size, background) = (96, 0.4);
    for azimuth in [0.0, 45.0, 90.0, 180.0] {
        let mut flat = view(azimuth, size, Light::Flat);
        flat.background = [background; 3];
        let direction = -flat.camera.forward;
        let lit = View { light: Light::Lambertian { ambient: 0.3, direction }, ..flat };
        let maps = control.render(ControlKind::Dense, mean, &[flat, lit]).unwrap();
        assert_eq!(maps.channels, DENSE_CHANNELS);
        let (mut inside, mut facing, mut outside) = (0, 0, 0);
        for (p, q) in
            maps.view(0).chunks_exact(DENSE_CHANNELS).zip(maps.view(1).chunks_exact(DENSE_CHANNELS))
        {
            let cover = p[6];
            assert!((p[8] - background).abs() < 0.01);
            assert!(p[9..].iter().all(|m| *m <= cover + 0.01), "masks stay inside the silhouette");
            assert!((p[7] - cover).abs() < 0.01, "flat shade is 1 on the head");
            assert!(q[7] <= cover + 0.01 && q[7] >= 0.3 * cover - 0.01);
            if cover == 0.0 {
                outside += 1;
                assert!(p[..6].iter().all(|v| (v - 0.5).abs() < 0.01));
            } else if cover == 1.0 && p[4] > 0.3 {
                // Above the shoulders: below, the open rim of the bust shows its inside.
                inside += 1;
                facing += usize::from(p[2] > 0.49);
            }
        }
        assert!(inside > 1000 && outside > 1000, "{inside} {outside}");
        assert!(
            facing as f32 > 0.99 * inside as f32,
            "{facing} of {inside} normals face the camera"
        );
        let eyes = maps.view(0).chunks_exact(DENSE_CHANNELS).filter(|p| p[11] > 0.1).count();
        assert_eq!(eyes > 0, azimuth < 100.0);
    }
    // The nose tip's pixel says where the nose tip is.
    let view = view(0.0, 128, Light::Flat);
    let map = control.render(ControlKind::Dense, mean, &[view]).unwrap();
    let tip = HeadModel::embedded().landmarks468(mean)[1];
    let at = view.camera.project(tip).pixel.floor();
    let pixel = &map.data[(at.y as usize * 128 + at.x as usize) * DENSE_CHANNELS..];
    let found = 2.0 * Vec3::new(pixel[3], pixel[4], pixel[5]) - Vec3::ONE;
    assert!(found.distance(tip) < 0.03, "{found} {tip}");
    assert!(pixel[12] > 0.8, "the nose mask covers the nose tip");
}

#[test]
fn renders_repeat_and_light_multiplies_albedo() {
    let sample = StudioSample::random(11);
    let head = StudioHead::new(&sample.params, &sample.look, sample.seed).unwrap();
    let flat = view(20.0, 48, Light::Flat);
    let direction = (Vec3::new(0.3, 0.5, 0.8)).normalize();
    let half = View { light: Light::Lambertian { ambient: 0.5, direction }, ..flat };
    let full = View { light: Light::Lambertian { ambient: 1.0, direction }, ..flat };
    let draw = || {
        let context = GpuContext::new().unwrap();
        let mut studio = Studio::new(&context).unwrap();
        [flat, half, full].map(|view| studio.render(&head, &[view]).unwrap().data)
    };
    let (first, again) = (draw(), draw());
    assert_eq!(first, again);
    for ((f, h), a) in first[0].iter().zip(&first[1]).zip(&first[2]) {
        assert!((f - a).abs() < 1e-6, "ambient 1 is flat light");
        assert!(*h <= f + 0.003 && *h >= 0.5 * f - 0.003);
    }
    let other = StudioHead::new(&sample.params, &sample.look, sample.seed).unwrap();
    assert_eq!(other.mesh, head.mesh);
}

#[test]
fn views_of_different_sizes_are_refused() {
    let context = GpuContext::new().unwrap();
    let mut studio = Studio::new(&context).unwrap();
    let sample = StudioSample::random(1);
    let head = StudioHead::new(&sample.params, &sample.look, sample.seed).unwrap();
    let (a, b) = (view(0.0, 32, Light::Flat), view(0.0, 48, Light::Flat));
    assert!(studio.render(&head, &[a, b]).unwrap_err().to_string().contains("one size"));
    assert!(studio.render(&head, &[]).is_err());
}
