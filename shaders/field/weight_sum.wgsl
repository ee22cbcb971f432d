// Adds the stripes of each weight vector, always in the same order, to the gradient.

@group(0) @binding(0) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn weight_sum(@builtin(global_invocation_id) id: vec3<u32>) {
    let vector = id.x;
    if (vector >= MLP_VECTORS) {
        return;
    }
    var sum = vec4<f32>(0.0);
    for (var s = 0u; s < STRIPES; s++) {
        sum += partials[vector * STRIPES + s];
    }
    let i = GRID_FLOATS + 4u * vector;
    gradient[i] += sum.x;
    gradient[i + 1u] += sum.y;
    gradient[i + 2u] += sum.z;
    gradient[i + 3u] += sum.w;
}
