//! Textures at another size than they were baked at.

use image::RgbaImage;
use image::imageops::{self, FilterType};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Sides that a texture can be given, pixels.
pub const TEXTURE_SIZES: RangeInclusive<u32> = 64..=4096;

/// A texture with that many pixels a side; the one that has them already stays as it is, bit
/// for bit. A larger one holds no more detail than before. `side` must not be 0.
#[must_use]
pub fn resized(albedo: &RgbaImage, side: u32) -> Cow<'_, RgbaImage> {
    if albedo.dimensions() == (side, side) {
        return Cow::Borrowed(albedo);
    }
    // A cubic's negative lobes would draw rims round the charts when it shrinks them.
    let shrinks = side < albedo.width().max(albedo.height());
    let filter = if shrinks { FilterType::Triangle } else { FilterType::CatmullRom };
    Cow::Owned(imageops::resize(albedo, side, side, filter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    #[test]
    fn sizes_change_and_colours_stay() {
        let ramp = RgbaImage::from_fn(96, 96, |x, y| Rgba([2 * x as u8, 2 * y as u8, 77, 255]));
        assert!(matches!(resized(&ramp, 96), Cow::Borrowed(same) if *same == ramp));
        for side in [64, 100, 192] {
            let other = resized(&ramp, side);
            assert_eq!(other.dimensions(), (side, side));
            for (x, y, pixel) in other.enumerate_pixels() {
                let at = |i: u32| 2.0 * ((i as f32 + 0.5) * 96.0 / side as f32 - 0.5);
                let inside = |i: u32| (4..side - 4).contains(&i);
                assert_eq!(pixel.0[2..], [77, 255]);
                if inside(x) && inside(y) {
                    assert!((f32::from(pixel.0[0]) - at(x)).abs() < 1.5, "{side} {x} {pixel:?}");
                    assert!((f32::from(pixel.0[1]) - at(y)).abs() < 1.5, "{side} {y} {pixel:?}");
                }
            }
        }
        // Single dots are averaged, not skipped.
        let dots = RgbaImage::from_fn(256, 256, |x, y| {
            Rgba([if (x + y) % 2 == 0 { 255 } else { 0 }, 0, 0, 255])
        });
        assert!(resized(&dots, 64).pixels().all(|p| p.0[0].abs_diff(127) < 8));
    }
}
