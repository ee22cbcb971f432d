//! HeadSculpt: a sentence becomes a 3D head.
//!
//! What flows where: [`head`] gives the parametric prior, [`render`] draws and
//! differentiates it (and the neural field) on wgpu, [`diffusion`] runs a Stable
//! Diffusion checkpoint on candle, [`guidance`] turns its predictions into image
//! gradients, [`pipeline`] runs the optimisation, [`geometry`] and [`io`] turn the
//! result into a mesh and files, [`project`] keeps all of it on disk, and
//! [`session`] is the one seam between that engine and its two faces: the command line ([`cli`]) and
//! the desktop ([`app`]).
//!
//! [`eval`] measures what comes out, through the same seam.
//!
//! Arrows point one way; see the module docs for what each may fail with.

pub mod app;
pub mod batch;
pub mod cli;
pub mod config;
pub mod diffusion;
pub mod eval;
pub mod fingerprint;
#[doc(hidden)]
pub mod fuzzing;
pub mod geometry;
pub mod guidance;
pub mod head;
pub mod io;
pub mod pipeline;
pub mod project;
pub mod render;
pub mod rng;
pub mod session;
