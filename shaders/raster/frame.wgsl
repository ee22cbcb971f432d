// The pixels of one draw, view after view, row by row.

struct Frame {
    width: u32,
    height: u32,
    views: u32,
    // Numbers of triangles in a row of `ids`, which is padded.
    stride: u32,
    // Pixels that see the surface.
    covered: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;

fn pixel_count() -> u32 {
    return frame.width * frame.height * frame.views;
}

// Column, row, view.
fn place(pixel: u32) -> vec3<u32> {
    let row = pixel / frame.width;
    return vec3<u32>(pixel % frame.width, row % frame.height, row / frame.height);
}

fn id_slot(at: vec3<u32>) -> u32 {
    return (at.z * frame.height + at.y) * frame.stride + at.x;
}

fn centre(at: vec3<u32>) -> vec2<f32> {
    return vec2<f32>(at.xy) + 0.5;
}
