//! Meshes: extraction, clean-up, decimation and texture coordinates.
//!
//! Plain data and maths. A scalar lattice ([`grid`]) is cleaned of floaters and hidden
//! chambers ([`cleanup`]) and turned into a closed surface ([`extract`]), which is
//! smoothed ([`smooth`]), reduced ([`decimate`]) and unwrapped ([`uv`]). Everything is
//! deterministic: results depend on the input values alone.

pub mod cleanup;
pub mod decimate;
pub mod extract;
pub mod grid;
pub mod mesh;
pub mod morph;
mod ramp;
pub mod smooth;
pub mod tets;
pub mod topology;
pub mod uv;

pub use grid::ScalarGrid;
pub use mesh::{ColoredMesh, Mesh, TexturedMesh};
pub use morph::{MorphMesh, MorphTarget};
pub use ramp::smoothstep;

/// What can be wrong with the geometry that comes in or out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeometryError {
    /// A lattice of the wrong size.
    #[error("a scalar lattice of resolution {resolution} needs {expected} values, got {actual}")]
    LatticeSize {
        /// Nodes a side.
        resolution: usize,
        /// `resolution^3`.
        expected: usize,
        /// Values given.
        actual: usize,
    },
    /// A lattice value that is NaN or infinite.
    #[error("the scalar lattice holds a value that is not finite at node ({x}, {y}, {z})")]
    LatticeValue {
        /// Node index along x.
        x: usize,
        /// Node index along y.
        y: usize,
        /// Node index along z.
        z: usize,
    },
    /// Nothing is left to make a surface from.
    #[error("the scalar lattice holds no surface: {0}")]
    Empty(&'static str),
    /// A triangle that names a vertex that is not there.
    #[error("triangle {triangle} names vertex {vertex}, but the mesh has {vertices} vertices")]
    Index {
        /// The triangle.
        triangle: usize,
        /// The vertex it names.
        vertex: u32,
        /// Vertices of the mesh.
        vertices: usize,
    },
    /// A vertex that is NaN or infinite.
    #[error("vertex {0} of the mesh is not finite")]
    Vertex(usize),
    /// A mesh that had to be closed and was not.
    #[error("the mesh is not a closed oriented manifold: {0}")]
    Open(topology::Topology),
    /// The charts do not fit into the texture.
    #[error(
        "{charts} texture charts do not fit into {size} x {size} texels with {padding} texels between them"
    )]
    Atlas {
        /// Number of charts.
        charts: usize,
        /// Texture size.
        size: u32,
        /// Gap between charts.
        padding: u32,
    },
    /// A setting out of range.
    #[error("{0}")]
    Setting(&'static str),
}
