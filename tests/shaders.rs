//! Every shader must be valid WGSL, without a GPU: whole files as they are, pieces as
//! the field and the rasteriser put them together.

use headsculpt::app::viewport;
use headsculpt::render::{field, mesh, raster, tets, texture};
use std::path::Path;

/// What is wrong with a shader, if anything.
fn complaint(name: &str, source: &str) -> Option<String> {
    let module = match naga::front::wgsl::parse_str(source) {
        Ok(module) => module,
        Err(error) => return Some(format!("{name}: {}", error.emit_to_string(source))),
    };
    let mut validator = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::default(),
    );
    let error = validator.validate(&module).err()?;
    Some(format!("{name}: {}", error.emit_to_string(source)))
}

#[test]
fn shaders_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let assembled = [
        field::shader_sources(),
        raster::shader_sources(),
        tets::shader_sources(),
        texture::shader_sources(),
        mesh::shader_sources(),
        viewport::shader_sources(),
    ]
    .concat();
    assert!(!assembled.is_empty(), "there are no shaders that are put together");
    let mut complaints: Vec<String> =
        assembled.iter().filter_map(|(name, source)| complaint(name, source)).collect();
    let mut whole = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "wgsl") {
            whole += 1;
            let source = std::fs::read_to_string(&path).unwrap();
            complaints.extend(complaint(&path.display().to_string(), &source));
        }
    }
    assert!(whole > 0, "no shaders found");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
