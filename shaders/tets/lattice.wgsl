// Nodes of the band of a body-centred cubic lattice (`geometry::tets`), displaced.

struct Lattice {
    nodes: u32,
    edges: u32,
    tets: u32,
    // Nodes a side of the doubled lattice, and cubes a side.
    side: u32,
    cells: f32,
    // How far a node may be displaced along an axis, world units.
    reach: f32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<uniform> lattice: Lattice;

// World position of a node with the displacement `deform`, before its tanh.
fn node_position(code: u32, deform: vec3<f32>) -> vec3<f32> {
    let n = lattice.side;
    let at = vec3<f32>(vec3<u32>(code % n, code / n % n, code / (n * n)));
    return at / lattice.cells - 1.0 + lattice.reach * tanh(clamp(deform, vec3<f32>(-15.0), vec3<f32>(15.0)));
}

fn is_inside(value: vec4<f32>) -> bool {
    return value.x < 0.0;
}
