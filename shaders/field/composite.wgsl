// Front-to-back compositing of one ray, forward and adjoint.

struct Composite {
    rays: u32,
    first: u32,
    pixels: u32,
    // All samples of the batch: probes follow them.
    samples: u32,
    normals: u32,
    // Regularisers, already divided by what they average over.
    entropy: f32,
    orientation: f32,
    binarise: f32,
}

@group(0) @binding(0) var<uniform> composite: Composite;
@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<vec4<f32>>;

// Outward normal from the density logits round a sample: minus the normalised gradient.
struct Normal {
    n: vec3<f32>,
    inverse_length: f32,
    // 0 where the gradient is too small to have a direction.
    bent: f32,
}

const SMALLEST_GRADIENT: f32 = 1e-4;

fn normal_at(i: u32) -> Normal {
    let base = composite.samples + 4u * i;
    var g = vec3<f32>(0.0);
    for (var j = 0u; j < 4u; j++) {
        g += probe_corner(j) * values[base + j].x;
    }
    g /= 4.0 * NORMAL_EPSILON;
    let size = length(g);
    let inverse_length = 1.0 / max(size, SMALLEST_GRADIENT);
    return Normal(-g * inverse_length, inverse_length, select(0.0, 1.0, size > SMALLEST_GRADIENT));
}

// Entropy in bits of a sample's weight, and its slope.
fn weight_entropy(w: f32) -> f32 {
    let x = clamp(w, 1e-5, 1.0 - 1e-5);
    return -x * log2(x) - (1.0 - x) * log2(1.0 - x);
}

fn weight_entropy_slope(w: f32) -> f32 {
    if (w < 1e-5 || w > 1.0 - 1e-5) {
        return 0.0;
    }
    return log2((1.0 - w) / w);
}
