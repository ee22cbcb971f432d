// Draws a coloured mesh with Lambertian light; eyes are painted here, by angle
// from the gaze, so that iris and pupil stay round at any size.

struct View {
    clip: mat4x4f,
    camera_x: vec4f,
    camera_y: vec4f,
    camera_z: vec4f,
    light: vec4f,
    sclera: vec4f,
    iris: vec4f,
    pupil: vec4f,
}

@group(0) @binding(0) var<uniform> view: View;

struct Varying {
    @builtin(position) clip: vec4f,
    @location(0) normal: vec3f,
    @location(1) albedo: vec3f,
    @location(2) gaze: vec3f,
}

@vertex
fn vertex(
    @location(0) position: vec3f,
    @location(1) normal: vec3f,
    @location(2) albedo: vec3f,
    @location(3) gaze: vec3f,
) -> Varying {
    var out: Varying;
    out.clip = view.clip * vec4f(position, 1.0);
    out.normal = normal;
    out.albedo = albedo;
    out.gaze = gaze;
    return out;
}

const IRIS = 0.54; // radians
const PUPIL = 0.235;

fn eye(gaze: vec3f) -> vec3f {
    let g = normalize(gaze);
    let angle = acos(clamp(g.z, -1.0, 1.0));
    let white = view.sclera.rgb * (1.0 - 0.22 * smoothstep(0.75, 1.3, angle));
    let limbus = 1.0 - 0.45 * smoothstep(0.80 * IRIS, IRIS, angle);
    let iris = view.iris.rgb * limbus;
    let coloured = mix(iris, white, smoothstep(IRIS - 0.03, IRIS + 0.03, angle));
    let painted = mix(view.pupil.rgb, coloured, smoothstep(PUPIL - 0.03, PUPIL + 0.03, angle));
    // The upper lid's shadow.
    return painted * (1.0 - 0.35 * smoothstep(0.12, 0.42, g.y));
}

@fragment
fn fragment(in: Varying) -> @location(0) vec4f {
    var albedo = in.albedo;
    if dot(in.gaze, in.gaze) > 0.1 {
        albedo = eye(in.gaze);
    }
    let normal = normalize(in.normal);
    let ambient = view.light.w;
    let shade = ambient + (1.0 - ambient) * max(0.0, dot(normal, view.light.xyz));
    return vec4f(clamp(albedo * shade, vec3f(0.0), vec3f(1.0)), 1.0);
}
