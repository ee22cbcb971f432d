// One triangle against a ray. Needs the buffers `positions` and `triangles`.

struct Corners {
    a: vec3<f32>,
    b: vec3<f32>,
    c: vec3<f32>,
    // Twice the area times the unit normal.
    n: vec3<f32>,
}

fn triangle_corners(t: u32) -> Corners {
    let a = positions[triangles[3u * t]].xyz;
    let b = positions[triangles[3u * t + 1u]].xyz;
    let c = positions[triangles[3u * t + 2u]].xyz;
    return Corners(a, b, c, cross(b - a, c - a));
}

// Where a ray meets the triangle's plane.
fn plane_depth(t: Corners, origin: vec3<f32>, direction: vec3<f32>) -> f32 {
    return dot(t.n, t.a - origin) / away_from_zero(dot(t.n, direction));
}

fn away_from_zero(x: f32) -> f32 {
    return select(min(x, -1e-30), max(x, 1e-30), x >= 0.0);
}

// Weights of the corners at a point of the plane.
fn barycentric(t: Corners, x: vec3<f32>) -> vec3<f32> {
    let scale = 1.0 / max(dot(t.n, t.n), 1e-38);
    let wb = dot(t.n, cross(t.c - t.a, x - t.a) * -1.0) * scale;
    let wc = dot(t.n, cross(t.b - t.a, x - t.a)) * scale;
    return vec3<f32>(1.0 - wb - wc, wb, wc);
}
