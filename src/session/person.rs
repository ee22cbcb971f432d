//! Who a prompt is about.
//!
//! Attribute readers (those of the checkpoint, or else the ones that the program carries) say
//! how likely each value of each attribute is, given the words. What the words say for sure is
//! taken literally; for the rest a person of the studio who fits is drawn from the seed.

use super::SessionError;
use crate::config::GenerationConfig;
use crate::diffusion::{AttributeOdds, DiffusionError, PromptReader, embedded};
use crate::head::Look;
use crate::render::studio::{Split, StudioSample};
use crate::rng;
use rand::Rng;
use serde_json::Value;

/// People that are drawn for one to be chosen.
const CANDIDATES: u64 = 400;
/// A value counts as said, and is taken as it is, if it is likelier than not and its odds
/// are this many times those without any words.
const SAID: f32 = 4.0;
/// Log-odds against each remarkable trait (see [`Look::remarkable_traits`]): the studio draws
/// them often, for the model to learn them; a person who was not asked for has few.
const AGAINST_REMARKABLE: f32 = 4.0;

/// The person that a prompt asks for.
pub struct Person {
    /// Shape, expression and look.
    pub sample: StudioSample,
    /// What read the prompt.
    pub reader: PromptReader,
}

impl Person {
    /// Reads the settings' prompt with the readers of the settings' model or, if it has
    /// none, with those that the program carries.
    ///
    /// # Errors
    /// If no readers can be loaded, or the prompt cannot be read.
    pub fn of(config: &GenerationConfig) -> Result<Self, SessionError> {
        let reader = reader(config)?;
        Ok(Self { sample: sample(&reader, &config.prompt, config.seed)?, reader })
    }
}

/// Whom a prompt is about.
///
/// # Errors
/// If the prompt cannot be read.
pub fn sample(
    reader: &PromptReader,
    prompt: &str,
    seed: u64,
) -> Result<StudioSample, DiffusionError> {
    let look = draw_look(&reader.read(prompt)?, &reader.read("")?, seed);
    Ok(shaped(look, seed))
}

/// The person of a seed with a look: what does not follow from the look is the same for all
/// looks.
pub(super) fn shaped(look: Look, seed: u64) -> StudioSample {
    StudioSample::with_look(look, &mut rng::stream(seed, "person", 0, "shape"))
}

/// The attribute readers of the settings' model or, if it has none, those that the program
/// carries.
///
/// # Errors
/// If they cannot be loaded.
pub fn reader(config: &GenerationConfig) -> Result<PromptReader, SessionError> {
    let cpu = candle_core::Device::Cpu;
    let own = embedded::resolve(&config.model).map_err(DiffusionError::from)?;
    if let Some(reader) = PromptReader::load(&own, &cpu)? {
        return Ok(reader);
    }
    let carried = embedded::reader().map_err(DiffusionError::from)?;
    PromptReader::load(&carried, &cpu)?.ok_or_else(|| {
        let what = "the carried reader of prompts has no attribute readers".to_owned();
        SessionError::Model(DiffusionError::Input(what))
    })
}

/// What a prompt says for sure, by attribute.
///
/// # Errors
/// If the prompt cannot be read.
pub fn said(reader: &PromptReader, prompt: &str) -> Result<Vec<(String, Value)>, DiffusionError> {
    let (said, usual) = (reader.read(prompt)?, reader.read("")?);
    let list = literal(&said, &usual).into_iter();
    Ok(list.map(|(name, value)| (name.to_owned(), value.clone())).collect())
}

fn literal<'a>(said: &'a [AttributeOdds], usual: &[AttributeOdds]) -> Vec<(&'a str, &'a Value)> {
    said.iter()
        .zip(usual)
        .filter_map(|(said, usual)| {
            let odds = |p: f32| p / (1.0 - p).max(1e-6);
            let (value, p) = said.likeliest()?;
            let is_said = p > 0.5 && odds(p) > SAID * odds(usual.of(value)?);
            is_said.then_some((said.name.as_str(), value))
        })
        .collect()
}

/// A random person in proportion to how well they fit the words, with everything that is
/// said for sure taken literally.
fn draw_look(said: &[AttributeOdds], usual: &[AttributeOdds], seed: u64) -> Look {
    let literal = literal(said, usual);
    let draw = |index| {
        let stranger = StudioSample::draw(seed, Split::Train, index).look;
        // A checkpoint may know attributes and values that this studio does not draw.
        literal.iter().fold(stranger, |person, (name, value)| {
            person.with_attribute(name, value).unwrap_or(person)
        })
    };
    let candidates: Vec<Look> = (0..CANDIDATES).map(draw).collect();
    // Attributes depend on one another (age and hair colour, ancestry and skin): whole
    // people are weighted, so that what nobody said still goes together.
    let fits: Vec<f32> = candidates
        .iter()
        .map(|person| {
            let attributes = person.attributes();
            let lifts = said.iter().zip(usual).filter_map(|(said, usual)| {
                let value = attributes.get(&said.name)?;
                Some((said.of(value)?.max(1e-4) / usual.of(value)?.max(1e-4)).ln())
            });
            lifts.sum::<f32>() - AGAINST_REMARKABLE * person.remarkable_traits() as f32
        })
        .collect();
    let top = fits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = fits.iter().map(|fit| (fit - top).exp()).collect();
    let mut at =
        rng::stream(seed, "completion", 0, "person").random::<f32>() * weights.iter().sum::<f32>();
    let chosen = weights.iter().position(|weight| {
        at -= weight;
        at < 0.0
    });
    // Rounding may leave a little of the sum over: that is the last one's.
    candidates[chosen.unwrap_or(candidates.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::look::{BeardStyle, HairColor, HairStyle};
    use serde_json::json;
    use std::collections::BTreeSet;

    fn odds(name: &str, values: &[(Value, f32)]) -> AttributeOdds {
        AttributeOdds { name: name.into(), values: values.to_vec() }
    }

    /// What readers say about "a man with a red beard", and about nothing.
    fn readers() -> (Vec<AttributeOdds>, Vec<AttributeOdds>) {
        let colors = |red: f32| {
            let others = ["brown", "black", "blond", "grey", "white"];
            let rest = others.map(|c| (json!(c), (1.0 - red) / 5.0));
            odds("beard_color", &[&[(json!("red"), red)], &rest[..]].concat())
        };
        let beard = |shares: [f32; 5]| {
            let styles = ["full", "long", "moustache", "goatee", "stubble"];
            let none = 1.0 - shares.iter().sum::<f32>();
            let grown = styles.iter().zip(shares).map(|(s, p)| (json!(s), p));
            odds("beard", &grown.chain([(json!("none"), none)]).collect::<Vec<_>>())
        };
        let said = vec![
            odds("male", &[(json!(true), 0.98), (json!(false), 0.02)]),
            beard([0.7, 0.28, 0.002, 0.002, 0.002]),
            colors(0.97),
            odds("hair", &[(json!("bald"), 0.3), (json!("short"), 0.4), (json!("long"), 0.3)]),
            odds("shoe_size", &[(json!(44), 0.99), (json!(45), 0.01)]),
        ];
        let usual = vec![
            odds("male", &[(json!(true), 0.5), (json!(false), 0.5)]),
            beard([0.1, 0.1, 0.1, 0.1, 0.1]),
            colors(0.15),
            odds("hair", &[(json!("bald"), 0.3), (json!("short"), 0.4), (json!("long"), 0.3)]),
            odds("shoe_size", &[(json!(44), 0.5), (json!(45), 0.5)]),
        ];
        (said, usual)
    }

    #[test]
    fn what_is_said_holds_and_the_rest_follows_the_seed() {
        let (said, usual) = readers();
        let mut skins = BTreeSet::new();
        let mut styles = BTreeSet::new();
        for seed in 0..200 {
            let look = draw_look(&said, &usual, seed);
            assert!(look.male && look.beard_color == HairColor::Red, "{look:?}");
            assert!(matches!(look.beard, BeardStyle::Full | BeardStyle::Long), "{look:?}");
            assert_eq!(look, draw_look(&said, &usual, seed));
            skins.insert(look.skin);
            styles.insert(look.hair);
        }
        assert!(skins.len() > 3 && styles.len() > 1, "{skins:?} {styles:?}");
        let natural = skins.iter().filter(|skin| skin.is_natural()).count();
        assert!(2 * natural > skins.len(), "people whom nobody asked to be green: {skins:?}");
        assert!(styles.contains(&HairStyle::Short));
    }
}
