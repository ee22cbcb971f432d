//! What geometry does not say: skin, material, hair, brows, beard, eyes, glasses, hat.
//!
//! Every choice is a named value with an sRGB reference colour, so that captions, renderers and tests
//! mean the same thing by "auburn" or "olive".

use serde::{Deserialize, Serialize};

use super::error::HeadError;

/// Declares an enum whose values have names (snake case, also its serde form).
macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[$value_meta:meta])* $value:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$value_meta])* #[serde(rename = $name)] $value),+
        }

        impl $type {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The value's name, as in files and captions.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }

            /// The value of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

/// An sRGB-encoded colour, 0..=1.
pub type Srgb = [f32; 3];

const fn rgb(r: u8, g: u8, b: u8) -> Srgb {
    [r as f32 / 255.0, g as f32 / 255.0, b as f32 / 255.0]
}

named! {
    /// Colour of the skin.
    SkinTone {
        /// Very light, cool.
        Pale = "pale",
        /// Light, rosy.
        Fair = "fair",
        /// Light.
        Light = "light",
        /// Sun-browned.
        Tan = "tan",
        /// Greenish brown.
        Olive = "olive",
        /// Brown.
        Brown = "brown",
        /// Dark brown.
        Dark = "dark",
        /// Very dark.
        Black = "black",
        /// Fantasy green.
        Green = "green",
        /// Fantasy blue.
        Blue = "blue",
        /// Fantasy red.
        Red = "red",
        /// Fantasy purple.
        Purple = "purple",
        /// Fantasy gold.
        Gold = "gold",
        /// Fantasy grey.
        Grey = "grey",
        /// Fantasy white.
        White = "white",
        /// Fantasy orange.
        Orange = "orange",
        /// Fantasy pink.
        Pink = "pink",
    }
}

impl SkinTone {
    /// The eight human tones, light to dark; the rest are fantasy colours.
    pub const NATURAL: &'static [Self] = &[
        Self::Pale,
        Self::Fair,
        Self::Light,
        Self::Tan,
        Self::Olive,
        Self::Brown,
        Self::Dark,
        Self::Black,
    ];

    /// Whether people have it.
    #[must_use]
    pub fn is_natural(self) -> bool {
        Self::NATURAL.contains(&self)
    }

    /// Reference colour.
    #[must_use]
    pub const fn srgb(self) -> Srgb {
        match self {
            Self::Pale => rgb(247, 226, 214),
            Self::Fair => rgb(241, 206, 184),
            Self::Light => rgb(230, 187, 158),
            Self::Tan => rgb(205, 151, 113),
            Self::Olive => rgb(181, 142, 98),
            Self::Brown => rgb(146, 97, 66),
            Self::Dark => rgb(101, 64, 45),
            Self::Black => rgb(61, 40, 32),
            Self::Green => rgb(76, 158, 66),
            Self::Blue => rgb(66, 116, 204),
            Self::Red => rgb(196, 52, 44),
            Self::Purple => rgb(132, 74, 176),
            Self::Gold => rgb(214, 172, 58),
            Self::Grey => rgb(140, 140, 142),
            Self::White => rgb(244, 244, 244),
            Self::Orange => rgb(236, 132, 38),
            Self::Pink => rgb(244, 140, 178),
        }
    }
}

named! {
    /// What the whole head is made of; anything but skin covers hair, eyes and lips too.
    Material {
        /// A living person.
        Skin = "skin",
        /// Cast bronze.
        Bronze = "bronze",
        /// Polished gold.
        Gold = "gold",
        /// White marble.
        Marble = "marble",
        /// Grey stone.
        Stone = "stone",
        /// Terracotta clay.
        Clay = "clay",
        /// Carved wood.
        Wood = "wood",
    }
}

impl Material {
    /// Reference colour; for skin it is up to the [`SkinTone`].
    #[must_use]
    pub const fn srgb(self) -> Option<Srgb> {
        match self {
            Self::Skin => None,
            Self::Bronze => Some(rgb(134, 92, 48)),
            Self::Gold => Some(rgb(222, 178, 62)),
            Self::Marble => Some(rgb(233, 231, 226)),
            Self::Stone => Some(rgb(132, 130, 124)),
            Self::Clay => Some(rgb(186, 108, 74)),
            Self::Wood => Some(rgb(152, 104, 60)),
        }
    }
}

named! {
    /// Cut of the head hair.
    HairStyle {
        /// No hair.
        Bald = "bald",
        /// A few millimetres.
        Buzz = "buzz",
        /// Short and straight.
        Short = "short",
        /// Short to medium curls.
        Curly = "curly",
        /// A round afro.
        Afro = "afro",
        /// A crest from brow to nape, sides bare.
        Mohawk = "mohawk",
        /// Straight, ending at the chin.
        Bob = "bob",
        /// Straight, falling below the shoulders.
        Long = "long",
    }
}

named! {
    /// Colour of hair, brows or beard.
    HairColor {
        /// Black.
        Black = "black",
        /// Brown.
        Brown = "brown",
        /// Blond.
        Blond = "blond",
        /// Ginger red.
        Red = "red",
        /// Reddish brown.
        Auburn = "auburn",
        /// Grey.
        Grey = "grey",
        /// White.
        White = "white",
        /// Dyed blue.
        Blue = "blue",
        /// Dyed green.
        Green = "green",
        /// Dyed pink.
        Pink = "pink",
        /// Dyed purple.
        Purple = "purple",
    }
}

impl HairColor {
    /// Colours that hair has by nature.
    pub const NATURAL: &'static [Self] =
        &[Self::Black, Self::Brown, Self::Blond, Self::Red, Self::Auburn, Self::Grey, Self::White];

    /// Reference colour.
    #[must_use]
    pub const fn srgb(self) -> Srgb {
        match self {
            Self::Black => rgb(28, 25, 25),
            Self::Brown => rgb(92, 60, 38),
            Self::Blond => rgb(218, 184, 112),
            Self::Red => rgb(190, 66, 24),
            Self::Auburn => rgb(122, 50, 34),
            Self::Grey => rgb(142, 142, 144),
            Self::White => rgb(236, 236, 234),
            Self::Blue => rgb(40, 88, 206),
            Self::Green => rgb(48, 152, 70),
            Self::Pink => rgb(238, 104, 168),
            Self::Purple => rgb(122, 56, 172),
        }
    }
}

named! {
    /// Cut of the beard.
    BeardStyle {
        /// Clean-shaven.
        None = "none",
        /// A few days' growth.
        Stubble = "stubble",
        /// Upper lip only.
        Moustache = "moustache",
        /// Around mouth and chin.
        Goatee = "goatee",
        /// Upper lip, cheeks, chin and jaw.
        Full = "full",
        /// Full and hanging down to the chest.
        Long = "long",
    }
}

named! {
    /// Colour of the irises.
    IrisColor {
        /// Brown.
        Brown = "brown",
        /// Blue.
        Blue = "blue",
        /// Green.
        Green = "green",
        /// Greenish brown.
        Hazel = "hazel",
        /// Grey.
        Grey = "grey",
    }
}

impl IrisColor {
    /// Reference colour.
    #[must_use]
    pub const fn srgb(self) -> Srgb {
        match self {
            Self::Brown => rgb(94, 58, 32),
            Self::Blue => rgb(72, 124, 190),
            Self::Green => rgb(76, 132, 76),
            Self::Hazel => rgb(132, 104, 52),
            Self::Grey => rgb(132, 142, 150),
        }
    }
}

named! {
    /// Glasses with thin dark frames.
    Glasses {
        /// No glasses.
        None = "none",
        /// Round lenses.
        Round = "round",
        /// Rectangular lenses.
        Square = "square",
    }
}

named! {
    /// Headwear.
    Hat {
        /// Bare head.
        None = "none",
        /// A cap with a visor.
        Cap = "cap",
        /// A knitted hat over the ears' upper edge.
        Beanie = "beanie",
    }
}

named! {
    /// Colour of cloth.
    ClothColor {
        /// Red.
        Red = "red",
        /// Blue.
        Blue = "blue",
        /// Green.
        Green = "green",
        /// Yellow.
        Yellow = "yellow",
        /// Orange.
        Orange = "orange",
        /// Purple.
        Purple = "purple",
        /// Pink.
        Pink = "pink",
        /// Brown.
        Brown = "brown",
        /// Black.
        Black = "black",
        /// Grey.
        Grey = "grey",
        /// White.
        White = "white",
    }
}

impl ClothColor {
    /// Reference colour.
    #[must_use]
    pub const fn srgb(self) -> Srgb {
        match self {
            Self::Red => rgb(200, 36, 40),
            Self::Blue => rgb(42, 82, 190),
            Self::Green => rgb(44, 140, 64),
            Self::Yellow => rgb(240, 204, 50),
            Self::Orange => rgb(236, 126, 34),
            Self::Purple => rgb(116, 54, 162),
            Self::Pink => rgb(240, 120, 170),
            Self::Brown => rgb(110, 70, 42),
            Self::Black => rgb(30, 30, 32),
            Self::Grey => rgb(134, 134, 136),
            Self::White => rgb(240, 240, 238),
        }
    }
}

/// The look of one head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppearanceParams {
    /// Colour of the skin.
    pub skin: SkinTone,
    /// What the head is made of.
    pub material: Material,
    /// Cut of the head hair.
    pub hair: HairStyle,
    /// Colour of the head hair.
    pub hair_color: HairColor,
    /// Colour of the brows.
    pub brow_color: HairColor,
    /// 0 none .. 1 bushy; 0.5 usual.
    pub brow_thickness: f32,
    /// Cut of the beard.
    pub beard: BeardStyle,
    /// Colour of the beard.
    pub beard_color: HairColor,
    /// Colour of the irises.
    pub iris: IrisColor,
    /// Glasses.
    pub glasses: Glasses,
    /// Headwear.
    pub hat: Hat,
    /// Colour of the headwear.
    pub hat_color: ClothColor,
}

impl Default for AppearanceParams {
    fn default() -> Self {
        Self {
            skin: SkinTone::Light,
            material: Material::Skin,
            hair: HairStyle::Short,
            hair_color: HairColor::Brown,
            brow_color: HairColor::Brown,
            brow_thickness: 0.5,
            beard: BeardStyle::None,
            beard_color: HairColor::Brown,
            iris: IrisColor::Brown,
            glasses: Glasses::None,
            hat: Hat::None,
            hat_color: ClothColor::Red,
        }
    }
}

impl AppearanceParams {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`HeadError::OutOfRange`] naming the field.
    pub fn validate(&self) -> Result<(), HeadError> {
        let range = 0.0..=1.0;
        if range.contains(&self.brow_thickness) {
            return Ok(());
        }
        let field = "brow_thickness".to_owned();
        Err(HeadError::OutOfRange { field, value: self.brow_thickness, range })
    }

    /// The base colour of bare skin, material included.
    #[must_use]
    pub fn base_color(&self) -> Srgb {
        self.material.srgb().unwrap_or(self.skin.srgb())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for &tone in SkinTone::ALL {
            assert_eq!(SkinTone::from_name(tone.name()), Some(tone));
            assert_eq!(serde_json::to_string(&tone).unwrap(), format!("\"{tone}\""));
        }
        assert_eq!(HairStyle::from_name("perm"), None);
        assert_eq!(SkinTone::ALL.iter().filter(|tone| !tone.is_natural()).count(), 9);
    }

    #[test]
    fn json_round_trip_and_defaults() {
        let look = AppearanceParams { beard: BeardStyle::Full, ..AppearanceParams::default() };
        let text = serde_json::to_string(&look).unwrap();
        assert_eq!(serde_json::from_str::<AppearanceParams>(&text).unwrap(), look);
        assert_eq!(serde_json::from_str::<AppearanceParams>("{}").unwrap(), Default::default());
        assert!(serde_json::from_str::<AppearanceParams>(r#"{"hair": "perm"}"#).is_err());
    }

    #[test]
    fn numbers_are_checked() {
        AppearanceParams::default().validate().unwrap();
        let bad = AppearanceParams { brow_thickness: f32::NAN, ..Default::default() };
        assert!(bad.validate().unwrap_err().to_string().contains("brow_thickness"));
    }

    /// Colours that a caption tells apart must differ visibly.
    #[test]
    fn reference_colours_are_distinct() {
        fn check(colors: &[Srgb]) {
            for (i, a) in colors.iter().enumerate() {
                for b in &colors[..i] {
                    let gap: f32 =
                        a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>().sqrt();
                    assert!(gap > 0.07, "{a:?} and {b:?}");
                }
            }
        }
        check(&SkinTone::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&HairColor::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&IrisColor::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&ClothColor::ALL.iter().map(|c| c.srgb()).collect::<Vec<_>>());
        check(&Material::ALL.iter().filter_map(|c| c.srgb()).collect::<Vec<_>>());
    }
}
