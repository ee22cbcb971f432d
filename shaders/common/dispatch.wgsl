// Workgroups of 64 threads, laid out in two dimensions where one would exceed the limit.

fn thread_index(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x * 64u;
}
