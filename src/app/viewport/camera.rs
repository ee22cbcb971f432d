//! The camera of the live view, which turns round a point.

use crate::render::camera::Camera;
use eframe::egui;
use egui::{Pos2, Rect};
use glam::{Mat4, Vec2, Vec3};
use serde::{Deserialize, Serialize};

/// Farthest from the horizontal plane, degrees: at 90 there is no way up.
const MAX_ELEVATION: f32 = 89.0;
/// Nearest to the target, world units (a head is 0.7 from chin to crown).
pub const MIN_DISTANCE: f32 = 0.3;
/// Farthest from the target, world units.
pub const MAX_DISTANCE: f32 = 20.0;
/// Degrees that a drag of one point turns.
const DEGREES_A_POINT: f32 = 0.4;
/// Free space round what [`OrbitCamera::frame`] fits, as a share of its size.
const MARGIN: f32 = 1.06;
/// The widest field of view, degrees.
const MAX_FOV: f32 = 120.0;

/// A camera on an orbit round `target`.
///
/// World: y up, the head faces +z, the subject's left is +x. Sizes and drags are in egui's
/// points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrbitCamera {
    /// What it turns round and looks at, world units.
    pub target: Vec3,
    /// From +z towards +x, in [-180, 180): 0 looks at the face, 90 sees the subject's left.
    pub azimuth_degrees: f32,
    /// From the horizontal plane upwards, in [-89, 89].
    pub elevation_degrees: f32,
    /// From the target, world units, in [[`MIN_DISTANCE`], [`MAX_DISTANCE`]].
    pub distance: f32,
    /// Field of view of the shorter side of the picture, degrees: in a narrow window the
    /// head stays whole.
    pub fov_degrees: f32,
}

/// A named direction to look from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// At the face.
    Front,
    /// At the back of the head.
    Back,
    /// At the subject's left side.
    Left,
    /// At the subject's right side.
    Right,
    /// From above, the face towards the bottom of the picture.
    Top,
}

impl Preset {
    /// All of them, in the order of menus.
    pub const ALL: [Self; 5] = [Self::Front, Self::Back, Self::Left, Self::Right, Self::Top];

    /// Its name in menus.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Front => "Front",
            Self::Back => "Back",
            Self::Left => "Left side",
            Self::Right => "Right side",
            Self::Top => "Top",
        }
    }

    /// Azimuth and elevation, degrees.
    #[must_use]
    pub fn angles(self) -> (f32, f32) {
        match self {
            Self::Front => (0.0, 0.0),
            Self::Back => (-180.0, 0.0),
            Self::Left => (90.0, 0.0),
            Self::Right => (-90.0, 0.0),
            Self::Top => (0.0, MAX_ELEVATION),
        }
    }
}

impl Default for OrbitCamera {
    /// The camera of [`crate::render::mesh::orbit_view`] from the front: 1.4 units are as
    /// high as a square picture.
    fn default() -> Self {
        const FOV: f32 = 30.0;
        Self {
            target: Vec3::ZERO,
            azimuth_degrees: 0.0,
            elevation_degrees: 0.0,
            distance: 0.7 / (0.5 * FOV).to_radians().tan(),
            fov_degrees: FOV,
        }
    }
}

impl OrbitCamera {
    /// The same camera with every value in its range; what is not finite becomes the default.
    #[must_use]
    pub fn sanitized(self) -> Self {
        let default = Self::default();
        let number = |x: f32, otherwise: f32| if x.is_finite() { x } else { otherwise };
        Self {
            target: if self.target.is_finite() { self.target } else { default.target },
            azimuth_degrees: wrapped(number(self.azimuth_degrees, 0.0)),
            elevation_degrees: number(self.elevation_degrees, 0.0)
                .clamp(-MAX_ELEVATION, MAX_ELEVATION),
            distance: number(self.distance, default.distance).clamp(MIN_DISTANCE, MAX_DISTANCE),
            fov_degrees: number(self.fov_degrees, default.fov_degrees).clamp(1.0, MAX_FOV),
        }
    }

    /// Turns with a drag: the head follows the pointer.
    pub fn orbit(&mut self, drag: egui::Vec2) {
        self.turn(-drag.x * DEGREES_A_POINT, drag.y * DEGREES_A_POINT);
    }

    /// Turns by angles, degrees.
    pub fn turn(&mut self, azimuth: f32, elevation: f32) {
        self.azimuth_degrees += azimuth;
        self.elevation_degrees += elevation;
        *self = self.sanitized();
    }

    /// Moves the target in the plane of the picture: what is under the pointer at the
    /// target's depth stays under it. `size` is that of the picture.
    pub fn pan(&mut self, drag: egui::Vec2, size: egui::Vec2) {
        let shorter = size.min_elem();
        if shorter > 0.0 {
            let (right, up, _) = self.axes();
            let scale = 2.0 * self.distance * self.tan_half() / shorter;
            self.target += (up * drag.y - right * drag.x) * scale;
            *self = self.sanitized();
        }
    }

    /// Comes nearer by a factor above 1, goes back by one below.
    pub fn zoom(&mut self, factor: f32) {
        if factor > 0.0 {
            self.distance /= factor;
            *self = self.sanitized();
        }
    }

    /// [`OrbitCamera::zoom`] that keeps what is under `at` at the target's depth in its
    /// place. `rect` is that of the picture.
    pub fn zoom_at(&mut self, factor: f32, at: Pos2, rect: Rect) {
        let before = self.distance;
        self.zoom(factor);
        // As a drag at the new distance.
        let from_centre = at - rect.center();
        self.pan(from_centre * (1.0 - before / self.distance), rect.size());
    }

    /// Looks at a box from its present direction, as near as it can be while all of the box
    /// is in the picture, however wide or high that is.
    pub fn frame(&mut self, min: Vec3, max: Vec3) {
        self.frame_points((0..8).map(|corner| {
            let side = |bit: u32, lo: f32, hi: f32| if corner >> bit & 1 == 1 { hi } else { lo };
            let [x, y, z] = [0, 1, 2].map(|axis| side(axis as u32, min[axis], max[axis]));
            Vec3::new(x, y, z)
        }));
    }

    /// [`Self::frame`] for points, which is nearer than for the box round them. Without
    /// points nothing changes.
    pub fn frame_points(&mut self, points: impl Iterator<Item = Vec3> + Clone) {
        let (right, up, outward) = self.axes();
        // In camera space, so that what is fitted is in the middle of the picture.
        let turned = points.map(|p| Vec3::new(p.dot(right), p.dot(up), p.dot(outward)));
        let everything = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        let (min, max) = turned.clone().fold(everything, |(lo, hi), p| (lo.min(p), hi.max(p)));
        if !(min.is_finite() && max.is_finite()) {
            return;
        }
        let centre = 0.5 * (min + max);
        let tan = self.tan_half();
        self.distance = turned
            .map(|p| {
                let q = (p - centre) * MARGIN;
                q.x.abs().max(q.y.abs()) / tan + q.z
            })
            .fold(0.0, f32::max);
        self.target = right * centre.x + up * centre.y + outward * centre.z;
        *self = self.sanitized();
    }

    /// Looks from a named direction, at the same target from the same distance.
    pub fn look(&mut self, preset: Preset) {
        (self.azimuth_degrees, self.elevation_degrees) = preset.angles();
    }

    /// Whether it looks from a named direction.
    #[must_use]
    pub fn looks(&self, preset: Preset) -> bool {
        let (azimuth, elevation) = preset.angles();
        wrapped(self.azimuth_degrees - azimuth).abs() < 0.5
            && (self.elevation_degrees - elevation).abs() < 0.5
    }

    /// The direction in words, for those who do not see the picture.
    #[must_use]
    pub fn description(&self) -> &'static str {
        if self.elevation_degrees.abs() > 60.0 {
            return if self.elevation_degrees > 0.0 { "from above" } else { "from below" };
        }
        match (wrapped(self.azimuth_degrees + 22.5) / 45.0).floor() as i32 {
            0 => "front view",
            1 => "three-quarter view from the subject's left",
            2 => "view of the subject's left side",
            3 => "view from behind on the subject's left",
            -1 => "three-quarter view from the subject's right",
            -2 => "view of the subject's right side",
            -3 => "view from behind on the subject's right",
            _ => "back view",
        }
    }

    /// Centre of projection, world units.
    #[must_use]
    pub fn eye(&self) -> Vec3 {
        self.target + self.axes().2 * self.distance
    }

    /// World to camera space, right-handed: x right, y up, z towards the viewer.
    #[must_use]
    pub fn view_matrix(&self) -> Mat4 {
        self.camera((1, 1)).view_matrix()
    }

    /// Camera to clip space for wgpu (depth 0..1). `aspect` is width over height.
    #[must_use]
    pub fn projection(&self, aspect: f32) -> Mat4 {
        // A head fits between these at any distance; 32-bit depth has room for more.
        let near = (self.distance - 5.0).max(0.02);
        Mat4::perspective_rh(self.fov_y(aspect), aspect, near, self.distance + 20.0)
    }

    /// The same camera as the renderers of pictures know it. Sides of 0 count as 1.
    #[must_use]
    pub fn camera(&self, (width, height): (u32, u32)) -> Camera {
        let size = (width.max(1), height.max(1));
        let fov_y = self.fov_y(size.0 as f32 / size.1 as f32).to_degrees();
        let (azimuth, elevation) = (self.azimuth_degrees, self.elevation_degrees);
        Camera::orbit(self.target, azimuth, elevation, self.distance, fov_y, size)
    }

    /// Where a point of the world is in a picture at `rect`; `None` behind the viewer.
    #[must_use]
    pub fn project(&self, point: Vec3, rect: Rect) -> Option<Pos2> {
        let (right, up, outward) = self.axes();
        let d = point - self.eye();
        let depth = -d.dot(outward);
        let scale = 0.5 * rect.size().min_elem() / (self.tan_half() * depth);
        (depth > 1e-3).then(|| rect.center() + egui::vec2(d.dot(right) * scale, -d.dot(up) * scale))
    }

    /// The ray through a place of a picture at `rect`: where it starts, and its unit
    /// direction. In an empty picture it looks at the target.
    #[must_use]
    pub fn ray(&self, at: Pos2, rect: Rect) -> (Vec3, Vec3) {
        let (right, up, outward) = self.axes();
        let half = 0.5 * rect.size().min_elem();
        let offset = if half > 0.0 { (at - rect.center()) / half } else { egui::Vec2::ZERO };
        let offset = Vec2::new(offset.x, -offset.y) * self.tan_half();
        (self.eye(), (right * offset.x + up * offset.y - outward).normalize())
    }

    /// Right, up, and towards the viewer.
    fn axes(&self) -> (Vec3, Vec3, Vec3) {
        let camera = self.camera((1, 1));
        (camera.right, camera.up, -camera.forward)
    }

    /// Half the shorter side of the picture at distance 1.
    fn tan_half(&self) -> f32 {
        (0.5 * self.fov_degrees).to_radians().tan()
    }

    /// Vertical field of view, radians.
    fn fov_y(&self, aspect: f32) -> f32 {
        2.0 * (self.tan_half() * (1.0 / aspect).max(1.0)).atan()
    }
}

/// The same angle in [-180, 180).
fn wrapped(degrees: f32) -> f32 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::mesh::orbit_view;
    use egui::{pos2, vec2};

    const WIDE: Rect = Rect { min: pos2(30.0, 50.0), max: pos2(830.0, 650.0) };
    const NARROW: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(300.0, 700.0) };

    fn some_cameras() -> Vec<OrbitCamera> {
        let mut cameras = Vec::new();
        for (azimuth, elevation) in [(0.0, 0.0), (37.0, -20.0), (-150.0, 60.0), (90.0, 89.0)] {
            cameras.push(OrbitCamera {
                target: Vec3::new(0.1, -0.2, 0.05),
                azimuth_degrees: azimuth,
                elevation_degrees: elevation,
                ..OrbitCamera::default()
            });
        }
        cameras
    }

    #[test]
    fn the_default_is_the_camera_of_offline_pictures() {
        for (azimuth, elevation) in [(0.0, 0.0), (120.0, 5.0)] {
            let mut camera = OrbitCamera::default();
            camera.turn(azimuth, elevation);
            let (ours, theirs) =
                (camera.camera((64, 64)), orbit_view(azimuth, elevation, 64).camera);
            assert!(ours.position.distance(theirs.position) < 1e-5);
            assert!(ours.right.distance(theirs.right) < 1e-6);
            assert!((ours.fov_y - theirs.fov_y).abs() < 1e-6);
        }
    }

    #[test]
    fn rays_invert_projection_and_matrices_agree() {
        for camera in some_cameras() {
            for rect in [WIDE, NARROW] {
                let point = Vec3::new(0.3, 0.1, -0.2);
                let at = camera.project(point, rect).unwrap();
                let (origin, direction) = camera.ray(at, rect);
                let along = (point - origin).normalize();
                assert!(direction.distance(along) < 1e-5);
                let clip = camera.projection(rect.aspect_ratio())
                    * camera.view_matrix()
                    * point.extend(1.0);
                let ndc = clip / clip.w;
                let by_matrix = pos2(
                    rect.min.x + (0.5 + 0.5 * ndc.x) * rect.width(),
                    rect.min.y + (0.5 - 0.5 * ndc.y) * rect.height(),
                );
                assert!(by_matrix.distance(at) < 0.01, "{by_matrix:?} {at:?}");
                assert!((0.0..1.0).contains(&ndc.z));
            }
        }
    }

    #[test]
    fn nothing_behind_the_viewer_is_projected() {
        let camera = OrbitCamera::default();
        assert_eq!(camera.project(Vec3::Z * 5.0, WIDE), None);
        assert_eq!(camera.project(Vec3::ZERO, WIDE), Some(WIDE.center()));
    }

    #[test]
    fn panning_keeps_what_is_under_the_pointer() {
        for camera in some_cameras() {
            for rect in [WIDE, NARROW] {
                let (origin, direction) = camera.ray(pos2(200.0, 300.0), rect);
                let outward = (camera.eye() - camera.target).normalize();
                let depth = camera.distance / -direction.dot(outward);
                let grabbed = origin + direction * depth;
                let mut moved = camera;
                moved.pan(vec2(45.0, -80.0), rect.size());
                let now = moved.project(grabbed, rect).unwrap();
                assert!(now.distance(pos2(245.0, 220.0)) < 0.01, "{now:?}");
            }
        }
    }

    #[test]
    fn zoom_has_limits_and_keeps_its_place() {
        let mut camera = OrbitCamera::default();
        camera.zoom(2.0);
        assert!((camera.distance - 0.5 * OrbitCamera::default().distance).abs() < 1e-6);
        camera.zoom(1e9);
        assert_eq!(camera.distance, MIN_DISTANCE);
        camera.zoom(1e-9);
        assert_eq!(camera.distance, MAX_DISTANCE);
        for wrong in [0.0, -3.0, f32::NAN] {
            camera.zoom(wrong);
            assert_eq!(camera.distance, MAX_DISTANCE);
        }
        let mut camera = some_cameras()[1];
        let point = camera.target + camera.axes().0 * 0.2 + camera.axes().1 * 0.1;
        let at = camera.project(point, WIDE).unwrap();
        camera.zoom_at(1.7, at, WIDE);
        assert!(camera.project(point, WIDE).unwrap().distance(at) < 0.01);
    }

    #[test]
    fn framing_contains_the_box_and_fills_the_picture() {
        let (min, max) = (Vec3::new(-0.4, -0.7, -0.3), Vec3::new(0.5, 0.6, 0.5));
        for mut camera in some_cameras() {
            camera.frame(min, max);
            for rect in [WIDE, NARROW] {
                let mut seen = Rect::NOTHING;
                for i in 0..8 {
                    let pick = |bit: i32, lo: f32, hi: f32| if i >> bit & 1 == 1 { hi } else { lo };
                    let corner = Vec3::new(
                        pick(0, min.x, max.x),
                        pick(1, min.y, max.y),
                        pick(2, min.z, max.z),
                    );
                    seen.extend_with(camera.project(corner, rect).unwrap());
                }
                assert!(rect.contains_rect(seen), "{seen:?}");
                let filled = seen.size().max_elem() / rect.size().min_elem();
                assert!(filled > 0.7, "{filled}");
            }
        }
    }

    #[test]
    fn framing_points_is_nearer_than_framing_their_box() {
        let mut camera = some_cameras()[1];
        let before = camera;
        camera.frame_points(std::iter::empty());
        assert_eq!(camera, before);
        let ball = crate::geometry::mesh::samples::sphere(Vec3::ONE, 0.45, 40, 80);
        camera.frame_points(ball.positions.iter().copied());
        assert!(camera.target.distance(Vec3::ONE) < 5e-3);
        let touching = 0.45 * MARGIN / 15f32.to_radians().sin();
        assert!((camera.distance - touching).abs() < 0.02, "{camera:?} {touching}");
    }

    #[test]
    fn turning_is_kept_in_range() {
        let mut camera = OrbitCamera::default();
        camera.orbit(vec2(-1000.0, 1000.0));
        assert_eq!(camera.elevation_degrees, 89.0);
        assert!((camera.azimuth_degrees - 40.0).abs() < 1e-3);
        camera.orbit(vec2(0.0, -5000.0));
        assert_eq!(camera.elevation_degrees, -89.0);
        let broken = OrbitCamera {
            target: Vec3::NAN,
            azimuth_degrees: f32::INFINITY,
            elevation_degrees: 400.0,
            distance: f32::NAN,
            fov_degrees: 0.0,
        };
        let repaired = broken.sanitized();
        assert_eq!(repaired.sanitized(), repaired);
        assert_eq!(repaired.elevation_degrees, 89.0);
    }

    #[test]
    fn presets_look_from_where_they_say() {
        let sides = [
            (Preset::Front, Vec3::Z, "front view"),
            (Preset::Back, Vec3::NEG_Z, "back view"),
            (Preset::Left, Vec3::X, "view of the subject's left side"),
            (Preset::Right, Vec3::NEG_X, "view of the subject's right side"),
            (Preset::Top, Vec3::Y, "from above"),
        ];
        for (preset, side, words) in sides {
            let mut camera = OrbitCamera::default();
            camera.look(preset);
            assert!(camera.eye().normalize().distance(side) < 0.02, "{preset:?}");
            assert_eq!(camera.description(), words);
            assert_eq!(Preset::ALL.iter().filter(|p| camera.looks(**p)).count(), 1);
        }
    }

    #[test]
    fn it_is_kept_as_text() {
        let camera = some_cameras()[1];
        let text = serde_json::to_string(&camera).unwrap();
        assert_eq!(serde_json::from_str::<OrbitCamera>(&text).unwrap(), camera);
        assert_eq!(serde_json::from_str::<OrbitCamera>("{}").unwrap(), OrbitCamera::default());
    }
}
