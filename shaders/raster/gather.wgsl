// Turns the fixed-point sums of each vertex into floats and clears them; the gradient of
// the unit normal becomes that of the sum of area vectors.

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> maxima: array<u32>;
@group(0) @binding(3) var<storage, read_write> limbs: array<u32>;
@group(0) @binding(4) var<storage, read_write> vertex_gradients: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> area_gradients: array<vec4<f32>>;

fn take(value: u32, exponent: i32) -> f32 {
    let low = limbs[2u * value];
    let high = bitcast<i32>(limbs[2u * value + 1u]);
    limbs[2u * value] = LOW_START;
    limbs[2u * value + 1u] = 0u;
    let units = f32(high) * 4294967296.0 + f32(bitcast<i32>(low ^ LOW_START));
    // In two steps: the inverse of the largest scale is below the normal range.
    let half = exponent / 2;
    return units * power_of_two(-half) * power_of_two(half - exponent);
}

@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let v = thread_index(id, groups);
    if (v >= size.vertices) {
        return;
    }
    let e = vec2<i32>(scale_exponent(maxima[0]), scale_exponent(maxima[1]));
    let d_position = vec3<f32>(take(6u * v, e.x), take(6u * v + 1u, e.x), take(6u * v + 2u, e.x));
    let d_unit = vec3<f32>(take(6u * v + 3u, e.y), take(6u * v + 4u, e.y), take(6u * v + 5u, e.y));
    let n = normals[v];
    vertex_gradients[v] = vec4<f32>(d_position, 0.0);
    let d_area = (d_unit - n.xyz * dot(n.xyz, d_unit)) / max(n.w, 1e-20);
    area_gradients[v] = vec4<f32>(select(vec3<f32>(0.0), d_area, n.w > 0.0), 0.0);
}
