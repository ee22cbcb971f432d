//! Facial landmarks: 68 iBUG and 468 `MediaPipe` points, their chains, colours and visibility.

use glam::Vec3;

use super::bvh::Bvh;
use super::model::{Anchor, HeadModel, Part};
use super::shape::ShapedHead;

/// A run of `MediaPipe` landmarks that the landmark control image draws as one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// What it outlines.
    pub name: &'static str,
    /// Landmark indices, consecutive ones are joined.
    pub points: &'static [usize],
    /// sRGB line colour.
    pub color: [u8; 3],
}

const OVAL: [u8; 3] = [10, 200, 10];
const LEFT_EYE: [u8; 3] = [10, 200, 180];
const LEFT_BROW: [u8; 3] = [10, 220, 180];
const RIGHT_EYE: [u8; 3] = [180, 200, 10];
const RIGHT_BROW: [u8; 3] = [180, 220, 10];
const LIPS: [u8; 3] = [10, 180, 10];

/// sRGB colour of the subject's left pupil in the landmark control image.
pub const LEFT_PUPIL: [u8; 3] = [10, 200, 250];
/// sRGB colour of the subject's right pupil in the landmark control image.
pub const RIGHT_PUPIL: [u8; 3] = [250, 200, 10];

/// The face contours of the landmark control image (CrucibleAI/ControlNetMediaPipeFace): 124 edges.
pub const CHAINS: [Chain; 13] = [
    Chain {
        name: "oval",
        points: &[
            10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400,
            377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
            109, 10,
        ],
        color: OVAL,
    },
    Chain {
        name: "left_eye_lower",
        points: &[263, 249, 390, 373, 374, 380, 381, 382, 362],
        color: LEFT_EYE,
    },
    Chain {
        name: "left_eye_upper",
        points: &[263, 466, 388, 387, 386, 385, 384, 398, 362],
        color: LEFT_EYE,
    },
    Chain { name: "left_brow_lower", points: &[276, 283, 282, 295, 285], color: LEFT_BROW },
    Chain { name: "left_brow_upper", points: &[300, 293, 334, 296, 336], color: LEFT_BROW },
    Chain {
        name: "right_eye_lower",
        points: &[33, 7, 163, 144, 145, 153, 154, 155, 133],
        color: RIGHT_EYE,
    },
    Chain {
        name: "right_eye_upper",
        points: &[33, 246, 161, 160, 159, 158, 157, 173, 133],
        color: RIGHT_EYE,
    },
    Chain { name: "right_brow_lower", points: &[46, 53, 52, 65, 55], color: RIGHT_BROW },
    Chain { name: "right_brow_upper", points: &[70, 63, 105, 66, 107], color: RIGHT_BROW },
    Chain {
        name: "lips_outer_lower",
        points: &[61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
        color: LIPS,
    },
    Chain {
        name: "lips_outer_upper",
        points: &[61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
        color: LIPS,
    },
    Chain {
        name: "lips_inner_lower",
        points: &[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
        color: LIPS,
    },
    Chain {
        name: "lips_inner_upper",
        points: &[78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308],
        color: LIPS,
    },
];

impl HeadModel {
    /// The 68 iBUG points on the skin, world units, in the usual order (0 at the subject's right ear).
    #[must_use]
    pub fn landmarks68(&self, head: &ShapedHead) -> [Vec3; 68] {
        std::array::from_fn(|i| place(&self.landmarks68[i], head))
    }

    /// The 468 `MediaPipe` face mesh points on the skin, world units.
    #[must_use]
    pub fn landmarks468(&self, head: &ShapedHead) -> Vec<Vec3> {
        self.landmarks468.iter().map(|anchor| place(anchor, head)).collect()
    }

    /// The pupils on the eyeballs: subject's left, subject's right.
    #[must_use]
    pub fn pupils(&self, head: &ShapedHead) -> [Vec3; 2] {
        [Part::EyeLeft, Part::EyeRight].map(|part| {
            // The pupil is the ball's foremost point at rest, and turns with the ball.
            let mut best: Option<u32> = None;
            for &i in self.part_triangles(part).as_flattened() {
                if best.is_none_or(|b| self.vertices[i as usize].z > self.vertices[b as usize].z) {
                    best = Some(i);
                }
            }
            best.map_or(Vec3::ZERO, |i| head.positions[i as usize])
        })
    }
}

fn place(anchor: &Anchor, head: &ShapedHead) -> Vec3 {
    let [a, b, c] = anchor.vertices.map(|i| head.positions[i as usize]);
    a * anchor.weights[0] + b * anchor.weights[1] + c * anchor.weights[2]
}

/// Answers which points of one head can be seen from where.
#[derive(Debug, Clone)]
pub struct Occluder {
    bvh: Bvh,
}

/// How far off the surface a sight line starts, world units (about a millimetre); points lie on it.
const SIGHT_OFFSET: f32 = 0.004;

impl Occluder {
    /// Prepares a head: its skin and eyeballs hide things.
    #[must_use]
    pub fn new(model: &HeadModel, head: &ShapedHead) -> Self {
        let mut triangles = model.part_triangles(Part::Skin).to_vec();
        triangles.extend_from_slice(model.part_triangles(Part::EyeLeft));
        triangles.extend_from_slice(model.part_triangles(Part::EyeRight));
        Self { bvh: Bvh::new(&head.positions, &triangles) }
    }

    /// For each point on the head, whether nothing lies between it and the camera. Points on faces that
    /// look away are hidden by the head itself.
    #[must_use]
    pub fn visible(&self, points: &[Vec3], camera: Vec3) -> Vec<bool> {
        points
            .iter()
            .map(|&point| {
                let sight = camera - point;
                let distance = sight.length();
                if distance <= SIGHT_OFFSET {
                    return true;
                }
                let start = point + sight * (SIGHT_OFFSET / distance);
                !self.bvh.blocks(start, camera)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{HeadParams, Region};
    use proptest::prelude::*;

    #[test]
    fn the_chains_have_124_edges() {
        let edges: usize = CHAINS.iter().map(|chain| chain.points.len() - 1).sum();
        assert_eq!(edges, 124);
        assert!(CHAINS.iter().all(|chain| chain.points.iter().all(|&i| i < 468)));
    }

    #[test]
    fn chains_outline_what_they_name() {
        let model = HeadModel::embedded();
        let points = model.landmarks468(model.mean());
        let [left, right] = model.pupils(model.mean());
        assert!(left.x > 0.05 && right.x < -0.05 && left.z > 0.2);
        for chain in CHAINS {
            for &i in chain.points {
                let p = points[i];
                match chain.name {
                    name if name.starts_with("left_eye") => {
                        assert!((p - left).length() < 0.08, "{i}");
                    }
                    name if name.starts_with("right_eye") => {
                        assert!((p - right).length() < 0.08, "{i}");
                    }
                    name if name.starts_with("left_brow") => {
                        assert!(p.y > left.y + 0.02 && p.x > 0.0);
                    }
                    name if name.starts_with("right_brow") => {
                        assert!(p.y > right.y + 0.02 && p.x < 0.0);
                    }
                    name if name.starts_with("lips") => assert!(p.y < -0.12 && p.x.abs() < 0.1),
                    _ => assert!(p.y > -0.36 && p.y < 0.3),
                }
            }
        }
    }

    #[test]
    fn landmarks_are_mirror_symmetric() {
        let model = HeadModel::embedded();
        let points = model.landmarks68(model.mean());
        for (a, b) in [(0, 16), (17, 26), (31, 35), (36, 45), (41, 46), (48, 54), (60, 64)] {
            let image = points[b] * Vec3::new(-1.0, 1.0, 1.0);
            assert!((points[a] - image).length() < 1e-6, "{a} and {b}");
        }
        for middle in [8, 27, 30, 33, 51, 57, 62, 66] {
            assert!(points[middle].x.abs() < 1e-6);
        }
    }

    #[test]
    fn visibility_follows_the_camera() {
        let model = HeadModel::embedded();
        let head = model.mean();
        let occluder = Occluder::new(model, head);
        let points = model.landmarks68(head);
        let seen = |camera| occluder.visible(&points, camera);
        let front = seen(Vec3::new(0.0, 0.0, 3.0));
        // The cheeks may hide the rear of the jaw line from a camera this close.
        assert!(front[5..=11].iter().chain(&front[17..60]).all(|v| *v), "{front:?}");
        assert!(seen(Vec3::new(0.0, 0.1, -3.0)).iter().all(|v| !v));
        let left = seen(Vec3::new(3.0, 0.0, 0.0));
        assert!(left[45] && left[26] && left[14] && left[30]);
        assert!(!left[36] && !left[17] && !left[2] && !left[31]);
        let right = seen(Vec3::new(-3.0, 0.0, 0.0));
        assert!(!right[45] && right[36] && right[2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Landmarks lie on the outer skin, whatever the person and the expression.
        #[test]
        fn landmarks_lie_on_the_surface(seed in 0u64..1_000_000, smile in 0.0f32..1.0, open in 0.0f32..1.0) {
            let model = HeadModel::embedded();
            let mut params = HeadParams::random(model, &mut crate::rng::stream(seed, "t", 0, "p"));
            params.expression.insert("mouthSmileLeft".into(), smile);
            params.expression.insert("jawOpen".into(), open);
            let head = model.shape(&params).unwrap();
            let mouth = model.region(Region::InnerMouth);
            let outer: Vec<[u32; 3]> = model
                .part_triangles(Part::Skin)
                .iter()
                .copied()
                .filter(|t| t.iter().any(|&i| mouth[i as usize] < 0.99))
                .collect();
            let bvh = Bvh::new(&head.positions, &outer);
            for point in model.landmarks68(&head).into_iter().chain(model.landmarks468(&head)) {
                let distance = bvh.closest(point, None).map_or(f32::MAX, |hit| hit.distance);
                prop_assert!(distance < 1e-4, "off by {}", distance);
            }
        }
    }
}
