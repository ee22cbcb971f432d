//! What one head looks like, in named values.
//!
//! Every choice is a named value, and every colour has an sRGB reference, so that captions,
//! renderers, readers of prompts and tests mean the same thing by "auburn" or "olive".

mod colors;
mod names;
mod seen;
mod styles;
mod traits;
mod units;

pub use colors::{ClothColor, HairColor, IrisColor, Material, SkinTone};
pub use styles::{
    AgeGroup, BeardStyle, Brows, Earrings, Ethnicity, Expression, FacePaint, Glasses, HairStyle,
    Hat,
};
pub use traits::{Cheeks, Chin, Ears, EyeSize, Face, Forehead, Jaw, Lips, Mouth, Neck, Nose};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The look of one head: everything that is drawn, by name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "independent attributes, named in data sets")]
pub struct Look {
    /// Gender presentation: true for a man's.
    pub male: bool,
    /// Age group.
    pub age: AgeGroup,
    /// Ancestry.
    pub ethnicity: Ethnicity,
    /// Expression.
    pub expression: Expression,
    /// Skin colour.
    pub skin: SkinTone,
    /// The whole head is made of this, if set.
    pub material: Option<Material>,
    /// Hair cut.
    pub hair: HairStyle,
    /// Hair colour.
    pub hair_color: HairColor,
    /// Colour of the tips of two-tone hair.
    pub hair_tips: Option<HairColor>,
    /// Hair length or volume within its style, 0..1.
    pub hair_length: f32,
    /// Whether a fringe covers the forehead, where the cut allows one
    /// (see [`Self::has_fringe`]).
    pub fringe: bool,
    /// How far the front hairline has receded, 0..1.
    pub receding: f32,
    /// Brow colour.
    pub brow_color: HairColor,
    /// Brow thickness.
    pub brows: Brows,
    /// Beard cut.
    pub beard: BeardStyle,
    /// Beard colour.
    pub beard_color: HairColor,
    /// Beard length within its style, 0..1.
    pub beard_length: f32,
    /// Iris colour.
    pub eyes: IrisColor,
    /// Red lipstick.
    pub red_lips: bool,
    /// Paint on the face.
    pub face_paint: FacePaint,
    /// Two horns on the forehead.
    pub horns: bool,
    /// Earrings.
    pub earrings: Earrings,
    /// Glasses.
    pub glasses: Glasses,
    /// Colour of the frame.
    pub glasses_color: ClothColor,
    /// Headgear.
    pub hat: Hat,
    /// Colour of the headgear; crowns are golden.
    pub hat_color: ClothColor,
    /// Shape of the nose.
    pub nose: Nose,
    /// Width of the jaw.
    pub jaw: Jaw,
    /// Size of the chin.
    pub chin: Chin,
    /// Fullness of the lips.
    pub lips: Lips,
    /// Width of the mouth.
    pub mouth: Mouth,
    /// Size of the eyes.
    pub eye_size: EyeSize,
    /// Size and shape of the ears.
    pub ears: Ears,
    /// Fullness of the cheeks.
    pub cheeks: Cheeks,
    /// Outline of the face.
    pub face: Face,
    /// Height of the forehead.
    pub forehead: Forehead,
    /// Girth of the neck.
    pub neck: Neck,
    /// Brightness and tint jitter of all colours, each about -1..1.
    pub tint: [f32; 3],
}

impl Default for Look {
    /// A plain adult without hair, beard or accessories.
    fn default() -> Self {
        Self {
            male: true,
            age: AgeGroup::Young,
            ethnicity: Ethnicity::European,
            expression: Expression::Neutral,
            skin: SkinTone::Light,
            material: None,
            hair: HairStyle::Bald,
            hair_color: HairColor::Brown,
            hair_tips: None,
            hair_length: 0.5,
            fringe: false,
            receding: 0.0,
            brow_color: HairColor::Brown,
            brows: Brows::Medium,
            beard: BeardStyle::None,
            beard_color: HairColor::Brown,
            beard_length: 0.5,
            eyes: IrisColor::Brown,
            red_lips: false,
            face_paint: FacePaint::None,
            horns: false,
            earrings: Earrings::None,
            glasses: Glasses::None,
            glasses_color: ClothColor::Black,
            hat: Hat::None,
            hat_color: ClothColor::Red,
            nose: Nose::Normal,
            jaw: Jaw::Normal,
            chin: Chin::Normal,
            lips: Lips::Normal,
            mouth: Mouth::Normal,
            eye_size: EyeSize::Normal,
            ears: Ears::Normal,
            cheeks: Cheeks::Normal,
            face: Face::Normal,
            forehead: Forehead::Normal,
            neck: Neck::Normal,
            tint: [0.0; 3],
        }
    }
}

impl Look {
    /// Whether hair falls down at the sides.
    #[must_use]
    pub fn has_falling_hair(&self) -> bool {
        matches!(self.hair, HairStyle::Bob | HairStyle::Long | HairStyle::Wavy)
    }

    /// Whether hair falls over the ears; behind an elf's it is tucked.
    #[must_use]
    pub fn has_covered_ears(&self) -> bool {
        self.has_falling_hair() && self.ears != Ears::Pointed
    }

    /// Whether hair falls over the forehead.
    #[must_use]
    pub fn has_fringe(&self) -> bool {
        let cuts = [
            HairStyle::Short,
            HairStyle::Bob,
            HairStyle::Long,
            HairStyle::Wavy,
            HairStyle::Curly,
            HairStyle::Ponytail,
        ];
        self.fringe && cuts.contains(&self.hair)
    }

    /// The second colour of the hair, where there is enough hair to show it.
    #[must_use]
    pub fn visible_tips(&self) -> Option<HairColor> {
        let plain = [HairStyle::Bald, HairStyle::Buzz];
        self.hair_tips.filter(|tips| *tips != self.hair_color && !plain.contains(&self.hair))
    }

    /// The same look to the eye, with everything that has no place to be seen as it would be
    /// if it had: new hair as the brows, a new beard as the hair, a new frame black.
    #[must_use]
    pub fn at_rest(&self) -> Self {
        let mut look = *self;
        if look.hair == HairStyle::Bald {
            look.hair_color = look.brow_color;
        }
        if look.beard == BeardStyle::None {
            look.beard_color = look.hair_color;
        }
        if look.glasses == Glasses::None {
            look.glasses_color = ClothColor::Black;
        }
        look.hair_tips = look.visible_tips();
        look
    }

    /// Whether any skin is seen in its own colour: not under a material.
    #[must_use]
    pub fn is_living(&self) -> bool {
        self.material.is_none()
    }

    /// How many things about this look nobody would leave out who describes it: colours that
    /// people do not have by nature, materials, a mohawk, beards, hats, glasses, paint, horns,
    /// shapes, expressions.
    #[must_use]
    pub fn remarkable_traits(&self) -> usize {
        let dyed = |color: HairColor| !HairColor::NATURAL.contains(&color);
        let strange = [IrisColor::Red, IrisColor::Yellow, IrisColor::Purple];
        let looks = [
            !self.skin.is_natural(),
            self.material.is_some(),
            matches!(self.hair, HairStyle::Mohawk | HairStyle::Spiky),
            !matches!(self.beard, BeardStyle::None | BeardStyle::Stubble),
            self.hair != HairStyle::Bald && dyed(self.hair_color),
            self.visible_tips().is_some(),
            self.beard != BeardStyle::None && dyed(self.beard_color),
            dyed(self.brow_color),
            self.brows != Brows::Medium,
            strange.contains(&self.eyes),
            self.face_paint != FacePaint::None,
            self.horns,
            self.earrings != Earrings::None,
            self.glasses != Glasses::None,
            self.hat != Hat::None,
            self.expression != Expression::Neutral,
        ];
        looks.into_iter().filter(|remarkable| *remarkable).count() + self.remarkable_shapes()
    }

    /// How many features have a shape that a description names.
    #[must_use]
    pub fn remarkable_shapes(&self) -> usize {
        [
            self.nose != Nose::Normal,
            self.jaw != Jaw::Normal,
            self.chin != Chin::Normal,
            self.lips != Lips::Normal,
            self.mouth != Mouth::Normal,
            self.eye_size != EyeSize::Normal,
            self.ears != Ears::Normal,
            self.cheeks != Cheeks::Normal,
            self.face != Face::Normal,
            self.forehead != Forehead::Normal,
            self.neck != Neck::Normal,
        ]
        .into_iter()
        .filter(|remarkable| *remarkable)
        .count()
    }

    /// The attributes by name, as data sets and attribute readers call them.
    #[must_use]
    pub fn attributes(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(attributes)) => attributes,
            other => unreachable!("a record of names and numbers is an object, not {other:?}"),
        }
    }

    /// The same look with one attribute changed; `None` for an attribute or a value that
    /// is not drawn here.
    #[must_use]
    pub fn with_attribute(&self, name: &str, value: &Value) -> Option<Self> {
        let mut attributes = self.attributes();
        attributes.insert(name.to_owned(), value.clone());
        serde_json::from_value(Value::Object(attributes)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Vec3;
    use serde_json::json;

    #[test]
    fn names_are_what_files_hold() {
        for &tone in SkinTone::ALL {
            assert_eq!(serde_json::to_value(tone).unwrap(), tone.name());
        }
        let natural = SkinTone::ALL.iter().filter(|tone| tone.is_natural()).count();
        assert_eq!(natural + SkinTone::FANTASY.len(), SkinTone::ALL.len());
        let look = Look { material: Some(Material::Clay), hat: Hat::Beanie, ..Look::default() };
        assert_eq!(look.attributes()["material"], "clay");
        assert_eq!(look.attributes()["hat"], "beanie");
        let text = serde_json::to_string(&look).unwrap();
        assert_eq!(serde_json::from_str::<Look>(&text).unwrap(), look);
    }

    #[test]
    fn attributes_change_one_at_a_time_and_only_to_what_is_drawn() {
        let look = Look::default();
        let bearded = look.with_attribute("beard", &json!("full")).unwrap();
        assert_eq!(bearded, Look { beard: BeardStyle::Full, ..look });
        let statue = look.with_attribute("material", &json!("bronze")).unwrap();
        assert_eq!(statue.with_attribute("material", &Value::Null), Some(look));
        assert_eq!(look.with_attribute("skin", &json!("teal")), None);
        assert_eq!(look.with_attribute("shoe_size", &json!(44)), None);
        assert_eq!(look.with_attribute("male", &json!("yes")), None);
    }

    #[test]
    fn remarkable_is_what_is_seen_and_unusual() {
        let plain = Look::default();
        assert_eq!(plain.remarkable_traits(), 0);
        // Dyed hair on a bald head is not seen.
        assert_eq!(Look { hair_color: HairColor::Blue, ..plain }.remarkable_traits(), 0);
        let punk = Look { hair: HairStyle::Mohawk, hair_color: HairColor::Blue, ..plain };
        assert_eq!(punk.remarkable_traits(), 2);
        assert_eq!(Look { skin: SkinTone::Green, hat: Hat::Cap, ..punk }.remarkable_traits(), 4);
    }

    #[test]
    fn what_is_not_seen_is_at_rest() {
        let look = Look {
            hair_color: HairColor::Pink,
            brow_color: HairColor::Black,
            hair_tips: Some(HairColor::Green),
            beard_color: HairColor::Blue,
            ..Look::default()
        };
        let rest = look.at_rest();
        assert_eq!((rest.hair_color, rest.hair_tips), (HairColor::Black, None));
        assert_eq!(rest.beard_color, HairColor::Black);
        let seen = Look { hair: HairStyle::Long, beard: BeardStyle::Full, ..look };
        assert_eq!(seen.at_rest(), seen);
    }

    #[test]
    fn only_some_cuts_have_a_fringe() {
        let look = |hair| Look { hair, fringe: true, ..Look::default() };
        assert!(look(HairStyle::Bob).has_fringe());
        assert!(!look(HairStyle::Mohawk).has_fringe());
        assert!(!Look { fringe: false, ..look(HairStyle::Bob) }.has_fringe());
    }

    /// Colours that a caption tells apart must differ visibly.
    #[test]
    fn reference_colours_are_distinct() {
        fn check(colors: &[Vec3]) {
            for (i, a) in colors.iter().enumerate() {
                for b in &colors[..i] {
                    assert!(a.distance(*b) > 0.065, "{a} and {b}");
                }
            }
        }
        check(&SkinTone::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&HairColor::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&IrisColor::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&ClothColor::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&Material::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
    }
}
