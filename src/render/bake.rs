//! Painting a texture: which point of the surface each texel shows, and its colour.

use crate::geometry::uv::{UnwrapOptions, unwrap};
use crate::geometry::{GeometryError, Mesh, TexturedMesh, smooth};
use glam::{Vec2, Vec3};
use image::RgbaImage;

/// Texels beyond a chart's border that get the colour of the nearest point inside, so
/// that bilinear lookups along the border see the surface only.
const REACH: f32 = 1.5;

/// Rounds of spreading colours further outwards, for renderers that shrink the texture.
const SPREAD: usize = 12;

/// What can go wrong while baking; `E` is the error of the colour source.
#[derive(Debug, thiserror::Error)]
pub enum BakeError<E> {
    /// The mesh cannot be unwrapped or painted.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// The colour source failed.
    #[error(transparent)]
    Source(E),
    /// The colour source gave another number of colours than it was asked for.
    #[error("the colour source returned {actual} colours for {expected} points")]
    Count {
        /// Points asked for.
        expected: usize,
        /// Colours returned.
        actual: usize,
    },
    /// The colour source gave NaN or an infinity.
    #[error("the colour source returned a colour that is not finite at ({0}, {1}, {2})")]
    NotFinite(f32, f32, f32),
}

/// The covered texels of a texture and the surface points that they show.
#[derive(Debug, Clone, PartialEq)]
pub struct TexelMap {
    /// Width and height of the texture.
    pub size: u32,
    /// Covered texels as `y * size + x`, ascending.
    pub texels: Vec<u32>,
    /// World position of each covered texel.
    pub positions: Vec<Vec3>,
    /// Unit normal of each covered texel.
    pub normals: Vec<Vec3>,
    /// Triangle of each covered texel, and the weights of its corners.
    pub places: Vec<(u32, Vec3)>,
}

impl TexelMap {
    /// Rasterises a mesh in texture space. Texels whose centre lies in a triangle show
    /// that point; texels just outside a chart show the nearest point of it.
    ///
    /// # Errors
    /// What [`Mesh::validate`] says; [`GeometryError::Setting`] if there is not one normal
    /// and one texture coordinate a vertex, or no size.
    pub fn new(
        mesh: &Mesh,
        normals: &[Vec3],
        uvs: &[Vec2],
        size: u32,
    ) -> Result<Self, GeometryError> {
        mesh.validate()?;
        if normals.len() != mesh.positions.len() || uvs.len() != mesh.positions.len() {
            return Err(GeometryError::Setting(
                "baking needs one normal and one texture coordinate for each vertex",
            ));
        }
        if !(1..=8192).contains(&size) {
            return Err(GeometryError::Setting("the texture size must be within 1 and 8192"));
        }
        let edge = size as usize;
        // Distance to the nearest triangle in texels, and that point.
        let mut best: Vec<Option<(f32, u32, Vec3)>> = vec![None; edge * edge];
        for (t, corners) in mesh.triangles.iter().enumerate() {
            let flat = corners.map(|v| uvs[v as usize] * size as f32);
            let low = flat[0].min(flat[1]).min(flat[2]) - REACH;
            let high = flat[0].max(flat[1]).max(flat[2]) + REACH;
            let last = size as f32 - 1.0;
            let low = low.floor().clamp(Vec2::ZERO, Vec2::splat(last)).as_uvec2();
            let high = high.floor().clamp(Vec2::ZERO, Vec2::splat(last)).as_uvec2();
            for y in low.y..=high.y {
                for x in low.x..=high.x {
                    let centre = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                    let (distance, weights) = nearest_in_triangle(flat, centre);
                    let slot = &mut best[y as usize * edge + x as usize];
                    if distance <= REACH && slot.is_none_or(|(known, ..)| distance < known) {
                        *slot = Some((distance, t as u32, weights));
                    }
                }
            }
        }
        let mut map = Self {
            size,
            texels: Vec::new(),
            positions: Vec::new(),
            normals: Vec::new(),
            places: Vec::new(),
        };
        for (texel, found) in best.iter().enumerate() {
            let Some((_, t, w)) = found else { continue };
            let corners = mesh.triangles[*t as usize].map(|v| v as usize);
            let mix = |values: &[Vec3]| (0..3).map(|c| values[corners[c]] * w[c]).sum::<Vec3>();
            map.texels.push(texel as u32);
            map.places.push((*t, *w));
            map.positions.push(mix(&mesh.positions));
            let face = || mesh.area_vector(*t as usize).try_normalize().unwrap_or(Vec3::Y);
            map.normals.push(mix(normals).try_normalize().unwrap_or_else(face));
        }
        Ok(map)
    }

    /// Asks `source` for the colours (sRGB-encoded, `[0, 1]`) of all covered texels by
    /// their points and unit normals, at most `batch` at a time, and spreads them over the texels between charts.
    ///
    /// # Errors
    /// [`BakeError::Source`] with the source's own error, [`BakeError::Count`] and
    /// [`BakeError::NotFinite`] for broken answers.
    pub fn paint<E>(
        &self,
        batch: usize,
        mut source: impl FnMut(&[Vec3], &[Vec3]) -> Result<Vec<[f32; 3]>, E>,
    ) -> Result<RgbaImage, BakeError<E>> {
        let edge = self.size as usize;
        let mut colours: Vec<Option<[u8; 3]>> = vec![None; edge * edge];
        let batch = batch.max(1);
        let normals = self.normals.chunks(batch);
        let places = self.positions.chunks(batch).zip(normals);
        for ((points, normals), texels) in places.zip(self.texels.chunks(batch)) {
            let answer = source(points, normals).map_err(BakeError::Source)?;
            if answer.len() != points.len() {
                return Err(BakeError::Count { expected: points.len(), actual: answer.len() });
            }
            for ((colour, texel), p) in answer.iter().zip(texels).zip(points) {
                if colour.iter().any(|c| !c.is_finite()) {
                    return Err(BakeError::NotFinite(p.x, p.y, p.z));
                }
                colours[*texel as usize] = Some(bytes(*colour));
            }
        }
        Ok(self.picture(colours))
    }

    /// The texture with one colour (sRGB-encoded) a covered texel, by its triangle and
    /// the weights of its corners.
    pub fn fill(&self, colour: impl Fn(u32, Vec3) -> Vec3) -> RgbaImage {
        let edge = self.size as usize;
        let mut colours: Vec<Option<[u8; 3]>> = vec![None; edge * edge];
        for (texel, (triangle, weights)) in self.texels.iter().zip(&self.places) {
            colours[*texel as usize] = Some(bytes(colour(*triangle, *weights).to_array()));
        }
        self.picture(colours)
    }

    fn picture(&self, mut colours: Vec<Option<[u8; 3]>>) -> RgbaImage {
        let edge = self.size as usize;
        spread(&mut colours, edge);
        let rest = mean(colours.iter().flatten());
        RgbaImage::from_fn(self.size, self.size, |x, y| {
            let [r, g, b] = colours[y as usize * edge + x as usize].unwrap_or(rest);
            image::Rgba([r, g, b, 255])
        })
    }
}

fn bytes(colour: [f32; 3]) -> [u8; 3] {
    colour.map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8)
}

/// Unwraps a closed mesh, computes its smooth normals and paints its texture.
///
/// # Errors
/// As [`unwrap`] and [`TexelMap::paint`].
pub fn bake<E>(
    mesh: &Mesh,
    options: UnwrapOptions,
    batch: usize,
    source: impl FnMut(&[Vec3], &[Vec3]) -> Result<Vec<[f32; 3]>, E>,
) -> Result<TexturedMesh, BakeError<E>> {
    let atlas = unwrap(mesh, options)?;
    let normals = atlas.carry(&smooth::vertex_normals(mesh));
    let split = atlas.split(mesh);
    let albedo = TexelMap::new(&split, &normals, &atlas.uvs, options.size)?.paint(batch, source)?;
    Ok(TexturedMesh { mesh: split, normals, uvs: atlas.uvs, albedo })
}

/// Distance from a point to a triangle (0 inside) and the barycentric weights of the
/// nearest point of the triangle.
fn nearest_in_triangle(corners: [Vec2; 3], point: Vec2) -> (f32, Vec3) {
    let [a, b, c] = corners;
    let area = (b - a).perp_dot(c - a);
    if area != 0.0 {
        let w = Vec3::new(
            (b - point).perp_dot(c - point),
            (c - point).perp_dot(a - point),
            (a - point).perp_dot(b - point),
        ) / area;
        if w.cmpge(Vec3::ZERO).all() {
            return (0.0, w);
        }
    }
    let mut best = (f32::INFINITY, Vec3::X);
    for i in 0..3 {
        let j = (i + 1) % 3;
        let along = corners[j] - corners[i];
        let length = along.length_squared();
        let t = if length > 0.0 { (point - corners[i]).dot(along) / length } else { 0.0 };
        let t = t.clamp(0.0, 1.0);
        let distance = (corners[i] + along * t).distance(point);
        if distance < best.0 {
            let mut weights = Vec3::ZERO;
            weights[i] = 1.0 - t;
            weights[j] = t;
            best = (distance, weights);
        }
    }
    best
}

/// Grows the painted area by rings of averaged colours.
fn spread(colours: &mut [Option<[u8; 3]>], edge: usize) {
    let around = |at: usize| {
        let (x, y) = ((at % edge) as isize, (at / edge) as isize);
        let steps = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];
        steps.into_iter().filter_map(move |(dx, dy)| {
            let (x, y) = (x + dx, y + dy);
            let range = 0..edge as isize;
            (range.contains(&x) && range.contains(&y)).then(|| y as usize * edge + x as usize)
        })
    };
    let mut front: Vec<usize> = (0..colours.len()).filter(|&i| colours[i].is_some()).collect();
    for _ in 0..SPREAD {
        let mut ring: Vec<usize> =
            front.iter().flat_map(|&i| around(i)).filter(|&i| colours[i].is_none()).collect();
        ring.sort_unstable();
        ring.dedup();
        let painted: Vec<[u8; 3]> =
            ring.iter().map(|&i| mean(around(i).filter_map(|n| colours[n].as_ref()))).collect();
        for (&i, colour) in ring.iter().zip(painted) {
            colours[i] = Some(colour);
        }
        front = ring;
    }
}

fn mean<'a>(colours: impl Iterator<Item = &'a [u8; 3]>) -> [u8; 3] {
    let (mut sum, mut count) = ([0u64; 3], 0u64);
    for colour in colours {
        for (s, c) in sum.iter_mut().zip(colour) {
            *s += u64::from(*c);
        }
        count += 1;
    }
    sum.map(|s| (s + count / 2).checked_div(count).unwrap_or(0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::extract::{SurfaceOptions, surface};
    use crate::geometry::{ScalarGrid, mesh::samples};
    use std::convert::Infallible;

    /// A smooth colour of position, in [0, 1].
    fn paint(p: Vec3) -> [f32; 3] {
        [0.5 + 0.5 * (6.0 * p.x).sin(), 0.5 + 0.5 * (5.0 * p.y).cos(), 0.5 + 0.5 * p.z]
    }

    fn lookup(image: &RgbaImage, uv: Vec2) -> [f32; 3] {
        let at = uv * image.width() as f32 - 0.5;
        let base = at.floor();
        let f = at - base;
        let texel = |dx: f32, dy: f32| {
            let last = image.width() as f32 - 1.0;
            let p = (base + Vec2::new(dx, dy)).clamp(Vec2::ZERO, Vec2::splat(last));
            image.get_pixel(p.x as u32, p.y as u32).0
        };
        std::array::from_fn(|c| {
            let v = |dx, dy| f32::from(texel(dx, dy)[c]) / 255.0;
            let (top, bottom) = (
                v(0.0, 0.0) * (1.0 - f.x) + v(1.0, 0.0) * f.x,
                v(0.0, 1.0) * (1.0 - f.x) + v(1.0, 1.0) * f.x,
            );
            top * (1.0 - f.y) + bottom * f.y
        })
    }

    #[test]
    fn a_known_colouring_survives_the_texture() {
        let grid = ScalarGrid::from_fn(80, samples::bust).expect("finite");
        let options = SurfaceOptions { triangles: 8000, ..SurfaceOptions::default() };
        let mesh = surface(&grid, &options).expect("closed").mesh;
        let mut largest = 0;
        let textured = bake(&mesh, UnwrapOptions::default(), 10_000, |points: &[Vec3], _| {
            largest = largest.max(points.len());
            Ok::<_, Infallible>(points.iter().map(|p| paint(*p)).collect())
        })
        .expect("bakes");
        textured.validate().expect("complete");
        assert_eq!(largest, 10_000);
        let (mut worst, mut total, mut count) = (0.0f32, 0.0, 0);
        for corners in &textured.mesh.triangles {
            let v = corners.map(|v| v as usize);
            // The middle, and points on the sides where seams are.
            for w in [[0.34, 0.33, 0.33], [0.5, 0.5, 0.0], [0.0, 0.8, 0.2], [1.0, 0.0, 0.0]] {
                let p: Vec3 = (0..3).map(|c| textured.mesh.positions[v[c]] * w[c]).sum();
                let uv: Vec2 = (0..3).map(|c| textured.uvs[v[c]] * w[c]).sum();
                let (seen, want) = (lookup(&textured.albedo, uv), paint(p));
                for c in 0..3 {
                    let error = (seen[c] - want[c]).abs();
                    worst = worst.max(error);
                    total += f64::from(error);
                    count += 1;
                }
            }
        }
        assert!(total / f64::from(count) < 0.003, "mean error {}", total / f64::from(count));
        assert!(worst < 0.06, "worst error {worst}");
    }

    #[test]
    fn the_gaps_take_the_colours_of_their_charts() {
        let mesh =
            Mesh { positions: vec![Vec3::ZERO, Vec3::Y, Vec3::X], triangles: vec![[0, 1, 2]] };
        let uvs = [Vec2::new(0.25, 0.25), Vec2::new(0.25, 0.75), Vec2::new(0.75, 0.25)];
        let map = TexelMap::new(&mesh, &[Vec3::Z; 3], &uvs, 64).expect("valid");
        let red = map
            .paint(100, |p, n| Ok::<_, Infallible>(vec![[1.0, 0.25, 0.0]; p.len().min(n.len())]))
            .expect("paints");
        assert!(red.pixels().all(|p| p.0 == [255, 64, 0, 255]));
        // A texel in the middle of the triangle knows its point.
        let i = map.texels.binary_search(&(24 * 64 + 24)).expect("covered");
        let want = Vec3::new(0.265_625, 0.265_625, 0.0);
        assert!((map.positions[i] - want).length() < 1e-5, "{}", map.positions[i]);
    }

    #[test]
    fn broken_sources_are_named() {
        let mesh = samples::cube(Vec3::ZERO, 0.5);
        let options = UnwrapOptions { size: 64, padding: 2, ..UnwrapOptions::default() };
        let short = bake(&mesh, options, 50, |_, _| Ok::<_, Infallible>(vec![[0.0; 3]; 7]));
        assert!(matches!(short, Err(BakeError::Count { expected: 50, actual: 7 })));
        let nan =
            bake(&mesh, options, 50, |p, _| Ok::<_, Infallible>(vec![[f32::NAN; 3]; p.len()]));
        assert!(matches!(nan, Err(BakeError::NotFinite(..))));
        let own = bake(&mesh, options, 50, |_, _| Err("lost the field"));
        assert_eq!(own.err().map(|e| matches!(e, BakeError::Source("lost the field"))), Some(true));
    }
}
