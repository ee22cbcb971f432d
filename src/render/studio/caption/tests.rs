//! What captions say against what is drawn.

use super::*;
use crate::head::look::{Brows, Earrings, Ears, FacePaint, HairColor, Nose, SkinTone};
use crate::render::studio::StudioSample;
use crate::rng;

#[test]
fn captions_mention_only_what_is_drawn() {
    for seed in 0..1500 {
        let look = StudioSample::random(seed).look;
        let mut rng = rng::stream(seed, "test", 0, "caption");
        for _ in 0..4 {
            let text = caption(&look, &mut rng);
            let text = text.replace("beardless", "clean-shaven");
            let claims: [(&str, bool); 32] = [
                ("glasses", look.glasses != Glasses::None),
                ("spectacles", look.glasses != Glasses::None),
                ("sunglasses", look.glasses == Glasses::Sun),
                ("round glasses", look.glasses == Glasses::Round),
                (" beard", !matches!(look.beard, BeardStyle::None | BeardStyle::Moustache)),
                ("sideburns", look.beard == BeardStyle::Sideburns),
                ("fedora", look.hat == Hat::Fedora),
                ("top hat", look.hat == Hat::TopHat),
                ("helmet", look.hat == Hat::Helmet),
                ("crown", look.hat == Hat::Crown),
                ("earrings", look.earrings != Earrings::None),
                ("clown", look.face_paint == FacePaint::Clown),
                ("tiger", look.face_paint == FacePaint::Tiger),
                ("horns", look.horns),
                ("elf", look.ears == Ears::Pointed),
                ("big nose", look.nose == Nose::Big),
                ("bushy", look.brows == Brows::Bushy),
                ("tips", look.visible_tips().is_some()),
                ("moustache", look.beard == BeardStyle::Moustache),
                ("goatee", look.beard == BeardStyle::Goatee),
                ("long beard", look.beard == BeardStyle::Long),
                (" cap", look.hat == Hat::Cap),
                ("beanie", look.hat == Hat::Beanie),
                ("bald", look.hair == HairStyle::Bald),
                ("afro", look.hair == HairStyle::Afro),
                ("mohawk", look.hair == HairStyle::Mohawk),
                ("bob", look.hair == HairStyle::Bob),
                ("curly", look.hair == HairStyle::Curly),
                ("smil", look.expression == Expression::Smiling),
                ("red lips", look.red_lips),
                ("woman", !look.male),
                ("statue", look.material.is_some()),
            ];
            for (word, allowed) in claims {
                // "baseball cap" holds no "bald"; "woman" holds "man".
                assert!(allowed || !text.contains(word), "{text}: {look:?}");
            }
            for tone in SkinTone::ALL {
                let claim = format!("{} skin", tone.name());
                assert!(!text.contains(&claim) || look.skin == *tone, "{text}: {look:?}");
            }
            for color in HairColor::ALL {
                let name = color.name();
                for noun in ["hair", "afro", "mohawk", "bob"] {
                    let claim = format!(" {name} {noun}");
                    let drawn = look.hair_color == *color || look.hair_tips == Some(*color);
                    assert!(!text.contains(&claim) || drawn, "{text}: {look:?}");
                }
                let claim = format!(" {name} beard");
                assert!(!text.contains(&claim) || look.beard_color == *color, "{text}: {look:?}");
            }
            assert!(
                !text.contains("  ") && !text.contains(" a a") && !text.contains(" ,"),
                "{text}"
            );
        }
    }
}

fn says(look: &Look, wanted: &str) {
    let mut rng = rng::stream(5, "test", 1, wanted);
    assert!((0..8000).any(|_| caption(look, &mut rng) == wanted), "never said: {wanted}");
}

#[test]
fn the_grammar_covers_the_phrasing_of_prompts() {
    let man = Look::default();
    says(&Look { skin: SkinTone::Green, ..man }, "a bald man with green skin");
    let long = Look {
        male: false,
        age: AgeGroup::Old,
        hair: HairStyle::Long,
        hair_color: HairColor::White,
        ..man
    };
    says(&long, "an old woman with long white hair");
    let smiling = Look {
        expression: Expression::Smiling,
        beard: BeardStyle::Full,
        beard_color: HairColor::Red,
        hair: HairStyle::Short,
        ..man
    };
    says(&smiling, "a smiling man with a red beard");
    let glasses = Look {
        male: false,
        hair: HairStyle::Short,
        hair_color: HairColor::Black,
        glasses: Glasses::Round,
        ..man
    };
    says(&glasses, "a young woman with short black hair and round glasses");
    says(&Look { material: Some(Material::Bronze), ..man }, "a bronze statue of a man");
    says(&Look { hair: HairStyle::Afro, ..man }, "a DSLR portrait of a man");
    says(&Look { hair: HairStyle::Afro, ..man }, "a head of a man");
}

#[test]
fn a_full_caption_leaves_nothing_out() {
    for seed in 0..400 {
        let look = StudioSample::random(seed).look;
        let mut rng = rng::stream(seed, "test", 0, "full caption");
        let text = full_caption(&look, &mut rng);
        let mut plain = format!(" {text}").replace("golden skin", "gold skin");
        plain = plain.replace("golden complexion", "gold skin");
        for (other, name) in [
            ("gray", "grey"),
            ("ginger", "red"),
            ("golden", "blond"),
            ("brunette", "brown"),
            ("russet", "auburn"),
            ("snow-white", "white"),
            ("jet-black", "black"),
            ("violet", "purple"),
            ("ebony", "black"),
            ("porcelain", "pale"),
            ("tanned", "tan"),
            ("complexion", "skin"),
            ("brows", "eyebrows"),
            ("eyeeyebrows", "eyebrows"),
        ] {
            plain = plain.replace(other, name);
        }
        let living = look.material.is_none();
        let says = |drawn: bool, words: &str| {
            let found = words.split('|').any(|w| plain.contains(w));
            assert!(!drawn || found, "{words} in {text}: {look:?}");
        };
        let skin = look.skin.name();
        says(living, &format!("{skin} skin|{skin}-skin"));
        let hair = look.hair_color.name();
        says(living && look.hair != HairStyle::Bald, hair);
        if let Some(tips) = look.visible_tips().filter(|_| living) {
            says(true, "tips|two-tone");
            says(true, tips.name());
        }
        let cut = match look.hair {
            HairStyle::Bald if look.hat != Hat::None => "",
            HairStyle::Bald => "bald|no hair|shaved",
            HairStyle::Buzz => "buzz|very short",
            HairStyle::Short => "short|close-cropped",
            HairStyle::Curly => "curl",
            HairStyle::Afro => "afro",
            HairStyle::Mohawk => "mohawk",
            HairStyle::Bob => "bob|chin-length",
            HairStyle::Long => "long",
            HairStyle::Wavy => "wav",
            HairStyle::Ponytail => "ponytail|tied back",
            HairStyle::Bun => "bun|top knot",
            HairStyle::Spiky => "spik",
        };
        says(true, cut);
        let beard = look.beard_color.name();
        says(
            living && !matches!(look.beard, BeardStyle::None | BeardStyle::Stubble),
            &["beard", "goatee", "moustache", "mustache", "sideburns", "mutton"]
                .map(|noun| format!("{beard} {noun}|{beard}e {noun}"))
                .join("|"),
        );
        let eyes = look.eyes.name();
        let seen = look.expression != Expression::Sleeping && look.glasses != Glasses::Sun;
        says(living && seen, &format!("{eyes} eyes"));
        let brows = look.brow_color.name();
        let other = look.brow_color != look.hair_color;
        says(living && other, &format!("{brows} eyebrows|{brows}e eyebrows"));
        says(look.glasses != Glasses::None, "glasses|spectacles|shades");
        let hat = look.hat_color.name();
        says(
            living && !matches!(look.hat, Hat::None | Hat::Crown),
            &[
                "cap", "baseball", "beanie", "knitted", "woolly", "fedora", "felt", "brimmed",
                "top hat", "cylinder", "helmet", "crested",
            ]
            .map(|noun| format!("{hat} {noun}"))
            .join("|"),
        );
        says(look.age == AgeGroup::Middle, "middle-aged");
        says(look.age == AgeGroup::Old, "old|elderly");
        says(!look.male, "wom|girl|lady");
        says(look.male, "man|boy|guy|gentleman");
        says(
            living && look.skin.is_natural(),
            "African|Asian|European|Caucasian|Indian|racial|-race",
        );
        says(look.hat == Hat::Crown, "crown");
        says(look.horns, "horn");
        says(look.earrings != Earrings::None, "earring|hoops|studs");
        says(look.face_paint != FacePaint::None && living, look.face_paint.name());
        says(look.brows == Brows::Bushy, "bushy|thick");
        says(look.brows == Brows::Thin, "thin|plucked");
        says(look.ears == Ears::Pointed, "elf|elven|point");
        says(look.nose == Nose::Hooked, "hook|aquiline");
        says(look.expression == Expression::Smiling, "smil|happy|cheerful");
        says(look.beard == BeardStyle::Goatee, "goatee");
        says(look.red_lips && living, "red lip");
    }
}
