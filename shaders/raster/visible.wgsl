// Which triangle each pixel's centre sees: 1 + its number.

struct Clip {
    matrix: mat4x4<f32>,
}

@group(0) @binding(0) var<uniform> clip: Clip;
@group(0) @binding(1) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> triangles: array<u32>;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) triangle: u32,
}

@vertex
fn corner(@builtin(vertex_index) index: u32) -> Corner {
    let p = positions[triangles[index]].xyz;
    return Corner(clip.matrix * vec4<f32>(p, 1.0), index / 3u + 1u);
}

@fragment
fn number(in: Corner) -> @location(0) u32 {
    return in.triangle;
}
