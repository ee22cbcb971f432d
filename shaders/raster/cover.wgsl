// Marks the pixels that see the surface, to be compacted by a prefix sum.

@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> flags: array<u32>;

@compute @workgroup_size(64)
fn flag_covered(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let pixel = thread_index(id, groups);
    if (pixel >= pixel_count()) {
        return;
    }
    flags[pixel] = min(1u, ids[id_slot(place(pixel))]);
}
