//! The desktop: what the user sees and touches.

pub mod viewport;
