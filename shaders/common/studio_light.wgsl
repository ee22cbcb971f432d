// The light that pictures of finished heads are shown in.

// The key light of offline pictures, in camera space.
fn studio_key() -> vec3<f32> {
    return normalize(vec3(-0.5, 0.6, 0.8));
}

fn srgb_to_linear(c: vec3<f32>) -> vec3<f32> {
    let low = c / 12.92;
    let high = pow((c + 0.055) / 1.055, vec3(2.4));
    return select(high, low, c <= vec3(0.04045));
}

// The studio: a soft key light, which is in the upper left of the camera if it is
// `studio_key`, a weak fill from the right, a rim light from behind, and a sky brighter than
// the ground. Lights move with the camera, so that every view of a turntable is lit alike;
// the sky does not. All directions are in camera space and have length 1.
fn studio(albedo: vec3<f32>, n: vec3<f32>, view: vec3<f32>, sky: f32, key: vec3<f32>) -> vec3<f32> {
    let fill = normalize(vec3(0.9, 0.05, 0.5));
    let rim = normalize(vec3(0.35, 0.6, -0.8));
    let wrapped = max((dot(n, key) + 0.2) / 1.2, 0.0);
    var light = mix(vec3(0.15, 0.14, 0.13), vec3(0.30, 0.31, 0.33), sky);
    light += vec3(0.74, 0.71, 0.67) * wrapped;
    light += vec3(0.15, 0.17, 0.20) * max(dot(n, fill), 0.0);
    light += vec3(0.30) * max(dot(n, rim), 0.0);
    // A broad, faint highlight, as on skin.
    let half_way = normalize(key + view);
    let gloss = 0.05 * pow(max(dot(n, half_way), 0.0), 20.0) * step(0.0, dot(n, key));
    return albedo * light + vec3(gloss);
}
