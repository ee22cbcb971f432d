// Counter-based randomness: a number is a function of its key and index alone.

// The PCG output permutation over one step of its generator.
fn scramble(v: u32) -> u32 {
    let state = v * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// Uniform in [0, 1).
fn uniform_at(key: vec2<u32>, index: u32) -> f32 {
    let bits = scramble(index ^ scramble(key.x ^ scramble(key.y)));
    return f32(bits >> 8u) * 5.9604645e-8;
}
