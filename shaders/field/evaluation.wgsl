// What one launch over field evaluations needs to know. Evaluations beyond the
// samples are probes: four round each sample, for normals.

struct Evaluation {
    // Evaluations of this launch, and the first of them.
    count: u32,
    first: u32,
    samples: u32,
    // Distance between blocks of four features in the encoding buffers.
    stride: u32,
    prior_weight: f32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}
