//! Control images of the bare, neutral prior: what tells a diffusion model where
//! the head is. Hair and accessories never appear in them.

use super::atlas::{Atlas, AtlasView, Tiles};
use super::studio::anatomy::Anatomy;
use super::{GpuContext, RenderError};
use crate::batch::{ControlKind, DENSE_CHANNELS, ImageBatch, View, ViewRegion};
use crate::head::{HeadModel, Part, Region, ShapedHead};
use glam::{Vec2, Vec3};

/// Samples a pixel along each axis; fixed, because models are trained with it.
const SAMPLES: u32 = 2;
const FLOATS: usize = 19;

/// The contour chains of the landmark control image with their colours (RGB, 0..255).
const CHAINS: [([f32; 3], &[u16]); 13] = [
    (
        [10.0, 200.0, 10.0],
        &[
            10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400,
            377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67,
            109, 10,
        ],
    ),
    ([10.0, 200.0, 180.0], &[263, 249, 390, 373, 374, 380, 381, 382, 362]),
    ([10.0, 200.0, 180.0], &[263, 466, 388, 387, 386, 385, 384, 398, 362]),
    ([10.0, 220.0, 180.0], &[276, 283, 282, 295, 285]),
    ([10.0, 220.0, 180.0], &[300, 293, 334, 296, 336]),
    ([180.0, 200.0, 10.0], &[33, 7, 163, 144, 145, 153, 154, 155, 133]),
    ([180.0, 200.0, 10.0], &[33, 246, 161, 160, 159, 158, 157, 173, 133]),
    ([180.0, 220.0, 10.0], &[46, 53, 52, 65, 55]),
    ([180.0, 220.0, 10.0], &[70, 63, 105, 66, 107]),
    ([10.0, 180.0, 10.0], &[61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]),
    ([10.0, 180.0, 10.0], &[61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]),
    ([10.0, 180.0, 10.0], &[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]),
    ([10.0, 180.0, 10.0], &[78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]),
];

/// Draws control images. Keeps its pipeline and targets between calls.
#[derive(Debug)]
pub struct ControlRenderer {
    atlas: Atlas,
    occlusion: bool,
}

impl ControlRenderer {
    /// A renderer that hides landmark lines behind the head.
    ///
    /// # Errors
    /// A driver error while the pipeline is built.
    pub fn new(context: &GpuContext) -> Result<Self, RenderError> {
        let half = wgpu::Color { r: 0.5, g: 0.5, b: 0.5, a: 0.0 };
        let none = wgpu::Color::TRANSPARENT;
        let atlas = Atlas::new(
            context,
            "control",
            include_str!("../../shaders/control.wgsl"),
            &[3, 3, 3, 4, 3, 3],
            &[half, half, none, none],
        )?;
        Ok(Self { atlas, occlusion: true })
    }

    /// Whether landmark segments that the head hides are left out (the default) or
    /// drawn all the same, as `HeadSculpt`'s authors did.
    #[must_use]
    pub fn with_occlusion(mut self, occlusion: bool) -> Self {
        self.occlusion = occlusion;
        self
    }

    /// Control images of `head` (a neutral shape) for views of equal size:
    /// [`DENSE_CHANNELS`] channels for [`ControlKind::Dense`], else 3.
    ///
    /// # Errors
    /// [`ControlKind::Reference`], which is a render of the avatar and not of the
    /// prior; views of different sizes; an empty list; a driver error.
    pub fn render(
        &mut self,
        kind: ControlKind,
        head: &ShapedHead,
        views: &[View],
    ) -> Result<ImageBatch, RenderError> {
        match kind {
            ControlKind::Dense => Ok(dense(&self.draw(head, views)?, views)),
            ControlKind::Normals => Ok(normals(&self.draw(head, views)?, views.len())),
            ControlKind::Landmarks => landmarks(head, views, self.occlusion),
            ControlKind::Reference => Err(RenderError::Invalid(
                "a reference control image is a render of the avatar, not of the prior".into(),
            )),
        }
    }

    fn draw(&mut self, head: &ShapedHead, views: &[View]) -> Result<Tiles, RenderError> {
        let anatomy = Anatomy::get();
        let vertices = vertices(anatomy, head);
        let triangles = bare_triangles(anatomy.model);
        let scene: Vec<AtlasView> =
            views.iter().map(|v| AtlasView::new(v, [Vec3::ZERO; 3])).collect();
        self.atlas.draw(bytemuck::cast_slice(&vertices), &triangles, &scene, SAMPLES)
    }
}

fn bare_triangles(model: &HeadModel) -> Vec<[u32; 3]> {
    [Part::Skin, Part::EyeLeft, Part::EyeRight, Part::TeethUpper, Part::TeethLower, Part::Tongue]
        .into_iter()
        .flat_map(|part| model.part_triangles(part).iter().copied())
        .collect()
}

fn vertices(anatomy: &Anatomy, head: &ShapedHead) -> Vec<[f32; FLOATS]> {
    let model = anatomy.model;
    let normals = model.normals(&head.positions);
    let canonical = model.canonical();
    let [scalp, brows, nose, lips, mouth, jaw, ears]: [&[f32]; 7] = [
        Region::Scalp,
        Region::Brows,
        Region::Nose,
        Region::Lips,
        Region::InnerMouth,
        Region::Jaw,
        Region::Ears,
    ]
    .map(|r| model.region(r));
    (0..head.positions.len())
        .map(|i| {
            let skin = if anatomy.part[i] == Part::Skin { 1.0 } else { 0.0 };
            let inside = match anatomy.part[i] {
                Part::TeethUpper | Part::TeethLower | Part::Tongue => 0.3,
                _ => (0.3 * mouth[i]).max(lips[i]) * skin,
            };
            let mut v = [0.0; FLOATS];
            v[..3].copy_from_slice(&head.positions[i].to_array());
            v[3..6].copy_from_slice(&normals[i].to_array());
            v[6..9].copy_from_slice(&canonical[i].to_array());
            v[9..13].copy_from_slice(&[scalp[i] * skin, brows[i] * skin, 0.0, nose[i] * skin]);
            v[13..16].copy_from_slice(&[inside, jaw[i] * skin, ears[i] * skin]);
            v[16..].copy_from_slice(&anatomy.gaze[i].to_array());
            v
        })
        .collect()
}

fn dense(tiles: &Tiles, views: &[View]) -> ImageBatch {
    let (width, height) = (tiles.width, tiles.height);
    let mut out = ImageBatch::filled(views.len(), height, width, DENSE_CHANNELS, 0.0);
    for (v, view) in views.iter().enumerate() {
        let [r, g, b] = view.background;
        let background = 0.299 * r + 0.587 * g + 0.114 * b;
        for y in 0..height {
            for x in 0..width {
                let [n, c, u, l] = [0, 1, 2, 3].map(|t| tiles.mean(t, v, x, y));
                let at = ((v * height + y) * width + x) * DENSE_CHANNELS;
                out.data[at..at + DENSE_CHANNELS].copy_from_slice(&[
                    n[0], n[1], n[2], c[0], c[1], c[2], n[3], c[3], background, u[0], u[1], u[2],
                    u[3], l[0], l[1], l[2],
                ]);
            }
        }
    }
    out
}

fn normals(tiles: &Tiles, views: usize) -> ImageBatch {
    let (width, height) = (tiles.width, tiles.height);
    let mut out = ImageBatch::filled(views, height, width, 3, 0.0);
    for v in 0..views {
        for y in 0..height {
            for x in 0..width {
                let n = tiles.mean(0, v, x, y);
                let at = ((v * height + y) * width + x) * 3;
                out.data[at..at + 3].copy_from_slice(&n[..3]);
            }
        }
    }
    out
}

fn landmarks(
    head: &ShapedHead,
    views: &[View],
    occlusion: bool,
) -> Result<ImageBatch, RenderError> {
    let Some(first) = views.first() else {
        return Err(RenderError::Invalid("there is no view to draw".into()));
    };
    let (width, height) = (first.camera.width as usize, first.camera.height as usize);
    if views.iter().any(|v| (v.camera.width as usize, v.camera.height as usize) != (width, height))
    {
        return Err(RenderError::Invalid(
            "the views of one batch must have one size above zero".into(),
        ));
    }
    let model = HeadModel::embedded();
    let points = model.landmarks468(head);
    let mut out = ImageBatch::filled(views.len(), height, width, 3, 0.0);
    let size = width * height * 3;
    for (view, image) in views.iter().zip(out.data.chunks_exact_mut(size)) {
        if view.region == ViewRegion::Back {
            continue;
        }
        let depth = occlusion.then(|| DepthMap::new(model, head, view));
        let line = (2.0 * height as f32 / 512.0).max(1.0);
        for (colour, chain) in CHAINS {
            for pair in chain.windows(2) {
                let [a, b] = [points[pair[0] as usize], points[pair[1] as usize]];
                if depth.as_ref().is_some_and(|d| d.hides((a + b) * 0.5)) {
                    continue;
                }
                let (a, b) = (view.camera.project(a), view.camera.project(b));
                if a.depth > 0.0 && b.depth > 0.0 {
                    draw_line(image, (width, height), a.pixel, b.pixel, line, colour);
                }
            }
        }
    }
    Ok(out)
}

fn draw_line(
    image: &mut [f32],
    (width, height): (usize, usize),
    a: Vec2,
    b: Vec2,
    line: f32,
    colour: [f32; 3],
) {
    let reach = 0.5 * line + 0.5;
    let low = a.min(b) - reach;
    let high = a.max(b) + reach;
    let along = b - a;
    let squared = along.length_squared().max(1e-12);
    let range = |from: f32, to: f32, size: usize| {
        let clamp = |v: f32| v.clamp(0.0, size as f32) as usize;
        clamp(from.floor())..clamp(to.ceil())
    };
    for y in range(low.y, high.y, height) {
        for x in range(low.x, high.x, width) {
            let p = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
            let t = ((p - a).dot(along) / squared).clamp(0.0, 1.0);
            let cover = (reach - p.distance(a + along * t)).clamp(0.0, 1.0);
            let pixel = (y * width + x) * 3;
            for (value, target) in image[pixel..pixel + 3].iter_mut().zip(colour) {
                *value += cover * (target / 255.0 - *value);
            }
        }
    }
}

/// A small software depth buffer of the prior, enough to tell which side of the
/// face a landmark lies on.
struct DepthMap {
    camera: crate::render::camera::Camera,
    depth: Vec<f32>,
}

impl DepthMap {
    const SIZE: u32 = 160;
    /// How far behind the surface a landmark still counts as visible, world units.
    const SLACK: f32 = 0.03;

    fn new(model: &HeadModel, head: &ShapedHead, view: &View) -> Self {
        let n = Self::SIZE as usize;
        let camera = view.camera.with_size(
            (Self::SIZE * view.camera.width).div_ceil(view.camera.height.max(1)).max(1),
            Self::SIZE,
        );
        let columns = camera.width as usize;
        let mut depth = vec![f32::INFINITY; n * columns];
        let projected: Vec<_> = head.positions.iter().map(|p| camera.project(*p)).collect();
        for t in bare_triangles(model) {
            let [a, b, c] = t.map(|i| projected[i as usize]);
            if a.depth <= 0.0 || b.depth <= 0.0 || c.depth <= 0.0 {
                continue;
            }
            let area = (b.pixel - a.pixel).perp_dot(c.pixel - a.pixel);
            if area.abs() < 1e-9 {
                continue;
            }
            let low = a.pixel.min(b.pixel).min(c.pixel);
            let high = a.pixel.max(b.pixel).max(c.pixel);
            let range = |from: f32, to: f32, size: usize| {
                let clamp = |v: f32| v.clamp(0.0, size as f32) as usize;
                clamp((from - 0.5).ceil())..clamp((to + 0.5).floor())
            };
            for y in range(low.y, high.y, n) {
                for x in range(low.x, high.x, columns) {
                    let p = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                    let u = (p - a.pixel).perp_dot(c.pixel - a.pixel) / area;
                    let v = (b.pixel - a.pixel).perp_dot(p - a.pixel) / area;
                    if u < 0.0 || v < 0.0 || u + v > 1.0 {
                        continue;
                    }
                    let z = a.depth + u * (b.depth - a.depth) + v * (c.depth - a.depth);
                    let cell = &mut depth[y * columns + x];
                    *cell = cell.min(z);
                }
            }
        }
        Self { camera, depth }
    }

    fn hides(&self, point: Vec3) -> bool {
        let p = self.camera.project(point);
        let (x, y) = (p.pixel.x.floor(), p.pixel.y.floor());
        if x < 0.0 || y < 0.0 || x >= self.camera.width as f32 || y >= self.camera.height as f32 {
            return false;
        }
        let cell = self.depth[y as usize * self.camera.width as usize + x as usize];
        p.depth > cell + Self::SLACK
    }
}
