// Marching with a fixed step through the occupied cells: one pass counts, a second
// writes the samples at the offsets that the prefix sum found.

struct March {
    rays: u32,
    // The first ray of this batch among all rays of the views.
    first: u32,
    pixels: u32,
    max_steps: u32,
    key: vec2<u32>,
    jitter: u32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> march: March;
@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> occupied: array<u32>;
@group(0) @binding(3) var<storage, read> estimate: array<f32>;
@group(0) @binding(4) var<storage, read_write> counts: array<u32>;
@group(0) @binding(5) var<storage, read> offsets: array<u32>;
@group(0) @binding(6) var<storage, read_write> samples: array<vec4<f32>>;

fn cell_index(p: vec3<f32>) -> u32 {
    let x = clamp((p + 1.0) * (0.5 * f32(OCCUPANCY)), vec3<f32>(0.0), vec3<f32>(f32(OCCUPANCY) - 1.0));
    let c = vec3<u32>(x);
    return c.x + OCCUPANCY * (c.y + OCCUPANCY * c.z);
}

fn is_occupied(cell: u32) -> bool {
    return ((occupied[cell >> 5u] >> (cell & 31u)) & 1u) == 1u;
}

fn start_offset(ray: u32) -> f32 {
    return select(0.5, uniform_at(march.key, ray), march.jitter == 1u);
}

@compute @workgroup_size(64)
fn count_samples(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= march.rays) {
        return;
    }
    let ray = march.first + k;
    let view = views[ray / march.pixels];
    let origin = view.position.xyz;
    let direction = ray_direction(view, ray % march.pixels);
    let interval = cube_interval(origin, direction);
    let start = start_offset(ray);
    var n = 0u;
    var depth = 0.0;
    for (var i = 0u; i < march.max_steps; i++) {
        let t = interval.x + (f32(i) + start) * STEP;
        if (t >= interval.y) {
            break;
        }
        let cell = cell_index(origin + t * direction);
        if (is_occupied(cell)) {
            n++;
            if (CULL_DEPTH > 0.0) {
                depth += estimate[cell] * STEP;
                if (depth > CULL_DEPTH) {
                    break;
                }
            }
        }
    }
    counts[k] = n;
}

@compute @workgroup_size(64)
fn write_samples(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = thread_index(id, groups);
    if (k >= march.rays) {
        return;
    }
    let ray = march.first + k;
    let view = views[ray / march.pixels];
    let origin = view.position.xyz;
    let direction = ray_direction(view, ray % march.pixels);
    let interval = cube_interval(origin, direction);
    let start = start_offset(ray);
    var slot = offsets[k];
    let end = offsets[k + 1u];
    for (var i = 0u; i < march.max_steps; i++) {
        let t = interval.x + (f32(i) + start) * STEP;
        if (t >= interval.y || slot >= end) {
            break;
        }
        let p = origin + t * direction;
        if (is_occupied(cell_index(p))) {
            samples[slot] = vec4<f32>(p, t);
            slot++;
        }
    }
    // A driver may round the two passes differently at a cell's face: what is then
    // missing is marked and counts as empty.
    for (; slot < end; slot++) {
        samples[slot] = vec4<f32>(0.0, 0.0, 0.0, -1.0);
    }
}
