//! Smaller copies of a texture, for surfaces that are far away.

use image::RgbaImage;
use std::sync::LazyLock;

/// Smallest side of the smallest copy: in smaller ones the charts of a head's texture would
/// run into each other.
const LEAST_SIDE: u32 = 32;

/// Encoded values to linear light, 0..=65535.
static LINEAR: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|value| {
        let c = value as f32 / 255.0;
        let linear = if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        (linear * 65535.0).round() as u32
    })
});

/// Linear light, in steps of 8 of [`LINEAR`], to encoded values.
static ENCODED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..8192)
        .map(|step| {
            let c = step as f32 / 8191.0;
            let encoded =
                if c <= 0.003_130_8 { c * 12.92 } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
            (encoded * 255.0).round() as u8
        })
        .collect()
});

/// The copies of an sRGB-encoded texture, each half as wide and high as the one before and
/// averaged in linear light; the texture itself is not among them.
pub(super) fn smaller_copies(image: &RgbaImage) -> Vec<RgbaImage> {
    let mut copies: Vec<RgbaImage> = Vec::new();
    loop {
        let last = copies.last().unwrap_or(image);
        if last.width().min(last.height()) / 2 < LEAST_SIDE {
            return copies;
        }
        let next = halved(last);
        copies.push(next);
    }
}

fn halved(image: &RgbaImage) -> RgbaImage {
    let (width, height) = (image.width() / 2, image.height() / 2);
    let row = image.width() as usize * 4;
    let mut small = Vec::with_capacity((width * height * 4) as usize);
    let (linear, encoded) = (&*LINEAR, &*ENCODED);
    for pair in image.as_raw().chunks_exact(2 * row) {
        let (above, below) = pair.split_at(row);
        for (a, b) in above.chunks_exact(8).zip(below.chunks_exact(8)) {
            for c in 0..3 {
                let sum = [a[c], a[c + 4], b[c], b[c + 4]]
                    .iter()
                    .map(|v| linear[*v as usize])
                    .sum::<u32>();
                small.push(encoded[(sum / 32).min(8191) as usize]);
            }
            let alpha = [a[3], a[7], b[3], b[7]].iter().map(|v| u32::from(*v)).sum::<u32>();
            small.push((alpha / 4) as u8);
        }
    }
    RgbaImage::from_raw(width, height, small).unwrap_or_else(|| RgbaImage::new(width, height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    #[test]
    fn one_colour_stays_and_light_is_averaged() {
        for value in [0, 1, 9, 37, 128, 200, 254, 255] {
            let flat = RgbaImage::from_pixel(128, 64, Rgba([value, 0, 255, 255]));
            let copies = smaller_copies(&flat);
            assert_eq!(copies.len(), 1);
            assert_eq!(copies[0].dimensions(), (64, 32));
            for pixel in copies[0].pixels() {
                assert!(pixel.0[0].abs_diff(value) <= 1, "{value} {pixel:?}");
                assert_eq!(pixel.0[1..], [0, 255, 255]);
            }
        }
        // Half the light of white is 188 when encoded.
        let stripes = RgbaImage::from_fn(64, 64, |x, _| Rgba([255 * (x % 2) as u8, 0, 0, 255]));
        assert!(smaller_copies(&stripes)[0].get_pixel(3, 3).0[0].abs_diff(188) <= 1);
    }

    #[test]
    fn odd_and_small_textures_are_no_trouble() {
        let sizes = |w, h| -> Vec<(u32, u32)> {
            smaller_copies(&RgbaImage::new(w, h)).iter().map(RgbaImage::dimensions).collect()
        };
        assert_eq!(sizes(257, 131), [(128, 65), (64, 32)]);
        assert_eq!(sizes(63, 4096), []);
        assert_eq!(sizes(1, 1), []);
    }
}
