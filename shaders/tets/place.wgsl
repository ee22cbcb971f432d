// Vertices on the edges that the surface crosses, where the interpolated distance is zero.

@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> edges: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read_write> positions: array<vec4<f32>>;

@compute @workgroup_size(64)
fn place_vertices(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let e = thread_index(id, groups);
    if (e >= lattice.edges || offsets[e + 1u] == offsets[e]) {
        return;
    }
    let ends = edges[e];
    let a = values[ends.x];
    let b = values[ends.y];
    let p = node_position(codes[ends.x], a.yzw);
    let q = node_position(codes[ends.y], b.yzw);
    positions[offsets[e]] = vec4<f32>(p + crossing(a.x, b.x) * (q - p), 1.0);
}
