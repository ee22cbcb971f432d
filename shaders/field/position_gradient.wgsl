// How the encoding's gradient pulls at the points themselves. Code for each level follows: `encoding_slope`.

@group(0) @binding(0) var<uniform> evaluation: Evaluation;
@group(0) @binding(1) var<storage, read> table: array<Features>;
@group(0) @binding(2) var<storage, read> samples: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> encoding_gradients: array<vec4<f32>>;
// Added to.
@group(0) @binding(4) var<storage, read_write> position_gradients: array<vec4<f32>>;

fn pull(d: Features, f: Features) -> f32 {
    return dot(d, f);
}

// Slope of `d . features` along the axes, from the features at a cell's corners.
fn cell_slope(cell: GridCell, resolution: u32, d: Features, c000: f32, c100: f32, c010: f32, c110: f32,
              c001: f32, c101: f32, c011: f32, c111: f32, f: vec3<f32>) -> vec3<f32> {
    let w = cell.weight;
    let x = mix(mix(c100 - c000, c110 - c010, w.y), mix(c101 - c001, c111 - c011, w.y), w.z);
    let y = mix(mix(c010 - c000, c110 - c100, w.x), mix(c011 - c001, c111 - c101, w.x), w.z);
    let z = mix(mix(c001 - c000, c101 - c100, w.x), mix(c011 - c010, c111 - c110, w.x), w.y);
    let bend = select(vec3<f32>(1.0), 6.0 * f * (1.0 - f), SMOOTHSTEP);
    return vec3<f32>(x, y, z) * bend * f32(resolution);
}

fn dense_slope(u: vec3<f32>, resolution: u32, offset: u32, d: Features) -> vec3<f32> {
    let cell = grid_cell(u, resolution);
    let side = resolution + 1u;
    let i = offset + dense_slot(cell.base, side);
    let j = i + side * side;
    let f = u * f32(resolution) - vec3<f32>(cell.base);
    return cell_slope(cell, resolution, d,
        pull(d, table[i]), pull(d, table[i + 1u]), pull(d, table[i + side]), pull(d, table[i + side + 1u]),
        pull(d, table[j]), pull(d, table[j + 1u]), pull(d, table[j + side]), pull(d, table[j + side + 1u]), f);
}

fn hashed_slope(u: vec3<f32>, resolution: u32, offset: u32, mask: u32, d: Features) -> vec3<f32> {
    let cell = grid_cell(u, resolution);
    let a = cell.base;
    let b = a + 1u;
    let f = u * f32(resolution) - vec3<f32>(cell.base);
    return cell_slope(cell, resolution, d,
        pull(d, table[offset + hashed_slot(a, mask)]),
        pull(d, table[offset + hashed_slot(vec3<u32>(b.x, a.y, a.z), mask)]),
        pull(d, table[offset + hashed_slot(vec3<u32>(a.x, b.y, a.z), mask)]),
        pull(d, table[offset + hashed_slot(vec3<u32>(b.x, b.y, a.z), mask)]),
        pull(d, table[offset + hashed_slot(vec3<u32>(a.x, a.y, b.z), mask)]),
        pull(d, table[offset + hashed_slot(vec3<u32>(b.x, a.y, b.z), mask)]),
        pull(d, table[offset + hashed_slot(vec3<u32>(a.x, b.y, b.z), mask)]),
        pull(d, table[offset + hashed_slot(b, mask)]), f);
}

@compute @workgroup_size(64)
fn position_gradient(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let e = thread_index(id, groups);
    if (e >= evaluation.count) {
        return;
    }
    let p = samples[e].xyz;
    // Points outside the cube stick to its sides.
    let inside = select(vec3<f32>(0.0), vec3<f32>(0.5), abs(p) <= vec3<f32>(1.0));
    position_gradients[e] += vec4<f32>(encoding_slope(e, unit_cube(p)) * inside, 0.0);
}
