// Adjoint of shading: from the gradient of covered pixels to those of albedo and normal.

@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> seen: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> raw_gradients: array<vec4<f32>>;
// Of the albedo, in yzw.
@group(0) @binding(6) var<storage, read_write> value_gradients: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> normal_gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn uncompose(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let slot = thread_index(id, groups);
    if (slot >= frame.covered) {
        return;
    }
    let pixel = bitcast<u32>(points[slot].w);
    let view = views[place(pixel).z];
    let back = shade_adjoint(view, values[slot].yzw, seen[slot].xyz, raw_gradients[pixel].xyz);
    value_gradients[slot] = vec4<f32>(0.0, back.albedo);
    normal_gradients[slot] = vec4<f32>(back.normal, 0.0);
}
