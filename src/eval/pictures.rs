//! Pictures of heads, as they are judged, compared and shown.

use crate::batch::{ImageBatch, Light, View, ViewRegion};
use crate::geometry::TexturedMesh;
use crate::io::image;
use crate::render::GpuContext;
use crate::render::RenderError;
use crate::render::camera::Camera;
use crate::render::mesh::{MeshRenderer, RenderKind, turntable_views};
use crate::render::studio::framed_camera;
use ::image::RgbImage;
use glam::{Vec2, Vec3};

/// Side of the pictures, pixels: what the classifier reads.
const SIZE: u32 = 128;
/// Samples along a pixel's side.
const SAMPLES: u32 = 4;
/// Elevation of all cameras, degrees.
const ELEVATION: f32 = 5.0;
/// Azimuths of the ring of views, and of the close-ups of the face, degrees.
const RING: [f32; 8] = [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0];
const CLOSE: [f32; 3] = [0.0, 30.0, 330.0];
const CLOSE_DISTANCE: f32 = 0.66;
/// Views of a strip that people look at, and their side in pixels.
const STRIP_VIEWS: u32 = 8;
const STRIP_SIZE: u32 = 256;

/// Pictures of one subject.
#[derive(Debug)]
pub struct Pictures {
    /// RGB, flat light.
    pub images: ImageBatch,
    /// The azimuth of each, degrees.
    pub azimuths: Vec<f32>,
}

/// The ring of views of a head, as data to compare pixel by pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// RGB, flat light.
    pub albedo: ImageBatch,
    /// Of each pixel of each view, the point that it shows; `None` unless the head covers all
    /// of the pixel.
    pub points: Vec<Option<Vec3>>,
}

/// Draws heads for this module's questions.
#[derive(Debug)]
pub struct Portraits {
    renderer: MeshRenderer,
}

impl Portraits {
    /// # Errors
    /// What the driver reports.
    pub fn new(gpu: &GpuContext) -> Result<Self, RenderError> {
        Ok(Self { renderer: MeshRenderer::new(gpu)? })
    }

    /// What the classifier reads: the ring and the close-ups.
    ///
    /// # Errors
    /// A driver error.
    pub fn pictures(&self, mesh: &TexturedMesh) -> Result<Pictures, RenderError> {
        let uploaded = self.renderer.upload(mesh)?;
        let (views, azimuths) = views();
        let images = self.renderer.render(&uploaded, &views, RenderKind::Albedo, SAMPLES)?;
        Ok(Pictures { images, azimuths })
    }

    /// What two heads are compared by.
    ///
    /// # Errors
    /// A driver error.
    pub fn ring(&self, mesh: &TexturedMesh) -> Result<Ring, RenderError> {
        let uploaded = self.renderer.upload(mesh)?;
        let views = &views().0[..RING.len()];
        let draw = |kind, samples| self.renderer.render(&uploaded, views, kind, samples);
        let albedo = draw(RenderKind::Albedo, SAMPLES)?;
        let mask = draw(RenderKind::Mask, SAMPLES)?;
        // Depths of several surfaces have no mean.
        let depth = draw(RenderKind::Depth, 1)?;
        let pixels = (SIZE * SIZE) as usize;
        let point = |i: usize| {
            let covered = mask.data[i * 3] > 0.999;
            covered.then(|| unproject(&views[i / pixels].camera, i % pixels, depth.data[i * 3]))
        };
        let points = (0..views.len() * pixels).map(point).collect();
        Ok(Ring { albedo, points })
    }

    /// Eight lit views round the head, the first of the face.
    ///
    /// # Errors
    /// A driver error.
    pub fn strip(&self, mesh: &TexturedMesh) -> Result<Vec<RgbImage>, RenderError> {
        let uploaded = self.renderer.upload(mesh)?;
        let views = turntable_views(STRIP_VIEWS, ELEVATION, STRIP_SIZE);
        let images = self.renderer.render(&uploaded, &views, RenderKind::Shaded, SAMPLES)?;
        Ok(image::pictures(&images))
    }
}

/// The ring and then the close-ups, in flat light on grey.
pub(super) fn views() -> (Vec<View>, Vec<f32>) {
    let ring = RING.map(|azimuth| (azimuth, 1.0));
    let all = ring.into_iter().chain(CLOSE.map(|azimuth| (azimuth, CLOSE_DISTANCE)));
    all.map(|(azimuth, distance)| {
        let camera = framed_camera(azimuth, ELEVATION, 28.0, distance, Vec3::ZERO, SIZE);
        let region = ViewRegion::of_azimuth(azimuth);
        (View { camera, light: Light::Flat, region, background: [0.6; 3] }, azimuth)
    })
    .unzip()
}

/// The world point that a pixel shows, from its value in a depth picture
/// ([`RenderKind::Depth`]).
fn unproject(camera: &Camera, pixel: usize, value: f32) -> Vec3 {
    let (x, y) = (pixel as u32 % camera.width, pixel as u32 / camera.width);
    let ray = camera.ray(Vec2::new(x as f32 + 0.5, y as f32 + 0.5));
    let depth = -camera.position.dot(camera.forward) - (2.0 * value - 1.0);
    camera.position + ray * (depth / ray.dot(camera.forward))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::sphere;
    use ::image::{Rgba, RgbaImage};

    #[test]
    fn pixels_know_the_points_that_they_show() {
        let mesh = sphere(Vec3::new(0.1, 0.05, 0.0), 0.4, 60, 80);
        let normals =
            mesh.positions.iter().map(|p| (*p - Vec3::new(0.1, 0.05, 0.0)).normalize()).collect();
        let uvs = vec![Vec2::splat(0.5); mesh.positions.len()];
        let albedo = RgbaImage::from_pixel(4, 4, Rgba([200, 100, 50, 255]));
        let ball = TexturedMesh { mesh, normals, uvs, albedo };
        let gpu = GpuContext::new().unwrap();
        let ring = Portraits::new(&gpu).unwrap().ring(&ball).unwrap();
        let seen: Vec<Vec3> = ring.points.iter().flatten().copied().collect();
        let covered = seen.len() as f32 / ring.points.len() as f32;
        // A disc of radius 0.4 in a frame of 1.4.
        assert!((covered - 0.256).abs() < 0.02, "{covered}");
        for point in seen {
            let off = point.distance(Vec3::new(0.1, 0.05, 0.0)) - 0.4;
            assert!(off.abs() < 2e-3, "{point} {off}");
        }
    }
}
