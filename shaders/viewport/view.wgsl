// What the shaders of the live view share.

struct View {
    clip: mat4x4<f32>,
    // World to camera rotation: rows right, up, backward.
    right: vec4<f32>,
    up: vec4<f32>,
    backward: vec4<f32>,
    eye: vec4<f32>,
    // Direction to the key light, camera space.
    key: vec4<f32>,
    // x: opacity of the edges; y: how far they are drawn in front of the surface, as a share
    // of the way to the eye.
    edges: vec4<f32>,
    // x: what the surface shows (the MODE constants); y: 1 if the target does not encode.
    mode: vec4<u32>,
}

const MODE_SHADED: u32 = 0u;
const MODE_ALBEDO: u32 = 1u;
const MODE_NORMAL: u32 = 2u;

@group(0) @binding(0) var<uniform> u: View;
@group(0) @binding(1) var albedo_texture: texture_2d<f32>;
@group(0) @binding(2) var albedo_sampler: sampler;

// Linear light as the target takes it.
fn for_target(linear: vec3<f32>) -> vec3<f32> {
    if u.mode.y == 0u {
        return linear;
    }
    let c = clamp(linear, vec3(0.0), vec3(1.0));
    return select(1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, c * 12.92, c <= vec3(0.0031308));
}
