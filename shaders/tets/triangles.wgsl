// The triangles of each tetrahedron.

@group(0) @binding(1) var<storage, read> tets: array<vec4<u32>>;
// Six edges a tetrahedron.
@group(0) @binding(2) var<storage, read> tet_edges: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> edge_offsets: array<u32>;
@group(0) @binding(5) var<storage, read> offsets: array<u32>;
@group(0) @binding(6) var<storage, read_write> triangles: array<u32>;

@compute @workgroup_size(64)
fn write_triangles(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let t = thread_index(id, groups);
    if (t >= lattice.tets) {
        return;
    }
    let code = inside_code(tets[t]);
    let corners = 3u * COUNTS[code];
    var cases = CASES;
    for (var k = 0u; k < corners; k++) {
        let edge = tet_edges[6u * t + cases[6u * code + k]];
        triangles[3u * offsets[t] + k] = edge_offsets[edge];
    }
}
