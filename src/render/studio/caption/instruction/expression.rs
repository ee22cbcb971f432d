//! Expressions: one comes, or the one that is there ends.

use super::frames::Ask;
use super::{Asked, any, chance};
use crate::head::look::{Expression, Look};
use crate::rng::Stream;
use rand::Rng;

pub(super) fn expression(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let done = |expression, ask| Asked {
        after: Look { expression, ..*look },
        attribute: "expression",
        ask,
    };
    if chance(rng, 0.1) {
        return undone(look, rng);
    }
    let (how, orders): (&[&str], &[&str]) = match donor.expression {
        Expression::Neutral => (
            &["calm", "neutral", "relaxed", "serious", "less expressive"],
            &[
                "relax the face",
                "relax {his} face",
                "neutral expression",
                "no expression",
                "give {him} a neutral expression",
                "give {him} a calm face",
                "reset the expression",
            ],
        ),
        Expression::Smiling => (
            &["happy", "happy", "cheerful", "happier", "friendly", "joyful", "pleased"],
            &[
                "make {him} smile",
                "make {him} smile",
                "smile",
                "let {him} smile",
                "add a smile",
                "give {him} a smile",
                "put a smile on {his} face",
                "{he} should smile",
                "make {him} grin",
                "a big smile",
                "smiling",
                "with a smile",
            ],
        ),
        Expression::Laughing => (
            &["very happy", "amused"],
            &[
                "make {him} laugh",
                "make {him} laugh",
                "laugh",
                "let {him} laugh",
                "laughing",
                "{he} should laugh",
                "laugh out loud",
                "burst out laughing",
            ],
        ),
        Expression::Surprised => (
            &["surprised", "surprised", "surprised", "astonished", "amazed", "shocked"],
            &["surprise {him}", "give {him} a surprised look", "raise the eyebrows in surprise"],
        ),
        Expression::Angry => (
            &["angry", "angry", "angry", "furious", "mad", "grumpy", "angrier"],
            &["make {him} frown", "frown", "scowl", "give {him} an angry look", "anger {him}"],
        ),
        Expression::Sad => (
            &["sad", "sad", "sad", "unhappy", "sadder", "depressed", "gloomy"],
            &["give {him} a sad face", "make {him} cry", "cry", "let {him} weep"],
        ),
        Expression::Sleeping => (
            &["asleep", "sleeping", "sleepy"],
            &[
                "close the eyes",
                "close {his} eyes",
                "close {his} eyes",
                "shut {his} eyes",
                "make {him} sleep",
                "let {him} sleep",
                "let {him} fall asleep",
                "eyes closed",
                "with closed eyes",
                "make {his} eyes closed",
                "put {him} to sleep",
            ],
        ),
        Expression::Screaming => (
            &["screaming", "shouting"],
            &[
                "make {him} scream",
                "scream",
                "make {him} shout",
                "make {him} yell",
                "let {him} scream",
                "open the mouth wide",
                "open {his} mouth",
                "shout",
                "yell",
            ],
        ),
        Expression::Winking => (
            &["winking"],
            &["make {him} wink", "wink", "let {him} wink", "close one eye", "close {his} left eye"],
        ),
        Expression::Kissing => (
            &["kissing", "pouting"],
            &[
                "pucker the lips",
                "purse {his} lips",
                "make {him} pout",
                "blow a kiss",
                "let {him} blow a kiss",
                "make {him} kiss",
                "give a kiss",
                "kiss",
                "pout",
            ],
        ),
        Expression::Disgusted => (
            &["disgusted", "disgusted", "grossed out", "revolted"],
            &["wrinkle {his} nose", "disgust {him}", "give {him} a disgusted look"],
        ),
    };
    let ask = if chance(rng, 0.5) { Ask::Be(any(rng, how)) } else { Ask::Order(any(rng, orders)) };
    done(donor.expression, ask)
}

/// An expression ends: "stop smiling", "open the eyes"; another one stays.
fn undone(look: &Look, rng: &mut Stream) -> Asked {
    use Expression::{
        Angry, Disgusted, Kissing, Laughing, Sad, Screaming, Sleeping, Smiling, Surprised, Winking,
    };
    let list: [(&str, &[Expression]); 15] = [
        ("stop smiling", &[Smiling, Laughing]),
        ("don't smile", &[Smiling, Laughing]),
        ("stop laughing", &[Smiling, Laughing]),
        ("remove the smile", &[Smiling, Laughing]),
        ("open the eyes", &[Sleeping, Winking]),
        ("open {his} eyes", &[Sleeping, Winking]),
        ("wake {him} up", &[Sleeping]),
        ("wake up", &[Sleeping]),
        ("close the mouth", &[Laughing, Screaming, Surprised]),
        ("close {his} mouth", &[Laughing, Screaming, Surprised]),
        ("stop screaming", &[Screaming]),
        ("less angry", &[Angry]),
        ("don't look so sad", &[Sad]),
        ("calm {him} down", &[Angry, Screaming, Sad, Disgusted, Surprised]),
        ("stop kissing", &[Kissing]),
    ];
    // Half of the time what is there ends.
    let fitting: Vec<_> = list.iter().filter(|(_, ends)| ends.contains(&look.expression)).collect();
    let (text, ends) = if fitting.is_empty() || chance(rng, 0.3) {
        list[rng.random_range(0..list.len())]
    } else {
        *fitting[rng.random_range(0..fitting.len())]
    };
    let over = ends.contains(&look.expression);
    let expression = if over { Expression::Neutral } else { look.expression };
    let after = Look { expression, ..*look };
    Asked { after, attribute: "expression", ask: Ask::Order(text.to_owned()) }
}
