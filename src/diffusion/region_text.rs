//! The region text binder: our own small addition in front of a dense `ControlNet`.
//!
//! A few learned queries, one per region of the head, attend to the text states; what
//! each finds is painted over that region's mask and added to spare channels of the
//! control image. So "green skin and white hair" reaches the right pixels without a parser.

use super::checkpoint::Part;
use super::layers::Linear;
use super::weights::Weights;
use super::{DiffusionError, Result, ops};
use candle_core::{Device, Tensor};

/// Channel of the dense control image that holds the silhouette.
const SILHOUETTE: usize = 6;
/// Channel of the first region mask, and the regions in channel order.
const FIRST_REGION: usize = 9;
const REGIONS: [&str; 7] = ["scalp", "brows", "eyes", "nose", "lips", "jaw", "ears"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mask {
    All,
    Inside,
    Outside,
    Channel(usize),
}

/// The binder.
#[derive(Debug, Clone)]
pub struct RegionText {
    queries: Tensor,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    masks: Vec<Mask>,
    heads: usize,
    channels: usize,
    offset: usize,
    text: usize,
}

impl RegionText {
    /// Loads the `region_text` part; also returns the names of unused tensors.
    pub fn load(part: &Part, device: &Device) -> Result<(Self, Vec<String>)> {
        let c = &part.config;
        c.class_is("RegionText")?;
        let regions = c.size_required("regions")?;
        let (text, query) = (c.size_required("text_dim")?, c.size_required("query_dim")?);
        let heads = c.size_required("heads")?;
        if query % heads != 0 {
            return Err(c
                .problem("heads", format!("is {heads}, which does not divide {query}"))
                .into());
        }
        let names = c.texts_option("masks")?.unwrap_or_default();
        if names.len() != regions {
            return Err(c
                .problem("masks", format!("has {} entries for {regions} regions", names.len()))
                .into());
        }
        let mask = |name: &String| match name.as_str() {
            "all" => Ok(Mask::All),
            "inside" => Ok(Mask::Inside),
            "outside" => Ok(Mask::Outside),
            other => match REGIONS.iter().position(|r| *r == other) {
                Some(i) => Ok(Mask::Channel(FIRST_REGION + i)),
                None => Err(c.problem("masks", format!("names the unknown region `{other}`"))),
            },
        };
        let masks = names.iter().map(mask).collect::<std::result::Result<_, _>>()?;
        let channels = c.size_required("channels")?;
        let file = part.weights()?;
        let w = Weights::root(&file, device);
        let binder = Self {
            queries: w.get("queries", &[regions, query])?,
            to_k: Linear::load(&w.at("to_k"), text, query, false)?,
            to_v: Linear::load(&w.at("to_v"), text, query, false)?,
            to_out: Linear::load(&w.at("to_out.0"), query, channels, true)?,
            masks,
            heads,
            channels,
            text,
            offset: c.size_required("control_offset")?,
        };
        Ok((binder, file.unused()))
    }

    /// Channels that a control image must at least have.
    #[must_use]
    pub fn needed_channels(&self) -> usize {
        (self.offset + self.channels).max(FIRST_REGION + REGIONS.len())
    }

    /// Width of the text states that it reads.
    #[must_use]
    pub fn text_width(&self) -> usize {
        self.text
    }

    /// Adds the painted text to the control image `(B, C, H, W)`, whose first channels are a dense
    /// map, given text states `(B, L, D)`.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn bind(&self, control: &Tensor, text: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = control.dims4()?;
        if channels < self.needed_channels() || text.dim(0)? != batch {
            return Err(DiffusionError::Input(format!(
                "the region binder needs {} control channels and one text per image, not {channels} channels and {} texts for {batch} images",
                self.needed_channels(),
                text.dim(0)?
            )));
        }
        let (regions, query) = self.queries.dims2()?;
        let q = self.queries.reshape((1, regions, query))?.broadcast_as((batch, regions, query))?;
        let (k, v) = (self.to_k.forward(text)?, self.to_v.forward(text)?);
        let found = ops::attention(&q.contiguous()?, &k, &v, self.heads, false)?;
        let found = self.to_out.forward(&found)?.transpose(1, 2)?.contiguous()?;
        let inside = control.narrow(1, SILHOUETTE, 1)?;
        let masks = self.masks.iter().map(|mask| match mask {
            Mask::All => inside.ones_like(),
            Mask::Inside => Ok(inside.clone()),
            Mask::Outside => inside.affine(-1.0, 1.0),
            Mask::Channel(i) => control.narrow(1, *i, 1),
        });
        let masks = Tensor::cat(&masks.collect::<candle_core::Result<Vec<_>>>()?, 1)?;
        let painted = found.matmul(&masks.reshape((batch, regions, height * width))?)?;
        let painted = painted.reshape((batch, self.channels, height, width))?;
        let painted =
            painted.pad_with_zeros(1, self.offset, channels - self.offset - self.channels)?;
        Ok((control + painted)?)
    }
}
