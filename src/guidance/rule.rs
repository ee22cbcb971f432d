//! Score-distillation rules as combinations of noise predictions.
//!
//! `w(t) = sqrt(abar) (1 - abar)` throughout; `e_c`, `e_v`, `e_u`, `e_0`, `e_n` are the
//! predictions for the prompt with view words, without them, unconditional, empty
//! and negative.

use super::Condition;
use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// A score-distillation rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Score distillation sampling (`DreamFusion`, HeadSculpt): `e_u + s (e_c - e_u) - eps`.
    Sds,
    /// Self score distillation (`HeadArtist`): `e_u + s (e_c - e_u) - e_v`.
    Ssd,
    /// Classifier score distillation: `e_c - e_u`.
    Csd,
    /// Noise-free score distillation: `s (e_c - e_0) + (e_0 if t < 200 else e_0 - e_n)`.
    Nfsd,
    /// Score distillation via inversion: like SDS, with the noise that DDIM inversion finds.
    Sdi,
    /// A short DDIM run gives a clean picture; the views are pulled towards it.
    X0,
}

/// Noise level under which NFSD keeps the whole unconditional score.
const NFSD_THRESHOLD: usize = 200;

impl Rule {
    /// The predictions that [`Self::residual`] needs, in its order.
    #[must_use]
    pub fn conditions(self) -> &'static [Condition] {
        use Condition::{Empty, Negative, Prompt, PromptWithoutView, Unconditional};
        match self {
            Self::Sds | Self::Sdi | Self::Csd | Self::X0 => &[Prompt, Unconditional],
            Self::Ssd => &[Prompt, Unconditional, PromptWithoutView],
            Self::Nfsd => &[Prompt, Empty, Negative],
        }
    }

    /// The residual that `w(t)` multiplies, from noise predictions in the order of
    /// [`Self::conditions`]. `noise` is the noise in `z_t`: drawn, or for
    /// [`Self::Sdi`] inverted.
    ///
    /// # Errors
    /// Shape mismatches.
    pub fn residual(
        self,
        predictions: &[Tensor],
        noise: &Tensor,
        scale: f64,
        timestep: usize,
    ) -> Result<Tensor> {
        match (self, predictions) {
            (Self::Sds | Self::Sdi | Self::X0, [c, u]) => guided(c, u, scale)? - noise,
            (Self::Csd, [c, u]) => c - u,
            (Self::Ssd, [c, u, v]) => guided(c, u, scale)? - v,
            (Self::Nfsd, [c, empty, negative]) => {
                let classifier = ((c - empty)? * scale)?;
                if timestep < NFSD_THRESHOLD {
                    classifier + empty
                } else {
                    classifier + (empty - negative)?
                }
            }
            _ => candle_core::bail!("{self:?} got {} predictions", predictions.len()),
        }
    }
}

/// Classifier-free guidance: `u + s (c - u)`. Linear, so it may be applied to raw
/// predictions of any type at one `(z_t, t)`.
///
/// # Errors
/// Shape mismatches.
pub fn guided(conditional: &Tensor, unconditional: &Tensor, scale: f64) -> Result<Tensor> {
    unconditional + ((conditional - unconditional)? * scale)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn t(values: &[f32]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap()
    }

    #[test]
    fn rules_are_the_published_algebra() {
        let (c, u, third, noise) =
            (t(&[1.0, 2.0]), t(&[0.5, -1.0]), t(&[0.25, 4.0]), t(&[3.0, 1.5]));
        let two = [c.clone(), u.clone()];
        let three = [c, u, third];
        let s = 10.0;
        // c - u = [0.5, 3]
        for (rule, predictions, at, expected) in [
            (Rule::Sds, &two[..], 500, [0.5 + 5.0 - 3.0, -1.0 + 30.0 - 1.5]),
            (Rule::Sdi, &two[..], 500, [0.5 + 5.0 - 3.0, -1.0 + 30.0 - 1.5]),
            (Rule::Csd, &two[..], 500, [0.5, 3.0]),
            (Rule::Ssd, &three[..], 500, [0.5 + 5.0 - 0.25, -1.0 + 30.0 - 4.0]),
            (Rule::Nfsd, &three[..], 500, [5.0 + 0.25, 30.0 - 5.0]),
            (Rule::Nfsd, &three[..], 199, [5.0 + 0.5, 30.0 - 1.0]),
        ] {
            let got: Vec<f32> =
                rule.residual(predictions, &noise, s, at).unwrap().to_vec1().unwrap();
            assert_eq!(got, expected, "{rule:?} at {at}");
            assert_eq!(rule.conditions().len(), predictions.len());
        }
        assert!(Rule::Ssd.residual(&two, &noise, s, 1).is_err());
    }
}
