// Draws a textured triangle mesh for src/render/mesh.rs.

struct Uniforms {
    clip: mat4x4<f32>,
    // World to camera rotation: rows right, up, backward.
    right: vec4<f32>,
    up: vec4<f32>,
    backward: vec4<f32>,
    // Camera position; w: depth of the world origin along the viewing direction.
    eye: vec4<f32>,
    // Direction to the light of the view; w: its ambient share.
    light: vec4<f32>,
    // x: what to draw (the KIND constants).
    kind: vec4<u32>,
}

const KIND_SHADED: u32 = 0u;
const KIND_LIT: u32 = 1u;
const KIND_ALBEDO: u32 = 2u;
const KIND_NORMAL: u32 = 3u;
const KIND_DEPTH: u32 = 4u;

@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var albedo_texture: texture_2d<f32>;
@group(0) @binding(2) var albedo_sampler: sampler;

struct Varying {
    @builtin(position) clip: vec4<f32>,
    @location(0) world: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) uv: vec2<f32>,
}

@vertex
fn vertex(
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) uv: vec2<f32>,
) -> Varying {
    return Varying(u.clip * vec4(position, 1.0), position, normal, uv);
}

@fragment
fn fragment(in: Varying) -> @location(0) vec4<f32> {
    let albedo = textureSampleLevel(albedo_texture, albedo_sampler, in.uv, 0.0).rgb;
    let n = normalize(in.normal);
    let n_camera = vec3(dot(n, u.right.xyz), dot(n, u.up.xyz), dot(n, u.backward.xyz));
    let ray = in.world - u.eye.xyz;
    switch u.kind.x {
        case KIND_SHADED: {
            let v = -normalize(ray);
            let view = vec3(dot(v, u.right.xyz), dot(v, u.up.xyz), dot(v, u.backward.xyz));
            let lit =
                studio(srgb_to_linear(albedo), n_camera, view, 0.5 + 0.5 * n.y, studio_key());
            return vec4(lit, 1.0);
        }
        case KIND_LIT: {
            let shade = u.light.w + (1.0 - u.light.w) * max(dot(n, u.light.xyz), 0.0);
            return vec4(albedo * shade, 1.0);
        }
        case KIND_ALBEDO: {
            return vec4(albedo, 1.0);
        }
        case KIND_NORMAL: {
            return vec4(0.5 + 0.5 * n_camera, 1.0);
        }
        case KIND_DEPTH: {
            let depth = -dot(ray, u.backward.xyz);
            return vec4(vec3(clamp(0.5 + 0.5 * (u.eye.w - depth), 0.0, 1.0)), 1.0);
        }
        default: {
            return vec4(1.0);
        }
    }
}
