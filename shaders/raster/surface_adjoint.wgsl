// Adjoint of the surface points. With the pixel's ray x = o + s d fixed, a corner v_j that
// moves by e moves the plane, and so x, by b_j d (n.e) / (n.d); within the plane the point's
// weights change as if it moved by that minus b_j e. So every gradient of a corner is its
// weight times one vector.

@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> triangles: array<u32>;
@group(0) @binding(6) var<storage, read> normals: array<vec4<f32>>;
// In: gradient of the surface point (through its colour). Out: of a corner, over its weight.
@group(0) @binding(7) var<storage, read_write> position_gradients: array<vec4<f32>>;
// In: gradient of the unit normal. Out: of a corner's normal, over its weight.
@group(0) @binding(8) var<storage, read_write> normal_gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn surface_adjoint(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let slot = thread_index(id, groups);
    if (slot >= frame.covered) {
        return;
    }
    let x = points[slot].xyz;
    let at = place(bitcast<u32>(points[slot].w));
    let view = views[at.z];
    let triangle = ids[id_slot(at)] - 1u;
    let t = triangle_corners(triangle);
    let direction = ray(view, centre(at));
    let w = barycentric(t, x);
    let na = normals[triangles[3u * triangle]].xyz;
    let nb = normals[triangles[3u * triangle + 1u]].xyz;
    let nc = normals[triangles[3u * triangle + 2u]].xyz;
    let n = w.x * na + w.y * nb + w.z * nc;
    let size = max(length(n), 1e-20);
    let unit = n / size;
    let d_unit = normal_gradients[slot].xyz;
    let d_normal = (d_unit - unit * dot(unit, d_unit)) / size;
    // Gradient of the weights as a vector in the plane.
    let area = 1.0 / max(dot(t.n, t.n), 1e-38);
    let slide = (dot(d_normal, nb) - dot(d_normal, na)) * cross(t.n, t.a - t.c) * area
        + (dot(d_normal, nc) - dot(d_normal, na)) * cross(t.n, t.b - t.a) * area;
    let along = dot(position_gradients[slot].xyz + slide, direction) / away_from_zero(dot(t.n, direction));
    position_gradients[slot] = vec4<f32>(t.n * along - slide, 0.0);
    normal_gradients[slot] = vec4<f32>(d_normal, 0.0);
}
