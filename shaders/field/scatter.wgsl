// Adds each evaluation's feature gradients to the eight corners of its cell; one
// launch a level.

struct Level {
    index: u32,
    resolution: u32,
    offset: u32,
    // Table size - 1 of a hashed level, 0 for a dense one.
    mask: u32,
    // Block of four features in the encoding, and where in it this level begins.
    block: u32,
    lane: u32,
    entries: u32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> evaluation: Evaluation;
@group(0) @binding(1) var<uniform> level: Level;
@group(0) @binding(2) var<storage, read> samples: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> encoding_gradients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> maxima: array<u32>;
@group(0) @binding(5) var<storage, read_write> low: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> high: array<atomic<i32>>;

fn add(index: u32, amount: i32) {
    if (amount == 0) {
        return;
    }
    let before = atomicAdd(&low[index], bitcast<u32>(amount));
    let after = before + bitcast<u32>(amount);
    let carry = select(0, 1, amount > 0 && after < before) - select(0, 1, amount < 0 && after > before);
    if (carry != 0) {
        atomicAdd(&high[index], carry);
    }
}

@compute @workgroup_size(64)
fn scatter(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= evaluation.count) {
        return;
    }
    let e = evaluation.first + k;
    let whole = encoding_gradients[level.block * evaluation.stride + e];
    let d = level_part(whole, level.lane) * power_of_two(scale_exponent(maxima[level.index]));
    if (all(d == Features(0.0))) {
        return;
    }
    let cell = grid_cell(unit_cube(evaluation_point(e)), level.resolution);
    for (var corner = 0u; corner < 8u; corner++) {
        let o = vec3<u32>(corner & 1u, (corner >> 1u) & 1u, corner >> 2u);
        let f = select(1.0 - cell.weight, cell.weight, o == vec3<u32>(1u));
        let c = cell.base + o;
        let slot = select(hashed_slot(c, level.mask), dense_slot(c, level.resolution + 1u), level.mask == 0u);
        let q = vec4<i32>(widen(round(d * (f.x * f.y * f.z))));
        let index = (level.offset + slot) * FEATURES;
        add(index, q.x);
        add(index + 1u, q.y);
        if (FEATURES == 4u) {
            add(index + 2u, q.z);
            add(index + 3u, q.w);
        }
    }
}
