//! From parameters to vertices: linear morphs, then linear blend skinning.

use glam::{Affine3A, EulerRot, Quat, Vec3};

use super::error::HeadError;
use super::macros::MacroBasis;
use super::model::{HeadModel, JOINTS, joint};
use super::params::{HeadParams, HeadPose};

/// One head in world units.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapedHead {
    /// All vertices of all parts.
    pub positions: Vec<Vec3>,
    /// root, neck1, neck2, head, jaw, `eye_L`, `eye_R`.
    pub joints: [Vec3; JOINTS],
}

impl HeadModel {
    /// Shapes a head: identity and expression morphs, then the pose.
    ///
    /// # Errors
    /// Those of [`HeadParams::validate`].
    pub fn shape(&self, params: &HeadParams) -> Result<ShapedHead, HeadError> {
        params.validate(self)?;
        let mut positions = self.vertices.clone();
        let mut joints = self.joints;
        for (target, weight) in self.target_weights(params).into_iter().enumerate() {
            if weight != 0.0 {
                self.targets[target].add_to(weight, &mut positions, &mut joints);
            }
        }
        if params.pose != HeadPose::default() {
            let transforms = self.joint_transforms(&params.pose, &joints);
            for (position, weights) in positions.iter_mut().zip(&self.skin_weights) {
                *position = blend(&transforms, weights, *position);
            }
            for (joint, transform) in joints.iter_mut().zip(&transforms) {
                *joint = transform.transform_point3(*joint);
            }
        }
        let similarity = self.similarity;
        for point in positions.iter_mut().chain(&mut joints) {
            *point = similarity.to_world(*point);
        }
        Ok(ShapedHead { positions, joints })
    }

    /// The weight of every morph target.
    fn target_weights(&self, params: &HeadParams) -> Vec<f32> {
        let mut weights = vec![0.0; self.targets.len()];
        let basis = MacroBasis::new(params);
        for &(target, key) in &self.macros {
            weights[target] = basis.weight(key);
        }
        for (name, &value) in &params.sliders {
            if let Some(slider) = self.slider(name) {
                let ends = if value >= 0.0 { &slider.positive } else { &slider.negative };
                for &target in ends {
                    weights[target] += value.abs();
                }
            }
        }
        for (name, &value) in &params.expression {
            if let Some(target) = self.expression_index(name) {
                weights[target] += value;
            }
        }
        weights
    }

    /// How each joint moves its vertices, in the asset's space. `joints` are the joints at rest.
    fn joint_transforms(&self, pose: &HeadPose, joints: &[Vec3; JOINTS]) -> [Affine3A; JOINTS] {
        let [yaw, pitch, roll] = pose.neck.map(f32::to_radians);
        // Shares of the neck's rotation from the torso upwards.
        let neck =
            |share: f32| Quat::from_euler(EulerRot::YXZ, yaw * share, pitch * share, roll * share);
        let eyes = Quat::from_euler(
            EulerRot::YXZ,
            pose.eyes[0].to_radians(),
            pose.eyes[1].to_radians(),
            0.0,
        );
        let mut rotations = [Quat::IDENTITY; JOINTS];
        rotations[joint::NECK1] = neck(0.4);
        rotations[joint::NECK2] = neck(0.3);
        rotations[joint::HEAD] = neck(0.3);
        rotations[joint::JAW] = Quat::from_rotation_x(pose.jaw.to_radians());
        rotations[joint::EYE_LEFT] = eyes;
        rotations[joint::EYE_RIGHT] = eyes;
        let mut transforms = [Affine3A::IDENTITY; JOINTS];
        for i in 0..JOINTS {
            let local = Affine3A::from_translation(joints[i])
                * Affine3A::from_quat(rotations[i])
                * Affine3A::from_translation(-joints[i]);
            transforms[i] = match self.joint_parents[i] {
                Some(parent) => transforms[parent] * local,
                None => local,
            };
        }
        transforms
    }
}

fn blend(transforms: &[Affine3A; JOINTS], weights: &[f32; JOINTS], point: Vec3) -> Vec3 {
    let mut out = Vec3::ZERO;
    for (transform, &weight) in transforms.iter().zip(weights) {
        if weight > 0.0 {
            out += transform.transform_point3(point) * weight;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{Part, Region, landmarks};
    use proptest::prelude::*;

    fn mirrored(p: Vec3) -> Vec3 {
        Vec3::new(-p.x, p.y, p.z)
    }

    #[test]
    fn the_mean_is_exactly_mirror_symmetric() {
        let model = HeadModel::embedded();
        let mean = model.mean();
        for (i, &j) in model.mirror().iter().enumerate() {
            assert_eq!(mean.positions[i], mirrored(mean.positions[j as usize]), "vertex {i}");
        }
        for region in Region::ALL {
            let mask = model.region(region);
            assert!(model.mirror().iter().enumerate().all(|(i, &j)| mask[i] == mask[j as usize]));
        }
    }

    #[test]
    fn the_mean_fills_the_frame_as_agreed() {
        let model = HeadModel::embedded();
        let mean = model.mean();
        let skin = || {
            let parts = model.vertex_part().iter().zip(&mean.positions);
            parts.filter(|(part, _)| **part == Part::Skin).map(|(_, p)| *p)
        };
        let crown = skin().map(|p| p.y).fold(f32::MIN, f32::max);
        let chin = model.landmarks68(mean)[8].y;
        assert!((crown - 0.35).abs() < 1e-4 && (chin + 0.35).abs() < 1e-4, "{crown} {chin}");
        assert!(skin().all(|p| p.abs().max_element() < 1.0));
        // The face looks along +z and the subject's left is +x.
        assert!(model.landmarks68(mean)[30].z > 0.3);
        assert!(model.landmarks68(mean)[45].x > 0.1 && model.landmarks68(mean)[36].x < -0.1);
        assert!(mean.joints[joint::EYE_LEFT].x > 0.05);
    }

    #[test]
    fn poses_move_what_they_name() {
        let model = HeadModel::embedded();
        let mean = model.landmarks68(model.mean());
        let posed = |pose| {
            let shaped = model.shape(&HeadParams { pose, ..HeadParams::default() }).unwrap();
            (model.landmarks68(&shaped), shaped)
        };
        let (turned, shaped) = posed(HeadPose { neck: [40.0, 0.0, 0.0], ..HeadPose::default() });
        assert!(turned[30].x > mean[30].x + 0.1, "yaw turns the nose to the subject's left");
        let chest = model.region(Region::Chest);
        for (i, &weight) in chest.iter().enumerate() {
            if weight == 1.0 && model.canonical()[i].y < -0.75 {
                assert!((shaped.positions[i] - model.canonical()[i]).length() < 0.03);
            }
        }
        let (down, _) = posed(HeadPose { neck: [0.0, 30.0, 0.0], ..HeadPose::default() });
        assert!(down[30].y < mean[30].y - 0.05, "pitch lowers the nose");
        let (tilted, _) = posed(HeadPose { neck: [0.0, 0.0, 20.0], ..HeadPose::default() });
        assert!(tilted[27].x < mean[27].x - 0.02, "roll tilts to the subject's right");
        let (open, _) = posed(HeadPose { jaw: 20.0, ..HeadPose::default() });
        assert!(open[8].y < mean[8].y - 0.03 && (open[30] - mean[30]).length() < 1e-3);
        let (_, looking) = posed(HeadPose { eyes: [20.0, 0.0], ..HeadPose::default() });
        for (i, part) in model.vertex_part().iter().enumerate() {
            let moved = (looking.positions[i] - model.canonical()[i]).length();
            if *part == Part::Skin {
                assert!(moved < 0.02, "skin vertex {i} moved by {moved}");
            }
        }
    }

    #[test]
    fn sliders_and_expressions_move_their_part() {
        let model = HeadModel::embedded();
        for name in model.expression_names() {
            let mut params = HeadParams::default();
            params.expression.insert(name.to_owned(), 1.0);
            let shaped = model.shape(&params).unwrap();
            let largest = largest_move(&shaped);
            assert!(largest > 5e-4 && largest < 0.35, "{name} moves by {largest}");
        }
        for slider in model.sliders() {
            let mut params = HeadParams::default();
            params.sliders.insert(slider.name.clone(), 1.0);
            let largest = largest_move(&model.shape(&params).unwrap());
            assert!(largest > 1e-4 && largest < 0.5, "{} moves by {largest}", slider.name);
        }
    }

    fn largest_move(shaped: &ShapedHead) -> f32 {
        let mean = &HeadModel::embedded().mean().positions;
        shaped.positions.iter().zip(mean).map(|(a, b)| (*a - *b).length()).fold(0.0, f32::max)
    }

    /// How much of the skin a head turns over against the mean head: the share of area whose faces look
    /// more than 90 degrees away from where they look on the mean, and how many such faces lie on smooth
    /// skin. Smooth skin is all but the places that are folded on every head and unfold and fold anew
    /// with its features: lids, lips, nostrils, ears, and the triangles at the bust's rim.
    fn turned_over(model: &HeadModel, head: &ShapedHead) -> (f32, usize) {
        let mean = model.mean();
        let points = model.landmarks468(mean);
        let folds: Vec<Vec3> = landmarks::CHAINS
            .iter()
            .filter(|chain| chain.name.contains("eye") || chain.name.contains("lips"))
            .flat_map(|chain| chain.points.iter().map(|&i| points[i]))
            .chain(model.landmarks68(mean)[31..36].iter().copied())
            .collect();
        let ears = model.region(Region::Ears);
        let normal = |p: &[Vec3], t: &[u32; 3]| {
            let [a, b, c] = t.map(|i| p[i as usize]);
            (b - a).cross(c - a)
        };
        let (mut total, mut turned, mut smooth) = (0.0, 0.0, 0);
        for t in model.part_triangles(Part::Skin) {
            let n = normal(&head.positions, t);
            total += n.length();
            if n.dot(normal(&mean.positions, t)) > 0.0 {
                continue;
            }
            turned += n.length();
            let at = t.map(|i| mean.positions[i as usize]);
            let folded = at.iter().any(|p| folds.iter().any(|f| p.distance(*f) < 0.05))
                || t.iter().any(|&i| ears[i as usize] > 0.0)
                || at
                    .iter()
                    .any(|p| p.distance(points[234]) < 0.13 || p.distance(points[454]) < 0.13)
                || at.iter().any(|p| p.y < -0.7 || p.x.abs() > 0.44);
            smooth += usize::from(!folded);
        }
        (turned / total, smooth)
    }

    #[test]
    fn plausible_heads_do_not_turn_faces_over() {
        let model = HeadModel::embedded();
        for seed in 0..150 {
            let params = HeadParams::random(model, &mut crate::rng::stream(seed, "t", 0, "p"));
            let (share, smooth) = turned_over(model, &model.shape(&params).unwrap());
            assert!(share < 1e-3 && smooth == 0, "seed {seed}: {share}, {smooth} smooth faces");
        }
    }

    #[test]
    fn single_sliders_do_not_turn_faces_over() {
        let model = HeadModel::embedded();
        for slider in model.sliders() {
            for value in if slider.is_one_ended() { [0.5, 1.0] } else { [-1.0, 1.0] } {
                let mut params = HeadParams::default();
                params.sliders.insert(slider.name.clone(), value);
                let (share, smooth) = turned_over(model, &model.shape(&params).unwrap());
                assert!(
                    share < 1e-3 && smooth == 0,
                    "{} at {value}: {share}, {smooth}",
                    slider.name
                );
            }
        }
    }

    /// Every corner of the macro ranges; four faces fold where the greatest weight without muscle folds
    /// the skin of the neck.
    #[test]
    fn macro_corners_do_not_turn_faces_over() {
        let model = HeadModel::embedded();
        for corner in 0..3 * 32u32 {
            let mut ethnicity = [0.0; 3];
            ethnicity[(corner % 3) as usize] = 1.0;
            let bits = corner / 3;
            let [gender, muscle, weight] = [0, 1, 2].map(|shift| (bits >> shift & 1) as f32);
            let age = [0.0, 0.1875, 0.5, 1.0][(bits >> 3) as usize];
            let params =
                HeadParams { ethnicity, gender, age, muscle, weight, ..HeadParams::default() };
            let (share, smooth) = turned_over(model, &model.shape(&params).unwrap());
            let folds = if weight > muscle { 4 } else { 0 };
            assert!(share < 1e-3 && smooth <= folds, "{params:?}: {share}, {smooth}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Identities without sideways sliders are symmetric up to the order of additions.
        #[test]
        fn random_identities_are_mirror_symmetric(seed in 0u64..1_000_000) {
            let model = HeadModel::embedded();
            let params = HeadParams::random(model, &mut crate::rng::stream(seed, "t", 0, "p"));
            let head = model.shape(&params).unwrap();
            for (i, &j) in model.mirror().iter().enumerate() {
                let gap = (head.positions[i] - mirrored(head.positions[j as usize])).length();
                prop_assert!(gap < 2e-6, "vertex {} is off by {}", i, gap);
            }
        }

        /// Swapping every left and right face unit mirrors the head.
        #[test]
        fn expressions_mirror(values in prop::collection::vec(0.0f32..0.7, 52)) {
            let model = HeadModel::embedded();
            let mut left = HeadParams::default();
            let mut right = HeadParams::default();
            for (name, value) in model.expression_names().zip(values) {
                let image = if let Some(stem) = name.strip_suffix("Left") {
                    format!("{stem}Right")
                } else if let Some(stem) = name.strip_suffix("Right") {
                    format!("{stem}Left")
                } else {
                    name.to_owned()
                };
                left.expression.insert(name.to_owned(), value);
                right.expression.insert(image, value);
            }
            let (a, b) = (model.shape(&left).unwrap(), model.shape(&right).unwrap());
            for (i, &j) in model.mirror().iter().enumerate() {
                let gap = (a.positions[i] - mirrored(b.positions[j as usize])).length();
                prop_assert!(gap < 2e-6, "vertex {} is off by {}", i, gap);
            }
        }
    }
}
