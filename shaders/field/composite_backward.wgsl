// Appended to composite.wgsl: from the gradient of each pixel to that of each
// evaluation's raw outputs (density logit, albedo before its sigmoid).

@group(0) @binding(4) var<storage, read> shares: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> rendered: array<vec4<f32>>;
// Gradient of colour and opacity.
@group(0) @binding(6) var<storage, read> upstream: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> value_gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn composite_adjoint(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= composite.rays) {
        return;
    }
    let ray = composite.first + k;
    let view = views[ray / composite.pixels];
    let direction = ray_direction(view, ray % composite.pixels);
    let begin = offsets[k];
    let end = offsets[k + 1u];
    let used = u32(rendered[2u * k + 1u].w);
    let up = upstream[k];
    let opacity = rendered[2u * k].w;
    let up_opacity = up.w + composite.binarise * (1.0 - 2.0 * opacity);
    // The image is background + sum of w_i (c_i - background), so each sample's pull is
    // local; what lies behind it arrives as the running sum.
    var behind = 0.0;
    for (var m = used; m > 0u; m--) {
        let i = begin + m - 1u;
        let value = values[i];
        let albedo = value.yzw;
        let share = shares[i];
        let w = share.x;
        var normal = Normal(vec3<f32>(0.0), 0.0, 0.0);
        if (composite.normals == 1u) {
            normal = normal_at(i);
        }
        let n = normal.n;
        let shaded = shade(view, albedo, n);
        let away = max(0.0, dot(n, direction));
        let pull = dot(up.xyz, shaded - view.background.xyz) + up_opacity
            + composite.entropy * weight_entropy_slope(w)
            + composite.orientation * away * away;
        let d_logit = STEP * density_slope(value.x) * (pull * share.y - behind);
        behind += pull * w;

        let back = shade_adjoint(view, albedo, n, w * up.xyz);
        let d_albedo = back.albedo;
        let d_normal = back.normal + (2.0 * composite.orientation * w * away) * direction;
        value_gradients[i] = vec4<f32>(d_logit, d_albedo * albedo * (1.0 - albedo));
        if (composite.normals == 1u) {
            let tangent = d_normal - normal.bent * dot(d_normal, n) * n;
            let d_gradient = tangent * (-normal.inverse_length / (4.0 * NORMAL_EPSILON));
            let base = composite.samples + 4u * i;
            for (var j = 0u; j < 4u; j++) {
                value_gradients[base + j] = vec4<f32>(dot(d_gradient, probe_corner(j)), 0.0, 0.0, 0.0);
            }
        }
    }
    for (var i = begin + used; i < end; i++) {
        value_gradients[i] = vec4<f32>(0.0);
        if (composite.normals == 1u) {
            for (var j = 0u; j < 4u; j++) {
                value_gradients[composite.samples + 4u * i + j] = vec4<f32>(0.0);
            }
        }
    }
}
