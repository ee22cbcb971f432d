// How the ends of silhouette edges should move: the adjoint of a pair's weight.

@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> triangles: array<u32>;
@group(0) @binding(4) var<storage, read> pairs: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> raw: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> upstream: array<vec4<f32>>;
// Gradients of the edge's two ends, for each pair.
@group(0) @binding(7) var<storage, read_write> edge_gradients: array<vec4<f32>>;

fn next(h: u32) -> u32 {
    return select(h + 1u, h - 2u, h % 3u == 2u);
}

fn pull(view: View, at: vec3<u32>, pixel: u32, axis: u32) {
    let index = 2u * pixel + axis;
    let pair = pairs[index];
    if (pair.x == 0u) {
        edge_gradients[2u * index] = vec4<f32>(0.0);
        edge_gradients[2u * index + 1u] = vec4<f32>(0.0);
        return;
    }
    let neighbour = pixel + select(frame.width, 1u, axis == 0u);
    let neighbour_nearer = (pair.y & 1u) != 0u;
    let neighbour_gives = (pair.y & 2u) != 0u;
    let giver = select(pixel, neighbour, neighbour_gives);
    let taker = select(neighbour, pixel, neighbour_gives);
    let d_weight = dot(upstream[taker], raw[giver] - raw[taker]);

    let origin = centre(place(select(pixel, neighbour, neighbour_nearer)));
    let sign = select(1.0, -1.0, neighbour_nearer);
    let h = pair.x - 1u;
    let pa = positions[triangles[h]].xyz;
    let pb = positions[triangles[next(h)]].xyz;
    let a = project(view, pa).xy - origin;
    let b = project(view, pb).xy - origin;
    let across = 1u - axis;
    let d = b - a;
    let share = a[across] / (a[across] - b[across]);
    let u = bitcast<f32>(pair.w);
    let size = dot(d, d);
    let direction = d[across] * d[across] / size;

    // weight = direction |u - 1/2|, u = sign (a + share (b - a)) along the axis.
    let d_u = d_weight * direction * select(-1.0, 1.0, u > 0.5) * sign;
    let d_direction = d_weight * abs(u - 0.5);
    var d_a = vec2<f32>(0.0);
    var d_b = vec2<f32>(0.0);
    d_a[axis] = d_u * (1.0 - share);
    d_b[axis] = d_u * share;
    let slope = d[axis] / d[across];
    d_a[across] = -d_u * (1.0 - share) * slope;
    d_b[across] = -d_u * share * slope;
    var turn = vec2<f32>(0.0);
    turn[across] = 2.0 * d[across] * d[axis] * d[axis] / (size * size);
    turn[axis] = -2.0 * d[axis] * d[across] * d[across] / (size * size);
    d_a -= d_direction * turn;
    d_b += d_direction * turn;
    edge_gradients[2u * index] = vec4<f32>(project_adjoint(view, pa, d_a), 0.0);
    edge_gradients[2u * index + 1u] = vec4<f32>(project_adjoint(view, pb, d_b), 0.0);
}

@compute @workgroup_size(64)
fn edge_adjoint(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let pixel = thread_index(id, groups);
    if (pixel >= pixel_count()) {
        return;
    }
    let at = place(pixel);
    let view = views[at.z];
    pull(view, at, pixel, 0u);
    pull(view, at, pixel, 1u);
}
