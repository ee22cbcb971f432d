//! What is worn and painted on, and the colour of the eyes.

use super::frames::Ask;
use super::{Asked, any, chance, pick, shade, words};
use crate::head::look::{Earrings, FacePaint, Glasses, Hat, IrisColor, Look};
use crate::rng::Stream;
use rand::Rng;

fn done(after: Look, attribute: &'static str, ask: Ask) -> Asked {
    Asked { after, attribute, ask }
}

pub(super) fn eyes(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let word = match donor.eyes {
        IrisColor::Purple if chance(rng, 0.3) => "violet",
        other => shade(rng, other.name()),
    };
    let ask = match rng.random_range(0..5) {
        0 | 1 => Ask::Have(format!("{word} eyes")),
        2 => Ask::Be(format!("{word}-eyed")),
        _ => Ask::Paint("eyes", word.to_owned()),
    };
    done(Look { eyes: donor.eyes, ..*look }, "eyes", ask)
}

pub(super) fn lipstick(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let ask = match (donor.red_lips, rng.random_range(0..4)) {
        (true, 0 | 1) => {
            Ask::Wear(any(rng, &["red lipstick", "lipstick", "some lipstick", "some red lipstick"]))
        }
        (true, 2) => Ask::Have("red lips".to_owned()),
        (true, _) => Ask::Paint("lips", any(rng, &["red", "bright red", "scarlet"])),
        (false, 0) => Ask::Order(any(rng, &["wipe off the lipstick", "wipe {his} lips"])),
        (false, 1) => Ask::Part("lips", any(rng, &["natural", "unpainted"])),
        (false, _) => Ask::Drop(any(rng, &["lipstick", "red lipstick"])),
    };
    done(Look { red_lips: donor.red_lips, ..*look }, "red_lips", ask)
}

/// Paint on the face; without it, the lipstick goes too where the words mean both.
pub(super) fn paint(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let after = Look { face_paint: donor.face_paint, ..*look };
    let kind = match donor.face_paint {
        FacePaint::None => {
            if chance(rng, 0.5) {
                return done(after, "face_paint", Ask::Drop(any(rng, &["face paint", "paint"])));
            }
            let ask = if chance(rng, 0.5) {
                Ask::Order(any(
                    rng,
                    &["wash the face", "wash {his} face", "clean {his} face", "wash it off"],
                ))
            } else {
                Ask::Drop(any(rng, &["makeup", "make-up"]))
            };
            return done(Look { red_lips: false, ..after }, "face_paint", ask);
        }
        FacePaint::Clown => "clown",
        FacePaint::Skull => pick(rng, &["skull", "skull", "skeleton"]),
        FacePaint::Tribal => pick(rng, &["tribal", "tribal", "war"]),
        FacePaint::Tiger => "tiger",
    };
    let noun = pick(rng, &["makeup", "face paint", "make-up", "paint", "face painting"]);
    let ask = match rng.random_range(0..8) {
        0 | 1 => Ask::Have(words::face_paint(&after, rng).unwrap_or_default()),
        2 => match donor.face_paint {
            FacePaint::Tribal => {
                Ask::Have(any(rng, &["war paint", "tribal tattoos", "tribal marks"]))
            }
            FacePaint::Tiger => Ask::Order(any(
                rng,
                &["paint tiger stripes on {his} face", "give {him} tiger stripes"],
            )),
            _ => Ask::Order(format!("paint a {kind} on {{his}} face")),
        },
        3 => Ask::Order(match rng.random_range(0..4) {
            0 => format!("paint {{his}} face like a {kind}"),
            1 => format!("paint {{him}} as a {kind}"),
            2 => format!("make {{him}} up as a {kind}"),
            _ => format!("a {kind} painted on {{his}} face"),
        }),
        _ => Ask::Wear(format!("{kind} {noun}")),
    };
    done(after, "face_paint", ask)
}

pub(super) fn glasses(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let noun = any(rng, &["glasses", "glasses", "glasses", "spectacles", "eyeglasses"]);
    if donor.glasses == Glasses::None {
        // Sunglasses are glasses, but not the other way round.
        let dark = chance(rng, 0.2);
        let off = !dark || look.glasses == Glasses::Sun;
        let glasses = if off { Glasses::None } else { look.glasses };
        let noun = if dark { any(rng, &["sunglasses", "shades"]) } else { noun };
        return done(Look { glasses, ..*look }, "glasses", Ask::Drop(noun));
    }
    let (glasses, mut phrase) = match (donor.glasses, rng.random_range(0..4)) {
        (Glasses::Round | Glasses::Square, 0) => {
            let worn = look.glasses != Glasses::None;
            (if worn { look.glasses } else { Glasses::Round }, noun)
        }
        (Glasses::Square, _) => {
            (donor.glasses, format!("{} {noun}", pick(rng, &["square", "square", "rectangular"])))
        }
        (Glasses::Sun, _) => (
            donor.glasses,
            any(rng, &["sunglasses", "sunglasses", "shades", "sun glasses", "dark glasses"]),
        ),
        _ => (Glasses::Round, format!("{} {noun}", pick(rng, &["round", "round", "circular"]))),
    };
    let mut after = Look { glasses, ..*look };
    if chance(rng, 0.3) {
        let color = shade(rng, donor.glasses_color.name());
        // "dark glasses" are sunglasses.
        if color != "dark" {
            after.glasses_color = donor.glasses_color;
            phrase = if chance(rng, 0.2) {
                format!("{phrase} with {color} {}", pick(rng, &["frames", "rims"]))
            } else {
                format!("{color} {phrase}")
            };
        }
    }
    if chance(rng, 0.1) {
        phrase = format!("a pair of {phrase}");
    }
    done(after, "glasses", Ask::Wear(phrase))
}

/// Another colour for glasses that are worn.
pub(super) fn glasses_color(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let color = match shade(rng, donor.glasses_color.name()) {
        "dark" => "black",
        other => other,
    };
    let worn = look.glasses != Glasses::None;
    let after = Look { glasses_color: donor.glasses_color, ..*look };
    let noun = pick(rng, &["glasses", "frames", "frame", "rims"]);
    let frames =
        ["make {his} # {}", "color {his} # {}", "{his} # should be {}", "change {his} # to {}"];
    let text = pick(rng, &frames).replace('#', noun).replace("{}", color);
    done(if worn { after } else { *look }, "glasses_color", Ask::Order(text))
}

fn hat_nouns(hat: Hat) -> &'static [&'static str] {
    match hat {
        Hat::None => &["hat"],
        Hat::Cap => &["cap", "cap", "baseball cap"],
        Hat::Beanie => &["beanie", "beanie", "knitted hat", "woolly hat", "knit cap"],
        Hat::Fedora => &["fedora", "fedora", "felt hat", "brimmed hat"],
        Hat::TopHat => &["top hat", "top hat", "cylinder hat"],
        Hat::Helmet => &["helmet", "helmet", "crested helmet"],
        Hat::Crown => &["crown", "golden crown", "gold crown", "king's crown"],
    }
}

pub(super) fn hat(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    if donor.hat == Hat::None || chance(rng, 0.1) {
        // "the hat" is any of them, other names are only what they are.
        let (noun, off) = match rng.random_range(0..10) {
            0..4 => (pick(rng, &["hat", "hat", "headgear"]), look.hat != Hat::Crown),
            4..8 if look.hat != Hat::None => (pick(rng, hat_nouns(look.hat)), true),
            _ => (pick(rng, hat_nouns(donor.hat)), [donor.hat, Hat::None].contains(&look.hat)),
        };
        let hat = if off || noun == "headgear" || noun == "hat" { Hat::None } else { look.hat };
        return done(Look { hat, ..*look }, "hat", Ask::Drop(noun.to_owned()));
    }
    let crown = donor.hat == Hat::Crown;
    // A hat of no kind: what is worn, or a fedora.
    let open = !crown && chance(rng, 0.15);
    let (hat, noun) = if open {
        let keeps = !matches!(look.hat, Hat::None | Hat::Crown);
        (if keeps { look.hat } else { Hat::Fedora }, "hat")
    } else {
        (donor.hat, pick(rng, hat_nouns(donor.hat)))
    };
    let mut after = Look { hat, ..*look };
    let tone = if !crown && chance(rng, 0.6) {
        after.hat_color = donor.hat_color;
        format!("{} ", shade(rng, donor.hat_color.name()))
    } else {
        String::new()
    };
    done(after, "hat", Ask::Wear(words::article(&format!("{tone}{noun}"))))
}

/// Another colour for a hat that is worn.
pub(super) fn hat_color(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let color = shade(rng, donor.hat_color.name());
    let worn = !matches!(look.hat, Hat::None | Hat::Crown);
    let after = Look { hat_color: donor.hat_color, ..*look };
    let own = if worn && chance(rng, 0.6) { pick(rng, hat_nouns(look.hat)) } else { "hat" };
    let frames = [
        "make {his} # {}",
        "make the # {}",
        "color {his} # {}",
        "{his} # should be {}",
        "change the color of {his} # to {}",
        "change {his} # to {}",
        "turn {his} # {}",
    ];
    let text = pick(rng, &frames).replace('#', own).replace("{}", color);
    done(if worn { after } else { *look }, "hat_color", Ask::Order(text))
}

pub(super) fn earrings(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let (earrings, ask) = match (donor.earrings, rng.random_range(0..4)) {
        (Earrings::None, _) => (Earrings::None, Ask::Drop(any(rng, &["earrings", "ear rings"]))),
        (_, 0) => {
            let worn = look.earrings != Earrings::None;
            let phrase = any(rng, &["earrings", "earrings", "ear rings", "a pair of earrings"]);
            (if worn { look.earrings } else { Earrings::Hoops }, Ask::Wear(phrase))
        }
        (Earrings::Hoops, 1) => (
            Earrings::Hoops,
            Ask::Wear(any(
                rng,
                &["big hoop earrings", "hoops", "golden earrings", "gold earrings"],
            )),
        ),
        (Earrings::Studs, 1) => (
            Earrings::Studs,
            Ask::Wear(any(rng, &["small earrings", "ear studs", "silver earrings", "pearls"])),
        ),
        (other, _) => {
            let wearing = Look { earrings: other, ..*look };
            (other, Ask::Wear(words::earrings(&wearing, rng).unwrap_or_default()))
        }
    };
    done(Look { earrings, ..*look }, "earrings", ask)
}

pub(super) fn horns(look: &Look, donor: &Look, rng: &mut Stream) -> Asked {
    let ask = match (donor.horns, rng.random_range(0..4)) {
        (true, 0) => Ask::Order(any(
            rng,
            &[
                "let {him} grow horns",
                "grow horns",
                "put horns on {his} head",
                "horns on {his} head",
            ],
        )),
        (true, 1) => {
            Ask::Have(any(rng, &["small horns", "big horns", "two small horns", "a pair of horns"]))
        }
        (true, _) => Ask::Have(words::horns(rng)),
        (false, _) => Ask::Drop(any(rng, &["horns", "horns", "devil horns"])),
    };
    done(Look { horns: donor.horns, ..*look }, "horns", ask)
}
