//! The palettes: every colour has an sRGB reference.

use super::names::{colors, named};
use glam::Vec3;
use serde::{Deserialize, Serialize};

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
        /// Violet, on fantasy figures.
        Purple = "purple", 0.56 0.25 0.80;
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
