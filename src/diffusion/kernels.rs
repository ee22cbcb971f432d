//! Plain f32 loops over slices for the CPU: what the tensor library computes in
//! many passes over memory, these compute in one or two.
//!
//! Every output element is written by one thread and every sum runs in a fixed
//! order, so results do not depend on the number of threads.

use rayon::prelude::*;

/// `e^x` in f32, within 3e-7 relative; written so that loops over it vectorise.
#[inline]
#[must_use]
pub fn exp(x: f32) -> f32 {
    /// Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    // Taylor series on |r| <= ln 2 / 2.
    let p = 1.0 / 720.0 + r * (1.0 / 5040.0);
    let p = 1.0 / 24.0 + r * (1.0 / 120.0 + r * p);
    let p = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * p)));
    let exponent = shifted.to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

/// Error function, absolute error below 5e-7 (Abramowitz and Stegun 7.1.26).
#[inline]
#[must_use]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let p = -1.453_152_1 + t * 1.061_405_4;
    let p = t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * p)));
    (1.0 - p * exp(-a * a)).copysign(x)
}

/// Logistic function.
#[inline]
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `x * sigmoid(x)`.
#[inline]
#[must_use]
pub fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// GELU with the exact error function, not the tanh approximation.
#[inline]
#[must_use]
pub fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// CLIP's `x * sigmoid(1.702 x)`.
#[inline]
#[must_use]
pub fn quick_gelu(x: f32) -> f32 {
    x * sigmoid(1.702 * x)
}

/// Elements per parallel piece of an element-wise loop.
const PIECE: usize = 1 << 13;

/// Applies a function to each element.
pub fn map(values: &mut [f32], f: impl Fn(f32) -> f32 + Sync + Send) {
    values.par_chunks_mut(PIECE).for_each(|piece| piece.iter_mut().for_each(|v| *v = f(*v)));
}

/// Adds `bias` to every row of a matrix whose rows are as long as `bias`.
pub fn add_rows(values: &mut [f32], bias: &[f32]) {
    let rows = (PIECE / bias.len()).max(1);
    values.par_chunks_mut(rows * bias.len()).for_each(|piece| {
        for row in piece.chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
        }
    });
}

/// Adds `bias[plane]` to every value of each plane of `pixels` values.
pub fn add_planes(values: &mut [f32], bias: &[f32], pixels: usize) {
    let planes = values.par_chunks_mut(pixels).with_min_len((PIECE / pixels).max(1));
    planes.zip(bias).for_each(|(plane, b)| plane.iter_mut().for_each(|v| *v += b));
}

/// Softmax of each row of length `n`. With `causal = Some(period)` the rows repeat every `period`,
/// and row `i` of a period sees only its first `i + 1` entries.
pub fn softmax(values: &mut [f32], n: usize, causal: Option<usize>) {
    let per_piece = (PIECE / n).max(1);
    values.par_chunks_mut(per_piece * n).enumerate().for_each(|(piece, rows)| {
        for (i, row) in rows.chunks_exact_mut(n).enumerate() {
            let seen = causal.map_or(n, |period| (piece * per_piece + i) % period + 1);
            let (row, hidden) = row.split_at_mut(seen);
            let top = row.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            for v in row.iter_mut() {
                *v = exp(*v - top);
            }
            let scale = (1.0 / sum(row, |v| v)) as f32;
            for v in row.iter_mut() {
                *v *= scale;
            }
            hidden.fill(0.0);
        }
    });
}

/// `ds = p * (dp - sum(p * dp))` for each row of length `n`, in place of `dp`.
pub fn softmax_vjp(p: &[f32], dp: &mut [f32], n: usize) {
    dp.par_chunks_mut(n).zip(p.par_chunks(n)).for_each(|(dp, p)| {
        let dot = sum2(p, dp, |a, b| a * b) as f32;
        dp.iter_mut().zip(p).for_each(|(d, p)| *d = p * (*d - dot));
    });
}

/// Sum of `f` over a slice: eight f32 lanes over short runs, f64 across runs.
fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f64 {
    values
        .chunks(1024)
        .map(|run| {
            let mut lanes = [0f32; 8];
            let chunks = run.chunks_exact(8);
            let rest: f32 = chunks.remainder().iter().map(|&v| f(v)).sum();
            for chunk in chunks {
                lanes.iter_mut().zip(chunk).for_each(|(l, &v)| *l += f(v));
            }
            f64::from(lanes.iter().sum::<f32>() + rest)
        })
        .sum()
}

fn sum2(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f64 {
    a.chunks(1024)
        .zip(b.chunks(1024))
        .map(|(a, b)| {
            let mut lanes = [0f32; 8];
            let (ca, cb) = (a.chunks_exact(8), b.chunks_exact(8));
            let rest: f32 = ca.remainder().iter().zip(cb.remainder()).map(|(&x, &y)| f(x, y)).sum();
            for (x, y) in ca.zip(cb) {
                for ((l, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
                    *l += f(x, y);
                }
            }
            f64::from(lanes.iter().sum::<f32>() + rest)
        })
        .sum()
}

fn mean_and_scale(values: &[f32], epsilon: f64) -> (f32, f32) {
    let n = values.len() as f64;
    let mean = (sum(values, |v| v) / n) as f32;
    let variance = sum(values, |v| (v - mean) * (v - mean)) / n;
    (mean, (1.0 / (variance + epsilon).sqrt()) as f32)
}

/// How a group normalisation is shaped.
#[derive(Debug, Clone, Copy)]
pub struct Groups {
    /// Channels of the tensor.
    pub channels: usize,
    /// Number of groups; divides `channels`.
    pub count: usize,
    /// Values per channel and sample.
    pub pixels: usize,
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether `SiLU` follows.
    pub silu: bool,
}

/// Group normalisation of `[sample][channel][pixel]`, with `SiLU` after it on request.
pub fn group_norm(x: &[f32], weight: &[f32], bias: &[f32], g: Groups, out: &mut [f32]) {
    let per_group = g.channels / g.count;
    let size = per_group * g.pixels;
    out.par_chunks_mut(size).zip(x.par_chunks(size)).enumerate().for_each(|(i, (out, x))| {
        let (mean, scale) = mean_and_scale(x, g.epsilon);
        let first = (i % g.count) * per_group;
        let channels = out.chunks_exact_mut(g.pixels).zip(x.chunks_exact(g.pixels));
        for (c, (out, x)) in channels.enumerate() {
            let gain = weight[first + c] * scale;
            let offset = bias[first + c] - mean * gain;
            if g.silu {
                out.iter_mut().zip(x).for_each(|(o, &v)| *o = silu(v * gain + offset));
            } else {
                out.iter_mut().zip(x).for_each(|(o, &v)| *o = v * gain + offset);
            }
        }
    });
}

/// Vector-Jacobian product of [`group_norm`] with respect to `x`. `grad` holds the
/// output's cotangent on entry and the input's on return.
pub fn group_norm_vjp(x: &[f32], weight: &[f32], bias: &[f32], g: Groups, grad: &mut [f32]) {
    let per_group = g.channels / g.count;
    let size = per_group * g.pixels;
    grad.par_chunks_mut(size).zip(x.par_chunks(size)).enumerate().for_each(|(i, (grad, x))| {
        let (mean, scale) = mean_and_scale(x, g.epsilon);
        let first = (i % g.count) * per_group;
        let channels = grad.chunks_exact_mut(g.pixels).zip(x.chunks_exact(g.pixels));
        for (c, (grad, x)) in channels.enumerate() {
            let w = weight[first + c];
            let (gain, offset) = (w * scale, bias[first + c] - mean * w * scale);
            for (d, &v) in grad.iter_mut().zip(x) {
                if g.silu {
                    let y = v * gain + offset;
                    let s = sigmoid(y);
                    *d *= s * (1.0 + y * (1.0 - s));
                }
                *d *= w;
            }
        }
        let n = size as f64;
        let centre = (sum(grad, |d| d) / n) as f32;
        let slope = (sum2(grad, x, |d, v| d * (v - mean)) / n) as f32 * scale * scale;
        for (d, &v) in grad.iter_mut().zip(x) {
            *d = scale * (*d - centre - (v - mean) * slope);
        }
    });
}

/// Layer normalisation of each row.
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f64, out: &mut [f32]) {
    let n = weight.len();
    let rows = (PIECE / n).max(1) * n;
    out.par_chunks_mut(rows).zip(x.par_chunks(rows)).for_each(|(out, x)| {
        for (out, x) in out.chunks_exact_mut(n).zip(x.chunks_exact(n)) {
            let (mean, scale) = mean_and_scale(x, epsilon);
            for ((o, &v), (w, b)) in out.iter_mut().zip(x).zip(weight.iter().zip(bias)) {
                *o = (v - mean) * scale * w + b;
            }
        }
    });
}

/// Gated GELU: rows of `2 n` become rows of `n`, `first half * gelu(second half)`.
pub fn geglu(x: &[f32], n: usize, out: &mut [f32]) {
    let rows = (PIECE / n).max(1);
    out.par_chunks_mut(rows * n).zip(x.par_chunks(rows * 2 * n)).for_each(|(out, x)| {
        for (out, x) in out.chunks_exact_mut(n).zip(x.chunks_exact(2 * n)) {
            let (value, gate) = x.split_at(n);
            for ((o, &v), &g) in out.iter_mut().zip(value).zip(gate) {
                *o = v * gelu(g);
            }
        }
    });
}

/// Nearest-neighbour doubling of `[plane][height][width]`, cropped to `out_height x out_width`
/// (twice the input, or one less).
pub fn upsample(x: &[f32], (h, w): (usize, usize), (oh, ow): (usize, usize), out: &mut [f32]) {
    out.par_chunks_mut(oh * ow).zip(x.par_chunks(h * w)).for_each(|(out, x)| {
        for (y, row) in out.chunks_exact_mut(ow).enumerate() {
            let from = &x[(y / 2) * w..][..w];
            for (pair, v) in row.chunks_mut(2).zip(from) {
                pair.fill(*v);
            }
        }
    });
}

/// Geometry of a square convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Input channels.
    pub channels: usize,
    /// Input height and width.
    pub input: (usize, usize),
    /// Output height and width.
    pub output: (usize, usize),
    /// Kernel side.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Zero padding before the first row and column.
    pub before: usize,
}

/// Fills `out` (`[channel * k * k][rows * out_width]`) with the input patches of the output rows
/// `first_row..first_row + rows`, counted over all samples of `[sample][channel][y][x]`.
pub fn patches(x: &[f32], s: ConvShape, first_row: usize, rows: usize, out: &mut [f32]) {
    let (h, w) = s.input;
    let (oh, ow) = s.output;
    let k2 = s.kernel * s.kernel;
    out.par_chunks_mut(rows * ow).with_min_len((PIECE / (rows * ow)).max(1)).enumerate().for_each(
        |(i, line)| {
            let (c, ky, kx) = (i / k2, (i % k2) / s.kernel, i % s.kernel);
            // Output columns whose input column kx - before + stride * column is inside.
            let low = s.before.saturating_sub(kx).div_ceil(s.stride).min(ow);
            let high = match (w + s.before).checked_sub(kx + 1) {
                Some(last) => (last / s.stride + 1).clamp(low, ow),
                None => low,
            };
            for (r, row) in line.chunks_exact_mut(ow).enumerate() {
                let (sample, y) = ((first_row + r) / oh, (first_row + r) % oh);
                let from = (y * s.stride + ky).wrapping_sub(s.before);
                if from >= h || low == high {
                    row.fill(0.0);
                    continue;
                }
                let source = &x[((sample * s.channels + c) * h + from) * w..][..w];
                row[..low].fill(0.0);
                row[high..].fill(0.0);
                let start = low * s.stride + kx - s.before;
                if s.stride == 1 {
                    row[low..high].copy_from_slice(&source[start..start + high - low]);
                } else {
                    let picked = source[start..].iter().step_by(s.stride);
                    row[low..high].iter_mut().zip(picked).for_each(|(o, v)| *o = *v);
                }
            }
        },
    );
}

/// Copies `[out_channel][rows * out_width]` to its place in `[sample][out_channel][y][x]`, adding
/// `bias[sample * bias_stride + out_channel]`.
pub fn place(
    tile: &[f32],
    s: ConvShape,
    first_row: usize,
    bias: &[f32],
    bias_stride: usize,
    out_channels: usize,
    out: &mut [f32],
) {
    let (oh, ow) = s.output;
    let rows = tile.len() / (out_channels * ow);
    let samples = first_row / oh..(first_row + rows).div_ceil(oh);
    let plane = oh * ow;
    let touched =
        &mut out[samples.start * out_channels * plane..samples.end * out_channels * plane];
    touched.par_chunks_mut(plane).enumerate().for_each(|(i, plane)| {
        let (sample, o) = (samples.start + i / out_channels, i % out_channels);
        let b = if bias.is_empty() { 0.0 } else { bias[sample * bias_stride + o] };
        let from = first_row.max(sample * oh);
        let to = (first_row + rows).min((sample + 1) * oh);
        let source = &tile[(o * rows + from - first_row) * ow..][..(to - from) * ow];
        let target = &mut plane[(from - sample * oh) * ow..][..(to - from) * ow];
        target.iter_mut().zip(source).for_each(|(t, v)| *t = v + b);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_error_function_are_accurate() {
        for i in -8700..8800 {
            let x = i as f32 * 0.01;
            let want = f64::from(x).exp();
            assert!(((f64::from(exp(x)) - want) / want).abs() < 3e-7, "exp({x})");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1e30) < 1e-37 && exp(-1e30) >= 0.0);
        // Values of the error function from its tables.
        for (x, want) in [
            (0.0, 0.0),
            (0.1, 0.112_462_916),
            (0.5, 0.520_499_878),
            (1.0, 0.842_700_793),
            (1.5, 0.966_105_146),
            (2.0, 0.995_322_265),
            (3.0, 0.999_977_910),
            (6.0, 1.0),
        ] {
            assert!((f64::from(erf(x)) - want).abs() < 5e-7, "erf({x}) = {}", erf(x));
            assert!((f64::from(erf(-x)) + want).abs() < 5e-7);
        }
    }

    #[test]
    fn causal_rows_see_only_their_past() {
        let mut v = vec![1.0; 2 * 3 * 3];
        softmax(&mut v, 3, Some(3));
        let row = |r: usize| &v[r * 3..r * 3 + 3];
        assert_eq!(row(0), [1.0, 0.0, 0.0]);
        assert_eq!(row(4), [0.5, 0.5, 0.0]);
        assert!((row(5).iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
