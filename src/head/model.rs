//! The head model: topology, morph targets, skeleton, landmarks and masks of the asset.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use glam::{Vec2, Vec3};

use super::error::HeadError;
use super::macros::MacroKey;
use super::params::HeadParams;
use super::parse::{Container, Header, check_vertex_count, expect_len, problem};
use super::regions::Region;
use super::shape::ShapedHead;
use super::surface::ClosedTopology;

/// Number of joints.
pub(super) const JOINTS: usize = 7;

/// Indices into the joints.
pub(super) mod joint {
    pub const NECK1: usize = 1;
    pub const NECK2: usize = 2;
    pub const HEAD: usize = 3;
    pub const JAW: usize = 4;
    pub const EYE_LEFT: usize = 5;
    pub const EYE_RIGHT: usize = 6;
}

const JOINT_NAMES: [&str; JOINTS] = ["root", "neck1", "neck2", "head", "jaw", "eye_L", "eye_R"];
const ZONE_NAMES: [&str; 4] = ["outer", "mouth", "socket_left", "socket_right"];

/// Apple's `ARKit` face units, sorted by name.
pub const ARKIT_NAMES: [&str; 52] = [
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
];

/// A separate piece of the head mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The skin with mouth cavity and eye sockets; open only at the bust's rim.
    Skin,
    /// The subject's left eyeball (+x), closed.
    EyeLeft,
    /// The subject's right eyeball, closed.
    EyeRight,
    /// Left lashes, open strips.
    LashLeft,
    /// Right lashes, open strips.
    LashRight,
    /// Upper teeth, open.
    TeethUpper,
    /// Lower teeth, open.
    TeethLower,
    /// Tongue, closed.
    Tongue,
    /// Ribbons along which long hair falls, two-sided.
    HairHelper,
}

impl Part {
    /// All parts in the order of their triangles.
    pub const ALL: [Self; 9] = [
        Self::Skin,
        Self::EyeLeft,
        Self::EyeRight,
        Self::LashLeft,
        Self::LashRight,
        Self::TeethUpper,
        Self::TeethLower,
        Self::Tongue,
        Self::HairHelper,
    ];

    /// The part's name, snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Skin => "skin",
            Self::EyeLeft => "eye_left",
            Self::EyeRight => "eye_right",
            Self::LashLeft => "lash_left",
            Self::LashRight => "lash_right",
            Self::TeethUpper => "teeth_upper",
            Self::TeethLower => "teeth_lower",
            Self::Tongue => "tongue",
            Self::HairHelper => "hair_helper",
        }
    }
}

/// The fixed map from the asset's decimetres to world units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// The point that becomes the origin: mid-head of the mean head, decimetres from its head joint.
    pub centre_dm: Vec3,
    /// Scale.
    pub units_per_dm: f32,
    /// World units to metres.
    pub metres_per_unit: f32,
}

impl Similarity {
    pub(super) fn to_world(self, point: Vec3) -> Vec3 {
        (point - self.centre_dm) * self.units_per_dm
    }
}

/// A local shape control.
#[derive(Debug, Clone, PartialEq)]
pub struct Slider {
    /// Its name, e.g. `nose-hump-decr-incr`.
    pub name: String,
    /// Its group: head, forehead, eyebrows, eyes, nose, mouth, chin, cheek, ears or neck.
    pub section: String,
    /// Standard deviation of plausible random values.
    pub sigma: f32,
    /// It shifts a part to one side, so it breaks mirror symmetry.
    pub sideways: bool,
    pub(super) positive: Vec<usize>,
    pub(super) negative: Vec<usize>,
}

impl Slider {
    /// Only values in 0..=1 mean something.
    #[must_use]
    pub fn is_one_ended(&self) -> bool {
        self.negative.is_empty()
    }
}

/// A sparse morph target in the asset's space.
#[derive(Debug, Clone)]
pub(super) struct Target {
    vertices: Vec<u32>,
    deltas: Vec<Vec3>,
    joints: [Vec3; JOINTS],
}

impl Target {
    pub fn add_to(&self, weight: f32, positions: &mut [Vec3], joints: &mut [Vec3; JOINTS]) {
        for (&vertex, &delta) in self.vertices.iter().zip(&self.deltas) {
            positions[vertex as usize] += delta * weight;
        }
        for (joint, delta) in joints.iter_mut().zip(&self.joints) {
            *joint += *delta * weight;
        }
    }
}

/// A point on the mesh: a convex combination of three vertices of one triangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    pub vertices: [u32; 3],
    pub weights: [f32; 3],
}

/// The parametric head. See [`HeadModel::embedded`] and [`HeadModel::shape`].
#[derive(Debug, Clone)]
pub struct HeadModel {
    pub(super) vertices: Vec<Vec3>,
    pub(super) joints: [Vec3; JOINTS],
    pub(super) joint_parents: [Option<usize>; JOINTS],
    pub(super) skin_weights: Vec<[f32; JOINTS]>,
    pub(super) targets: Vec<Target>,
    pub(super) macros: Vec<(usize, MacroKey)>,
    pub(super) similarity: Similarity,
    pub(super) landmarks68: Vec<Anchor>,
    pub(super) landmarks468: Vec<Anchor>,
    pub(super) closed: ClosedTopology,
    sliders: Vec<Slider>,
    slider_by_name: BTreeMap<String, usize>,
    expressions: BTreeMap<String, usize>,
    triangles: Vec<[u32; 3]>,
    uv_triangles: Vec<[u32; 3]>,
    part_ranges: [Range<usize>; Part::ALL.len()],
    vertex_part: Vec<Part>,
    uvs: Vec<Vec2>,
    mirror: Vec<u32>,
    regions: Vec<Vec<f32>>,
    mean: ShapedHead,
}

static EMBEDDED: LazyLock<HeadModel> = LazyLock::new(|| {
    let bytes = include_bytes!("../../assets/head/head.safetensors");
    HeadModel::from_bytes(bytes).unwrap_or_else(|error| panic!("embedded head asset: {error}"))
});

impl HeadModel {
    /// The model that is built into the program, parsed once.
    ///
    /// # Panics
    /// Never for a program that passed its tests: the asset is part of the binary.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Parses an asset as written by `tools/build_head_prior`.
    ///
    /// # Errors
    /// [`HeadError`] naming what is missing, misshapen or out of range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let asset = Container::open(bytes)?;
        let header = &asset.header;
        check_names("parts", &header.parts, Part::ALL.map(Part::name))?;
        check_names("joints", &header.joints, JOINT_NAMES)?;
        check_names("regions", &header.regions, Region::ALL.map(Region::name))?;
        check_names("zones", &header.zones, ZONE_NAMES)?;

        let vertices = asset.vec3s("vertices")?;
        let count = vertices.len();
        check_vertex_count(count)?;
        let mesh = Mesh::read(&asset, count)?;
        let vertex_part = mesh.vertex_part(count)?;
        let mirror: Vec<u32> =
            asset.indices::<1>("mirror", &[], count)?.into_iter().map(|[i]| i).collect();
        expect_len("mirror", mirror.len(), count)?;
        if !mirror.iter().enumerate().all(|(i, &j)| mirror[j as usize] as usize == i) {
            return Err(problem("mirror", "is not its own inverse"));
        }

        let joints = joint_array("joints", &asset.vec3s("joints")?)?;
        let joint_parents = parents(header)?;
        let skin_weights = read_skin_weights(&asset, count)?;
        let targets = read_targets(&asset, count)?;
        let (macros, sliders, expressions) = read_controls(header)?;
        let regions = read_regions(&asset, count)?;
        let similarity = read_similarity(header)?;

        let mut model = Self {
            closed: ClosedTopology::default(),
            landmarks68: anchors(&asset, "ibug68", 68, count)?,
            landmarks468: anchors(&asset, "mediapipe468", 468, count)?,
            mean: ShapedHead { positions: Vec::new(), joints },
            slider_by_name: sliders.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect(),
            triangles: mesh.triangles,
            uv_triangles: mesh.uv_triangles,
            part_ranges: mesh.part_ranges,
            uvs: mesh.uvs,
            vertices,
            joints,
            joint_parents,
            skin_weights,
            targets,
            macros,
            similarity,
            sliders,
            expressions,
            vertex_part,
            mirror,
            regions,
        };
        model.mean = model.shape(&HeadParams::default())?;
        model.closed = ClosedTopology::new(
            model.part_triangles(Part::Skin),
            &mesh.skin_zones,
            &model.mean.positions,
        )?;
        Ok(model)
    }

    /// The mean neutral adult: default parameters.
    #[must_use]
    pub fn mean(&self) -> &ShapedHead {
        &self.mean
    }

    /// The fixed map from decimetres to world units.
    #[must_use]
    pub fn similarity(&self) -> Similarity {
        self.similarity
    }

    /// All triangles, counter-clockwise from outside, sorted by part.
    #[must_use]
    pub fn triangles(&self) -> &[[u32; 3]] {
        &self.triangles
    }

    /// The part of a triangle.
    ///
    /// # Panics
    /// If there is no such triangle.
    #[must_use]
    pub fn part(&self, triangle: usize) -> Part {
        self.vertex_part[self.triangles[triangle][0] as usize]
    }

    /// The triangles of one part.
    #[must_use]
    pub fn part_triangles(&self, part: Part) -> &[[u32; 3]] {
        &self.triangles[self.part_range(part)]
    }

    /// Where a part's triangles lie in [`Self::triangles`] and [`Self::uv_triangles`].
    #[must_use]
    pub fn part_range(&self, part: Part) -> Range<usize> {
        self.part_ranges[part as usize].clone()
    }

    /// The part of each vertex.
    #[must_use]
    pub fn vertex_part(&self) -> &[Part] {
        &self.vertex_part
    }

    /// The position of each vertex on the mean head, world units: the space of procedural masks.
    #[must_use]
    pub fn canonical(&self) -> &[Vec3] {
        &self.mean.positions
    }

    /// The mask of a region, 0..=1 a vertex.
    #[must_use]
    pub fn region(&self, region: Region) -> &[f32] {
        &self.regions[region as usize]
    }

    /// Texture coordinates in 0..=1, v upwards; more than vertices because of seams.
    #[must_use]
    pub fn uvs(&self) -> &[Vec2] {
        &self.uvs
    }

    /// Indices into [`Self::uvs`], parallel to [`Self::triangles`].
    #[must_use]
    pub fn uv_triangles(&self) -> &[[u32; 3]] {
        &self.uv_triangles
    }

    /// The mirror image (x to -x) of each vertex.
    #[must_use]
    pub fn mirror(&self) -> &[u32] {
        &self.mirror
    }

    /// Per vertex the weights of the joints root, neck1, neck2, head, jaw, `eye_L`, `eye_R`; they sum to 1.
    #[must_use]
    pub fn skin_weights(&self) -> &[[f32; JOINTS]] {
        &self.skin_weights
    }

    /// The parent of each joint; the root has none.
    #[must_use]
    pub fn joint_parents(&self) -> [Option<usize>; JOINTS] {
        self.joint_parents
    }

    /// All sliders, section by section.
    #[must_use]
    pub fn sliders(&self) -> &[Slider] {
        &self.sliders
    }

    /// The slider of that name.
    #[must_use]
    pub fn slider(&self, name: &str) -> Option<&Slider> {
        self.slider_by_name.get(name).map(|&i| &self.sliders[i])
    }

    /// The sliders' names, section by section.
    pub fn slider_names(&self) -> impl Iterator<Item = &str> {
        self.sliders.iter().map(|slider| slider.name.as_str())
    }

    /// Standard deviation of plausible random values of a slider; 0 for an unknown name.
    #[must_use]
    pub fn slider_sigma(&self, name: &str) -> f32 {
        self.slider(name).map_or(0.0, |slider| slider.sigma)
    }

    /// The 52 `ARKit` names, sorted.
    pub fn expression_names(&self) -> impl Iterator<Item = &str> {
        self.expressions.keys().map(String::as_str)
    }

    /// The morph target of a face unit.
    pub(super) fn expression_index(&self, name: &str) -> Option<usize> {
        self.expressions.get(name).copied()
    }

    /// Smooth unit normals of all vertices, weighted by triangle area.
    #[must_use]
    pub fn normals(&self, positions: &[Vec3]) -> Vec<Vec3> {
        let mut normals = vec![Vec3::ZERO; positions.len()];
        for triangle in &self.triangles {
            let [a, b, c] = triangle.map(|i| positions[i as usize]);
            let area = (b - a).cross(c - a);
            for &i in triangle {
                normals[i as usize] += area;
            }
        }
        for normal in &mut normals {
            *normal = normal.normalize_or(Vec3::Z);
        }
        normals
    }
}

/// Topology as read, triangles sorted by part.
struct Mesh {
    triangles: Vec<[u32; 3]>,
    uv_triangles: Vec<[u32; 3]>,
    part_ranges: [Range<usize>; Part::ALL.len()],
    skin_zones: Vec<u8>,
    uvs: Vec<Vec2>,
}

impl Mesh {
    fn read(asset: &Container<'_>, vertex_count: usize) -> Result<Self, HeadError> {
        let uvs = asset.vec2s("uvs")?;
        let quads = asset.indices::<4>("quads", &[4], vertex_count)?;
        let uv_quads = asset.indices::<4>("uv_quads", &[4], uvs.len())?;
        let parts = asset.u8s("quad_part", &[])?;
        let zones = asset.u8s("quad_zone", &[])?;
        expect_len("uv_quads", uv_quads.len(), quads.len())?;
        expect_len("quad_part", parts.len(), quads.len())?;
        expect_len("quad_zone", zones.len(), quads.len())?;
        if let Some(part) = parts.iter().find(|&&p| usize::from(p) >= Part::ALL.len()) {
            return Err(problem("quad_part", format!("holds the unknown part {part}")));
        }
        if let Some(zone) = zones.iter().find(|&&z| usize::from(z) >= ZONE_NAMES.len()) {
            return Err(problem("quad_zone", format!("holds the unknown zone {zone}")));
        }
        let split = |[a, b, c, d]: [u32; 4]| [[a, b, c], [a, c, d]];
        let mut mesh = Self {
            triangles: Vec::with_capacity(quads.len() * 2),
            uv_triangles: Vec::with_capacity(quads.len() * 2),
            part_ranges: Default::default(),
            skin_zones: Vec::new(),
            uvs,
        };
        for part in Part::ALL {
            let start = mesh.triangles.len();
            for i in (0..quads.len()).filter(|&i| parts[i] == part as u8) {
                mesh.triangles.extend(split(quads[i]));
                mesh.uv_triangles.extend(split(uv_quads[i]));
                if part == Part::Skin {
                    mesh.skin_zones.extend([zones[i]; 2]);
                }
            }
            mesh.part_ranges[part as usize] = start..mesh.triangles.len();
        }
        Ok(mesh)
    }

    fn vertex_part(&self, vertex_count: usize) -> Result<Vec<Part>, HeadError> {
        let mut parts = vec![None; vertex_count];
        for part in Part::ALL {
            for &i in self.triangles[self.part_ranges[part as usize].clone()].as_flattened() {
                if parts[i as usize].is_some_and(|other| other != part) {
                    return Err(problem("quad_part", format!("puts vertex {i} into two parts")));
                }
                parts[i as usize] = Some(part);
            }
        }
        let complete: Option<Vec<Part>> = parts.into_iter().collect();
        complete.ok_or_else(|| problem("quads", "leaves a vertex unused"))
    }
}

fn check_names<const N: usize>(
    what: &str,
    found: &[String],
    expected: [&str; N],
) -> Result<(), HeadError> {
    if found.iter().map(String::as_str).eq(expected) {
        Ok(())
    } else {
        Err(HeadError::Header(format!("`{what}` is not {expected:?}")))
    }
}

fn joint_array(name: &str, rows: &[Vec3]) -> Result<[Vec3; JOINTS], HeadError> {
    rows.try_into().map_err(|_| problem(name, format!("has {} rows, not {JOINTS}", rows.len())))
}

fn parents(header: &Header) -> Result<[Option<usize>; JOINTS], HeadError> {
    let mut out = [None; JOINTS];
    if header.joint_parents.len() != JOINTS {
        return Err(HeadError::Header(format!("`joint_parents` does not have {JOINTS} entries")));
    }
    for (i, (slot, &parent)) in out.iter_mut().zip(&header.joint_parents).enumerate() {
        *slot = match usize::try_from(parent) {
            Ok(parent) if parent < i => Some(parent),
            Err(_) if parent == -1 => None,
            _ => return Err(HeadError::Header(format!("joint {i} has the parent {parent}"))),
        };
    }
    Ok(out)
}

fn read_skin_weights(asset: &Container<'_>, count: usize) -> Result<Vec<[f32; JOINTS]>, HeadError> {
    let bytes = asset.u8s("skin_weights", &[JOINTS])?;
    expect_len("skin_weights", bytes.len() / JOINTS, count)?;
    let rows: &[[u8; JOINTS]] = bytes.as_chunks().0;
    rows.iter()
        .map(|row| {
            let sum: u32 = row.iter().map(|&w| u32::from(w)).sum();
            if sum == 0 {
                return Err(problem("skin_weights", "leaves a vertex without a joint"));
            }
            Ok(row.map(|w| f32::from(w) / sum as f32))
        })
        .collect()
}

fn read_regions(asset: &Container<'_>, count: usize) -> Result<Vec<Vec<f32>>, HeadError> {
    let bytes = asset.u8s("regions", &[count])?;
    expect_len("regions", bytes.len() / count, Region::ALL.len())?;
    Ok(bytes
        .chunks_exact(count)
        .map(|mask| mask.iter().map(|&m| f32::from(m) / 255.0).collect())
        .collect())
}

fn read_similarity(header: &Header) -> Result<Similarity, HeadError> {
    let scale = header.units_per_dm;
    let centre_dm = Vec3::from(header.centre_dm);
    if !(0.01..100.0).contains(&scale) || !centre_dm.is_finite() || centre_dm.x != 0.0 {
        return Err(HeadError::Header("the similarity to world units is unusable".to_owned()));
    }
    Ok(Similarity { centre_dm, units_per_dm: scale, metres_per_unit: 0.1 / scale })
}

fn read_targets(asset: &Container<'_>, count: usize) -> Result<Vec<Target>, HeadError> {
    let offsets = asset.u32s("target_offsets")?;
    let vertices = asset.indices::<1>("target_vertices", &[], count)?;
    let deltas = asset.i16_triples("target_deltas")?;
    let scales = asset.floats::<1>("target_scales", &[])?;
    let joints = asset.vec3s_by_joint("target_joints")?;
    let targets = asset.header.targets.len();
    expect_len("target_offsets", offsets.len(), targets + 1)?;
    expect_len("target_scales", scales.len(), targets)?;
    expect_len("target_joints", joints.len(), targets)?;
    expect_len("target_deltas", deltas.len(), vertices.len())?;
    let sorted = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if !sorted || offsets[0] != 0 || offsets[targets] as usize != vertices.len() {
        return Err(problem("target_offsets", "does not partition the target vertices"));
    }
    Ok((0..targets)
        .map(|i| {
            let range = offsets[i] as usize..offsets[i + 1] as usize;
            let scale = scales[i][0];
            Target {
                vertices: vertices[range.clone()].iter().map(|[v]| *v).collect(),
                deltas: deltas[range]
                    .iter()
                    .map(|d| Vec3::from(d.map(f32::from)) * scale)
                    .collect(),
                joints: joints[i],
            }
        })
        .collect())
}

impl Container<'_> {
    fn vec3s_by_joint(&self, name: &str) -> Result<Vec<[Vec3; JOINTS]>, HeadError> {
        let rows = self.floats::<{ JOINTS * 3 }>(name, &[JOINTS, 3])?;
        Ok(rows
            .into_iter()
            .map(|row| std::array::from_fn(|j| Vec3::from_slice(&row[j * 3..])))
            .collect())
    }
}

type Controls = (Vec<(usize, MacroKey)>, Vec<Slider>, BTreeMap<String, usize>);

fn read_controls(header: &Header) -> Result<Controls, HeadError> {
    let mut macros = Vec::new();
    let mut expressions = BTreeMap::new();
    for (i, target) in header.targets.iter().enumerate() {
        match target.kind.as_str() {
            "macro" => {
                let key = MacroKey::parse(&target.name).ok_or_else(|| {
                    HeadError::Header(format!("`{}` is no macro target", target.name))
                })?;
                macros.push((i, key));
            }
            "expression" => {
                expressions.insert(target.name.clone(), i);
            }
            "local" => {}
            kind => return Err(HeadError::Header(format!("unknown target kind `{kind}`"))),
        }
    }
    if !expressions.keys().map(String::as_str).eq(ARKIT_NAMES) {
        return Err(HeadError::Header("the expressions are not the 52 ARKit units".to_owned()));
    }
    let mut sliders = Vec::with_capacity(header.sliders.len());
    for slider in &header.sliders {
        let ends = || slider.positive.iter().chain(&slider.negative);
        if slider.positive.is_empty() || ends().any(|&i| i >= header.targets.len()) {
            return Err(HeadError::Header(format!("slider `{}` has bad targets", slider.name)));
        }
        if !(slider.sigma > 0.0 && slider.sigma <= 1.0) {
            return Err(HeadError::Header(format!("slider `{}` has a bad sigma", slider.name)));
        }
        sliders.push(Slider {
            name: slider.name.clone(),
            section: slider.section.clone(),
            sigma: slider.sigma,
            sideways: slider.sideways,
            positive: slider.positive.clone(),
            negative: slider.negative.clone(),
        });
    }
    Ok((macros, sliders, expressions))
}

fn anchors(
    asset: &Container<'_>,
    stem: &str,
    expected: usize,
    count: usize,
) -> Result<Vec<Anchor>, HeadError> {
    let vertices = asset.indices::<3>(&format!("{stem}_vertices"), &[3], count)?;
    let weights = asset.floats::<3>(&format!("{stem}_weights"), &[3])?;
    expect_len(stem, vertices.len(), expected)?;
    expect_len(stem, weights.len(), expected)?;
    for w in &weights {
        if w.iter().any(|x| *x < 0.0) || (w.iter().sum::<f32>() - 1.0).abs() > 1e-4 {
            return Err(problem(stem, "holds weights that are no convex combination"));
        }
    }
    Ok(vertices
        .into_iter()
        .zip(weights)
        .map(|(vertices, weights)| Anchor { vertices, weights })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BYTES: &[u8] = include_bytes!("../../assets/head/head.safetensors");

    #[test]
    fn the_asset_has_the_documented_size() {
        let model = HeadModel::embedded();
        assert!(BYTES.len() <= 4_200_000);
        assert_eq!(model.vertices.len(), 5888);
        assert_eq!(model.triangles().len(), 11_008);
        assert_eq!(model.sliders().len(), 117);
        assert_eq!(model.macros.len(), 88);
        assert_eq!(model.expression_names().collect::<Vec<_>>(), ARKIT_NAMES);
        let total: usize = Part::ALL.iter().map(|&p| model.part_triangles(p).len()).sum();
        assert_eq!(total, model.triangles().len());
        for (t, triangle) in model.triangles().iter().enumerate() {
            let part = model.part(t);
            assert!(model.part_range(part).contains(&t));
            assert!(triangle.iter().all(|&i| model.vertex_part()[i as usize] == part));
        }
    }

    #[test]
    fn skin_weights_sum_to_one() {
        for row in HeadModel::embedded().skin_weights() {
            assert!(row.iter().all(|w| *w >= 0.0) && (row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn the_triangulation_is_mirror_symmetric() {
        let model = HeadModel::embedded();
        let key = |mut t: [u32; 3]| {
            t.sort_unstable();
            t
        };
        let mut all: Vec<[u32; 3]> = model.triangles().iter().map(|t| key(*t)).collect();
        all.sort_unstable();
        for triangle in model.triangles() {
            let [a, b, c] = triangle.map(|i| model.mirror()[i as usize]);
            assert!(all.binary_search(&key([c, b, a])).is_ok());
        }
    }

    #[test]
    fn uvs_stay_in_the_atlas_and_are_not_flipped() {
        let model = HeadModel::embedded();
        assert!(model.uvs().iter().all(|uv| uv.min_element() >= 0.0 && uv.max_element() <= 1.0));
        let area = |t: &[u32; 3]| {
            let [a, b, c] = t.map(|i| model.uvs()[i as usize]);
            (b - a).perp_dot(c - a)
        };
        let skin = &model.uv_triangles()[model.part_range(Part::Skin)];
        let flipped = skin.iter().filter(|t| area(t) < 0.0).count();
        assert!(flipped * 100 < skin.len(), "{flipped} of {} triangles", skin.len());
    }

    #[test]
    fn truncated_assets_are_errors() {
        for length in [0, 7, 8, 100, 5000, BYTES.len() / 2, BYTES.len() - 1] {
            assert!(HeadModel::from_bytes(&BYTES[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn wrong_headers_are_errors_that_say_what() {
        let swap = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = BYTES.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut bytes = BYTES.to_vec();
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            HeadModel::from_bytes(&bytes).unwrap_err().to_string()
        };
        assert!(swap("jawOpen", "jawopen").contains("52 ARKit"));
        assert!(swap("inner_mouth", "inner_mount").contains("regions"));
        assert!(swap("quad_part", "quad_pard").contains("quad_part"));
        assert!(swap("asian-male-old", "asian-mole-old").contains("asian-mole-old"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Any damage gives an error or a model that still works; nothing panics.
        #[test]
        fn damaged_assets_never_panic(
            damage in prop::collection::vec((0usize..BYTES.len(), any::<u8>()), 1..40),
            in_header in any::<bool>(),
        ) {
            let mut bytes = BYTES.to_vec();
            for (at, value) in damage {
                let at = if in_header { at % 60_000 } else { at };
                bytes[at] = value;
            }
            if let Ok(model) = HeadModel::from_bytes(&bytes) {
                let head = model.shape(&HeadParams::default()).unwrap();
                prop_assert_eq!(head.positions.len(), model.vertex_part().len());
            }
        }
    }
}
