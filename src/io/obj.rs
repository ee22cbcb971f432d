//! Wavefront OBJ with a material and a texture: the avatar as nearly every program reads it.

use super::{ExportError, MeshOptions, comment, image as pictures, metres, write_file};
use crate::geometry::TexturedMesh;
use ::image::DynamicImage;
use std::fmt::Write;
use std::path::Path;

/// The three files of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjFiles {
    /// The mesh, which names the material's file.
    pub obj: Vec<u8>,
    /// The material, which names the texture's file.
    pub mtl: Vec<u8>,
    /// Name of the material's file.
    pub mtl_name: String,
    /// The texture.
    pub png: Vec<u8>,
    /// Name of the texture's file.
    pub png_name: String,
}

/// Encodes a mesh as OBJ: metres, y up, facing +z, one `v`, `vt` and `vn` for each vertex in
/// the mesh's order, `vt` from the texture's bottom left corner. `stem` is what the files'
/// names begin with. The same input always gives the same bytes.
///
/// # Errors
/// [`ExportError::Geometry`] for a mesh that does not pass [`TexturedMesh::validate`],
/// [`ExportError::Invalid`] for a scale that is not positive or a texture without pixels.
pub fn encode(
    textured: &TexturedMesh,
    options: &MeshOptions,
    stem: &str,
) -> Result<ObjFiles, ExportError> {
    let positions = metres(textured, options.metres_per_unit)?;
    // The formats know no quoting: a space or a sign of comments would end a name.
    let safe = |text: &str| -> String {
        let plain = |c: char| c.is_alphanumeric() || "-_.+()".contains(c);
        text.chars().map(|c| if plain(c) { c } else { '_' }).collect()
    };
    let (name, stem) = (safe(&options.name), safe(stem));
    let (mtl_name, png_name) = (format!("{stem}.mtl"), format!("{stem}_albedo.png"));
    let mut header = String::new();
    for line in comment::lines(&options.provenance) {
        text(&mut header, format_args!("# {line}\n"));
    }
    let mut obj = header.clone();
    obj.push_str("# metres, y up, facing +z\n");
    text(&mut obj, format_args!("mtllib {mtl_name}\no {name}\n"));
    for p in &positions {
        text(&mut obj, format_args!("v {} {} {}\n", p.x, p.y, p.z));
    }
    for uv in &textured.uvs {
        text(&mut obj, format_args!("vt {} {}\n", uv.x, 1.0 - uv.y));
    }
    for n in &textured.normals {
        text(&mut obj, format_args!("vn {} {} {}\n", n.x, n.y, n.z));
    }
    text(&mut obj, format_args!("usemtl {name}\ns 1\n"));
    for corners in &textured.mesh.triangles {
        let [a, b, c] = corners.map(|v| u64::from(v) + 1);
        text(&mut obj, format_args!("f {a}/{a}/{a} {b}/{b}/{b} {c}/{c}/{c}\n"));
    }
    let mut mtl = header;
    text(
        &mut mtl,
        format_args!(
            "newmtl {name}\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nd 1\nillum 1\nmap_Kd {png_name}\n"
        ),
    );
    let albedo = DynamicImage::ImageRgba8(textured.albedo.clone()).into_rgb8();
    let png = pictures::encode_png(&albedo)?;
    Ok(ObjFiles { obj: obj.into_bytes(), mtl: mtl.into_bytes(), mtl_name, png, png_name })
}

/// Writes a mesh as OBJ, with its `.mtl` and its `_albedo.png` in the same folder. The mesh
/// comes last, so that it never names files that are not there.
///
/// # Errors
/// As [`encode`] and [`write_file`]; [`ExportError::Invalid`] for a file name that is no text.
pub fn write(
    path: &Path,
    textured: &TexturedMesh,
    options: &MeshOptions,
) -> Result<(), ExportError> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or(ExportError::Invalid("the name of an OBJ file must be text"))?;
    let files = encode(textured, options, stem)?;
    write_file(&path.with_file_name(&files.png_name), &files.png)?;
    write_file(&path.with_file_name(&files.mtl_name), &files.mtl)?;
    write_file(path, &files.obj)
}

/// Appends text; writing to a string cannot fail.
fn text(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::samples::{options, triangle};

    #[test]
    fn a_triangle_is_written_out() {
        let files = encode(&triangle(), &options(), "my head #1").unwrap();
        assert_eq!(
            String::from_utf8(files.obj.clone()).unwrap(),
            "# prompt: a bald man\n# seed: 7\n# metres, y up, facing +z\n\
             mtllib my_head__1.mtl\no a_head\n\
             v 0 0 0.25\nv 0.5 0 0.25\nv 0 0.000000001 0.25\n\
             vt 0.25 0.25\nvt 0.75 0.25\nvt 0.25 0.75\n\
             vn 0 0 1\nvn 0 0 1\nvn 0 0 1\nusemtl a_head\ns 1\nf 1/1/1 2/2/2 3/3/3\n"
        );
        let material = String::from_utf8(files.mtl.clone()).unwrap();
        assert!(material.contains("\nnewmtl a_head\n"), "{material}");
        assert!(material.ends_with("map_Kd my_head__1_albedo.png\n"), "{material}");
        let png = ::image::load_from_memory(&files.png).unwrap().into_rgba8();
        assert_eq!(png, triangle().albedo);
        assert_eq!(files, encode(&triangle(), &options(), "my head #1").unwrap());
    }

    #[test]
    fn three_files_lie_beside_one_another_and_failures_name_theirs() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("a b.obj"), &triangle(), &options()).unwrap();
        for name in ["a b.obj", "a_b.mtl", "a_b_albedo.png"] {
            assert!(dir.path().join(name).is_file(), "{name}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
        let error = write(Path::new("/no/where.obj"), &triangle(), &options()).unwrap_err();
        assert!(error.to_string().starts_with("cannot write /no/where"), "{error}");
    }

    #[test]
    fn broken_meshes_are_refused() {
        crate::io::samples::refuses(|mesh, options| encode(mesh, options, "x").map(drop));
    }
}
