//! What a studio head looks like, as a plain record that captions are built from.

use crate::head::appearance::{self, AppearanceParams};
use serde::{Deserialize, Serialize};

macro_rules! styles {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vmeta])* $variant),+ }
        impl $name {
            /// All variants in a fixed order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

styles!(
    /// How the hair is cut.
    HairStyle {
        /// None.
        Bald,
        /// Shaved to a shadow.
        Buzz,
        /// A close cut.
        Short,
        /// Short curls.
        Curly,
        /// A large round afro.
        Afro,
        /// A ridge over shaved sides.
        Mohawk,
        /// To the chin.
        Bob,
        /// To the shoulders or lower.
        Long,
    }
);
styles!(
    /// How the beard is cut.
    BeardStyle {
        /// None.
        None,
        /// A shadow.
        Stubble,
        /// Upper lip only.
        Moustache,
        /// Mouth and chin.
        Goatee,
        /// The whole jaw.
        Full,
        /// The whole jaw, down over the neck.
        Long,
    }
);
styles!(
    /// Glasses.
    Glasses {
        /// None.
        None,
        /// Round rims.
        Round,
        /// Square rims.
        Square,
        /// Dark lenses.
        Sun,
    }
);
styles!(
    /// Headgear.
    Hat {
        /// None.
        None,
        /// A cap with a visor.
        Cap,
        /// A knitted hat.
        Beanie,
    }
);
styles!(
    /// The face's expression.
    Expression {
        /// At rest.
        Neutral,
        /// Smiling with closed lips or a little teeth.
        Smiling,
        /// Laughing with an open mouth.
        Laughing,
        /// Surprised.
        Surprised,
        /// Angry.
        Angry,
        /// Sad.
        Sad,
        /// With closed eyes.
        Sleeping,
        /// Screaming.
        Screaming,
    }
);
styles!(
    /// Age in words.
    AgeGroup {
        /// 5 to 12.
        Child,
        /// 18 to 35.
        Young,
        /// 40 to 60.
        Middle,
        /// Over 65.
        Old,
    }
);
styles!(
    /// The ancestry whose shape dominates.
    Ethnicity {
        /// African.
        African,
        /// East Asian.
        Asian,
        /// European.
        European,
    }
);

/// Everything that is drawn, by name. Colours are names from [`super::palette`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Gender presentation: true for a man's.
    pub male: bool,
    /// Age group.
    pub age: AgeGroup,
    /// Ancestry.
    pub ethnicity: Ethnicity,
    /// Expression.
    pub expression: Expression,
    /// Skin colour name.
    pub skin: String,
    /// The whole head is made of this, if set (a name from [`super::palette::MATERIAL`]).
    pub material: Option<String>,
    /// Hair cut.
    pub hair: HairStyle,
    /// Hair colour name.
    pub hair_color: String,
    /// Hair length or volume within its style, 0..1.
    pub hair_length: f32,
    /// Whether a fringe covers the forehead.
    pub fringe: bool,
    /// How far the front hairline has receded, 0..1.
    pub receding: f32,
    /// Brow colour name.
    pub brow_color: String,
    /// Brow thickness, 0..1.
    pub brow_width: f32,
    /// Beard cut.
    pub beard: BeardStyle,
    /// Beard colour name.
    pub beard_color: String,
    /// Beard length within its style, 0..1.
    pub beard_length: f32,
    /// Iris colour name.
    pub eyes: String,
    /// Red lipstick.
    pub red_lips: bool,
    /// Glasses.
    pub glasses: Glasses,
    /// Colour of the frame.
    pub glasses_color: String,
    /// Headgear.
    pub hat: Hat,
    /// Colour of the headgear.
    pub hat_color: String,
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
            skin: "light".into(),
            material: None,
            hair: HairStyle::Bald,
            hair_color: "brown".into(),
            hair_length: 0.5,
            fringe: false,
            receding: 0.0,
            brow_color: "brown".into(),
            brow_width: 0.5,
            beard: BeardStyle::None,
            beard_color: "brown".into(),
            beard_length: 0.5,
            eyes: "brown".into(),
            red_lips: false,
            glasses: Glasses::None,
            glasses_color: "black".into(),
            hat: Hat::None,
            hat_color: "red".into(),
            tint: [0.0; 3],
        }
    }
}

impl From<&AppearanceParams> for Look {
    /// The same look in the studio's terms; what appearance parameters leave open
    /// (age, ancestry, lengths) keeps its default.
    fn from(from: &AppearanceParams) -> Self {
        let hair = match from.hair {
            appearance::HairStyle::Bald => HairStyle::Bald,
            appearance::HairStyle::Buzz => HairStyle::Buzz,
            appearance::HairStyle::Short => HairStyle::Short,
            appearance::HairStyle::Curly => HairStyle::Curly,
            appearance::HairStyle::Afro => HairStyle::Afro,
            appearance::HairStyle::Mohawk => HairStyle::Mohawk,
            appearance::HairStyle::Bob => HairStyle::Bob,
            appearance::HairStyle::Long => HairStyle::Long,
        };
        let beard = match from.beard {
            appearance::BeardStyle::None => BeardStyle::None,
            appearance::BeardStyle::Stubble => BeardStyle::Stubble,
            appearance::BeardStyle::Moustache => BeardStyle::Moustache,
            appearance::BeardStyle::Goatee => BeardStyle::Goatee,
            appearance::BeardStyle::Full => BeardStyle::Full,
            appearance::BeardStyle::Long => BeardStyle::Long,
        };
        let glasses = match from.glasses {
            appearance::Glasses::None => Glasses::None,
            appearance::Glasses::Round => Glasses::Round,
            appearance::Glasses::Square => Glasses::Square,
        };
        let hat = match from.hat {
            appearance::Hat::None => Hat::None,
            appearance::Hat::Cap => Hat::Cap,
            appearance::Hat::Beanie => Hat::Beanie,
        };
        let material =
            (from.material != appearance::Material::Skin).then(|| from.material.name().to_owned());
        Self {
            skin: from.skin.name().to_owned(),
            material,
            hair,
            hair_color: from.hair_color.name().to_owned(),
            brow_color: from.brow_color.name().to_owned(),
            brow_width: from.brow_thickness,
            beard,
            beard_color: from.beard_color.name().to_owned(),
            eyes: from.iris.name().to_owned(),
            glasses,
            hat,
            hat_color: from.hat_color.name().to_owned(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::studio::palette;

    #[test]
    fn every_named_appearance_has_a_studio_colour() {
        for tone in appearance::SkinTone::ALL {
            let look = Look::from(&AppearanceParams { skin: *tone, ..AppearanceParams::default() });
            let found = palette::find(&palette::NATURAL_SKIN, &look.skin)
                .or_else(|| palette::find(&palette::FANTASY_SKIN, &look.skin));
            assert!(found.is_some(), "{tone}");
        }
        for color in appearance::HairColor::ALL {
            assert!(palette::find(&palette::HAIR, color.name()).is_some(), "{color}");
        }
        for color in appearance::IrisColor::ALL {
            assert!(palette::find(&palette::IRIS, color.name()).is_some(), "{color}");
        }
        for color in appearance::ClothColor::ALL {
            assert!(palette::find(&palette::FABRIC, color.name()).is_some(), "{color}");
        }
        for material in
            appearance::Material::ALL.iter().filter(|m| **m != appearance::Material::Skin)
        {
            assert!(palette::find(&palette::MATERIAL, material.name()).is_some(), "{material}");
        }
    }
}
