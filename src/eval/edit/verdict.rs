//! What an edit changed, by the classifier's readings before and after.

use crate::eval::{ClaimVerdict, Claims, Reading};
use crate::head::Look;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Readings this sure ([`Reading::certainty`]; odds of 20 to 1) must stay as they are: on a
/// hundred instant heads whose looks are known, 95 % of them are right.
pub const CERTAIN: f32 = 3.0;

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What must be seen after the edit.
    pub asked: &'a Claims,
    /// What the instruction was understood to change.
    pub changed: &'a BTreeMap<String, Value>,
    /// What the head's prompt claims.
    pub prompt: &'a Claims,
}

/// One thing that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Attribute, values that were asked for, value found, and whether it is one of them.
    #[serde(flatten)]
    pub claim: ClaimVerdict,
    /// The value before, if the head before is known.
    pub before: Option<Value>,
    /// [`Reading::log_odds`] of what was asked for, after the edit.
    pub odds: Option<f32>,
    /// The same before it.
    pub odds_before: Option<f32>,
}

/// A claim of the prompt that the edit has nothing to do with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptClaim {
    /// As it is after the edit.
    #[serde(flatten)]
    pub claim: ClaimVerdict,
    /// Whether it was fulfilled before, if the head before is known.
    pub held_before: Option<bool>,
}

/// An attribute that the edit has nothing to do with, and that is seen before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Other {
    /// The attribute.
    pub attribute: String,
    /// Its value before.
    pub before: Value,
    /// Its value after.
    pub after: Value,
    /// How sure the value before is ([`Reading::certainty`]).
    pub certainty: f32,
}

impl Other {
    /// Whether the reading before was sure enough for a change to mean something.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.certainty >= CERTAIN
    }

    /// Whether the reading is the same after the edit.
    #[must_use]
    pub fn stayed(&self) -> bool {
        self.before == self.after
    }
}

/// What the classifier says of an edit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditVerdict {
    /// What was asked for, in alphabetical order.
    pub asked: Vec<Asked>,
    /// The prompt's other claims.
    pub claims: Vec<PromptClaim>,
    /// All other attributes; none if the head before is not known.
    pub others: Vec<Other>,
    /// Views that must show a face, and how many do, after the edit.
    pub front: (usize, usize),
    /// Views that must show none, and how many do show none, after the edit.
    pub back: (usize, usize),
}

impl EditVerdict {
    /// Judges an edit by the readings of the heads after it and, if known, before it.
    #[must_use]
    pub fn of(before: Option<&Reading>, after: &Reading, question: &Question<'_>) -> Self {
        let Question { asked, changed, prompt } = *question;
        let touched = |name: &str| asked.contains_key(name) || changed.contains_key(name);
        // Something can be hidden by what was asked for, seen or not (hair colour when she
        // should be bald), and by what came instead.
        let seen = after.seen();
        let meant = meant(&seen, question);
        let shown = |name: &str| meant.shows(name) && look(&seen).shows(name);
        let asked = ClaimVerdict::of(after, asked)
            .into_iter()
            .map(|claim| Asked {
                before: before.and_then(|reading| reading.value(&claim.attribute).cloned()),
                odds: after.log_odds(&claim.attribute, &claim.wanted),
                odds_before: before
                    .and_then(|reading| reading.log_odds(&claim.attribute, &claim.wanted)),
                claim,
            })
            .collect();
        let held = |claim: &ClaimVerdict| {
            before.map(|b| b.value(&claim.attribute).is_some_and(|v| claim.wanted.contains(v)))
        };
        let claims = ClaimVerdict::of(after, prompt)
            .into_iter()
            .filter(|claim| !touched(&claim.attribute) && meant.shows(&claim.attribute))
            .map(|claim| PromptClaim { held_before: held(&claim), claim })
            .collect();
        let others = before.map_or_else(Vec::new, |before| {
            let seen_before = before.seen();
            let look = look(&seen_before);
            let other = |(attribute, value): (&String, &Value)| {
                let counts = !touched(attribute) && look.shows(attribute) && shown(attribute);
                let after = seen.get(attribute).filter(|_| counts)?;
                Some(Other {
                    attribute: attribute.clone(),
                    before: value.clone(),
                    after: after.clone(),
                    certainty: before.certainty(attribute)?,
                })
            };
            seen_before.iter().filter_map(other).collect()
        });
        Self { asked, claims, others, front: after.front, back: after.back }
    }
}

/// The look that values by attribute describe.
fn look(values: &Map<String, Value>) -> Look {
    values.iter().fold(Look::default(), |look, (name, value)| {
        look.with_attribute(name, value).unwrap_or(look)
    })
}

/// The look after the edit as it was meant: what is seen, but for what was asked.
fn meant(seen: &Map<String, Value>, question: &Question<'_>) -> Look {
    let one = |(name, values): (&String, &Vec<Value>)| match &values[..] {
        [value] => Some((name.clone(), value.clone())),
        _ => None,
    };
    let mut values = seen.clone();
    values.extend(question.changed.clone());
    values.extend(question.asked.iter().filter_map(one));
    look(&values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::AttributeOdds;
    use serde_json::json;

    /// A reading in which each attribute has the value, as sure as said, and one alternative.
    fn reading(values: &[(&str, Value, Value, f32)]) -> Reading {
        let odds = |p: fn(f32) -> f32| -> Vec<AttributeOdds> {
            let of = |(name, value, other, sure): &(&str, Value, Value, f32)| AttributeOdds {
                name: (*name).into(),
                values: vec![(value.clone(), p(*sure)), (other.clone(), 1.0 - p(*sure))],
            };
            values.iter().map(of).collect()
        };
        Reading::of(&odds(|_| 0.5), &[odds(|p| p), odds(|p| p)], &[0.0, 0.0])
    }

    fn claims(list: &[(&str, Value)]) -> Claims {
        list.iter().map(|(name, value)| ((*name).to_owned(), vec![value.clone()])).collect()
    }

    #[test]
    fn what_was_asked_changes_and_what_it_hides_does_not_count() {
        let (none, black, brown) = (json!("none"), json!("black"), json!("brown"));
        let before = reading(&[
            ("glasses", json!("round"), none.clone(), 0.99),
            ("glasses_color", black.clone(), brown.clone(), 0.99),
            ("hair", json!("short"), json!("long"), 0.99),
            ("hair_color", brown.clone(), black.clone(), 0.99),
            ("age", json!("young"), json!("old"), 0.6),
            ("male", json!(true), json!(false), 0.99),
        ]);
        let after = reading(&[
            ("glasses", none.clone(), json!("round"), 0.99),
            ("glasses_color", brown.clone(), black.clone(), 0.9),
            ("hair", json!("short"), json!("long"), 0.99),
            ("hair_color", black.clone(), brown.clone(), 0.9),
            ("age", json!("old"), json!("young"), 0.9),
            ("male", json!(true), json!(false), 0.9),
        ]);
        let asked = claims(&[("glasses", none.clone())]);
        let changed = BTreeMap::from([("glasses".to_owned(), none.clone())]);
        let prompt =
            claims(&[("male", json!(true)), ("hair_color", brown), ("glasses", json!("round"))]);
        let question = Question { asked: &asked, changed: &changed, prompt: &prompt };
        let verdict = EditVerdict::of(Some(&before), &after, &question);
        let [glasses] = &verdict.asked[..] else { panic!("{verdict:?}") };
        assert!(glasses.claim.right && glasses.before == Some(json!("round")));
        assert!(glasses.odds.unwrap() > 0.0 && glasses.odds_before.unwrap() < 0.0);
        let others: BTreeMap<&str, (bool, bool)> = verdict
            .others
            .iter()
            .map(|other| (other.attribute.as_str(), (other.counts(), other.stayed())))
            .collect();
        let expected = [
            ("age", (false, false)),
            ("hair", (true, true)),
            ("hair_color", (true, false)),
            ("male", (true, true)),
        ];
        assert_eq!(others, BTreeMap::from(expected));
        let held: Vec<_> = verdict
            .claims
            .iter()
            .map(|c| (c.claim.attribute.as_str(), c.held_before, c.claim.right))
            .collect();
        assert_eq!(held, [("hair_color", Some(true), false), ("male", Some(true), true)]);
        // Of the result alone, only what it shows itself can be said.
        let alone = EditVerdict::of(None, &after, &question);
        assert!(alone.others.is_empty() && alone.asked[0].before.is_none());
        assert_eq!(alone.claims[0].held_before, None);
    }

    #[test]
    fn what_should_have_been_hidden_does_not_count_either() {
        let short = ("hair", json!("short"), json!("bald"), 0.99);
        let color = |value: &str, other: &str| ("hair_color", json!(value), json!(other), 0.99);
        let before = reading(&[short.clone(), color("brown", "black")]);
        let after = reading(&[short, color("black", "brown")]);
        let asked = claims(&[("hair", json!("bald"))]);
        let prompt = claims(&[("hair_color", json!("brown"))]);
        let question = Question { asked: &asked, changed: &BTreeMap::new(), prompt: &prompt };
        let verdict = EditVerdict::of(Some(&before), &after, &question);
        assert!(!verdict.asked[0].claim.right);
        assert!(verdict.others.is_empty() && verdict.claims.is_empty(), "{verdict:?}");
    }
}
