//! Landmarks that stay on a surface while it moves.

use super::overlay::Landmarks;
use glam::Vec3;

/// Where a landmark is on a head: beside its nearest vertex.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Anchor {
    vertex: usize,
    offset: Vec3,
}

/// Ties each landmark to the nearest vertex; none without vertices.
pub(super) fn anchors(landmarks: &Landmarks, positions: &[Vec3]) -> Vec<Anchor> {
    let anchor = |point: &Vec3| {
        let distance = |v: &usize| positions[*v].distance_squared(*point);
        let vertex = (0..positions.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        Some(Anchor { vertex, offset: *point - positions[vertex] })
    };
    landmarks.points.iter().filter_map(anchor).collect()
}

impl Anchor {
    /// The landmark on a head with these vertices, and which way the surface looks there.
    pub fn place(self, positions: &[Vec3], normals: &[Vec3]) -> (Vec3, Vec3) {
        let at = |list: &[Vec3]| list.get(self.vertex).copied().unwrap_or_default();
        (at(positions) + self.offset, at(normals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landmarks_move_with_their_vertex() {
        let rest = [Vec3::ZERO, Vec3::X];
        let landmarks = Landmarks { points: vec![Vec3::new(0.9, 0.1, 0.0)], lines: vec![] };
        let anchors = anchors(&landmarks, &rest);
        let (place, normal) = anchors[0].place(&[Vec3::ZERO, Vec3::Y], &[Vec3::X, Vec3::Z]);
        assert!(place.distance(Vec3::new(-0.1, 1.1, 0.0)) < 1e-6);
        assert_eq!(normal, Vec3::Z);
        assert!(super::anchors(&landmarks, &[]).is_empty());
    }
}
