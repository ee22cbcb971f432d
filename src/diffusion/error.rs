//! What can go wrong when a checkpoint is loaded or run.

use std::path::PathBuf;

/// A checkpoint folder that cannot be used. Each message is one sentence that
/// names the file, and the field or tensor where there is one.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file or folder that the layout requires is not there.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The path that was looked for.
        path: PathBuf,
    },
    /// The operating system refused to read a file.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// A JSON file does not parse.
    #[error("{} is not valid JSON: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// A configuration field is missing, out of range or asks for something that
    /// this program does not implement.
    #[error("{}: the field `{field}` {problem}", path.display())]
    Field {
        /// The configuration file.
        path: PathBuf,
        /// The field's name.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The safetensors header contradicts itself or the size of its file.
    #[error("{} is not a usable safetensors file: {problem}", path.display())]
    Header {
        /// The weight file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A tensor that the configuration calls for is not in the file.
    #[error("{}: the tensor `{tensor}` is missing", path.display())]
    MissingTensor {
        /// The weight file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
    },
    /// A tensor's shape is not the one that the configuration calls for.
    #[error("{}: the tensor `{tensor}` has shape {found:?} where {expected:?} is expected", path.display())]
    Shape {
        /// The weight file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
        /// The shape that the configuration implies.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor has an element type that weights cannot have.
    #[error("{}: the tensor `{tensor}` has the element type {found}, where {expected} is expected", path.display())]
    ElementType {
        /// The weight file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
        /// The accepted types, in words.
        expected: &'static str,
        /// The type in the file.
        found: String,
    },
    /// A tensor holds NaN or infinity.
    #[error("{}: the tensor `{tensor}` holds a value that is not finite", path.display())]
    NotFinite {
        /// The weight file.
        path: PathBuf,
        /// The tensor's full name.
        tensor: String,
    },
    /// The tokenizer's files do not make a tokenizer.
    #[error("{} does not make a tokenizer: {reason}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the tokenizer library said.
        reason: String,
    },
    /// Weights in a format that can run code when it is read.
    #[error("{}: pickled weights are not read, only safetensors are", path.display())]
    Pickle {
        /// The weight file.
        path: PathBuf,
    },
    /// Weights that are spread over several files.
    #[error("{}: weights in several files are not read, only those in one", path.display())]
    Sharded {
        /// The file that lists the others.
        path: PathBuf,
    },
    /// A file where a folder is needed.
    #[error("{} is a file: only folders in the diffusers layout are read for now", path.display())]
    SingleFile {
        /// The file.
        path: PathBuf,
    },
    /// A part of a checkpoint that was taken for a whole one.
    #[error(
        "{} is a ControlNet alone: put it as `controlnet` into the folder of the checkpoint that it is made for",
        path.display()
    )]
    ControlAlone {
        /// The folder.
        path: PathBuf,
    },
    /// The file of the models' names cannot be used.
    #[error("{} {problem}", path.display())]
    Registry {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, to be put after its name.
        problem: String,
    },
    /// A name that cannot be given or removed.
    #[error("the name '{name}' {problem}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it, to be put after it.
        problem: String,
    },
    /// An added checkpoint that is no longer where it was.
    #[error(
        "the model '{name}' is no longer in {}: `headsculpt models remove {name}` forgets it",
        folder.display()
    )]
    Moved {
        /// Its name.
        name: String,
        /// Where it was.
        folder: PathBuf,
    },
    /// A model's name that means nothing here.
    #[error(
        "no model '{name}': it is neither 'embedded', nor the name of an added model, nor a folder"
    )]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The embedded checkpoint cannot be unpacked.
    #[error("the embedded model cannot be unpacked into {}: {what}", path.display())]
    Cache {
        /// The cache folder or a file in it.
        path: PathBuf,
        /// The system's reason.
        what: String,
    },
    /// Two parts of the folder contradict each other.
    #[error("{}: {problem}", path.display())]
    Mismatch {
        /// The folder or file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
}

/// Anything that the diffusion room can fail with.
#[derive(Debug, thiserror::Error)]
pub enum DiffusionError {
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An argument does not fit the model.
    #[error("{0}")]
    Input(String),
    /// The tensor library failed (device out of memory, mostly).
    #[error("the network's arithmetic failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

/// The room's result type.
pub type Result<T, E = DiffusionError> = std::result::Result<T, E>;
