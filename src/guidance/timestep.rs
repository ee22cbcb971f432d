//! Which noise level a step looks at.

use rand::Rng;
use serde::{Deserialize, Serialize};

/// Bounds on the timestep, as fractions of the schedule's length, moving linearly
/// from the first to the last step of a stage. Equal bounds at both ends give the
/// paper's uniform draw; falling bounds give an annealed, coarse-to-fine run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestepSchedule {
    /// `[low, high]` at the first step.
    pub first: [f64; 2],
    /// `[low, high]` at the last step.
    pub last: [f64; 2],
}

impl TimestepSchedule {
    /// The bounds at `progress` in `[0, 1]`.
    #[must_use]
    pub fn bounds(&self, progress: f64) -> [f64; 2] {
        let mix = |i: usize| self.first[i] + (self.last[i] - self.first[i]) * progress;
        [mix(0), mix(1)]
    }

    /// Draws a timestep in `0..steps`.
    pub fn draw(&self, progress: f64, steps: usize, rng: &mut impl Rng) -> usize {
        let [low, high] = self.bounds(progress);
        let fraction = low + (high - low) * rng.random::<f64>();
        ((fraction * steps as f64).round() as usize).min(steps - 1)
    }

    /// Whether all bounds are ordered fractions.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        [self.first, self.last].iter().all(|[low, high]| {
            (0.0..=1.0).contains(low) && (0.0..=1.0).contains(high) && low <= high
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_within_moving_bounds() {
        let schedule = TimestepSchedule { first: [0.9, 1.0], last: [0.3, 0.4] };
        let mut rng = crate::rng::stream(1, "t", 0, "t");
        for _ in 0..200 {
            assert!((900..1000).contains(&schedule.draw(0.0, 1000, &mut rng)));
            assert!((300..=400).contains(&schedule.draw(1.0, 1000, &mut rng)));
        }
        assert!(!TimestepSchedule { first: [0.5, 0.4], last: [0.0, 1.0] }.is_valid());
        assert!(!TimestepSchedule { first: [0.5, f64::NAN], last: [0.0, 1.0] }.is_valid());
    }
}
