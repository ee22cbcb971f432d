//! What may lie in a project: files and folders, nothing that leads out of it.

use super::ProjectError;
use std::io::ErrorKind;
use std::path::Path;

/// How deep folders may lie within one another; a project's own are `editing/<edit>/objects`.
const DEEPEST: usize = 8;

/// Refuses a project that is a link or holds one, or a pipe, socket or device: reading or
/// writing through these would touch what is not the project's, or wait for ever.
///
/// # Errors
/// [`ProjectError::Broken`] naming the file, [`ProjectError::Io`] if a folder cannot be listed.
pub(super) fn check(root: &Path) -> Result<(), ProjectError> {
    let found = root.symlink_metadata().map_err(ProjectError::io("read", root))?;
    if !found.is_dir() {
        return Err(odd(root, found.file_type()));
    }
    folder(root, DEEPEST)
}

fn folder(path: &Path, deeper: usize) -> Result<(), ProjectError> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        // Whoever works on the project may have removed it just now.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ProjectError::io("read", path)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(ProjectError::io("read", path))?;
        let path = entry.path();
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(ProjectError::io("read", path)(error)),
        };
        if kind.is_dir() {
            let Some(deeper) = deeper.checked_sub(1) else {
                let what = "lies deeper than a project has folders".into();
                return Err(ProjectError::Broken { path, what });
            };
            folder(&path, deeper)?;
        } else if !kind.is_file() {
            return Err(odd(&path, kind));
        }
    }
    Ok(())
}

fn odd(path: &Path, kind: std::fs::FileType) -> ProjectError {
    let what = if kind.is_symlink() {
        "is a link: a project holds files and folders alone"
    } else {
        "is neither a file nor a folder"
    };
    ProjectError::Broken { path: path.into(), what: what.into() }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_sockets_and_deep_folders_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("avatar.headsculpt");
        let inner = root.join("checkpoints/objects");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("file"), "").unwrap();
        check(&root).unwrap();
        let refused = |path: &Path| {
            let error = check(&root).unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        };
        // Also one that leads nowhere.
        for place in [root.join("lock"), inner.join("link")] {
            symlink("nowhere", &place).unwrap();
            refused(&place);
            std::fs::remove_file(&place).unwrap();
        }
        let socket = root.join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        refused(&socket);
        std::fs::remove_file(&socket).unwrap();
        let link = dir.path().join("link");
        symlink(&root, &link).unwrap();
        assert!(check(&link).is_err());
        std::fs::create_dir_all(root.join("a/a/a/a/a/a/a/a/a")).unwrap();
        refused(&root.join("a/a/a/a/a/a/a/a/a"));
    }
}
