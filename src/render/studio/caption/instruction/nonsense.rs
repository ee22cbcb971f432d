//! Instructions that mean nothing for a head, in the form of those that do.

use super::{chance, pick};
use crate::rng::Stream;

/// Things and people that no head has or is. Which they are does not matter: a reader takes
/// every word that it was not taught for the same.
const THINGS: &[&str] =
    &["accountant", "car", "shoe", "piano", "house", "river", "spreadsheet", "lawyer", "banana"];
const QUALITIES: &[&str] = &["famous", "expensive", "philosophical", "fast", "solar", "heroic"];
/// Words that mean something about a part, but not alone.
const KNOWN: &[&str] = &[
    "red", "blue", "green", "black", "long", "short", "big", "bigger", "round", "thin", "wooden",
    "golden", "small", "wide", "square", "white", "curly", "pink", "brown", "new", "bushy",
];
const PARTS: &[&str] = &[
    "hair", "nose", "eyes", "lips", "skin", "ears", "mouth", "chin", "jaw", "face", "eyebrows",
    "cheeks", "forehead", "neck", "head",
];
/// With `@` for a strange thing, `#` for a strange quality, `+` for a known one, `%` for a part.
const FRAMES: &[&str] = &[
    "make him a @",
    "make her a @",
    "turn him into a @",
    "turn her into a # @",
    "give him a @",
    "give her a + @",
    "give him + @",
    "give her a + # @",
    "a + @",
    "+ @",
    "@",
    "#",
    "# @",
    "make him #",
    "make her look #",
    "look #",
    "he should be #",
    "make his % #",
    "give her # %",
    "give him a # %",
    "her % should be #",
    "# %",
    "dye the @ +",
    "dye his @ +",
    "make the @ +",
    "make his @ +",
    "make the @ bigger",
    "remove the @",
    "remove his @",
    "take off the + @",
    "add a @",
    "add a + @",
    "put on a + @",
    "put a @ on him",
    "with a @",
    "with + @",
    "no @",
    "without @",
    "more #",
    "a bit #",
    "paint the @ +",
    "make him a #-loving @",
    "turn the @ into a @",
    "make him like a @",
    "as a @",
    "change the @",
    "change the @ to +",
    "make it #",
    "do # @",
    "# # @",
    "what is the @",
    "hello @",
    "hello",
    "please",
    "give him",
    "make her",
    "make him",
    "turn him into",
    "remove",
    "add",
    "do nothing",
    "leave it",
    "leave him as {he} is",
    "him",
    "change the %",
    "what about the %",
    "keep the %",
    "keep everything",
    "the",
    "",
];

/// An instruction that changes nothing, whoever it is about.
#[must_use]
pub fn nonsense(rng: &mut Stream) -> String {
    let mut text = pick(rng, FRAMES).replace("{he}", if chance(rng, 0.5) { "he" } else { "she" });
    for (mark, list) in [("@", THINGS), ("#", QUALITIES), ("+", KNOWN), ("%", PARTS)] {
        while text.contains(mark) {
            text = text.replacen(mark, pick(rng, list), 1);
        }
    }
    text
}
