//! Packing rectangles into a rectangle, row by row.

use crate::geometry::GeometryError;
use glam::Vec2;

/// Where each rectangle lies, and at which scale all of them fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Shelves {
    /// Texels along one unit of the rectangles' sizes.
    pub scale: f32,
    /// Top left corner of each rectangle, texels.
    pub corners: Vec<Vec2>,
}

/// Packs rectangles of the given sizes (any unit) into a space of texels, at the largest
/// scale at which they fit with `gap` texels between them.
///
/// # Errors
/// [`GeometryError::Atlas`] if they do not fit at any useful scale.
pub fn pack(sizes: &[Vec2], space: Vec2, gap: f32) -> Result<Shelves, GeometryError> {
    let widest = sizes.iter().map(|s| (*s / space).max_element()).fold(1e-9, f32::max);
    let mut scale = 1.0 / widest;
    for _ in 0..200 {
        if let Some(corners) = place(sizes, scale, space, gap) {
            return Ok(Shelves { scale, corners });
        }
        scale *= 0.96;
    }
    Err(GeometryError::Atlas {
        charts: sizes.len(),
        size: space.max_element() as u32,
        padding: gap as u32,
    })
}

fn place(sizes: &[Vec2], scale: f32, space: Vec2, gap: f32) -> Option<Vec<Vec2>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[b].y.total_cmp(&sizes[a].y).then(a.cmp(&b)));
    let mut corners = vec![Vec2::ZERO; sizes.len()];
    let (mut x, mut y, mut tall) = (gap, gap, 0.0_f32);
    for i in order {
        let needed = sizes[i] * scale + gap;
        if x + needed.x > space.x {
            (x, y, tall) = (gap, y + tall, 0.0);
        }
        if x + needed.x > space.x || y + needed.y > space.y {
            return None;
        }
        corners[i] = Vec2::new(x, y);
        x += needed.x;
        tall = tall.max(needed.y);
    }
    Some(corners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_keep_their_distance_and_use_the_square() {
        let sizes: Vec<Vec2> = (0..40)
            .map(|i| Vec2::new(0.1 + 0.02 * (i % 7) as f32, 0.05 * (1 + i % 5) as f32))
            .collect();
        let found = pack(&sizes, Vec2::splat(512.0), 4.0).unwrap();
        let area: f32 = sizes.iter().map(|s| s.x * s.y).sum::<f32>() * found.scale * found.scale;
        assert!(area > 0.55 * 512.0 * 512.0, "{area}");
        for i in 0..sizes.len() {
            let (low, high) = (found.corners[i], found.corners[i] + sizes[i] * found.scale);
            assert!(low.min_element() >= 4.0 - 1e-3 && high.max_element() <= 508.001);
            for (j, size) in sizes[..i].iter().enumerate() {
                let (l, h) = (found.corners[j], found.corners[j] + *size * found.scale);
                let apart = (l - high).max(low - h).max_element();
                assert!(apart >= 4.0 - 1e-2, "{i} and {j}: {apart}");
            }
        }
        assert!(pack(&[Vec2::ONE; 5], Vec2::splat(8.0), 4.0).is_err());
    }
}
