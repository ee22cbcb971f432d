// Which half-edges of a mesh lie back to back. Half-edge 3 t + k runs from corner k of
// triangle t to the next one.

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> triangles: array<u32>;
// Half-edge + 1 that holds a slot, 0 where it is free.
@group(0) @binding(2) var<storage, read_write> table: array<atomic<u32>>;
// The half-edge on the other side + 1, 0 at a border.
@group(0) @binding(3) var<storage, read_write> partner: array<u32>;
// The first half-edge that leaves each vertex.
@group(0) @binding(4) var<storage, read_write> first: array<atomic<u32>>;

fn next(h: u32) -> u32 {
    return select(h + 1u, h - 2u, h % 3u == 2u);
}

fn ends(h: u32) -> vec2<u32> {
    let a = triangles[h];
    let b = triangles[next(h)];
    return vec2<u32>(min(a, b), max(a, b));
}

// Two half-edges of a closed manifold share an edge: whichever comes second finds the
// other, so the outcome does not depend on their order.
@compute @workgroup_size(64)
fn pair_half_edges(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let h = thread_index(id, groups);
    if (h >= 3u * size.triangles) {
        return;
    }
    atomicMin(&first[triangles[h]], h);
    let mine = ends(h);
    var slot = scramble(mine.x ^ scramble(mine.y)) & size.mask;
    loop {
        let claim = atomicCompareExchangeWeak(&table[slot], 0u, h + 1u);
        if (claim.exchanged) {
            return;
        }
        if (claim.old_value == 0u) {
            continue;
        }
        let other = claim.old_value - 1u;
        if (all(ends(other) == mine)) {
            partner[h] = other + 1u;
            partner[other] = h + 1u;
            return;
        }
        slot = (slot + 1u) & size.mask;
    }
}
