// Exclusive prefix sum in three passes: sums of blocks of 256, one workgroup over
// those sums, then the values of each block. No atomics, so the result has one order.

struct Scan {
    count: u32,
    blocks: u32,
    pad0: u32,
    pad1: u32,
}

const BLOCK: u32 = 256u;

@group(0) @binding(0) var<uniform> scan: Scan;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(4) var<storage, read_write> total: array<u32>;

@compute @workgroup_size(64)
fn sum_blocks(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let block = id.x + id.y * groups.x * 64u;
    if (block >= scan.blocks) {
        return;
    }
    let end = min((block + 1u) * BLOCK, scan.count);
    var sum = 0u;
    for (var i = block * BLOCK; i < end; i++) {
        sum += values[i];
    }
    sums[block] = sum;
}

var<workgroup> strips: array<u32, 64>;

@compute @workgroup_size(64)
fn scan_sums(@builtin(local_invocation_index) lane: u32) {
    let strip = (scan.blocks + 63u) / 64u;
    let begin = min(lane * strip, scan.blocks);
    let end = min(begin + strip, scan.blocks);
    var sum = 0u;
    for (var i = begin; i < end; i++) {
        sum += sums[i];
    }
    strips[lane] = sum;
    workgroupBarrier();
    var before = 0u;
    for (var i = 0u; i < lane; i++) {
        before += strips[i];
    }
    for (var i = begin; i < end; i++) {
        let s = sums[i];
        sums[i] = before;
        before += s;
    }
    if (lane == 63u) {
        total[0] = before;
        offsets[scan.count] = before;
    }
}

@compute @workgroup_size(64)
fn write_offsets(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let block = id.x + id.y * groups.x * 64u;
    if (block >= scan.blocks) {
        return;
    }
    let end = min((block + 1u) * BLOCK, scan.count);
    var before = sums[block];
    for (var i = block * BLOCK; i < end; i++) {
        offsets[i] = before;
        before += values[i];
    }
}
