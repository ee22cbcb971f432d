// Density of a logit, per world unit, and its slope.

fn density(logit: f32) -> f32 {
    if (DENSITY_SATURATES) {
        return DENSITY_SCALE * sigmoid(logit);
    }
    return DENSITY_SCALE * softplus(logit);
}

fn density_slope(logit: f32) -> f32 {
    let s = sigmoid(logit);
    if (DENSITY_SATURATES) {
        return DENSITY_SCALE * s * (1.0 - s);
    }
    return DENSITY_SCALE * s;
}

// The tetrahedron along which the logit is differenced for normals.
fn probe_corner(j: u32) -> vec3<f32> {
    let x = select(-1.0, 1.0, j == 0u || j == 3u);
    let y = select(-1.0, 1.0, j == 2u || j == 3u);
    let z = select(-1.0, 1.0, j == 1u || j == 3u);
    return vec3<f32>(x, y, z);
}
