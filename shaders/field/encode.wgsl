// Multiresolution grid encoding (Mueller et al. 2022). Levels have resolution + 1
// vertices a side; a level that fits its table is stored densely, the others hash.

struct GridCell {
    base: vec3<u32>,
    weight: vec3<f32>,
}

// `u` in [0, 1]^3.
fn grid_cell(u: vec3<f32>, resolution: u32) -> GridCell {
    let x = u * f32(resolution);
    let base = min(vec3<u32>(x), vec3<u32>(resolution - 1u));
    let f = x - vec3<f32>(base);
    return GridCell(base, select(f, f * f * (3.0 - 2.0 * f), SMOOTHSTEP));
}

fn dense_slot(c: vec3<u32>, side: u32) -> u32 {
    return c.x + side * (c.y + side * c.z);
}

fn hashed_slot(c: vec3<u32>, mask: u32) -> u32 {
    return (c.x ^ (c.y * 2654435761u) ^ (c.z * 805459861u)) & mask;
}

// Scene coordinates to [0, 1]^3.
fn unit_cube(p: vec3<f32>) -> vec3<f32> {
    return clamp(0.5 * p + 0.5, vec3<f32>(0.0), vec3<f32>(1.0));
}
