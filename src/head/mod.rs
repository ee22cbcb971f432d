//! The parametric head prior: plain data and maths, no GPU.
//!
//! [`HeadModel`] holds the embedded asset; [`HeadParams`] says which person, expression
//! and pose; [`HeadModel::shape`] turns one into a [`ShapedHead`] in world units. Landmarks,
//! region masks, the closed surface and its [`DistanceField`] follow from there.
//! [`Look`] names what geometry does not: skin, hair, beard, eyes, accessories.
//!
//! Conventions: y up, the face looks along +z, +x is the subject's left. One fixed
//! [`Similarity`] maps the asset's decimetres to the scene cube `[-1, 1]^3`: the mean head is
//! centred in it and measures 0.70 units from chin to crown.

pub mod bvh;
pub mod distance;
mod error;
pub mod landmarks;
pub mod look;
mod macros;
mod model;
mod params;
mod parse;
mod regions;
mod shape;
mod surface;

pub use distance::DistanceField;
pub use error::HeadError;
pub use landmarks::Occluder;
pub use look::Look;
pub use model::{HeadModel, Part, Similarity, Slider};
pub use params::{HeadParams, HeadPose};
pub use regions::Region;
pub use shape::ShapedHead;
pub use surface::ClosedSurface;
