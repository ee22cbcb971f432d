// Antialiasing along silhouettes, forward and adjoint; see silhouette.wgsl.

@group(0) @binding(1) var<storage, read> pairs: array<vec4<u32>>;
// Colours before, or gradients of those after.
@group(0) @binding(2) var<storage, read> before: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> after: array<vec4<f32>>;

// Whether gradients are taken back, or colours forward.
override backward: bool = false;

// What a pair adds to one of its pixels: `is_first` if that is the pair's own pixel.
fn taken(pair: vec4<u32>, is_first: bool, own: vec4<f32>, other: vec4<f32>) -> vec4<f32> {
    let neighbour_gives = (pair.y & 2u) != 0u;
    return select(vec4<f32>(0.0), bitcast<f32>(pair.z) * (other - own), neighbour_gives == is_first);
}

// The same for gradients: the giver has a share in the taker's, which loses it.
fn given(pair: vec4<u32>, is_first: bool, own: vec4<f32>, other: vec4<f32>) -> vec4<f32> {
    let neighbour_gives = (pair.y & 2u) != 0u;
    return bitcast<f32>(pair.z) * select(other, -own, neighbour_gives == is_first);
}

fn share(pair: vec4<u32>, is_first: bool, own: vec4<f32>, other: vec4<f32>) -> vec4<f32> {
    if (backward) {
        return given(pair, is_first, own, other);
    }
    return taken(pair, is_first, own, other);
}

@compute @workgroup_size(64)
fn blend(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let pixel = thread_index(id, groups);
    if (pixel >= pixel_count()) {
        return;
    }
    let own = before[pixel];
    var sum = own;
    let at = place(pixel);
    // A pair without a silhouette has the weight 0; beyond the border there is none.
    if (at.x + 1u < frame.width) {
        sum += share(pairs[2u * pixel], true, own, before[pixel + 1u]);
    }
    if (at.y + 1u < frame.height) {
        sum += share(pairs[2u * pixel + 1u], true, own, before[pixel + frame.width]);
    }
    if (at.x > 0u) {
        sum += share(pairs[2u * (pixel - 1u)], false, own, before[pixel - 1u]);
    }
    if (at.y > 0u) {
        sum += share(pairs[2u * (pixel - frame.width) + 1u], false, own, before[pixel - frame.width]);
    }
    after[pixel] = sum;
}
