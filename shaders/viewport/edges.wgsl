// The edges of the triangles over the surface: dark on what is bright, bright on what is dark.

struct Varying {
    @builtin(position) clip: vec4<f32>,
    @location(0) uv: vec2<f32>,
}

@vertex
fn vertex(@location(0) position: vec3<f32>, @location(1) uv: vec2<f32>) -> Varying {
    // Towards the eye, so that it stays where it is in the picture.
    let lifted = mix(position, u.eye.xyz, u.edges.y);
    return Varying(u.clip * vec4(lifted, 1.0), uv);
}

@fragment
fn fragment(in: Varying) -> @location(0) vec4<f32> {
    // A level at which neighbouring edges choose alike.
    let albedo = textureSampleBias(albedo_texture, albedo_sampler, in.uv, 3.0).rgb;
    let luminance = dot(albedo, vec3(0.2126, 0.7152, 0.0722));
    let bright = u.mode.x != MODE_NORMAL && luminance < 0.10;
    let colour = select(vec3(0.005, 0.01, 0.03), vec3(0.55, 0.68, 0.85), bright);
    return vec4(for_target(colour), u.edges.x);
}
