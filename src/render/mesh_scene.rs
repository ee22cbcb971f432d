//! A differentiable head as a mesh: a surface on a tetrahedral lattice whose colours are a
//! field's albedo at its points.

use super::field::Rates;
use super::gpu_view::Appearance;
use super::mask::Mask;
use super::raster::{MeshRegularisers, RasterImages, Rasteriser};
use super::tets::{Difference, TetMesh, TetRates};
use super::texture::Texture;
use super::{GpuContext, RenderError};
use crate::batch::View;
use crate::geometry::Mesh;

/// Steps after which the lattice's band follows the surface: a distance changes by less than
/// the band's margin in between.
const FOLLOW_EVERY: u64 = 16;

/// A textured surface with gradients. One step is [`Self::render`], [`Self::backward`], and
/// [`Self::step`].
#[derive(Debug)]
pub struct MeshScene {
    gpu: GpuContext,
    raster: Rasteriser,
    tets: TetMesh,
    texture: Texture,
    covered: u32,
    steps: u64,
}

impl MeshScene {
    /// A scene that starts as `mesh`, coloured by `texture`, on a lattice of `cells` cubes a
    /// side.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a mesh that is not inside the scene cube, or a driver error.
    pub fn new(
        gpu: &GpuContext,
        mesh: &Mesh,
        cells: u32,
        texture: Texture,
    ) -> Result<Self, RenderError> {
        Self::of(gpu, TetMesh::of(gpu, cells, mesh)?, texture, 0)
    }

    /// A scene of parts that were saved after `steps` steps.
    ///
    /// # Errors
    /// [`RenderError::Numerical`] if the lattice holds no surface, or a driver error.
    pub fn of(
        gpu: &GpuContext,
        tets: TetMesh,
        texture: Texture,
        steps: u64,
    ) -> Result<Self, RenderError> {
        let raster = Rasteriser::new(gpu)?;
        let mut scene = Self { gpu: gpu.clone(), raster, tets, texture, covered: 0, steps };
        scene.tets.march(&scene.raster)?;
        Ok(scene)
    }

    /// The surface's lattice.
    #[must_use]
    pub fn tets(&self) -> &TetMesh {
        &self.tets
    }

    /// The texture.
    pub fn texture(&mut self) -> &mut Texture {
        &mut self.texture
    }

    /// Pixels of the last pictures that show the surface.
    #[must_use]
    pub fn covered(&self) -> u32 {
        self.covered
    }

    /// The surface as it is.
    ///
    /// # Errors
    /// Device loss.
    pub fn mesh(&self) -> Result<Mesh, RenderError> {
        self.tets.surface().read(&self.gpu)
    }

    /// Pictures of views of one size.
    ///
    /// # Errors
    /// As [`Rasteriser::draw`] and [`Rasteriser::finish`].
    pub fn render(
        &mut self,
        views: &[View],
        appearance: Appearance,
    ) -> Result<RasterImages, RenderError> {
        let surface = self.tets.surface();
        self.covered = self.raster.draw(surface, views, appearance)?;
        let colors = self.texture.surface_colors(self.raster.points(), self.covered)?;
        self.raster.finish(surface, colors)
    }

    /// Adds the gradient of `sum(d_color * color) + sum(d_opacity * opacity)` of the last pictures, and of
    /// the regularisers, to the texture's and sets the surface's.
    ///
    /// # Errors
    /// As [`Rasteriser::backward`].
    pub fn backward(
        &mut self,
        d_color: &[f32],
        d_opacity: Option<&[f32]>,
        regularisers: MeshRegularisers,
    ) -> Result<(), RenderError> {
        let (count, texture) = (self.covered, &mut self.texture);
        let values = texture.surface_values().clone();
        self.raster.backward(
            self.tets.surface(),
            &values,
            d_color,
            d_opacity,
            regularisers,
            |d_values, d_points| texture.surface_backward(count, d_values, d_points),
        )?;
        self.tets.backward();
        Ok(())
    }

    /// Takes over how two meshes differ; see [`TetMesh::reshape`].
    ///
    /// # Errors
    /// As [`TetMesh::reshape`]; [`RenderError::Numerical`] if no surface is left.
    pub fn reshape(&mut self, difference: Difference<'_>) -> Result<Mask, RenderError> {
        let uncovered = self.tets.reshape(difference)?;
        self.tets.march(&self.raster)?;
        Ok(uncovered)
    }

    /// Lets only some of what the surface does from here on come through at each place; see
    /// [`TetMesh::set_mask`].
    ///
    /// # Errors
    /// As [`TetMesh::set_mask`].
    pub fn set_mask(&mut self, mask: Option<Mask>) -> Result<(), RenderError> {
        self.tets.set_mask(mask)?;
        self.tets.march(&self.raster)
    }

    /// Gives a scene that was read back the mask that it had; see [`TetMesh::keep_mask`].
    pub fn keep_mask(&mut self, mask: Option<Mask>) {
        self.tets.keep_mask(mask);
    }

    /// One step of the optimisers; the surface is marched anew.
    ///
    /// # Errors
    /// [`RenderError::Numerical`] if the surface vanished, [`RenderError::Invalid`] if it left
    /// the scene cube, device loss.
    pub fn step(&mut self, rates: &Rates, geometry: TetRates) -> Result<(), RenderError> {
        self.texture.step(rates)?;
        self.tets.step(geometry)?;
        self.tets.march(&self.raster)?;
        self.steps += 1;
        if self.steps.is_multiple_of(FOLLOW_EVERY) {
            self.tets.follow()?;
            self.tets.march(&self.raster)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Light, ViewRegion};
    use crate::geometry::extract::{SurfaceOptions, surface};
    use crate::geometry::{ScalarGrid, mesh::samples, topology};
    use crate::render::camera::Camera;
    use crate::render::field::{Field, FieldConfig, PriorConfig, PriorGrid};
    use glam::Vec3;

    fn views(count: u32, size: u32) -> Vec<View> {
        // A golden spiral: evenly over the sphere but for the poles.
        (0..count)
            .map(|i| {
                let azimuth = 137.5 * i as f32;
                let elevation = 55.0 * (2.0 * (i as f32 + 0.5) / count as f32 - 1.0);
                let size = (size, size);
                View {
                    camera: Camera::orbit(Vec3::ZERO, azimuth, elevation, 1.8, 40.0, size),
                    light: Light::Flat,
                    region: ViewRegion::of_azimuth(azimuth),
                    background: [1.0, 1.0, 1.0],
                }
            })
            .collect()
    }

    fn scene(gpu: &GpuContext, start: &Mesh, cells: u32) -> MeshScene {
        let prior = PriorGrid::from_distance(16, |p| p.length() - 0.5).unwrap();
        let mut config = FieldConfig::quick_voxels();
        config.prior = PriorConfig::None;
        config.grid.finest_resolution = 80;
        let texture = Field::new(gpu, config, &prior, 1).unwrap();
        MeshScene::new(gpu, start, cells, Texture::new(gpu, texture)).unwrap()
    }

    /// The true colours.
    fn paint(p: Vec3) -> Vec3 {
        let wave = |k: Vec3| 0.5 + 0.35 * (k.dot(p)).sin();
        Vec3::new(
            wave(Vec3::new(6.0, 3.0, 0.0)),
            wave(Vec3::new(0.0, 7.0, 2.0)),
            wave(Vec3::new(-3.0, 0.0, 6.0)),
        )
    }

    #[test]
    fn a_known_head_is_recovered_from_sixteen_pictures() {
        let gpu = GpuContext::new().unwrap();
        let grid = ScalarGrid::from_fn(96, samples::bust).unwrap();
        let truth = surface(&grid, &SurfaceOptions::default()).unwrap().mesh;
        let sixteen = views(16, 64);
        let mut known = scene(&gpu, &truth, 64);
        let side = known.texture().base().paintable().unwrap();
        let node = |i: usize| {
            let at = |k: usize| 2.0 * (k % side) as f32 / (side - 1) as f32 - 1.0;
            Some(paint(Vec3::new(at(i), at(i / side), at(i / side / side))))
        };
        known.texture().base().paint(&(0..side.pow(3)).map(node).collect::<Vec<_>>()).unwrap();
        let wanted = known.render(&sixteen, Appearance::Shaded).unwrap();
        // From a grey ellipsoid.
        let ellipsoid = |p: Vec3| {
            ((p - Vec3::new(0.0, -0.1, 0.03)) / Vec3::new(0.36, 0.48, 0.42)).length() - 1.0
        };
        let grid = ScalarGrid::from_fn(48, ellipsoid).unwrap();
        let start = surface(&grid, &SurfaceOptions::default()).unwrap().mesh;
        let mut found = scene(&gpu, &start, 40);
        let regularisers = MeshRegularisers { laplacian: 5.0, consistency: 0.02 };
        let steps = 140;
        for step in 0..steps {
            let images = found.render(&sixteen, Appearance::Shaded).unwrap();
            let scale = 2.0 / 16.0;
            let pull = |got: &[f32], want: &[f32], weight: f32| -> Vec<f32> {
                got.iter().zip(want).map(|(g, w)| weight * scale * (g - w)).collect()
            };
            let d_color = pull(&images.color.data, &wanted.color.data, 1.0);
            let d_opacity = pull(&images.opacity, &wanted.opacity, 3.0);
            found.backward(&d_color, Some(&d_opacity), regularisers).unwrap();
            let fall = (2.0 - 1.9 * step as f32 / steps as f32).min(1.0);
            let geometry = TetRates { distance: 0.3 * fall, deform: 0.02 * fall };
            found.step(&Rates::new(0.2 * fall, 0.0), geometry).unwrap();
        }
        let images = found.render(&sixteen, Appearance::Shaded).unwrap();
        let (mut both, mut either) = (0.0, 0.0);
        for (a, b) in images.opacity.iter().zip(&wanted.opacity) {
            both += f64::from(a.min(*b));
            either += f64::from(a.max(*b));
        }
        let squares = images.color.data.iter().zip(&wanted.color.data);
        let error: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let psnr = -10.0 * (error / images.color.data.len() as f64).log10();
        assert!(both / either > 0.97, "IoU {}", both / either);
        assert!(psnr > 30.0, "PSNR {psnr}");
        // From places that no picture was taken from.
        let other = views(23, 64);
        let (got, want) = (
            found.render(&other, Appearance::Shaded).unwrap(),
            known.render(&other, Appearance::Shaded).unwrap(),
        );
        let squares = got.color.data.iter().zip(&want.color.data);
        let error: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let psnr = -10.0 * (error / got.color.data.len() as f64).log10();
        assert!(psnr > 28.0, "PSNR from elsewhere {psnr}");
        let mesh = found.mesh().unwrap();
        let topology = topology::check(&mesh);
        assert!(topology.is_closed_manifold(), "{topology}");
        let volume = mesh.signed_volume() / truth.signed_volume();
        assert!((volume - 1.0).abs() < 0.05, "volume {volume}");
    }
}
