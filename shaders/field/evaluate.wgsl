// The field at a list of points: encoding, network, prior.

@group(0) @binding(0) var<uniform> evaluation: Evaluation;
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, MLP_VECTORS>;
@group(0) @binding(2) var<storage, read> table: array<Features>;
@group(0) @binding(3) var<storage, read> distances: array<f32>;
@group(0) @binding(4) var<storage, read> samples: array<vec4<f32>>;
// Density logit with the prior, albedo.
@group(0) @binding(5) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> encodings: array<vec4<f32>>;

override keep_encodings: bool = true;

@compute @workgroup_size(64)
fn evaluate(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= evaluation.count) {
        return;
    }
    let e = evaluation.first + k;
    let p = evaluation_point(e);
    let x = encode(unit_cube(p));
    if (keep_encodings) {
        keep_encoding(e, x);
    }
    let raw = network(x);
    values[e] = vec4<f32>(raw.x + prior_logit(p, evaluation.prior_weight), sigmoid3(raw.yzw));
}
