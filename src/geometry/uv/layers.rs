//! Taking charts apart where they would cover themselves.

use super::charts::Chart;
use crate::geometry::Mesh;
use crate::geometry::topology::face_neighbours;
use glam::{IVec2, Vec2};
use std::collections::VecDeque;

/// Sub-texel steps of the exact rasteriser.
const STEPS: f32 = 256.0;

/// Splits charts so that no texel centre (at `scale` texels a unit) is covered twice by
/// one chart. The layer that is grown from the triangle nearest to the viewer keeps the
/// view; what it covers is regrouped into further charts.
#[must_use]
pub fn separate(mesh: &Mesh, charts: Vec<Chart>, scale: f32) -> Vec<Chart> {
    let around = face_neighbours(mesh);
    let mut member = vec![u32::MAX; mesh.triangles.len()];
    let mut next_mark = 0;
    let mut todo: VecDeque<Chart> = charts.into();
    let mut done = Vec::new();
    while let Some(chart) = todo.pop_front() {
        for &t in &chart.triangles {
            member[t as usize] = next_mark;
        }
        let (kept, covered) = top_layer(mesh, &around, &member, next_mark, &chart, scale);
        next_mark += 1;
        for &t in &covered {
            member[t as usize] = next_mark;
        }
        for group in groups(&around, &mut member, next_mark, &covered) {
            todo.push_back(Chart { triangles: group, ..chart });
        }
        next_mark += 1;
        done.push(Chart { triangles: kept, ..chart });
    }
    done
}

/// Grows a layer over the chart; returns it and the triangles that did not fit in.
fn top_layer(
    mesh: &Mesh,
    around: &[[Option<u32>; 3]],
    member: &[u32],
    mark: u32,
    chart: &Chart,
    scale: f32,
) -> (Vec<u32>, Vec<u32>) {
    let flat = |t: u32| {
        mesh.triangles[t as usize].map(|v| chart.flatten(mesh.positions[v as usize]) * scale)
    };
    let (mut low, mut high) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
    for p in chart.triangles.iter().flat_map(|&t| flat(t)) {
        low = low.min(p);
        high = high.max(p);
    }
    let origin = low.floor() - 1.0;
    let width = (high.x - origin.x).ceil() as usize + 2;
    let height = (high.y - origin.y).ceil() as usize + 2;
    let mut taken = vec![false; width * height];

    let depth = |t: u32| -> f32 {
        let corners = mesh.corners(t as usize);
        corners.iter().map(|p| p.dot(chart.frame.towards)).sum()
    };
    let first = chart.triangles.iter().copied().max_by(|&a, &b| depth(a).total_cmp(&depth(b)));
    let Some(first) = first else { return (Vec::new(), Vec::new()) };

    let mut seen = vec![false; chart.triangles.len()];
    let slot = |t: u32| chart.triangles.binary_search(&t).unwrap_or_default();
    let mut queue = VecDeque::from([first]);
    seen[slot(first)] = true;
    let (mut kept, mut texels) = (Vec::new(), Vec::new());
    while let Some(t) = queue.pop_front() {
        texels.clear();
        let corners = flat(t).map(|p| ((p - origin) * STEPS).round().as_ivec2());
        for_each_texel(corners, |x, y| texels.push(y as usize * width + x as usize));
        if texels.iter().any(|&i| taken[i]) {
            continue;
        }
        for &i in &texels {
            taken[i] = true;
        }
        kept.push(t);
        for &n in around[t as usize].iter().flatten() {
            if member[n as usize] == mark && !seen[slot(n)] {
                seen[slot(n)] = true;
                queue.push_back(n);
            }
        }
    }
    kept.sort_unstable();
    let covered =
        chart.triangles.iter().copied().filter(|t| kept.binary_search(t).is_err()).collect();
    (kept, covered)
}

/// Connected groups among the triangles with a mark; clears their marks.
fn groups(
    around: &[[Option<u32>; 3]],
    member: &mut [u32],
    mark: u32,
    triangles: &[u32],
) -> Vec<Vec<u32>> {
    let mut out = Vec::new();
    for &start in triangles {
        if member[start as usize] != mark {
            continue;
        }
        member[start as usize] = u32::MAX;
        let mut group = vec![start];
        let mut next = 0;
        while next < group.len() {
            for &n in around[group[next] as usize].iter().flatten() {
                if member[n as usize] == mark {
                    member[n as usize] = u32::MAX;
                    group.push(n);
                }
            }
            next += 1;
        }
        group.sort_unstable();
        out.push(group);
    }
    out
}

/// Calls `visit` for every texel whose centre a triangle covers. Corners are in units of
/// 1/256 texel, y down, and run clockwise on screen (counter-clockwise seen with y up).
/// Exact integer arithmetic with a tie rule: triangles that share an edge never share a
/// texel. Triangles that are flat or turned over cover nothing.
pub(super) fn for_each_texel(corners: [IVec2; 3], mut visit: impl FnMut(i32, i32)) {
    const ONE: i64 = STEPS as i64;
    let p = corners.map(|c| (i64::from(c.x), i64::from(c.y)));
    let area = (p[1].0 - p[0].0) * (p[2].1 - p[0].1) - (p[1].1 - p[0].1) * (p[2].0 - p[0].0);
    if area >= 0 {
        return;
    }
    let low = |f: fn(&(i64, i64)) -> i64| p.iter().map(f).min().unwrap_or(0).div_euclid(ONE);
    let high = |f: fn(&(i64, i64)) -> i64| p.iter().map(f).max().unwrap_or(0).div_euclid(ONE);
    for y in low(|q| q.1)..=high(|q| q.1) {
        for x in low(|q| q.0)..=high(|q| q.0) {
            let c = (x * ONE + ONE / 2, y * ONE + ONE / 2);
            let covered = (0..3).all(|i| {
                let (a, b) = (p[i], p[(i + 1) % 3]);
                let side = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
                // An edge belongs to the triangle on one fixed side of it.
                let owns = b.1 < a.1 || (b.1 == a.1 && b.0 < a.0);
                side < 0 || (side == 0 && owns)
            });
            if covered {
                visit(x as i32, y as i32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::uv::charts::Frame;
    use glam::Vec3;

    #[test]
    fn a_split_square_covers_each_texel_once() {
        let at = |x: i32, y: i32| IVec2::new(x * 128, y * 128);
        let mut hits = [0; 64];
        let mut count = |x: i32, y: i32| hits[(y * 8 + x) as usize] += 1;
        // Corners and the diagonal pass through texel centres.
        for_each_texel([at(1, 13), at(13, 13), at(13, 1)], &mut count);
        for_each_texel([at(1, 13), at(13, 1), at(1, 1)], &mut count);
        assert_eq!(hits.iter().max(), Some(&1));
        assert_eq!(hits.iter().sum::<i32>(), 36);
    }

    #[test]
    fn a_strip_that_folds_over_itself_is_split() {
        // A flat spiral ramp of quads: one and a half turns, always facing up.
        let steps = 54;
        let mut mesh = Mesh::default();
        for i in 0..=steps {
            let phi = i as f32 * std::f32::consts::TAU / 36.0;
            let (s, c) = phi.sin_cos();
            for r in [0.5, 1.0] {
                mesh.positions.push(Vec3::new(r * c, -0.01 * i as f32, -r * s));
            }
        }
        for i in 0..steps {
            let [a, b, c, d] = [2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2];
            mesh.triangles.extend([[a, b, c], [a, c, d]]);
        }
        assert!((0..mesh.triangles.len()).all(|t| mesh.area_vector(t).y > 0.0));
        let all = (0..mesh.triangles.len() as u32).collect();
        let chart = Chart { triangles: all, frame: Frame::facing(Vec3::Y), scale: 1.0 };
        let charts = separate(&mesh, vec![chart], 64.0);
        assert!((2..=3).contains(&charts.len()), "{} charts", charts.len());
        let sizes: Vec<_> = charts.iter().map(|c| c.triangles.len()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 108);
        assert!(sizes[0] >= 70, "{sizes:?}");
    }
}
