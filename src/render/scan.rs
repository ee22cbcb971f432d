//! Exclusive prefix sums, the deterministic way to compact.

use crate::render::kernel::{Kernel, groups_for};
use crate::render::{GpuContext, RenderError};
use bytemuck::Zeroable;

/// Values that one thread adds up.
pub(super) const BLOCK: u32 = 256;

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, Zeroable)]
struct ScanUniform {
    count: u32,
    blocks: u32,
    pad: [u32; 2],
}

/// The three passes of `scan.wgsl`.
#[derive(Debug)]
pub(super) struct Scan {
    sum_blocks: Kernel,
    strips: Kernel,
    write_offsets: Kernel,
}

/// The buffers of one sum; `values` and `sums` hold `count` and `count / BLOCK`
/// values, `offsets` one more than `count`, `total` one.
pub(super) struct ScanBuffers<'a> {
    pub values: &'a wgpu::Buffer,
    pub sums: &'a wgpu::Buffer,
    pub offsets: &'a wgpu::Buffer,
    pub total: &'a wgpu::Buffer,
}

impl Scan {
    /// Compiles the passes.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn new(context: &GpuContext) -> Result<Self, RenderError> {
        let source = include_str!("../../shaders/common/scan.wgsl");
        let bound = Kernel::with_bindings;
        Ok(Self {
            sum_blocks: bound(context, "sum_blocks", source, &[], &[0, 1, 2])?,
            strips: bound(context, "scan_sums", source, &[], &[0, 2, 3, 4])?,
            write_offsets: bound(context, "write_offsets", source, &[], &[0, 1, 2, 3])?,
        })
    }

    /// Records the sum of the first `count` values.
    pub fn run(
        &self,
        context: &GpuContext,
        pass: &mut wgpu::ComputePass<'_>,
        count: u32,
        b: &ScanBuffers<'_>,
    ) {
        let blocks = count.div_ceil(BLOCK);
        let scan = context.uniform("scan", &ScanUniform { count, blocks, pad: [0; 2] });
        self.sum_blocks.run(pass, &[&scan, b.values, b.sums], groups_for(blocks));
        self.strips.run(pass, &[&scan, b.sums, b.offsets, b.total], [1, 1, 1]);
        self.write_offsets.run(pass, &[&scan, b.values, b.sums, b.offsets], groups_for(blocks));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_any_number_of_values() {
        let context = GpuContext::new().unwrap();
        let scan = Scan::new(&context).unwrap();
        for count in [1_u32, 255, 256, 257, 16_384, 100_001] {
            let values: Vec<u32> =
                (0..count).map(|i| i.wrapping_mul(2_654_435_761) >> 25).collect();
            let buffer = context.storage("values", &values);
            let sums = context.storage_zeroed("sums", 4 * u64::from(count.div_ceil(BLOCK)));
            let offsets = context.storage_zeroed("offsets", 4 * u64::from(count + 1));
            let total = context.storage_zeroed("total", 4);
            let mut encoder = context.device.create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                let buffers =
                    ScanBuffers { values: &buffer, sums: &sums, offsets: &offsets, total: &total };
                scan.run(&context, &mut pass, count, &buffers);
            }
            context.queue.submit([encoder.finish()]);
            let mut expected = vec![0];
            for v in &values {
                expected.push(expected.last().unwrap() + v);
            }
            let got: Vec<u32> = context.read(&offsets, count as usize + 1).unwrap();
            assert_eq!(got, expected);
            assert_eq!(context.read::<u32>(&total, 1).unwrap()[0], *expected.last().unwrap());
        }
    }
}
