// Turns the fixed-point sums of one level into floats, adds them to the gradient and
// clears the sums.

struct Level {
    index: u32,
    resolution: u32,
    offset: u32,
    mask: u32,
    block: u32,
    lane: u32,
    entries: u32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> level: Level;
@group(0) @binding(1) var<storage, read> maxima: array<u32>;
@group(0) @binding(2) var<storage, read_write> low: array<u32>;
@group(0) @binding(3) var<storage, read_write> high: array<i32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn gather_gradient(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= level.entries * FEATURES) {
        return;
    }
    let i = level.offset * FEATURES + k;
    let l = low[i];
    let h = high[i];
    if (l == LOW_START && h == 0) {
        return;
    }
    let units = f32(h) * 4294967296.0 + f32(bitcast<i32>(l ^ LOW_START));
    let exponent = scale_exponent(maxima[level.index]);
    // In two steps: the inverse of the largest scale is below the normal range.
    let half = exponent / 2;
    gradient[i] += units * power_of_two(-half) * power_of_two(half - exponent);
    low[i] = LOW_START;
    high[i] = 0;
}
