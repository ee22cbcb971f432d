//! Readers of the exported mesh formats, as plain as other programs' are.

use glam::{Vec2, Vec3};
use image::RgbImage;
use std::collections::HashMap;
use std::path::Path;

/// What a mesh file holds; what its format has no place for is empty.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    pub positions: Vec<Vec3>,
    pub normals: Vec<Vec3>,
    /// From the top left corner.
    pub uvs: Vec<Vec2>,
    pub colours: Vec<[u8; 3]>,
    pub triangles: Vec<[u32; 3]>,
    pub texture: RgbImage,
    /// Comment lines.
    pub comments: Vec<String>,
}

/// Reads an OBJ file with its material and texture.
pub fn obj(path: &Path) -> Read {
    let mut read = Read::default();
    let text = std::fs::read_to_string(path).expect("text");
    let mut library = None;
    let mut material = None;
    for line in text.lines() {
        let (key, rest) = line.split_once(' ').expect("a keyword and values");
        let values = || rest.split(' ').map(|v| v.parse::<f32>().expect("a number"));
        let vector = || Vec3::from_slice(&values().collect::<Vec<_>>());
        match key {
            "#" => read.comments.push(rest.to_owned()),
            "mtllib" => library = Some(path.with_file_name(rest)),
            "usemtl" => material = Some(rest.to_owned()),
            "o" | "s" => {}
            "v" => read.positions.push(vector()),
            "vn" => read.normals.push(vector()),
            "vt" => {
                let v: Vec<f32> = values().collect();
                read.uvs.push(Vec2::new(v[0], 1.0 - v[1]));
            }
            "f" => {
                let corner = |text: &str| {
                    let ids: Vec<u32> = text.split('/').map(|i| i.parse().expect("id")).collect();
                    assert!(ids.len() == 3 && ids[0] == ids[1] && ids[0] == ids[2], "{text}");
                    ids[0] - 1
                };
                let corners: Vec<u32> = rest.split(' ').map(corner).collect();
                read.triangles.push(corners.try_into().expect("three corners"));
            }
            other => panic!("the keyword {other}"),
        }
    }
    let library = library.expect("a material library");
    let text = std::fs::read_to_string(&library).expect("text");
    let fields: HashMap<&str, &str> = text.lines().filter_map(|l| l.split_once(' ')).collect();
    assert_eq!(fields["newmtl"], material.expect("a material"));
    let texture = image::open(library.with_file_name(fields["map_Kd"])).expect("a picture");
    read.texture = texture.into_rgb8();
    read
}

/// Reads a binary PLY file whose properties are those that are written.
pub fn ply(path: &Path) -> Read {
    let mut read = Read::default();
    let bytes = std::fs::read(path).expect("bytes");
    let end = b"end_header\n";
    let body = bytes.windows(end.len()).position(|w| w == end).expect("a header") + end.len();
    let header = std::str::from_utf8(&bytes[..body]).expect("text");
    assert!(header.starts_with("ply\nformat binary_little_endian 1.0\n"));
    let mut counts = HashMap::new();
    let mut properties = Vec::new();
    for line in header.lines() {
        match line.split_once(' ') {
            Some(("comment", text)) => read.comments.push(text.to_owned()),
            Some(("element", text)) => {
                let (name, count) = text.split_once(' ').expect("a name and a count");
                counts.insert(name, count.parse::<usize>().expect("a count"));
            }
            Some(("property", text)) => properties.push(text),
            _ => {}
        }
    }
    let floats = ["x", "y", "z", "nx", "ny", "nz"].map(|name| format!("float {name}"));
    let colours = ["red", "green", "blue"].map(|name| format!("uchar {name}"));
    let list = "list uchar int vertex_indices".to_owned();
    let known: Vec<String> = floats.into_iter().chain(colours).chain([list]).collect();
    assert_eq!(properties, known);
    let mut rest = &bytes[body..];
    let mut take = |n: usize| {
        let (taken, left) = rest.split_at(n);
        rest = left;
        taken
    };
    let words = |bytes: &[u8]| -> Vec<[u8; 4]> {
        bytes.chunks_exact(4).map(|w| w.try_into().expect("four bytes")).collect()
    };
    for _ in 0..counts["vertex"] {
        let v: Vec<f32> = words(take(24)).into_iter().map(f32::from_le_bytes).collect();
        read.positions.push(Vec3::from_slice(&v));
        read.normals.push(Vec3::from_slice(&v[3..]));
        read.colours.push(take(3).try_into().expect("three bytes"));
    }
    for _ in 0..counts["face"] {
        assert_eq!(take(1), [3]);
        let v: Vec<u32> = words(take(12)).into_iter().map(u32::from_le_bytes).collect();
        read.triangles.push(v.try_into().expect("three corners"));
    }
    assert!(rest.is_empty());
    read
}

/// Reads a GLB file as this program writes it: one primitive, its texture, at rest.
pub fn glb(path: &Path) -> Read {
    let file = gltf::Gltf::open(path).expect("valid glTF");
    let blob = file.blob.as_deref().expect("a binary chunk");
    let primitive = file.meshes().flat_map(|m| m.primitives().collect::<Vec<_>>()).next();
    let primitive = primitive.expect("a primitive");
    let reader = primitive.reader(|_| Some(blob));
    let triangles: Vec<u32> = reader.read_indices().expect("indices").into_u32().collect();
    let source = file.images().next().expect("a texture").source();
    let gltf::image::Source::View { view, .. } = source else { panic!("not embedded") };
    let png = &blob[view.offset()..view.offset() + view.length()];
    Read {
        positions: reader.read_positions().expect("there").map(Vec3::from).collect(),
        normals: reader.read_normals().expect("there").map(Vec3::from).collect(),
        uvs: reader.read_tex_coords(0).expect("there").into_f32().map(Vec2::from).collect(),
        triangles: triangles.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect(),
        texture: image::load_from_memory(png).expect("a picture").into_rgb8(),
        ..Read::default()
    }
}
