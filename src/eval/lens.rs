//! Looking at heads.

use super::edit::distance::{Compared, Distances, Outside};
use super::edit::verdict::{EditVerdict, Question};
use super::pictures::{Pictures, Portraits};
use super::{Claims, Judge, Verdict};
use crate::geometry::TexturedMesh;
use crate::head::HeadModel;
use crate::render::GpuContext;
use crate::session::SessionError;
use ::image::RgbImage;

/// Everything that looks at heads: pictures of them, and the classifier.
pub struct Lens {
    portraits: Portraits,
    judge: Judge,
}

/// What was seen of an edit.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What the classifier says.
    pub verdict: EditVerdict,
    /// The distance between the heads, if both are known.
    pub whole: Option<Distances>,
    /// The same outside of a region, if there is one.
    pub outside: Option<Distances>,
}

impl Lens {
    /// # Errors
    /// If the classifier cannot be loaded, or what the driver reports.
    pub fn new(gpu: &GpuContext) -> Result<Self, SessionError> {
        Ok(Self { portraits: Portraits::new(gpu)?, judge: Judge::load()? })
    }

    /// Holds a head against claims.
    ///
    /// # Errors
    /// A driver error.
    pub fn head(&self, mesh: &TexturedMesh, claims: &Claims) -> Result<Verdict, SessionError> {
        self.pictures(&self.portraits.pictures(mesh)?, claims)
    }

    /// Holds pictures of a head against claims.
    ///
    /// # Errors
    /// If there are none.
    pub fn pictures(&self, of: &Pictures, claims: &Claims) -> Result<Verdict, SessionError> {
        self.judge.verdict(of, claims)
    }

    /// Judges a head after an edit and, if the head before is known, compares the two;
    /// `outside` says where the edit had nothing to change, if it was confined to a region.
    ///
    /// # Errors
    /// A driver error.
    pub fn edit(
        &self,
        before: Option<&TexturedMesh>,
        after: &TexturedMesh,
        question: &Question<'_>,
        outside: Option<Outside<'_>>,
    ) -> Result<Measured, SessionError> {
        let read = |mesh| self.judge.read(&self.portraits.pictures(mesh)?);
        let reading = before.map(read).transpose()?;
        let verdict = EditVerdict::of(reading.as_ref(), &read(after)?, question);
        let Some(before) = before else {
            return Ok(Measured { verdict, whole: None, outside: None });
        };
        let rings = (self.portraits.ring(before)?, self.portraits.ring(after)?);
        let between = |outside| {
            Distances::between(
                Compared { mesh: &before.mesh, ring: &rings.0 },
                Compared { mesh: &after.mesh, ring: &rings.1 },
                HeadModel::embedded().similarity().metres_per_unit,
                outside,
            )
        };
        Ok(Measured {
            verdict,
            whole: between(None),
            outside: outside.and_then(|outside| between(Some(outside))),
        })
    }

    /// Eight lit views round a head.
    ///
    /// # Errors
    /// A driver error.
    pub fn strip(&self, mesh: &TexturedMesh) -> Result<Vec<RgbImage>, SessionError> {
        Ok(self.portraits.strip(mesh)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GenerationConfig;
    use crate::eval::Subject;
    use crate::eval::edit::verdict::Other;
    use glam::Vec3;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn claims(attribute: &str, value: &str) -> Claims {
        BTreeMap::from([(attribute.to_owned(), vec![json!(value)])])
    }

    #[test]
    fn persons_before_and_after_are_told_apart_where_they_differ() {
        let gpu = GpuContext::new().unwrap();
        let lens = Lens::new(&gpu).unwrap();
        let config = GenerationConfig::preset("quick").unwrap();
        let mut subject = Subject::new(&config, Path::new("unused"), &gpu);
        let pair = subject
            .instant_edit("a young woman with long blond hair", 3, "dye the hair green")
            .unwrap();
        let (asked, prompt) = (claims("hair_color", "green"), claims("hair", "long"));
        let question = Question { asked: &asked, changed: &pair.changed, prompt: &prompt };
        let measure =
            |after: &TexturedMesh| lens.edit(Some(&pair.before), after, &question, None).unwrap();

        let edited = measure(&pair.after);
        let verdict = &edited.verdict;
        assert!(verdict.asked[0].claim.right && verdict.asked[0].before == Some(json!("blond")));
        assert!(verdict.asked[0].odds > verdict.asked[0].odds_before);
        assert!(verdict.claims[0].claim.right && verdict.claims[0].held_before == Some(true));
        let counted: Vec<_> = verdict.others.iter().filter(|other| other.counts()).collect();
        let stayed = counted.iter().filter(|other| other.stayed()).count();
        assert!(counted.len() > 12 && stayed + 2 >= counted.len(), "{counted:?}");
        assert_eq!(verdict.back, (3, 3));
        let whole = edited.whole.unwrap();
        assert!(whole.albedo > 5.0 && whole.surface_p95 < 1e-2, "{whole:?}");

        // The same head twice.
        let same = measure(&pair.before);
        assert!(!same.verdict.asked[0].claim.right);
        assert!(same.verdict.others.iter().all(Other::stayed));
        let whole = same.whole.unwrap();
        assert!(whole.albedo == 0.0 && whole.surface_p95 < 1e-2, "{whole:?}");

        // Bigger by two hundredths: surfaces differ by that share of their distance from the
        // middle where they face outward, by less elsewhere.
        let mut grown = pair.before.clone();
        for p in &mut grown.mesh.positions {
            *p *= 1.02;
        }
        let farthest = pair.before.mesh.positions.iter().map(|p| p.length()).fold(0.0, f32::max);
        let unit = 1000.0 * HeadModel::embedded().similarity().metres_per_unit;
        let whole = measure(&grown).whole.unwrap();
        let most = f64::from(0.02 * farthest * unit);
        assert!((0.1 * most..0.9 * most).contains(&whole.surface_mean), "{whole:?} {most}");
        assert!(whole.surface_p95 <= most && whole.surface_p95 > whole.surface_mean, "{whole:?}");

        // A region that holds all of the change.
        let confined = lens
            .edit(Some(&pair.before), &grown, &question, Some(&|p: Vec3| p.length() < 0.3))
            .unwrap();
        let (inner, all) = (confined.outside.unwrap(), confined.whole.unwrap());
        assert!(inner.surface_p95 < all.surface_p95, "{inner:?} {all:?}");

        // Of the result alone.
        let alone = lens.edit(None, &pair.after, &question, None).unwrap();
        assert_eq!((alone.whole, alone.verdict.others.len()), (None, 0));
        assert!(alone.verdict.asked[0].claim.right);
    }
}
