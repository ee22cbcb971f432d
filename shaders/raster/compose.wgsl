// Colours of pixels before antialiasing: shaded surface, or background. The last
// channel is 1 on the surface.

@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> seen: array<vec4<f32>>;
// Albedo in yzw.
@group(0) @binding(5) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> raw: array<vec4<f32>>;

@compute @workgroup_size(64)
fn compose(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let pixel = thread_index(id, groups);
    if (pixel >= pixel_count()) {
        return;
    }
    let at = place(pixel);
    let view = views[at.z];
    if (ids[id_slot(at)] == 0u) {
        raw[pixel] = vec4<f32>(view.background.xyz, 0.0);
        return;
    }
    let slot = offsets[pixel];
    raw[pixel] = vec4<f32>(shade(view, values[slot].yzw, seen[slot].xyz), 1.0);
}
