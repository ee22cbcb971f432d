// Appended to composite.wgsl: colour, opacity and depth of each ray.

@group(0) @binding(4) var<storage, read> samples: array<vec4<f32>>;
// Weight of each sample and the transmittance behind it.
@group(0) @binding(5) var<storage, read_write> shares: array<vec2<f32>>;
// Two vectors a ray: colour and opacity; depth, entropy, orientation, samples used.
@group(0) @binding(6) var<storage, read_write> rendered: array<vec4<f32>>;

@compute @workgroup_size(64)
fn composite_rays(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= composite.rays) {
        return;
    }
    let ray = composite.first + k;
    let view = views[ray / composite.pixels];
    let direction = ray_direction(view, ray % composite.pixels);
    let begin = offsets[k];
    let end = offsets[k + 1u];
    var passed = 1.0;
    var colour = vec3<f32>(0.0);
    var opacity = 0.0;
    var travel = 0.0;
    var entropy = 0.0;
    var orientation = 0.0;
    var used = 0u;
    for (var i = begin; i < end; i++) {
        let value = values[i];
        let t = samples[i].w;
        let thickness = select(0.0, density(value.x) * STEP, t >= 0.0);
        let w = passed * absorbed(thickness);
        passed *= exp(-thickness);
        var n = vec3<f32>(0.0);
        if (composite.normals == 1u) {
            n = normal_at(i).n;
            let away = max(0.0, dot(n, direction));
            orientation += w * away * away;
        }
        colour += w * shade(view, value.yzw, n);
        opacity += w;
        travel += w * t;
        entropy += weight_entropy(w);
        shares[i] = vec2<f32>(w, passed);
        used++;
        if (passed < EARLY_STOP) {
            break;
        }
    }
    let depth = travel * dot(direction, view.forward.xyz) / max(opacity, 1e-6);
    rendered[2u * k] = vec4<f32>(colour + (1.0 - opacity) * view.background.xyz, opacity);
    rendered[2u * k + 1u] = vec4<f32>(depth, entropy, orientation, f32(used));
}
