// What reaches a vertex from round about: the adjoint of vertex normals, and the
// gradients of the two regularisers.
//
// laplacian: weight sum |v - mean of its neighbours|^2 / vertices.
// consistency: weight sum over edges of h (1 - n.m), n and m the unit normals of its
// triangles and h = a b / (a + b) of their double areas: slivers, whose normals mean
// nothing, count for little.

struct Regularisers {
    vertices: u32,
    laplacian: f32,
    consistency: f32,
    pad: u32,
}

@group(0) @binding(0) var<uniform> regularisers: Regularisers;
@group(0) @binding(1) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> triangles: array<u32>;
@group(0) @binding(3) var<storage, read> partner: array<u32>;
@group(0) @binding(4) var<storage, read> first: array<u32>;
@group(0) @binding(5) var<storage, read> area_gradients: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> deltas: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> vertex_gradients: array<vec4<f32>>;

fn area_vector(t: u32) -> vec3<f32> {
    let a = positions[triangles[3u * t]].xyz;
    return cross(positions[triangles[3u * t + 1u]].xyz - a, positions[triangles[3u * t + 2u]].xyz - a);
}

// Gradient of the consistency's sum with respect to a triangle's area vector.
fn consistency_slope(t: u32) -> vec3<f32> {
    let mine = area_vector(t);
    let a = length(mine);
    if (a < 1e-20) {
        return vec3<f32>(0.0);
    }
    let n = mine / a;
    var sum = vec3<f32>(0.0);
    for (var k = 0u; k < 3u; k++) {
        let other = partner[3u * t + k];
        if (other == 0u) {
            continue;
        }
        let theirs = area_vector((other - 1u) / 3u);
        let b = length(theirs);
        if (b < 1e-20) {
            continue;
        }
        let m = theirs / b;
        let agreement = dot(n, m);
        let share = b / (a + b);
        sum += share * share * (1.0 - agreement) * n - share * (m - agreement * n);
    }
    return sum;
}

@compute @workgroup_size(64)
fn geometry_adjoint(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let v = thread_index(id, groups);
    if (v >= regularisers.vertices) {
        return;
    }
    let start = first[v];
    if (start == NONE) {
        return;
    }
    let own = area_gradients[v].xyz;
    let delta = deltas[v].xyz;
    var sum = vec3<f32>(0.0);
    var pulled = delta;
    var at = ring_start(v);
    while (at.half_edge != NONE) {
        let b = triangles[next(at.half_edge)];
        let c = triangles[previous(at.half_edge)];
        var d_area = own + area_gradients[b].xyz + area_gradients[c].xyz;
        if (regularisers.consistency > 0.0) {
            d_area += regularisers.consistency * consistency_slope(at.half_edge / 3u);
        }
        sum += cross(positions[b].xyz - positions[c].xyz, d_area);
        pulled -= deltas[b].xyz / max(deltas[b].w, 1.0);
        at = ring_step(start, at);
    }
    let evened = (2.0 * regularisers.laplacian / f32(regularisers.vertices)) * pulled;
    vertex_gradients[v] += vec4<f32>(sum + evened, 0.0);
}
