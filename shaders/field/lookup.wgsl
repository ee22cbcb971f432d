// Interpolated features of one level.

fn blend(w: vec3<f32>, c000: Features, c100: Features, c010: Features, c110: Features,
         c001: Features, c101: Features, c011: Features, c111: Features) -> Features {
    let low = mix(mix(c000, c100, w.x), mix(c010, c110, w.x), w.y);
    let high = mix(mix(c001, c101, w.x), mix(c011, c111, w.x), w.y);
    return mix(low, high, w.z);
}

fn dense_level(u: vec3<f32>, resolution: u32, offset: u32) -> Features {
    let cell = grid_cell(u, resolution);
    let side = resolution + 1u;
    let i = offset + dense_slot(cell.base, side);
    let j = i + side * side;
    return blend(cell.weight, table[i], table[i + 1u], table[i + side], table[i + side + 1u],
                 table[j], table[j + 1u], table[j + side], table[j + side + 1u]);
}

fn hashed_level(u: vec3<f32>, resolution: u32, offset: u32, mask: u32) -> Features {
    let cell = grid_cell(u, resolution);
    let a = cell.base;
    let b = a + 1u;
    return blend(cell.weight,
        table[offset + hashed_slot(a, mask)],
        table[offset + hashed_slot(vec3<u32>(b.x, a.y, a.z), mask)],
        table[offset + hashed_slot(vec3<u32>(a.x, b.y, a.z), mask)],
        table[offset + hashed_slot(vec3<u32>(b.x, b.y, a.z), mask)],
        table[offset + hashed_slot(vec3<u32>(a.x, a.y, b.z), mask)],
        table[offset + hashed_slot(vec3<u32>(b.x, a.y, b.z), mask)],
        table[offset + hashed_slot(vec3<u32>(a.x, b.y, b.z), mask)],
        table[offset + hashed_slot(b, mask)]);
}
