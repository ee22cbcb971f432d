// How much of a mesh's buffers counts.

struct Size {
    vertices: u32,
    triangles: u32,
    // Slots of the table of half-edges - 1.
    mask: u32,
    pad: u32,
}
