//! What moves an avatar's face, as a file: its morph targets and their first weights.
//!
//! One safetensors file: `weights` (a target each), `ends` (the targets' ends in what follows),
//! `vertices` and `deltas` (three each), all targets behind one another; the names of the targets
//! are lines of the header's `targets`.

use super::tensors::words;
use crate::geometry::{MorphMesh, MorphTarget, TexturedMesh};
use glam::Vec3;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// Encodes the motion of an avatar.
///
/// # Errors
/// The library's words, for tensors that it refuses.
pub(super) fn encode(avatar: &MorphMesh) -> Result<Vec<u8>, String> {
    let targets = &avatar.targets;
    let ends: Vec<u32> = targets
        .iter()
        .scan(0, |end, target| {
            *end += target.vertices.len() as u32;
            Some(*end)
        })
        .collect();
    let vertices: Vec<u32> = targets.iter().flat_map(|t| t.vertices.iter().copied()).collect();
    let deltas: Vec<Vec3> = targets.iter().flat_map(|t| t.deltas.iter().copied()).collect();
    let view = |dtype, bytes| -> Result<TensorView<'_>, String> {
        let bytes: &[u8] = bytes;
        TensorView::new(dtype, vec![bytes.len() / 4], bytes).map_err(|error| error.to_string())
    };
    let tensors = [
        ("weights", view(Dtype::F32, bytemuck::cast_slice(&avatar.weights))?),
        ("ends", view(Dtype::U32, bytemuck::cast_slice(&ends))?),
        ("vertices", view(Dtype::U32, bytemuck::cast_slice(&vertices))?),
        ("deltas", view(Dtype::F32, bytemuck::cast_slice(&deltas))?),
    ];
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    let header = HashMap::from([("targets".to_owned(), names.join("\n"))]);
    safetensors::serialize(tensors, Some(header)).map_err(|error| error.to_string())
}

/// Gives a mesh the motion of a file.
///
/// # Errors
/// What is wrong with the file, in words.
pub(super) fn decode(bytes: &[u8], rest: TexturedMesh) -> Result<MorphMesh, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let names = header.metadata().as_ref().and_then(|m| m.get("targets").cloned());
    let names = names.ok_or("has no 'targets' in its header")?;
    let floats = |name| -> Result<Vec<f32>, String> {
        Ok(words(&file, name, Dtype::F32)?.into_iter().map(f32::from_bits).collect())
    };
    let ends = words(&file, "ends", Dtype::U32)?;
    let vertices = words(&file, "vertices", Dtype::U32)?;
    let deltas: Vec<Vec3> = floats("deltas")?.chunks_exact(3).map(Vec3::from_slice).collect();
    let mut targets = Vec::with_capacity(ends.len());
    let mut start = 0;
    for (name, end) in names.lines().zip(&ends) {
        let part = start..*end as usize;
        let (Some(vertices), Some(deltas)) = (vertices.get(part.clone()), deltas.get(part)) else {
            return Err(format!("the target {name} ends at {end}"));
        };
        let (vertices, deltas) = (vertices.to_vec(), deltas.to_vec());
        targets.push(MorphTarget { name: name.to_owned(), vertices, deltas });
        start = *end as usize;
    }
    let avatar = MorphMesh { rest, targets, weights: floats("weights")? };
    if avatar.targets.len() != ends.len() {
        return Err(format!("names {} targets of {}", avatar.targets.len(), ends.len()));
    }
    avatar.validate().map_err(|error| error.to_string())?;
    Ok(avatar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::sphere;
    use glam::Vec2;

    fn moving() -> MorphMesh {
        let mesh = sphere(Vec3::ZERO, 1.0, 4, 5);
        let count = mesh.positions.len();
        let normals = mesh.positions.iter().map(|p| p.normalize()).collect();
        let albedo = image::RgbaImage::from_pixel(2, 2, image::Rgba([9, 8, 7, 255]));
        let rest = TexturedMesh { mesh, normals, uvs: vec![Vec2::splat(0.5); count], albedo };
        let target = |name: &str, vertices: &[u32]| MorphTarget {
            name: name.into(),
            vertices: vertices.to_vec(),
            deltas: vertices.iter().map(|v| Vec3::new(0.1, *v as f32, -1.0)).collect(),
        };
        let targets = vec![target("jawOpen", &[0, 2]), target("none", &[]), target("eye", &[1])];
        MorphMesh { rest, targets, weights: vec![0.0, 0.5, 1.0] }
    }

    #[test]
    fn what_moves_comes_back() {
        let avatar = moving();
        let bytes = encode(&avatar).unwrap();
        assert_eq!(decode(&bytes, avatar.rest.clone()).unwrap(), avatar);
        let still = MorphMesh::still(avatar.rest.clone());
        assert_eq!(decode(&encode(&still).unwrap(), avatar.rest).unwrap(), still);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        type Change = fn(&mut MorphMesh);
        let avatar = moving();
        let changes: [(&str, Change); 4] = [
            ("a vertex that the mesh lacks", |a| a.targets[0].vertices[1] = 100_000),
            ("a vertex twice", |a| a.targets[0].vertices[1] = 0),
            ("not a number", |a| a.targets[2].deltas[0].x = f32::NAN),
            ("a weight too many", |a| a.weights.push(0.0)),
        ];
        for (what, change) in changes {
            let mut bad = avatar.clone();
            change(&mut bad);
            assert!(decode(&encode(&bad).unwrap(), avatar.rest.clone()).is_err(), "{what}");
        }
        let good = encode(&avatar).unwrap();
        assert!(decode(&good[..good.len() - 4], avatar.rest.clone()).is_err());
        assert!(decode(b"", avatar.rest).is_err());
    }
}
