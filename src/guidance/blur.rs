//! A Gaussian over pictures.

use candle_core::{Device, Result, Tensor};

/// Standard deviations after which the Gaussian is cut off.
const CUT: f64 = 3.0;

/// A separable Gaussian filter; pictures are continued beyond their borders by their edges.
#[derive(Debug)]
pub(super) struct Blur {
    /// `(1, 1, 1, width)`.
    kernel: Tensor,
    half: usize,
}

impl Blur {
    /// `sigma` is the standard deviation in pixels, positive.
    pub fn new(sigma: f64) -> Result<Self> {
        let half = (CUT * sigma).ceil().max(1.0) as usize;
        let weight = |k: usize| (-0.5 * ((k as f64 - half as f64) / sigma).powi(2)).exp();
        let weights: Vec<f64> = (0..=2 * half).map(weight).collect();
        let total: f64 = weights.iter().sum();
        let weights: Vec<f32> = weights.iter().map(|w| (w / total) as f32).collect();
        let kernel = Tensor::from_vec(weights, (1, 1, 1, 2 * half + 1), &Device::Cpu)?;
        Ok(Self { kernel, half })
    }

    /// Filters pictures `(views, channels, height, width)`.
    pub fn apply(&self, pictures: &Tensor) -> Result<Tensor> {
        let (views, channels, height, width) = pictures.dims4()?;
        // Every channel by itself: one picture of one channel each.
        let planes = pictures.reshape((views * channels, 1, height, width))?;
        let rows =
            planes.pad_with_same(3, self.half, self.half)?.conv2d(&self.kernel, 0, 1, 1, 1)?;
        let upright = self.kernel.transpose(2, 3)?.contiguous()?;
        let both = rows.pad_with_same(2, self.half, self.half)?.conv2d(&upright, 0, 1, 1, 1)?;
        both.reshape((views, channels, height, width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_becomes_a_gaussian_and_flat_pictures_stay() {
        let blur = Blur::new(1.5).unwrap();
        let flat = Tensor::full(0.7_f32, (2, 3, 9, 11), &Device::Cpu).unwrap();
        for v in blur.apply(&flat).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap() {
            assert!((v - 0.7).abs() < 1e-6, "{v}");
        }
        let mut values = vec![0.0_f32; 21 * 21];
        values[10 * 21 + 10] = 1.0;
        let point = Tensor::from_vec(values, (1, 1, 21, 21), &Device::Cpu).unwrap();
        let got: Vec<f32> = blur.apply(&point).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let at = |x: usize, y: usize| f64::from(got[y * 21 + x]);
        assert!((got.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        for (x, y) in [(11, 10), (12, 12), (8, 11)] {
            let square = (x as f64 - 10.0).powi(2) + (y as f64 - 10.0).powi(2);
            let want = (-square / (2.0 * 1.5 * 1.5)).exp();
            assert!((at(x, y) / at(10, 10) - want).abs() < 1e-4, "{x} {y}");
        }
    }
}
