// Adds each surface point's gradients to its triangle's corners.

@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> triangles: array<u32>;
@group(0) @binding(5) var<storage, read> position_gradients: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> normal_gradients: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> maxima: array<u32>;
// For each vertex three values of its position's gradient, then three of its normal's.
@group(0) @binding(8) var<storage, read_write> limbs: array<atomic<u32>>;

@compute @workgroup_size(64)
fn scatter_surface(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let slot = thread_index(id, groups);
    if (slot >= frame.covered) {
        return;
    }
    let at = place(bitcast<u32>(points[slot].w));
    let triangle = ids[id_slot(at)] - 1u;
    // A centre on a side may lie a little outside: its weights are cut to those inside.
    let w = clamp(barycentric(triangle_corners(triangle), points[slot].xyz), vec3<f32>(-0.5), vec3<f32>(1.5));
    let d_position = position_gradients[slot].xyz * power_of_two(scale_exponent(maxima[0]));
    let d_normal = normal_gradients[slot].xyz * power_of_two(scale_exponent(maxima[1]));
    for (var k = 0u; k < 3u; k++) {
        let vertex = triangles[3u * triangle + k];
        add_vector(6u * vertex, w[k] * d_position);
        add_vector(6u * vertex + 3u, w[k] * d_normal);
    }
}
