//! Between image batches and tensors: layout, and bilinear resizing with its adjoint.

use super::{DiffusionError, Result, ops};
use crate::batch::ImageBatch;
use candle_core::{Device, Tensor};

/// An image batch as `(views, channels, height, width)`.
///
/// # Errors
/// If the batch's data is not as long as its sizes say.
pub fn to_tensor(images: &ImageBatch, device: &Device) -> Result<Tensor> {
    let shape = (images.views, images.height, images.width, images.channels);
    if images.data.len() != shape.0 * shape.1 * shape.2 * shape.3 {
        return Err(DiffusionError::Input(format!(
            "an image batch of {shape:?} holds {} values",
            images.data.len()
        )));
    }
    let tensor = Tensor::from_slice(&images.data, shape, &Device::Cpu)?;
    Ok(tensor.permute((0, 3, 1, 2))?.contiguous()?.to_device(device)?)
}

/// `(views, channels, height, width)` as an image batch.
///
/// # Errors
/// If the tensor has another rank.
pub fn to_images(tensor: &Tensor) -> Result<ImageBatch> {
    let (views, channels, height, width) = tensor.dims4()?;
    let data = tensor.permute((0, 2, 3, 1))?.flatten_all()?.to_vec1::<f32>()?;
    Ok(ImageBatch { views, height, width, channels, data })
}

/// Bilinear resizing between two fixed sizes (pixel centres at half integers, no antialiasing:
/// `PyTorch`'s `interpolate` with `align_corners = false`).
#[derive(Debug, Clone)]
pub struct Resize {
    vertical: Tensor,
    horizontal: Tensor,
}

impl Resize {
    /// From `(height, width)` to `(height, width)`; no side may be 0.
    ///
    /// # Errors
    /// If the device refuses the weights.
    pub fn new(from: (usize, usize), to: (usize, usize), device: &Device) -> Result<Self> {
        let weights = |from: usize, to: usize| -> Result<Tensor> {
            let mut matrix = vec![0f32; from * to];
            for (i, row) in matrix.chunks_exact_mut(from).enumerate() {
                let centre = ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
                let low = (centre as usize).min(from - 1);
                let share = (centre - low as f64) as f32;
                row[low] += 1.0 - share;
                row[(low + 1).min(from - 1)] += share;
            }
            Ok(Tensor::from_vec(matrix, (to, from), device)?)
        };
        Ok(Self { vertical: weights(from.0, to.0)?, horizontal: weights(from.1, to.1)? })
    }

    /// `(B, C, h, w)` to `(B, C, H, W)`.
    ///
    /// # Errors
    /// If the size is not the one this was made for.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        apply(x, &self.vertical, &self.horizontal)
    }

    /// Cotangent of the small image from one of the resized image.
    ///
    /// # Errors
    /// As [`Resize::forward`].
    pub fn vjp(&self, cotangent: &Tensor) -> Result<Tensor> {
        apply(cotangent, &self.vertical.t()?.contiguous()?, &self.horizontal.t()?.contiguous()?)
    }
}

fn apply(x: &Tensor, vertical: &Tensor, horizontal: &Tensor) -> Result<Tensor> {
    let rows = ops::linear(x, horizontal, None)?.transpose(2, 3)?.contiguous()?;
    Ok(ops::linear(&rows, vertical, None)?.transpose(2, 3)?.contiguous()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_round_trip() {
        let mut images = ImageBatch::filled(2, 3, 4, 5, 0.0);
        images.data.iter_mut().enumerate().for_each(|(i, v)| *v = i as f32);
        let tensor = to_tensor(&images, &Device::Cpu).unwrap();
        assert_eq!(tensor.dims(), [2, 5, 3, 4]);
        assert_eq!(to_images(&tensor).unwrap(), images);
    }

    #[test]
    fn resizing_matches_known_values_and_its_adjoint() {
        let x = Tensor::from_vec(vec![0f32, 1.0, 2.0, 3.0], (1, 1, 2, 2), &Device::Cpu).unwrap();
        let resize = Resize::new((2, 2), (4, 4), &Device::Cpu).unwrap();
        let y = resize.forward(&x).unwrap();
        let values = y.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        // PyTorch: interpolate([[0, 1], [2, 3]], size=(4, 4), mode="bilinear").
        assert_eq!(values[..8], [0.0, 0.25, 0.75, 1.0, 0.5, 0.75, 1.25, 1.5]);
        let sum = |t: &Tensor| t.sum_all().unwrap().to_scalar::<f32>().unwrap();
        let g = (y.sqr().unwrap() + 1.0).unwrap();
        let left = sum(&(&g * &y).unwrap());
        let right = sum(&(resize.vjp(&g).unwrap() * &x).unwrap());
        assert!((left - right).abs() < 1e-4 * left);
    }
}
