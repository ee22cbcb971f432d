//! The sentences that ask for something.

use super::super::words::article;
use super::{chance, pick};
use crate::head::look::Look;
use crate::rng::Stream;

/// What is asked for, before it becomes a sentence.
pub(super) enum Ask {
    /// A feature to have: "blue hair".
    Have(String),
    /// A thing to wear: "a red cap".
    Wear(String),
    /// A part and how it shall be: "nose", "bigger".
    Part(&'static str, String),
    /// A part and its new colour.
    Paint(&'static str, String),
    /// How the person shall be: "older".
    Be(String),
    /// What the person becomes: "a clown".
    Become(String),
    /// What shall go: "glasses".
    Drop(String),
    /// A whole order, with `{him}`, `{his}` and `{he}` for the person.
    Order(String),
}

const HAVE: &[&str] = &[
    "give {him} {}",
    "give {him} {}",
    "give {him} {}",
    "give {him} {}",
    "{}",
    "{}",
    "add {}",
    "with {}",
    "{he} should have {}",
    "{he} has {} now",
    "{he} needs {}",
    "i want {}",
    "i want {him} to have {}",
    "let {him} have {}",
    "make {him} have {}",
    "change it to {}",
];
const WEAR: &[&str] = &[
    "give {him} {}",
    "give {him} {}",
    "add {}",
    "add {}",
    "add {}",
    "put on {}",
    "put on {}",
    "put {} on {him}",
    "put {} on {his} head",
    "{}",
    "{}",
    "with {}",
    "wearing {}",
    "wear {}",
    "let {him} wear {}",
    "make {him} wear {}",
    "{he} should wear {}",
    "{he} wears {} now",
    "i want {}",
    "{he} needs {}",
];
/// With the part as `{part}` and "a big nose" as `{whole}`.
const PART: &[&str] = &[
    "make {his} {part} {}",
    "make {his} {part} {}",
    "make {his} {part} {}",
    "make {his} {part} {}",
    "give {him} {whole}",
    "give {him} {whole}",
    "give {him} {whole}",
    "{his} {part} should be {}",
    "i want {his} {part} {}",
    "i want {his} {part} to be {}",
    "change {his} {part} to {}",
    "change {his} {part} to {whole}",
    "let {his} {part} be {}",
    "{part} {}",
    "{whole}",
    "{whole}",
    "{bare}",
    "with {whole}",
    "add {whole}",
    "{he} should have {whole}",
    "make the {part} look {}",
    "turn {his} {part} {}",
];
const PAINT: &[&str] = &["color {his} {part} {}", "colour {his} {part} {}", "turn {his} {part} {}"];
const DYE: &[&str] = &["dye {his} {part} {}", "dye {his} {part} {}", "dye the {part} {}"];
const BE: &[&str] = &[
    "make {him} {}",
    "make {him} {}",
    "make {him} {}",
    "make {him} {}",
    "make {him} look {}",
    "make {him} look {}",
    "look {}",
    "look {}",
    "{}",
    "{}",
    "{he} should be {}",
    "{he} should look {}",
    "let {him} be {}",
    "let {him} look {}",
    "i want {him} {}",
    "i want {him} to look {}",
    "turn {him} {}",
    "be {}",
];
const BECOME: &[&str] = &[
    "turn {him} into {}",
    "turn {him} into {}",
    "turn {him} into {}",
    "turn {him} into {}",
    "make {him} {}",
    "make {him} into {}",
    "change {him} into {}",
    "change {him} to {}",
    "transform {him} into {}",
    "{he} should be {}",
    "{he} should become {}",
    "make {him} look like {}",
    "let {him} become {}",
    "i want {}",
    "i want {him} to be {}",
    "{}",
    "as {}",
];
const DROP: &[&str] = &[
    "remove the {}",
    "remove the {}",
    "remove the {}",
    "remove {his} {}",
    "remove {his} {}",
    "take off the {}",
    "take off {his} {}",
    "take the {} off",
    "take away the {}",
    "take {his} {} away",
    "no {}",
    "no more {}",
    "without {}",
    "without the {}",
    "get rid of the {}",
    "get rid of {his} {}",
    "lose the {}",
    "delete the {}",
    "drop the {}",
    "{he} should have no {}",
    "{he} should not have {}",
    "make {him} have no {}",
    "give {him} no {}",
    "i don't want the {}",
];

impl Ask {
    /// The sentence.
    pub(super) fn say(self, look: &Look, rng: &mut Stream) -> String {
        let text = self.order(rng);
        polite(&address(text, look, rng), rng)
    }

    /// One sentence for several things.
    pub(super) fn say_all(asks: Vec<Self>, look: &Look, rng: &mut Stream) -> String {
        let mut parts = Vec::new();
        let mut left = asks.into_iter().peekable();
        while let Some(ask) = left.next() {
            // Things of one kind share a verb.
            parts.push(match (ask, left.peek()) {
                (Self::Have(a) | Self::Wear(a), Some(Self::Have(b) | Self::Wear(b)))
                    if chance(rng, 0.8) =>
                {
                    let mut all = vec![a, b.clone()];
                    left.next();
                    while let Some(Self::Have(more) | Self::Wear(more)) = left.peek() {
                        all.push(more.clone());
                        left.next();
                    }
                    Self::Have(list(&all)).order(rng)
                }
                (Self::Be(a), Some(Self::Be(b))) if chance(rng, 0.7) => {
                    let both = Self::Be(list(&[a, b.clone()]));
                    left.next();
                    both.order(rng)
                }
                (Self::Be(how), Some(Self::Become(whom)))
                    if chance(rng, 0.4) && !how.contains(' ') && whom.starts_with('a') =>
                {
                    // "an angry clown".
                    let noun = whom.split_once(' ').map_or(whom.as_str(), |(_, noun)| noun);
                    let both = Self::Become(article(&format!("{how} {noun}")));
                    left.next();
                    both.order(rng)
                }
                (Self::Drop(a), Some(Self::Drop(b))) if chance(rng, 0.7) => {
                    let both = Self::Drop(list(&[a, b.clone()]));
                    left.next();
                    both.order(rng)
                }
                (
                    Self::Part(a, x) | Self::Paint(a, x),
                    Some(Self::Part(b, y) | Self::Paint(b, y)),
                ) if chance(rng, 0.7) => {
                    let both = format!("make {{his}} {a} {x} and {{his}} {b} {y}");
                    left.next();
                    both
                }
                (ask, _) => ask.order(rng),
            });
        }
        let link = pick(rng, &[" and ", " and ", ", ", " and also ", " then "]);
        polite(&address(parts.join(link), look, rng), rng)
    }

    /// The sentence with places for the person.
    fn order(self, rng: &mut Stream) -> String {
        match self {
            Self::Have(what) => pick(rng, HAVE).replace("{}", &what),
            Self::Wear(what) => pick(rng, WEAR).replace("{}", &what),
            Self::Be(how) => pick(rng, BE).replace("{}", &how),
            Self::Become(whom) => pick(rng, BECOME).replace("{}", &whom),
            Self::Drop(what) => pick(rng, DROP).replace("{}", &what),
            Self::Order(text) => text,
            Self::Part(part, how) => of_part(pick(rng, PART), part, &how),
            Self::Paint(part, how) => {
                let frames = match rng_share(rng) {
                    0..45 => PART,
                    45..70 => PAINT,
                    _ if matches!(part, "eyes" | "skin" | "hat" | "glasses" | "cap") => PAINT,
                    _ => DYE,
                };
                of_part(pick(rng, frames), part, &how)
            }
        }
    }
}

fn rng_share(rng: &mut Stream) -> u32 {
    use rand::Rng;
    rng.random_range(0..100)
}

fn list(all: &[String]) -> String {
    match all {
        [head @ .., last] if !head.is_empty() => format!("{} and {last}", head.join(", ")),
        _ => all.concat(),
    }
}

fn of_part(frame: &str, part: &str, how: &str) -> String {
    // "a bit bigger" goes behind: there is no "an a bit bigger nose".
    let behind = how.starts_with("a ") || how.contains(" with ");
    let bare = if behind { format!("{part} {how}") } else { format!("{how} {part}") };
    let whole = if is_one(part) && bare.starts_with(how) { article(&bare) } else { bare.clone() };
    frame
        .replace("{whole}", &whole)
        .replace("{bare}", &bare)
        .replace("{part}", part)
        .replace("{}", how)
}

/// Whether a part takes an article: "a big nose", "big lips".
fn is_one(part: &str) -> bool {
    let many = ["hair", "lips", "eyes", "ears", "cheeks", "skin", "eyebrows", "brows", "glasses"];
    !many.contains(&part) && !part.ends_with("tips") && part != "sideburns"
}

/// Puts the person in; now and then another word than the right pronoun.
fn address(text: String, look: &Look, rng: &mut Stream) -> String {
    if !text.contains('{') {
        return text;
    }
    let (him, his, he) = match rng_share(rng) {
        0..8 => ("it", "its", "it"),
        8..14 => ("them", "their", "they"),
        14..18 => ("the person", "the person's", "the person"),
        18..21 => ("the face", "the", "the face"),
        21..27 if look.male => ("the man", "the man's", "the man"),
        21..27 => ("the woman", "the woman's", "the woman"),
        27..32 => ("the head", "the", "the head"),
        32..35 if look.male => ("this guy", "this guy's", "this guy"),
        32..35 => ("this lady", "this lady's", "this lady"),
        _ if look.male => ("him", "his", "he"),
        _ => ("her", "her", "she"),
    };
    let his = if chance(rng, 0.25) { "the" } else { his };
    text.replace("{him}", him).replace("{his}", his).replace("{he}", he)
}

fn polite(text: &str, rng: &mut Stream) -> String {
    match rng_share(rng) {
        0..5 => format!("please {text}"),
        5..7 => format!("can you {text}"),
        7..9 => format!("could you {text} please"),
        9..11 => format!("now {text}"),
        11..12 => format!("just {text}"),
        12..13 => format!("i would like you to {text}"),
        13..14 => format!("ok now {text}"),
        14..19 => format!("{text} please"),
        19..22 => format!("{text} now"),
        22..24 => format!("{text} instead"),
        _ => text.to_owned(),
    }
}
