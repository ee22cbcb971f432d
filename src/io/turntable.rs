//! The head seen from all sides: a strip of pictures and an animation.

use super::{ExportError, image as pictures, write_file};
use ::image::RgbImage;
use std::path::Path;
use webp_animation::{Encoder, EncoderOptions, EncodingConfig};

/// Lossy qualities that are tried from the best down until the animation is small enough.
const QUALITIES: [f32; 5] = [85.0, 70.0, 55.0, 40.0, 25.0];

/// Writes pictures side by side (`turntable.png`).
///
/// # Errors
/// As [`pictures::row`] and [`pictures::write_image`].
pub fn write_strip(path: &Path, frames: &[RgbImage]) -> Result<(), ExportError> {
    pictures::write_image(path, &pictures::row(frames)?)
}

/// Writes strips of one size below one another: the head before an edit and after it.
///
/// # Errors
/// As [`pictures::row`], [`pictures::column`] and [`pictures::write_image`].
pub fn write_strips(path: &Path, strips: &[Vec<RgbImage>]) -> Result<(), ExportError> {
    let rows: Vec<RgbImage> =
        strips.iter().map(|frames| pictures::row(frames)).collect::<Result<_, _>>()?;
    pictures::write_image(path, &pictures::column(&rows)?)
}

/// Encodes frames as an endless WebP animation of at most `limit` bytes.
///
/// # Errors
/// [`ExportError::Invalid`] without frames, for different sizes or a frame time of 0;
/// [`ExportError::TooLarge`] if even the lowest quality exceeds the limit.
pub fn encode_animation(
    frames: &[RgbImage],
    milliseconds: u16,
    limit: usize,
) -> Result<Vec<u8>, ExportError> {
    let first =
        frames.first().ok_or(ExportError::Invalid("an animation needs at least one frame"))?;
    if frames.iter().any(|f| f.dimensions() != first.dimensions()) {
        return Err(ExportError::Invalid("the frames of an animation must have one size"));
    }
    if milliseconds == 0 {
        return Err(ExportError::Invalid("a frame must last at least one millisecond"));
    }
    let mut smallest = 0;
    for quality in QUALITIES {
        let bytes = encode(frames, milliseconds, quality).map_err(|error| ExportError::Encode {
            what: "the WebP animation",
            reason: error.to_string(),
        })?;
        if bytes.len() <= limit {
            return Ok(bytes);
        }
        smallest = bytes.len();
    }
    Err(ExportError::TooLarge { what: "the WebP animation", actual: smallest, limit })
}

/// Writes an animation (`preview.webp`) of at most `limit` bytes.
///
/// # Errors
/// As [`encode_animation`] and [`write_file`].
pub fn write_animation(
    path: &Path,
    frames: &[RgbImage],
    milliseconds: u16,
    limit: usize,
) -> Result<(), ExportError> {
    write_file(path, &encode_animation(frames, milliseconds, limit)?)
}

fn encode(
    frames: &[RgbImage],
    milliseconds: u16,
    quality: f32,
) -> Result<Vec<u8>, webp_animation::Error> {
    let options = EncoderOptions {
        encoding_config: Some(EncodingConfig::new_lossy(quality)),
        ..EncoderOptions::default()
    };
    let mut encoder = Encoder::new_with_options(frames[0].dimensions(), options)?;
    let mut time = 0;
    for frame in frames {
        let rgba: Vec<u8> = frame.pixels().flat_map(|p| [p.0[0], p.0[1], p.0[2], 255]).collect();
        encoder.add_frame(&rgba, time)?;
        time += i32::from(milliseconds);
    }
    Ok(encoder.finalize(time)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::image::Rgb;

    /// A bright square that moves over a gradient.
    fn frames(count: u32, size: u32) -> Vec<RgbImage> {
        (0..count)
            .map(|i| {
                RgbImage::from_fn(size, size, |x, y| {
                    let at = (i * size / count, size / 3);
                    let inside = (at.0..at.0 + 12).contains(&x) && (at.1..at.1 + 12).contains(&y);
                    if inside { Rgb([250, 200, 40]) } else { Rgb([x as u8, y as u8, 90]) }
                })
            })
            .collect()
    }

    #[test]
    fn animations_decode_frame_by_frame() {
        let frames = frames(24, 96);
        let bytes = encode_animation(&frames, 80, 1_000_000).expect("fits");
        assert_eq!(bytes, encode_animation(&frames, 80, 1_000_000).expect("fits"));
        let decoder = webp_animation::Decoder::new(&bytes).expect("a WebP file");
        assert_eq!(decoder.dimensions(), (96, 96));
        let decoded: Vec<_> = decoder.into_iter().collect();
        assert_eq!(decoded.len(), 24);
        for (i, (frame, want)) in decoded.iter().zip(&frames).enumerate() {
            assert_eq!(frame.timestamp(), 80 * (i as i32 + 1));
            let error: f64 = frame
                .data()
                .chunks_exact(4)
                .zip(want.pixels())
                .flat_map(|(a, b)| (0..3).map(move |c| f64::from(a[c].abs_diff(b.0[c]))))
                .sum();
            assert!(error / (96.0 * 96.0 * 3.0) < 6.0, "frame {i}: {error}");
        }
    }

    #[test]
    fn strips_lie_below_one_another() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("sheet.png");
        let (first, second) = (frames(3, 8), frames(3, 8).into_iter().rev().collect());
        write_strips(&path, &[first.clone(), second]).expect("written");
        let sheet = ::image::open(&path).expect("a picture").to_rgb8();
        assert_eq!(sheet.dimensions(), (24, 16));
        assert_eq!(sheet.get_pixel(17, 3), first[2].get_pixel(1, 3));
        assert_eq!(sheet.get_pixel(1, 11), first[2].get_pixel(1, 3));
        assert!(write_strips(&path, &[first, frames(2, 8)]).is_err());
    }

    #[test]
    fn the_limit_lowers_the_quality_then_fails() {
        let frames = frames(6, 64);
        let best = encode_animation(&frames, 80, usize::MAX).expect("any size").len();
        let less = encode_animation(&frames, 80, best - 1).expect("a lower quality").len();
        assert!(less < best);
        let none = encode_animation(&frames, 80, 200);
        assert!(matches!(none, Err(ExportError::TooLarge { limit: 200, .. })));
        assert!(encode_animation(&[], 80, 200).is_err());
        assert!(encode_animation(&frames, 0, 1_000_000).is_err());
    }
}
