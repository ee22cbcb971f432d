//! Where edits that were kept to a region had nothing to change.

use crate::config::GenerationConfig;
use crate::pipeline::EditRegion;
use crate::pipeline::coarse::StartHead;
use crate::render::mask::Mask;
use crate::render::studio::StudioSample;
use crate::session::SessionError;
use crate::session::edited;
use crate::session::person::Person;
use glam::Vec3;

/// The rest of a head, outside of all regions that were edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Untouched(Vec<Mask>);

impl Untouched {
    /// The rest of the head of `config` after `edits` (instruction and region, oldest first)
    /// that followed `earlier` instructions; `None` if one of them could change everything, or
    /// if there are none.
    ///
    /// # Errors
    /// If a sentence cannot be read.
    pub fn of(
        config: &GenerationConfig,
        earlier: &[&str],
        edits: &[(&str, EditRegion)],
    ) -> Result<Option<Self>, SessionError> {
        if edits.is_empty() || edits.iter().any(|(_, region)| *region == EditRegion::All) {
            return Ok(None);
        }
        let mut masks = Vec::new();
        if config.needs_person() {
            let reader = edited::reader()?;
            let after = |before: &StudioSample, instruction: &str| {
                edited::edited(&reader, before, config.seed, instruction).map(|done| done.sample)
            };
            let mut before = Person::of(config)?.sample;
            for instruction in earlier {
                before = after(&before, instruction)?;
            }
            for (instruction, region) in edits {
                let next = after(&before, instruction)?;
                let surface = StartHead::of(&before.params)?.surface;
                masks.extend(region.mask(&surface, &[&before, &next])?);
                before = next;
            }
        } else {
            for (_, region) in edits {
                masks.extend(region.mask(&StartHead::mean().surface, &[])?);
            }
        }
        Ok(Some(Self(masks)))
    }

    /// Whether a point of space lies there.
    #[must_use]
    pub fn holds(&self, point: Vec3) -> bool {
        self.0.iter().all(|mask| mask.at(point) == 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_of_all_regions_is_untouched() {
        let config = GenerationConfig {
            prompt: "a bald man".into(),
            ..GenerationConfig::preset("quick").unwrap()
        };
        let of = |edits: &[(&str, EditRegion)]| Untouched::of(&config, &[], edits).unwrap();
        let (chin, crown) = (Vec3::new(0.0, -0.35, 0.4), Vec3::new(0.0, 0.6, 0.0));
        let beard = ("give him a red beard", EditRegion::Jaw);
        let jaw = of(&[beard]).unwrap();
        assert!(!jaw.holds(chin) && jaw.holds(crown));
        let both = of(&[beard, ("give him a mohawk", EditRegion::Hair)]).unwrap();
        assert!(!both.holds(chin) && !both.holds(crown));
        assert_eq!(of(&[beard, ("make him older", EditRegion::All)]), None);
        assert_eq!(of(&[]), None);
    }
}
