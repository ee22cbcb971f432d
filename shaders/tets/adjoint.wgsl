// From the vertices' gradients to those of the nodes' changes: each node asks the edges at it.

@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> edges: array<vec2<u32>>;
// Where each node's edges begin, and after nodes + 1 of those the edges themselves.
@group(0) @binding(3) var<storage, read> incident: array<u32>;
@group(0) @binding(4) var<storage, read> mask: array<f32>;
@group(0) @binding(5) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> offsets: array<u32>;
@group(0) @binding(7) var<storage, read> vertex_gradients: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn lattice_adjoint(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let v = thread_index(id, groups);
    if (v >= lattice.nodes) {
        return;
    }
    let own = values[v];
    let here = node_position(codes[v], own.yzw);
    var d_distance = 0.0;
    var d_position = vec3<f32>(0.0);
    let first = lattice.nodes + 1u;
    for (var k = incident[v]; k < incident[v + 1u]; k++) {
        let e = incident[first + k];
        if (offsets[e + 1u] == offsets[e]) {
            continue;
        }
        let ends = edges[e];
        let other = select(ends.x, ends.y, ends.x == v);
        let theirs = values[other];
        let there = node_position(codes[other], theirs.yzw);
        let g = vertex_gradients[offsets[e]].xyz;
        // The vertex is here + own / (own - theirs) (there - here), seen from either end.
        let d = span(own.x, theirs.x);
        d_distance += dot(g, there - here) * -theirs.x / (d * d);
        d_position += (1.0 - own.x / d) * g;
    }
    let t = tanh(clamp(own.yzw, vec3<f32>(-15.0), vec3<f32>(15.0)));
    gradients[v] = mask[v] * vec4<f32>(d_distance, d_position * lattice.reach * (1.0 - t * t));
}
