//! The field as a texture, against the `f64` reference.

use super::Field;
use super::tests::{context, noise, prior, reference, small, voxels};
use glam::DVec3;

#[test]
fn colours_and_gradients_at_points_agree_with_the_reference() {
    let context = context();
    let mut failures = Vec::new();
    let mut compared = 0;
    for (name, config) in [("network", small()), ("voxels", voxels())] {
        let mut field = Field::new(&context, config, &prior(), 3).unwrap();
        let mut exact = reference(&field, &prior());
        // Not on the faces of cells, where the slope jumps; the last one is outside.
        let mut points: Vec<[f32; 4]> = noise(4 * 300, 5)
            .chunks_exact(4)
            .map(|c| [0.6 * c[0], 0.6 * c[1], 0.6 * c[2], c[3]])
            .collect();
        points.push([1.2, 0.31, -0.27, 0.0]);
        let n = points.len();
        let at = |p: &[f32; 4]| DVec3::new(p[0].into(), p[1].into(), p[2].into());
        let upstream: Vec<[f32; 4]> =
            noise(4 * n, 6).chunks_exact(4).map(|c| [9.0, c[0], c[1], c[2]]).collect();
        let buffer = context.storage("points", &points);
        let values = field.surface_colors(&buffer, n as u32).unwrap().clone();
        let got: Vec<[f32; 4]> = context.read(&values, n).unwrap();
        for (p, v) in points.iter().zip(&got) {
            let want = exact.evaluate(at(p).clamp(DVec3::NEG_ONE, DVec3::ONE)).1;
            for c in 0..3 {
                if (f64::from(v[c + 1]) - want[c]).abs() > 1e-4 {
                    failures.push(format!("{name} colour at {p:?}: {v:?}, not {want:?}"));
                }
            }
        }
        let d_albedo = context.storage("albedo gradients", &upstream);
        let d_points = context.storage_zeroed("point gradients", 16 * n as u64);
        field.surface_backward(n as u32, &d_albedo, &d_points, true).unwrap();
        let slopes: Vec<[f32; 4]> = context.read(&d_points, n).unwrap();
        for (i, p) in points.iter().enumerate() {
            for axis in 0..3 {
                let loss = |step: f64| {
                    let mut q = at(p);
                    q[axis] += step;
                    let color = exact.evaluate(q.clamp(DVec3::NEG_ONE, DVec3::ONE)).1;
                    (0..3).map(|c| color[c] * f64::from(upstream[i][c + 1])).sum::<f64>()
                };
                let (one, two) = (loss(1e-6) - loss(0.0), loss(0.0) - loss(-1e-6));
                // A face of a cell in between.
                if (one - two).abs() > 1e-2 * one.abs().max(1e-7) {
                    continue;
                }
                compared += 1;
                let (want, mine) = ((one + two) / 2e-6, f64::from(slopes[i][axis]));
                if (mine - want).abs() > 2e-3 * want.abs().max(0.5) {
                    failures.push(format!("{name} slope {axis} at {p:?}: {mine}, not {want}"));
                }
            }
        }
        let gradient = field.gradient().unwrap();
        let largest = gradient.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
        for k in (0..gradient.len()).filter(|k| gradient[*k] != 0.0).step_by(97) {
            let before = exact.parameters[k];
            let mut loss = |step: f64| {
                exact.parameters[k] = before + step;
                let of = |(i, p): (usize, &[f32; 4])| {
                    let q = at(p).clamp(DVec3::NEG_ONE, DVec3::ONE);
                    let color = exact.evaluate(q).1;
                    (0..3).map(|c| color[c] * f64::from(upstream[i][c + 1])).sum::<f64>()
                };
                points.iter().enumerate().map(of).sum::<f64>()
            };
            let want = (loss(1e-5) - loss(-1e-5)) / 2e-5;
            exact.parameters[k] = before;
            compared += 1;
            let mine = f64::from(gradient[k]);
            if (mine - want).abs() > 1e-3 * want.abs().max(0.03 * f64::from(largest)) {
                failures.push(format!("{name} parameter {k}: {mine}, not {want}"));
            }
        }
    }
    assert!(compared > 1500, "{compared}");
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}
