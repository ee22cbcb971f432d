//! Identity-aware editing score distillation (IESD, HeadSculpt, Han et al. 2023).
//!
//! An edit has two texts: the description `y` of the head, which keeps who it is, and the
//! instruction. At one `z_t`, noise and `t`
//! `e^ = e_u + s [(1 - w) (e_y - e_u) + w (e_instruction - e_u)]`, where `w` is the edit's
//! strength. That is classifier-free guidance towards `(1 - w) e_y + w e_instruction`, and
//! every rule is linear in its predictions. So the blend of raw predictions replaces those
//! for the description, and any rule serves for edits: at one `z_t` its residual is
//! `(1 - w)` times that for the description plus `w` times that for the instruction.

use super::{Condition, Denoiser, GuidanceError};
use candle_core::{Error, Tensor};

/// Refuses a strength outside `[0, 1]`.
pub(super) fn check(strength: f64) -> Result<f64, GuidanceError> {
    if (0.0..=1.0).contains(&strength) {
        Ok(strength)
    } else {
        Err(GuidanceError::Strength(strength))
    }
}

/// As [`Denoiser::predict`], with the instruction blended into what the description says.
/// All evaluations are one batch; one whose weight is 0 is left out.
pub(super) fn predict(
    denoiser: &impl Denoiser,
    noised: &Tensor,
    timestep: usize,
    conditions: &[Condition],
    strength: f64,
) -> Result<Vec<Tensor>, GuidanceError> {
    let asked = evaluations(conditions, strength);
    let predictions = denoiser.predict(noised, timestep, &asked)?;
    let find = |condition: Condition| {
        let place = asked.iter().position(|other| *other == condition);
        place.and_then(|place| predictions.get(place))
    };
    let blend = |condition: &Condition| -> Result<Tensor, GuidanceError> {
        let instruction = if describes(*condition) { find(Condition::Instruction) } else { None };
        match (find(*condition), instruction) {
            (Some(description), Some(instruction)) => {
                Ok(((description * (1.0 - strength))? + (instruction * strength)?)?)
            }
            (Some(alone), None) | (None, Some(alone)) => Ok(alone.clone()),
            (None, None) => Err(Error::Msg(format!("no prediction for {condition:?}")).into()),
        }
    };
    conditions.iter().map(blend).collect()
}

/// What has to be evaluated for `conditions`.
fn evaluations(conditions: &[Condition], strength: f64) -> Vec<Condition> {
    let kept = |condition: &Condition| strength < 1.0 || !describes(*condition);
    let mut asked: Vec<Condition> = conditions.iter().copied().filter(kept).collect();
    if strength > 0.0 && conditions.iter().any(|condition| describes(*condition)) {
        asked.push(Condition::Instruction);
    }
    asked
}

/// Whether the condition is the description. The instruction has no view words: it stands
/// against the description with them and without.
fn describes(condition: Condition) -> bool {
    matches!(condition, Condition::Prompt | Condition::PromptWithoutView)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guidance::Rule;

    #[test]
    fn an_edit_costs_one_evaluation_more_and_none_that_weighs_nothing() {
        use Condition::{Empty, Instruction, Negative, Prompt, PromptWithoutView, Unconditional};
        for (rule, strength, expected) in [
            (Rule::Sds, 0.4, &[Prompt, Unconditional, Instruction][..]),
            (Rule::X0, 0.4, &[Prompt, Unconditional, Instruction]),
            (Rule::X0, 0.0, &[Prompt, Unconditional]),
            (Rule::X0, 1.0, &[Unconditional, Instruction]),
            (Rule::Ssd, 0.4, &[Prompt, Unconditional, PromptWithoutView, Instruction]),
            (Rule::Ssd, 1.0, &[Unconditional, Instruction]),
            (Rule::Nfsd, 1.0, &[Empty, Negative, Instruction]),
        ] {
            assert_eq!(evaluations(rule.conditions(), strength), expected, "{rule:?} {strength}");
        }
        assert_eq!(evaluations(&[Empty], 1.0), [Empty]);
    }

    #[test]
    fn a_strength_is_a_share() {
        for fits in [0.0, 0.5, 1.0] {
            assert_eq!(check(fits).unwrap(), fits);
        }
        for wrong in [-0.1, 1.5, f64::NAN, f64::INFINITY] {
            let error = check(wrong).unwrap_err().to_string();
            assert!(error.contains(&wrong.to_string()), "{error}");
        }
    }
}
