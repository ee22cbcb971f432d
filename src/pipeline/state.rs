//! What a checkpoint holds of a stage: the states of its field and its lattice as named byte
//! arrays.

use super::StageError;
use crate::render::adam::AdamState;
use crate::render::field::FieldState;
use crate::render::tets::TetState;
use std::collections::BTreeMap;

/// Named byte arrays, little-endian.
pub type Arrays = BTreeMap<String, Vec<u8>>;

/// What the optimiser of a field remembers.
const FIELD_MOMENTS: [&str; 3] = ["adam.mean", "adam.variance", "adam.steps"];
/// And that of a lattice.
const TET_MOMENTS: [&str; 3] = ["tets.adam.mean", "tets.adam.variance", "tets.adam.steps"];

/// The arrays of a state.
#[must_use]
pub fn encode(state: &FieldState) -> Arrays {
    BTreeMap::from([
        ("parameters".to_owned(), bytes_of(&state.parameters)),
        ("adam.mean".to_owned(), bytes_of(&state.adam.mean)),
        ("adam.variance".to_owned(), bytes_of(&state.adam.variance)),
        ("adam.steps".to_owned(), state.adam.steps.to_le_bytes().to_vec()),
        ("occupancy".to_owned(), bytes_of(&state.occupancy)),
        ("occupied".to_owned(), state.occupied.clone()),
        ("prior_weight".to_owned(), bytes_of(&[state.prior_weight])),
    ])
}

/// The arrays of a finished state: without the optimisers' moments, which only a stage in
/// progress needs. What starts from them, starts with an optimiser that has taken no step.
#[must_use]
pub fn without_moments(mut arrays: Arrays) -> Arrays {
    // Lattices and local changes have the same names, after one of their own.
    let is = |name: &str, moment: &str| {
        name.strip_suffix(moment).is_some_and(|start| start.is_empty() || start.ends_with('.'))
    };
    arrays.retain(|name, _| !FIELD_MOMENTS.iter().any(|moment| is(name, moment)));
    arrays
}

/// The state of arrays that [`encode`] made, maybe [`without_moments`]: these are then zero.
///
/// # Errors
/// [`StageError::Checkpoint`] naming a missing or misshapen array.
pub fn decode(mut arrays: Arrays) -> Result<FieldState, StageError> {
    let has_moments = FIELD_MOMENTS.iter().any(|name| arrays.contains_key(*name));
    let mut take = |name: &str| {
        arrays.remove(name).ok_or_else(|| StageError::Checkpoint(format!("'{name}' is missing")))
    };
    let floats = |name: &str, bytes: Vec<u8>| floats_of(&bytes).ok_or_else(|| misshapen(name));
    let parameters = floats("parameters", take("parameters")?)?;
    let adam = if has_moments {
        AdamState {
            mean: floats("adam.mean", take("adam.mean")?)?,
            variance: floats("adam.variance", take("adam.variance")?)?,
            steps: take("adam.steps")?
                .try_into()
                .map(u64::from_le_bytes)
                .map_err(|_| misshapen("adam.steps"))?,
        }
    } else {
        no_moments(parameters.len())
    };
    Ok(FieldState {
        parameters,
        adam,
        occupancy: floats("occupancy", take("occupancy")?)?,
        occupied: take("occupied")?,
        prior_weight: *floats("prior_weight", take("prior_weight")?)?
            .first()
            .ok_or_else(|| misshapen("prior_weight"))?,
    })
}

/// The arrays of a tetrahedral lattice.
#[must_use]
pub fn encode_tets(state: &TetState) -> Arrays {
    let codes = state.tets.as_flattened().iter().flat_map(|v| v.to_le_bytes()).collect();
    BTreeMap::from([
        ("tets.cells".to_owned(), state.cells.to_le_bytes().to_vec()),
        ("tets.codes".to_owned(), codes),
        ("tets.base".to_owned(), bytes_of(state.base.as_flattened())),
        ("tets.mask".to_owned(), bytes_of(&state.mask)),
        ("tets.change".to_owned(), bytes_of(state.change.as_flattened())),
        ("tets.adam.mean".to_owned(), bytes_of(&state.adam.mean)),
        ("tets.adam.variance".to_owned(), bytes_of(&state.adam.variance)),
        ("tets.adam.steps".to_owned(), state.adam.steps.to_le_bytes().to_vec()),
    ])
}

/// The lattice of arrays that [`encode_tets`] made, maybe [`without_moments`]; takes them out.
///
/// # Errors
/// [`StageError::Checkpoint`] naming a missing or misshapen array.
pub fn decode_tets(arrays: &mut Arrays) -> Result<TetState, StageError> {
    let has_moments = TET_MOMENTS.iter().any(|name| arrays.contains_key(*name));
    let mut words = |name: &str| -> Result<Vec<[u8; 4]>, StageError> {
        let bytes = arrays
            .remove(name)
            .ok_or_else(|| StageError::Checkpoint(format!("'{name}' is missing")))?;
        match bytes.as_chunks::<4>() {
            (chunks, []) => Ok(chunks.to_vec()),
            _ => Err(misshapen(name)),
        }
    };
    let floats =
        |words: Vec<[u8; 4]>| -> Vec<f32> { words.into_iter().map(f32::from_le_bytes).collect() };
    let whole =
        |words: Vec<[u8; 4]>| -> Vec<u32> { words.into_iter().map(u32::from_le_bytes).collect() };
    let fours = |name: &str, values: Vec<f32>| match values.as_chunks::<4>() {
        (chunks, []) => Ok(chunks.to_vec()),
        _ => Err(misshapen(name)),
    };
    let cells = whole(words("tets.cells")?);
    let codes = whole(words("tets.codes")?);
    let (tets, []) = codes.as_chunks::<4>() else { return Err(misshapen("tets.codes")) };
    let &[cells] = cells.as_slice() else { return Err(misshapen("tets.cells")) };
    let change = fours("tets.change", floats(words("tets.change")?))?;
    let adam = if has_moments {
        let steps = whole(words("tets.adam.steps")?);
        let &[low, high] = steps.as_slice() else { return Err(misshapen("tets.adam.steps")) };
        AdamState {
            mean: floats(words("tets.adam.mean")?),
            variance: floats(words("tets.adam.variance")?),
            steps: u64::from(low) | u64::from(high) << 32,
        }
    } else {
        no_moments(change.as_flattened().len())
    };
    Ok(TetState {
        cells,
        tets: tets.to_vec(),
        base: fours("tets.base", floats(words("tets.base")?))?,
        mask: floats(words("tets.mask")?),
        change,
        adam,
    })
}

/// Numbers as an array.
pub(super) fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The numbers of an array, if it holds whole ones.
pub(super) fn floats_of(bytes: &[u8]) -> Option<Vec<f32>> {
    let (chunks, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| chunks.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

/// An optimiser that has taken no step.
fn no_moments(parameters: usize) -> AdamState {
    AdamState { mean: vec![0.0; parameters], variance: vec![0.0; parameters], steps: 0 }
}

fn misshapen(name: &str) -> StageError {
    StageError::Checkpoint(format!("'{name}' has a wrong length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field() -> FieldState {
        FieldState {
            parameters: vec![1.5, -2.0],
            adam: AdamState { mean: vec![0.1], variance: vec![0.2], steps: 7 },
            occupancy: vec![3.0],
            occupied: vec![1, 2, 3, 4],
            prior_weight: 0.5,
        }
    }

    fn lattice() -> TetState {
        TetState {
            cells: 16,
            tets: vec![[1, 2, 3, 4]],
            base: vec![[0.5; 4]; 4],
            mask: vec![1.0; 4],
            change: vec![[-0.25; 4]; 4],
            adam: AdamState { mean: vec![0.1; 16], variance: vec![0.2; 16], steps: 1 << 40 },
        }
    }

    #[test]
    fn round_trips_and_names_what_is_wrong() {
        let state = field();
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

    #[test]
    fn lattices_round_trip_and_name_what_is_wrong() {
        let state = lattice();
        assert_eq!(decode_tets(&mut encode_tets(&state)).unwrap(), state);
        for name in encode_tets(&state).keys() {
            let mut arrays = encode_tets(&state);
            arrays.remove(name);
            assert!(decode_tets(&mut arrays).unwrap_err().to_string().contains(name.as_str()));
            let mut arrays = encode_tets(&state);
            arrays.insert(name.clone(), vec![1, 2, 3]);
            let error = decode_tets(&mut arrays).unwrap_err().to_string();
            assert!(error.contains(name.as_str()), "{name}: {error}");
        }
    }

    #[test]
    fn a_finished_state_has_an_optimiser_that_took_no_step() {
        let mut arrays = encode(&field());
        arrays.extend(encode_tets(&lattice()));
        let change = encode(&field()).into_iter();
        arrays.extend(change.map(|(name, array)| (format!("change.jaw.{name}"), array)));
        let mut arrays = without_moments(arrays);
        assert!(!arrays.keys().any(|name| name.contains("adam")), "{:?}", arrays.keys());
        let tets = decode_tets(&mut arrays).unwrap();
        assert_eq!(tets, TetState { adam: no_moments(16), ..lattice() });
        assert_eq!(decode(arrays).unwrap(), FieldState { adam: no_moments(2), ..field() });
    }
}
