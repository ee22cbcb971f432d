//! The shape of one feature: a value by name, or a step from what it is.

use super::frames::Ask;
use super::{Asked, any, chance, pick};
use crate::head::look::Look;
use crate::rng::Stream;
use rand::Rng;
use serde_json::json;

/// A value of a shape in words.
struct Shape {
    attribute: &'static str,
    part: &'static str,
    value: &'static str,
    /// "big".
    plain: &'static [&'static str],
    /// "bigger".
    more: &'static [&'static str],
    /// What "bigger" undoes first.
    opposite: &'static str,
}

macro_rules! shapes {
    ($($attribute:literal $part:literal { $($value:literal: $plain:expr, $more:expr, $opposite:literal);+ $(;)? })+) => {
        &[$($(Shape {
            attribute: $attribute,
            part: $part,
            value: $value,
            plain: &$plain,
            more: &$more,
            opposite: $opposite,
        }),+),+]
    };
}

const SHAPES: &[Shape] = shapes! {
    "nose" "nose" {
        "big": ["big", "large", "huge"], ["bigger", "bigger", "larger"], "small";
        "small": ["small", "little", "tiny"], ["smaller", "shorter"], "big";
        "wide": ["wide", "broad"], ["wider", "broader"], "narrow";
        "narrow": ["narrow", "slim", "thin"], ["narrower", "slimmer", "thinner"], "wide";
        "long": ["long"], ["longer"], "";
        "hooked": ["hooked", "aquiline", "hook"], [], "";
        "upturned": ["upturned", "snub"], [], "";
    }
    "jaw" "jaw" {
        "wide": ["wide", "broad", "strong"], ["wider", "broader", "stronger"], "narrow";
        "narrow": ["narrow", "slim"], ["narrower", "slimmer"], "wide";
    }
    "chin" "chin" {
        "strong": ["strong", "prominent", "big"], ["stronger", "bigger"], "weak";
        "weak": ["weak", "receding", "small"], ["weaker", "smaller"], "strong";
    }
    "lips" "lips" {
        "full": ["full", "thick", "big"], ["fuller", "thicker", "bigger"], "thin";
        "thin": ["thin", "narrow"], ["thinner", "narrower"], "full";
    }
    "mouth" "mouth" {
        "wide": ["wide", "big", "broad"], ["wider", "bigger", "broader"], "small";
        "small": ["small", "tiny"], ["smaller"], "wide";
    }
    "eye_size" "eyes" {
        "big": ["big", "large", "huge"], ["bigger", "larger"], "small";
        "small": ["small", "tiny"], ["smaller"], "big";
    }
    "ears" "ears" {
        "big": ["big", "large", "huge"], ["bigger", "larger"], "small";
        "small": ["small", "tiny"], ["smaller"], "big";
        "pointed": ["elf", "pointed", "pointy", "elven", "elvish"], ["pointier"], "";
    }
    "cheeks" "cheeks" {
        "chubby": ["chubby", "full", "round"], ["chubbier", "fuller", "rounder"], "hollow";
        "hollow": ["hollow", "sunken"], ["hollower", "thinner"], "chubby";
    }
    "face" "face" {
        "round": ["round"], ["rounder"], "narrow";
        "narrow": ["narrow", "thin"], ["narrower", "thinner"], "round";
        "long": ["long"], ["longer"], "";
        "square": ["square"], [], "";
    }
    "forehead" "forehead" {
        "high": ["high", "tall", "big"], ["higher", "taller", "bigger"], "low";
        "low": ["low"], ["lower", "smaller"], "high";
    }
    "neck" "neck" {
        "thick": ["thick", "bull", "wide"], ["thicker", "wider"], "thin";
        "thin": ["thin", "slender"], ["thinner", "slimmer"], "thick";
    }
};

pub(super) fn shape(look: &Look, _: &Look, rng: &mut Stream) -> Asked {
    let shape = &SHAPES[rng.random_range(0..SHAPES.len())];
    let attributes = look.attributes();
    let now = attributes[shape.attribute].as_str().unwrap_or_default();
    let (value, how) = match rng.random_range(0..8) {
        0 => ("normal", any(rng, &["normal", "normal", "ordinary", "average", "regular"])),
        1..4 if !shape.more.is_empty() => {
            let undone = now == shape.opposite;
            let more = pick(rng, shape.more);
            match rng.random_range(0..7) {
                // "too small" asks for what "bigger" does.
                6 if !shape.opposite.is_empty() => {
                    let value = if undone { "normal" } else { shape.value };
                    return too_much(look, shape, value, rng);
                }
                0 => (shape.value, format!("{} {more}", pick(rng, &["much", "a lot", "way"]))),
                1 => {
                    let little = pick(rng, &["a bit", "a little", "slightly", "a little bit"]);
                    (if undone { "normal" } else { shape.value }, format!("{little} {more}"))
                }
                _ => (if undone { "normal" } else { shape.value }, more.to_owned()),
            }
        }
        _ => {
            let plain = pick(rng, shape.plain);
            let very = if chance(rng, 0.15) { pick(rng, &["very ", "really "]) } else { "" };
            (shape.value, format!("{very}{plain}"))
        }
    };
    // Named as "elf ears", pointed ears can also be taken away.
    let pointed = shape.value == "pointed" && value == "normal";
    let (value, ask) = if pointed && chance(rng, 0.5) {
        let noun = any(rng, &["elf ears", "pointed ears", "pointy ears"]);
        (if now == "pointed" { "normal" } else { now }, Ask::Drop(noun))
    } else {
        (value, Ask::Part(shape.part, how))
    };
    let after = look.with_attribute(shape.attribute, &json!(value)).unwrap_or(*look);
    Asked { after, attribute: shape.attribute, ask }
}

fn too_much(look: &Look, shape: &Shape, value: &str, rng: &mut Stream) -> Asked {
    let (attribute, part) = (shape.attribute, shape.part);
    let other = SHAPES.iter().find(|s| s.attribute == attribute && s.value == shape.opposite);
    let how = other.map_or(shape.opposite, |other| pick(rng, other.plain));
    let verb = if part.ends_with('s') { "are" } else { "is" };
    let ask = Ask::Order(match rng.random_range(0..4) {
        0 => format!("{{his}} {part} {verb} not {} enough", pick(rng, shape.plain)),
        1 => format!("{{his}} {part} should be less {how}"),
        _ => format!("{{his}} {part} {verb} too {how}"),
    });
    let after = look.with_attribute(attribute, &json!(value)).unwrap_or(*look);
    Asked { after, attribute, ask }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_one_that_is_drawn() {
        for shape in SHAPES {
            let drawn = Look::default().with_attribute(shape.attribute, &json!(shape.value));
            assert!(drawn.is_some(), "{} {}", shape.attribute, shape.value);
            let known = |value| Look::default().with_attribute(shape.attribute, &json!(value));
            assert!(shape.opposite.is_empty() || known(shape.opposite).is_some());
        }
    }
}
