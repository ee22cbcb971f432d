//! `AutoencoderKL`: images to latents and back, and the encoder's vector-Jacobian product.
//!
//! Both halves are plain sequences of steps, so that the backward pass is the same list
//! walked from its end. It keeps two feature maps per residual block and recomputes what
//! is cheap (norms, activations, attention scores).

use super::checkpoint::Part;
use super::layers::{Conv2d, GroupNorm, Linear};
use super::ops::{self, ConvParams};
use super::resnet::{ResnetBlock, ResnetShape, ResnetTape};
use super::weights::Weights;
use super::{DiffusionError, Result};
use candle_core::{Device, Tensor};
use serde_json::json;

/// Single-head self attention of the middle block.
#[derive(Debug, Clone)]
struct AttentionBlock {
    norm: GroupNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
}

impl AttentionBlock {
    /// Accepts today's key names and those of older files (`query`, `key`, `value`, `proj_attn`).
    fn load(w: &Weights, channels: usize, groups: usize, epsilon: f64) -> Result<Self> {
        let linear = |names: &[&str]| Linear::load(&w.at_first_of(names), channels, channels, true);
        Ok(Self {
            norm: GroupNorm::load(&w.at("group_norm"), channels, groups, epsilon, false)?,
            q: linear(&["to_q", "query"])?,
            k: linear(&["to_k", "key"])?,
            v: linear(&["to_v", "value"])?,
            out: linear(&["to_out.0", "proj_attn"])?,
        })
    }

    /// `(B, C, H, W)` to normalised tokens `(B, HW, C)`.
    fn tokens(&self, x: &Tensor) -> Result<Tensor> {
        let (b, c, h, w) = x.dims4()?;
        Ok(self.norm.forward(x)?.reshape((b, c, h * w))?.transpose(1, 2)?.contiguous()?)
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let n = self.tokens(x)?;
        let y = ops::attention(
            &self.q.forward(&n)?,
            &self.k.forward(&n)?,
            &self.v.forward(&n)?,
            1,
            false,
        )?;
        let y = self.out.forward(&y)?.transpose(1, 2)?.contiguous()?.reshape(x.shape())?;
        Ok((x + y)?)
    }

    fn vjp(&self, x: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
        let (b, c, h, w) = x.dims4()?;
        let n = self.tokens(x)?;
        let (q, k, v) = (self.q.forward(&n)?, self.k.forward(&n)?, self.v.forward(&n)?);
        let g = cotangent.reshape((b, c, h * w))?.transpose(1, 2)?.contiguous()?;
        let [gq, gk, gv] = ops::attention_vjp(&q, &k, &v, &self.out.vjp(&g)?)?;
        let g = ((self.q.vjp(&gq)? + self.k.vjp(&gk)?)? + self.v.vjp(&gv)?)?;
        let g = g.transpose(1, 2)?.contiguous()?.reshape(x.shape())?;
        Ok((cotangent + self.norm.vjp(x, &g)?)?)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Conv(Conv2d),
    Resnet(ResnetBlock),
    Attention(AttentionBlock),
    Norm(GroupNorm),
    Double,
}

#[derive(Debug, Clone)]
enum Saved {
    Size(usize, usize),
    Resnet(ResnetTape),
    Input(Tensor),
}

/// Steps in order.
#[derive(Debug, Clone)]
struct Sequence(Vec<Step>);

impl Sequence {
    fn forward(&self, x: &Tensor, mut tape: Option<&mut Vec<Saved>>) -> Result<Tensor> {
        let mut x = x.clone();
        for step in &self.0 {
            let (_, _, h, w) = x.dims4()?;
            let (y, saved) = match step {
                Step::Conv(conv) => (conv.forward(&x)?, Saved::Size(h, w)),
                Step::Resnet(block) => {
                    let (y, saved) = block.forward_with_tape(&x, None)?;
                    (y, Saved::Resnet(saved))
                }
                Step::Attention(block) => (block.forward(&x)?, Saved::Input(x)),
                Step::Norm(norm) => (norm.forward(&x)?, Saved::Input(x)),
                Step::Double => (ops::upsample(&x, (2 * h, 2 * w))?, Saved::Size(h, w)),
            };
            if let Some(tape) = tape.as_mut() {
                tape.push(saved);
            }
            x = y;
        }
        Ok(x)
    }

    fn vjp(&self, tape: &[Saved], cotangent: Tensor) -> Result<Tensor> {
        let mut g = cotangent;
        for (step, saved) in self.0.iter().zip(tape).rev() {
            g = match (step, saved) {
                (Step::Conv(conv), &Saved::Size(h, w)) => conv.vjp(&g, (h, w))?,
                (Step::Resnet(block), Saved::Resnet(tape)) => block.vjp(tape, &g)?,
                (Step::Attention(block), Saved::Input(x)) => block.vjp(x, &g)?,
                (Step::Norm(norm), Saved::Input(x)) => norm.vjp(x, &g)?,
                _ => {
                    let text = "this step of the autoencoder has no backward pass";
                    return Err(DiffusionError::Input(text.into()));
                }
            };
        }
        Ok(g)
    }
}

/// The autoencoder.
#[derive(Debug, Clone)]
pub struct Autoencoder {
    encoder: Sequence,
    decoder: Sequence,
    image_channels: usize,
    latent_channels: usize,
    factor: usize,
    scaling: f64,
    shift: f64,
}

/// An encoded image: the scaled latent distribution, and what its backward pass needs.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// `scaling_factor` times the mean (less the shift, if the model has one), `(B, latent, h, w)`.
    pub mean: Tensor,
    /// `scaling_factor` times the standard deviation.
    pub std: Tensor,
    /// 1 where the log-variance was inside its clamp, else 0.
    free: Tensor,
    tape: Vec<Saved>,
}

impl Autoencoder {
    /// Loads the `vae` part; also returns the names of unused tensors.
    pub fn load(part: &Part, device: &Device) -> Result<(Self, Vec<String>)> {
        let c = &part.config;
        c.class_is("AutoencoderKL")?;
        c.only("act_fn", &[json!("silu"), json!("swish")])?;
        c.unset(&["latents_mean", "latents_std"])?;
        let widths = c.sizes_option("block_out_channels")?.unwrap_or_else(|| vec![64]);
        for (field, only) in
            [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")]
        {
            let types = c.texts_option(field)?.unwrap_or_else(|| vec![only.to_owned()]);
            if types.len() != widths.len() {
                return Err(c
                    .problem(
                        field,
                        format!("has {} entries for {} blocks", types.len(), widths.len()),
                    )
                    .into());
            }
            if let Some(other) = types.iter().find(|t| *t != only) {
                return Err(c
                    .problem(field, format!("asks for {other}, which is not supported"))
                    .into());
            }
        }
        let groups = c.size_or("norm_num_groups", 32)?;
        c.groups_divide(groups, &widths)?;
        let layers = c.size_or("layers_per_block", 1)?;
        let (latent, image_in) = (c.size_or("latent_channels", 4)?, c.size_or("in_channels", 3)?);
        let image_out = c.size_or("out_channels", 3)?;
        if (image_in, image_out) != (3, 3) {
            return Err(c.problem("in_channels", "and out_channels must be 3").into());
        }
        let scaling = c.number_or("scaling_factor", 0.18215)?;
        if scaling == 0.0 {
            return Err(c.problem("scaling_factor", "must not be 0").into());
        }
        let attention = c.flag_or("mid_block_add_attention", true)?;
        let file = part.weights()?;
        let w = Weights::root(&file, device);
        let builder = Builder { groups, epsilon: 1e-6, layers, attention };
        let mut encoder = builder.encoder(&w.at("encoder"), &widths, image_in, 2 * latent)?;
        if c.flag_or("use_quant_conv", true)? {
            encoder.push(Step::Conv(Conv2d::load_same(
                &w.at("quant_conv"),
                2 * latent,
                2 * latent,
                1,
            )?));
        }
        let mut decoder = Vec::new();
        if c.flag_or("use_post_quant_conv", true)? {
            decoder.push(Step::Conv(Conv2d::load_same(
                &w.at("post_quant_conv"),
                latent,
                latent,
                1,
            )?));
        }
        decoder.extend(builder.decoder(&w.at("decoder"), &widths, latent, image_out)?);
        let vae = Self {
            encoder: Sequence(encoder),
            decoder: Sequence(decoder),
            image_channels: image_in,
            latent_channels: latent,
            factor: 1 << (widths.len() - 1),
            scaling,
            shift: c.number_or("shift_factor", 0.0)?,
        };
        Ok((vae, file.unused()))
    }

    /// Channels of the latent.
    #[must_use]
    pub fn latent_channels(&self) -> usize {
        self.latent_channels
    }

    /// Image pixels per latent pixel along a side.
    #[must_use]
    pub fn factor(&self) -> usize {
        self.factor
    }

    /// Encodes `(B, 3, H, W)` in `[0, 1]`; sides must be multiples of the factor.
    ///
    /// # Errors
    /// If the image's shape does not fit.
    pub fn encode(&self, image: &Tensor) -> Result<Encoded> {
        let (_, channels, height, width) = image.dims4()?;
        if channels != self.image_channels
            || height % self.factor != 0
            || width % self.factor != 0
            || height * width == 0
        {
            return Err(DiffusionError::Input(format!(
                "an image of {channels}x{height}x{width} cannot be encoded: {} channels and sides in multiples of {} are needed",
                self.image_channels, self.factor
            )));
        }
        let mut tape = Vec::with_capacity(self.encoder.0.len());
        let moments = self.encoder.forward(&image.affine(2.0, -1.0)?, Some(&mut tape))?;
        let mean = moments
            .narrow(1, 0, self.latent_channels)?
            .affine(self.scaling, -self.shift * self.scaling)?;
        let log_variance = moments.narrow(1, self.latent_channels, self.latent_channels)?;
        let clamped = log_variance.clamp(-30f32, 20f32)?;
        let free = log_variance.eq(&clamped)?.to_dtype(image.dtype())?;
        let std = ((clamped * 0.5)?.exp()? * self.scaling)?;
        Ok(Encoded { mean, std, free, tape })
    }

    /// Cotangent of the image from a cotangent of [`Encoded::mean`] and, if the latent was sampled
    /// as `mean + std * noise`, one of [`Encoded::std`].
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn encode_vjp(
        &self,
        encoded: &Encoded,
        mean: &Tensor,
        std: Option<&Tensor>,
    ) -> Result<Tensor> {
        for cotangent in std::iter::once(mean).chain(std) {
            if cotangent.dims() != encoded.mean.dims() {
                return Err(DiffusionError::Input(format!(
                    "a cotangent of shape {:?} for a latent of {:?}",
                    cotangent.dims(),
                    encoded.mean.dims()
                )));
            }
        }
        let mean = (mean * self.scaling)?;
        let log_variance = match std {
            Some(std) => (((std * &encoded.std)? * 0.5)? * &encoded.free)?,
            None => mean.zeros_like()?,
        };
        let g = self.encoder.vjp(&encoded.tape, Tensor::cat(&[mean, log_variance], 1)?)?;
        Ok((g * 2.0)?)
    }

    /// Decodes a scaled latent to `(B, 3, H, W)`; values near `[0, 1]`, not clamped.
    ///
    /// # Errors
    /// If the latent's channels do not fit.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor> {
        let (_, channels, ..) = latent.dims4()?;
        if channels != self.latent_channels {
            return Err(DiffusionError::Input(format!(
                "a latent of {channels} channels cannot be decoded: {} are needed",
                self.latent_channels
            )));
        }
        let x = self.decoder.forward(&latent.affine(1.0 / self.scaling, self.shift)?, None)?;
        Ok(x.affine(0.5, 0.5)?)
    }
}

struct Builder {
    groups: usize,
    epsilon: f64,
    layers: usize,
    attention: bool,
}

impl Builder {
    fn resnet(&self, w: &Weights, inputs: usize, outputs: usize) -> Result<Step> {
        let (groups, epsilon) = (self.groups, self.epsilon);
        let shape = ResnetShape { inputs, outputs, time: None, groups, epsilon, output_scale: 1.0 };
        Ok(Step::Resnet(ResnetBlock::load(w, shape)?))
    }

    fn middle(&self, w: &Weights, channels: usize, steps: &mut Vec<Step>) -> Result<()> {
        steps.push(self.resnet(&w.at("resnets.0"), channels, channels)?);
        if self.attention {
            let block =
                AttentionBlock::load(&w.at("attentions.0"), channels, self.groups, self.epsilon)?;
            steps.push(Step::Attention(block));
        }
        steps.push(self.resnet(&w.at("resnets.1"), channels, channels)?);
        Ok(())
    }

    fn finish(
        &self,
        w: &Weights,
        inputs: usize,
        outputs: usize,
        steps: &mut Vec<Step>,
    ) -> Result<()> {
        let norm =
            GroupNorm::load(&w.at("conv_norm_out"), inputs, self.groups, self.epsilon, true)?;
        steps.push(Step::Norm(norm));
        steps.push(Step::Conv(Conv2d::load_same(&w.at("conv_out"), inputs, outputs, 3)?));
        Ok(())
    }

    fn encoder(
        &self,
        w: &Weights,
        widths: &[usize],
        inputs: usize,
        outputs: usize,
    ) -> Result<Vec<Step>> {
        let mut steps =
            vec![Step::Conv(Conv2d::load_same(&w.at("conv_in"), inputs, widths[0], 3)?)];
        let mut from = widths[0];
        for (i, &width) in widths.iter().enumerate() {
            let block = w.at(format!("down_blocks.{i}"));
            for j in 0..self.layers {
                steps.push(self.resnet(&block.at(format!("resnets.{j}")), from, width)?);
                from = width;
            }
            if i + 1 < widths.len() {
                let halve = ConvParams { stride: 2, before: 0, after: 1 };
                steps.push(Step::Conv(Conv2d::load(
                    &block.at("downsamplers.0.conv"),
                    width,
                    width,
                    3,
                    halve,
                )?));
            }
        }
        self.middle(&w.at("mid_block"), from, &mut steps)?;
        self.finish(w, from, outputs, &mut steps)?;
        Ok(steps)
    }

    fn decoder(
        &self,
        w: &Weights,
        widths: &[usize],
        inputs: usize,
        outputs: usize,
    ) -> Result<Vec<Step>> {
        let mut from = widths[widths.len() - 1];
        let mut steps = vec![Step::Conv(Conv2d::load_same(&w.at("conv_in"), inputs, from, 3)?)];
        self.middle(&w.at("mid_block"), from, &mut steps)?;
        for (i, &width) in widths.iter().rev().enumerate() {
            let block = w.at(format!("up_blocks.{i}"));
            for j in 0..=self.layers {
                steps.push(self.resnet(&block.at(format!("resnets.{j}")), from, width)?);
                from = width;
            }
            if i + 1 < widths.len() {
                steps.push(Step::Double);
                steps.push(Step::Conv(Conv2d::load_same(
                    &block.at("upsamplers.0.conv"),
                    width,
                    width,
                    3,
                )?));
            }
        }
        self.finish(w, from, outputs, &mut steps)?;
        Ok(steps)
    }
}
