//! The head of the prior that an avatar was made on, and what faces ask of it.

use super::SessionError;
use super::person::Person;
use crate::config::{GenerationConfig, Start};
use crate::head::landmarks::CHAINS;
use crate::head::{HeadModel, Part, ShapedHead};
use crate::pipeline::EditRegion;
use crate::pipeline::coarse::StartHead;
use glam::Vec3;

/// The head of the prior that the avatar of these settings was made on, as generated.
///
/// # Errors
/// [`SessionError`] if the person of the prompt cannot be read.
pub fn prior(config: &GenerationConfig) -> Result<ShapedHead, SessionError> {
    Ok(match config.start {
        Start::Mean => StartHead::mean().control,
        Start::Person => StartHead::of(&Person::of(config)?.sample.params)?.control,
    })
}

/// The landmarks of a head as points and the lines that join them.
#[must_use]
pub fn landmark_lines(head: &ShapedHead) -> (Vec<Vec3>, Vec<[u32; 2]>) {
    let points = HeadModel::embedded().landmarks468(head);
    let lines = CHAINS.iter().flat_map(|chain| chain.points.windows(2));
    (points, lines.map(|pair| [pair[0] as u32, pair[1] as u32]).collect())
}

/// The smallest region that a point on the avatar belongs to: that of the nearest place of the
/// prior, or the hair's if the prior's skin is far.
#[must_use]
pub fn region_at(head: &ShapedHead, point: Vec3) -> EditRegion {
    /// Farther from the skin, world units (2 cm), is hair or a hat.
    const ABOVE: f32 = 0.07;
    let model = HeadModel::embedded();
    // Lashes and ribbons of hair are no part of what a point is near to.
    let solid =
        |v: &usize| matches!(model.vertex_part()[*v], Part::Skin | Part::EyeLeft | Part::EyeRight);
    let places = (0..head.positions.len()).filter(solid);
    let places = places.map(|v| (v, head.positions[v].distance(point)));
    let nearest = places.min_by(|(_, a), (_, b)| a.total_cmp(b));
    let Some((vertex, distance)) = nearest else { return EditRegion::All };
    let smallest = EditRegion::BY_SIZE.into_iter().find(|region| region.holds(model, vertex));
    match smallest {
        Some(EditRegion::Hair) | None if distance < ABOVE => smallest.unwrap_or(EditRegion::All),
        Some(region) if distance < ABOVE || region != EditRegion::Face => region,
        _ => EditRegion::Hair,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Region;

    #[test]
    fn a_click_finds_the_smallest_region() {
        let model = HeadModel::embedded();
        let head = model.mean();
        let middle = |region: Region| {
            let weights = model.region(region);
            let members = weights.iter().zip(&head.positions).filter(|(w, _)| **w > 0.9);
            let one: Vec<Vec3> = members.map(|(_, p)| *p).filter(|p| p.x >= 0.0).collect();
            one.iter().sum::<Vec3>() / one.len() as f32
        };
        for (region, expected) in [
            (Region::Nose, EditRegion::Nose),
            (Region::Brows, EditRegion::Brows),
            (Region::Lips, EditRegion::Mouth),
            (Region::Ears, EditRegion::Ears),
        ] {
            assert_eq!(region_at(head, middle(region)), expected, "{region:?}");
        }
        let scalp = model.region(Region::Scalp).iter().zip(&head.positions);
        let scalp = scalp.filter(|(weight, _)| **weight > 0.9).map(|(_, p)| *p);
        let crown = scalp.max_by(|a, b| a.y.total_cmp(&b.y)).unwrap();
        assert_eq!(region_at(head, crown), EditRegion::Hair);
        assert_eq!(region_at(head, crown + 0.3 * Vec3::Y), EditRegion::Hair);
    }

    #[test]
    fn landmark_lines_join_points_that_there_are() {
        let (points, lines) = landmark_lines(HeadModel::embedded().mean());
        assert_eq!((points.len(), lines.len()), (468, 124));
        assert!(lines.iter().flatten().all(|i| (*i as usize) < points.len()));
    }
}
