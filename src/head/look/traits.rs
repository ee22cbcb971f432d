//! Traits of shape that a description names, and the sliders of the head prior behind them.

use super::Look;
use super::names::named;
use serde::{Deserialize, Serialize};

/// Declares a [`named`] enum of shapes of one feature; each value moves sliders of the prior
/// by the given shares of their range.
macro_rules! trait_of_shape {
    ($(#[$meta:meta])* $type:ident { $($(#[$value_meta:meta])* $value:ident = $name:literal, $sliders:expr);+ $(;)? }) => {
        named! {
            $(#[$meta])*
            $type { $($(#[$value_meta])* $value = $name),+ }
        }

        impl $type {
            /// Sliders of the head prior that make this shape, with values in -1..=1.
            #[must_use]
            pub fn sliders(self) -> &'static [(&'static str, f32)] {
                match self { $(Self::$value => &$sliders),+ }
            }
        }
    };
}

trait_of_shape! {
    /// Shape of the nose.
    Nose {
        /// Unremarkable.
        Normal = "normal", [];
        /// Larger all over.
        Big = "big", [("nose-scale-horiz-decr-incr", 0.8), ("nose-scale-vert-decr-incr", 0.6), ("nose-scale-depth-decr-incr", 0.9), ("nose-volume-decr-incr", 0.8)];
        /// Smaller all over.
        Small = "small", [("nose-scale-horiz-decr-incr", -0.7), ("nose-scale-vert-decr-incr", -0.7), ("nose-scale-depth-decr-incr", -0.8), ("nose-volume-decr-incr", -0.7)];
        /// Broad.
        Wide = "wide", [("nose-scale-horiz-decr-incr", 1.0), ("nose-width1-decr-incr", 0.7), ("nose-width2-decr-incr", 0.8), ("nose-flaring-decr-incr", 0.8), ("nose-point-width-decr-incr", 0.6)];
        /// Slim.
        Narrow = "narrow", [("nose-scale-horiz-decr-incr", -1.0), ("nose-width1-decr-incr", -0.6), ("nose-width2-decr-incr", -0.7), ("nose-point-width-decr-incr", -0.6)];
        /// Long.
        Long = "long", [("nose-scale-vert-decr-incr", 1.0), ("nose-point-down-up", -0.4), ("nose-scale-depth-decr-incr", 0.5)];
        /// With a hump, the tip turned down.
        Hooked = "hooked", [("nose-hump-decr-incr", 1.0), ("nose-curve-concave-convex", 0.9), ("nose-point-down-up", -0.8), ("nose-scale-depth-decr-incr", 0.5)];
        /// With the tip turned up.
        Upturned = "upturned", [("nose-point-down-up", 1.0), ("nose-curve-concave-convex", -0.9), ("nose-base-down-up", 0.6)];
    }
}

trait_of_shape! {
    /// Width of the jaw.
    Jaw {
        /// Unremarkable.
        Normal = "normal", [];
        /// Broad at its corners.
        Wide = "wide", [("chin-bones-decr-incr", 1.0), ("chin-width-decr-incr", 0.9), ("head-square", 0.7)];
        /// Slim towards the chin.
        Narrow = "narrow", [("chin-bones-decr-incr", -0.9), ("chin-width-decr-incr", -0.9), ("head-invertedtriangular", 0.6)];
    }
}

trait_of_shape! {
    /// Size of the chin.
    Chin {
        /// Unremarkable.
        Normal = "normal", [];
        /// Prominent.
        Strong = "strong", [("chin-prominent-decr-incr", 1.0), ("chin-prognathism-decr-incr", 0.6), ("chin-height-decr-incr", 0.6)];
        /// Receding.
        Weak = "weak", [("chin-prominent-decr-incr", -1.0), ("chin-prognathism-decr-incr", -0.7), ("chin-height-decr-incr", -0.7)];
    }
}

trait_of_shape! {
    /// Fullness of the lips.
    Lips {
        /// Unremarkable.
        Normal = "normal", [];
        /// Full.
        Full = "full", [("mouth-upperlip-height-decr-incr", 0.9), ("mouth-lowerlip-height-decr-incr", 0.9), ("mouth-upperlip-volume-decr-incr", 0.9), ("mouth-lowerlip-volume-decr-incr", 0.9)];
        /// Thin.
        Thin = "thin", [("mouth-upperlip-height-decr-incr", -0.9), ("mouth-lowerlip-height-decr-incr", -0.9), ("mouth-upperlip-volume-decr-incr", -0.8), ("mouth-lowerlip-volume-decr-incr", -0.8)];
    }
}

trait_of_shape! {
    /// Width of the mouth.
    Mouth {
        /// Unremarkable.
        Normal = "normal", [];
        /// Wide.
        Wide = "wide", [("mouth-scale-horiz-decr-incr", 1.0)];
        /// Small.
        Small = "small", [("mouth-scale-horiz-decr-incr", -1.0)];
    }
}

trait_of_shape! {
    /// Size of the eyes.
    EyeSize {
        /// Unremarkable.
        Normal = "normal", [];
        /// Large.
        Big = "big", [("eye-scale-decr-incr", 1.0), ("eye-height2-decr-incr", 0.8), ("eye-height1-decr-incr", 0.5), ("eye-height3-decr-incr", 0.5)];
        /// Small.
        Small = "small", [("eye-scale-decr-incr", -1.0), ("eye-height2-decr-incr", -0.5)];
    }
}

trait_of_shape! {
    /// Size and shape of the ears.
    Ears {
        /// Unremarkable.
        Normal = "normal", [];
        /// Large, standing off.
        Big = "big", [("ear-scale-decr-incr", 1.0), ("ear-wing-decr-incr", 1.0)];
        /// Small, lying close.
        Small = "small", [("ear-scale-decr-incr", -1.0), ("ear-wing-decr-incr", -0.6)];
        /// An elf's: the studio draws their tips out.
        Pointed = "pointed", [("ear-shape-pointed-triangle", -1.0), ("ear-scale-vert-decr-incr", 0.6)];
    }
}

trait_of_shape! {
    /// Fullness of the cheeks.
    Cheeks {
        /// Unremarkable.
        Normal = "normal", [];
        /// Round and full.
        Chubby = "chubby", [("cheek-volume-decr-incr", 1.0), ("cheek-inner-decr-incr", 0.8), ("head-fat-decr-incr", 0.5)];
        /// Sunken below the bones.
        Hollow = "hollow", [("cheek-volume-decr-incr", -1.0), ("cheek-inner-decr-incr", -0.9), ("cheek-bones-decr-incr", 0.7)];
    }
}

trait_of_shape! {
    /// Outline of the face.
    Face {
        /// Unremarkable.
        Normal = "normal", [];
        /// Round.
        Round = "round", [("head-round", 1.0), ("head-fat-decr-incr", 0.6)];
        /// Narrow.
        Narrow = "narrow", [("head-scale-horiz-decr-incr", -1.0), ("head-fat-decr-incr", -0.5)];
        /// Long.
        Long = "long", [("head-scale-vert-decr-incr", 0.9), ("head-rectangular", 0.5)];
        /// Square.
        Square = "square", [("head-square", 1.0), ("head-scale-horiz-decr-incr", 0.5)];
    }
}

trait_of_shape! {
    /// Height of the forehead.
    Forehead {
        /// Unremarkable.
        Normal = "normal", [];
        /// High.
        High = "high", [("forehead-scale-vert-decr-incr", 1.0)];
        /// Low.
        Low = "low", [("forehead-scale-vert-decr-incr", -1.0)];
    }
}

trait_of_shape! {
    /// Girth of the neck.
    Neck {
        /// Unremarkable.
        Normal = "normal", [];
        /// Thick.
        Thick = "thick", [("neck-scale-horiz-decr-incr", 1.0), ("neck-scale-depth-decr-incr", 0.8), ("measure-neck-circ-decr-incr", 0.6)];
        /// Thin.
        Thin = "thin", [("neck-scale-horiz-decr-incr", -0.9), ("neck-scale-depth-decr-incr", -0.7), ("measure-neck-circ-decr-incr", -0.6)];
    }
}

impl Look {
    /// Sliders of the head prior that all of the look's traits move; a slider may occur twice.
    pub fn trait_sliders(&self) -> impl Iterator<Item = (&'static str, f32)> {
        [
            self.nose.sliders(),
            self.jaw.sliders(),
            self.chin.sliders(),
            self.lips.sliders(),
            self.mouth.sliders(),
            self.eye_size.sliders(),
            self.ears.sliders(),
            self.cheeks.sliders(),
            self.face.sliders(),
            self.forehead.sliders(),
            self.neck.sliders(),
        ]
        .into_iter()
        .flatten()
        .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::HeadModel;

    #[test]
    fn every_trait_moves_sliders_of_the_prior_within_their_ranges() {
        let mut lists: Vec<(String, &'static [(&'static str, f32)])> = Vec::new();
        macro_rules! collect {
            ($($type:ident),+) => { $(for &value in $type::ALL {
                lists.push((format!("{value:?}"), value.sliders()));
            })+ };
        }
        collect!(Nose, Jaw, Chin, Lips, Mouth, EyeSize, Ears, Cheeks, Face, Forehead, Neck);
        let mut failures = Vec::new();
        for (name, sliders) in &lists {
            assert_eq!(name == "Normal", sliders.is_empty(), "{name}");
            for (slider, value) in *sliders {
                match HeadModel::embedded().slider(slider) {
                    None => failures.push(format!("{name}: no slider {slider}")),
                    Some(known) if known.is_one_ended() && *value < 0.0 => {
                        failures.push(format!("{name}: {slider} has one end"));
                    }
                    Some(_) => assert!(value.abs() <= 1.0),
                }
            }
        }
        let shapes = lists.iter().filter(|(name, _)| name != "Normal").count();
        assert!(shapes >= 20, "{shapes} traits");
        assert!(failures.is_empty(), "{failures:#?}");
    }
}
