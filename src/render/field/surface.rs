//! The field as the texture of a surface: colours at points that lie on the GPU already, and
//! the gradients of the colours back to the field and to the points.

use super::Field;
use crate::render::RenderError;
use crate::render::kernel::groups_for;

impl Field {
    /// Evaluates the field at the first `count` of some points (a vector of four floats each,
    /// the last unused) and gives the buffer of values, a vector each: density logit, then
    /// albedo. What [`Self::surface_backward`] needs is kept until the next evaluation.
    ///
    /// # Errors
    /// Device loss.
    pub fn surface_colors(
        &mut self,
        points: &wgpu::Buffer,
        count: u32,
    ) -> Result<&wgpu::Buffer, RenderError> {
        // A render along rays can no longer be differentiated: its samples are overwritten.
        self.pending = None;
        self.start_lap();
        self.make_room(count.max(1));
        let evaluation = self.context.uniform("evaluation", &self.evaluation(count, count));
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        self.publish_weights(&mut encoder);
        let s = &self.samples;
        encoder.copy_buffer_to_buffer(points, 0, &s.samples, 0, 16 * u64::from(count));
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let buffers = [
                &evaluation,
                &self.weights,
                &self.parameters,
                &self.distances,
                &s.samples,
                &s.values,
                &s.encodings,
            ];
            self.kernels.evaluate.run(&mut pass, &buffers, groups_for(count));
        }
        self.context.queue.submit([encoder.finish()]);
        self.lap("evaluate")?;
        Ok(&self.samples.values)
    }

    /// The values that the last [`Self::surface_colors`] left.
    #[must_use]
    pub fn surface_values(&self) -> &wgpu::Buffer {
        &self.samples.values
    }

    /// Adds to the parameters' gradient (if they are `trained`) that of the last
    /// [`Self::surface_colors`], given the gradients of the albedos (in the last three components
    /// of each vector), and to `position_gradients` what they mean for the points.
    ///
    /// # Errors
    /// [`RenderError::Numerical`] for values that are not finite, device loss.
    pub fn surface_backward(
        &mut self,
        count: u32,
        albedo_gradients: &wgpu::Buffer,
        position_gradients: &wgpu::Buffer,
        trained: bool,
    ) -> Result<(), RenderError> {
        if count == 0 {
            return Ok(());
        }
        self.start_lap();
        let evaluation = self.context.uniform("evaluation", &self.evaluation(count, count));
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.maxima, 0, None);
        {
            let s = &self.samples;
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let buffers = [&evaluation, &s.values, albedo_gradients, &s.value_gradients];
            self.kernels.surface_adjoint.run(&mut pass, &buffers, groups_for(count));
        }
        self.context.queue.submit([encoder.finish()]);
        self.pull_through_network(count, count, trained)?;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        {
            let s = &self.samples;
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let buffers = [
                &evaluation,
                &self.parameters,
                &s.samples,
                &s.encoding_gradients,
                position_gradients,
            ];
            self.kernels.position_gradient.run(&mut pass, &buffers, groups_for(count));
        }
        self.context.queue.submit([encoder.finish()]);
        self.lap("position gradient")?;
        if trained {
            self.scatter(count, count)?;
            self.smooth();
            self.lap("smooth")?;
        }
        self.largest_gradient()?;
        Ok(())
    }
}
