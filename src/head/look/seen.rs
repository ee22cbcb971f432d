//! Which attributes of a look mean anything: the colour of a hat that is not there does not.

use super::{BeardStyle, Expression, Glasses, HairStyle, Hat, Look};

/// What a statue's material covers.
const COVERED: [&str; 11] = [
    "skin",
    "hair_color",
    "hair_tips",
    "beard_color",
    "brow_color",
    "eyes",
    "hat_color",
    "glasses_color",
    "red_lips",
    "face_paint",
    "ethnicity",
];

impl Look {
    /// Whether an attribute (see [`Self::attributes`]) has a place where it is seen, whatever
    /// its value.
    #[must_use]
    pub fn shows(&self, attribute: &str) -> bool {
        if !self.is_living() && COVERED.contains(&attribute) {
            return false;
        }
        let covered_ears = self.has_covered_ears();
        match attribute {
            "hair_color" => self.hair != HairStyle::Bald,
            "hair_tips" => !matches!(self.hair, HairStyle::Bald | HairStyle::Buzz),
            "fringe" => Self { fringe: true, ..*self }.has_fringe(),
            "beard_color" => self.beard != BeardStyle::None,
            "hat_color" => !matches!(self.hat, Hat::None | Hat::Crown),
            "glasses_color" => self.glasses != Glasses::None,
            "eyes" => self.glasses != Glasses::Sun && self.expression != Expression::Sleeping,
            "eye_size" => self.glasses != Glasses::Sun,
            "ears" => !covered_ears && self.hat != Hat::Helmet,
            "earrings" => !covered_ears,
            // Nobody can tell where a green person comes from.
            "ethnicity" => self.skin.is_natural(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::look::{Ears, Material, SkinTone};

    #[test]
    fn what_has_no_place_is_not_shown() {
        let bald = Look::default();
        for hidden in ["hair_color", "hair_tips", "beard_color", "hat_color", "glasses_color"] {
            assert!(!bald.shows(hidden), "{hidden}");
        }
        for shown in ["skin", "eyes", "ears", "nose", "hair", "hat", "ethnicity"] {
            assert!(bald.shows(shown), "{shown}");
        }
        let long = Look { hair: HairStyle::Long, glasses: Glasses::Sun, hat: Hat::Crown, ..bald };
        assert!(long.shows("hair_color") && long.shows("fringe") && long.shows("glasses_color"));
        for hidden in ["ears", "earrings", "eyes", "eye_size", "hat_color"] {
            assert!(!long.shows(hidden), "{hidden}");
        }
        // Hair is tucked behind an elf's.
        assert!(Look { ears: Ears::Pointed, ..long }.shows("ears"));
        let statue = Look { material: Some(Material::Gold), ..long };
        assert!(COVERED.iter().all(|name| !statue.shows(name)));
        assert!(statue.shows("hair") && statue.shows("material"));
        assert!(!Look { skin: SkinTone::Green, ..bald }.shows("ethnicity"));
        assert!(!Look { expression: Expression::Sleeping, ..bald }.shows("eyes"));
    }
}
