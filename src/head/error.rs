//! What can go wrong with the head prior.

use std::ops::RangeInclusive;

/// An invalid head asset or invalid head parameters.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The asset is not a safetensors file.
    #[error("the head asset is not a readable safetensors file: {0}")]
    Container(String),
    /// The JSON header of the asset is missing or malformed.
    #[error("the head asset's header is malformed: {0}")]
    Header(String),
    /// A tensor is missing, has the wrong type or the wrong shape.
    #[error("tensor `{name}` of the head asset {problem}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What is wrong with it, as the rest of a sentence.
        problem: String,
    },
    /// A number is outside its range or not finite.
    #[error("`{field}` is {value}, but must be between {} and {}", range.start(), range.end())]
    OutOfRange {
        /// Name of the parameter, e.g. `gender` or `sliders.nose-hump`.
        field: String,
        /// The offending value.
        value: f32,
        /// The values allowed.
        range: RangeInclusive<f32>,
    },
    /// The ethnicity weights are all zero.
    #[error("`ethnicity` needs at least one weight above zero")]
    NoEthnicity,
    /// A slider or expression of that name does not exist.
    #[error("`{field}` has no entry named `{name}`{}", suggest(nearest.as_deref()))]
    UnknownName {
        /// `sliders` or `expression`.
        field: &'static str,
        /// The unknown name.
        name: String,
        /// The known name closest to it.
        nearest: Option<String>,
    },
}

fn suggest(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; the nearest name is `{name}`"))
}
