//! Regions of the head that an edit may be kept to, as masks in space.

use super::StageError;
use crate::geometry::{grid::node_positions, smoothstep};
use crate::head::bvh::Bvh;
use crate::head::{HeadModel, Part, Region, ShapedHead};
use crate::render::mask::Mask;
use crate::render::studio::{StudioHead, StudioSample};
use glam::Vec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Nodes a side of a mask.
const RESOLUTION: usize = 80;
/// How much farther than from the rest of the head a point may be from the region, world units,
/// before nothing changes there any more.
const FADE: f32 = 0.03;
/// How far round the hair's own surface still counts as hair, world units.
const HAIR: f32 = 0.01;
/// Farther than anything in the scene, world units.
const FAR: f32 = 10.0;
/// A vertex belongs to a region of the prior from this weight on.
const MEMBER: f32 = 0.5;

/// A part of the head that an edit is kept to. What surrounds the head belongs to the part that
/// it is nearest to, a long beard to the jaw; where the person's hair is, it is the hair's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum EditRegion {
    /// Facial skin with brows, eyes, nose and mouth.
    Face,
    /// The scalp, and the person's hair wherever it falls.
    Hair,
    /// The eyebrows.
    Brows,
    /// Lids, sockets and eyeballs.
    Eyes,
    /// From the bridge to the nostrils.
    Nose,
    /// Lips, teeth and tongue.
    Mouth,
    /// Where beards grow.
    Jaw,
    /// Both ears.
    Ears,
    /// Throat and nape.
    Neck,
    /// Everywhere.
    #[default]
    All,
}

impl EditRegion {
    /// Whether it is the whole head.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde hands over")]
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// Its name on the command line and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Hair => "hair",
            Self::Brows => "brows",
            Self::Eyes => "eyes",
            Self::Nose => "nose",
            Self::Mouth => "mouth",
            Self::Jaw => "jaw",
            Self::Ears => "ears",
            Self::Neck => "neck",
            Self::All => "all",
        }
    }

    /// All but the whole head, the smallest first.
    pub const BY_SIZE: [Self; 9] = [
        Self::Brows,
        Self::Nose,
        Self::Mouth,
        Self::Eyes,
        Self::Ears,
        Self::Jaw,
        Self::Neck,
        Self::Face,
        Self::Hair,
    ];

    /// Whether it has a vertex of the prior.
    #[must_use]
    pub fn holds(self, model: &HeadModel, vertex: usize) -> bool {
        self.parts().iter().any(|region| model.region(*region)[vertex] >= MEMBER)
    }

    /// The regions of the prior that it covers.
    fn parts(self) -> &'static [Region] {
        match self {
            Self::Face => &[
                Region::Face,
                Region::Brows,
                Region::Eyes,
                Region::Nose,
                Region::Lips,
                Region::InnerMouth,
            ],
            Self::Hair => &[Region::Scalp],
            Self::Brows => &[Region::Brows],
            Self::Eyes => &[Region::Eyes],
            Self::Nose => &[Region::Nose],
            Self::Mouth => &[Region::Lips, Region::InnerMouth],
            Self::Jaw => &[Region::Jaw],
            Self::Ears => &[Region::Ears],
            Self::Neck => &[Region::Neck],
            Self::All => &[],
        }
    }

    /// Where an edit of a head may change something; `None` is everywhere. `people` are those
    /// whose hair is known: the head before the edit, and after it.
    ///
    /// # Errors
    /// [`StageError::Head`] for people whose parameters are out of range.
    pub fn mask(
        self,
        head: &ShapedHead,
        people: &[&StudioSample],
    ) -> Result<Option<Mask>, StageError> {
        if self.is_all() {
            return Ok(None);
        }
        let model = HeadModel::embedded();
        let regions = self.parts();
        let weight =
            |v: u32| regions.iter().map(|r| model.region(*r)[v as usize]).fold(0.0_f32, f32::max);
        // Lashes, teeth and ribbons of hair are no part of what a point is near to.
        let solid = |(k, _): &(usize, &[u32; 3])| {
            matches!(model.part(*k), Part::Skin | Part::EyeLeft | Part::EyeRight)
        };
        let (inside, outside): (Vec<[u32; 3]>, Vec<[u32; 3]>) = model
            .triangles()
            .iter()
            .enumerate()
            .filter(solid)
            .map(|(_, triangle)| *triangle)
            .partition(|t| t.iter().map(|v| weight(*v)).sum::<f32>() / 3.0 >= MEMBER);
        let tree = |triangles: &[[u32; 3]]| Bvh::new(&head.positions, triangles);
        let (inside, outside) = (tree(&inside), tree(&outside));
        let hair = people.iter().map(|person| hair(person)).collect::<Result<Vec<_>, _>>()?;
        let far = |tree: &Bvh, p: Vec3| tree.closest(p, None).map_or(FAR, |c| c.distance);
        let points: Vec<Vec3> = node_positions(RESOLUTION).collect();
        let weights = points
            .into_par_iter()
            .map(|p| {
                let own = fade(far(&inside, p) - far(&outside, p));
                let hair = hair.iter().map(|tree| far(tree, p)).fold(FAR, f32::min);
                let hair = fade(hair - HAIR);
                if self == Self::Hair { own.max(hair) } else { own.min(1.0 - hair) }
            })
            .collect();
        Ok(Some(Mask::new(RESOLUTION, weights)?))
    }
}

/// 1 up to a distance of 0, falling to 0 at [`FADE`].
fn fade(distance: f32) -> f32 {
    smoothstep(FADE, 0.0, distance)
}

/// The triangles of a person's hair.
fn hair(person: &StudioSample) -> Result<Bvh, StageError> {
    let studio = StudioHead::new(&person.params, &person.look, person.seed)?;
    Ok(Bvh::new(&studio.mesh.positions(), &studio.mesh.triangles[studio.hair]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::look::HairStyle;
    use crate::head::{HeadModel, HeadParams, Look};

    #[test]
    fn each_region_holds_its_own_place_and_no_other() {
        let head = HeadModel::embedded().mean();
        let model = HeadModel::embedded();
        let middle = |region: Region| {
            let weights = model.region(region);
            let members = weights.iter().zip(&head.positions).filter(|(w, _)| **w > 0.9);
            // One side of what comes in pairs.
            let one: Vec<Vec3> = members.map(|(_, p)| *p).filter(|p| p.x >= 0.0).collect();
            one.iter().sum::<Vec3>() / one.len() as f32
        };
        let nearest = |p: Vec3| {
            *head.positions.iter().min_by(|a, b| a.distance(p).total_cmp(&b.distance(p))).unwrap()
        };
        let at = |region| nearest(middle(region));
        let crown = nearest(Vec3::new(0.0, 0.6, 0.0));
        let places = [
            (EditRegion::Nose, at(Region::Nose)),
            (EditRegion::Brows, at(Region::Brows)),
            (EditRegion::Eyes, at(Region::Eyes)),
            (EditRegion::Mouth, at(Region::Lips)),
            (EditRegion::Ears, at(Region::Ears)),
            (EditRegion::Hair, crown),
            (EditRegion::Neck, nearest(Vec3::new(0.0, -0.42, -0.2))),
        ];
        let mut failures = Vec::new();
        for (region, _) in places {
            let mask = region.mask(head, &[]).unwrap().unwrap();
            for (other, spot) in places {
                let weight = mask.at(spot);
                let wanted = if other == region { 0.8..=1.0 } else { 0.0..=0.4 };
                if !wanted.contains(&weight) {
                    failures.push(format!("{region:?} at {other:?} {spot}: {weight}"));
                }
            }
            let share = mask.weights().iter().filter(|w| **w == 0.0).count() as f32
                / mask.weights().len() as f32;
            if share < 0.05 {
                failures.push(format!("{region:?} leaves only {share} alone"));
            }
        }
        // A long beard is the jaw's, however far it hangs.
        let jaw = EditRegion::Jaw.mask(head, &[]).unwrap().unwrap();
        let face = EditRegion::Face.mask(head, &[]).unwrap().unwrap();
        let chin = at(Region::Jaw);
        if jaw.at(chin + Vec3::new(0.0, 0.0, 0.1)) < 0.9 || face.at(at(Region::Nose)) < 0.9 {
            failures.push("jaw or face".into());
        }
        assert!(EditRegion::All.mask(head, &[]).unwrap().is_none());
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn a_fringe_is_hair_and_not_face() {
        let person = StudioSample {
            look: Look { hair: HairStyle::Long, fringe: true, ..Look::default() },
            params: HeadParams::default(),
            seed: 1,
        };
        let studio = StudioHead::new(&person.params, &person.look, 1).unwrap();
        let mesh = &studio.mesh;
        let hair = mesh.triangles[studio.hair.clone()].as_flattened();
        let fringe: Vec<Vec3> = hair
            .iter()
            .map(|v| Vec3::from_array(mesh.vertices[*v as usize].position))
            .filter(|p| p.z > 0.25 && p.y > 0.0)
            .collect();
        assert!(fringe.len() > 50, "{}", fringe.len());
        let head = &studio.neutral;
        let of = |region: EditRegion| region.mask(head, &[&person]).unwrap().unwrap();
        let (hair, face) = (of(EditRegion::Hair), of(EditRegion::Face));
        for point in fringe {
            assert!(hair.at(point) > 0.7, "{point}: {}", hair.at(point));
            assert!(face.at(point) < 0.3, "{point}: {}", face.at(point));
        }
    }

    #[test]
    fn names_are_those_of_logs() {
        for region in <EditRegion as clap::ValueEnum>::value_variants() {
            let written = serde_json::to_value(region).unwrap();
            assert_eq!(written, region.name());
        }
    }
}
