//! The rasteriser against its f64 reference, by finite differences and by supersampling.

use super::reference::Reference;
use super::*;
use crate::batch::{Light, ViewRegion};
use crate::geometry::extract::{SurfaceOptions, surface};
use crate::geometry::{Mesh, ScalarGrid, mesh::samples};
use crate::render::camera::Camera;
use glam::{DVec3, Vec3};
use std::collections::BTreeSet;

/// A lump with a knob in front of it, which hides part of it.
fn lump() -> Mesh {
    let solid = |p: Vec3| {
        let body = (p * Vec3::new(1.0, 0.8, 1.1)).length() - 0.45;
        let knob = (p - Vec3::new(0.1, 0.15, 0.5)).length() - 0.17;
        let bump = 0.04 * (7.0 * p.x).sin() * (6.0 * p.y).cos();
        (body + bump).min(knob)
    };
    let grid = ScalarGrid::from_fn(15, solid).unwrap();
    let options = SurfaceOptions { smoothing: 2, triangles: 420, ..SurfaceOptions::default() };
    surface(&grid, &options).unwrap().mesh
}

fn views(size: (u32, u32), light: Light) -> Vec<View> {
    [(0.0, 8.0, 0.9), (65.0, -20.0, 0.2), (200.0, 35.0, 0.4)]
        .map(|(azimuth, elevation, background)| View {
            camera: Camera::orbit(Vec3::new(0.02, 0.03, 0.0), azimuth, elevation, 2.0, 38.0, size),
            light,
            region: ViewRegion::of_azimuth(azimuth),
            background: [background, 0.5, 1.0 - background],
        })
        .to_vec()
}

/// A smooth colouring of space and the gradient of `d . colour`.
fn colour(p: DVec3) -> DVec3 {
    DVec3::new(
        0.5 + 0.4 * (5.0 * p.x + 2.0 * p.y).sin(),
        0.5 + 0.3 * (4.0 * p.y - 3.0 * p.z).cos(),
        0.5 + 0.4 * (3.0 * p.z + p.x).sin(),
    )
}

fn colour_slope(p: DVec3, d: DVec3) -> DVec3 {
    let r = 0.4 * d.x * (5.0 * p.x + 2.0 * p.y).cos();
    let g = -0.3 * d.y * (4.0 * p.y - 3.0 * p.z).sin();
    let b = 0.4 * d.z * (3.0 * p.z + p.x).cos();
    DVec3::new(5.0 * r + b, 2.0 * r + 4.0 * g, -3.0 * g + 3.0 * b)
}

struct Bench {
    gpu: GpuContext,
    raster: Rasteriser,
    values: wgpu::Buffer,
    points: Vec<DVec3>,
}

impl Bench {
    fn new() -> Self {
        let gpu = GpuContext::new().unwrap();
        let raster = Rasteriser::new(&gpu).unwrap();
        let values = gpu.storage_zeroed("values", 16);
        Self { gpu, raster, values, points: Vec::new() }
    }

    fn draw(&mut self, mesh: &SurfaceMesh, views: &[View], look: Appearance) -> RasterImages {
        let covered = self.raster.draw(mesh, views, look).unwrap();
        let points: Vec<[f32; 4]> = self.gpu.read(self.raster.points(), covered as usize).unwrap();
        self.points = points.iter().map(|p| Vec3::new(p[0], p[1], p[2]).as_dvec3()).collect();
        let colours: Vec<[f32; 4]> = self
            .points
            .iter()
            .map(|p| colour(*p).as_vec3().to_array())
            .map(|[r, g, b]| [0.0, r, g, b])
            .collect();
        self.values = self.gpu.storage("values", &colours);
        self.raster.finish(mesh, &self.values).unwrap()
    }

    /// Vertices of triangles that the last draw and the reference do not agree on: a pixel's
    /// centre lies within a rounding error of the side between them, where slopes jump.
    fn unsure(&self, reference: &Reference<'_>, at: &[DVec3]) -> BTreeSet<usize> {
        let targets = self.raster.targets.as_ref().unwrap();
        let frame = self.raster.drawn.as_ref().unwrap().frame;
        let rows = frame.height * frame.views;
        let ids: Vec<u32> = self.gpu.read(&targets.ids, (frame.stride * rows) as usize).unwrap();
        let mine = ids
            .chunks_exact(frame.stride as usize)
            .flat_map(|row| &row[..frame.width as usize])
            .map(|id| (*id as usize).checked_sub(1));
        let both = mine.zip(reference.numbers(at)).filter(|(a, b)| a != b);
        let triangles = both.flat_map(|(a, b)| a.into_iter().chain(b));
        triangles.flat_map(|t| reference.triangles[t]).collect()
    }

    fn backward(
        &mut self,
        mesh: &SurfaceMesh,
        upstream: &[[f32; 4]],
        regularisers: MeshRegularisers,
    ) -> Vec<Vec3> {
        let d_color: Vec<f32> = upstream.iter().flat_map(|u| [u[0], u[1], u[2]]).collect();
        let d_opacity: Vec<f32> = upstream.iter().map(|u| u[3]).collect();
        let (gpu, points) = (&self.gpu, &self.points);
        let texture = |d_values: &wgpu::Buffer, d_points: &wgpu::Buffer| {
            let d: Vec<[f32; 4]> = gpu.read(d_values, points.len())?;
            let slopes: Vec<[f32; 4]> = d
                .iter()
                .zip(points)
                .map(|(d, p)| {
                    let d = Vec3::new(d[1], d[2], d[3]).as_dvec3();
                    colour_slope(*p, d).as_vec3().extend(0.0).into()
                })
                .collect();
            gpu.queue.write_buffer(d_points, 0, bytemuck::cast_slice(&slopes));
            Ok(())
        };
        self.raster
            .backward(mesh, &self.values, &d_color, Some(&d_opacity), regularisers, texture)
            .unwrap();
        mesh.gradients(&self.gpu).unwrap()
    }
}

/// Weights of the pixels in a loss: smooth, and different for every channel.
fn weights(views: &[View]) -> Vec<[f32; 4]> {
    let mut out = Vec::new();
    for (v, view) in views.iter().enumerate() {
        for y in 0..view.camera.height {
            for x in 0..view.camera.width {
                let (x, y, v) = (x as f32, y as f32, v as f32);
                out.push([
                    (0.3 * x + 0.2 * y + v).sin(),
                    (0.25 * x - 0.3 * y).cos(),
                    (0.4 * y + 0.1 * x - v).sin(),
                    (0.2 * x + 0.35 * y + 2.0 * v).cos(),
                ]);
            }
        }
    }
    out
}

const LIT: Light = Light::Lambertian { ambient: 0.3, direction: Vec3::new(0.6, 0.64, 0.48) };

#[test]
fn pictures_equal_the_reference() {
    let mesh = lump();
    let mut bench = Bench::new();
    let surface = SurfaceMesh::of(&bench.gpu, &mesh).unwrap();
    bench.raster.connect(&surface);
    let positions: Vec<DVec3> = mesh.positions.iter().map(Vec3::as_dvec3).collect();
    let mut failures = Vec::new();
    for (name, light, look) in [
        ("flat", Light::Flat, Appearance::Shaded),
        ("lit", LIT, Appearance::Shaded),
        ("normals", Light::Flat, Appearance::Normals),
    ] {
        let views = views((37, 29), light);
        let images = bench.draw(&surface, &views, look);
        let wanted = Reference::new(&mesh, &views, look, &colour).render(&positions);
        let mut partly = 0;
        for (i, want) in wanted.iter().enumerate() {
            let c = &images.color.data[3 * i..3 * i + 3];
            let got = [c[0], c[1], c[2], images.opacity[i]];
            let worst = (0..4).map(|k| (f64::from(got[k]) - want[k]).abs()).fold(0.0, f64::max);
            // Where a centre lies within a rounding error of a side, another triangle may win.
            if worst > 2e-3 {
                failures.push(format!("{name} pixel {i}: {got:?} instead of {want:?}"));
            }
            partly += u32::from((0.01..0.99).contains(&want[3]));
        }
        assert!(partly > 100, "the outline is not antialiased: {partly} pixels");
    }
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn vertex_gradients_equal_finite_differences() {
    let mesh = lump();
    let mut bench = Bench::new();
    let surface = SurfaceMesh::of(&bench.gpu, &mesh).unwrap();
    bench.raster.connect(&surface);
    let positions: Vec<DVec3> = mesh.positions.iter().map(Vec3::as_dvec3).collect();
    let none = MeshRegularisers::default();
    let mut failures = Vec::new();
    let mut compared = 0;
    for (name, light, look, channels, regularisers) in [
        ("flat colour", Light::Flat, Appearance::Shaded, [1.0, 1.0, 1.0, 0.0], none),
        ("outline", Light::Flat, Appearance::Shaded, [0.0, 0.0, 0.0, 1.0], none),
        ("lit", LIT, Appearance::Shaded, [1.0, 1.0, 1.0, 1.0], none),
        ("normals", Light::Flat, Appearance::Normals, [1.0, 1.0, 1.0, 0.0], none),
        (
            "laplacian",
            Light::Flat,
            Appearance::Shaded,
            [0.0; 4],
            MeshRegularisers { laplacian: 1e4, consistency: 0.0 },
        ),
        (
            "consistency",
            Light::Flat,
            Appearance::Shaded,
            [0.0; 4],
            MeshRegularisers { laplacian: 0.0, consistency: 100.0 },
        ),
    ] {
        let views = views((22, 20), light);
        let upstream: Vec<[f32; 4]> =
            weights(&views).iter().map(|w| std::array::from_fn(|k| w[k] * channels[k])).collect();
        bench.draw(&surface, &views, look);
        let gradients = bench.backward(&surface, &upstream, regularisers);
        let reference = Reference::new(&mesh, &views, look, &colour);
        let unsure = bench.unsure(&reference, &positions);
        assert!(unsure.len() < 12, "the triangles seen differ: {unsure:?}");
        let loss = |at: &[DVec3]| -> f64 {
            let [l, c] = reference.regularisers(at);
            let pictures: f64 = if channels == [0.0; 4] {
                0.0
            } else {
                let pixels = reference.render(at);
                pixels
                    .iter()
                    .zip(&upstream)
                    .map(|(p, u)| (0..4).map(|k| p[k] * f64::from(u[k])).sum::<f64>())
                    .sum()
            };
            pictures
                + f64::from(regularisers.laplacian) * l
                + f64::from(regularisers.consistency) * c
        };
        let largest = gradients.iter().map(|g| g.abs().max_element()).fold(0.0, f32::max);
        assert!(largest > 0.0, "{name}: no gradient at all");
        // Every fifth vertex, along one axis each.
        for v in (0..positions.len()).step_by(5) {
            let axis = v % 3;
            if unsure.contains(&v) {
                continue;
            }
            let slope = |step: f64| {
                let moved = |by: f64| {
                    let mut at = positions.clone();
                    at[v][axis] += by;
                    loss(&at)
                };
                (moved(step) - moved(-step)) / (2.0 * step)
            };
            let (wide, narrow) = (slope(2e-6), slope(1e-6));
            // A triangle that gains or loses a pixel's centre in between says nothing.
            if (wide - narrow).abs() > 1e-3 * f64::from(largest) {
                continue;
            }
            compared += 1;
            let got = f64::from(gradients[v][axis]);
            if (got - narrow).abs() > 3e-3 * f64::from(largest) {
                failures.push(format!("{name}: vertex {v} axis {axis}: {got} instead of {narrow}"));
            }
        }
    }
    assert!(compared > 200, "only {compared} comparisons were possible");
    assert!(failures.is_empty(), "{} of {compared}\n{}", failures.len(), failures.join("\n"));
}

type Move = fn(Vec3) -> Vec3;

/// What a smooth loss on the mask does when the whole mesh moves, against pictures of many
/// samples a pixel.
#[test]
fn outlines_move_like_supersampled_ones() {
    const FACTOR: u32 = 16;
    let grid = ScalarGrid::from_fn(64, samples::bust).unwrap();
    let fine = SurfaceOptions { triangles: 24_000, ..SurfaceOptions::default() };
    let coarse = SurfaceOptions { triangles: 1500, ..SurfaceOptions::default() };
    let mut bench = Bench::new();
    let mut failures = Vec::new();
    for (kind, options) in [("large triangles", coarse), ("triangles below a pixel", fine)] {
        let mesh = surface(&grid, &options).unwrap().mesh;
        let view = &views((48, 48), Light::Flat)[..2];
        let many: Vec<View> = view
            .iter()
            .map(|v| View { camera: v.camera.with_size(48 * FACTOR, 48 * FACTOR), ..*v })
            .collect();
        // A ramp and a bowl: their sums over the mask measure its place and its size.
        let ramp = |x: f32, y: f32| (0.9 * x - 0.5 * y) / 48.0 + (x - 24.0).powi(2) / 900.0;
        let total = |bench: &mut Bench, views: &[View], mesh: &Mesh, factor: u32| -> f64 {
            let surface = SurfaceMesh::of(&bench.gpu, mesh).unwrap();
            bench.raster.connect(&surface);
            let images = bench.draw(&surface, views, Appearance::Shaded);
            let side = 48 * factor;
            let per = f64::from(factor * factor);
            (0..images.opacity.len() as u32)
                .map(|i| {
                    let (x, y) = (i % side / factor, i / side % side / factor);
                    let weight = ramp(x as f32 + 0.5, y as f32 + 0.5);
                    f64::from(images.opacity[i as usize] * weight) / per
                })
                .sum()
        };
        let surface = SurfaceMesh::of(&bench.gpu, &mesh).unwrap();
        bench.raster.connect(&surface);
        bench.draw(&surface, view, Appearance::Shaded);
        let upstream: Vec<[f32; 4]> = (0..2 * 48 * 48)
            .map(|i| [0.0, 0.0, 0.0, ramp((i % 48) as f32 + 0.5, (i / 48 % 48) as f32 + 0.5)])
            .collect();
        let gradients = bench.backward(&surface, &upstream, MeshRegularisers::default());
        let moves: [(&str, Move); 5] = [
            ("right", |_| Vec3::X),
            ("up", |_| Vec3::Y),
            ("towards", |_| Vec3::Z),
            ("growing", |p| p),
            ("bending", |p| Vec3::new((3.0 * p.y).sin(), 0.0, (2.0 * p.y).cos())),
        ];
        for (name, direction) in moves {
            let predicted: f64 = mesh
                .positions
                .iter()
                .zip(&gradients)
                .map(|(p, g)| f64::from(direction(*p).dot(*g)))
                .sum();
            let step = 0.01;
            let mut moved = |by: f32| {
                let positions = mesh.positions.iter().map(|p| *p + by * direction(*p)).collect();
                let mesh = Mesh { positions, triangles: mesh.triangles.clone() };
                total(&mut bench, &many, &mesh, FACTOR)
            };
            let measured = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            if (predicted - measured).abs() > 0.05 * measured.abs().max(2.0) {
                failures.push(format!("{kind}, {name}: {predicted} instead of {measured}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn gradients_do_not_depend_on_the_order_of_threads() {
    let mesh = lump();
    let mut bench = Bench::new();
    let surface = SurfaceMesh::of(&bench.gpu, &mesh).unwrap();
    bench.raster.connect(&surface);
    let views = views((64, 64), LIT);
    let upstream = weights(&views);
    let mut run = || {
        let images = bench.draw(&surface, &views, Appearance::Shaded);
        let regularisers = MeshRegularisers { laplacian: 1.0, consistency: 1.0 };
        (images, bench.backward(&surface, &upstream, regularisers))
    };
    let first = run();
    for _ in 0..3 {
        assert_eq!(first, run());
    }
}

#[test]
fn misuse_is_an_error() {
    let mesh = lump();
    let mut bench = Bench::new();
    let surface = SurfaceMesh::of(&bench.gpu, &mesh).unwrap();
    bench.raster.connect(&surface);
    let values = bench.gpu.storage_zeroed("values", 16);
    assert!(bench.raster.finish(&surface, &values).is_err());
    assert!(bench.raster.draw(&surface, &[], Appearance::Shaded).is_err());
    let views = views((16, 16), Light::Flat);
    let none = MeshRegularisers::default();
    let nothing = |_: &wgpu::Buffer, _: &wgpu::Buffer| Ok(());
    bench.draw(&surface, &views, Appearance::Shaded);
    let (raster, values) = (&mut bench.raster, &bench.values);
    let short = raster.backward(&surface, values, &[0.0; 3], None, none, nothing);
    assert!(matches!(short, Err(RenderError::Invalid(_))));
    let broken = vec![f32::NAN; 3 * 16 * 16 * 3];
    let nan = raster.backward(&surface, values, &broken, None, none, nothing);
    assert!(matches!(nan, Err(RenderError::Numerical { .. })));
}
