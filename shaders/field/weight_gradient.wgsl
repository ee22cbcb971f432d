// Weight gradients from the tape: each thread owns an 8 x 8 tile of one layer and
// every STRIPES-th evaluation; a second kernel adds the stripes in a fixed order.

@group(0) @binding(0) var<uniform> evaluation: Evaluation;
// Three vectors a tile: tape blocks (inputs 2, deltas 2), weight vectors (for delta 0
// and inputs 0, 1; for delta 1 and inputs 0, 1), bias vectors (2). ABSENT where the
// layer ends.
@group(0) @binding(1) var<uniform> tiles: array<vec4<u32>, TILE_VECTORS>;
@group(0) @binding(2) var<storage, read> tape: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<f32>>;

const ABSENT: u32 = 0xffffffffu;

fn keep(vector: u32, stripe: u32, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) {
    if (vector != ABSENT) {
        partials[vector * STRIPES + stripe] = a;
        partials[(vector + 1u) * STRIPES + stripe] = b;
        partials[(vector + 2u) * STRIPES + stripe] = c;
        partials[(vector + 3u) * STRIPES + stripe] = d;
    }
}

@compute @workgroup_size(64)
fn weight_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
    let stripe = id.x;
    let source = tiles[3u * id.z];
    var p0 = vec4<f32>(0.0); var p1 = vec4<f32>(0.0); var p2 = vec4<f32>(0.0); var p3 = vec4<f32>(0.0);
    var q0 = vec4<f32>(0.0); var q1 = vec4<f32>(0.0); var q2 = vec4<f32>(0.0); var q3 = vec4<f32>(0.0);
    var r0 = vec4<f32>(0.0); var r1 = vec4<f32>(0.0); var r2 = vec4<f32>(0.0); var r3 = vec4<f32>(0.0);
    var s0 = vec4<f32>(0.0); var s1 = vec4<f32>(0.0); var s2 = vec4<f32>(0.0); var s3 = vec4<f32>(0.0);
    var b0 = vec4<f32>(0.0); var b1 = vec4<f32>(0.0);
    let at = source * TAPE_STRIDE;
    for (var e = stripe; e < evaluation.count; e += STRIPES) {
        let x = tape[at.x + e];
        let y = tape[at.y + e];
        let d = tape[at.z + e];
        let f = tape[at.w + e];
        p0 += d * x.x; p1 += d * x.y; p2 += d * x.z; p3 += d * x.w;
        q0 += d * y.x; q1 += d * y.y; q2 += d * y.z; q3 += d * y.w;
        r0 += f * x.x; r1 += f * x.y; r2 += f * x.z; r3 += f * x.w;
        s0 += f * y.x; s1 += f * y.y; s2 += f * y.z; s3 += f * y.w;
        b0 += d; b1 += f;
    }
    let matrices = tiles[3u * id.z + 1u];
    keep(matrices.x, stripe, p0, p1, p2, p3);
    keep(matrices.y, stripe, q0, q1, q2, q3);
    keep(matrices.z, stripe, r0, r1, r2, r3);
    keep(matrices.w, stripe, s0, s1, s2, s3);
    let biases = tiles[3u * id.z + 2u];
    if (biases.x != ABSENT) {
        partials[biases.x * STRIPES + stripe] = b0;
    }
    if (biases.y != ABSENT) {
        partials[biases.y * STRIPES + stripe] = b1;
    }
}
