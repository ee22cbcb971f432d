//! Pictures of heads before and after, for people to look at.

use crate::eval::{EvalError, Lens};
use crate::geometry::TexturedMesh;
use crate::io::turntable;
use crate::session::SessionError;
use std::path::Path;

/// The folder of sheets within that of the results.
const FOLDER: &str = "sheets";

/// Writes eight views of the head before above eight of the head after, and returns the file's
/// place within `results`, the results' folder.
///
/// # Errors
/// [`EvalError`] naming the file if it cannot be written.
pub fn write(
    lens: &Lens,
    results: &Path,
    name: &str,
    before: &TexturedMesh,
    after: &TexturedMesh,
) -> Result<String, EvalError> {
    let folder = results.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(EvalError::file(&folder))?;
    let place = format!("{FOLDER}/{name}.png");
    let rows = [lens.strip(before)?, lens.strip(after)?];
    turntable::write_strips(&results.join(&place), &rows).map_err(SessionError::from)?;
    Ok(place)
}
