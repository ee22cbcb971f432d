//! The networks' arithmetic on tensors, forward and (where an image gradient needs it)
//! backward with respect to the input alone.
//!
//! On the CPU each operation is one of the loops of [`super::kernels`] around a
//! matrix product; on other devices it is composed of the tensor library's own
//! operations. Nothing here records a gradient graph, and nothing computes a weight
//! gradient.

use super::kernels::{self, ConvShape, Groups};
use candle_core::{CpuStorage, D, DType, InplaceOp1, Layout, Result, Shape, Storage, Tensor};

/// Patches of a convolution are built in tiles of at most this many values.
const TILE_VALUES: usize = 1 << 20;
/// Attention scores are held for at most this many pairs at a time.
const SCORE_VALUES: usize = 1 << 24;

fn on_cpu(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// Runs `f` on the values of a CPU tensor.
fn read<R>(x: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else { candle_core::bail!("not a CPU tensor") };
    let values = storage.as_slice::<f32>()?;
    let start = layout.start_offset();
    Ok(f(&values[start..start + layout.shape().elem_count()]))
}

struct InPlace<F>(F);

impl<F: Fn(&mut [f32])> InplaceOp1 for InPlace<F> {
    fn name(&self) -> &'static str {
        "headsculpt-in-place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(values) = storage else { candle_core::bail!("not an f32 tensor") };
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("not a contiguous tensor")
        };
        (self.0)(&mut values[start..end]);
        Ok(())
    }
}

/// Changes a fresh CPU tensor, which nothing else refers to, in place.
fn change(x: &Tensor, f: impl Fn(&mut [f32])) -> Result<()> {
    x.inplace_op1(&InPlace(f))
}

fn build(
    like: &Tensor,
    shape: impl Into<Shape>,
    f: impl FnOnce(&mut [f32]) -> Result<()>,
) -> Result<Tensor> {
    let shape = shape.into();
    let mut out = vec![0f32; shape.elem_count()];
    f(&mut out)?;
    Tensor::from_vec(out, shape, like.device())
}

/// An element-wise activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(x)`.
    Silu,
    /// With the exact error function.
    Gelu,
    /// `x * sigmoid(1.702 x)`.
    QuickGelu,
}

/// Applies an activation.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    if !on_cpu(x) {
        return match activation {
            Activation::Silu => x.silu(),
            Activation::Gelu => x.gelu_erf(),
            Activation::QuickGelu => x * candle_nn::ops::sigmoid(&(x * 1.702)?)?,
        };
    }
    let mut values = read(x, <[f32]>::to_vec)?;
    match activation {
        Activation::Silu => kernels::map(&mut values, kernels::silu),
        Activation::Gelu => kernels::map(&mut values, kernels::gelu),
        Activation::QuickGelu => kernels::map(&mut values, kernels::quick_gelu),
    }
    Tensor::from_vec(values, x.shape(), x.device())
}

/// `x w^T + b` over the last dimension; `weight` is `(out, in)`.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let mut dims = x.dims().to_vec();
    let (outputs, inputs) = weight.dims2()?;
    let y = x.reshape(((), inputs))?.matmul(&weight.t()?)?;
    let y = match bias {
        Some(bias) if on_cpu(x) => {
            read(bias, |bias| change(&y, |y| kernels::add_rows(y, bias)))??;
            y
        }
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    };
    if let Some(last) = dims.last_mut() {
        *last = outputs;
    }
    y.reshape(dims)
}

/// First half times GELU of the second half of the last dimension.
pub fn geglu(x: &Tensor) -> Result<Tensor> {
    let n = x.dim(D::Minus1)? / 2;
    if on_cpu(x) {
        let mut dims = x.dims().to_vec();
        if let Some(last) = dims.last_mut() {
            *last = n;
        }
        return build(x, dims, |out| read(x, |x| kernels::geglu(x, n, out)));
    }
    let value = x.narrow(D::Minus1, 0, n)?;
    value * x.narrow(D::Minus1, n, n)?.gelu_erf()?
}

/// Layer normalisation over the last dimension.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Result<Tensor> {
    if on_cpu(x) {
        let (w, b) = (read(weight, <[f32]>::to_vec)?, read(bias, <[f32]>::to_vec)?);
        return build(x, x.shape(), |out| {
            read(x, |x| kernels::layer_norm(x, &w, &b, epsilon, out))
        });
    }
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let scale = (centred.sqr()?.mean_keepdim(D::Minus1)? + epsilon)?.sqrt()?;
    centred.broadcast_div(&scale)?.broadcast_mul(weight)?.broadcast_add(bias)
}

/// What a group normalisation needs besides its input.
#[derive(Debug, Clone)]
pub struct GroupNormParams {
    /// Gain per channel.
    pub weight: Tensor,
    /// Offset per channel.
    pub bias: Tensor,
    /// Groups; divide the channels.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether `SiLU` follows.
    pub silu: bool,
}

impl GroupNormParams {
    fn shape_of(&self, x: &Tensor) -> Result<Groups> {
        let (_, channels, height, width) = x.dims4()?;
        let pixels = height * width;
        Ok(Groups { channels, count: self.groups, pixels, epsilon: self.epsilon, silu: self.silu })
    }
}

/// Group normalisation of `(B, C, H, W)`, followed by `SiLU` if the parameters say so.
pub fn group_norm(x: &Tensor, p: &GroupNormParams) -> Result<Tensor> {
    if on_cpu(x) {
        let shape = p.shape_of(x)?;
        let (w, b) = (read(&p.weight, <[f32]>::to_vec)?, read(&p.bias, <[f32]>::to_vec)?);
        return build(x, x.shape(), |out| read(x, |x| kernels::group_norm(x, &w, &b, shape, out)));
    }
    let (normal, _) = normalised(x, p)?;
    let y = scaled(&normal, p)?;
    if p.silu { y.silu() } else { Ok(y) }
}

/// `(x - mean) / std` per group in x's shape, and `1 / std` as `(B, groups, 1)`.
fn normalised(x: &Tensor, p: &GroupNormParams) -> Result<(Tensor, Tensor)> {
    let grouped = x.reshape((x.dim(0)?, p.groups, ()))?;
    let centred = grouped.broadcast_sub(&grouped.mean_keepdim(2)?)?;
    let scale = (centred.sqr()?.mean_keepdim(2)? + p.epsilon)?.sqrt()?.recip()?;
    Ok((centred.broadcast_mul(&scale)?.reshape(x.shape())?, scale))
}

fn scaled(normal: &Tensor, p: &GroupNormParams) -> Result<Tensor> {
    let weight = p.weight.reshape((1, (), 1, 1))?;
    normal.broadcast_mul(&weight)?.broadcast_add(&p.bias.reshape((1, (), 1, 1))?)
}

/// Vector-Jacobian product of [`group_norm`] with respect to `x`.
pub fn group_norm_vjp(x: &Tensor, p: &GroupNormParams, cotangent: &Tensor) -> Result<Tensor> {
    if on_cpu(x) {
        let shape = p.shape_of(x)?;
        let (w, b) = (read(&p.weight, <[f32]>::to_vec)?, read(&p.bias, <[f32]>::to_vec)?);
        let mut grad = read(cotangent, <[f32]>::to_vec)?;
        read(x, |x| kernels::group_norm_vjp(x, &w, &b, shape, &mut grad))?;
        return Tensor::from_vec(grad, x.shape(), x.device());
    }
    group_norm_vjp_composed(x, p, cotangent)
}

fn group_norm_vjp_composed(x: &Tensor, p: &GroupNormParams, cotangent: &Tensor) -> Result<Tensor> {
    let (normal, scale) = normalised(x, p)?;
    let mut grad = cotangent.clone();
    if p.silu {
        let y = scaled(&normal, p)?;
        let s = candle_nn::ops::sigmoid(&y)?;
        // d silu = s (1 + y (1 - s))
        grad = (grad * (&s * ((y * s.affine(-1.0, 1.0)?)? + 1.0)?)?)?;
    }
    let grad = grad.broadcast_mul(&p.weight.reshape((1, (), 1, 1))?)?;
    let by_group = (x.dim(0)?, p.groups, ());
    let (grad, normal) = (grad.reshape(by_group)?, normal.reshape(by_group)?);
    let centre = grad.mean_keepdim(2)?;
    let slope = (&grad * &normal)?.mean_keepdim(2)?;
    let grad = grad.broadcast_sub(&centre)?.broadcast_sub(&normal.broadcast_mul(&slope)?)?;
    grad.broadcast_mul(&scale)?.reshape(x.shape())
}

/// Cross-correlation of `(B, C, H, W)` with `(O, C, k, k)` into a given output size, with zeros
/// outside the input; `before` zeros precede the first row and column. `bias` is `(O)`, or
/// `(B, O)` for one of its own per sample.
fn correlate(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    before: usize,
    output: (usize, usize),
) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let (out_channels, _, kernel, _) = weight.dims4()?;
    let bias = bias.map(|b| b.reshape(((), out_channels))).transpose()?;
    if !on_cpu(x) {
        let needed =
            |out: usize, size: usize| ((out - 1) * stride + kernel).saturating_sub(before + size);
        let x = x.pad_with_zeros(2, before, needed(output.0, height))?;
        let x = x.pad_with_zeros(3, before, needed(output.1, width))?;
        let y =
            x.conv2d(weight, 0, stride, 1, 1)?.narrow(2, 0, output.0)?.narrow(3, 0, output.1)?;
        return match bias {
            Some(bias) => y.broadcast_add(&bias.reshape(((), out_channels, 1, 1))?),
            None => Ok(y),
        };
    }
    let bias_stride = if bias.as_ref().is_some_and(|b| b.dims()[0] > 1) { out_channels } else { 0 };
    let bias = bias.map(|b| read(&b, <[f32]>::to_vec)).transpose()?.unwrap_or_default();
    let depth = channels * kernel * kernel;
    let matrix = weight.reshape((out_channels, depth))?;
    let input = (height, width);
    let shape = ConvShape { channels, input, output, kernel, stride, before };
    let total = batch * output.0;
    let per_tile = (TILE_VALUES / (depth * output.1)).clamp(1, total);
    build(x, (batch, out_channels, output.0, output.1), |out| {
        for first in (0..total).step_by(per_tile) {
            let rows = per_tile.min(total - first);
            let patches = build(x, (depth, rows * output.1), |patches| {
                read(x, |x| kernels::patches(x, shape, first, rows, patches))
            })?;
            read(&matrix.matmul(&patches)?, |tile| {
                kernels::place(tile, shape, first, &bias, bias_stride, out_channels, out);
            })?;
        }
        Ok(())
    })
}

/// A square convolution's geometry: kernel size comes from the weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvParams {
    /// Step between outputs.
    pub stride: usize,
    /// Zeros before the first row and column.
    pub before: usize,
    /// Zeros after the last row and column.
    pub after: usize,
}

/// 2-d convolution of `(B, C, H, W)` with `(O, C, k, k)`; bias `(O)` or, per sample, `(B, O)`.
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, p: ConvParams) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let (out_channels, in_channels, kernel, _) = weight.dims4()?;
    if channels != in_channels
        || height + p.before + p.after < kernel
        || width + p.before + p.after < kernel
    {
        candle_core::bail!(
            "an image of {channels}x{height}x{width} does not fit a convolution for {in_channels} channels"
        );
    }
    if kernel == 1 && p.stride == 1 && p.before + p.after == 0 && on_cpu(x) {
        // Pixels are already the patches.
        let pixels = x.contiguous()?.reshape((batch, channels, height * width))?;
        let matrix = weight.reshape((1, out_channels, channels))?;
        let y = matrix.broadcast_as((batch, out_channels, channels))?.matmul(&pixels)?;
        if let Some(bias) = bias {
            let bias = bias.reshape(((), out_channels))?.broadcast_as((batch, out_channels))?;
            read(&bias, |bias| change(&y, |y| kernels::add_planes(y, bias, height * width)))??;
        }
        return y.reshape((batch, out_channels, height, width));
    }
    let side = |size: usize| (size + p.before + p.after - kernel) / p.stride + 1;
    correlate(x, weight, bias, p.stride, p.before, (side(height), side(width)))
}

/// Vector-Jacobian product of [`conv2d`] with respect to its input of size `input`: a
/// correlation of the (zero-stuffed) cotangent with the flipped, transposed kernel.
pub fn conv2d_vjp(
    cotangent: &Tensor,
    weight: &Tensor,
    p: ConvParams,
    input: (usize, usize),
) -> Result<Tensor> {
    let kernel = weight.dim(2)?;
    let flipped = weight.flip(&[2, 3])?.transpose(0, 1)?.contiguous()?;
    let stuffed = if p.stride == 1 {
        cotangent.clone()
    } else {
        let (b, c, h, w) = cotangent.dims4()?;
        let s = p.stride;
        let spread = cotangent.reshape((b * c, h, 1, w, 1))?;
        let spread = spread.pad_with_zeros(2, 0, s - 1)?.pad_with_zeros(4, 0, s - 1)?;
        spread.reshape((b, c, h * s, w * s))?
    };
    correlate(&stuffed, &flipped, None, 1, kernel - 1 - p.before, input)
}

/// Nearest-neighbour doubling of `(B, C, H, W)`, cropped to `size` (twice the input, or one less).
pub fn upsample(x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    if size.0.div_ceil(2) != h || size.1.div_ceil(2) != w {
        candle_core::bail!("cannot double {h}x{w} to {}x{}", size.0, size.1);
    }
    if on_cpu(x) {
        return build(x, (b, c, size.0, size.1), |out| {
            read(x, |x| kernels::upsample(x, (h, w), size, out))
        });
    }
    let doubled = x.reshape((b * c, h, 1, w, 1))?.broadcast_as((b * c, h, 2, w, 2))?;
    doubled.reshape((b, c, 2 * h, 2 * w))?.narrow(2, 0, size.0)?.narrow(3, 0, size.1)?.contiguous()
}

/// Softmax over the last dimension of a fresh tensor.
fn softmax(scores: Tensor, causal: bool) -> Result<Tensor> {
    let (_, rows, columns) = scores.dims3()?;
    if on_cpu(&scores) {
        change(&scores, |s| kernels::softmax(s, columns, causal.then_some(rows)))?;
        return Ok(scores);
    }
    let scores = if causal {
        let mask: Vec<f32> = (0..rows * columns)
            .map(|i| if i % columns > i / columns { f32::NEG_INFINITY } else { 0.0 })
            .collect();
        let mask = Tensor::from_vec(mask, (1, rows, columns), scores.device())?;
        scores.broadcast_add(&mask.to_dtype(scores.dtype())?)?
    } else {
        scores
    };
    candle_nn::ops::softmax(&scores, D::Minus1)
}

fn split_heads(x: &Tensor, heads: usize) -> Result<Tensor> {
    let (b, n, c) = x.dims3()?;
    let x = x.reshape((b, n, heads, c / heads))?.transpose(1, 2)?.contiguous()?;
    x.reshape((b * heads, n, c / heads))
}

/// Scaled dot-product attention of `(B, L, C)` queries on `(B, S, C)` keys and values, split into
/// `heads` (which divide C); in causal mode position i sees positions up to i.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, causal: bool) -> Result<Tensor> {
    let (batch, length, channels) = q.dims3()?;
    let source = k.dim(1)?;
    let size = channels / heads;
    let q = (split_heads(q, heads)? * (1.0 / (size as f64).sqrt()))?;
    let (k, v) = (split_heads(k, heads)?, split_heads(v, heads)?);
    let images = batch * heads;
    // Whole heads at a time, or rows of one head when even that is too much.
    let per_step = (SCORE_VALUES / (length * source)).clamp(1, images);
    let rows = if causal { length } else { (SCORE_VALUES / source).clamp(1, length) };
    let mut parts = Vec::new();
    for first in (0..images).step_by(per_step) {
        let count = per_step.min(images - first);
        let (k, v) = (k.narrow(0, first, count)?.transpose(1, 2)?, v.narrow(0, first, count)?);
        let q = q.narrow(0, first, count)?;
        let mut strips = Vec::new();
        for row in (0..length).step_by(rows) {
            let q = q.narrow(1, row, rows.min(length - row))?;
            strips.push(softmax(q.matmul(&k)?, causal)?.matmul(&v)?);
        }
        parts.push(if strips.len() == 1 { strips.remove(0) } else { Tensor::cat(&strips, 1)? });
    }
    let out = if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(&parts, 0)? };
    let out = out.reshape((batch, heads, length, size))?.transpose(1, 2)?.contiguous()?;
    out.reshape((batch, length, channels))
}

/// Vector-Jacobian product of single-head [`attention`]: cotangents of q, k and v.
pub fn attention_vjp(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    cotangent: &Tensor,
) -> Result<[Tensor; 3]> {
    let (_, length, channels) = q.dims3()?;
    let scale = 1.0 / (channels as f64).sqrt();
    let rows = (SCORE_VALUES / (k.dim(0)? * k.dim(1)?)).clamp(1, length);
    let (kt, vt) = (k.transpose(1, 2)?, v.transpose(1, 2)?);
    let (mut gq, mut gk, mut gv) = (Vec::new(), k.zeros_like()?, v.zeros_like()?);
    for row in (0..length).step_by(rows) {
        let count = rows.min(length - row);
        let (q, g) = (
            (q.narrow(1, row, count)? * scale)?.contiguous()?,
            cotangent.narrow(1, row, count)?.contiguous()?,
        );
        let p = softmax(q.matmul(&kt)?, false)?;
        gv = (gv + p.transpose(1, 2)?.matmul(&g)?)?;
        let dp = g.matmul(&vt)?;
        let ds = if on_cpu(&dp) {
            read(&p, |p| change(&dp, |dp| kernels::softmax_vjp(p, dp, k.dims()[1])))??;
            dp
        } else {
            let dot = (&p * &dp)?.sum_keepdim(D::Minus1)?;
            (&p * dp.broadcast_sub(&dot)?)?
        };
        gk = (gk + ds.transpose(1, 2)?.matmul(&q)?)?;
        gq.push((ds.matmul(k)? * scale)?);
    }
    Ok([Tensor::cat(&gq, 1)?, gk, gv])
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    type Convert<'a> = &'a dyn Fn(&Tensor) -> Tensor;

    fn noise(shape: &[usize], seed: u64) -> Tensor {
        use rand::Rng;
        let mut rng = crate::rng::stream(seed, "test", 0, "ops");
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn difference(a: &Tensor, b: &Tensor) -> f32 {
        let top = |t: &Tensor| {
            t.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap()
        };
        top(&(a - b).unwrap()) / top(b)
    }

    #[test]
    fn convolution_equals_the_librarys() {
        for (kernel, stride, pad, size) in [
            (3, 1, 1, (7, 5)),
            (3, 2, 1, (8, 6)),
            (3, 2, 1, (7, 9)),
            (1, 1, 0, (4, 4)),
            (5, 1, 2, (3, 4)),
            (1, 2, 0, (5, 4)),
        ] {
            let x = noise(&[3, 4, size.0, size.1], 1);
            let w = noise(&[6, 4, kernel, kernel], 2);
            let b = noise(&[6], 3);
            let ours =
                conv2d(&x, &w, Some(&b), ConvParams { stride, before: pad, after: pad }).unwrap();
            let theirs = x.conv2d(&w, pad, stride, 1, 1).unwrap();
            let theirs = theirs.broadcast_add(&b.reshape((1, 6, 1, 1)).unwrap()).unwrap();
            assert_eq!(ours.dims(), theirs.dims());
            assert!(difference(&ours, &theirs) < 1e-5, "{kernel} {stride} {pad}");
        }
    }

    #[test]
    fn convolution_in_tiles_and_per_sample_bias() {
        // Deep enough that one tile holds fewer rows than one sample has.
        let x = noise(&[2, 64, 40, 50], 4);
        let w = noise(&[3, 64, 3, 3], 5);
        let b = noise(&[2, 3], 6);
        let ours = conv2d(&x, &w, Some(&b), ConvParams { stride: 1, before: 1, after: 1 }).unwrap();
        let theirs = x
            .conv2d(&w, 1, 1, 1, 1)
            .unwrap()
            .broadcast_add(&b.reshape((2, 3, 1, 1)).unwrap())
            .unwrap();
        assert!(difference(&ours, &theirs) < 1e-5);
    }

    /// Checks `<vjp(g), d> = <g, (f(x + h d) - f(x - h d)) / 2h>` in f32.
    fn check_vjp(x: &Tensor, f: impl Fn(&Tensor) -> Tensor, vjp: impl Fn(&Tensor) -> Tensor) {
        let g = noise(f(x).dims(), 7);
        let grad = vjp(&g);
        assert_eq!(grad.dims(), x.dims());
        let dot = |a: &Tensor, b: &Tensor| -> f64 {
            let (a, b) = (
                a.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
                b.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            );
            a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        for seed in 0..3 {
            let d = noise(x.dims(), 100 + seed);
            let h = 1e-2;
            let up = f(&(x + (&d * h).unwrap()).unwrap());
            let down = f(&(x - (&d * h).unwrap()).unwrap());
            let numeric = (dot(&g, &up) - dot(&g, &down)) / (2.0 * h);
            let analytic = dot(&grad, &d);
            let size = dot(&grad, &grad).sqrt() * dot(&d, &d).sqrt();
            assert!(
                (numeric - analytic).abs() < 2e-3 * size,
                "{numeric} against {analytic}, size {size}"
            );
        }
    }

    #[test]
    fn vector_jacobian_products_match_finite_differences() {
        let x = noise(&[2, 6, 6, 5], 10);
        for (stride, before, after) in [(1, 1, 1), (2, 0, 1), (2, 1, 1), (1, 0, 0)] {
            let w = noise(&[4, 6, 3, 3], 11);
            let p = ConvParams { stride, before, after };
            check_vjp(
                &x,
                |x| conv2d(x, &w, None, p).unwrap(),
                |g| conv2d_vjp(g, &w, p, (6, 5)).unwrap(),
            );
        }
        for silu in [false, true] {
            let p = GroupNormParams {
                weight: noise(&[6], 12),
                bias: noise(&[6], 13),
                groups: 3,
                epsilon: 1e-6,
                silu,
            };
            check_vjp(&x, |x| group_norm(x, &p).unwrap(), |g| group_norm_vjp(&x, &p, g).unwrap());
        }
        let [q, k, v] = [15, 16, 17].map(|s| noise(&[2, 5, 4], s));
        let vjp = |g: &Tensor| attention_vjp(&q, &k, &v, g).unwrap();
        check_vjp(&q, |q| attention(q, &k, &v, 1, false).unwrap(), |g| vjp(g)[0].clone());
        check_vjp(&k, |k| attention(&q, k, &v, 1, false).unwrap(), |g| vjp(g)[1].clone());
        check_vjp(&v, |v| attention(&q, &k, v, 1, false).unwrap(), |g| vjp(g)[2].clone());
    }

    /// Tensors of f64 take the way that devices other than the CPU take, so this compares the fast
    /// loops with the composed operations, at a higher precision.
    #[test]
    fn fast_loops_equal_the_composed_operations() {
        let same = |name: &str, f: &dyn Fn(Convert) -> Result<Tensor>| {
            let fast = f(&Tensor::clone).unwrap();
            let composed = f(&|t| t.to_dtype(DType::F64).unwrap()).unwrap();
            assert_eq!(composed.dtype(), DType::F64);
            let error = difference(&fast, &composed.to_dtype(DType::F32).unwrap());
            assert!(error < 3e-6, "{name}: {error}");
        };
        let x = noise(&[2, 6, 6, 5], 20);
        for a in [Activation::Silu, Activation::Gelu, Activation::QuickGelu] {
            same("activation", &|to| activate(&to(&(&x * 4.0)?), a));
        }
        let (w, b) = (noise(&[6], 21), noise(&[6], 22));
        for silu in [false, true] {
            let norm = |to: Convert| GroupNormParams {
                weight: to(&w),
                bias: to(&b),
                groups: 2,
                epsilon: 1e-5,
                silu,
            };
            same("group norm", &|to| group_norm(&to(&x), &norm(to)));
            let g = noise(x.dims(), 23);
            same("group norm vjp", &|to| group_norm_vjp(&to(&x), &norm(to), &to(&g)));
        }
        let rows = noise(&[3, 7, 6], 24);
        same("layer norm", &|to| layer_norm(&to(&rows), &to(&w), &to(&b), 1e-5));
        same("geglu", &|to| geglu(&to(&rows)));
        let m = noise(&[4, 6], 25);
        same("linear", &|to| linear(&to(&rows), &to(&m), Some(&to(&noise(&[4], 26)))));
        for (kernel, stride, before, after) in
            [(3, 1, 1, 1), (3, 2, 0, 1), (3, 2, 1, 1), (1, 1, 0, 0)]
        {
            let k = noise(&[4, 6, kernel, kernel], 27);
            let p = ConvParams { stride, before, after };
            let bias = noise(&[2, 4], 28);
            same("convolution", &|to| conv2d(&to(&x), &to(&k), Some(&to(&bias)), p));
            let g = noise(conv2d(&x, &k, None, p).unwrap().dims(), 29);
            same("convolution vjp", &|to| conv2d_vjp(&to(&g), &to(&k), p, (6, 5)));
        }
        same("doubling", &|to| upsample(&to(&x), (11, 10)));
        let (q, k) = (noise(&[2, 5, 6], 30), noise(&[2, 7, 6], 31));
        same("attention", &|to| attention(&to(&q), &to(&k), &to(&k), 3, false));
        same("causal attention", &|to| attention(&to(&q), &to(&q), &to(&q), 2, true));
        for i in 0..3 {
            same("attention vjp", &|to| {
                Ok(attention_vjp(&to(&q), &to(&k), &to(&k), &to(&q))?[i].clone())
            });
        }
    }

    #[test]
    fn doubling_can_drop_the_last_row_and_column() {
        let x = Tensor::from_vec(vec![1f32, 2.0, 3.0, 4.0], (1, 1, 2, 2), &Device::Cpu).unwrap();
        let y = upsample(&x, (3, 4)).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(y, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
        assert!(upsample(&x, (6, 4)).is_err());
    }
}
