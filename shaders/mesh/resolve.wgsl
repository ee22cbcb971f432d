// Box-filters a supersampled picture down for src/render/mesh.rs.

struct Resolve {
    // Samples along a pixel's side.
    factor: u32,
    // 1: the samples are linear light and the result is sRGB-encoded.
    encode: u32,
    pad: vec2<u32>,
}

@group(0) @binding(0) var<uniform> u: Resolve;
@group(0) @binding(1) var samples: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle over the whole picture.
    let corner = vec2(f32(index & 1u), f32(index >> 1u));
    return vec4(corner * 4.0 - 1.0, 0.0, 1.0);
}

fn linear_to_srgb(c: vec3<f32>) -> vec3<f32> {
    let low = c * 12.92;
    let high = 1.055 * pow(max(c, vec3(0.0)), vec3(1.0 / 2.4)) - 0.055;
    return select(high, low, c <= vec3(0.0031308));
}

@fragment
fn fragment(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let corner = vec2<u32>(at.xy) * u.factor;
    var sum = vec4(0.0);
    for (var y = 0u; y < u.factor; y++) {
        for (var x = 0u; x < u.factor; x++) {
            sum += textureLoad(samples, corner + vec2(x, y), 0);
        }
    }
    var mean = clamp(sum / f32(u.factor * u.factor), vec4(0.0), vec4(1.0));
    if u.encode == 1u {
        mean = vec4(linear_to_srgb(mean.rgb), mean.a);
    }
    return mean;
}
