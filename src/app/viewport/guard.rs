//! Errors of the driver as values.

use crate::render::RenderError;

/// Runs `work` and returns what the driver has to say about it, if anything. Without this,
/// what the driver refuses ends the program: the device belongs to the window.
///
/// # Errors
/// [`RenderError::Gpu`].
pub(super) fn guarded<T>(
    device: &wgpu::Device,
    work: impl FnOnce() -> T,
) -> Result<T, RenderError> {
    let scopes = [
        wgpu::ErrorFilter::OutOfMemory,
        wgpu::ErrorFilter::Internal,
        wgpu::ErrorFilter::Validation,
    ]
    .map(|filter| device.push_error_scope(filter));
    let value = work();
    let mut failure = None;
    for scope in scopes.into_iter().rev() {
        // Ready at once outside of browsers.
        if let Some(error) = pollster::block_on(scope.pop()) {
            failure = Some(RenderError::Gpu(error.to_string()));
        }
    }
    failure.map_or(Ok(value), Err)
}
