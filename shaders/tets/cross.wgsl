// Marks the edges that the surface crosses: each of them has a vertex.

@group(0) @binding(1) var<storage, read> edges: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> flags: array<u32>;

@compute @workgroup_size(64)
fn flag_edges(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let e = thread_index(id, groups);
    if (e >= lattice.edges) {
        return;
    }
    let ends = edges[e];
    flags[e] = select(0u, 1u, is_inside(values[ends.x]) != is_inside(values[ends.y]));
}
