//! What a checkpoint holds of the coarse stage: the field's state as named byte arrays.

use super::StageError;
use crate::render::adam::AdamState;
use crate::render::field::FieldState;
use std::collections::BTreeMap;

/// Named byte arrays, little-endian.
pub type Arrays = BTreeMap<String, Vec<u8>>;

/// The arrays of a state.
#[must_use]
pub fn encode(state: &FieldState) -> Arrays {
    let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
    BTreeMap::from([
        ("parameters".to_owned(), floats(&state.parameters)),
        ("adam.mean".to_owned(), floats(&state.adam.mean)),
        ("adam.variance".to_owned(), floats(&state.adam.variance)),
        ("adam.steps".to_owned(), state.adam.steps.to_le_bytes().to_vec()),
        ("occupancy".to_owned(), floats(&state.occupancy)),
        ("occupied".to_owned(), state.occupied.clone()),
        ("prior_weight".to_owned(), floats(&[state.prior_weight])),
    ])
}

/// The state of arrays that [`encode`] made.
///
/// # Errors
/// [`StageError::Checkpoint`] naming a missing or misshapen array.
pub fn decode(mut arrays: Arrays) -> Result<FieldState, StageError> {
    let mut take = |name: &str| {
        arrays.remove(name).ok_or_else(|| StageError::Checkpoint(format!("'{name}' is missing")))
    };
    let misshapen = |name: &str| StageError::Checkpoint(format!("'{name}' has a wrong length"));
    let floats = |name: &str, bytes: Vec<u8>| {
        let (chunks, rest) = bytes.as_chunks::<4>();
        let values = chunks.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>();
        if rest.is_empty() { Ok(values) } else { Err(misshapen(name)) }
    };
    Ok(FieldState {
        parameters: floats("parameters", take("parameters")?)?,
        adam: AdamState {
            mean: floats("adam.mean", take("adam.mean")?)?,
            variance: floats("adam.variance", take("adam.variance")?)?,
            steps: take("adam.steps")?
                .try_into()
                .map(u64::from_le_bytes)
                .map_err(|_| misshapen("adam.steps"))?,
        },
        occupancy: floats("occupancy", take("occupancy")?)?,
        occupied: take("occupied")?,
        prior_weight: *floats("prior_weight", take("prior_weight")?)?
            .first()
            .ok_or_else(|| misshapen("prior_weight"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_names_what_is_wrong() {
        let state = FieldState {
            parameters: vec![1.5, -2.0],
            adam: AdamState { mean: vec![0.1], variance: vec![0.2], steps: 7 },
            occupancy: vec![3.0],
            occupied: vec![1, 2, 3, 4],
            prior_weight: 0.5,
        };
        assert_eq!(decode(encode(&state)).unwrap(), state);
        for name in encode(&state).keys() {
            let mut arrays = encode(&state);
            arrays.remove(name);
            assert!(decode(arrays).unwrap_err().to_string().contains(name.as_str()));
        }
        let mut arrays = encode(&state);
        arrays.insert("parameters".into(), vec![1, 2, 3]);
        assert!(decode(arrays).unwrap_err().to_string().contains("parameters"));
    }
}
