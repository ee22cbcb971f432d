// Silhouettes between neighbouring pixels, after Laine et al. 2020 (section 3.5): where a
// silhouette edge crosses the line from one pixel's centre to its neighbour's, at u pixels from
// the nearer surface's one, the pixel beyond the middle takes |u - 1/2| of the other's colour.
//
// Two things differ. The surface is followed from triangle to triangle until it ends, so
// triangles smaller than a pixel do not hide the silhouette. And crossings are weighted by the
// edge's direction, dy^2 / (dx^2 + dy^2) along rows and the rest along columns: along a slanted
// edge both kinds occur, and so weighted the picture's sum follows the covered area exactly.

@group(0) @binding(1) var<storage, read> views: array<View>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> triangles: array<u32>;
@group(0) @binding(5) var<storage, read> partner: array<u32>;
// For each pixel the pairs with its right and its lower neighbour: the half-edge + 1 or 0,
// whether the nearer surface is the neighbour's (1) and whether it gives its colour (2), the weight, u.
@group(0) @binding(6) var<storage, read_write> pairs: array<vec4<u32>>;

// Triangles that are passed between two pixels before giving up.
const LONGEST_WALK: u32 = 24u;

fn next(h: u32) -> u32 {
    return select(h + 1u, h - 2u, h % 3u == 2u);
}

fn depth_at(view: View, triangle: u32, at: vec3<u32>) -> f32 {
    return plane_depth(triangle_corners(triangle), view.position.xyz, ray(view, centre(at)));
}

fn faces_camera(view: View, triangle: u32) -> bool {
    let t = triangle_corners(triangle);
    return dot(t.n, t.a - view.position.xyz) < 0.0;
}

struct Crossing {
    // + 1; 0 if there is none.
    half_edge: u32,
    u: f32,
    weight: f32,
}

// The silhouette met on the way from a pixel's centre along an axis (0 or 1) to the next
// centre in the direction of `sign`.
fn silhouette(view: View, triangle: u32, origin: vec2<f32>, axis: u32, sign: f32) -> Crossing {
    let none = Crossing(0u, 0.0, 0.0);
    let across = 1u - axis;
    var t = triangle;
    for (var k = 0u; k < LONGEST_WALK; k++) {
        // The line leaves a triangle through the farther of the two sides that it crosses.
        var found = Crossing(0u, -1e30, 0.0);
        for (var h = 3u * t; h < 3u * t + 3u; h++) {
            let a = project(view, positions[triangles[h]].xyz).xy - origin;
            let b = project(view, positions[triangles[next(h)]].xyz).xy - origin;
            if ((a[across] <= 0.0) == (b[across] <= 0.0)) {
                continue;
            }
            let share = a[across] / (a[across] - b[across]);
            let u = sign * (a[axis] + share * (b[axis] - a[axis]));
            if (u > found.u) {
                let d = b - a;
                found = Crossing(h + 1u, u, d[across] * d[across] / dot(d, d));
            }
        }
        if (found.half_edge == 0u || found.u >= 1.0) {
            return none;
        }
        let other = partner[found.half_edge - 1u];
        if (other == 0u || !faces_camera(view, (other - 1u) / 3u)) {
            found.u = max(found.u, 0.0);
            return found;
        }
        t = (other - 1u) / 3u;
    }
    return none;
}

fn pair_with(view: View, at: vec3<u32>, axis: u32) -> vec4<u32> {
    let beyond = at + select(vec3<u32>(0u, 1u, 0u), vec3<u32>(1u, 0u, 0u), axis == 0u);
    if (beyond.x >= frame.width || beyond.y >= frame.height) {
        return vec4<u32>(0u);
    }
    let here = ids[id_slot(at)];
    let there = ids[id_slot(beyond)];
    if (here == there) {
        return vec4<u32>(0u);
    }
    var neighbour_nearer = here == 0u;
    if (here != 0u && there != 0u) {
        neighbour_nearer = depth_at(view, there - 1u, beyond) < depth_at(view, here - 1u, at);
    }
    var found: Crossing;
    if (neighbour_nearer) {
        found = silhouette(view, there - 1u, centre(beyond), axis, -1.0);
    } else {
        found = silhouette(view, here - 1u, centre(at), axis, 1.0);
    }
    if (found.half_edge == 0u) {
        return vec4<u32>(0u);
    }
    // Beyond the middle the nearer surface covers part of the farther pixel.
    let neighbour_gives = neighbour_nearer == (found.u > 0.5);
    let weight = found.weight * abs(found.u - 0.5);
    let flags = select(0u, 1u, neighbour_nearer) | select(0u, 2u, neighbour_gives);
    return vec4<u32>(found.half_edge, flags, bitcast<u32>(weight), bitcast<u32>(found.u));
}

@compute @workgroup_size(64)
fn silhouette_pairs(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let pixel = thread_index(id, groups);
    if (pixel >= pixel_count()) {
        return;
    }
    let at = place(pixel);
    let view = views[at.z];
    pairs[2u * pixel] = pair_with(view, at, 0u);
    pairs[2u * pixel + 1u] = pair_with(view, at, 1u);
}
