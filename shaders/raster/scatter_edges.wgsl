// Adds the gradients of silhouette edges to their ends.

@group(0) @binding(1) var<storage, read> triangles: array<u32>;
@group(0) @binding(2) var<storage, read> pairs: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> edge_gradients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> maxima: array<u32>;
@group(0) @binding(5) var<storage, read_write> limbs: array<atomic<u32>>;

fn next(h: u32) -> u32 {
    return select(h + 1u, h - 2u, h % 3u == 2u);
}

@compute @workgroup_size(64)
fn scatter_edges(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let index = thread_index(id, groups);
    if (index >= 2u * pixel_count()) {
        return;
    }
    let pair = pairs[index];
    if (pair.x == 0u) {
        return;
    }
    let scale = power_of_two(scale_exponent(maxima[0]));
    add_vector(6u * triangles[pair.x - 1u], edge_gradients[2u * index].xyz * scale);
    add_vector(6u * triangles[next(pair.x - 1u)], edge_gradients[2u * index + 1u].xyz * scale);
}
