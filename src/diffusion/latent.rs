//! The space that a model diffuses in: an autoencoder's, or pixels themselves.

use super::Result;
use super::pixel::PixelSpace;
use super::vae::{Autoencoder, Encoded};
use candle_core::Tensor;

/// An autoencoder or pixel space.
#[derive(Debug, Clone)]
pub enum LatentSpace {
    /// A `vae` folder.
    Autoencoder(Box<Autoencoder>),
    /// No `vae` folder.
    Pixels(PixelSpace),
}

/// An encoded image batch that can carry gradients back to the image.
#[derive(Debug)]
pub struct EncodedImage<'a>(Inner<'a>);

#[derive(Debug)]
enum Inner<'a> {
    Autoencoder(&'a Autoencoder, Encoded),
    Pixels(PixelSpace, Tensor),
}

impl LatentSpace {
    /// Channels of the latent of a 3-channel image.
    #[must_use]
    pub fn channels(&self) -> usize {
        match self {
            Self::Autoencoder(vae) => vae.latent_channels(),
            Self::Pixels(pixels) => 3 * pixels.factor * pixels.factor,
        }
    }

    /// Image pixels per latent pixel along a side.
    #[must_use]
    pub fn factor(&self) -> usize {
        match self {
            Self::Autoencoder(vae) => vae.factor(),
            Self::Pixels(pixels) => pixels.factor,
        }
    }

    /// Encodes `(B, 3, H, W)` in `[0, 1]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn encode(&self, image: &Tensor) -> Result<EncodedImage<'_>> {
        Ok(EncodedImage(match self {
            Self::Autoencoder(vae) => Inner::Autoencoder(vae, vae.encode(image)?),
            Self::Pixels(pixels) => Inner::Pixels(*pixels, pixels.encode(image)?),
        }))
    }

    /// Decodes a latent to `(B, 3, H, W)`; not clamped.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor> {
        match self {
            Self::Autoencoder(vae) => vae.decode(latent),
            Self::Pixels(pixels) => pixels.decode(latent),
        }
    }
}

impl EncodedImage<'_> {
    /// The latent: the distribution's mean, scaled.
    #[must_use]
    pub fn latent(&self) -> &Tensor {
        match &self.0 {
            Inner::Autoencoder(_, encoded) => &encoded.mean,
            Inner::Pixels(_, latent) => latent,
        }
    }

    /// The distribution's standard deviation, scaled; `None` in pixel space, where it is 0.
    #[must_use]
    pub fn std(&self) -> Option<&Tensor> {
        match &self.0 {
            Inner::Autoencoder(_, encoded) => Some(&encoded.std),
            Inner::Pixels(..) => None,
        }
    }

    /// A sample of the latent from standard normal `noise` of its shape.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor> {
        Ok(match self.std() {
            Some(std) => (self.latent() + (std * noise)?)?,
            None => self.latent().clone(),
        })
    }

    /// Cotangent of the image from one of [`EncodedImage::latent`].
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn image_vjp(&self, cotangent: &Tensor) -> Result<Tensor> {
        self.vjp(cotangent, None)
    }

    /// Cotangent of the image from one of [`EncodedImage::sample`] with the same `noise`.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn sample_vjp(&self, cotangent: &Tensor, noise: &Tensor) -> Result<Tensor> {
        self.vjp(cotangent, Some(&(cotangent * noise)?))
    }

    fn vjp(&self, mean: &Tensor, std: Option<&Tensor>) -> Result<Tensor> {
        match &self.0 {
            Inner::Autoencoder(vae, encoded) => vae.encode_vjp(encoded, mean, std),
            Inner::Pixels(pixels, _) => pixels.encode_vjp(mean),
        }
    }
}
