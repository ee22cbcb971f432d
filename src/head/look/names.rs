//! Enums whose values have names: one spelling in files, captions and readers.

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

pub(super) use {colors, named};
