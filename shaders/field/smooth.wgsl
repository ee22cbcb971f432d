// Smoothness of one dense level: for each feature the mean over neighbouring vertices
// (of each axis) of a softened absolute difference and of the squared difference.
// Every vertex gathers its own gradient.

struct Smooth {
    offset: u32,
    side: u32,
    pad0: u32,
    pad1: u32,
    // Weights of each feature, divided by the number of pairs along one axis.
    absolute: vec4<f32>,
    squared: vec4<f32>,
}

@group(0) @binding(0) var<uniform> smoothing: Smooth;
@group(0) @binding(1) var<storage, read> table: array<Features>;
@group(0) @binding(2) var<storage, read_write> gradient: array<Features>;

// Rounds the corner of |x|: a difference this small does not matter.
const SOFTENING: f32 = 1e-3;

fn slope(here: Features, there: Features) -> Features {
    let d = here - there;
    return narrow(smoothing.absolute) * d * inverseSqrt(d * d + SOFTENING * SOFTENING)
        + 2.0 * narrow(smoothing.squared) * d;
}

@compute @workgroup_size(64)
fn smooth_level(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    let side = smoothing.side;
    if (k >= side * side * side) {
        return;
    }
    let i = smoothing.offset + k;
    let here = table[i];
    let c = vec3<u32>(k % side, (k / side) % side, k / (side * side));
    var g = Features(0.0);
    if (c.x > 0u) { g += slope(here, table[i - 1u]); }
    if (c.x + 1u < side) { g += slope(here, table[i + 1u]); }
    if (c.y > 0u) { g += slope(here, table[i - side]); }
    if (c.y + 1u < side) { g += slope(here, table[i + side]); }
    if (c.z > 0u) { g += slope(here, table[i - side * side]); }
    if (c.z + 1u < side) { g += slope(here, table[i + side * side]); }
    if (any(g != Features(0.0))) {
        gradient[i] += g;
    }
}
