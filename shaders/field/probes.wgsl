// Positions of evaluations.

fn evaluation_point(e: u32) -> vec3<f32> {
    if (e < evaluation.samples) {
        return samples[e].xyz;
    }
    let k = e - evaluation.samples;
    return samples[k >> 2u].xyz + NORMAL_EPSILON * probe_corner(k & 3u);
}
