// Smoothness of what the field shows, whatever its parameters are: on the lattice of
// the occupied cells' (shifted) centres, the area of its surfaces (total variation of
// sigmoid(logit)) and the roughness of its albedo (squared gradient). Every point gathers
// its own gradient from its six neighbours. Cells outside the lattice are empty.

struct Lattice {
    count: u32,
    // The first of these points among the evaluations.
    first: u32,
    side: u32,
    pad: u32,
    // Weights times the area that a pair of neighbours stands for, and the length.
    area: f32,
    roughness: f32,
    pad0: f32,
    pad1: f32,
}

const NOWHERE: u32 = 0xffffffffu;
// Rounds the corner of |x|.
const SOFTENING: f32 = 1e-3;

@group(0) @binding(0) var<uniform> lattice: Lattice;
// The cell of each point, and the point of each cell or NOWHERE.
@group(0) @binding(1) var<storage, read> cells: array<u32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> value_gradients: array<vec4<f32>>;

// Slope of the softened difference of occupancy (x) and of squared albedo difference.
fn slope(here: vec4<f32>, cell: u32, inside: bool) -> vec4<f32> {
    let slot = select(NOWHERE, slots[select(0u, cell, inside)], inside);
    let known = slot != NOWHERE;
    let there = values[lattice.first + select(0u, slot, known)];
    let d = here.x - select(0.0, sigmoid(there.x), known);
    let c = select(vec3<f32>(0.0), 2.0 * (here.yzw - there.yzw), known);
    return vec4<f32>(d * inverseSqrt(d * d + SOFTENING * SOFTENING), c);
}

@compute @workgroup_size(64)
fn smooth_lattice(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= lattice.count) {
        return;
    }
    let n = lattice.side;
    let cell = cells[k];
    let at = vec3<u32>(cell % n, (cell / n) % n, cell / (n * n));
    let value = values[lattice.first + k];
    let o = sigmoid(value.x);
    let here = vec4<f32>(o, value.yzw);
    let g = slope(here, cell - 1u, at.x > 0u)
        + slope(here, cell + 1u, at.x + 1u < n)
        + slope(here, cell - n, at.y > 0u)
        + slope(here, cell + n, at.y + 1u < n)
        + slope(here, cell - n * n, at.z > 0u)
        + slope(here, cell + n * n, at.z + 1u < n);
    let albedo = value.yzw;
    value_gradients[lattice.first + k] = vec4<f32>(
        lattice.area * g.x * o * (1.0 - o),
        lattice.roughness * g.yzw * albedo * (1.0 - albedo),
    );
}
