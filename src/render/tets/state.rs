//! What a checkpoint keeps of a [`TetMesh`].

use super::{Band, GpuContext, Lattice, RenderError, TetMesh, invalid};
use crate::render::adam::AdamState;

/// A lattice with its values and the optimiser's moments.
#[derive(Debug, Clone, PartialEq)]
pub struct TetState {
    /// Cells a side.
    pub cells: u32,
    /// Codes of each tetrahedron's nodes.
    pub tets: Vec<[u32; 4]>,
    /// For each node, in ascending order of codes: distance in cells and displacement.
    pub base: Vec<[f32; 4]>,
    /// How much of the changes counts at each node.
    pub mask: Vec<f32>,
    /// What was optimised.
    pub change: Vec<[f32; 4]>,
    /// The optimiser's moments.
    pub adam: AdamState,
}

impl TetMesh {
    /// Reads the state back.
    ///
    /// # Errors
    /// Device loss.
    pub fn state(&self) -> Result<TetState, RenderError> {
        let (n, b) = (self.band.nodes.len(), &self.buffers);
        let code = |v: &u32| self.band.nodes[*v as usize];
        Ok(TetState {
            cells: self.band.lattice.cells(),
            tets: self.band.tets.iter().map(|t| t.each_ref().map(code)).collect(),
            base: self.gpu.read(&b.base, n)?,
            mask: self.gpu.read(&b.mask, n)?,
            change: self.gpu.read(&b.change, n)?,
            adam: self.adam.state()?,
        })
    }

    /// A mesh that goes on from a state.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] for a state whose parts do not fit each other or hold values
    /// that are not finite.
    pub fn from_state(gpu: &GpuContext, state: &TetState) -> Result<Self, RenderError> {
        let lattice = Lattice::new(state.cells).map_err(invalid)?;
        let last = lattice.side().pow(3);
        if state.tets.as_flattened().iter().any(|code| *code >= last) {
            return Err(RenderError::Invalid("a tetrahedron lies outside the lattice".into()));
        }
        let band = Band::of(lattice, &state.tets);
        let n = band.nodes.len();
        let fits = [state.base.len(), state.mask.len(), state.change.len()] == [n; 3];
        let all = state.base.as_flattened().iter().chain(state.change.as_flattened());
        let sane = all.chain(&state.mask).all(|v| v.is_finite());
        if !fits || !sane || n == 0 {
            let what = "the values of a tetrahedral lattice do not fit it";
            return Err(RenderError::Invalid(what.into()));
        }
        let mut out = Self::with(gpu, band, &state.base, &state.mask, &state.change)?;
        out.adam.restore(&state.adam)?;
        Ok(out)
    }
}
