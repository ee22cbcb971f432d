// Walks over the triangles round a vertex, always in the same order. Needs the buffers
// `triangles`, `partner` and `first`.

const NONE: u32 = 0xffffffffu;

fn next(h: u32) -> u32 {
    return select(h + 1u, h - 2u, h % 3u == 2u);
}

fn previous(h: u32) -> u32 {
    return select(h - 1u, h + 2u, h % 3u == 0u);
}

// A half-edge that leaves the vertex, and whether the walk has turned back at a border.
struct Step {
    half_edge: u32,
    backward: bool,
}

fn ring_start(vertex: u32) -> Step {
    return Step(first[vertex], false);
}

// The next triangle round the vertex; NONE at the end.
fn ring_step(start: u32, at: Step) -> Step {
    var h = at.half_edge;
    if (!at.backward) {
        let onward = partner[previous(h)];
        if (onward != 0u) {
            return Step(select(onward - 1u, NONE, onward - 1u == start), false);
        }
        h = start;
    }
    let other = partner[h];
    if (other == 0u) {
        return Step(NONE, true);
    }
    return Step(next(other - 1u), true);
}
