//! A bounding volume hierarchy over triangles: exact closest points and line of sight.

use glam::Vec3;

/// Triangles a leaf.
const LEAF: usize = 4;
/// Deep enough for any count of u32-indexed triangles split in halves.
const DEPTH: usize = 40;

/// A static tree over one triangle mesh.
#[derive(Debug, Clone)]
pub struct Bvh {
    nodes: Vec<Node>,
    corners: Vec<[Vec3; 3]>,
    /// The mesh's number of each triangle.
    order: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    low: Vec3,
    high: Vec3,
    /// A leaf's first triangle; for an inner node its second child (the first follows it directly).
    start: u32,
    /// Triangles in the leaf, 0 for inner nodes.
    count: u32,
}

/// The closest point of a mesh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closest {
    /// Its distance.
    pub distance: f32,
    /// The tree's own number of the triangle, a hint for a query nearby.
    pub triangle: u32,
}

impl Bvh {
    /// Builds the tree; halves at the median of the longest axis of the centroids' bounds.
    #[must_use]
    pub fn new(positions: &[Vec3], triangles: &[[u32; 3]]) -> Self {
        let corners: Vec<[Vec3; 3]> =
            triangles.iter().map(|t| t.map(|i| positions[i as usize])).collect();
        let centroids: Vec<Vec3> = corners.iter().map(|[a, b, c]| (*a + *b + *c) / 3.0).collect();
        let mut order: Vec<u32> = (0..triangles.len() as u32).collect();
        let mut nodes = Vec::with_capacity(triangles.len());
        if !order.is_empty() {
            build(&mut nodes, &mut order, 0, &corners, &centroids);
        }
        Self { nodes, corners: order.iter().map(|&i| corners[i as usize]).collect(), order }
    }

    /// The mesh's number of a triangle that the tree numbers `triangle`.
    ///
    /// # Panics
    /// If there is no such triangle.
    #[must_use]
    pub fn original(&self, triangle: u32) -> u32 {
        self.order[triangle as usize]
    }

    /// The closest point to `point`, or `None` for an empty mesh. `hint` is the answer to a query nearby.
    #[must_use]
    pub fn closest(&self, point: Vec3, hint: Option<u32>) -> Option<Closest> {
        if self.nodes.is_empty() {
            return None;
        }
        let mut best = (f32::INFINITY, 0);
        if let Some(corners) = hint.and_then(|t| self.corners.get(t as usize)) {
            best = (squared_distance(point, corners), hint.unwrap_or(0));
        }
        let mut stack = [(0u32, 0.0f32); DEPTH];
        stack[0] = (0, self.nodes[0].squared_distance(point));
        let mut top = 1;
        while top > 0 {
            top -= 1;
            let (index, bound) = stack[top];
            if bound >= best.0 {
                continue;
            }
            let node = self.nodes[index as usize];
            if node.count > 0 {
                for i in node.start..node.start + node.count {
                    let d = squared_distance(point, &self.corners[i as usize]);
                    if d < best.0 {
                        best = (d, i);
                    }
                }
                continue;
            }
            let mut near = (index + 1, self.nodes[index as usize + 1].squared_distance(point));
            let mut far = (node.start, self.nodes[node.start as usize].squared_distance(point));
            if far.1 < near.1 {
                std::mem::swap(&mut near, &mut far);
            }
            stack[top] = far;
            stack[top + 1] = near;
            top += 2;
        }
        Some(Closest { distance: best.0.sqrt(), triangle: best.1 })
    }

    /// Whether any triangle crosses the segment, from either side.
    #[must_use]
    pub fn blocks(&self, from: Vec3, to: Vec3) -> bool {
        if self.nodes.is_empty() {
            return false;
        }
        let direction = to - from;
        let mut stack = [0u32; DEPTH];
        let mut top = 1;
        while top > 0 {
            top -= 1;
            let index = stack[top];
            let node = self.nodes[index as usize];
            if !node.meets(from, direction) {
                continue;
            }
            if node.count == 0 {
                stack[top] = node.start;
                stack[top + 1] = index + 1;
                top += 2;
                continue;
            }
            let leaf = &self.corners[node.start as usize..(node.start + node.count) as usize];
            if leaf.iter().any(|corners| crosses(corners, from, direction)) {
                return true;
            }
        }
        false
    }
}

fn build(
    nodes: &mut Vec<Node>,
    order: &mut [u32],
    first: usize,
    corners: &[[Vec3; 3]],
    centroids: &[Vec3],
) {
    let mut low = Vec3::INFINITY;
    let mut high = Vec3::NEG_INFINITY;
    let mut centre_low = Vec3::INFINITY;
    let mut centre_high = Vec3::NEG_INFINITY;
    for &i in order.iter() {
        for corner in corners[i as usize] {
            low = low.min(corner);
            high = high.max(corner);
        }
        centre_low = centre_low.min(centroids[i as usize]);
        centre_high = centre_high.max(centroids[i as usize]);
    }
    let here = nodes.len();
    nodes.push(Node { low, high, start: first as u32, count: order.len() as u32 });
    if order.len() <= LEAF {
        return;
    }
    let extent = centre_high - centre_low;
    let axis = if extent.x >= extent.y && extent.x >= extent.z {
        0
    } else if extent.y >= extent.z {
        1
    } else {
        2
    };
    let middle = order.len() / 2;
    // The index breaks ties, so the tree does not depend on the selection algorithm.
    order.select_nth_unstable_by(middle, |&a, &b| {
        centroids[a as usize][axis].total_cmp(&centroids[b as usize][axis]).then(a.cmp(&b))
    });
    let (left, right) = order.split_at_mut(middle);
    build(nodes, left, first, corners, centroids);
    let second = nodes.len() as u32;
    build(nodes, right, first + middle, corners, centroids);
    nodes[here].start = second;
    nodes[here].count = 0;
}

impl Node {
    fn squared_distance(&self, point: Vec3) -> f32 {
        (point - point.clamp(self.low, self.high)).length_squared()
    }

    /// Whether the segment from `from` by `direction` meets the box.
    fn meets(&self, from: Vec3, direction: Vec3) -> bool {
        let (mut enter, mut leave) = (0.0f32, 1.0f32);
        for axis in 0..3 {
            let (low, high) = (self.low[axis] - from[axis], self.high[axis] - from[axis]);
            if direction[axis] == 0.0 {
                if low > 0.0 || high < 0.0 {
                    return false;
                }
                continue;
            }
            let (a, b) = (low / direction[axis], high / direction[axis]);
            enter = enter.max(a.min(b));
            leave = leave.min(a.max(b));
        }
        // A little slack for boxes of no thickness.
        enter <= leave + 1e-6
    }
}

/// Squared distance from a point to a triangle (Ericson, Real-Time Collision Detection, 5.1.5).
fn squared_distance(p: Vec3, [a, b, c]: &[Vec3; 3]) -> f32 {
    let (ab, ac, ap) = (*b - *a, *c - *a, p - *a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return ap.length_squared();
    }
    let bp = p - *b;
    let (d3, d4) = (ab.dot(bp), ac.dot(bp));
    if d3 >= 0.0 && d4 <= d3 {
        return bp.length_squared();
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        return (ap - ab * ratio(d1, d1 - d3)).length_squared();
    }
    let cp = p - *c;
    let (d5, d6) = (ab.dot(cp), ac.dot(cp));
    if d6 >= 0.0 && d5 <= d6 {
        return cp.length_squared();
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        return (ap - ac * ratio(d2, d2 - d6)).length_squared();
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 - d3 >= 0.0 && d5 - d6 >= 0.0 {
        return (bp - (*c - *b) * ratio(d4 - d3, (d4 - d3) + (d5 - d6))).length_squared();
    }
    let total = va + vb + vc;
    (ap - ab * ratio(vb, total) - ac * ratio(vc, total)).length_squared()
}

/// `a / b`, or 0 where a degenerate triangle makes both vanish.
fn ratio(a: f32, b: f32) -> f32 {
    if b.abs() > f32::MIN_POSITIVE { a / b } else { 0.0 }
}

/// Whether a triangle crosses the segment (Möller and Trumbore 1997, both sides).
fn crosses([a, b, c]: &[Vec3; 3], from: Vec3, direction: Vec3) -> bool {
    let (ab, ac) = (*b - *a, *c - *a);
    let p = direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant == 0.0 {
        return false;
    }
    let s = from - *a;
    let u = s.dot(p) / determinant;
    let q = s.cross(ab);
    let v = direction.dot(q) / determinant;
    let t = ac.dot(q) / determinant;
    u >= 0.0 && v >= 0.0 && u + v <= 1.0 && (0.0..=1.0).contains(&t)
}

/// Barycentric coordinates of a triangle's point that is closest to `p` (Ericson, Real-Time
/// Collision Detection, 5.1.5).
#[must_use]
pub fn closest_weights(p: Vec3, [a, b, c]: [Vec3; 3]) -> Vec3 {
    let ratio = |a: f32, b: f32| if b.abs() > f32::MIN_POSITIVE { a / b } else { 0.0 };
    let (ab, ac, ap) = (b - a, c - a, p - a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return Vec3::X;
    }
    let bp = p - b;
    let (d3, d4) = (ab.dot(bp), ac.dot(bp));
    if d3 >= 0.0 && d4 <= d3 {
        return Vec3::Y;
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        let v = ratio(d1, d1 - d3);
        return Vec3::new(1.0 - v, v, 0.0);
    }
    let cp = p - c;
    let (d5, d6) = (ab.dot(cp), ac.dot(cp));
    if d6 >= 0.0 && d5 <= d6 {
        return Vec3::Z;
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        let w = ratio(d2, d2 - d6);
        return Vec3::new(1.0 - w, 0.0, w);
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 - d3 >= 0.0 && d5 - d6 >= 0.0 {
        let w = ratio(d4 - d3, (d4 - d3) + (d5 - d6));
        return Vec3::new(0.0, 1.0 - w, w);
    }
    let total = va + vb + vc;
    let (v, w) = (ratio(vb, total), ratio(vc, total));
    Vec3::new(1.0 - v - w, v, w)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Vec3> {
        prop::array::uniform3(-1.0f32..1.0).prop_map(Vec3::from)
    }

    fn soup() -> impl Strategy<Value = Vec<[Vec3; 3]>> {
        prop::collection::vec((point(), point(), point()), 1..60).prop_map(|rows| {
            rows.into_iter().map(|(a, b, c)| [a, a + (b - a) * 0.3, a + (c - a) * 0.3]).collect()
        })
    }

    fn tree(soup: &[[Vec3; 3]]) -> Bvh {
        let positions: Vec<Vec3> = soup.as_flattened().to_vec();
        let triangles: Vec<[u32; 3]> =
            (0..soup.len() as u32).map(|t| [t * 3, t * 3 + 1, t * 3 + 2]).collect();
        Bvh::new(&positions, &triangles)
    }

    /// Closest point by minimising over a fine barycentric grid.
    fn sampled(p: Vec3, [a, b, c]: &[Vec3; 3]) -> f32 {
        let n = 40;
        let mut best = f32::MAX;
        for i in 0..=n {
            for j in 0..=n - i {
                let (u, v) = (i as f32 / n as f32, j as f32 / n as f32);
                best = best.min((*a + (*b - *a) * u + (*c - *a) * v - p).length());
            }
        }
        best
    }

    #[test]
    fn an_empty_mesh_has_nothing() {
        let tree = tree(&[]);
        assert_eq!(tree.closest(Vec3::ZERO, None), None);
        assert!(!tree.blocks(Vec3::ZERO, Vec3::ONE));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn one_triangle_matches_sampling(soup in soup(), p in point()) {
            let exact = squared_distance(p, &soup[0]).sqrt();
            let coarse = sampled(p, &soup[0]);
            prop_assert!(exact <= coarse + 1e-5 && coarse - exact < 0.03, "{} {}", exact, coarse);
        }

        #[test]
        fn the_tree_equals_brute_force(soup in soup(), p in point(), q in point(), hint in 0u32..80) {
            let tree = tree(&soup);
            let brute = soup.iter().map(|t| squared_distance(p, t)).fold(f32::MAX, f32::min).sqrt();
            prop_assert_eq!(tree.closest(p, None).unwrap().distance, brute);
            prop_assert_eq!(tree.closest(p, Some(hint)).unwrap().distance, brute);
            let crossed = soup.iter().any(|t| crosses(t, p, q - p));
            prop_assert_eq!(tree.blocks(p, q), crossed);
        }
    }
}
