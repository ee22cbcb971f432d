//! Control images of the bare, neutral prior: what tells a diffusion model where
//! the head is. Hair and accessories never appear in them.

use super::atlas::{Atlas, AtlasView, Tiles};
use super::studio::anatomy::Anatomy;
use super::{GpuContext, RenderError};
use crate::batch::{ControlKind, DENSE_CHANNELS, ImageBatch, View, ViewRegion};
use crate::head::landmarks::{CHAINS, LEFT_PUPIL, RIGHT_PUPIL};
use crate::head::{HeadModel, Occluder, Part, Region, ShapedHead};
use glam::{Vec2, Vec3};

/// Samples a pixel along each axis; fixed, because models are trained with it.
const SAMPLES: u32 = 2;
const FLOATS: usize = 19;

/// Side of a pupil in the landmark control image, and its line width: pixels at a
/// height of 512.
const PUPIL: f32 = 4.0;
const LINE: f32 = 2.0;

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
    let (image_width, height) = (first.camera.width as usize, first.camera.height as usize);
    let one_size =
        |v: &View| (v.camera.width as usize, v.camera.height as usize) == (image_width, height);
    if !views.iter().all(one_size) {
        return Err(RenderError::Invalid(
            "the views of one batch must have one size above zero".into(),
        ));
    }
    let model = HeadModel::embedded();
    let points = model.landmarks468(head);
    let mut out = ImageBatch::filled(views.len(), height, image_width, 3, 0.0);
    let size = image_width * height * 3;
    // A segment is hidden if its middle is.
    let middles: Vec<Vec3> = CHAINS
        .iter()
        .flat_map(|chain| chain.points.windows(2).map(|p| (points[p[0]] + points[p[1]]) * 0.5))
        .collect();
    let pupils = model.pupils(head);
    let occluder = occlusion.then(|| Occluder::new(model, head));
    let scale = height as f32 / 512.0;
    for (view, image) in views.iter().zip(out.data.chunks_exact_mut(size)) {
        if view.region == ViewRegion::Back {
            continue;
        }
        let visible = |points: &[Vec3]| match &occluder {
            Some(occluder) => occluder.visible(points, view.camera.position),
            None => vec![true; points.len()],
        };
        let mut line = |a: Vec3, b: Vec3, width: f32, colour: [u8; 3]| {
            let (a, b) = (view.camera.project(a), view.camera.project(b));
            if a.depth > 0.0 && b.depth > 0.0 {
                let line = (width * scale).max(1.0);
                draw_line(image, (image_width, height), a.pixel, b.pixel, line, colour);
            }
        };
        let segments =
            CHAINS.iter().flat_map(|chain| chain.points.windows(2).map(|pair| (pair, chain.color)));
        for ((pair, colour), seen) in segments.zip(visible(&middles)) {
            if seen {
                line(points[pair[0]], points[pair[1]], LINE, colour);
            }
        }
        for ((pupil, colour), seen) in
            pupils.into_iter().zip([LEFT_PUPIL, RIGHT_PUPIL]).zip(visible(&pupils))
        {
            if seen {
                line(pupil, pupil, PUPIL, colour);
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
    colour: [u8; 3],
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
                *value += cover * (f32::from(target) / 255.0 - *value);
            }
        }
    }
}
