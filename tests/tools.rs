//! The shell scripts that `make run` and `make test` rely on.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod program;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// On a machine without an adapter the software driver is installed, and what is missing
/// after that is an error in words.
#[test]
fn a_machine_without_a_driver_gets_one() {
    let dir = tempfile::tempdir().unwrap();
    for tool in ["apt-get", "sudo"] {
        let path = dir.path().join(tool);
        std::fs::write(&path, format!("#!/bin/sh\necho {tool} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/ensure_vulkan.sh");
    let output = Command::new("bash")
        .args([script, program::BINARY])
        .env("PATH", path)
        .env("VK_DRIVER_FILES", "/nonexistent.json")
        .env("VK_ICD_FILENAMES", "/nonexistent.json")
        .env("WGPU_BACKEND", "vulkan")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("install") && said.contains("mesa-vulkan-drivers"), "{said}");
    assert!(!output.status.success(), "no driver was really installed: {said}");
}
