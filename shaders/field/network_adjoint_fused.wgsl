// Adjoint of a small network. Each thread takes every STRIPES-th evaluation and keeps
// the sums of the weight gradients in registers; a second kernel adds the threads' sums
// in a fixed order.

@group(0) @binding(0) var<uniform> evaluation: Evaluation;
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, MLP_VECTORS>;
@group(0) @binding(2) var<storage, read> encodings: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> value_gradients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> encoding_gradients: array<vec4<f32>>;
// As in network_adjoint.wgsl.
@group(0) @binding(5) var<storage, read_write> maxima: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> partials: array<vec4<f32>>;

var<private> sums: array<vec4<f32>, MLP_VECTORS>;

fn note_maximum(level: u32, magnitude: f32) {
    let bits = bitcast<u32>(magnitude);
    if (bits > atomicLoad(&maxima[level])) {
        atomicMax(&maxima[level], bits);
    }
}

@compute @workgroup_size(64)
fn network_adjoint(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var e = id.x; e < evaluation.count; e += STRIPES) {
        let d_out = value_gradients[e];
        let d = pull_back(kept_encoding(e), d_out, e);
        keep_gradient(e, d);
        note_maxima(d);
        // Sums rather than maxima of components: they cannot hide a NaN.
        note_maximum(LEVELS, dot(abs(d_out), vec4<f32>(1.0)));
    }
    keep_sums(id.x);
}
