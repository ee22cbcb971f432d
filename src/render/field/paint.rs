//! Colours that a field starts with.

use super::Field;
use super::layout::Level;
use crate::render::RenderError;
use crate::render::lattice::neighbours;
use glam::{Vec3, Vec4};

/// Painted albedo stays within this of 0 and 1: a sigmoid never reaches them.
pub(in crate::render) const PAINTED_EDGE: f32 = 0.02;

impl Field {
    /// Nodes a side of the lattice that [`Self::paint`] takes; `None` for fields whose colours
    /// go through a network or lie in a hash table.
    #[must_use]
    pub fn paintable(&self) -> Option<usize> {
        let finest = self.layout.levels.last()?;
        (self.is_plain() && finest.dense).then_some(finest.resolution as usize + 1)
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
            entry[1..].copy_from_slice(&logit(*color, PAINTED_EDGE).to_array());
        }
        let bytes = bytemuck::cast_slice(&entries);
        self.context.queue.write_buffer(&self.parameters, 4 * first as u64, bytes);
        self.context.check()
    }

    /// Whether [`Self::paint_surface`] can colour the field: its colours go through no network.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.config.is_plain()
    }

    /// Gives points of a surface their colours (sRGB-encoded): level after level, each takes
    /// what the coarser ones left over. Nearby points get the colours of their neighbours. What
    /// the field's colours were is lost.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] if the field is not [`Self::is_plain`]; device loss.
    pub fn paint_surface(&mut self, points: &[Vec3], colors: &[Vec3]) -> Result<(), RenderError> {
        let wanted = colors.iter().map(|color| logit(*color, PAINTED_EDGE)).collect();
        self.lay_on(points, wanted, false)
    }

    /// Adds to the logits of the colours at points of a surface, and of what is near them;
    /// elsewhere the field stays.
    ///
    /// # Errors
    /// As [`Self::paint_surface`].
    pub fn shift_surface(&mut self, points: &[Vec3], by: Vec<Vec3>) -> Result<(), RenderError> {
        self.lay_on(points, by, true)
    }

    /// Sets the points' logits, or adds to them, level after level.
    fn lay_on(
        &mut self,
        points: &[Vec3],
        mut left: Vec<Vec3>,
        add: bool,
    ) -> Result<(), RenderError> {
        if !self.is_plain() || points.len() != left.len() {
            let what = "only a field without a network, and one colour a point, can be painted";
            return Err(RenderError::Invalid(what.into()));
        }
        let floats = self.layout.grid_floats as usize;
        let mut table: Vec<f32> = self.context.read(&self.parameters, floats)?;
        for level in &self.layout.levels {
            let mut sums = vec![Vec4::ZERO; level.entries as usize];
            for (point, rest) in points.iter().zip(&left) {
                for (slot, weight) in corners(*level, *point) {
                    sums[slot] += (*rest * weight).extend(weight);
                }
            }
            let mean = |sum: &Vec4| (sum.w > 1e-3).then(|| sum.truncate() / sum.w);
            let mut nodes: Vec<Option<Vec3>> = sums.iter().map(mean).collect();
            if level.dense {
                spread(&mut nodes, level.resolution as usize + 1);
            }
            for (point, rest) in points.iter().zip(&mut left) {
                let found = corners(*level, *point)
                    .map(|(slot, weight)| weight * nodes[slot].unwrap_or_default());
                *rest -= found.sum::<Vec3>();
            }
            let first = 4 * level.offset as usize;
            let entries = table[first..first + 4 * nodes.len()].chunks_exact_mut(4);
            for (entry, node) in entries.zip(nodes) {
                let change = node.unwrap_or_default().to_array();
                for (value, change) in entry[1..].iter_mut().zip(change) {
                    *value = if add { *value + change } else { change };
                }
            }
        }
        self.context.queue.write_buffer(&self.parameters, 0, bytemuck::cast_slice(&table));
        self.context.check()
    }
}

/// What a sigmoid takes for a colour that keeps `edge` away from 0 and 1.
pub(in crate::render) fn logit(color: Vec3, edge: f32) -> Vec3 {
    let share = color.clamp(Vec3::splat(edge), Vec3::splat(1.0 - edge));
    Vec3::from_array(share.to_array().map(|p| (p / (1.0 - p)).ln()))
}

/// The entries of the eight nodes round a point, with their trilinear weights.
fn corners(level: Level, point: Vec3) -> impl Iterator<Item = (usize, f32)> {
    let last = level.resolution as f32;
    let at = (0.5 * point + 0.5).clamp(Vec3::ZERO, Vec3::ONE) * last;
    let base = at.floor().min(Vec3::splat(last - 1.0));
    let f = at - base;
    let base = base.as_uvec3();
    (0..8_u32).map(move |corner| {
        let bit = |k: u32| corner >> k & 1;
        let share = |k: u32, f: f32| if bit(k) == 1 { f } else { 1.0 - f };
        let weight = share(0, f.x) * share(1, f.y) * share(2, f.z);
        (level.slot([base.x + bit(0), base.y + bit(1), base.z + bit(2)]) as usize, weight)
    })
}

/// Rounds of colours growing into nodes without any: as far as the surface may move.
const SPREAD: usize = 3;

fn spread(nodes: &mut [Option<Vec3>], side: usize) {
    let mut front: Vec<usize> = (0..nodes.len()).filter(|i| nodes[*i].is_some()).collect();
    for _ in 0..SPREAD {
        let mut ring: Vec<usize> = front
            .iter()
            .flat_map(|i| neighbours(*i, side))
            .filter(|i| nodes[*i].is_none())
            .collect();
        ring.sort_unstable();
        ring.dedup();
        let mean = |i: &usize| {
            let known: Vec<Vec3> = neighbours(*i, side).filter_map(|n| nodes[n]).collect();
            known.iter().sum::<Vec3>() / known.len().max(1) as f32
        };
        let colors: Vec<Vec3> = ring.iter().map(mean).collect();
        for (i, color) in ring.iter().zip(colors) {
            nodes[*i] = Some(color);
        }
        front = ring;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::GpuContext;
    use crate::render::field::{FieldConfig, PriorGrid};

    #[test]
    fn painted_points_have_their_colours() {
        let gpu = GpuContext::new().unwrap();
        let prior = PriorGrid::from_distance(16, |p| p.length() - 0.5).unwrap();
        let mut config = FieldConfig::quick_voxels();
        (config.grid.levels, config.grid.log2_table) = (2, 19);
        (config.grid.base_resolution, config.grid.finest_resolution) = (48, 160);
        let mut field = Field::new(&gpu, config, &prior, 1).unwrap();
        let points: Vec<Vec3> = (0..60_000)
            .map(|i| {
                let (turn, height) = (2.399_963 * i as f32, 1.0 - 2.0 * (i as f32 + 0.5) / 6e4);
                let ring = (1.0 - height * height).sqrt();
                0.5 * Vec3::new(ring * turn.cos(), height, ring * turn.sin())
            })
            .collect();
        // Stripes that only the finest level can hold.
        let color = |p: &Vec3| {
            let stripes = 0.3 * (50.0 * p.y).sin();
            Vec3::new(0.5 + stripes, 0.5 - 0.6 * p.x, 0.5 + 0.5 * p.z)
        };
        let colors: Vec<Vec3> = points.iter().map(color).collect();
        field.paint_surface(&points, &colors).unwrap();
        // Some entries of the hashed level serve two places.
        for (factor, typical, rare) in [(1.0, 0.02, 0.2), (1.04, 0.2, 0.45)] {
            let some = points.iter().step_by(37);
            let moved: Vec<Vec3> = some.clone().map(|p| factor * *p).collect();
            let found = field.query(&moved).unwrap();
            let off = |(p, found): (&Vec3, &crate::render::field::FieldPoint)| {
                (Vec3::from_array(found.albedo) - color(p)).abs().max_element()
            };
            let mut off: Vec<f32> = some.zip(&found).map(off).collect();
            off.sort_by(f32::total_cmp);
            assert!(off[off.len() / 2] < typical, "{factor}: {}", off[off.len() / 2]);
            assert!(off[off.len() - 1] < rare, "{factor}: {}", off[off.len() - 1]);
        }
    }
}
