//! A head in seconds: a person of the studio as a textured mesh that moves its face.
//!
//! The prior's surface keeps its own texture coordinates, painted texel by texel; hair, hats
//! and the rest are laid out as rectangles beside it.

use super::StageError;
use crate::geometry::uv::shelves;
use crate::geometry::{GeometryError, Mesh, MorphMesh, MorphTarget, TexturedMesh};
use crate::head::{HeadModel, HeadParams, Part};
use crate::render::bake::TexelMap;
use crate::render::studio::{SkinColors, StudioHead, StudioMesh, StudioSample, VISIBLE};
use glam::{Vec2, Vec3};
use std::collections::{BTreeMap, HashMap};

/// Texels between charts.
const GAP: f32 = 6.0;
/// A morph target leaves vertices alone that it would move by less, world units (0.03 mm).
const LEAST_MOVE: f32 = 1e-4;

/// The part of the texture that the prior takes, from the left; all of its height.
const PRIOR_SHARE: f32 = 0.5;

/// Builds the head of a person: textured, with the 52 `ARKit` face units as morph targets,
/// whose first weights are the person's expression. `texture` is the side of the texture.
///
/// # Errors
/// [`StageError::Geometry`] if the parts do not fit into the texture.
pub fn build(person: &StudioSample, texture: u32) -> Result<MorphMesh, StageError> {
    let rest = HeadParams { expression: BTreeMap::new(), ..person.params.clone() };
    let head = StudioHead::new(&rest, &person.look, person.seed)?;
    let layout = Layout::of(&head, texture)?;
    let albedo = paint(&head, person, &layout, texture)?;
    let carry = |of: &dyn Fn(usize) -> Vec3| -> Vec<Vec3> {
        layout.source.iter().map(|&v| of(v as usize)).collect()
    };
    let vertices = &head.mesh.vertices;
    let mesh = Mesh {
        positions: carry(&|v| Vec3::from_array(vertices[v].position)),
        triangles: layout.triangles.clone(),
    };
    let normals = carry(&|v| Vec3::from_array(vertices[v].normal).normalize_or(Vec3::Y));
    let mut rest_mesh = TexturedMesh { mesh, normals, uvs: layout.uvs.clone(), albedo };
    close_bust(&mut rest_mesh, &layout);
    let model = HeadModel::embedded();
    let neutral = model.shape(&rest)?;
    let mut targets = Vec::new();
    let mut weights = Vec::new();
    for name in model.expression_names() {
        let expression = BTreeMap::from([(name.to_owned(), 1.0)]);
        let moved = model.shape(&HeadParams { expression, ..rest.clone() })?;
        let delta = |v: usize| {
            head.mesh.bound[v]
                .map_or(Vec3::ZERO, |b| moved.positions[b as usize] - neutral.positions[b as usize])
        };
        targets.push(MorphTarget::from_dense(name, &carry(&delta), LEAST_MOVE));
        weights.push(person.params.expression.get(name).copied().unwrap_or(0.0));
    }
    Ok(MorphMesh { rest: rest_mesh, targets, weights })
}

/// The prior's skin is open where the bust ends: closes it with a fan of its own vertices, in
/// the colour of the skin there.
fn close_bust(mesh: &mut TexturedMesh, layout: &Layout) {
    let skin = HeadModel::embedded().part_range(Part::Skin).len();
    // Edges by the vertices before they were split; those of one triangle only are the rim.
    let mut sides: HashMap<[u32; 2], i32> = HashMap::new();
    let edges = |t: &[u32; 3]| [[t[0], t[1]], [t[1], t[2]], [t[2], t[0]]];
    let whole = |edge: [u32; 2]| edge.map(|v| layout.source[v as usize]);
    for edge in layout.triangles[..skin].iter().flat_map(edges) {
        let [a, b] = whole(edge);
        *sides.entry([a.min(b), a.max(b)]).or_default() += 1;
    }
    let rim: Vec<[u32; 2]> = layout.triangles[..skin]
        .iter()
        .flat_map(edges)
        .filter(|edge| {
            let [a, b] = whole(*edge);
            sides[&[a.min(b), a.max(b)]] == 1
        })
        .collect();
    let Some(&[first, _]) = rim.first() else { return };
    let colour = mesh.uvs[first as usize];
    let positions = mesh.mesh.positions.clone();
    let middle = rim.iter().map(|e| positions[e[0] as usize]).sum::<Vec3>() / rim.len() as f32;
    let mut fan: Vec<[u32; 3]> = Vec::with_capacity(rim.len());
    let mut add = |position: Vec3| {
        mesh.mesh.positions.push(position);
        mesh.normals.push(Vec3::ZERO);
        mesh.uvs.push(colour);
        mesh.mesh.positions.len() as u32 - 1
    };
    let centre = add(middle);
    let mut copies: HashMap<u32, u32> = HashMap::new();
    for edge in rim {
        let [a, b] = edge.map(|v| {
            let at = positions[v as usize];
            *copies.entry(layout.source[v as usize]).or_insert_with(|| add(at))
        });
        fan.push([b, a, centre]);
    }
    for corners in &fan {
        let [a, b, c] = corners.map(|v| mesh.mesh.positions[v as usize]);
        for &v in corners {
            mesh.normals[v as usize] += (b - a).cross(c - a);
        }
    }
    for normal in &mut mesh.normals[positions.len()..] {
        *normal = normal.normalize_or(Vec3::NEG_Y);
    }
    mesh.mesh.triangles.extend(fan);
}

/// Vertices split along the borders of the texture's charts.
struct Layout {
    /// The head's vertex that each split one copies.
    source: Vec<u32>,
    uvs: Vec<Vec2>,
    /// In the order of the head's triangles.
    triangles: Vec<[u32; 3]>,
}

impl Layout {
    fn of(head: &StudioHead, texture: u32) -> Result<Self, GeometryError> {
        let mut layout = Self { source: Vec::new(), uvs: Vec::new(), triangles: Vec::new() };
        let mut known = HashMap::new();
        layout.lay_prior(&mut known);
        debug_assert_eq!(layout.triangles.len(), head.prior_triangles);
        layout.lay_charts(head, texture, &mut known)?;
        Ok(layout)
    }

    /// The vertex with that source and those texture coordinates, made if it is new.
    fn vertex(&mut self, known: &mut HashMap<(u32, [u32; 2]), u32>, source: u32, uv: Vec2) -> u32 {
        *known.entry((source, uv.to_array().map(f32::to_bits))).or_insert_with(|| {
            self.source.push(source);
            self.uvs.push(uv);
            self.source.len() as u32 - 1
        })
    }

    fn lay_prior(&mut self, known: &mut HashMap<(u32, [u32; 2]), u32>) {
        let model = HeadModel::embedded();
        for range in VISIBLE.map(|part| model.part_range(part)) {
            for t in range {
                let (corners, places) = (model.triangles()[t], model.uv_triangles()[t]);
                let triangle = std::array::from_fn(|k| {
                    let uv = model.uvs()[places[k] as usize];
                    // The image's v runs downwards.
                    let uv = Vec2::new(uv.x * PRIOR_SHARE, 1.0 - uv.y);
                    self.vertex(known, corners[k], uv)
                });
                self.triangles.push(triangle);
            }
        }
    }

    fn lay_charts(
        &mut self,
        head: &StudioHead,
        texture: u32,
        known: &mut HashMap<(u32, [u32; 2]), u32>,
    ) -> Result<(), GeometryError> {
        let mesh = &head.mesh;
        let sizes = chart_sizes(mesh, head.prior_triangles);
        if sizes.is_empty() {
            return Ok(());
        }
        let edge = texture as f32;
        let left = edge * PRIOR_SHARE;
        let packed = shelves::pack(&sizes, Vec2::new(edge - left, edge), GAP)?;
        for corners in &mesh.triangles[head.prior_triangles..] {
            let places = corners.map(|v| mesh.charts[v as usize]);
            let highest = places.iter().flatten().map(|p| p.at.x).fold(0.0, f32::max);
            let triangle = std::array::from_fn(|k| {
                let Some(mut place) = places[k] else {
                    unreachable!("only the prior's own vertices have no chart")
                };
                // A triangle that leads back to the start of its chart ends it instead.
                if highest - place.at.x > 0.5 {
                    place.at.x += 1.0;
                }
                let chart = place.chart as usize;
                let texel = packed.corners[chart] + place.at * sizes[chart] * packed.scale;
                let uv = (texel + Vec2::new(left, 0.0)) / edge;
                self.vertex(known, corners[k], uv)
            });
            self.triangles.push(triangle);
        }
        Ok(())
    }
}

/// How wide and high each chart is on the surface: from the lengths of its edges along both
/// directions of the chart, and no chart thinner than a sixteenth of its length.
fn chart_sizes(mesh: &StudioMesh, first: usize) -> Vec<Vec2> {
    let charts = mesh.charts.iter().flatten().map(|p| p.chart as usize + 1).max().unwrap_or(0);
    // Sums of edge length and of the way on the chart, by direction.
    let mut sums = vec![[Vec2::ZERO; 2]; charts];
    for corners in &mesh.triangles[first..] {
        for k in 0..3 {
            let (a, b) = (corners[k] as usize, corners[(k + 1) % 3] as usize);
            let (Some(from), Some(to)) = (mesh.charts[a], mesh.charts[b]) else { continue };
            let way = (to.at - from.at).abs();
            if way.x > 0.5 {
                continue; // back to the start of the chart
            }
            let [p, q] = [a, b].map(|v| Vec3::from_array(mesh.vertices[v].position));
            let axis = usize::from(way.y > way.x);
            sums[from.chart as usize][axis] += Vec2::new(p.distance(q), way[axis]);
        }
    }
    sums.iter()
        .map(|[u, v]| {
            let size = Vec2::new(u.x / u.y.max(1e-6), v.x / v.y.max(1e-6));
            size.max(Vec2::splat(size.max_element() / 16.0)).max(Vec2::splat(1e-3))
        })
        .collect()
}

fn paint(
    head: &StudioHead,
    person: &StudioSample,
    layout: &Layout,
    texture: u32,
) -> Result<image::RgbaImage, StageError> {
    let colors = SkinColors::new(&person.look, person.seed);
    let flat = layout.uvs.iter().map(|uv| uv.extend(0.0)).collect();
    let mesh = Mesh { positions: flat, triangles: layout.triangles.clone() };
    let normals = vec![Vec3::Z; layout.uvs.len()];
    let map = TexelMap::new(&mesh, &normals, &layout.uvs, texture)?;
    Ok(map.fill(|t, weights| {
        let corners = head.mesh.triangles[t as usize].map(|v| v as usize);
        if (t as usize) < head.prior_triangles {
            return colors.between(corners, weights);
        }
        let albedo = corners.map(|v| Vec3::from_array(head.mesh.vertices[v].albedo));
        albedo[0] * weights.x + albedo[1] * weights.y + albedo[2] * weights.z
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Look;
    use crate::head::look::{Expression, Glasses, HairStyle, Hat};
    use crate::rng;

    fn person(look: Look) -> StudioSample {
        StudioSample::with_look(look, &mut rng::stream(4, "test", 0, "instant"))
    }

    #[test]
    fn a_head_has_its_face_units_and_starts_with_its_expression() {
        let look = Look {
            expression: Expression::Smiling,
            hair: HairStyle::Ponytail,
            glasses: Glasses::Round,
            hat: Hat::TopHat,
            ..Look::default()
        };
        let person = person(look);
        let head = build(&person, 512).unwrap();
        head.validate().unwrap();
        assert_eq!(head.targets.len(), 52);
        let index = |name: &str| head.targets.iter().position(|t| t.name == name).unwrap();
        assert!(head.weights[index("mouthSmileLeft")] > 0.7);
        assert_eq!(head.weights[index("eyeBlinkLeft")], 0.0);
        assert!(head.targets[index("jawOpen")].vertices.len() > 500);
        assert!(
            head.rest.uvs.iter().all(|uv| uv.cmpge(Vec2::ZERO).all() && uv.cmple(Vec2::ONE).all())
        );
        // The lower teeth go with the jaw, the hat does not.
        let jaw = &head.targets[index("jawOpen")];
        let hat_moves = jaw.vertices.iter().any(|v| head.rest.mesh.positions[*v as usize].y > 0.5);
        assert!(!hat_moves);
        // From below one looks at a closed bust.
        let skin = head.rest.mesh.triangles.last().unwrap();
        let normal = {
            let [a, b, c] = skin.map(|v| head.rest.mesh.positions[v as usize]);
            (b - a).cross(c - a).normalize()
        };
        assert!(normal.y < -0.2, "{normal}");
    }

    #[test]
    fn every_accessory_fits_into_the_texture() {
        for seed in 0..40 {
            let person = StudioSample::random(seed);
            let rest = StudioHead::new(&person.params, &person.look, person.seed).unwrap();
            Layout::of(&rest, 1024).unwrap();
        }
    }

    #[test]
    fn the_texture_shows_what_the_vertices_show() {
        let person = person(Look { hair: HairStyle::Bob, ..Look::default() });
        let head = build(&person, 1024).unwrap();
        let plain = HeadParams { expression: BTreeMap::new(), ..person.params.clone() };
        let studio = StudioHead::new(&plain, &person.look, person.seed).unwrap();
        let layout = Layout::of(&studio, 1024).unwrap();
        let mut worst = Vec::new();
        for (v, uv) in layout.source.iter().zip(&layout.uvs) {
            let vertex = studio.mesh.vertices[*v as usize];
            if vertex.gaze != [0.0; 3] {
                continue; // the shader paints irises
            }
            let at = (*uv * 1024.0 - 0.5).round().clamp(Vec2::ZERO, Vec2::splat(1023.0));
            let texel = head.rest.albedo.get_pixel(at.x as u32, at.y as u32).0;
            let seen = Vec3::new(texel[0].into(), texel[1].into(), texel[2].into()) / 255.0;
            worst.push(seen.distance(Vec3::from_array(vertex.albedo)));
        }
        worst.sort_by(f32::total_cmp);
        let (median, high) = (worst[worst.len() / 2], worst[worst.len() * 98 / 100]);
        assert!(median < 0.02 && high < 0.2, "{median} {high}");
    }
}
