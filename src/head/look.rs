//! What geometry does not say: skin, material, hair, brows, beard, eyes, glasses, hat.
//!
//! Every choice is a named value, and every colour has an sRGB reference, so that captions,
//! renderers, readers of prompts and tests mean the same thing by "auburn" or "olive".

use glam::Vec3;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Declares an enum whose values have names (also their serde form).
macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[$value_meta:meta])* $value:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$value_meta])* #[serde(rename = $name)] $value),+
        }

        impl $type {
            /// All values in a fixed order.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The value's name, as in files and captions.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }
        }
    };
}

/// Declares a [`named`] enum of colours.
macro_rules! colors {
    ($(#[$meta:meta])* $type:ident { $($(#[$value_meta:meta])* $value:ident = $name:literal, $r:literal $g:literal $b:literal);+ $(;)? }) => {
        named! {
            $(#[$meta])*
            $type { $($(#[$value_meta])* $value = $name),+ }
        }

        impl $type {
            /// Reference colour, sRGB-encoded, 0..1.
            #[must_use]
            pub const fn srgb(self) -> Vec3 {
                match self { $(Self::$value => Vec3::new($r, $g, $b)),+ }
            }
        }
    };
}

colors! {
    /// Colour of the skin.
    SkinTone {
        /// Very light, cool.
        Pale = "pale", 0.95 0.83 0.76;
        /// Light, rosy.
        Fair = "fair", 0.92 0.76 0.66;
        /// Light.
        Light = "light", 0.90 0.72 0.59;
        /// Sun-browned.
        Tan = "tan", 0.80 0.59 0.44;
        /// Greenish brown.
        Olive = "olive", 0.74 0.57 0.41;
        /// Brown.
        Brown = "brown", 0.57 0.38 0.27;
        /// Dark brown.
        Dark = "dark", 0.40 0.26 0.19;
        /// Very dark.
        Black = "black", 0.27 0.18 0.14;
        /// Fantasy green.
        Green = "green", 0.34 0.62 0.26;
        /// Fantasy blue.
        Blue = "blue", 0.28 0.47 0.80;
        /// Fantasy red.
        Red = "red", 0.78 0.20 0.16;
        /// Fantasy purple.
        Purple = "purple", 0.55 0.31 0.70;
        /// Fantasy grey.
        Grey = "grey", 0.56 0.56 0.57;
        /// Fantasy white.
        White = "white", 0.95 0.95 0.95;
        /// Fantasy orange.
        Orange = "orange", 0.92 0.54 0.18;
        /// Fantasy pink.
        Pink = "pink", 0.95 0.60 0.70;
        /// Fantasy yellow.
        Yellow = "yellow", 0.93 0.82 0.26;
        /// Fantasy gold.
        Gold = "gold", 0.84 0.67 0.23;
    }
}

impl SkinTone {
    /// Human tones, light to dark.
    pub const NATURAL: [Self; 8] = [
        Self::Pale,
        Self::Fair,
        Self::Light,
        Self::Tan,
        Self::Olive,
        Self::Brown,
        Self::Dark,
        Self::Black,
    ];

    /// Skins of fantasy figures.
    pub const FANTASY: [Self; 10] = [
        Self::Green,
        Self::Blue,
        Self::Red,
        Self::Purple,
        Self::Grey,
        Self::White,
        Self::Orange,
        Self::Pink,
        Self::Yellow,
        Self::Gold,
    ];

    /// Whether people have it.
    #[must_use]
    pub fn is_natural(self) -> bool {
        Self::NATURAL.contains(&self)
    }
}

colors! {
    /// Colour of hair, brows or beard.
    HairColor {
        /// Black.
        Black = "black", 0.085 0.075 0.075;
        /// Brown.
        Brown = "brown", 0.31 0.19 0.11;
        /// Reddish brown.
        Auburn = "auburn", 0.44 0.17 0.09;
        /// Blond.
        Blond = "blond", 0.86 0.70 0.39;
        /// Ginger red.
        Red = "red", 0.70 0.23 0.08;
        /// Grey.
        Grey = "grey", 0.56 0.56 0.57;
        /// White.
        White = "white", 0.92 0.92 0.90;
        /// Dyed blue.
        Blue = "blue", 0.15 0.30 0.80;
        /// Dyed green.
        Green = "green", 0.16 0.60 0.22;
        /// Dyed pink.
        Pink = "pink", 0.93 0.42 0.66;
        /// Dyed purple.
        Purple = "purple", 0.48 0.20 0.66;
        /// Dyed orange.
        Orange = "orange", 0.95 0.50 0.10;
    }
}

impl HairColor {
    /// Colours that hair has by nature.
    pub const NATURAL: [Self; 7] =
        [Self::Black, Self::Brown, Self::Auburn, Self::Blond, Self::Red, Self::Grey, Self::White];
}

colors! {
    /// Colour of the irises.
    IrisColor {
        /// Brown.
        Brown = "brown", 0.30 0.17 0.08;
        /// Blue.
        Blue = "blue", 0.25 0.50 0.85;
        /// Green.
        Green = "green", 0.25 0.55 0.27;
        /// Grey.
        Grey = "grey", 0.50 0.54 0.57;
        /// Greenish brown.
        Hazel = "hazel", 0.52 0.41 0.20;
        /// Red, on fantasy figures.
        Red = "red", 0.85 0.10 0.10;
        /// Yellow, on fantasy figures.
        Yellow = "yellow", 0.90 0.78 0.15;
    }
}

colors! {
    /// Colour of glasses and hats.
    ClothColor {
        /// Black.
        Black = "black", 0.06 0.06 0.07;
        /// Red.
        Red = "red", 0.75 0.12 0.12;
        /// Blue.
        Blue = "blue", 0.15 0.26 0.70;
        /// Green.
        Green = "green", 0.13 0.50 0.20;
        /// Yellow.
        Yellow = "yellow", 0.93 0.80 0.20;
        /// White.
        White = "white", 0.93 0.93 0.93;
        /// Grey.
        Grey = "grey", 0.50 0.50 0.52;
        /// Brown.
        Brown = "brown", 0.36 0.22 0.12;
        /// Orange.
        Orange = "orange", 0.92 0.48 0.10;
        /// Purple.
        Purple = "purple", 0.46 0.20 0.62;
        /// Pink.
        Pink = "pink", 0.94 0.47 0.67;
    }
}

colors! {
    /// What a statue is made of; it covers hair, eyes and lips too.
    Material {
        /// Cast bronze.
        Bronze = "bronze", 0.51 0.35 0.16;
        /// Polished gold.
        Gold = "gold", 0.92 0.72 0.26;
        /// Silver.
        Silver = "silver", 0.76 0.78 0.81;
        /// White marble.
        Marble = "marble", 0.93 0.92 0.90;
        /// Grey stone.
        Stone = "stone", 0.52 0.51 0.49;
        /// Terracotta clay.
        Clay = "clay", 0.76 0.42 0.30;
        /// Carved wood.
        Wood = "wood", 0.68 0.48 0.29;
    }
}

named! {
    /// Cut of the head hair.
    HairStyle {
        /// None.
        Bald = "bald",
        /// Shaved to a shadow.
        Buzz = "buzz",
        /// A close cut.
        Short = "short",
        /// Short curls.
        Curly = "curly",
        /// A large round afro.
        Afro = "afro",
        /// A ridge over shaved sides.
        Mohawk = "mohawk",
        /// To the chin.
        Bob = "bob",
        /// To the shoulders or lower.
        Long = "long",
    }
}

named! {
    /// Cut of the beard.
    BeardStyle {
        /// None.
        None = "none",
        /// A shadow.
        Stubble = "stubble",
        /// Upper lip only.
        Moustache = "moustache",
        /// Mouth and chin.
        Goatee = "goatee",
        /// The whole jaw.
        Full = "full",
        /// The whole jaw, down over the neck.
        Long = "long",
    }
}

named! {
    /// Glasses.
    Glasses {
        /// None.
        None = "none",
        /// Round rims.
        Round = "round",
        /// Square rims.
        Square = "square",
        /// Dark lenses.
        Sun = "sun",
    }
}

named! {
    /// Headgear.
    Hat {
        /// None.
        None = "none",
        /// A cap with a visor.
        Cap = "cap",
        /// A knitted hat.
        Beanie = "beanie",
    }
}

named! {
    /// The face's expression.
    Expression {
        /// At rest.
        Neutral = "neutral",
        /// Smiling with closed lips or a little teeth.
        Smiling = "smiling",
        /// Laughing with an open mouth.
        Laughing = "laughing",
        /// Surprised.
        Surprised = "surprised",
        /// Angry.
        Angry = "angry",
        /// Sad.
        Sad = "sad",
        /// With closed eyes.
        Sleeping = "sleeping",
        /// Screaming.
        Screaming = "screaming",
    }
}

named! {
    /// Age in words.
    AgeGroup {
        /// 5 to 12.
        Child = "child",
        /// 18 to 35.
        Young = "young",
        /// 40 to 60.
        Middle = "middle",
        /// Over 65.
        Old = "old",
    }
}

named! {
    /// The ancestry whose shape dominates.
    Ethnicity {
        /// African.
        African = "african",
        /// East Asian.
        Asian = "asian",
        /// European.
        European = "european",
    }
}

/// The look of one head: everything that is drawn, by name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Hair length or volume within its style, 0..1.
    pub hair_length: f32,
    /// Whether a fringe covers the forehead, where the cut allows one
    /// (see [`Self::has_fringe`]).
    pub fringe: bool,
    /// How far the front hairline has receded, 0..1.
    pub receding: f32,
    /// Brow colour.
    pub brow_color: HairColor,
    /// Brow thickness, 0..1.
    pub brow_width: f32,
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
    /// Glasses.
    pub glasses: Glasses,
    /// Colour of the frame.
    pub glasses_color: ClothColor,
    /// Headgear.
    pub hat: Hat,
    /// Colour of the headgear.
    pub hat_color: ClothColor,
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
            hair_length: 0.5,
            fringe: false,
            receding: 0.0,
            brow_color: HairColor::Brown,
            brow_width: 0.5,
            beard: BeardStyle::None,
            beard_color: HairColor::Brown,
            beard_length: 0.5,
            eyes: IrisColor::Brown,
            red_lips: false,
            glasses: Glasses::None,
            glasses_color: ClothColor::Black,
            hat: Hat::None,
            hat_color: ClothColor::Red,
            tint: [0.0; 3],
        }
    }
}

impl Look {
    /// Whether hair falls over the forehead.
    #[must_use]
    pub fn has_fringe(&self) -> bool {
        let cuts = [HairStyle::Short, HairStyle::Bob, HairStyle::Long, HairStyle::Curly];
        self.fringe && cuts.contains(&self.hair)
    }

    /// How many things about this look nobody would leave out who describes it: colours that
    /// people do not have by nature, materials, a mohawk, beards, hats, glasses, expressions.
    #[must_use]
    pub fn remarkable_traits(&self) -> usize {
        let dyed = |color: HairColor| !HairColor::NATURAL.contains(&color);
        [
            !self.skin.is_natural(),
            self.material.is_some(),
            self.hair == HairStyle::Mohawk,
            !matches!(self.beard, BeardStyle::None | BeardStyle::Stubble),
            self.hair != HairStyle::Bald && dyed(self.hair_color),
            self.beard != BeardStyle::None && dyed(self.beard_color),
            dyed(self.brow_color),
            matches!(self.eyes, IrisColor::Red | IrisColor::Yellow),
            self.glasses != Glasses::None,
            self.hat != Hat::None,
            self.expression != Expression::Neutral,
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
