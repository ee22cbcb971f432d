@group(0) @binding(5) var<storage, read_write> colors: array<vec4<f32>>;

@compute @workgroup_size(64)
fn change_colors(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let e = thread_index(id, groups);
    if (e >= local.count) {
        return;
    }
    let by = mask_at(points[e].xyz).w * logit(change[e].yzw);
    colors[e] = vec4<f32>(below[e].x, changed(below[e].yzw, by));
}
