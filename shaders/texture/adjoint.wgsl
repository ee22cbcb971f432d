// In: the gradient of the changed colours, in yzw; out: that of the colours below.
@group(0) @binding(5) var<storage, read_write> color_gradients: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> change_gradients: array<vec4<f32>>;
// Added to.
@group(0) @binding(7) var<storage, read_write> position_gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn unchange_colors(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let e = thread_index(id, groups);
    if (e >= local.count) {
        return;
    }
    let m = mask_at(points[e].xyz);
    let by = logit(change[e].yzw);
    let color = changed(below[e].yzw, m.w * by);
    let of_logit = color_gradients[e].yzw * color * (1.0 - color);
    let under = within(below[e].yzw);
    let own = within(change[e].yzw);
    color_gradients[e] = vec4<f32>(0.0, of_logit / (under * (1.0 - under)));
    change_gradients[e] = vec4<f32>(0.0, m.w * of_logit / (own * (1.0 - own)));
    position_gradients[e] += vec4<f32>(m.xyz * dot(by, of_logit), 0.0);
}
