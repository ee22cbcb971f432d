//! Edits in words: something about a look changes, and an instruction says what.
//!
//! What an instruction means follows from the look before it and the words alone: "older" is
//! one step, "a beard" leaves a beard that is there. So a reader of instructions can learn it.

mod adornments;
mod beard;
mod expression;
mod frames;
mod hair;
mod nonsense;
mod people;
mod shapes;

pub use nonsense::nonsense;

use super::words::{self, chance, pick};
use crate::head::look::{Hat, Look};
use crate::rng::Stream;
use frames::Ask;
use rand::Rng;

/// One edit of a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The look after it.
    pub after: Look,
    /// The instruction, as "make him older".
    pub text: String,
    /// What it is about: the name of one attribute of [`Look::attributes`].
    pub attribute: &'static str,
}

/// What an instruction asks for and what comes of it.
struct Asked {
    after: Look,
    attribute: &'static str,
    ask: Ask,
}

/// Asks for something that a donor has, or for a step from what the look has.
type Kind = fn(&Look, &Look, &mut Stream) -> Asked;

/// Kinds of edits with their weights.
const KINDS: [(Kind, u32); 25] = [
    (people::age, 3),
    (people::gender, 2),
    (people::ethnicity, 3),
    (expression::expression, 4),
    (people::skin, 5),
    (people::material, 3),
    (people::figure, 2),
    (hair::cut, 5),
    (hair::colored_cut, 2),
    (hair::color, 4),
    (hair::tips, 2),
    (hair::fringe, 1),
    (beard::beard, 5),
    (beard::beard_color, 3),
    (beard::brows, 2),
    (beard::brow_color, 1),
    (adornments::eyes, 2),
    (adornments::lipstick, 1),
    (adornments::paint, 3),
    (adornments::glasses, 3),
    (adornments::glasses_color, 1),
    (adornments::hat, 4),
    (adornments::hat_color, 2),
    (adornments::earrings, 2),
    (shapes::shape, 9),
];

fn kind(rng: &mut Stream) -> Kind {
    let total = KINDS.iter().map(|(_, weight)| weight).sum();
    let mut at = rng.random_range(0..total);
    for (kind, weight) in KINDS {
        if at < weight {
            return kind;
        }
        at -= weight;
    }
    adornments::horns
}

/// A random edit of `look` that is seen; what is new comes from `donor`, a person that has
/// it. `None` if what chance picked changes nothing.
#[must_use]
pub fn edit(look: &Look, donor: &Look, rng: &mut Stream) -> Option<Edit> {
    let edit = instruction(look, donor, rng);
    let odd = |look: &Look| look.horns && look.hat != Hat::None;
    // The studio's people have no beards and hats like these.
    let usual = !odd(&edit.after) && (edit.after.beard_is_usual() || !look.beard_is_usual());
    (usual && edit.after.at_rest().shown() != look.at_rest().shown()).then_some(edit)
}

/// A random instruction about `look` that may ask for what is so already; then nothing
/// changes. What it asks for comes from `donor`.
#[must_use]
pub fn instruction(look: &Look, donor: &Look, rng: &mut Stream) -> Edit {
    let look = look.at_rest();
    let horns = rng.random_bool(0.03);
    let kind = if horns { adornments::horns } else { kind(rng) };
    let Asked { after, attribute, ask } = kind(&look, donor, rng);
    Edit { after, attribute, text: ask.say(&look, rng) }
}

/// Several instructions in one sentence, one a donor, each about what those before leave; its
/// attribute is the first one's. Of two about the same attribute, the later one is left out.
#[must_use]
pub fn instructions(look: &Look, donors: &[Look], rng: &mut Stream) -> Edit {
    let look = look.at_rest();
    let (mut after, mut attributes, mut asks) = (look, Vec::new(), Vec::new());
    for donor in donors {
        let asked = kind(rng)(&after, donor, rng);
        if !attributes.contains(&asked.attribute) {
            after = asked.after;
            attributes.push(asked.attribute);
            asks.push(asked.ask);
        }
    }
    let text = Ask::say_all(asks, &look, rng);
    Edit { after, attribute: attributes.first().copied().unwrap_or_default(), text }
}

impl Look {
    fn beard_is_usual(&self) -> bool {
        use crate::head::look::{AgeGroup, BeardStyle};
        self.beard == BeardStyle::None || (self.male && self.age != AgeGroup::Child)
    }

    /// The look without what its material hides.
    fn shown(&self) -> Self {
        let plain = Self::default();
        if self.is_living() {
            return *self;
        }
        Self {
            ethnicity: plain.ethnicity,
            skin: plain.skin,
            hair_color: plain.hair_color,
            hair_tips: None,
            brow_color: plain.brow_color,
            beard_color: plain.beard_color,
            eyes: plain.eyes,
            red_lips: false,
            face_paint: plain.face_paint,
            glasses_color: plain.glasses_color,
            hat_color: plain.hat_color,
            ..*self
        }
    }
}

/// Any word of a list, as an owned string.
fn any(rng: &mut Stream, words: &[&str]) -> String {
    pick(rng, words).to_owned()
}

/// A name for a colour that people use, rarer ones now and then.
fn shade(rng: &mut Stream, name: &'static str) -> &'static str {
    let rare: &[&str] = match name {
        "red" => &["scarlet", "crimson", "ruby", "cherry"],
        "blue" => &["navy", "turquoise", "azure", "cyan"],
        "green" => &["emerald", "lime"],
        "pink" => &["magenta", "rosy"],
        "purple" => &["violet", "lavender", "lilac"],
        "grey" => &["gray", "silver"],
        "white" => &["snowy"],
        "black" => &["dark"],
        "brown" => &["chestnut"],
        _ => &[],
    };
    if !rare.is_empty() && chance(rng, 0.15) {
        return pick(rng, rare);
    }
    let loud = matches!(name, "red" | "blue" | "green" | "pink" | "purple" | "orange" | "yellow");
    match name {
        "red" if chance(rng, 0.1) => pick(rng, &["bright red", "dark red"]),
        "blue" if chance(rng, 0.1) => pick(rng, &["bright blue", "dark blue", "light blue"]),
        "green" if chance(rng, 0.1) => pick(rng, &["bright green", "dark green", "light green"]),
        _ if loud => words::plain(rng, name),
        _ => words::plain(rng, name),
    }
}

/// A hair colour's name.
fn dye(rng: &mut Stream, color: crate::head::look::HairColor) -> &'static str {
    use crate::head::look::HairColor;
    match color {
        HairColor::Red if chance(rng, 0.1) => pick(rng, &["copper", "ginger"]),
        HairColor::Blond if chance(rng, 0.15) => {
            pick(rng, &["platinum blond", "platinum", "fair", "yellow"])
        }
        HairColor::Red
        | HairColor::Blue
        | HairColor::Green
        | HairColor::Pink
        | HairColor::Purple
        | HairColor::Grey
            if chance(rng, 0.6) =>
        {
            shade(rng, color.name())
        }
        HairColor::Brown if chance(rng, 0.15) => pick(rng, &["chestnut", "dark brown"]),
        _ => words::hair_color(rng, color),
    }
}

#[cfg(test)]
mod tests;
