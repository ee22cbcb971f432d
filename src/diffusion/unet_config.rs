//! The configuration that `UNet` and `ControlNet` share, with diffusers' defaults and quirks.

use super::config::Config;
use super::error::CheckpointError;
use serde_json::json;

type Result<T> = std::result::Result<T, CheckpointError>;

/// How the middle of the network is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MidBlock {
    /// Two residual blocks round a transformer.
    CrossAttention,
    /// One residual block.
    Resnet,
    /// Nothing.
    None,
}

/// Sizes of one resolution level on the way down; the way up mirrors them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Channels.
    pub channels: usize,
    /// Residual blocks on the way down (one more on the way up).
    pub layers: usize,
    /// Attention heads of this level's transformers.
    pub heads: usize,
    /// Blocks in each transformer.
    pub transformer_layers: usize,
    /// Width of the text states that its cross attention reads.
    pub text: usize,
    /// Whether the way down attends.
    pub down_attention: bool,
}

/// The shared part of `UNet2DConditionModel` and `ControlNetModel`.
#[derive(Debug, Clone)]
pub struct UnetConfig {
    /// Latent channels in.
    pub in_channels: usize,
    /// Levels, finest first.
    pub levels: Vec<Level>,
    /// Middle block.
    pub mid: MidBlock,
    /// Divisor of the middle block's residual sums.
    pub mid_scale: f64,
    /// Normalisation groups.
    pub groups: usize,
    /// Normalisation epsilon.
    pub epsilon: f64,
    /// Whether transformers store linear projections.
    pub linear_projection: bool,
    /// Whether time phases start with cosines.
    pub cosine_first: bool,
    /// Shift in the time frequencies' divisor.
    pub frequency_shift: f64,
    /// Size of the time embedding.
    pub time: usize,
    /// Input width of the class projection (pooled text), if there is one.
    pub class_inputs: Option<usize>,
    /// Whether downsampling pads one side only (padding 0) instead of both.
    pub one_sided_downsampling: bool,
}

/// What only the `UNet` has.
#[derive(Debug, Clone)]
pub struct UnetExtras {
    /// Channels out.
    pub out_channels: usize,
    /// Which levels attend on the way up, coarsest first.
    pub up_attention: Vec<bool>,
    /// Kernel of the first convolution.
    pub kernel_in: usize,
    /// Kernel of the last convolution.
    pub kernel_out: usize,
    /// Whether the input is mapped by `2 x - 1` first.
    pub centre_input: bool,
    /// Side of the latent that it was trained on, if it says.
    pub sample_size: Option<usize>,
}

/// The field that says how many heads there are: in these files `attention_head_dim` means their
/// number, unless a count is given.
fn heads_field(c: &Config) -> &'static str {
    if c.value("num_attention_heads").is_some() {
        "num_attention_heads"
    } else {
        "attention_head_dim"
    }
}

impl Level {
    /// Refuses more heads than channels, for a level that attends; others may name any number,
    /// as in the reference.
    fn check_heads(&self, c: &Config) -> Result<()> {
        if self.heads <= self.channels {
            return Ok(());
        }
        let what = format!("asks for {} heads on {} channels", self.heads, self.channels);
        Err(c.problem(heads_field(c), what))
    }
}

fn attends(
    config: &Config,
    field: &str,
    count: usize,
    plain: &str,
    cross: &str,
    default: &[bool],
) -> Result<Vec<bool>> {
    let Some(types) = config.texts_option(field)? else {
        let default = default.to_vec();
        return if default.len() == count {
            Ok(default)
        } else {
            Err(config.problem(field, "is missing"))
        };
    };
    if types.len() != count {
        return Err(
            config.problem(field, format!("has {} entries for {count} blocks", types.len()))
        );
    }
    let one = |name: &String| match name.as_str() {
        n if n == plain => Ok(false),
        n if n == cross => Ok(true),
        other => Err(config.problem(field, format!("asks for {other}, which is not supported"))),
    };
    types.iter().map(one).collect()
}

impl UnetConfig {
    /// Reads and checks the shared fields.
    ///
    /// # Errors
    /// If a field is malformed or asks for something that is not implemented.
    pub fn read(c: &Config) -> Result<Self> {
        c.unset(&[
            "addition_embed_type",
            "encoder_hid_dim_type",
            "encoder_hid_dim",
            "dual_cross_attention",
            "resnet_skip_time_act",
            "class_embeddings_concat",
            "cross_attention_norm",
            "num_class_embeds",
            "time_embedding_act_fn",
            "timestep_post_act",
            "time_cond_proj_dim",
            "mid_block_only_cross_attention",
            "reverse_transformer_layers_per_block",
        ])?;
        c.only("act_fn", &[json!("silu"), json!("swish")])?;
        c.only("resnet_time_scale_shift", &[json!("default")])?;
        c.only("resnet_out_scale_factor", &[json!(1), json!(1.0)])?;
        c.only("time_embedding_type", &[json!("positional")])?;
        c.only("attention_type", &[json!("default")])?;
        c.only("downsample_padding", &[json!(0), json!(1)])?;
        c.only("class_embed_type", &[json!("projection")])?;
        let channels =
            c.sizes_option("block_out_channels")?.unwrap_or_else(|| vec![320, 640, 1280, 1280]);
        let count = channels.len();
        let all_false = vec![json!(false); count];
        c.only("only_cross_attention", &[json!(false), json!(all_false)])?;
        let layers = c.size_per_block("layers_per_block", count, 2)?;
        let heads = c.size_per_block(heads_field(c), count, 8)?;
        let transformer_layers = c.size_per_block("transformer_layers_per_block", count, 1)?;
        let text = c.size_per_block("cross_attention_dim", count, 1280)?;
        let down = attends(
            c,
            "down_block_types",
            count,
            "DownBlock2D",
            "CrossAttnDownBlock2D",
            &[true, true, true, false],
        )?;
        let groups = c.size_or("norm_num_groups", 32)?;
        if c.is_null("norm_num_groups") {
            return Err(c.problem("norm_num_groups", "is null, which is not supported"));
        }
        c.groups_divide(groups, &channels)?;
        let mid = match c.text_or("mid_block_type", "UNetMidBlock2DCrossAttn")? {
            _ if c.is_null("mid_block_type") => MidBlock::None,
            "UNetMidBlock2DCrossAttn" => MidBlock::CrossAttention,
            "UNetMidBlock2D" => MidBlock::Resnet,
            other => {
                return Err(c.problem(
                    "mid_block_type",
                    format!("asks for {other}, which is not supported"),
                ));
            }
        };
        let class_inputs = match c.text_option("class_embed_type")? {
            Some(_) => Some(c.size_required("projection_class_embeddings_input_dim")?),
            None => None,
        };
        let frequency_shift = c.number_or("freq_shift", 0.0)?;
        if (channels[0] / 2) as f64 - frequency_shift <= 0.0 {
            return Err(c.problem(
                "freq_shift",
                format!("is {frequency_shift}, too large for {} channels", channels[0]),
            ));
        }
        let epsilon = c.number_or("norm_eps", 1e-5)?;
        let mid_scale = c.number_or("mid_block_scale_factor", 1.0)?;
        if epsilon < 0.0 || mid_scale == 0.0 {
            let field = if epsilon < 0.0 { "norm_eps" } else { "mid_block_scale_factor" };
            return Err(c.problem(field, "is out of range"));
        }
        let levels: Vec<Level> = (0..count)
            .map(|i| Level {
                channels: channels[i],
                layers: layers[i],
                heads: heads[i],
                transformer_layers: transformer_layers[i],
                text: text[i],
                down_attention: down[i],
            })
            .collect();
        let attending =
            |i: &usize| down[*i] || (*i + 1 == count && mid == MidBlock::CrossAttention);
        (0..count).filter(attending).try_for_each(|i| levels[i].check_heads(c))?;
        Ok(Self {
            in_channels: c.size_or("in_channels", 4)?,
            levels,
            mid,
            mid_scale,
            groups,
            epsilon,
            linear_projection: c.flag_or("use_linear_projection", false)?,
            cosine_first: c.flag_or("flip_sin_to_cos", true)?,
            frequency_shift,
            time: c.size_or("time_embedding_dim", 4 * channels[0])?,
            class_inputs,
            one_sided_downsampling: c.value("downsample_padding") == Some(&json!(0)),
        })
    }

    /// The coarsest level.
    #[must_use]
    pub fn coarsest(&self) -> Level {
        self.levels[self.levels.len() - 1]
    }
}

impl UnetExtras {
    /// Reads the `UNet`'s own fields.
    ///
    /// # Errors
    /// As [`UnetConfig::read`].
    pub fn read(c: &Config, levels: &[Level]) -> Result<Self> {
        let up_attention = attends(
            c,
            "up_block_types",
            levels.len(),
            "UpBlock2D",
            "CrossAttnUpBlock2D",
            &[false, true, true, true],
        )?;
        let attending = levels.iter().rev().zip(&up_attention).filter(|(_, attends)| **attends);
        attending.map(|(level, _)| level).try_for_each(|level| level.check_heads(c))?;
        let kernel = |field: &str| match c.size_or(field, 3)? {
            k if k % 2 == 1 => Ok(k),
            k => Err(c.problem(field, format!("is {k}; even kernels are not supported"))),
        };
        Ok(Self {
            out_channels: c.size_or("out_channels", 4)?,
            up_attention,
            kernel_in: kernel("conv_in_kernel")?,
            kernel_out: kernel("conv_out_kernel")?,
            centre_input: c.flag_or("center_input_sample", false)?,
            sample_size: c
                .value("sample_size")
                .and_then(serde_json::Value::as_u64)
                .filter(|side| (1..=4096).contains(side))
                .map(|side| side as usize),
        })
    }
}
