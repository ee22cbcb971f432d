// The surface of the head.

struct Varying {
    @builtin(position) clip: vec4<f32>,
    @location(0) world: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) uv: vec2<f32>,
    @location(3) color: vec3<f32>,
}

@vertex
fn vertex(
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) uv: vec2<f32>,
    @location(3) color: vec4<f32>,
) -> Varying {
    return Varying(u.clip * vec4(position, 1.0), position, normal, uv, color.rgb);
}

@fragment
fn fragment(in: Varying) -> @location(0) vec4<f32> {
    let texel = textureSample(albedo_texture, albedo_sampler, in.uv).rgb;
    let albedo = texel * srgb_to_linear(in.color);
    let n = normalize(in.normal);
    let n_camera = vec3(dot(n, u.right.xyz), dot(n, u.up.xyz), dot(n, u.backward.xyz));
    var light = albedo;
    if u.mode.x == MODE_NORMAL {
        light = srgb_to_linear(0.5 + 0.5 * n_camera);
    } else if u.mode.x == MODE_SHADED {
        let v = normalize(u.eye.xyz - in.world);
        let view = vec3(dot(v, u.right.xyz), dot(v, u.up.xyz), dot(v, u.backward.xyz));
        light = studio(albedo, n_camera, view, 0.5 + 0.5 * n.y, u.key.xyz);
    }
    return vec4(for_target(light), 1.0);
}
