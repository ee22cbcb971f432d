// A change of colours that only some places see: its logits, times the place's mask, are added
// to those of the colours below.

struct Local {
    count: u32,
    // Nodes of the mask a side.
    side: u32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<uniform> local: Local;
@group(0) @binding(1) var<storage, read> mask: array<f32>;
@group(0) @binding(2) var<storage, read> points: array<vec4<f32>>;
// Colours in yzw.
@group(0) @binding(3) var<storage, read> below: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> change: array<vec4<f32>>;

// A sigmoid in single precision reaches 0 and 1.
const EDGE: f32 = 1e-6;

fn within(color: vec3<f32>) -> vec3<f32> {
    return clamp(color, vec3<f32>(EDGE), vec3<f32>(1.0 - EDGE));
}

fn logit(color: vec3<f32>) -> vec3<f32> {
    let c = within(color);
    return log(c) - log(1.0 - c);
}

// The mask at a point, and its slope.
fn mask_at(p: vec3<f32>) -> vec4<f32> {
    let last = f32(local.side - 1u);
    let q = clamp(0.5 * p + 0.5, vec3<f32>(0.0), vec3<f32>(1.0)) * last;
    let base = min(floor(q), vec3<f32>(last - 1.0));
    let f = q - base;
    let b = vec3<u32>(base);
    let i = (b.z * local.side + b.y) * local.side + b.x;
    let j = i + local.side * local.side;
    let near = vec4<f32>(mask[i], mask[i + 1u], mask[i + local.side], mask[i + local.side + 1u]);
    let far = vec4<f32>(mask[j], mask[j + 1u], mask[j + local.side], mask[j + local.side + 1u]);
    let plane = mix(near, far, f.z);
    let row = mix(plane.xy, plane.zw, f.y);
    let across = plane.yw - plane.xz;
    let deep = far - near;
    let deep_row = mix(deep.xy, deep.zw, f.y);
    let slope = vec3<f32>(
        mix(across.x, across.y, f.y),
        mix(plane.z - plane.x, plane.w - plane.y, f.x),
        mix(deep_row.x, deep_row.y, f.x),
    );
    // Points outside the cube stick to its sides.
    let inside = select(vec3<f32>(0.0), vec3<f32>(0.5 * last), abs(p) <= vec3<f32>(1.0));
    return vec4<f32>(slope * inside, mix(row.x, row.y, f.x));
}

// The changed colour; exactly the one below where nothing changes it.
fn changed(color: vec3<f32>, by: vec3<f32>) -> vec3<f32> {
    return select(sigmoid3(logit(color) + by), color, by == vec3<f32>(0.0));
}
