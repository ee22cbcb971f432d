//! The one right-handed camera that rays, the rasteriser and landmark projection share.
//!
//! World: y up, the head faces +z, the subject's left is +x. Pixel coordinates
//! have their origin at the image's top left corner; pixel centres are at `+ 0.5`.

use glam::{Mat3, Mat4, Vec2, Vec3};

/// A pinhole camera with square pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Centre of projection, world units.
    pub position: Vec3,
    /// Unit vector to the image's right.
    pub right: Vec3,
    /// Unit vector to the image's top.
    pub up: Vec3,
    /// Unit viewing direction.
    pub forward: Vec3,
    /// Vertical field of view, radians.
    pub fov_y: f32,
    /// Image width, pixels.
    pub width: u32,
    /// Image height, pixels.
    pub height: u32,
}

/// Where a world point lands in the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projected {
    /// Pixel coordinates.
    pub pixel: Vec2,
    /// Distance along the viewing direction, world units; positive in front.
    pub depth: f32,
}

impl Camera {
    /// A camera on an orbit round `target`. Azimuth is measured from +z towards +x
    /// (0 looks at the face, 90 sees the subject's left side), elevation from the
    /// horizontal plane upwards; both in degrees, elevation within (-90, 90).
    #[must_use]
    pub fn orbit(
        target: Vec3,
        azimuth_degrees: f32,
        elevation_degrees: f32,
        radius: f32,
        fov_y_degrees: f32,
        size: (u32, u32),
    ) -> Self {
        let (sin_a, cos_a) = azimuth_degrees.to_radians().sin_cos();
        let (sin_e, cos_e) = elevation_degrees.to_radians().sin_cos();
        let outward = Vec3::new(sin_a * cos_e, sin_e, cos_a * cos_e);
        let forward = -outward;
        let right = forward.cross(Vec3::Y).normalize();
        let up = right.cross(forward);
        Self {
            position: target + outward * radius,
            right,
            up,
            forward,
            fov_y: fov_y_degrees.to_radians(),
            width: size.0,
            height: size.1,
        }
    }

    /// Focal length in pixels.
    #[must_use]
    pub fn focal(&self) -> f32 {
        0.5 * self.height as f32 / (0.5 * self.fov_y).tan()
    }

    /// Projects a world point.
    #[must_use]
    pub fn project(&self, point: Vec3) -> Projected {
        let d = point - self.position;
        let depth = d.dot(self.forward);
        let scale = self.focal() / depth;
        let pixel = Vec2::new(
            0.5 * self.width as f32 + d.dot(self.right) * scale,
            0.5 * self.height as f32 - d.dot(self.up) * scale,
        );
        Projected { pixel, depth }
    }

    /// The unit direction of the ray through a pixel coordinate.
    #[must_use]
    pub fn ray(&self, pixel: Vec2) -> Vec3 {
        let f = self.focal();
        let x = (pixel.x - 0.5 * self.width as f32) / f;
        let y = (0.5 * self.height as f32 - pixel.y) / f;
        (self.forward + self.right * x + self.up * y).normalize()
    }

    /// World to camera space, right-handed: x right, y up, z towards the viewer.
    #[must_use]
    pub fn view_matrix(&self) -> Mat4 {
        let rotation = self.world_to_camera();
        Mat4::from_mat3(rotation) * Mat4::from_translation(-self.position)
    }

    /// The rotation part of [`Self::view_matrix`].
    #[must_use]
    pub fn world_to_camera(&self) -> Mat3 {
        Mat3::from_cols(self.right, self.up, -self.forward).transpose()
    }

    /// Clip-space matrix for wgpu (depth 0..1).
    #[must_use]
    pub fn clip_matrix(&self, near: f32, far: f32) -> Mat4 {
        let aspect = self.width as f32 / self.height as f32;
        Mat4::perspective_rh(self.fov_y, aspect, near, far) * self.view_matrix()
    }

    /// The same camera with another image size.
    #[must_use]
    pub fn with_size(mut self, width: u32, height: u32) -> Self {
        self.width = width;
        self.height = height;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_left_is_image_right_from_the_front_and_rays_invert_projection() {
        let cam = Camera::orbit(Vec3::ZERO, 0.0, 0.0, 3.0, 30.0, (64, 64));
        let p = cam.project(Vec3::new(0.2, 0.1, 0.0));
        assert!(p.pixel.x > 32.0 && p.pixel.y < 32.0);
        for azimuth in [0.0, 30.0, 60.0, 90.0, 200.0] {
            let cam = Camera::orbit(Vec3::new(0.0, 0.1, 0.0), azimuth, 15.0, 2.0, 40.0, (80, 48));
            let point = Vec3::new(0.3, -0.2, 0.25);
            let p = cam.project(point);
            let along = (point - cam.position).normalize();
            assert!((cam.ray(p.pixel) - along).length() < 1e-5);
            let clip = cam.clip_matrix(0.1, 10.0) * point.extend(1.0);
            let x = (clip.x / clip.w * 0.5 + 0.5) * 80.0;
            let y = (0.5 - clip.y / clip.w * 0.5) * 48.0;
            assert!((Vec2::new(x, y) - p.pixel).length() < 1e-3);
        }
        let side = Camera::orbit(Vec3::ZERO, 90.0, 0.0, 3.0, 30.0, (64, 64));
        assert!((side.forward - Vec3::NEG_X).length() < 1e-6);
    }
}
