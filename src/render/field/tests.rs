//! The kernels against the `f64` reference, and the promises of the module's docs.

use super::reference::{Reference, Samples};
use super::*;
use crate::batch::{Light, View, ViewRegion};
use crate::render::camera::Camera;
use glam::{DVec3, Vec3};
use std::fmt::Write;

/// The field in double precision.
pub(in crate::render) use super::reference::Reference as Exact;

pub(in crate::render) fn context() -> GpuContext {
    GpuContext::new().unwrap()
}

/// A wobbly ball: no symmetric place where a gradient could vanish by accident.
fn ball(p: Vec3) -> f32 {
    p.length() - 0.45 - 0.04 * (5.0 * p.x + 1.0).sin() * (4.0 * p.y).cos()
}

fn view(azimuth: f32, size: u32, light: Light) -> View {
    View {
        camera: Camera::orbit(Vec3::ZERO, azimuth, 12.0, 2.2, 34.0, (size, size)),
        light,
        region: ViewRegion::of_azimuth(azimuth),
        background: [0.9, 0.5, 0.2],
    }
}

fn lamp() -> Light {
    Light::Lambertian { ambient: 0.3, direction: Vec3::new(0.3, 0.8, 0.52).normalize() }
}

/// Two dense and two hashed levels, a shell prior that a coarse step resolves.
pub(in crate::render) fn small() -> FieldConfig {
    FieldConfig {
        grid: GridConfig {
            levels: 4,
            features: 2,
            base_resolution: 4,
            finest_resolution: 24,
            log2_table: 10,
            smoothstep: true,
            init_range: 0.7,
        },
        mlp: MlpConfig { hidden_width: 8, hidden_layers: 2, train: true },
        density: DensityConfig { activation: DensityActivation::Softplus, scale: 2.0 },
        prior: PriorConfig::Shell {
            sharpness: 20.0,
            blob: 1.0,
            blob_spread: 0.08,
            clearance: 4.0,
            clearance_distance: 0.3,
        },
        march: MarchConfig { step: 0.06, ..MarchConfig::default() },
        occupancy: OccupancyConfig { resolution: 32, ..OccupancyConfig::default() },
        regularisers: Regularisers::default(),
        normal_epsilon: 0.03,
        adam: Default::default(),
        density_epsilon: None,
    }
}

/// Four features, no hidden layer, linear interpolation, a bounded density.
pub(in crate::render) fn voxels() -> FieldConfig {
    FieldConfig {
        grid: GridConfig {
            levels: 3,
            features: 4,
            base_resolution: 5,
            finest_resolution: 20,
            log2_table: 11,
            smoothstep: false,
            init_range: 0.7,
        },
        mlp: MlpConfig { hidden_width: 0, hidden_layers: 0, train: true },
        density: DensityConfig { activation: DensityActivation::Sigmoid, scale: 8.0 },
        prior: PriorConfig::Solid { width: 0.15, surface: -0.4, min: -3.0, max: 2.0 },
        ..small()
    }
}

pub(in crate::render) fn prior() -> PriorGrid {
    PriorGrid::from_distance(32, ball).unwrap()
}

/// Numbers in [-1, 1) that look random.
pub(in crate::render) fn noise(count: usize, salt: u32) -> Vec<f32> {
    let mut state = salt.wrapping_mul(747_796_405) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

pub(in crate::render) fn reference(field: &Field, prior: &PriorGrid) -> Reference {
    Reference {
        config: field.config.clone(),
        layout: field.layout.clone(),
        parameters: field.state().unwrap().parameters.iter().map(|v| f64::from(*v)).collect(),
        prior: prior.clone(),
        prior_weight: f64::from(field.prior_weight),
    }
}

/// The samples of the last (single-batch) render.
fn samples(field: &Field) -> Samples {
    let rays = field.stats.rays as usize;
    let offsets: Vec<u32> = field.context.read(&field.rays.offsets, rays + 1).unwrap();
    let count = field.stats.samples as usize;
    let flat: Vec<[f32; 4]> = field.context.read(&field.samples.samples, count).unwrap();
    offsets
        .windows(2)
        .map(|w| {
            flat[w[0] as usize..w[1] as usize]
                .iter()
                .map(|s| (DVec3::new(s[0].into(), s[1].into(), s[2].into()), f64::from(s[3])))
                .collect()
        })
        .collect()
}

#[test]
fn images_agree_with_the_reference() {
    let context = context();
    let mut complaints = String::new();
    for (name, config) in [("network", small()), ("voxels", voxels())] {
        let mut field = Field::new(&context, config, &prior(), 3).unwrap();
        for light in [Light::Flat, lamp()] {
            let views = [view(20.0, 10, light), view(200.0, 10, light)];
            let images = field.render(&views, 11, true).unwrap();
            let expected = reference(&field, &prior()).render(
                &views,
                Appearance::Shaded,
                &samples(&field),
                light != Light::Flat,
            );
            assert!(field.stats().samples > 800, "{:?}", field.stats());
            assert!(images.opacity.iter().any(|a| *a > 0.9));
            for (ray, color) in expected.color.iter().enumerate() {
                let got = &images.color.data[3 * ray..3 * ray + 3];
                assert!(got.iter().all(|v| v.is_finite()), "{name} {light:?} ray {ray}: {got:?}");
                let off = (0..3).map(|c| (f64::from(got[c]) - color[c]).abs()).fold(0.0, f64::max);
                let alpha = (f64::from(images.opacity[ray]) - expected.opacity[ray]).abs();
                let depth = (f64::from(images.depth[ray]) - expected.depth[ray]).abs();
                // Written so that NaN fails.
                let deep = expected.opacity[ray] > 1e-3;
                if !(off <= 2e-5 && alpha <= 2e-5 && (!deep || depth <= 1e-3)) {
                    let _ = writeln!(
                        complaints,
                        "{name} {light:?} ray {ray}: colour {off:e} opacity {alpha:e} depth {depth:e}"
                    );
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

/// Names the part of the parameters that an index belongs to.
fn part(layout: &Layout, index: usize) -> String {
    let index = index as u32;
    if index < layout.grid_floats {
        let entry = index / layout.features;
        let level = layout.levels.iter().rposition(|l| entry >= l.offset).unwrap();
        let kind = if layout.levels[level].dense { "dense" } else { "hashed" };
        return format!("level {level} ({kind})");
    }
    let vector = (index - layout.grid_floats) / 4;
    let layer = layout.layers.iter().rposition(|l| vector >= l.weights).unwrap();
    let kind = if vector >= layout.layers[layer].bias { "bias" } else { "matrix" };
    format!("layer {layer} {kind}")
}

/// One loss and what it switches on.
struct Case {
    name: &'static str,
    config: FieldConfig,
    light: Light,
    appearance: Appearance,
    image: f32,
    opacity: f32,
    regularisers: Regularisers,
}

#[test]
fn adjoints_agree_with_finite_differences() {
    let context = context();
    let none = Regularisers::default();
    let case = |name, config: FieldConfig| Case {
        name,
        config,
        light: Light::Flat,
        appearance: Appearance::Shaded,
        image: 0.0,
        opacity: 0.0,
        regularisers: none,
    };
    let one_layer = FieldConfig {
        grid: GridConfig { levels: 3, ..small().grid },
        mlp: MlpConfig { hidden_width: 12, hidden_layers: 1, train: true },
        ..small()
    };
    // Wide enough for loops over blocks and for the tape.
    let wide = FieldConfig { mlp: MlpConfig { hidden_width: 28, ..small().mlp }, ..small() };
    // Only the core is occupied, so that the lattice has an outside.
    let lattice = FieldConfig {
        prior: PriorConfig::Solid { width: 0.03, surface: 0.0, min: -6.0, max: 3.0 },
        occupancy: OccupancyConfig { threshold: 1.0, dilation: 0, ..small().occupancy },
        ..voxels()
    };
    assert!(!Layout::new(&wide).unwrap().fused());
    assert!(Layout::new(&small()).unwrap().fused());
    let cases = [
        Case { image: 1.0, ..case("image", small()) },
        Case { image: 1.0, ..case("image, wide", wide) },
        Case { image: 1.0, ..case("image, one layer, padded input", one_layer) },
        Case { image: 1.0, opacity: 1.0, ..case("voxels", voxels()) },
        Case { opacity: 1.0, ..case("opacity", small()) },
        Case { regularisers: Regularisers { entropy: 3.0, ..none }, ..case("entropy", small()) },
        Case { regularisers: Regularisers { binarise: 3.0, ..none }, ..case("binarise", small()) },
        Case {
            regularisers: Regularisers { orientation: 30.0, ..none },
            ..case("orientation", small())
        },
        Case { image: 1.0, light: lamp(), ..case("Lambertian image", small()) },
        Case { image: 1.0, light: lamp(), ..case("Lambertian voxels", voxels()) },
        Case {
            image: 1.0,
            opacity: 1.0,
            appearance: Appearance::Normals,
            ..case("normals", small())
        },
        Case {
            image: 0.1,
            light: lamp(),
            regularisers: Regularisers { area: 0.1, roughness: 0.3, ..none },
            ..case("lattice", lattice)
        },
        Case {
            regularisers: Regularisers {
                smooth_absolute: [30.0, 10.0, 20.0, 5.0],
                smooth_squared: [10.0, 50.0, 5.0, 20.0],
                ..none
            },
            ..case("smoothness", voxels())
        },
    ];
    let mut complaints = String::new();
    for case in &cases {
        let mut field = Field::new(&context, case.config.clone(), &prior(), 5).unwrap();
        field.set_regularisers(case.regularisers).unwrap();
        let views = [view(20.0, 6, case.light), view(130.0, 6, case.light)];
        field.render_as(&views, case.appearance, 4, true).unwrap();
        let rays = field.stats().rays as usize;
        let scaled = |v: Vec<f32>, s: f32| v.into_iter().map(|x| x * s).collect::<Vec<_>>();
        let d_color = scaled(noise(3 * rays, 1), case.image);
        let d_opacity = scaled(noise(rays, 2), case.opacity);
        let along = samples(&field);
        field.backward(&d_color, Some(&d_opacity)).unwrap();
        let got = field.gradient().unwrap();
        let mut reference = reference(&field, &prior());
        let normals = case.light != Light::Flat
            || case.appearance == Appearance::Normals
            || case.regularisers.orientation > 0.0;
        let bits = field.occupancy.bits.clone();
        let spacing = 2.0 / field.config.occupancy.resolution as f32;
        let shift = super::occupancy::lattice_shift(4, spacing).as_dvec3();
        let loss = |r: &Reference| {
            let images = r.render(&views, case.appearance, &along, normals);
            let mut sum = r.smoothness(&case.regularisers);
            if case.regularisers.area > 0.0 {
                let (area, roughness) = r.lattice(&bits, shift);
                sum += f64::from(case.regularisers.area) * area
                    + f64::from(case.regularisers.roughness) * roughness;
            }
            for ray in 0..rays {
                for c in 0..3 {
                    sum += f64::from(d_color[3 * ray + c]) * images.color[ray][c];
                }
                sum += f64::from(d_opacity[ray]) * images.opacity[ray];
            }
            let reg = case.regularisers;
            sum + f64::from(reg.entropy) * images.entropy
                + f64::from(reg.orientation) * images.orientation
                + f64::from(reg.binarise) * images.binarise
        };
        // The largest gradients of each part and a few others.
        let mut parts: Vec<(String, Vec<usize>)> = Vec::new();
        for i in 0..got.len() {
            let name = part(&field.layout, i);
            match parts.last_mut() {
                Some((last, members)) if *last == name => members.push(i),
                _ => parts.push((name, vec![i])),
            }
        }
        let mut nonzero = 0;
        for (name, members) in &parts {
            let mut chosen = members.clone();
            chosen.sort_by(|a, b| got[*b].abs().total_cmp(&got[*a].abs()).then(a.cmp(b)));
            let touched = chosen.iter().filter(|i| got[**i] != 0.0).count();
            let largest = f64::from(got[chosen[0]].abs());
            nonzero += touched;
            let picks =
                (0..5).map(|k| chosen[k * touched.max(1) / 5]).chain(chosen.last().copied());
            for i in picks {
                let h = 1e-5;
                let start = reference.parameters[i];
                reference.parameters[i] = start + h;
                let above = loss(&reference);
                reference.parameters[i] = start - h;
                let below = loss(&reference);
                reference.parameters[i] = start;
                let expected = (above - below) / (2.0 * h);
                let off = (f64::from(got[i]) - expected).abs();
                let allowed = 1e-3 * expected.abs() + 2e-4 * largest + 1e-9;
                if off > allowed || off.is_nan() {
                    let _ = writeln!(
                        complaints,
                        "{}: {name}, parameter {i}: {} against {expected}",
                        case.name, got[i]
                    );
                }
            }
        }
        if nonzero < 50 {
            let _ = writeln!(complaints, "{}: only {nonzero} gradients", case.name);
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn the_published_prior_is_finite_and_right_on_the_surface() {
    let context = context();
    let config = FieldConfig {
        prior: PriorConfig::default(),
        grid: GridConfig { init_range: 1e-4, ..small().grid },
        ..small()
    };
    // A distance that is linear along x, so that interpolation is exact.
    let prior = PriorGrid::from_distance(3, |p| p.x).unwrap();
    let mut field = Field::new(&context, config, &prior, 1).unwrap();
    let points: Vec<Vec3> = (-400..=400)
        .map(|i| Vec3::new(i as f32 * 5e-5, 0.3, -0.2))
        .chain((0..40).map(|i| Vec3::new(i as f32 * 0.025, 0.1, 0.1)))
        .collect();
    for weight in [1.0, 0.25, 0.0] {
        field.set_prior_weight(weight).unwrap();
        let reference = reference(&field, &prior);
        for (point, got) in points.iter().zip(field.query(&points).unwrap()) {
            let expected = reference.evaluate(point.as_dvec3()).0;
            let off = (f64::from(got.logit) - expected).abs();
            assert!(off < 2e-4 * expected.abs().max(1.0), "{point}: {got:?} against {expected}");
            let sigma = reference.density(expected);
            assert!(
                (f64::from(got.sigma) - sigma).abs() < 3e-4 * sigma,
                "{point}: {got:?} {sigma}"
            );
        }
    }
    field.set_prior_weight(1.0).unwrap();
    let at = |x: f32| field.query(&[Vec3::new(x, 0.9, 0.9)]).unwrap()[0];
    let mut at = at;
    assert!(at(0.0).logit > 400.0, "the surface is solid");
    assert!(at(0.4).logit < -3.5, "far space is empty");
    assert!(at(0.02).sigma < 2.0, "the shell is thin");
}

fn gradient_for(field: &mut Field, scale: f32) -> Vec<f32> {
    let views = [view(20.0, 12, Light::Flat)];
    field.render(&views, 9, true).unwrap();
    let rays = field.stats().rays as usize;
    let d: Vec<f32> = noise(3 * rays, 8).into_iter().map(|v| v * scale).collect();
    field.backward(&d, None).unwrap();
    let gradient = field.gradient().unwrap();
    // A rate of zero clears the gradient and moves nothing.
    field.step(&Rates::new(0.0, 0.0)).unwrap();
    gradient
}

#[test]
fn fixed_point_sums_keep_their_digits_over_fourteen_decades() {
    let context = context();
    let mut field = Field::new(&context, small(), &prior(), 5).unwrap();
    let unit = gradient_for(&mut field, 1.0);
    assert!(unit.iter().filter(|g| **g != 0.0).count() > 500);
    for exponent in [-33, -20, -1, 7, 13] {
        let scale = 2_f32.powi(exponent);
        for (a, b) in unit.iter().zip(gradient_for(&mut field, scale)) {
            // Powers of two only move the exponent: the digits must be the same.
            assert_eq!(a * scale, b, "2^{exponent}");
        }
    }
    for scale in [1e-10_f32, 1e-5, 1e4] {
        let largest = unit.iter().fold(0.0_f32, |a, g| a.max(g.abs())) * scale;
        for (a, b) in unit.iter().zip(gradient_for(&mut field, scale)) {
            assert!((a * scale - b).abs() < 1e-5 * largest, "{a} {b} at {scale}");
        }
    }
}

#[test]
fn gradients_that_are_not_finite_are_errors() {
    let context = context();
    let mut field = Field::new(&context, small(), &prior(), 5).unwrap();
    let views = [view(0.0, 8, Light::Flat)];
    assert!(field.backward(&[], None).unwrap_err().to_string().contains("render first"));
    let refused = |field: &mut Field, d: &[f32]| {
        field.render(&views, 1, true).unwrap();
        field.backward(d, None).unwrap_err().to_string()
    };
    let mut d = vec![0.1; 192];
    assert!(refused(&mut field, &d[..9]).contains("do not fit"));
    d[7] = f32::NAN;
    assert!(refused(&mut field, &d).contains("pixel 2"));
    for scale in [1e15, 3e38] {
        let huge = noise(192, 3).iter().map(|v| v * scale).collect::<Vec<_>>();
        let message = refused(&mut field, &huge);
        assert!(message.contains("numerical failure"), "{message}");
    }
}

/// A few training steps on fixed gradients of the image.
fn train(field: &mut Field, steps: std::ops::Range<u64>) {
    for step in steps {
        field.update_occupancy(step).unwrap();
        let views = [view(20.0 * step as f32, 16, lamp()), view(70.0, 16, Light::Flat)];
        let images = field.render(&views, step, true).unwrap();
        let d: Vec<f32> = images.color.data.iter().map(|v| v - 0.3).collect();
        field.backward(&d, None).unwrap();
        field.step(&Rates::new(1e-2, 1e-3)).unwrap();
    }
}

#[test]
fn runs_repeat_bit_for_bit_and_resume_exactly() {
    let config = FieldConfig {
        regularisers: Regularisers {
            entropy: 0.01,
            orientation: 0.01,
            binarise: 0.1,
            area: 0.1,
            roughness: 0.01,
            smooth_absolute: [0.1; 4],
            smooth_squared: [0.1; 4],
        },
        occupancy: OccupancyConfig { interval: 3, ..small().occupancy },
        ..small()
    };
    let make = || Field::new(&context(), config.clone(), &prior(), 77).unwrap();
    let bits = |s: &FieldState| -> Vec<u32> {
        let adam = s.adam.mean.iter().chain(&s.adam.variance);
        s.parameters.iter().chain(adam).chain(&s.occupancy).map(|v| v.to_bits()).collect()
    };
    let mut straight = make();
    train(&mut straight, 0..4);
    let middle = straight.state().unwrap();
    train(&mut straight, 4..8);
    let end = straight.state().unwrap();
    assert_ne!(middle.parameters, end.parameters);
    let mut again = make();
    train(&mut again, 0..8);
    assert_eq!(bits(&again.state().unwrap()), bits(&end));
    let mut resumed = make();
    resumed.restore(&middle).unwrap();
    train(&mut resumed, 4..8);
    let resumed = resumed.state().unwrap();
    assert_eq!(bits(&resumed), bits(&end));
    assert_eq!(resumed.occupied, end.occupied);
    assert_eq!(resumed.adam.steps, 8);

    let mut wrong = end;
    wrong.parameters.pop();
    assert!(again.restore(&wrong).is_err());
}

#[test]
fn a_blob_appears_where_the_camera_projects_it() {
    let context = context();
    for at in [Vec3::new(0.18, 0.2, 0.3), Vec3::new(-0.35, -0.3, 0.1)] {
        let prior = PriorGrid::from_distance(128, |p| p.distance(at) - 0.05).unwrap();
        let config = FieldConfig {
            occupancy: OccupancyConfig { resolution: 64, ..OccupancyConfig::default() },
            march: MarchConfig { step: 0.008, ..MarchConfig::default() },
            ..FieldConfig::quick_voxels()
        };
        let mut field = Field::new(&context, config, &prior, 1).unwrap();
        for azimuth in [0.0, 30.0, 60.0, 90.0] {
            let view = view(azimuth, 96, Light::Flat);
            let images = field.render(&[view], 0, false).unwrap();
            let (mut sum, mut centre) = (0.0, glam::Vec2::ZERO);
            for (i, a) in images.opacity.iter().enumerate() {
                sum += a;
                centre += *a * glam::Vec2::new((i % 96) as f32 + 0.5, (i / 96) as f32 + 0.5);
            }
            let centre = centre / sum;
            let expected = view.camera.project(at);
            let off = centre.distance(expected.pixel);
            assert!(off < 0.5, "{azimuth} degrees: {centre} against {}", expected.pixel);
            assert!(sum > 10.0);
            let pixel = expected.pixel.y as usize * 96 + expected.pixel.x as usize;
            assert!((images.depth[pixel] - (expected.depth - 0.05)).abs() < 0.03);
        }
    }
}

/// Colour images of a painted ball of radius 0.4 on grey, from the ray equation.
fn painted_ball(views: &[View]) -> Vec<f32> {
    let mut out = Vec::new();
    for view in views {
        let c = &view.camera;
        for pixel in 0..c.width * c.height {
            let (x, y) = (pixel % c.width, pixel / c.width);
            let mut color = [0.0_f32; 3];
            // Four rays a pixel, as edges need.
            for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let d = c.ray(glam::Vec2::new(x as f32 + dx, y as f32 + dy));
                let b = c.position.dot(d);
                let disc = b * b - (c.position.length_squared() - 0.16);
                let sample = if disc > 0.0 {
                    let p = c.position + d * (-b - disc.sqrt());
                    let stripe = if p.y > 0.0 { 0.85 } else { 0.2 };
                    [stripe, 0.5 + 0.9 * p.x, if p.z > 0.0 { 0.7 } else { 0.3 }]
                } else {
                    view.background
                };
                for k in 0..3 {
                    color[k] += 0.25 * sample[k];
                }
            }
            out.extend(color);
        }
    }
    out
}

fn psnr(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    -10.0 * (sum / a.len() as f64).log10()
}

#[test]
fn fits_a_painted_ball_from_its_pictures() {
    let context = context();
    // The prior is a smaller ball off its place: the shape must move as well.
    let prior = PriorGrid::from_distance(64, |p| p.distance(Vec3::new(0.04, 0.0, 0.0)) - 0.33);
    let prior = prior.unwrap();
    for (name, config, rates, steps, least) in [
        ("voxels", FieldConfig::quick_voxels(), Rates::new(0.15, 0.0), 25, 25.0),
        ("network", FieldConfig::quick(), Rates::new(0.04, 0.01), 45, 25.0),
    ] {
        let mut field = Field::new(&context, config, &prior, 2).unwrap();
        for step in 0..steps {
            field.update_occupancy(step).unwrap();
            let views: Vec<View> = (0..3)
                .map(|k| view(120.0 * k as f32 + 47.0 * step as f32, 32, Light::Flat))
                .collect();
            let target = painted_ball(&views);
            let images = field.render(&views, step, true).unwrap();
            let d: Vec<f32> =
                images.color.data.iter().zip(&target).map(|(a, b)| 2.0 * (a - b)).collect();
            field.backward(&d, None).unwrap();
            field.step(&rates).unwrap();
        }
        let views = [view(15.0, 48, Light::Flat), view(190.0, 48, Light::Flat)];
        let got = field.render(&views, 0, false).unwrap();
        let reached = psnr(&got.color.data, &painted_ball(&views));
        assert!(reached > least, "{name}: {reached:.1} dB");
    }
}

#[test]
fn previews_split_into_batches_without_a_trace() {
    let context = context();
    let mut field = Field::new(&context, FieldConfig::quick_voxels(), &prior(), 1).unwrap();
    let flat = field.render(&[view(30.0, 160, Light::Flat)], 0, false).unwrap();
    // Full ambient light needs five evaluations a sample and changes no colour.
    let light = Light::Lambertian { ambient: 1.0, direction: Vec3::Y };
    let lit = field.render(&[view(30.0, 160, light)], 0, false).unwrap();
    assert!(field.stats().evaluations > 1 << 18, "{:?}", field.stats());
    assert_eq!(flat.opacity, lit.opacity);
    assert_eq!(flat.color, lit.color);
    let normals =
        field.render_as(&[view(0.0, 33, Light::Flat)], Appearance::Normals, 0, false).unwrap();
    let middle = &normals.color.data[3 * (16 * 33 + 16)..][..3];
    assert!(middle[2] > 0.9, "the front of a ball faces the camera: {middle:?}");
}

#[test]
fn too_many_samples_are_an_error_and_an_empty_scene_is_not() {
    let context = context();
    let mut config = small();
    config.march.max_evaluations = 1024;
    let mut field = Field::new(&context, config, &prior(), 1).unwrap();
    let message = field.render(&[view(0.0, 32, Light::Flat)], 0, true).unwrap_err().to_string();
    assert!(message.contains("max_evaluations"), "{message}");
    field.render(&[view(0.0, 32, Light::Flat)], 0, false).unwrap();
    assert!(field.render(&[], 0, true).is_err());
    let odd = [view(0.0, 8, Light::Flat), view(0.0, 9, Light::Flat)];
    assert!(field.render(&odd, 0, true).unwrap_err().to_string().contains("view 1 is 9x9"));

    let mut away = view(0.0, 8, Light::Flat);
    away.camera.forward = -away.camera.forward;
    away.camera.right = -away.camera.right;
    let images = field.render(&[away], 0, true).unwrap();
    assert_eq!(field.stats().samples, 0);
    assert!(images.color.data.chunks(3).all(|c| c == [0.9, 0.5, 0.2]));
    field.backward(&vec![1.0; 192], None).unwrap();
    assert!(field.gradient().unwrap().iter().all(|g| *g == 0.0));
}

#[test]
fn lattice_and_points_agree() {
    let context = context();
    let mut field = Field::new(&context, small(), &prior(), 1).unwrap();
    let lattice = field.query_grid(47).unwrap();
    assert_eq!(lattice.logit.len(), 47 * 47 * 47);
    let index = 5 + 47 * (40 + 47 * 22);
    let at = Vec3::new(5.0, 40.0, 22.0) / 23.0 - Vec3::ONE;
    let point = field.query(&[at]).unwrap()[0];
    assert!((point.logit - lattice.logit[index]).abs() < 1e-5);
    let density = field.config().density.clone();
    assert!((density.logit_of(point.sigma) - point.logit).abs() < 1e-3);
    let expected = reference(&field, &prior()).evaluate(at.as_dvec3());
    for c in 0..3 {
        assert!((f64::from(point.albedo[c]) - expected.1[c]).abs() < 1e-5);
    }
    assert!(field.query(&[Vec3::NAN]).is_err());
    assert!(field.query_grid(1).is_err());
}

/// CPU seconds of this process: on a software driver, work that other programs on the
/// machine do not disturb.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    Some((fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?) / 100.0)
}

/// Prints what each kernel costs: `cargo test --lib measure_the_field -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn measure_the_field() {
    let context = context();
    let head = |p: Vec3| (p / Vec3::new(0.26, 0.36, 0.31)).length().mul_add(0.3, -0.3);
    let prior = PriorGrid::from_distance(96, head).unwrap();
    println!("{}", context.describe());
    let wanted = std::env::var("FIELD_PRESET").ok();
    for (name, config) in [
        ("quick", FieldConfig::quick()),
        ("voxels", FieldConfig::quick_voxels()),
        ("paper", FieldConfig::paper()),
    ] {
        if wanted.as_deref().is_some_and(|w| w != name) {
            continue;
        }
        let start = (Instant::now(), cpu_seconds());
        let mut field = Field::new(&context, config, &prior, 1).unwrap();
        let cpu = |since: Option<f64>| {
            cpu_seconds().zip(since).map_or(f64::NAN, |(now, then)| now - then)
        };
        println!(
            "{name}: made in {:.2} s, {:.2} s of CPU",
            start.0.elapsed().as_secs_f64(),
            cpu(start.1)
        );
        let size = if name == "paper" { 24 } else { 64 };
        let views: Vec<View> = (0..4)
            .map(|k| {
                let mut v = view(90.0 * k as f32, size, Light::Flat);
                v.camera = Camera::orbit(Vec3::ZERO, 90.0 * k as f32, 5.0, 2.8, 28.0, (size, size));
                v
            })
            .collect();
        let rounds = if name == "paper" { 1 } else { 8 };
        let mut began = (Instant::now(), cpu_seconds());
        for round in 0..=rounds {
            if round == 1 {
                field.set_profiling(true);
                began = (Instant::now(), cpu_seconds());
            }
            let images = field.render(&views, round, true).unwrap();
            let d: Vec<f32> = images.color.data.iter().map(|v| v - 0.3).collect();
            field.backward(&d, None).unwrap();
            field.step(&Rates::new(1e-2, 1e-3)).unwrap();
        }
        context.wait().unwrap();
        let stats = field.stats();
        println!(
            "  {stats:?}, occupied {:.3}, step {:.0} ms, {:.0} ms of CPU",
            field.occupied_share(),
            began.0.elapsed().as_secs_f64() * 1e3 / rounds as f64,
            cpu(began.1) * 1e3 / rounds as f64
        );
        let per = rounds as f64 * stats.evaluations as f64 / 1e5;
        for (kind, time) in field.take_profile() {
            let ms = time.as_secs_f64() * 1e3;
            println!(
                "  {kind:18} {:8.1} ms a step, {:8.1} ms per 100k",
                ms / rounds as f64,
                ms / per
            );
        }
        let began = cpu_seconds();
        field.refresh_occupancy(16).unwrap();
        println!("  occupancy {:.2} s of CPU", cpu(began));
    }
}

#[test]
fn a_painted_field_has_its_colours_and_its_density() {
    let mut config = voxels();
    // All levels dense, and nothing in them.
    config.grid = GridConfig { log2_table: 14, init_range: 0.0, ..config.grid };
    let prior = PriorGrid::from_distance(24, ball).unwrap();
    let mut field = Field::new(&context(), config.clone(), &prior, 1).unwrap();
    let side = field.paintable().unwrap();
    assert_eq!(side, 21);
    let node = |i: usize| {
        let place = [i % side, i / side % side, i / side / side].map(|c| c as f32);
        Vec3::from(place) / 10.0 - 1.0
    };
    let color = |p: Vec3| (p.x < 0.3).then(|| 0.5 + 0.4 * p);
    let before = field.query(&[Vec3::ZERO]).unwrap()[0].logit;
    let colors: Vec<_> = (0..side.pow(3)).map(|i| color(node(i))).collect();
    field.paint(&colors).unwrap();
    let points: Vec<Vec3> = (0..side.pow(3)).step_by(97).map(node).collect();
    for (point, found) in points.iter().zip(field.query(&points).unwrap()) {
        let expected = color(*point).unwrap_or(Vec3::splat(0.5));
        let off = (Vec3::from(found.albedo) - expected).abs().max_element();
        assert!(off < 2e-3, "{point}: {:?} for {expected}", found.albedo);
    }
    assert!((field.query(&[Vec3::ZERO]).unwrap()[0].logit - before).abs() < 1e-6);
    assert!(field.paint(&colors[1..]).is_err());
    config.grid.log2_table = 11;
    let mut hashed = Field::new(&context(), config, &prior, 1).unwrap();
    assert_eq!(hashed.paintable(), None);
    assert!(hashed.paint(&colors).is_err());
}
