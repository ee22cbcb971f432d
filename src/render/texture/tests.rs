//! Colours with local changes, against an `f64` reference.

use super::*;
use crate::geometry::grid::node_positions;
use crate::render::field::FieldPoint;
use crate::render::field::tests::{context, noise, prior, reference, small, voxels};
use glam::DVec3;

const SIDE: usize = 9;

/// A mask that is 0 on one half and smooth on the other.
fn mask(axis: usize) -> Mask {
    Mask::new(SIDE, node_positions(SIDE).map(|p| (2.0 * p[axis]).clamp(0.0, 1.0)).collect())
        .unwrap()
}

/// The mask in double precision.
fn mask_at(axis: usize, p: DVec3) -> f64 {
    // Linear along one axis between the nodes, whose spacing is a quarter.
    let node = |k: f64| (2.0 * (k / 4.0 - 1.0)).clamp(0.0, 1.0);
    let at = 4.0 * (p[axis].clamp(-1.0, 1.0) + 1.0);
    let cell = at.floor().min(7.0);
    node(cell) + (node(cell + 1.0) - node(cell)) * (at - cell)
}

/// A field with a network below two changes.
fn texture(gpu: &GpuContext) -> Texture {
    let field = |config, seed| Field::new(gpu, config, &prior(), seed).unwrap();
    let mut texture = Texture::new(gpu, field(small(), 3));
    texture.add("one", mask(0), field(voxels(), 4)).unwrap();
    texture.add("two", mask(1), field(voxels(), 5)).unwrap();
    texture
}

fn points(count: usize) -> Vec<[f32; 4]> {
    let some = noise(4 * count, 5);
    some.chunks_exact(4).map(|c| [0.7 * c[0], 0.7 * c[1], 0.7 * c[2], c[3]]).collect()
}

#[test]
fn colours_and_gradients_agree_with_the_reference() {
    let gpu = context();
    let points = points(300);
    let n = points.len();
    let upstream: Vec<[f32; 4]> =
        noise(4 * n, 6).chunks_exact(4).map(|c| [9.0, c[0], c[1], c[2]]).collect();
    let at = |p: &[f32; 4]| DVec3::new(p[0].into(), p[1].into(), p[2].into());
    let mut failures = Vec::new();
    let mut compared = 0;
    for trained in [None, Some("one"), Some("two")] {
        let mut texture = texture(&gpu);
        texture.train(trained).unwrap();
        let mut exact = [
            reference(&texture.base, &prior()),
            reference(&texture.changes[0].field, &prior()),
            reference(&texture.changes[1].field, &prior()),
        ];
        let logit = |c: f64| (c / (1.0 - c)).ln();
        let color = |exact: &[_; 3], p: DVec3| -> [f64; 3] {
            let [base, one, two]: &[crate::render::field::tests::Exact; 3] = exact;
            let (base, one, two) = (base.evaluate(p).1, one.evaluate(p).1, two.evaluate(p).1);
            std::array::from_fn(|c| {
                let sum =
                    logit(base[c]) + mask_at(0, p) * logit(one[c]) + mask_at(1, p) * logit(two[c]);
                1.0 / (1.0 + (-sum).exp())
            })
        };
        let buffer = gpu.storage("points", &points);
        let values = texture.surface_colors(&buffer, n as u32).unwrap().clone();
        let got: Vec<[f32; 4]> = gpu.read(&values, n).unwrap();
        let places: Vec<Vec3> = points.iter().map(|p| Vec3::new(p[0], p[1], p[2])).collect();
        let asked = texture.query(&places).unwrap();
        for ((p, v), asked) in points.iter().zip(&got).zip(&asked) {
            let want = color(&exact, at(p));
            for c in 0..3 {
                if (f64::from(v[c + 1]) - want[c]).abs() > 2e-4
                    || (v[c + 1] - asked[c]).abs() > 1e-5
                {
                    failures.push(format!("colour at {p:?}: {v:?} and {asked}, not {want:?}"));
                }
            }
        }
        let d_albedo = gpu.storage("albedo gradients", &upstream);
        let d_points = gpu.storage_zeroed("point gradients", 16 * n as u64);
        texture.surface_backward(n as u32, &d_albedo, &d_points).unwrap();
        let slopes: Vec<[f32; 4]> = gpu.read(&d_points, n).unwrap();
        let total = |color: [f64; 3], i: usize| -> f64 {
            (0..3).map(|c| color[c] * f64::from(upstream[i][c + 1])).sum()
        };
        for (i, p) in points.iter().enumerate() {
            for axis in 0..3 {
                let loss = |step: f64| {
                    let mut q = at(p);
                    q[axis] += step;
                    total(color(&exact, q), i)
                };
                let (one, two) = (loss(1e-6) - loss(0.0), loss(0.0) - loss(-1e-6));
                // A face of a cell in between.
                if (one - two).abs() > 1e-2 * one.abs().max(1e-7) {
                    continue;
                }
                compared += 1;
                let (want, mine) = ((one + two) / 2e-6, f64::from(slopes[i][axis]));
                if (mine - want).abs() > 4e-3 * want.abs().max(0.5) {
                    failures.push(format!("{trained:?} slope {axis} at {p:?}: {mine}, not {want}"));
                }
            }
        }
        let which = trained.map_or(0, |name| if name == "one" { 1 } else { 2 });
        for (k, field) in
            [&texture.base, &texture.changes[0].field, &texture.changes[1].field].iter().enumerate()
        {
            let gradient = field.gradient().unwrap();
            if k != which {
                if gradient.iter().any(|g| *g != 0.0) {
                    failures.push(format!("{trained:?}: {k} has gradients"));
                }
                continue;
            }
            let largest = gradient.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
            for j in (0..gradient.len()).filter(|j| gradient[*j] != 0.0).step_by(61) {
                let before = exact[k].parameters[j];
                let mut loss = |step: f64| {
                    exact[k].parameters[j] = before + step;
                    let of = |(i, p): (usize, &[f32; 4])| total(color(&exact, at(p)), i);
                    points.iter().enumerate().map(of).sum::<f64>()
                };
                let want = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                exact[k].parameters[j] = before;
                compared += 1;
                let mine = f64::from(gradient[j]);
                if (mine - want).abs() > 2e-3 * want.abs().max(0.03 * f64::from(largest)) {
                    failures.push(format!("{trained:?} parameter {j}: {mine}, not {want}"));
                }
            }
        }
    }
    assert!(compared > 2500, "{compared}");
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn outside_its_mask_a_change_changes_no_bit() {
    let gpu = context();
    let field = |config, seed| Field::new(&gpu, config, &prior(), seed).unwrap();
    let mut alone = field(small(), 3);
    let places: Vec<Vec3> = noise(3 * 100_000, 9).chunks_exact(3).map(Vec3::from_slice).collect();
    let before: Vec<FieldPoint> = alone.query(&places).unwrap();
    let mut texture = Texture::new(&gpu, alone);
    texture.add("one", mask(0), field(voxels(), 4)).unwrap();
    let after = texture.query(&places).unwrap();
    let packed: Vec<[f32; 4]> = places.iter().map(|p| [p.x, p.y, p.z, 0.0]).collect();
    let buffer = gpu.storage("points", &packed);
    let drawn = texture.surface_colors(&buffer, 100_000).unwrap().clone();
    let drawn: Vec<[f32; 4]> = gpu.read(&drawn, places.len()).unwrap();
    let (mut same, mut moved) = (0, 0);
    for (i, p) in places.iter().enumerate() {
        if p.x <= 0.0 {
            assert_eq!(Vec3::from_array(before[i].albedo), after[i], "{p}");
            assert_eq!(before[i].albedo, [drawn[i][1], drawn[i][2], drawn[i][3]], "{p}");
            same += 1;
        } else if after[i].distance(Vec3::from_array(before[i].albedo)) > 0.01 {
            moved += 1;
        }
    }
    assert!(same > 40_000 && moved > 30_000, "{same} {moved}");
}
