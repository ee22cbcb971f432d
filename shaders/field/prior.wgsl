// What the head prior adds to the density logit. It carries no gradient.

fn prior_distance(p: vec3<f32>) -> f32 {
    let x = unit_cube(p) * f32(PRIOR_SIDE - 1u);
    let c = min(vec3<u32>(x), vec3<u32>(PRIOR_SIDE - 2u));
    let w = x - vec3<f32>(c);
    let i = dense_slot(c, PRIOR_SIDE);
    let j = i + PRIOR_SIDE * PRIOR_SIDE;
    let low = mix(mix(distances[i], distances[i + 1u], w.x),
                  mix(distances[i + PRIOR_SIDE], distances[i + PRIOR_SIDE + 1u], w.x), w.y);
    let high = mix(mix(distances[j], distances[j + 1u], w.x),
                   mix(distances[j + PRIOR_SIDE], distances[j + PRIOR_SIDE + 1u], w.x), w.y);
    return mix(low, high, w.z);
}

// A thin shell along the prior's surface, a soft blob at the centre, and a clearance
// that keeps far space empty: weight * p + b - c.
fn shell_logit(p: vec3<f32>, d: f32, weight: f32) -> f32 {
    let g = SHELL_SHARPNESS * sigmoid(-SHELL_SHARPNESS * abs(d) * 0.57735027);
    // ln(e^g - 1) is negative below g = ln 2, and this form cannot overflow above it.
    let shell = select(0.0, g + log(1.0 - exp(-g)), g > 0.6931472);
    let blob = BLOB_HEIGHT * exp(-dot(p, p) / BLOB_SPREAD);
    let x = clamp(d / CLEARANCE_DISTANCE, 0.0, 1.0);
    return weight * shell + blob - CLEARANCE * x * x * (3.0 - 2.0 * x);
}

// A filled head with a soft skin.
fn solid_logit(d: f32, weight: f32) -> f32 {
    let x = clamp(SOLID_SURFACE - d / SOLID_WIDTH, SOLID_MIN, SOLID_MAX);
    return weight * max(x, 0.0) + min(x, 0.0);
}

fn prior_logit(p: vec3<f32>, weight: f32) -> f32 {
    if (PRIOR_KIND == 0u) {
        return 0.0;
    }
    let d = prior_distance(p);
    if (PRIOR_KIND == 1u) {
        return shell_logit(p, d, weight);
    }
    return solid_logit(d, weight);
}
