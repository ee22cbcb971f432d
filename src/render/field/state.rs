//! What a checkpoint keeps of a field.

use super::Field;
use crate::render::RenderError;
use crate::render::adam::AdamState;

/// Everything that later steps depend on, apart from the configuration, the prior and
/// the seed. A field that is made with the same three and then restored continues with
/// exactly the bits of the one that was saved.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldState {
    /// Grid features level by level, then the network.
    pub parameters: Vec<f32>,
    /// The optimiser.
    pub adam: AdamState,
    /// Running maximum of each occupancy cell's density.
    pub occupancy: Vec<f32>,
    /// Which cells are sampled, one bit each, lowest bit first.
    pub occupied: Vec<u8>,
    /// How strongly the prior holds.
    pub prior_weight: f32,
}

impl Field {
    /// Reads the state back. Gradients that no step has applied are not part of it.
    ///
    /// # Errors
    /// Device loss.
    pub fn state(&self) -> Result<FieldState, RenderError> {
        let count = self.layout.parameters() as usize;
        Ok(FieldState {
            parameters: self.context.read(&self.parameters, count)?,
            adam: self.adam.state()?,
            occupancy: self.occupancy.density.clone(),
            occupied: self.occupancy.bits.iter().flat_map(|w| w.to_le_bytes()).collect(),
            prior_weight: self.prior_weight,
        })
    }

    /// Takes over a state; gradients that no step has applied are dropped.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a state of another configuration or with numbers
    /// that are not finite. The field is then unchanged.
    pub fn restore(&mut self, state: &FieldState) -> Result<(), RenderError> {
        let parameters = self.layout.parameters() as usize;
        let cells = self.occupancy.density.len();
        let fits = state.parameters.len() == parameters
            && state.occupancy.len() == cells
            && state.occupied.len() == cells / 8;
        if !fits {
            return Err(RenderError::Invalid(format!(
                "a field state of {} parameters and {} cells does not fit a field of {parameters} \
                 and {cells}",
                state.parameters.len(),
                state.occupancy.len()
            )));
        }
        let moments = state.adam.mean.iter().chain(&state.adam.variance);
        let mut all = state.parameters.iter().chain(&state.occupancy).chain(moments);
        if !all.all(|v| v.is_finite()) {
            return Err(RenderError::Invalid(
                "a field state holds values that are not finite".into(),
            ));
        }
        // Checks the weight's range before anything is written.
        let before = self.prior_weight;
        self.set_prior_weight(state.prior_weight)?;
        if let Err(error) = self.adam.restore(&state.adam) {
            self.prior_weight = before;
            return Err(error);
        }
        let queue = &self.context.queue;
        queue.write_buffer(&self.parameters, 0, bytemuck::cast_slice(&state.parameters));
        self.occupancy.density.clone_from(&state.occupancy);
        self.occupancy.bits = state
            .occupied
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        self.occupancy.publish(&self.context);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.gradient, 0, None);
        queue.submit([encoder.finish()]);
        self.pending = None;
        Ok(())
    }
}
