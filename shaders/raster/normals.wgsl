// Unit vertex normals: the triangles' area vectors, added up. The length before is kept for the adjoint.

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> triangles: array<u32>;
@group(0) @binding(3) var<storage, read> partner: array<u32>;
@group(0) @binding(4) var<storage, read> first: array<u32>;
@group(0) @binding(5) var<storage, read_write> normals: array<vec4<f32>>;

@compute @workgroup_size(64)
fn vertex_normals(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let v = thread_index(id, groups);
    if (v >= size.vertices) {
        return;
    }
    var sum = vec3<f32>(0.0);
    let start = first[v];
    if (start != NONE) {
        let p = positions[v].xyz;
        var at = ring_start(v);
        while (at.half_edge != NONE) {
            let b = positions[triangles[next(at.half_edge)]].xyz;
            let c = positions[triangles[previous(at.half_edge)]].xyz;
            sum += cross(b - p, c - p);
            at = ring_step(start, at);
        }
    }
    let size_of = length(sum);
    if (size_of > 1e-30) {
        normals[v] = vec4<f32>(sum / size_of, size_of);
    } else {
        normals[v] = vec4<f32>(0.0, 1.0, 0.0, 0.0);
    }
}
