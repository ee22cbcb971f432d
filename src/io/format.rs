//! The formats that a finished head can be written in.

use super::ExportError;
use std::fmt;
use std::path::Path;

/// A mesh format; the file's extension says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum MeshFormat {
    /// Binary glTF: one file with texture and, where there are some, morph targets.
    Glb,
    /// Wavefront: the mesh, with a material (.mtl) and the texture (.png) beside it.
    Obj,
    /// Stanford polygons, binary: one colour a vertex, no texture.
    Ply,
}

impl MeshFormat {
    /// All formats, the usual one first.
    pub const ALL: [Self; 3] = [Self::Glb, Self::Obj, Self::Ply];

    /// The extension of its files, lower case, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Glb => "glb",
            Self::Obj => "obj",
            Self::Ply => "ply",
        }
    }

    /// Whether its files hold a texture whose size can be chosen.
    #[must_use]
    pub fn has_texture(self) -> bool {
        self != Self::Ply
    }

    /// The format that a file name says, in either case; `None` for other names.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|format| extension.eq_ignore_ascii_case(format.extension()))
    }

    /// The format to write: the wanted one, else what the file name says, else [`Self::Glb`].
    ///
    /// # Errors
    /// [`ExportError::MeshFormat`] for a name that says none, [`ExportError::OtherFormat`] for
    /// one that does not say the wanted one.
    pub fn choose(wanted: Option<Self>, path: Option<&Path>) -> Result<Self, ExportError> {
        let Some(path) = path else { return Ok(wanted.unwrap_or(Self::Glb)) };
        match (wanted, Self::of(path)) {
            (None, None) => Err(ExportError::MeshFormat(path.to_owned())),
            (Some(format), said) if said != Some(format) => {
                Err(ExportError::OtherFormat { path: path.to_owned(), format })
            }
            (Some(format), _) | (None, Some(format)) => Ok(format),
        }
    }
}

impl fmt::Display for MeshFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_wishes_must_agree() {
        let choose = |wanted, path: &str| MeshFormat::choose(wanted, Some(Path::new(path)));
        assert_eq!(MeshFormat::choose(None, None).unwrap(), MeshFormat::Glb);
        assert_eq!(MeshFormat::choose(Some(MeshFormat::Ply), None).unwrap(), MeshFormat::Ply);
        assert_eq!(choose(None, "a/b.c/head.OBJ").unwrap(), MeshFormat::Obj);
        assert_eq!(choose(Some(MeshFormat::Glb), "x.glb").unwrap(), MeshFormat::Glb);
        for name in ["head", "head.fbx", "obj", "head.obj/x", ""] {
            let error = choose(None, name).unwrap_err();
            assert!(matches!(error, ExportError::MeshFormat(_)), "{name}");
        }
        for name in ["head", "head.ply", "head.mtl"] {
            let error = choose(Some(MeshFormat::Obj), name).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(".obj"), "{error}");
        }
    }
}
