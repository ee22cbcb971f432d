//! Colours that a field starts with.

use super::Field;
use crate::render::RenderError;
use glam::Vec3;

/// Albedo stays within this of 0 and 1: a sigmoid never reaches them.
const MARGIN: f32 = 0.02;

impl Field {
    /// Nodes a side of the lattice that [`Self::paint`] takes; `None` for fields whose colours
    /// go through a network or lie in a hash table.
    #[must_use]
    pub fn paintable(&self) -> Option<usize> {
        let finest = self.layout.levels.last()?;
        let plain = self.layout.hidden_layers() == 0 && self.layout.features == 4;
        (plain && finest.dense).then_some(finest.resolution as usize + 1)
    }

    /// Gives the nodes of the finest level an albedo (sRGB-encoded); `None` leaves a node as it
    /// is. The other levels add to it: meant for a field that was just made.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] if the field is not [`Self::paintable`], or for another number
    /// of nodes; device loss.
    pub fn paint(&mut self, colors: &[Option<Vec3>]) -> Result<(), RenderError> {
        let nodes = self.paintable().map_or(0, |side| side.pow(3));
        if nodes == 0 || colors.len() != nodes {
            let what = format!("{} colours for a field that takes {nodes}", colors.len());
            return Err(RenderError::Invalid(what));
        }
        let first = 4 * self.layout.levels[self.layout.levels.len() - 1].offset as usize;
        let mut entries: Vec<f32> =
            self.context.read(&self.parameters, first + 4 * nodes)?.split_off(first);
        for (entry, color) in entries.chunks_exact_mut(4).zip(colors) {
            let Some(color) = color else { continue };
            let share = color.clamp(Vec3::splat(MARGIN), Vec3::splat(1.0 - MARGIN));
            for (logit, p) in entry[1..].iter_mut().zip(share.to_array()) {
                *logit = (p / (1.0 - p)).ln();
            }
        }
        let bytes = bytemuck::cast_slice(&entries);
        self.context.queue.write_buffer(&self.parameters, 4 * first as u64, bytes);
        self.context.check()
    }
}
