//! Binary PLY: a mesh with one colour a vertex, for scanning and printing tools.

use super::{ExportError, MeshOptions, comment, metres, write_file};
use crate::geometry::TexturedMesh;
use glam::{UVec2, Vec2, Vec3};
use image::RgbaImage;
use std::path::Path;

/// Encodes a mesh as binary little-endian PLY: metres, y up, facing +z; `float x y z nx ny nz`
/// and `uchar red green blue` (sRGB) for each vertex, the colour that the texture has at its
/// texture coordinates; `list uchar int vertex_indices` for each triangle. The same input
/// always gives the same bytes.
///
/// # Errors
/// [`ExportError::Geometry`] for a mesh that does not pass [`TexturedMesh::validate`],
/// [`ExportError::Invalid`] for a scale that is not positive, a texture without pixels or more
/// vertices than an `int` counts.
pub fn encode(textured: &TexturedMesh, options: &MeshOptions) -> Result<Vec<u8>, ExportError> {
    let positions = metres(textured, options.metres_per_unit)?;
    if i32::try_from(positions.len()).is_err() {
        return Err(ExportError::Invalid("a PLY cannot hold that many vertices"));
    }
    let triangles = &textured.mesh.triangles;
    let mut header = vec!["ply".to_owned(), "format binary_little_endian 1.0".to_owned()];
    header.extend(comment::lines(&options.provenance).iter().map(|line| format!("comment {line}")));
    header.push("comment metres, y up, facing +z".to_owned());
    header.push(format!("element vertex {}", positions.len()));
    header.extend(["x", "y", "z", "nx", "ny", "nz"].map(|name| format!("property float {name}")));
    header.extend(["red", "green", "blue"].map(|name| format!("property uchar {name}")));
    header.push(format!("element face {}", triangles.len()));
    header.push("property list uchar int vertex_indices\nend_header\n".to_owned());
    let mut out = header.join("\n").into_bytes();
    out.reserve(positions.len() * 27 + triangles.len() * 13);
    let vector = |out: &mut Vec<u8>, v: Vec3| {
        out.extend(v.to_array().iter().flat_map(|x| x.to_le_bytes()));
    };
    for ((position, normal), uv) in positions.iter().zip(&textured.normals).zip(&textured.uvs) {
        vector(&mut out, *position);
        vector(&mut out, *normal);
        out.extend(colour(&textured.albedo, *uv));
    }
    for corners in triangles {
        out.push(3);
        out.extend(corners.iter().flat_map(|v| v.to_le_bytes()));
    }
    Ok(out)
}

/// Writes a mesh as PLY.
///
/// # Errors
/// As [`encode`] and [`write_file`].
pub fn write(
    path: &Path,
    textured: &TexturedMesh,
    options: &MeshOptions,
) -> Result<(), ExportError> {
    write_file(path, &encode(textured, options)?)
}

/// The texture's colour at a place, between the four nearest texels; beyond the border that of
/// the border.
fn colour(albedo: &RgbaImage, uv: Vec2) -> [u8; 3] {
    let last = UVec2::from(albedo.dimensions()).saturating_sub(UVec2::ONE);
    let size = UVec2::from(albedo.dimensions()).as_vec2();
    // Texel centres lie at half integers.
    let at = (uv * size - 0.5).clamp(Vec2::ZERO, last.as_vec2());
    let low = at.floor();
    let share = at - low;
    let (near, far) = (low.as_uvec2(), (low.as_uvec2() + 1).min(last));
    let texel = |x, y| {
        let [r, g, b, _] = albedo.get_pixel(x, y).0;
        Vec3::from([r, g, b].map(f32::from))
    };
    let top = texel(near.x, near.y).lerp(texel(far.x, near.y), share.x);
    let bottom = texel(near.x, far.y).lerp(texel(far.x, far.y), share.x);
    top.lerp(bottom, share.y).round().to_array().map(|c| c as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::samples::{options, triangle};
    use image::Rgba;

    #[test]
    fn a_triangle_is_written_out() {
        let bytes = encode(&triangle(), &options()).unwrap();
        let header = "ply\nformat binary_little_endian 1.0\n\
             comment prompt: a bald man\ncomment seed: 7\ncomment metres, y up, facing +z\n\
             element vertex 3\nproperty float x\nproperty float y\nproperty float z\n\
             property float nx\nproperty float ny\nproperty float nz\n\
             property uchar red\nproperty uchar green\nproperty uchar blue\n\
             element face 1\nproperty list uchar int vertex_indices\nend_header\n";
        let body = bytes.strip_prefix(header.as_bytes()).unwrap();
        assert_eq!(body.len(), 3 * 27 + 13);
        let second: Vec<u8> = [0.5f32, 0.0, 0.25, 0.0, 0.0, 1.0]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            // Its texture coordinates are the centre of the last texel.
            .chain([0, 0, 255])
            .collect();
        assert_eq!(body[27..54], second);
        assert_eq!(body[81..], [3, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(bytes, encode(&triangle(), &options()).unwrap());
    }

    #[test]
    fn colours_are_mixed_of_four_texels() {
        let albedo = RgbaImage::from_fn(2, 2, |x, y| Rgba([100 * x as u8, 200 * y as u8, 9, 255]));
        for (uv, want) in [
            ((0.25, 0.25), [0, 0, 9]),
            ((0.5, 0.5), [50, 100, 9]),
            ((0.75, 0.5), [100, 100, 9]),
            ((0.4, 0.25), [30, 0, 9]),
            ((-3.0, 7.0), [0, 200, 9]),
            ((1.0, 0.0), [100, 0, 9]),
        ] {
            assert_eq!(colour(&albedo, Vec2::from(uv)), want, "{uv:?}");
        }
        let one = RgbaImage::from_pixel(1, 1, Rgba([1, 2, 3, 4]));
        assert_eq!(colour(&one, Vec2::splat(0.9)), [1, 2, 3]);
    }

    #[test]
    fn broken_meshes_are_refused() {
        crate::io::samples::refuses(|mesh, options| encode(mesh, options).map(drop));
    }
}
