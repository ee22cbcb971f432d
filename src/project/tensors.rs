//! Tensors of a version's files.

use safetensors::{Dtype, SafeTensors};

/// A tensor's 32-bit words; its dtype is checked, its shape by whoever assembles them.
///
/// # Errors
/// What is wrong, with the tensor's name.
pub(super) fn words(file: &SafeTensors<'_>, name: &str, dtype: Dtype) -> Result<Vec<u32>, String> {
    let view = file.tensor(name).map_err(|error| format!("{name}: {error}"))?;
    if view.dtype() != dtype {
        return Err(format!("{name} is {:?}, expected {dtype:?}", view.dtype()));
    }
    let chunks = view.data().as_chunks::<4>().0;
    Ok(chunks.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
}
