// Adjoint of the network for one batch of evaluations. What the weight gradients need
// goes onto a tape; the gradient of the encoding stays for the scatter.

@group(0) @binding(0) var<uniform> evaluation: Evaluation;
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, MLP_VECTORS>;
@group(0) @binding(2) var<storage, read> encodings: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> value_gradients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> encoding_gradients: array<vec4<f32>>;
// Largest magnitude of each level's gradients and, last, of the outputs', as bits: for positive floats these
// order like the numbers, and a NaN beats them all.
@group(0) @binding(5) var<storage, read_write> maxima: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> tape: array<vec4<f32>>;

fn note_maximum(level: u32, magnitude: f32) {
    let bits = bitcast<u32>(magnitude);
    if (bits > atomicLoad(&maxima[level])) {
        atomicMax(&maxima[level], bits);
    }
}

@compute @workgroup_size(64)
fn network_adjoint(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let slot = thread_index(id, groups);
    if (slot >= evaluation.count) {
        return;
    }
    let e = evaluation.first + slot;
    let d_out = value_gradients[e];
    let d = pull_back(kept_encoding(e), d_out, slot);
    keep_gradient(e, d);
    note_maxima(d);
    // Sums rather than maxima of components: they cannot hide a NaN.
    note_maximum(LEVELS, dot(abs(d_out), vec4<f32>(1.0)));
}
