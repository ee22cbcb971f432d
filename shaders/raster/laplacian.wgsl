// The uniform Laplacian of each vertex: how far it is from the mean of its neighbours.

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> triangles: array<u32>;
@group(0) @binding(3) var<storage, read> partner: array<u32>;
@group(0) @binding(4) var<storage, read> first: array<u32>;
// The difference, and the number of neighbours.
@group(0) @binding(5) var<storage, read_write> deltas: array<vec4<f32>>;

@compute @workgroup_size(64)
fn laplacian(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let v = thread_index(id, groups);
    if (v >= size.vertices) {
        return;
    }
    var sum = vec3<f32>(0.0);
    var count = 0.0;
    let start = first[v];
    if (start != NONE) {
        var at = ring_start(v);
        while (at.half_edge != NONE) {
            sum += positions[triangles[next(at.half_edge)]].xyz;
            count += 1.0;
            at = ring_step(start, at);
        }
    }
    let difference = positions[v].xyz - sum / max(count, 1.0);
    deltas[v] = vec4<f32>(select(vec3<f32>(0.0), difference, count > 0.0), count);
}
