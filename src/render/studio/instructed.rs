//! Random instructions about random looks, for a reader to learn from.

use super::caption;
use super::person::{Split, any, look};
use crate::head::look::{
    AgeGroup, BeardStyle, Brows, Cheeks, Chin, ClothColor, Earrings, Ears, Ethnicity, Expression,
    EyeSize, Face, FacePaint, Forehead, Glasses, HairColor, HairStyle, Hat, IrisColor, Jaw, Lips,
    Look, Material, Mouth, Neck, Nose, SkinTone,
};
use crate::rng;
use rand::Rng;

/// An instruction about somebody, and what comes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Instructed {
    /// The look before.
    pub before: Look,
    /// The look after: the same if the instruction asks for nothing or for what is so already.
    pub after: Look,
    /// The instruction.
    pub text: String,
    /// The attribute that it is about; `None` if it means nothing for a head.
    pub attribute: Option<&'static str>,
}

impl Instructed {
    /// Draws instruction number `index` of a split: about looks of every kind alike, not as
    /// people have them.
    #[must_use]
    pub fn draw(dataset: u64, split: Split, index: u64) -> Self {
        let mut rng = rng::stream(dataset, split.stage(), index, "instruction");
        // Edit after edit leads to looks that nobody is born with.
        let before = if rng.random_bool(0.7) { look(&mut rng) } else { anything(&mut rng) };
        let before = before.at_rest();
        let donors = [anything(&mut rng), anything(&mut rng), anything(&mut rng)];
        let edit = match rng.random_range(0..100) {
            0..12 => {
                let text = caption::nonsense(&mut rng);
                return Self { before, after: before, text, attribute: None };
            }
            12..26 => caption::instructions(&before, &donors[..2], &mut rng),
            26..30 => caption::instructions(&before, &donors, &mut rng),
            _ => caption::instruction(&before, &donors[0], &mut rng),
        };
        Self { before, after: edit.after, text: edit.text, attribute: Some(edit.attribute) }
    }
}

/// A look of which every attribute is any value alike, whatever the others are.
fn anything(rng: &mut impl Rng) -> Look {
    let mut color = || any(rng, HairColor::ALL);
    let colors = [color(), color(), color(), color()];
    Look {
        male: rng.random_bool(0.5),
        age: any(rng, AgeGroup::ALL),
        ethnicity: any(rng, Ethnicity::ALL),
        expression: any(rng, Expression::ALL),
        skin: any(rng, SkinTone::ALL),
        material: rng.random_bool(0.2).then(|| any(rng, Material::ALL)),
        hair: any(rng, HairStyle::ALL),
        hair_color: colors[0],
        hair_tips: rng.random_bool(0.3).then_some(colors[1]),
        fringe: rng.random_bool(0.5),
        brow_color: colors[2],
        brows: any(rng, Brows::ALL),
        beard: any(rng, BeardStyle::ALL),
        beard_color: colors[3],
        eyes: any(rng, IrisColor::ALL),
        red_lips: rng.random_bool(0.5),
        face_paint: any(rng, FacePaint::ALL),
        horns: rng.random_bool(0.5),
        earrings: any(rng, Earrings::ALL),
        glasses: any(rng, Glasses::ALL),
        glasses_color: any(rng, ClothColor::ALL),
        hat: any(rng, Hat::ALL),
        hat_color: any(rng, ClothColor::ALL),
        nose: any(rng, Nose::ALL),
        jaw: any(rng, Jaw::ALL),
        chin: any(rng, Chin::ALL),
        lips: any(rng, Lips::ALL),
        mouth: any(rng, Mouth::ALL),
        eye_size: any(rng, EyeSize::ALL),
        ears: any(rng, Ears::ALL),
        cheeks: any(rng, Cheeks::ALL),
        face: any(rng, Face::ALL),
        forehead: any(rng, Forehead::ALL),
        neck: any(rng, Neck::ALL),
        ..Look::default()
    }
}
