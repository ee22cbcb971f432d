// The largest magnitude in a list of vectors, as bits: it sets the scale of fixed-point sums. For positive floats these order like
// the numbers, and a NaN beats them all.

struct List {
    count: u32,
    // Which maximum.
    slot: u32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<uniform> list: List;
@group(0) @binding(1) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> maxima: array<atomic<u32>>;

@compute @workgroup_size(64)
fn note_maximum(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= list.count) {
        return;
    }
    // A sum rather than a maximum of components: it cannot hide a NaN.
    let bits = bitcast<u32>(dot(abs(vectors[k].xyz), vec3<f32>(1.0)));
    if (bits > atomicLoad(&maxima[list.slot])) {
        atomicMax(&maxima[list.slot], bits);
    }
}
