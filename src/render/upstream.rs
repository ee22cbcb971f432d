//! Gradients of pictures as the kernels read them.

use super::RenderError;

/// One vector a pixel: the gradients of its three colours and of its opacity (0 without any).
///
/// # Errors
/// [`RenderError::Invalid`] for lengths that do not fit so many pixels, and
/// [`RenderError::Numerical`] for values that are not finite.
pub(super) fn interleave(
    pixels: usize,
    d_color: &[f32],
    d_opacity: Option<&[f32]>,
) -> Result<Vec<[f32; 4]>, RenderError> {
    if d_color.len() != 3 * pixels || d_opacity.is_some_and(|d| d.len() != pixels) {
        return Err(RenderError::Invalid(format!(
            "gradients of {} colour and {} opacity values do not fit {pixels} pixels",
            d_color.len(),
            d_opacity.map_or(0, <[f32]>::len)
        )));
    }
    let upstream: Vec<[f32; 4]> = d_color
        .chunks_exact(3)
        .enumerate()
        .map(|(i, c)| [c[0], c[1], c[2], d_opacity.map_or(0.0, |d| d[i])])
        .collect();
    match upstream.iter().position(|u| u.iter().any(|v| !v.is_finite())) {
        Some(i) => Err(RenderError::Numerical {
            place: "picture gradient",
            what: format!("pixel {i} is not finite"),
        }),
        None => Ok(upstream),
    }
}
