//! What a checkpoint holds of a mesh's colours: the field below, and the local changes over it.

use super::StageError;
use super::state::{self, Arrays};
use crate::render::GpuContext;
use crate::render::field::{Field, FieldConfig, GridConfig, MlpConfig, PriorConfig, PriorGrid};
use crate::render::mask::Mask;
use crate::render::texture::{LocalChange, Texture};

/// The array that names the changes, a line each, lowest first.
const NAMES: &str = "changes";
/// A change's array of mask weights.
const MASK: &str = "mask";

/// A field for colours alone.
pub(super) fn blank(gpu: &GpuContext, config: FieldConfig) -> Result<Field, StageError> {
    let nowhere = PriorGrid::from_distance(2, |_| 1.0)?;
    Ok(Field::new(gpu, config, &nowhere, 0)?)
}

/// The field of a local change over one with these settings: no network, nothing in it yet.
#[must_use]
pub(super) fn change_config(below: &FieldConfig) -> FieldConfig {
    let mut config = below.clone();
    if !below.is_plain() {
        config.grid = GridConfig {
            levels: 2,
            features: 4,
            base_resolution: 96,
            finest_resolution: 320,
            log2_table: 20,
            smoothstep: false,
            init_range: 0.0,
        };
        config.mlp = MlpConfig { hidden_width: 0, hidden_layers: 0, train: false };
    }
    config.grid.init_range = 0.0;
    config.prior = PriorConfig::None;
    config
}

/// The arrays of a texture.
pub(super) fn save(texture: &mut Texture) -> Result<Arrays, StageError> {
    let mut arrays = state::encode(&texture.base().state()?);
    let names: Vec<&str> = texture.changes().iter().map(LocalChange::name).collect();
    if !names.is_empty() {
        arrays.insert(NAMES.into(), names.join("\n").into_bytes());
    }
    for change in texture.changes() {
        let own = state::encode(&change.field().state()?);
        let mask = state::bytes_of(change.mask().weights());
        for (name, array) in own.into_iter().chain([(MASK.to_owned(), mask)]) {
            arrays.insert(prefix(change.name()) + &name, array);
        }
    }
    Ok(arrays)
}

/// The texture of arrays that [`save`] made; `config` are the settings of the field below.
///
/// # Errors
/// [`StageError::Checkpoint`] naming a missing or misshapen array, [`StageError::Render`].
pub(super) fn restore(
    gpu: &GpuContext,
    config: &FieldConfig,
    mut arrays: Arrays,
) -> Result<Texture, StageError> {
    let misshapen = |name: &str| StageError::Checkpoint(format!("'{name}' is misshapen"));
    let names = String::from_utf8(arrays.remove(NAMES).unwrap_or_default())
        .map_err(|_| misshapen(NAMES))?;
    let mut changes = Vec::new();
    for name in names.lines() {
        let start = prefix(name);
        let mut own = Arrays::new();
        let of_change: Vec<String> =
            arrays.keys().filter(|key| key.starts_with(&start)).cloned().collect();
        for key in of_change {
            if let Some(array) = arrays.remove(&key) {
                own.insert(key[start.len()..].to_owned(), array);
            }
        }
        let whole = start.clone() + MASK;
        let weights = own.remove(MASK).and_then(|bytes| state::floats_of(&bytes));
        let weights = weights.ok_or_else(|| misshapen(&whole))?;
        let side = (weights.len() as f64).cbrt().round() as usize;
        let mask = Mask::new(side, weights).map_err(|_| misshapen(&whole))?;
        let mut field = blank(gpu, change_config(config))?;
        field.restore(&state::decode(own)?)?;
        changes.push((name.to_owned(), mask, field));
    }
    let mut base = blank(gpu, config.clone())?;
    base.restore(&state::decode(arrays)?)?;
    let mut texture = Texture::new(gpu, base);
    for (name, mask, field) in changes {
        texture.add(&name, mask, field)?;
    }
    Ok(texture)
}

/// How the names of a change's arrays begin.
fn prefix(name: &str) -> String {
    format!("change.{name}.")
}
