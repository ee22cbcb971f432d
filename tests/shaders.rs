//! Every shader must be valid WGSL on its own, without a GPU.

use std::path::{Path, PathBuf};

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            // Pieces for concatenation need not stand alone.
            if path.file_name().is_some_and(|name| name != "common") {
                collect(&path, into)?;
            }
        } else if path.extension().is_some_and(|e| e == "wgsl") {
            into.push(path);
        }
    }
    Ok(())
}

#[test]
fn shaders_are_valid() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders"), &mut files).unwrap();
    files.sort();
    assert!(!files.is_empty(), "no shaders found");
    let mut failures = Vec::new();
    for file in &files {
        let source = std::fs::read_to_string(file).unwrap();
        let module = match naga::front::wgsl::parse_str(&source) {
            Ok(module) => module,
            Err(error) => {
                failures.push(format!("{}: {}", file.display(), error.emit_to_string(&source)));
                continue;
            }
        };
        let mut validator = naga::valid::Validator::new(
            naga::valid::ValidationFlags::all(),
            naga::valid::Capabilities::default(),
        );
        if let Err(error) = validator.validate(&module) {
            failures.push(format!("{}: {}", file.display(), error.emit_to_string(&source)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
