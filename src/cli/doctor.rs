//! `headsculpt doctor`: what this machine offers and what is missing.

use super::{Failure, Output};
use crate::diffusion::embedded;
use crate::render::GpuContext;
use serde_json::json;

/// Prints the findings; fails if a head could not be made on this machine.
pub(super) fn run(output: Output) -> Result<(), Failure> {
    let gpu = GpuContext::new();
    let model = embedded::folder();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let describe = |result: &Result<String, String>| match result {
        Ok(found) => found.clone(),
        Err(reason) => format!("MISSING: {reason}"),
    };
    let gpu_line = gpu
        .as_ref()
        .map(|gpu| format!("{}, {}", gpu.describe(), gpu.backend()))
        .map_err(ToString::to_string);
    let model_line =
        model.as_ref().map(|folder| folder.display().to_string()).map_err(ToString::to_string);
    let text = format!(
        "headsculpt {}\ngraphics adapter: {}\nembedded model:   {}\nprocessor:        {threads} threads, {}",
        env!("CARGO_PKG_VERSION"),
        describe(&gpu_line),
        describe(&model_line),
        std::env::consts::ARCH,
    );
    output.result(
        &text,
        &json!({
            "version": env!("CARGO_PKG_VERSION"),
            "adapter": gpu_line.as_ref().ok(),
            "embedded_model": model_line.as_ref().ok(),
            "threads": threads,
            "ok": gpu_line.is_ok() && model_line.is_ok(),
        }),
    );
    gpu_line.and(model_line).map(drop).map_err(Failure::Input)
}
