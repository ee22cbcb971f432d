//! `CLIPTextModel`: tokens to text states and their pooled state.

use super::checkpoint::Part;
use super::layers::{LayerNorm, Linear};
use super::ops::{self, Activation};
use super::weights::Weights;
use super::{DiffusionError, Result};
use candle_core::{Device, Tensor};
use serde_json::json;

#[derive(Debug, Clone)]
struct Layer {
    norm1: LayerNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    norm2: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

/// The text encoder.
#[derive(Debug, Clone)]
pub struct ClipText {
    tokens: Tensor,
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    heads: usize,
    activation: Activation,
    end_token: Option<u32>,
    vocabulary: usize,
    longest: usize,
    width: usize,
}

/// The text states of a batch of prompts.
#[derive(Debug, Clone)]
pub struct TextEmbedding {
    /// Last hidden states after the final norm, `(B, L, D)`.
    pub hidden: Tensor,
    /// The hidden state at the end-of-text token, `(B, D)`.
    pub pooled: Tensor,
}

impl TextEmbedding {
    /// Stacks embeddings of equal length along the batch.
    ///
    /// # Errors
    /// If lengths or widths differ.
    pub fn cat(parts: &[&Self]) -> Result<Self> {
        let hidden: Vec<_> = parts.iter().map(|p| &p.hidden).collect();
        let pooled: Vec<_> = parts.iter().map(|p| &p.pooled).collect();
        Ok(Self { hidden: Tensor::cat(&hidden, 0)?, pooled: Tensor::cat(&pooled, 0)? })
    }
}

impl ClipText {
    /// Loads the `text_encoder` part; also returns the names of unused tensors.
    pub fn load(part: &Part, device: &Device) -> Result<(Self, Vec<String>)> {
        let c = &part.config;
        if let Some(names) = c.texts_option("architectures")? {
            let known = ["CLIPTextModel", "CLIPTextModelWithProjection"];
            if let Some(other) = names.iter().find(|n| !known.contains(&n.as_str())) {
                return Err(c
                    .problem("architectures", format!("asks for {other}, which is not supported"))
                    .into());
            }
        }
        c.only("hidden_act", &[json!("quick_gelu"), json!("gelu")])?;
        let width = c.size_or("hidden_size", 512)?;
        let inner = c.size_or("intermediate_size", 2048)?;
        let heads = c.size_or("num_attention_heads", 8)?;
        if width % heads != 0 {
            return Err(c
                .problem(
                    "num_attention_heads",
                    format!("is {heads}, which does not divide {width}"),
                )
                .into());
        }
        let vocabulary = c.size_or("vocab_size", 49408)?;
        let longest = c.size_or("max_position_embeddings", 77)?;
        let epsilon = c.number_or("layer_norm_eps", 1e-5)?;
        let end = c.number_or("eos_token_id", 49407.0)?;
        let file = part.weights()?;
        let root = Weights::root(&file, device);
        // Files of transformers before version 5 have one more level.
        let w = if root.has("text_model.final_layer_norm.weight") {
            root.at("text_model")
        } else {
            root
        };
        let layer = |i: usize| -> Result<Layer> {
            let w = w.at(format!("encoder.layers.{i}"));
            let attention = |name| Linear::load(&w.at("self_attn").at(name), width, width, true);
            Ok(Layer {
                norm1: LayerNorm::load(&w.at("layer_norm1"), width, epsilon)?,
                q: attention("q_proj")?,
                k: attention("k_proj")?,
                v: attention("v_proj")?,
                out: attention("out_proj")?,
                norm2: LayerNorm::load(&w.at("layer_norm2"), width, epsilon)?,
                widen: Linear::load(&w.at("mlp.fc1"), width, inner, true)?,
                narrow: Linear::load(&w.at("mlp.fc2"), inner, width, true)?,
            })
        };
        let model = Self {
            tokens: w.get("embeddings.token_embedding.weight", &[vocabulary, width])?,
            positions: w.get("embeddings.position_embedding.weight", &[longest, width])?,
            layers: (0..c.size_or("num_hidden_layers", 12)?).map(layer).collect::<Result<_>>()?,
            norm: LayerNorm::load(&w.at("final_layer_norm"), width, epsilon)?,
            heads,
            activation: match c.text_or("hidden_act", "quick_gelu")? {
                "gelu" => Activation::Gelu,
                _ => Activation::QuickGelu,
            },
            // Id 2 is what old configurations say whatever the truth is; then the end is
            // the largest id of a row, as in the reference.
            end_token: (end != 2.0).then_some(end as u32),
            vocabulary,
            longest,
            width,
        };
        let harmless =
            |name: &String| !name.ends_with("position_ids") && name != "text_projection.weight";
        Ok((model, file.unused().into_iter().filter(harmless).collect()))
    }

    /// Width D of the text states.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The most tokens that a prompt can have.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Number of token ids.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Runs the encoder on rows of equally many token ids.
    ///
    /// # Errors
    /// If there are no rows, lengths differ or exceed the limit, or an id is out of range.
    pub fn forward(&self, rows: &[Vec<u32>]) -> Result<TextEmbedding> {
        let length = rows.first().map_or(0, Vec::len);
        if length == 0 || length > self.longest || rows.iter().any(|row| row.len() != length) {
            return Err(DiffusionError::Input(format!(
                "prompts of equal length, 1 to {} tokens, are needed",
                self.longest
            )));
        }
        let ids: Vec<u32> = rows.iter().flatten().copied().collect();
        if let Some(id) = ids.iter().find(|&&id| id as usize >= self.vocabulary) {
            return Err(DiffusionError::Input(format!(
                "token {id} is outside the text encoder's vocabulary of {}",
                self.vocabulary
            )));
        }
        let (batch, device) = (rows.len(), self.tokens.device());
        let ids = Tensor::from_vec(ids, batch * length, device)?;
        let embedded = self.tokens.index_select(&ids, 0)?.reshape((batch, length, self.width))?;
        let mut x = embedded.broadcast_add(&self.positions.narrow(0, 0, length)?)?;
        for layer in &self.layers {
            let n = layer.norm1.forward(&x)?;
            let (q, k, v) = (layer.q.forward(&n)?, layer.k.forward(&n)?, layer.v.forward(&n)?);
            x = (x + layer.out.forward(&ops::attention(&q, &k, &v, self.heads, true)?)?)?;
            let inner =
                ops::activate(&layer.widen.forward(&layer.norm2.forward(&x)?)?, self.activation)?;
            x = (&x + layer.narrow.forward(&inner)?)?;
        }
        let hidden = self.norm.forward(&x)?;
        let ends: Vec<u32> = rows
            .iter()
            .enumerate()
            .map(|(i, row)| (i * length + self.end_of(row)) as u32)
            .collect();
        let ends = Tensor::from_vec(ends, batch, device)?;
        let pooled = hidden.reshape((batch * length, self.width))?.index_select(&ends, 0)?;
        Ok(TextEmbedding { hidden, pooled })
    }

    /// Position of the pooled state: the first end token (the first position if there is none),
    /// or the first of the largest id by the legacy rule.
    fn end_of(&self, row: &[u32]) -> usize {
        let wanted = self.end_token.or_else(|| row.iter().max().copied());
        row.iter().position(|id| Some(*id) == wanted).unwrap_or(0)
    }
}
