//! Beards and brows.

use super::frames::Ask;
use super::{Asked, any, chance, dye, pick, words};
use crate::head::look::{BeardStyle, Brows, Look};
use crate::rng::Stream;
use rand::Rng;

fn done(after: Look, attribute: &'static str, ask: Ask) -> Asked {
    Asked { after, attribute, ask }
}

/// The look with a beard of whatever cut: one that is there stays as it is.
fn bearded(look: &Look) -> Look {
    let is = matches!(look.beard, BeardStyle::Full | BeardStyle::Long | BeardStyle::Goatee);
    Look { beard: if is { look.beard } else { BeardStyle::Full }, ..*look }
}

pub(super) fn beard(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let done = |after, ask| done(after, "beard", ask);
    let plain = Look { beard: BeardStyle::None, ..*look };
    match rng.random_range(0..14) {
        0..3 => {
            let ask = match rng.random_range(0..5) {
                0..3 => Ask::Drop(any(rng, &["beard", "beard", "beard", "facial hair"])),
                3 => Ask::Order(any(
                    rng,
                    &[
                        "shave {him}",
                        "shave off the beard",
                        "shave {his} beard",
                        "shave it off",
                        "shave it",
                        "shave {his} face",
                    ],
                )),
                _ => Ask::Be(any(rng, &["clean-shaven", "clean shaven", "shaven", "beardless"])),
            };
            return done(plain, ask);
        }
        3 => {
            let (noun, style) = [
                ("moustache", BeardStyle::Moustache),
                ("mustache", BeardStyle::Moustache),
                ("goatee", BeardStyle::Goatee),
                ("stubble", BeardStyle::Stubble),
                ("sideburns", BeardStyle::Sideburns),
            ][rng.random_range(0..5)];
            let after = if look.beard == style { plain } else { *look };
            let ask = if chance(rng, 0.7) {
                Ask::Drop(noun.to_owned())
            } else {
                Ask::Order(format!("shave off the {noun}"))
            };
            return done(after, ask);
        }
        4 => {
            use BeardStyle::{Full, Goatee, Long, Moustache, None, Sideburns, Stubble};
            let (beard, ask) = if chance(rng, 0.5) {
                let to = match look.beard {
                    None => None,
                    Full | Long => Long,
                    Stubble | Goatee | Moustache | Sideburns => Full,
                };
                let orders = ["let {his} beard grow", "grow {his} beard longer"];
                let order = chance(rng, 0.3);
                let to = if order && look.beard == None { Full } else { to };
                (to, if order { Ask::Order(any(rng, &orders)) } else { beard_is(rng, "longer") })
            } else {
                let to = match look.beard {
                    Long => Full,
                    Full | Goatee | Moustache | Sideburns => Stubble,
                    other => other,
                };
                let orders = ["trim {his} beard", "cut {his} beard", "shorten {his} beard"];
                let order = chance(rng, 0.4);
                (to, if order { Ask::Order(any(rng, &orders)) } else { beard_is(rng, "shorter") })
            };
            return done(Look { beard, ..*look }, ask);
        }
        _ => {}
    }
    let tone = if chance(rng, 0.5) { Some(dye(rng, donor.beard_color)) } else { None };
    let style = if donor.beard == BeardStyle::None { BeardStyle::Long } else { donor.beard };
    let any_cut = chance(rng, 0.3);
    let worded = tone.map(|tone| format!("{tone} ")).unwrap_or_default();
    let after = if any_cut { bearded(look) } else { Look { beard: style, ..*look } };
    let (phrase, colored) = match style {
        _ if any_cut => (words::article(&format!("{worded}beard")), true),
        BeardStyle::None | BeardStyle::Long => {
            let long = pick(rng, &["long", "long", "long", "very long"]);
            (format!("a {long} {worded}beard"), true)
        }
        BeardStyle::Full => {
            let full = pick(rng, &["full", "full", "thick", "big", "bushy"]);
            (format!("a {full} {worded}beard"), true)
        }
        BeardStyle::Stubble => {
            let texts = ["stubble", "a stubble beard", "a five o'clock shadow", "some stubble"];
            (any(rng, &texts), false)
        }
        BeardStyle::Moustache => {
            let noun = pick(rng, &["moustache", "moustache", "mustache"]);
            (words::article(&format!("{worded}{noun}")), true)
        }
        BeardStyle::Goatee => (words::article(&format!("{worded}goatee")), true),
        BeardStyle::Sideburns => {
            let noun = pick(rng, &["sideburns", "sideburns", "mutton chops"]);
            (format!("{worded}{noun}"), true)
        }
    };
    let after = if colored && tone.is_some() {
        Look { beard_color: donor.beard_color, ..after }
    } else {
        after
    };
    let ask = match rng.random_range(0..6) {
        0 => {
            Ask::Order(format!("{} {phrase}", pick(rng, &["let {him} grow", "grow {him}", "grow"])))
        }
        1 if any_cut && tone.is_none() => Ask::Be("bearded".to_owned()),
        _ => Ask::Have(phrase),
    };
    done(after, ask)
}

/// "make his beard longer": without the frames that give one.
fn beard_is(rng: &mut Stream, how: &str) -> Ask {
    let frames =
        ["make {his} beard {}", "make {his} beard {}", "{his} beard should be {}", "{} beard"];
    Ask::Order(pick(rng, &frames).replace("{}", how))
}

/// Another colour for the beard; without one it has to grow first.
pub(super) fn beard_color(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let color = donor.beard_color;
    let word = dye(rng, color).to_owned();
    let moustache = look.beard == BeardStyle::Moustache;
    if matches!(look.beard, BeardStyle::Sideburns) {
        let after = Look { beard_color: color, ..*look };
        return done(after, "beard_color", Ask::Paint("sideburns", word));
    }
    let (after, part) = match look.beard {
        _ if moustache => (*look, pick(rng, &["moustache", "mustache"])),
        BeardStyle::Goatee if chance(rng, 0.5) => (*look, "goatee"),
        _ => (bearded(look), "beard"),
    };
    done(Look { beard_color: color, ..after }, "beard_color", Ask::Paint(part, word))
}

pub(super) fn brows(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let part = if chance(rng, 0.7) { "eyebrows" } else { "brows" };
    let done = |brows, ask| done(Look { brows, ..*look }, "brows", ask);
    match rng.random_range(0..6) {
        0 => {
            let to = if look.brows == Brows::Thin { Brows::Medium } else { Brows::Bushy };
            return done(to, Ask::Part(part, any(rng, &["thicker", "bushier", "fuller"])));
        }
        1 => {
            let to = if look.brows == Brows::Bushy { Brows::Medium } else { Brows::Thin };
            return done(to, Ask::Part(part, any(rng, &["thinner", "narrower"])));
        }
        _ => {}
    }
    match donor.brows {
        Brows::Thin if chance(rng, 0.25) => {
            done(Brows::Thin, Ask::Order(format!("pluck {{his}} {part}")))
        }
        Brows::Thin => done(Brows::Thin, Ask::Part(part, any(rng, &["thin", "thin", "plucked"]))),
        Brows::Medium => {
            done(Brows::Medium, Ask::Part(part, any(rng, &["normal", "medium", "ordinary"])))
        }
        Brows::Bushy => done(Brows::Bushy, Ask::Part(part, any(rng, &["bushy", "bushy", "thick"]))),
    }
}

pub(super) fn brow_color(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let word = dye(rng, donor.brow_color).to_owned();
    let part = if chance(rng, 0.7) { "eyebrows" } else { "brows" };
    done(Look { brow_color: donor.brow_color, ..*look }, "brow_color", Ask::Paint(part, word))
}
