// Rays through the centres of pixels.

// The unit direction through the centre of a pixel, counted row by row.
fn ray_direction(view: View, pixel: u32) -> vec3<f32> {
    let width = u32(view.frame.y);
    let column = f32(pixel % width) + 0.5;
    let row = f32(pixel / width) + 0.5;
    let x = (column - 0.5 * view.frame.y) / view.frame.x;
    let y = (0.5 * view.frame.z - row) / view.frame.x;
    return normalize(view.forward.xyz + x * view.right.xyz + y * view.up.xyz);
}

// Where a ray enters and leaves the scene cube [-1, 1]^3; empty if x >= y.
fn cube_interval(origin: vec3<f32>, direction: vec3<f32>) -> vec2<f32> {
    let tiny = select(vec3<f32>(-1e-9), vec3<f32>(1e-9), direction >= vec3<f32>(0.0));
    let d = select(direction, tiny, abs(direction) < vec3<f32>(1e-9));
    let a = (vec3<f32>(-1.0) - origin) / d;
    let b = (vec3<f32>(1.0) - origin) / d;
    let low = min(a, b);
    let high = max(a, b);
    let near = max(max(low.x, low.y), max(low.z, NEAREST));
    return vec2<f32>(near, min(high.x, min(high.y, high.z)));
}
