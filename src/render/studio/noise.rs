//! Smooth deterministic noise over space, for blotches, strands and grain.

pub(super) use crate::geometry::smoothstep as step;
use glam::{IVec3, Vec3};

fn hash(cell: IVec3, seed: u32) -> f32 {
    let mut h = (cell.x as u32)
        .wrapping_mul(0x8da6_b343)
        .wrapping_add((cell.y as u32).wrapping_mul(0xd816_3841))
        .wrapping_add((cell.z as u32).wrapping_mul(0xcb1a_b31f))
        .wrapping_add(seed.wrapping_mul(0x9e37_79b9));
    h ^= h >> 16;
    h = h.wrapping_mul(0x7feb_352d);
    h ^= h >> 15;
    h = h.wrapping_mul(0x846c_a68b);
    h ^= h >> 16;
    (h >> 8) as f32 / 8_388_608.0 - 1.0
}

/// Value noise in `[-1, 1]`, smooth, with one feature per unit of `p`.
#[must_use]
pub(super) fn noise(p: Vec3, seed: u32) -> f32 {
    let floor = p.floor();
    let cell = floor.as_ivec3();
    let f = p - floor;
    let f = f * f * (Vec3::splat(3.0) - 2.0 * f);
    let mut total = 0.0;
    for corner in 0..8 {
        let offset = IVec3::new(corner & 1, (corner >> 1) & 1, (corner >> 2) & 1);
        let pick = |o: i32, t: f32| if o == 1 { t } else { 1.0 - t };
        let weight = pick(offset.x, f.x) * pick(offset.y, f.y) * pick(offset.z, f.z);
        total += weight * hash(cell + offset, seed);
    }
    total
}

/// Two octaves of [`noise`].
#[must_use]
pub(super) fn fractal(p: Vec3, seed: u32) -> f32 {
    (noise(p, seed) + 0.5 * noise(p * 2.1 + Vec3::splat(7.3), seed.wrapping_add(1))) / 1.5
}

/// Piecewise linear interpolation through `knots` (ascending in x), clamped at the ends.
#[must_use]
pub(super) fn interpolate(knots: &[(f32, f32)], x: f32) -> f32 {
    let Some(&(first_x, first_y)) = knots.first() else { return 0.0 };
    if x <= first_x {
        return first_y;
    }
    for pair in knots.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x <= x1 {
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
        }
    }
    knots[knots.len() - 1].1
}
