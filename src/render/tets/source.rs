//! The shaders of the tetrahedral lattice, put together from the pieces in `shaders/`.

use crate::geometry::tets::triangles_of;
use crate::render::kernel::Kernel;
use crate::render::{GpuContext, RenderError};
use std::fmt::Write;

macro_rules! piece {
    ($path:literal) => {
        include_str!(concat!("../../../shaders/", $path))
    };
}

/// The complete source of each kernel, by its entry point.
fn sources() -> [(&'static str, String); 6] {
    let join = |parts: &[&str]| {
        let start = [piece!("common/dispatch.wgsl"), piece!("tets/lattice.wgsl")];
        start.iter().chain(parts).copied().collect::<Vec<_>>().join("\n")
    };
    let (crossing, inside) = (piece!("tets/crossing.wgsl"), piece!("tets/inside.wgsl"));
    let cases = cases();
    [
        ("apply", join(&[piece!("tets/apply.wgsl")])),
        ("flag_edges", join(&[piece!("tets/cross.wgsl")])),
        ("place_vertices", join(&[crossing, piece!("tets/place.wgsl")])),
        ("count_triangles", join(&[&cases, inside, piece!("tets/count.wgsl")])),
        ("write_triangles", join(&[&cases, inside, piece!("tets/triangles.wgsl")])),
        ("lattice_adjoint", join(&[crossing, piece!("tets/adjoint.wgsl")])),
    ]
}

/// The sixteen cases as constants: triangles of each, and the edges of their corners.
fn cases() -> String {
    let all: Vec<_> = (0..16).map(triangles_of).collect();
    let counts: Vec<String> = all.iter().map(|case| format!("{}u", case.len())).collect();
    let edges = all.iter().flat_map(|case| {
        let edges: Vec<usize> = case.as_flattened().to_vec();
        (0..6).map(move |k| format!("{}u", edges.get(k).copied().unwrap_or(0)))
    });
    let edges: Vec<String> = edges.collect();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "const COUNTS = array<u32, 16>({});", counts.join(", "));
    let _ = writeln!(out, "const CASES = array<u32, 96>({});", edges.join(", "));
    out
}

/// Every shader of the lattice, complete: for validation without a GPU.
#[must_use]
pub fn shader_sources() -> Vec<(&'static str, String)> {
    sources().into()
}

#[derive(Debug)]
pub(super) struct Kernels {
    pub apply: Kernel,
    pub cross: Kernel,
    pub place: Kernel,
    pub count: Kernel,
    pub triangles: Kernel,
    pub adjoint: Kernel,
}

impl Kernels {
    pub fn new(gpu: &GpuContext) -> Result<Self, RenderError> {
        let kernel = |(name, source): &(&'static str, String)| {
            Kernel::with_bindings(gpu, name, source, &[], &[0, 1, 2, 3, 4, 5, 6, 7, 8])
        };
        let [apply, cross, place, count, triangles, adjoint] = &sources();
        Ok(Self {
            apply: kernel(apply)?,
            cross: kernel(cross)?,
            place: kernel(place)?,
            count: kernel(count)?,
            triangles: kernel(triangles)?,
            adjoint: kernel(adjoint)?,
        })
    }
}
