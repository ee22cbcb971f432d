// Where along an edge the interpolated distance is zero. Differences below SMALLEST count as that: the position stays
// between the ends, and its slope stays bounded.

const SMALLEST: f32 = 1e-4;

fn span(a: f32, b: f32) -> f32 {
    let d = a - b;
    return select(min(d, -SMALLEST), max(d, SMALLEST), d >= 0.0);
}

fn crossing(a: f32, b: f32) -> f32 {
    return a / span(a, b);
}
