// For points of a surface instead of samples along rays: from the gradient of the albedo to
// that of the raw outputs, in place; the density plays no part.

@group(0) @binding(0) var<uniform> evaluation: Evaluation;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>;
// Of the albedo, in yzw.
@group(0) @binding(2) var<storage, read> albedo_gradients: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> value_gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn surface_adjoint(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let e = thread_index(id, groups);
    if (e >= evaluation.count) {
        return;
    }
    let albedo = values[e].yzw;
    value_gradients[e] = vec4<f32>(0.0, albedo_gradients[e].yzw * albedo * (1.0 - albedo));
}
