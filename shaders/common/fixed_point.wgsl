// Fixed-point accumulation: 64-bit sums in two 32-bit limbs. A level's scale is the
// power of two that brings its largest contribution to 2^29..2^30, so a sum of fewer
// than 2^33 contributions cannot overflow and does not depend on their order. The low
// limb starts at 2^31: sums that change sign do not touch the high limb.

const LOW_START: u32 = 0x80000000u;

// Exponent of the scale for a level whose largest magnitude has these bits.
fn scale_exponent(maximum: u32) -> i32 {
    return min(29 - (i32(maximum >> 23u) - 127), 126);
}

fn power_of_two(exponent: i32) -> f32 {
    return bitcast<f32>(u32(exponent + 127) << 23u);
}
