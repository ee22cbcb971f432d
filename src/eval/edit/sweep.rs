//! How much of a change comes with how much strength.

use super::{Distances, EditRecord};

/// One edit at several strengths.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sweep {
    /// Strengths from 0, which is the head before.
    strengths: Vec<f64>,
    /// Log-odds of what was asked for, at each.
    pub odds: Vec<f64>,
    /// Distances of colours to the head before.
    pub albedo: Vec<f64>,
    /// Mean distances of the surface to it.
    pub surface: Vec<f64>,
}

impl Sweep {
    /// Of the records of one edit; `None` with fewer than two strengths, or if something about
    /// one of them is not known.
    pub fn of(records: &[&EditRecord]) -> Option<Self> {
        let mut records = records.to_vec();
        records.sort_by(|a, b| a.strength.total_cmp(&b.strength));
        records.dedup_by(|a, b| a.strength == b.strength);
        let asked = records.first()?.verdict.asked.first()?;
        let mut sweep = Self {
            strengths: vec![0.0],
            odds: vec![f64::from(asked.odds_before?)],
            albedo: vec![0.0],
            surface: vec![0.0],
        };
        for record in &records {
            let Distances { albedo, surface_mean, .. } = record.whole?;
            sweep.strengths.push(record.strength);
            sweep.odds.push(f64::from(record.verdict.asked.first()?.odds?));
            sweep.albedo.push(albedo);
            sweep.surface.push(surface_mean);
        }
        (records.len() >= 2).then_some(sweep)
    }

    /// Spearman's rank correlation of strength with some values; `None` if all are equal.
    pub fn correlation(&self, values: &[f64]) -> Option<f64> {
        spearman(&self.strengths, values)
    }
}

/// Whether values never fall and are higher in the end.
pub(super) fn rises(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] <= pair[1]) && values.first() < values.last()
}

fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    (scale > 0.0).then(|| product(&a, &b) / scale)
}

/// The rank of each value from 0; equal ones share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let count = |of: &dyn Fn(f64) -> bool| values.iter().filter(|v| of(**v)).count() as f64;
    values.iter().map(|&x| count(&|v| v < x) + (count(&|v| v == x) - 1.0) / 2.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_correlation_agree_with_the_books() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 7.0]), [1.5, 0.0, 1.5, 3.0]);
        assert_eq!(spearman(&[0.0, 1.0, 2.0], &[5.0, 6.0, 9.0]), Some(1.0));
        assert_eq!(spearman(&[0.0, 1.0, 2.0], &[9.0, 6.0, 5.0]), Some(-1.0));
        assert_eq!(spearman(&[0.0, 1.0], &[2.0, 2.0]), None);
        // 1 - 6 (0 + 1 + 1 + 0) / (4 * 15).
        assert!(
            (spearman(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap() - 0.8).abs() < 1e-12
        );
    }

    #[test]
    fn rising_is_never_falling() {
        assert!(rises(&[0.0, 1.0, 1.0, 2.0]));
        assert!(!rises(&[0.0, 2.0, 1.0, 3.0]) && !rises(&[1.0, 1.0]) && !rises(&[]));
    }
}
