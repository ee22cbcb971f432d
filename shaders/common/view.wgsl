// A view with the one right-handed camera (`render::camera::Camera`).

struct View {
    position: vec4<f32>,
    right: vec4<f32>,
    up: vec4<f32>,
    forward: vec4<f32>,
    background: vec4<f32>,
    // Direction towards the light and the ambient share.
    light: vec4<f32>,
    // Focal length in pixels, width, height, appearance (0 flat, 1 Lambertian, 2 normals).
    frame: vec4<f32>,
}

const APPEARANCE_FLAT: f32 = 0.0;
const APPEARANCE_NORMALS: f32 = 2.0;

fn shade(view: View, albedo: vec3<f32>, n: vec3<f32>) -> vec3<f32> {
    if (view.frame.w == APPEARANCE_FLAT) {
        return albedo;
    }
    if (view.frame.w == APPEARANCE_NORMALS) {
        return 0.5 + 0.5 * n;
    }
    let lit = view.light.w + (1.0 - view.light.w) * max(0.0, dot(n, view.light.xyz));
    return albedo * lit;
}

// The gradients of `shade`'s albedo and normal.
struct Unshaded {
    albedo: vec3<f32>,
    normal: vec3<f32>,
}

fn shade_adjoint(view: View, albedo: vec3<f32>, n: vec3<f32>, d: vec3<f32>) -> Unshaded {
    if (view.frame.w == APPEARANCE_FLAT) {
        return Unshaded(d, vec3<f32>(0.0));
    }
    if (view.frame.w == APPEARANCE_NORMALS) {
        return Unshaded(vec3<f32>(0.0), 0.5 * d);
    }
    let facing = dot(n, view.light.xyz);
    let lit = view.light.w + (1.0 - view.light.w) * max(0.0, facing);
    let turned = select(0.0, (1.0 - view.light.w) * dot(d, albedo), facing > 0.0);
    return Unshaded(d * lit, turned * view.light.xyz);
}
