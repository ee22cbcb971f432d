// The surface point under each covered pixel: where the ray through its centre meets
// the plane of its triangle.

@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> triangles: array<u32>;
@group(0) @binding(6) var<storage, read> normals: array<vec4<f32>>;
// World position and the pixel's number, as bits.
@group(0) @binding(7) var<storage, read_write> points: array<vec4<f32>>;
// Unit normal and depth.
@group(0) @binding(8) var<storage, read_write> seen: array<vec4<f32>>;

@compute @workgroup_size(64)
fn surface_points(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let pixel = thread_index(id, groups);
    if (pixel >= pixel_count()) {
        return;
    }
    let at = place(pixel);
    let triangle = ids[id_slot(at)];
    if (triangle == 0u) {
        return;
    }
    let view = views[at.z];
    let corners = triangle_corners(triangle - 1u);
    let direction = ray(view, centre(at));
    let depth = plane_depth(corners, view.position.xyz, direction);
    let x = view.position.xyz + depth * direction;
    let w = barycentric(corners, x);
    let n = w.x * normals[triangles[3u * triangle - 3u]].xyz
        + w.y * normals[triangles[3u * triangle - 2u]].xyz
        + w.z * normals[triangles[3u * triangle - 1u]].xyz;
    let slot = offsets[pixel];
    points[slot] = vec4<f32>(x, bitcast<f32>(pixel));
    seen[slot] = vec4<f32>(n / max(length(n), 1e-20), depth);
}
