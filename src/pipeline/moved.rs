//! Where the points of a head's surface were before the head was shaped anew.

use crate::head::bvh::{Bvh, closest_weights};
use crate::render::studio::StudioHead;
use glam::Vec3;

/// The way back from one shape of the prior to another of the same topology.
#[derive(Debug)]
pub(super) struct Moved {
    /// `None` if nothing has moved.
    tree: Option<Bvh>,
    triangles: Vec<[u32; 3]>,
    before: Vec<Vec3>,
    after: Vec<Vec3>,
}

impl Moved {
    /// The way from `share` of the way between two people's heads back to the first.
    pub fn new(before: &StudioHead, after: &StudioHead, share: f32) -> Self {
        let triangles = after.mesh.triangles[..after.prior_triangles].to_vec();
        let (before, target) = (before.mesh.positions(), after.mesh.positions());
        // Beyond the prior's own vertices the two have nothing in common.
        let shared = triangles.as_flattened().iter().max().map_or(0, |last| *last as usize + 1);
        let after: Vec<Vec3> = before
            .iter()
            .zip(&target)
            .take(shared)
            .map(
                |(before, after)| {
                    if before == after { *before } else { before.lerp(*after, share) }
                },
            )
            .collect();
        let tree = (before[..shared] != after).then(|| Bvh::new(&after, &triangles));
        Self { tree, triangles, before, after }
    }

    /// Where a point on or near the head was: it goes with the nearest place of the prior, and
    /// stays exactly where it is if that has not moved.
    pub fn back(&self, point: Vec3) -> Vec3 {
        self.traced(point).0
    }

    /// How much wider the head has become at most within a distance of a point, as a ratio of
    /// areas.
    pub fn widening(&self, point: Vec3, reach: f32) -> f32 {
        let axes = [Vec3::X, Vec3::Y, Vec3::Z];
        let around = axes.into_iter().flat_map(|axis| [axis * reach, axis * -reach]);
        let around = around.chain([Vec3::ZERO]).map(|offset| self.traced(point + offset).1);
        around.fold(0.0, f32::max)
    }

    /// Where a point was, and by how much its surroundings have become wider.
    fn traced(&self, point: Vec3) -> (Vec3, f32) {
        let Some(tree) = &self.tree else { return (point, 1.0) };
        let Some(hit) = tree.closest(point, None) else { return (point, 1.0) };
        let corners = self.triangles[tree.original(hit.triangle) as usize];
        let of = |positions: &[Vec3]| corners.map(|v| positions[v as usize]);
        let (is, was) = (of(&self.after), of(&self.before));
        if is == was {
            return (point, 1.0);
        }
        let w = closest_weights(point, is);
        let by = |c: [Vec3; 3]| c[0] * w.x + c[1] * w.y + c[2] * w.z;
        let area = |c: [Vec3; 3]| (c[1] - c[0]).cross(c[2] - c[0]).length();
        (point + (by(was) - by(is)), area(is) / area(was).max(f32::MIN_POSITIVE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{HeadParams, Look};

    #[test]
    fn vertices_go_back_to_where_they_were() {
        let head = |age| {
            let params = HeadParams { age, ..HeadParams::default() };
            StudioHead::new(&params, &Look::default(), 1).unwrap()
        };
        let (adult, child) = (head(0.5), head(0.12));
        let places = |head: &StudioHead, vertex: u32| {
            Vec3::from_array(head.mesh.vertices[vertex as usize].position)
        };
        for share in [0.5, 1.0] {
            let moved = Moved::new(&adult, &child, share);
            let mut failures = Vec::new();
            let mut farthest = 0.0_f32;
            for triangle in child.mesh.triangles[..child.prior_triangles].iter().step_by(41) {
                let (was, is) = (places(&adult, triangle[0]), places(&child, triangle[0]));
                farthest = farthest.max(was.distance(is));
                let found = moved.back(was.lerp(is, share));
                // Lips and lids touch: there a point may belong to the other side.
                if found.distance(was) > 0.02 {
                    failures.push(format!("{share}: {found}, not {was}"));
                }
            }
            assert!(farthest > 0.05, "{farthest}");
            assert!(failures.len() < 4, "{}", failures.join("\n"));
        }
        let still = Moved::new(&adult, &adult, 1.0);
        let point = Vec3::new(0.1, 0.2, 0.4);
        assert_eq!((still.back(point), still.widening(point, 0.1)), (point, 1.0));
    }
}
