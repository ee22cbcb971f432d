//! The parametric head prior: plain data and maths, no GPU.
