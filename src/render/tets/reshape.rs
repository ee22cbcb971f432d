//! Taking over how two solids differ.

use super::{Band, FARTHEST, MARGIN, RenderError, TetMesh, distances, invalid};
use crate::geometry::{Mesh, smoothstep};
use crate::render::mask::Mask;

/// Differences of distances below this are rounding, cells.
const SAME: f32 = 1e-3;
/// From which to which recess the surface counts as uncovered, cells.
const UNCOVERED: [f32; 2] = [0.3, 0.8];
/// How far round an uncovered place the surface was that of what is gone, cells: an optimised
/// surface does not end where the solid did that it started from.
const RIM: usize = 2;
/// Between these deviations from the first mesh the surface is no longer an image of it, and
/// keeps what distinguishes it, cells.
const ITS_OWN: [f32; 2] = [2.0, 3.5];
/// How far below such a surface nothing is known, cells.
const BELOW: usize = 6;

/// How two closed meshes differ, and how much of it a surface takes over.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// The one.
    pub before: &'a Mesh,
    /// The other.
    pub after: &'a Mesh,
    /// How much of the difference is taken over, `[0, 1]`.
    pub share: f32,
    /// By how much what grows is thicker than in `after`, cells: thin things must not fall
    /// through the lattice.
    pub thicker: f32,
}

impl TetMesh {
    /// Takes over how two closed meshes differ: adds to each node's distance the difference of
    /// its distances to both. What was optimised so far stays, as the base, but for places that
    /// the difference uncovers: there the surface was another thing's, and becomes that of
    /// `after`. The band then holds the surface and `after`. Of all this comes through what the
    /// mask lets; where that is nothing, nodes keep their values bit for bit.
    ///
    /// Gives where the surface was uncovered: 1, falling to 0 around.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] if a mesh is not inside the scene cube, device loss.
    pub fn reshape(&mut self, difference: Difference<'_>) -> Result<Mask, RenderError> {
        let Difference { before, after, share, thicker } = difference;
        let live = self.surface.read(&self.gpu)?;
        let offset = live.positions.len() as u32;
        let moved = after.triangles.iter().map(|t| t.map(|v| v + offset));
        let both = Mesh {
            positions: [live.positions.as_slice(), &after.positions].concat(),
            triangles: live.triangles.iter().copied().chain(moved).collect(),
        };
        let band = Band::around(self.band.lattice, &both, MARGIN).map_err(invalid)?;
        let values: Vec<[f32; 4]> = self.gpu.read(&self.buffers.values, self.band.nodes.len())?;
        let mut base = distances(&band, &live);
        for (base, code) in base.iter_mut().zip(&band.nodes) {
            if let Ok(known) = self.band.nodes.binary_search(code) {
                *base = values[known];
            }
        }
        let (was, is) = (distances(&band, before), distances(&band, after));
        let by: Vec<f32> = was.iter().zip(&is).map(|(was, is)| is[0] - was[0]).collect();
        let receding = by.iter().map(|by| smoothstep(UNCOVERED[0], UNCOVERED[1], *by));
        let uncovered = spread(&band, receding, RIM)?;
        let deviating = was.iter().zip(&base).map(|(was, base)| {
            // Elsewhere distances are cut.
            let is_surface = base[0].abs() < 1.0;
            let off = smoothstep(ITS_OWN[0], ITS_OWN[1], (was[0] - base[0]).abs());
            if is_surface { off } else { 0.0 }
        });
        let its_own = spread(&band, deviating, BELOW)?;
        for (v, open) in self.open(&band).into_iter().enumerate() {
            let place = band.lattice.position(band.nodes[v]);
            let bare = uncovered.at(place);
            if open == 0.0 || (by[v].abs() < SAME && bare == 0.0) {
                continue;
            }
            let by = if by[v] < -SAME { by[v] - thicker } else { by[v] };
            let follows = 1.0 - its_own.at(place);
            // How deep below a surface of its own this is was cut off: the difference would
            // hollow it.
            let by = if base[v][0] > -FARTHEST { by } else { by * follows };
            let forgets = bare * follows;
            let trace = base[v][0] - was[v][0];
            let distance = base[v][0] + open * share * (by - forgets * trace);
            base[v][0] = distance.clamp(-FARTHEST, FARTHEST);
            for displacement in &mut base[v][1..] {
                *displacement *= 1.0 - open * share * forgets;
            }
        }
        self.rebase(band, &base)?;
        Ok(uncovered)
    }
}

/// The largest of the nodes' weights up to so many cells away, smoothed.
fn spread(
    band: &Band,
    nodes: impl Iterator<Item = f32>,
    reach: usize,
) -> Result<Mask, RenderError> {
    let side = band.lattice.cells() as usize + 1;
    let mut weights = vec![0.0_f32; side.pow(3)];
    for (code, weight) in band.nodes.iter().zip(nodes) {
        // Coordinates are half cells; centres of cells count for their corner at 0.
        let [x, y, z] = band.lattice.coordinates(*code).to_array().map(|c| c as usize / 2);
        let at = &mut weights[(z * side + y) * side + x];
        *at = at.max(weight);
    }
    for axis in 0..3 {
        weights = along(&weights, side, axis, reach, |near| near.fold(0.0, f32::max));
    }
    for axis in 0..3 {
        weights = along(&weights, side, axis, 1, |near| {
            let (sum, count) = near.fold((0.0, 0.0), |(sum, count), w| (sum + w, count + 1.0));
            sum / count
        });
    }
    Mask::new(side, weights).map_err(invalid)
}

/// Replaces each value of a lattice by what `of` makes of those up to `reach` nodes away along
/// an axis.
fn along(
    values: &[f32],
    side: usize,
    axis: u32,
    reach: usize,
    of: impl Fn(&mut dyn Iterator<Item = f32>) -> f32,
) -> Vec<f32> {
    let stride = side.pow(axis);
    (0..values.len())
        .map(|i| {
            let place = i / stride % side;
            let (low, high) = (place.saturating_sub(reach), (place + reach).min(side - 1));
            of(&mut (low..=high).map(|other| values[i + other * stride - place * stride]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::ScalarGrid;
    use crate::geometry::extract::{SurfaceOptions, surface};
    use crate::geometry::topology;
    use crate::render::GpuContext;
    use crate::render::raster::Rasteriser;
    use glam::Vec3;

    const CELLS: u32 = 48;
    const CELL: f32 = 2.0 / CELLS as f32;
    const HEAD: f32 = 0.5;
    /// How much bigger than the solid that it started from a surface has become.
    const SWOLLEN: f32 = 0.7 * CELL;

    fn head(p: Vec3) -> f32 {
        p.length() - HEAD
    }

    fn with_hat(p: Vec3) -> f32 {
        let hat = (p.length() - HEAD - 4.0 * CELL).max(0.2 - p.y);
        head(p).min(hat)
    }

    fn mesh(distance: impl Fn(Vec3) -> f32) -> Mesh {
        let grid = ScalarGrid::from_fn(97, distance).unwrap();
        surface(&grid, &SurfaceOptions { smoothing: 0, ..Default::default() }).unwrap().mesh
    }

    /// Takes the hat off a surface; the heights and distances from the centre of what is left.
    fn bared(live: impl Fn(Vec3) -> f32, share: f32, mask: Option<Mask>) -> (Mesh, Mask) {
        let gpu = GpuContext::new().unwrap();
        let raster = Rasteriser::new(&gpu).unwrap();
        let mut tets = TetMesh::of(&gpu, CELLS, &mesh(live)).unwrap();
        tets.march(&raster).unwrap();
        tets.keep_mask(mask);
        let (before, after) = (mesh(with_hat), mesh(head));
        let difference = Difference { before: &before, after: &after, share, thicker: 0.2 };
        let uncovered = tets.reshape(difference).unwrap();
        tets.march(&raster).unwrap();
        (tets.surface().read(&gpu).unwrap(), uncovered)
    }

    #[test]
    fn no_trace_stays_of_what_is_taken_off() {
        let (found, uncovered) = bared(|p| with_hat(p) - SWOLLEN, 1.0, None);
        assert!(topology::check(&found).is_closed_manifold());
        let mut failures = Vec::new();
        for p in &found.positions {
            let off = p.length() - HEAD;
            // Below the brim it is what it became; where the hat was, it is the head.
            let wanted = match p.y {
                y if y < 0.2 - 6.0 * CELL => SWOLLEN,
                y if y > 0.2 => 0.0,
                _ => off.clamp(0.0, SWOLLEN),
            };
            if (off - wanted).abs() > 0.3 * CELL {
                failures.push(format!("{p}: {} cells off", (off - wanted) / CELL));
            }
        }
        assert!(failures.is_empty(), "{}: {}", failures.len(), failures[..1].concat());
        let (crown, chin) = (uncovered.at(Vec3::Y * HEAD), uncovered.at(Vec3::NEG_Y * HEAD));
        assert!(crown > 0.99 && chin == 0.0, "{crown} {chin}");
    }

    #[test]
    fn a_surface_of_its_own_stays_its_own() {
        // Far from the solid that it started from: nobody knows what is below this hat.
        let far = 5.0 * CELL;
        let (found, _) = bared(|p| with_hat(p) - far, 1.0, None);
        let low = found.positions.iter().filter(|p| p.y > 0.35).map(|p| p.length() - HEAD);
        let low = low.fold(f32::INFINITY, f32::min);
        assert!(low > 0.5 * far, "{} cells", low / CELL);
    }

    #[test]
    fn half_an_edit_is_half_of_it_and_a_lock_is_a_lock() {
        let heights = |mesh: &Mesh| {
            let top = mesh.positions.iter().filter(|p| p.y > 0.4).map(|p| p.length() - HEAD);
            top.fold(0.0, f32::max) / CELL
        };
        let live = |p| with_hat(p) - SWOLLEN;
        let (half, _) = bared(live, 0.5, None);
        assert!((1.5..3.5).contains(&heights(&half)), "{}", heights(&half));
        let shut = Mask::new(4, vec![0.0; 64]).unwrap();
        let (same, _) = bared(live, 1.0, Some(shut));
        let (none, _) = bared(live, 0.0, None);
        assert_eq!(same, none);
        assert!(heights(&same) > 4.0, "{}", heights(&same));
    }
}
