//! A compute pipeline with one bind group, and how many workgroups it needs.

use super::context::{GpuContext, RenderError};

/// Threads of a workgroup; all kernels here share it.
const WORKGROUP: u32 = 64;
/// Workgroups that one dimension may have.
const MAX_GROUPS: u32 = 65_535;

/// A compute entry point whose bindings are group 0, numbered in order.
#[derive(Debug)]
pub(super) struct Kernel {
    device: wgpu::Device,
    name: &'static str,
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    /// Binding numbers, in the order in which [`Kernel::run`] takes the buffers.
    bindings: &'static [u32],
}

impl Kernel {
    /// Compiles the entry point `name` of `source`, whose bindings are `0..n`.
    ///
    /// # Errors
    /// Whatever the driver reports about the shader.
    pub fn new(
        context: &GpuContext,
        name: &'static str,
        source: &str,
        constants: &[(&str, f64)],
    ) -> Result<Self, RenderError> {
        Self::with_bindings(context, name, source, constants, &[0, 1, 2, 3, 4, 5, 6, 7])
    }

    /// Like [`Kernel::new`] for an entry point that uses only some of the bindings.
    ///
    /// # Errors
    /// Whatever the driver reports about the shader.
    pub fn with_bindings(
        context: &GpuContext,
        name: &'static str,
        source: &str,
        constants: &[(&str, f64)],
        bindings: &'static [u32],
    ) -> Result<Self, RenderError> {
        let module = context.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(name),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let pipeline = context.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(name),
            layout: None,
            module: &module,
            entry_point: Some(name),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                ..Default::default()
            },
            cache: None,
        });
        context.check()?;
        let layout = pipeline.get_bind_group_layout(0);
        Ok(Self { device: context.device.clone(), name, pipeline, layout, bindings })
    }

    /// Records one launch.
    pub fn run(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        buffers: &[&wgpu::Buffer],
        groups: [u32; 3],
    ) {
        let entries: Vec<_> = self
            .bindings
            .iter()
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: *binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(self.name),
            layout: &self.layout,
            entries: &entries,
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
    }
}

/// Workgroups for a number of threads, folded into two dimensions past the limit.
pub(super) fn groups_for(threads: u32) -> [u32; 3] {
    let groups = threads.div_ceil(WORKGROUP);
    let rows = groups.div_ceil(MAX_GROUPS).max(1);
    [groups.div_ceil(rows), rows, 1]
}

#[cfg(test)]
mod tests {
    use super::groups_for;

    #[test]
    fn launches_cover_all_threads_within_the_limits() {
        for threads in [1, 64, 65, 4_000_000, 65_535 * 64, 65_535 * 64 + 1, 100_000_000] {
            let [x, y, z] = groups_for(threads);
            assert!(x <= 65_535 && y <= 65_535 && z == 1);
            assert!(u64::from(x) * u64::from(y) * 64 >= u64::from(threads));
        }
        assert_eq!(groups_for(0), [0, 1, 1]);
    }
}
