// The values in force: a base, and a change that a mask lets through.

@group(0) @binding(1) var<storage, read> base: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> mask: array<f32>;
@group(0) @binding(3) var<storage, read> change: array<vec4<f32>>;
// Signed distance in cells, then the displacement.
@group(0) @binding(4) var<storage, read_write> values: array<vec4<f32>>;

@compute @workgroup_size(64)
fn apply(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let v = thread_index(id, groups);
    if (v >= lattice.nodes) {
        return;
    }
    // Written so that a closed mask leaves the base as it is, bit for bit.
    let m = mask[v];
    values[v] = select(base[v] + m * change[v], base[v], m == 0.0);
}
