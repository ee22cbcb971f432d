//! Pixel space: a folder without `vae` diffuses the image itself, scaled to `[-1, 1]`, with
//! blocks of pixels moved into channels.

use super::error::CheckpointError;
use super::manifest::Manifest;
use super::{DiffusionError, Result};
use candle_core::Tensor;
use std::path::Path;

/// The identity autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelSpace {
    /// Side of the pixel blocks that become channels.
    pub factor: usize,
}

impl PixelSpace {
    /// That of a folder without `vae`, whose `UNet` reads `channels`: three colours of blocks
    /// of f x f pixels.
    ///
    /// # Errors
    /// If the channels are no such blocks, and the manifest does not say better.
    pub fn of(
        folder: &Path,
        manifest: &Manifest,
        channels: usize,
    ) -> Result<Self, CheckpointError> {
        let inferred = (1..=64).find(|f| 3 * f * f == channels);
        match manifest.pixel_unshuffle.or(inferred) {
            Some(factor) => Ok(Self { factor }),
            None => Err(CheckpointError::Mismatch {
                path: folder.to_owned(),
                problem: format!(
                    "has no `vae` folder, and {channels} channels are no blocks of RGB pixels"
                ),
            }),
        }
    }

    /// `(B, C, H, W)` in `[0, 1]` to `(B, C f^2, H / f, W / f)` in `[-1, 1]`; channel
    /// `c f^2 + y f + x` holds pixel `(y, x)` of each block, as in `PyTorch`'s `pixel_unshuffle`.
    ///
    /// # Errors
    /// If the sides are not multiples of the factor.
    pub fn encode(self, image: &Tensor) -> Result<Tensor> {
        let (b, c, h, w) = image.dims4()?;
        let f = self.factor;
        if h % f != 0 || w % f != 0 {
            return Err(DiffusionError::Input(format!(
                "an image of {h}x{w} has sides that {f} does not divide"
            )));
        }
        let blocks = image.affine(2.0, -1.0)?.reshape((b * c, h / f, f, w / f, f))?;
        let blocks = blocks.permute((0, 2, 4, 1, 3))?.contiguous()?;
        Ok(blocks.reshape((b, c * f * f, h / f, w / f))?)
    }

    /// The inverse of [`PixelSpace::encode`]; not clamped.
    ///
    /// # Errors
    /// If the channels are not a multiple of the factor squared.
    pub fn decode(self, latent: &Tensor) -> Result<Tensor> {
        Ok(self.shuffle(latent)?.affine(0.5, 0.5)?)
    }

    /// Cotangent of the image from one of the latent.
    ///
    /// # Errors
    /// As [`PixelSpace::decode`].
    pub fn encode_vjp(self, cotangent: &Tensor) -> Result<Tensor> {
        Ok((self.shuffle(cotangent)? * 2.0)?)
    }

    fn shuffle(self, latent: &Tensor) -> Result<Tensor> {
        let (b, c, h, w) = latent.dims4()?;
        let f = self.factor;
        if c % (f * f) != 0 {
            return Err(DiffusionError::Input(format!(
                "{c} channels are no whole blocks of {f}x{f} pixels"
            )));
        }
        let blocks = latent.reshape((b * c / (f * f), f, f, h, w))?;
        let rows = blocks.permute((0, 3, 1, 4, 2))?.contiguous()?;
        Ok(rows.reshape((b, c / (f * f), h * f, w * f))?)
    }
}
