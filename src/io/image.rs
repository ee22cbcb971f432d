//! Pictures on disk.

use super::{ExportError, write_file};
use crate::batch::ImageBatch;
use ::image::codecs::jpeg::JpegEncoder;
use ::image::codecs::png::{CompressionType, FilterType, PngEncoder};
use ::image::codecs::webp::WebPEncoder;
use ::image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use std::path::Path;

/// The views of a batch as 8-bit pictures: three or more channels give their first
/// three, one or two channels a grey picture of the first.
#[must_use]
pub fn pictures(batch: &ImageBatch) -> Vec<RgbImage> {
    (0..batch.views)
        .map(|view| {
            let data = batch.view(view);
            RgbImage::from_fn(batch.width as u32, batch.height as u32, |x, y| {
                let at = (y as usize * batch.width + x as usize) * batch.channels;
                let value = |c: usize| {
                    let c = if batch.channels < 3 { 0 } else { c };
                    (data[at + c].clamp(0.0, 1.0) * 255.0).round() as u8
                };
                Rgb([value(0), value(1), value(2)])
            })
        })
        .collect()
}

/// Pictures of one size side by side.
///
/// # Errors
/// [`ExportError::Invalid`] without pictures or for different sizes.
pub fn row(pictures: &[RgbImage]) -> Result<RgbImage, ExportError> {
    let first = pictures.first().ok_or(ExportError::Invalid("a row needs at least one picture"))?;
    let (width, height) = first.dimensions();
    if pictures.iter().any(|p| p.dimensions() != (width, height)) {
        return Err(ExportError::Invalid("the pictures of a row must have one size"));
    }
    Ok(RgbImage::from_fn(width * pictures.len() as u32, height, |x, y| {
        *pictures[(x / width) as usize].get_pixel(x % width, y)
    }))
}

/// Pictures of one size below one another.
///
/// # Errors
/// [`ExportError::Invalid`] without pictures or for different sizes.
pub fn column(pictures: &[RgbImage]) -> Result<RgbImage, ExportError> {
    let first =
        pictures.first().ok_or(ExportError::Invalid("a column needs at least one picture"))?;
    let (width, height) = first.dimensions();
    if pictures.iter().any(|p| p.dimensions() != (width, height)) {
        return Err(ExportError::Invalid("the pictures of a column must have one size"));
    }
    Ok(RgbImage::from_fn(width, height * pictures.len() as u32, |x, y| {
        *pictures[(y / height) as usize].get_pixel(x, y % height)
    }))
}

/// Encodes a picture as PNG; the same picture always gives the same bytes.
///
/// # Errors
/// [`ExportError::Encode`].
pub fn encode_png(picture: &RgbImage) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    encode(encoder, picture, "a PNG picture")?;
    Ok(bytes)
}

/// The most pixels along a side of a texture.
pub const LARGEST: u32 = 8192;

/// Decodes a PNG picture of at most `most` pixels along a side.
///
/// # Errors
/// [`ExportError::Decode`] with the decoder's words.
pub fn decode_png(bytes: &[u8], most: u32) -> Result<::image::DynamicImage, ExportError> {
    let mut reader = ::image::ImageReader::new(std::io::Cursor::new(bytes));
    reader.set_format(::image::ImageFormat::Png);
    let mut limits = ::image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(most), Some(most));
    reader.limits(limits);
    reader.decode().map_err(|error| ExportError::Decode(error.to_string()))
}

/// Writes a picture in the format that the file name says: `.png`, `.webp` (both
/// lossless) or `.jpg` (quality 92).
///
/// # Errors
/// [`ExportError::Format`] for other names, [`ExportError::Encode`] and
/// [`ExportError::Write`].
pub fn write_image(path: &Path, picture: &RgbImage) -> Result<(), ExportError> {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let mut bytes = Vec::new();
    match extension.as_deref() {
        Some("png") => bytes = encode_png(picture)?,
        Some("webp") => {
            encode(WebPEncoder::new_lossless(&mut bytes), picture, "a WebP picture")?;
        }
        Some("jpg" | "jpeg") => {
            encode(JpegEncoder::new_with_quality(&mut bytes, 92), picture, "a JPEG picture")?;
        }
        _ => return Err(ExportError::Format(path.to_owned())),
    }
    write_file(path, &bytes)
}

fn encode(
    encoder: impl ImageEncoder,
    picture: &RgbImage,
    what: &'static str,
) -> Result<(), ExportError> {
    encoder
        .write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .map_err(|error| ExportError::Encode { what, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> ImageBatch {
        let data = (0..2 * 4 * 6 * 3).map(|i| i as f32 / 143.0).collect();
        ImageBatch { views: 2, height: 4, width: 6, channels: 3, data }
    }

    #[test]
    fn files_read_back_as_they_were() {
        let dir = tempfile::tempdir().expect("a folder");
        let row = row(&pictures(&batch())).expect("equal sizes");
        assert_eq!(row.dimensions(), (12, 4));
        assert_eq!(row.get_pixel(6, 0).0[0], (72.0f32 / 143.0 * 255.0).round() as u8);
        for name in ["a.png", "b.webp", "c.JPG"] {
            let path = dir.path().join(name);
            write_image(&path, &row).expect("written");
            let back = ::image::open(&path).expect("readable").to_rgb8();
            assert_eq!(back.dimensions(), row.dimensions());
            if name != "c.JPG" {
                assert_eq!(back, row);
            }
        }
        // Nothing but the three files is left.
        assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 3);
    }

    #[test]
    fn failures_name_the_file() {
        let row = row(&pictures(&batch())).expect("equal sizes");
        let bad = write_image(Path::new("/nowhere/at/all.png"), &row).expect_err("no folder");
        assert!(bad.to_string().starts_with("cannot write /nowhere/at/all.png: "));
        let bad = write_image(Path::new("picture.tiff"), &row).expect_err("no such format");
        assert!(bad.to_string().contains("picture.tiff"));
        assert!(super::row(&[]).is_err());
    }

    #[test]
    fn one_channel_is_grey() {
        let grey = ImageBatch::filled(1, 2, 2, 1, 0.4);
        assert!(pictures(&grey)[0].pixels().all(|p| p.0 == [102; 3]));
    }
}
