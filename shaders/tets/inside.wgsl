// Which nodes of a tetrahedron are inside. Needs the buffer `values`.

fn inside_code(tet: vec4<u32>) -> u32 {
    return select(0u, 1u, is_inside(values[tet.x])) | select(0u, 2u, is_inside(values[tet.y]))
        | select(0u, 4u, is_inside(values[tet.z])) | select(0u, 8u, is_inside(values[tet.w]));
}
