//! Replacing a file so that a reader, or a crash, sees the old or the new contents
//! and never a mixture.

use std::fs::File;
use std::io::{Result, Write};
use std::path::Path;

/// How the names of files begin that are being written.
const WRITING: &str = ".writing-";

/// Writes `contents` to `path`: a temporary file in the same folder, fsync, rename,
/// fsync of the folder.
///
/// # Errors
/// The system's; the old file is then still there and no other is.
pub fn write(path: &Path, contents: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(WRITING).tempfile_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    #[cfg(unix)]
    {
        // Temporary files are private; results are as readable as other new files.
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Makes a rename or a new file in `folder` durable.
///
/// # Errors
/// The system's.
pub fn sync_folder(folder: &Path) -> Result<()> {
    // Windows cannot open a folder as a file; its renames are durable without it.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Makes a folder in one that exists, unless it is there already.
///
/// # Errors
/// The system's.
pub fn create_folder(folder: &Path) -> Result<()> {
    match std::fs::create_dir(folder) {
        Err(_) if folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Removes what [`write()`] left in `folder` when the process died in the middle. Nobody may
/// be writing there.
///
/// # Errors
/// The system's.
pub fn remove_leftovers(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(WRITING) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn replaces_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        super::write(&path, b"one").unwrap();
        super::write(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        // A folder in the way of the rename.
        let taken = dir.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        assert!(super::write(&taken, b"x").is_err());
        assert!(super::write(&dir.path().join("no/such/file"), b"x").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        std::fs::write(dir.path().join(".writing-cut"), "tw").unwrap();
        super::remove_leftovers(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
