//! Marching tetrahedra on the GPU: shapes, finite differences, locks, and following a surface.

use super::*;
use crate::geometry::extract::{SurfaceOptions, surface};
use crate::geometry::grid::node_positions;
use crate::geometry::{ScalarGrid, mesh::samples, topology};
use glam::DVec3;

fn bust() -> Mesh {
    let grid = ScalarGrid::from_fn(48, samples::bust).unwrap();
    surface(&grid, &SurfaceOptions::default()).unwrap().mesh
}

fn marched(gpu: &GpuContext, cells: u32, mesh: &Mesh) -> (Rasteriser, TetMesh) {
    let raster = Rasteriser::new(gpu).unwrap();
    let mut tets = TetMesh::of(gpu, cells, mesh).unwrap();
    tets.march(&raster).unwrap();
    (raster, tets)
}

#[test]
fn the_surface_is_closed_outward_and_where_the_mesh_was() {
    let gpu = GpuContext::new().unwrap();
    let mesh = bust();
    for cells in [24_u32, 48] {
        let (_, tets) = marched(&gpu, cells, &mesh);
        let found = tets.surface().read(&gpu).unwrap();
        let topology = topology::check(&found);
        assert!(topology.is_closed_manifold(), "{cells}: {topology}");
        let share = found.signed_volume() / mesh.signed_volume();
        assert!((share - 1.0).abs() < 0.7 / f64::from(cells), "{cells}: {share}");
        let nodes: Vec<[u32; 3]> = found
            .positions
            .iter()
            .map(|p| ((*p + 1.0) * 500.0).round().as_uvec3().to_array())
            .collect();
        let off = DistanceField::at_nodes(&mesh.positions, &mesh.triangles, 1001, &nodes);
        let worst = off.iter().map(|d| d.abs()).fold(0.0, f32::max);
        assert!(worst < 0.5 * 2.0 / cells as f32, "{cells}: {worst}");
    }
}

/// Vertices of marching tetrahedra in f64, by their edges.
fn vertex(band: &Band, edge: usize, values: &[[f64; 4]]) -> Option<DVec3> {
    let [a, b] = band.edges[edge].map(|v| v as usize);
    let at = |v: usize| {
        let rest = band.lattice.coordinates(band.nodes[v]).as_dvec3();
        let tanh = DVec3::new(values[v][1].tanh(), values[v][2].tanh(), values[v][3].tanh());
        let reach = f64::from(REACH) * 2.0 / f64::from(band.lattice.cells());
        rest / f64::from(band.lattice.cells()) - 1.0 + reach * tanh
    };
    let (s, t) = (values[a][0], values[b][0]);
    ((s < 0.0) != (t < 0.0)).then(|| at(a) + (at(b) - at(a)) * (s / (s - t)))
}

#[test]
fn node_gradients_equal_finite_differences() {
    let gpu = GpuContext::new().unwrap();
    let raster = Rasteriser::new(&gpu).unwrap();
    let mesh = bust();
    let start = TetMesh::of(&gpu, 16, &mesh).unwrap();
    let mut state = start.state().unwrap();
    // Displaced and masked, so that everything has a slope.
    for (v, change) in state.change.iter_mut().enumerate() {
        let wave = |k: f32| 0.4 * (k * v as f32).sin();
        *change = [0.2 * wave(0.7), wave(1.3), wave(2.1), wave(0.9)];
        state.mask[v] = 0.5 + 0.5 * (0.37 * v as f32).cos();
    }
    let mut tets = TetMesh::from_state(&gpu, &state).unwrap();
    tets.march(&raster).unwrap();
    let surface = tets.surface().read(&gpu).unwrap();
    let weight = |i: usize| {
        let k = i as f64;
        DVec3::new((0.3 * k).sin(), (0.5 * k).cos(), (0.7 * k + 1.0).sin())
    };
    let upstream: Vec<[f32; 4]> =
        (0..surface.positions.len()).map(|i| weight(i).as_vec3().extend(0.0).into()).collect();
    gpu.queue.write_buffer(&tets.surface.gradients, 0, bytemuck::cast_slice(&upstream));
    tets.backward();
    let got: Vec<[f32; 4]> = gpu.read(&tets.buffers.gradient, state.mask.len()).unwrap();
    let band = tets.band().clone();
    let values = |change: &[[f64; 4]]| -> Vec<[f64; 4]> {
        (0..change.len())
            .map(|v| {
                let mask = f64::from(state.mask[v]);
                std::array::from_fn(|k| f64::from(state.base[v][k]) + mask * change[v][k])
            })
            .collect()
    };
    let change: Vec<[f64; 4]> = state.change.iter().map(|c| c.map(f64::from)).collect();
    // The same vertices in the same order, first of all.
    let at = values(&change);
    let edges: Vec<usize> =
        (0..band.edges.len()).filter(|e| vertex(&band, *e, &at).is_some()).collect();
    assert_eq!(edges.len(), surface.positions.len());
    for (e, p) in edges.iter().zip(&surface.positions) {
        let want = vertex(&band, *e, &at).unwrap();
        assert!((want - p.as_dvec3()).length() < 1e-5, "{want} {p}");
    }
    let number: std::collections::BTreeMap<usize, usize> =
        edges.iter().enumerate().map(|(i, e)| (*e, i)).collect();
    let mut failures = Vec::new();
    let mut compared = 0;
    let largest = got.as_flattened().iter().fold(0.0_f32, |m, g| m.max(g.abs()));
    for v in (0..change.len()).step_by(4) {
        for k in 0..4 {
            let loss = |step: f64| -> f64 {
                let mut moved = change.clone();
                moved[v][k] += step;
                let at = values(&moved);
                let around = band.starts[v] as usize..band.starts[v + 1] as usize;
                around
                    .filter_map(|i| {
                        let e = band.incident[i] as usize;
                        let i = number.get(&e)?;
                        Some(vertex(&band, e, &at)?.dot(weight(*i)))
                    })
                    .sum()
            };
            let slope = (loss(1e-6) - loss(-1e-6)) / 2e-6;
            let mine = f64::from(got[v][k]);
            compared += u32::from(slope != 0.0);
            if (mine - slope).abs() > 1e-3 * slope.abs().max(1e-2 * f64::from(largest)) {
                failures.push(format!("node {v} value {k}: {mine} instead of {slope}"));
            }
        }
    }
    assert!(compared > 300, "{compared}");
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn where_the_mask_is_closed_nothing_moves() {
    let gpu = GpuContext::new().unwrap();
    let (raster, mut tets) = marched(&gpu, 32, &bust());
    let before = tets.surface().read(&gpu).unwrap();
    let weights = node_positions(65).map(|p| f32::from(u8::from(p.y > 0.1))).collect();
    tets.set_mask(Some(Mask::new(65, weights).unwrap())).unwrap();
    for _ in 0..3 {
        tets.march(&raster).unwrap();
        let (vertices, _) = tets.surface().counts();
        let push: Vec<[f32; 4]> = vec![[1.0, -0.5, 0.3, 0.0]; vertices as usize];
        gpu.queue.write_buffer(&tets.surface.gradients, 0, bytemuck::cast_slice(&push));
        tets.backward();
        tets.step(TetRates { distance: 0.05, deform: 0.05 }).unwrap();
    }
    tets.march(&raster).unwrap();
    let after = tets.surface().read(&gpu).unwrap();
    let below = |mesh: &Mesh| -> Vec<[u32; 3]> {
        // Vertices between a free and a fixed node may move.
        let mut fixed: Vec<_> = mesh
            .positions
            .iter()
            .filter(|p| p.y < 0.03)
            .map(|p| p.to_array().map(f32::to_bits))
            .collect();
        fixed.sort_unstable();
        fixed
    };
    assert!(below(&before).len() > 500);
    assert_eq!(below(&before), below(&after));
    assert_ne!(before, after, "nothing moved at all");
}

#[test]
fn the_band_follows_the_surface_and_a_state_goes_on_from_it() {
    let gpu = GpuContext::new().unwrap();
    let (raster, mut tets) = marched(&gpu, 24, &bust());
    let first = tets.surface().read(&gpu).unwrap().signed_volume();
    // Every vertex outwards for eight rounds: farther than the band was wide.
    for round in 0..24 {
        tets.march(&raster).unwrap();
        let (vertices, _) = tets.surface().counts();
        let normals: Vec<[f32; 4]> = gpu.read(&tets.surface.normals, vertices as usize).unwrap();
        let push: Vec<[f32; 4]> = normals.iter().map(|n| [-n[0], -n[1], -n[2], 0.0]).collect();
        gpu.queue.write_buffer(&tets.surface.gradients, 0, bytemuck::cast_slice(&push));
        tets.backward();
        tets.step(TetRates { distance: 0.15, deform: 0.0 }).unwrap();
        if round % 4 == 3 {
            tets.march(&raster).unwrap();
            tets.follow().unwrap();
        }
    }
    tets.march(&raster).unwrap();
    let mesh = tets.surface().read(&gpu).unwrap();
    let found = topology::check(&mesh);
    assert!(found.is_closed_manifold(), "{found}");
    assert!(mesh.signed_volume() > 1.5 * first, "{} {first}", mesh.signed_volume());
    let state = tets.state().unwrap();
    let mut again = TetMesh::from_state(&gpu, &state).unwrap();
    again.march(&raster).unwrap();
    assert_eq!(again.surface().read(&gpu).unwrap(), mesh);
    assert_eq!(again.state().unwrap(), state);
    let mut short = state;
    short.base.pop();
    assert!(TetMesh::from_state(&gpu, &short).is_err());
}
