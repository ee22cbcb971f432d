//! Binary glTF 2.0: the avatar as other programs read it.

use super::{ExportError, image as pictures, metres, write_file};
use crate::geometry::{MorphMesh, MorphTarget, TexturedMesh};
use glam::Vec3;
use serde_json::{Value, json};
use std::path::Path;

/// glTF component types.
const FLOAT: u32 = 5126;
const UNSIGNED_INT: u32 = 5125;
/// glTF buffer view targets.
const VERTICES: u32 = 34962;
const INDICES: u32 = 34963;
/// glTF sampler settings.
const LINEAR: u32 = 9729;
const LINEAR_MIPMAP_LINEAR: u32 = 9987;
const CLAMP_TO_EDGE: u32 = 33071;

/// What goes into the file besides the mesh.
#[derive(Debug, Clone, PartialEq)]
pub struct GlbOptions {
    /// Name of the node, mesh and material.
    pub name: String,
    /// Scale from world units to metres.
    pub metres_per_unit: f32,
    /// Roughness of the material, `[0, 1]`.
    pub roughness: f32,
    /// Copyright line, if any.
    pub copyright: Option<String>,
    /// Where the avatar comes from (prompt, seed, model): `asset.extras`.
    pub provenance: Value,
}

/// Encodes a mesh as GLB: metres, y up, facing +z, one material with the embedded base
/// colour texture. The same input always gives the same bytes.
///
/// # Errors
/// [`ExportError::Geometry`] for a mesh that does not pass [`TexturedMesh::validate`],
/// [`ExportError::Invalid`] for a scale or roughness out of range, a texture without pixels or
/// a file of 4 GiB.
pub fn encode(textured: &TexturedMesh, options: &GlbOptions) -> Result<Vec<u8>, ExportError> {
    assemble(textured, &[], &[], options)
}

/// [`encode`] for a mesh with morph targets: named in `extras.targetNames`, stored sparsely,
/// at their first weights.
///
/// # Errors
/// As [`encode`], with what [`MorphMesh::validate`] says.
pub fn encode_morph(morph: &MorphMesh, options: &GlbOptions) -> Result<Vec<u8>, ExportError> {
    morph.validate()?;
    assemble(&morph.rest, &morph.targets, &morph.weights, options)
}

fn assemble(
    textured: &TexturedMesh,
    targets: &[MorphTarget],
    weights: &[f32],
    options: &GlbOptions,
) -> Result<Vec<u8>, ExportError> {
    let metres = metres(textured, options.metres_per_unit)?;
    if !(0.0..=1.0).contains(&options.roughness) {
        return Err(ExportError::Invalid("the roughness must be within 0 and 1"));
    }
    let (low, high) =
        metres.iter().fold((metres[0], metres[0]), |(lo, hi), p| (lo.min(*p), hi.max(*p)));
    let corner = |v: Vec3| v.to_array().map(f64::from);
    let albedo = image::DynamicImage::ImageRgba8(textured.albedo.clone()).into_rgb8();
    let triangles = &textured.mesh.triangles;

    let mut binary = Binary::default();
    let position = binary.push(bytemuck::cast_slice(&metres), Some(VERTICES));
    let normal = binary.push(bytemuck::cast_slice(&textured.normals), Some(VERTICES));
    let uv = binary.push(bytemuck::cast_slice(&textured.uvs), Some(VERTICES));
    let index = binary.push(bytemuck::cast_slice(triangles), Some(INDICES));
    let image = binary.push(&pictures::encode_png(&albedo)?, None);

    let vertices = metres.len();
    let mut accessors = vec![
        json!({
            "bufferView": position, "componentType": FLOAT, "count": vertices,
            "type": "VEC3", "min": corner(low), "max": corner(high),
        }),
        json!({ "bufferView": normal, "componentType": FLOAT, "count": vertices, "type": "VEC3" }),
        json!({ "bufferView": uv, "componentType": FLOAT, "count": vertices, "type": "VEC2" }),
        json!({
            "bufferView": index, "componentType": UNSIGNED_INT,
            "count": triangles.len() * 3, "type": "SCALAR",
        }),
    ];
    let mut mesh = json!({
        "name": options.name,
        "primitives": [{
            "attributes": { "POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2 },
            "indices": 3,
            "material": 0,
            "mode": 4,
        }],
    });
    if !targets.is_empty() {
        let list: Vec<Value> = targets
            .iter()
            .map(|target| {
                accessors.push(sparse(target, vertices, options.metres_per_unit, &mut binary));
                json!({ "POSITION": accessors.len() - 1 })
            })
            .collect();
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        mesh["primitives"][0]["targets"] = json!(list);
        mesh["weights"] = json!(weights);
        mesh["extras"] = json!({ "targetNames": names });
    }
    let name = &options.name;
    let mut asset = json!({
        "version": "2.0",
        "generator": concat!("HeadSculpt ", env!("CARGO_PKG_VERSION")),
        "extras": options.provenance,
    });
    if let Some(copyright) = &options.copyright {
        asset["copyright"] = json!(copyright);
    }
    let document = json!({
        "asset": asset,
        "scene": 0,
        "scenes": [{ "name": name, "nodes": [0] }],
        "nodes": [{ "name": name, "mesh": 0 }],
        "meshes": [mesh],
        "materials": [{
            "name": name,
            "pbrMetallicRoughness": {
                "baseColorTexture": { "index": 0 },
                "metallicFactor": 0.0,
                "roughnessFactor": f64::from(options.roughness),
            },
        }],
        "textures": [{ "sampler": 0, "source": 0 }],
        "samplers": [{
            "magFilter": LINEAR,
            "minFilter": LINEAR_MIPMAP_LINEAR,
            "wrapS": CLAMP_TO_EDGE,
            "wrapT": CLAMP_TO_EDGE,
        }],
        "images": [{ "name": "albedo", "bufferView": image, "mimeType": "image/png" }],
        "accessors": accessors,
        "bufferViews": binary.views,
        "buffers": [{ "byteLength": binary.bytes.len() }],
    });
    let text = serde_json::to_vec(&document)
        .map_err(|error| ExportError::Encode { what: "the GLB", reason: error.to_string() })?;
    container(text, &binary.bytes)
}

/// A morph target's accessor: zeros but for the vertices that it moves.
fn sparse(target: &MorphTarget, vertices: usize, scale: f32, binary: &mut Binary) -> Value {
    // The format knows no empty list: a target that moves nothing moves one vertex by 0.
    let (indices, deltas): (&[u32], Vec<Vec3>) = if target.vertices.is_empty() {
        (&[0], vec![Vec3::ZERO])
    } else {
        (&target.vertices, target.deltas.iter().map(|delta| *delta * scale).collect())
    };
    let all_move = indices.len() == vertices;
    let start = if all_move { (deltas[0], deltas[0]) } else { (Vec3::ZERO, Vec3::ZERO) };
    let (low, high) = deltas.iter().fold(start, |(lo, hi), d| (lo.min(*d), hi.max(*d)));
    let corner = |v: Vec3| v.to_array().map(f64::from);
    let places = binary.push(bytemuck::cast_slice(indices), None);
    let values = binary.push(bytemuck::cast_slice(&deltas), None);
    json!({
        "componentType": FLOAT, "count": vertices, "type": "VEC3",
        "min": corner(low), "max": corner(high),
        "sparse": {
            "count": indices.len(),
            "indices": { "bufferView": places, "componentType": UNSIGNED_INT },
            "values": { "bufferView": values },
        },
    })
}

/// Writes a mesh as GLB.
///
/// # Errors
/// As [`encode`] and [`write_file`].
pub fn write(
    path: &Path,
    textured: &TexturedMesh,
    options: &GlbOptions,
) -> Result<(), ExportError> {
    write_file(path, &encode(textured, options)?)
}

/// Writes a mesh with morph targets as GLB.
///
/// # Errors
/// As [`encode_morph`] and [`write_file`].
pub fn write_morph(
    path: &Path,
    morph: &MorphMesh,
    options: &GlbOptions,
) -> Result<(), ExportError> {
    write_file(path, &encode_morph(morph, options)?)
}

/// The binary chunk and its views, in one order.
#[derive(Default)]
struct Binary {
    bytes: Vec<u8>,
    views: Vec<Value>,
}

impl Binary {
    /// Appends data at a multiple of 4 bytes and returns the index of its view.
    fn push(&mut self, data: &[u8], target: Option<u32>) -> usize {
        let mut view = json!({
            "buffer": 0,
            "byteOffset": self.bytes.len(),
            "byteLength": data.len(),
        });
        if let Some(target) = target {
            view["target"] = json!(target);
        }
        self.bytes.extend_from_slice(data);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.views.push(view);
        self.views.len() - 1
    }
}

/// Header and the two chunks, each padded to 4 bytes.
fn container(mut text: Vec<u8>, binary: &[u8]) -> Result<Vec<u8>, ExportError> {
    text.resize(text.len().next_multiple_of(4), b' ');
    let total = 12 + 8 + text.len() + 8 + binary.len();
    let size = |bytes: usize| {
        u32::try_from(bytes).map_err(|_| ExportError::Invalid("a GLB cannot exceed 4 GiB"))
    };
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(b"glTF");
    out.extend_from_slice(&2u32.to_le_bytes());
    out.extend_from_slice(&size(total)?.to_le_bytes());
    for (kind, chunk) in [(b"JSON", &text[..]), (b"BIN\0", binary)] {
        out.extend_from_slice(&size(chunk.len())?.to_le_bytes());
        out.extend_from_slice(kind);
        out.extend_from_slice(chunk);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::sphere;
    use glam::Vec2;
    use image::{Rgba, RgbaImage};

    fn ball() -> TexturedMesh {
        let mesh = sphere(Vec3::new(0.1, 0.2, -0.3), 0.4, 12, 20);
        let normals = crate::geometry::smooth::vertex_normals(&mesh);
        let uvs = normals.iter().map(|n| Vec2::new(0.5 + 0.4 * n.x, 0.5 - 0.4 * n.y)).collect();
        let albedo = RgbaImage::from_fn(17, 17, |x, y| {
            Rgba([(x * 15) as u8, (y * 15) as u8, ((x * y) % 256) as u8, 255])
        });
        TexturedMesh { mesh, normals, uvs, albedo }
    }

    fn options() -> GlbOptions {
        GlbOptions {
            name: "a \"quoted\" name".into(),
            metres_per_unit: 0.31,
            roughness: 0.8,
            copyright: Some("CC0".into()),
            provenance: json!({ "prompt": "a bald man", "seed": 7 }),
        }
    }

    #[test]
    fn a_file_reads_back_as_it_was() {
        let textured = ball();
        let bytes = encode(&textured, &options()).expect("encodes");
        assert_eq!(bytes, encode(&textured, &options()).expect("encodes"));
        let file = gltf::Gltf::from_slice(&bytes).expect("valid glTF");
        let blob = file.blob.as_deref().expect("a binary chunk");
        let asset = &file.document.as_json().asset;
        assert!(asset.generator.as_deref().expect("set").starts_with("HeadSculpt "));
        assert_eq!(asset.copyright.as_deref(), Some("CC0"));
        let extras = asset.extras.as_ref().expect("set").get();
        let extras: Value = serde_json::from_str(extras).expect("JSON");
        assert_eq!(extras, options().provenance);

        let scene = file.default_scene().expect("a scene");
        let node = scene.nodes().next().expect("a node");
        assert_eq!(node.name(), Some("a \"quoted\" name"));
        let mesh = node.mesh().expect("a mesh");
        let primitive = mesh.primitives().next().expect("a primitive");
        let reader = primitive.reader(|_| Some(blob));
        let positions: Vec<Vec3> =
            reader.read_positions().expect("there").map(Vec3::from).collect();
        let want: Vec<Vec3> = textured.mesh.positions.iter().map(|p| *p * 0.31).collect();
        assert_eq!(positions, want);
        let normals: Vec<Vec3> = reader.read_normals().expect("there").map(Vec3::from).collect();
        assert_eq!(normals, textured.normals);
        let uvs = reader.read_tex_coords(0).expect("there").into_f32();
        assert_eq!(uvs.map(Vec2::from).collect::<Vec<_>>(), textured.uvs);
        let indices: Vec<u32> = reader.read_indices().expect("there").into_u32().collect();
        assert_eq!(indices, textured.mesh.triangles.concat());
        let bounds = primitive.bounding_box();
        assert!(
            (bounds.max[1] - 0.6 * 0.31).abs() < 1e-6 && (bounds.min[0] + 0.3 * 0.31).abs() < 1e-6
        );

        let material = primitive.material();
        let pbr = material.pbr_metallic_roughness();
        assert_eq!((pbr.metallic_factor(), pbr.roughness_factor()), (0.0, 0.8));
        let texture = pbr.base_color_texture().expect("textured").texture();
        let gltf::image::Source::View { view, mime_type } = texture.source().source() else {
            panic!("the image is not embedded");
        };
        assert_eq!(mime_type, "image/png");
        let png = &blob[view.offset()..view.offset() + view.length()];
        let albedo = image::load_from_memory(png).expect("a PNG").into_rgba8();
        assert_eq!(albedo, textured.albedo);
    }

    #[test]
    fn morph_targets_read_back_with_names_and_weights() {
        let rest = ball();
        let n = rest.mesh.positions.len();
        let lift: Vec<Vec3> = (0..n).map(|i| Vec3::Y * if i < 9 { 0.1 } else { 0.0 }).collect();
        let targets = vec![
            MorphTarget::from_dense("jawOpen", &lift, 1e-6),
            MorphTarget::from_dense("nothing", &vec![Vec3::ZERO; n], 1e-6),
        ];
        let morph = MorphMesh { rest, targets, weights: vec![0.25, 0.0] };
        let bytes = encode_morph(&morph, &options()).expect("encodes");
        let file = gltf::Gltf::from_slice(&bytes).expect("valid glTF");
        let blob = file.blob.as_deref().expect("a binary chunk");
        let mesh = file.meshes().next().expect("a mesh");
        assert_eq!(mesh.weights(), Some(&[0.25, 0.0][..]));
        let extras: Value =
            serde_json::from_str(mesh.extras().as_ref().expect("set").get()).expect("JSON");
        assert_eq!(extras, json!({ "targetNames": ["jawOpen", "nothing"] }));
        let primitive = mesh.primitives().next().expect("a primitive");
        let reader = primitive.reader(|_| Some(blob));
        let found: Vec<Vec<Vec3>> = reader
            .read_morph_targets()
            .map(|(positions, ..)| positions.expect("moves").map(Vec3::from).collect())
            .collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], lift.iter().map(|d| *d * 0.31).collect::<Vec<_>>());
        assert!(found[1].iter().all(|d| *d == Vec3::ZERO));
    }

    #[test]
    fn bad_input_is_refused() {
        let good = ball();
        for bad in [0.0, -1.0, f32::NAN] {
            let scaled = GlbOptions { metres_per_unit: bad, ..options() };
            assert!(matches!(encode(&good, &scaled), Err(ExportError::Invalid(_))));
        }
        let mut broken = ball();
        broken.mesh.triangles[4][2] = 99_999;
        assert!(matches!(encode(&broken, &options()), Err(ExportError::Geometry(_))));
        broken = ball();
        broken.normals[3] = Vec3::ZERO;
        assert!(matches!(encode(&broken, &options()), Err(ExportError::Geometry(_))));
    }
}
