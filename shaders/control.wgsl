// Dense control maps of the bare prior: normals, canonical places, silhouette,
// shade and region masks, in four targets.

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
    @location(1) canonical: vec3f,
    @location(2) upper: vec4f,
    @location(3) lower: vec3f,
    @location(4) gaze: vec3f,
}

@vertex
fn vertex(
    @location(0) position: vec3f,
    @location(1) normal: vec3f,
    @location(2) canonical: vec3f,
    @location(3) upper: vec4f,
    @location(4) lower: vec3f,
    @location(5) gaze: vec3f,
) -> Varying {
    var out: Varying;
    out.clip = view.clip * vec4f(position, 1.0);
    out.normal = normal;
    out.canonical = canonical;
    out.upper = upper;
    out.lower = lower;
    out.gaze = gaze;
    return out;
}

struct Maps {
    @location(0) normal: vec4f,    // camera-space normal, silhouette
    @location(1) canonical: vec4f, // place on the mean head, shade
    @location(2) upper: vec4f,     // scalp, brows, eyes, nose
    @location(3) lower: vec4f,     // lips, jaw, ears
}

const IRIS = 0.54; // radians, as in studio.wgsl
const PUPIL = 0.235;

@fragment
fn fragment(in: Varying) -> Maps {
    let n = normalize(in.normal);
    let ambient = view.light.w;
    let shade = ambient + (1.0 - ambient) * max(0.0, dot(n, view.light.xyz));
    let turned = vec3f(dot(view.camera_x.xyz, n), dot(view.camera_y.xyz, n), dot(view.camera_z.xyz, n));
    var upper = in.upper;
    if dot(in.gaze, in.gaze) > 0.1 {
        let angle = acos(clamp(normalize(in.gaze).z, -1.0, 1.0));
        let iris = 1.0 - smoothstep(IRIS - 0.03, IRIS + 0.03, angle);
        let pupil = 1.0 - smoothstep(PUPIL - 0.03, PUPIL + 0.03, angle);
        upper.z = 0.3 + 0.35 * iris + 0.35 * pupil;
    }
    var out: Maps;
    out.normal = vec4f(0.5 + 0.5 * turned, 1.0);
    out.canonical = vec4f(0.5 + 0.5 * in.canonical, shade);
    out.upper = upper;
    out.lower = vec4f(in.lower, 0.0);
    return out;
}
