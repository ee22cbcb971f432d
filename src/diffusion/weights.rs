//! Tensors of a safetensors file, checked and converted to f32.

use super::error::CheckpointError;
use super::header::{self, TensorEntry};
use super::map::MappedFile;
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// An opened weight file that remembers which tensors were asked for.
pub struct WeightFile {
    path: PathBuf,
    map: MappedFile,
    entries: BTreeMap<String, TensorEntry>,
    used: RefCell<BTreeSet<String>>,
}

impl WeightFile {
    /// Maps a file and checks its header.
    ///
    /// # Errors
    /// If the file is missing or its header does not fit it.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let map = MappedFile::open(path)?;
        let entries = header::parse(map.bytes())
            .map_err(|problem| CheckpointError::Header { path: path.to_owned(), problem })?;
        Ok(Self { path: path.to_owned(), map, entries, used: RefCell::default() })
    }

    /// Whether the file holds a tensor of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The tensors' names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The shape of a tensor.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|e| e.shape.as_slice())
    }

    /// Tensors that no network asked for.
    #[must_use]
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        self.entries.keys().filter(|name| !used.contains(*name)).cloned().collect()
    }

    fn entry(&self, name: &str) -> Result<(&TensorEntry, &[u8]), CheckpointError> {
        let entry = self.entries.get(name).ok_or_else(|| CheckpointError::MissingTensor {
            path: self.path.clone(),
            tensor: name.to_owned(),
        })?;
        self.used.borrow_mut().insert(name.to_owned());
        Ok((entry, &self.map.bytes()[entry.bytes.clone()]))
    }

    fn wrong_type(
        &self,
        name: &str,
        entry: &TensorEntry,
        expected: &'static str,
    ) -> CheckpointError {
        CheckpointError::ElementType {
            path: self.path.clone(),
            tensor: name.to_owned(),
            expected,
            found: entry.dtype.clone(),
        }
    }

    /// The values of a floating-point tensor as f32, all finite.
    ///
    /// # Errors
    /// If it is missing, not floating point, or holds NaN or infinity.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let (entry, bytes) = self.entry(name)?;
        let values: Vec<f32> = match entry.dtype.as_str() {
            "F32" => convert(bytes, f32::from_le_bytes),
            "F16" => convert(bytes, |b| half::f16::from_le_bytes(b).to_f32()),
            "BF16" => convert(bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
            "F64" => convert(bytes, |b| f64::from_le_bytes(b) as f32),
            _ => return Err(self.wrong_type(name, entry, "F32, F16, BF16 or F64")),
        };
        if values.par_iter().any(|v| !v.is_finite()) {
            let (path, tensor) = (self.path.clone(), name.to_owned());
            return Err(CheckpointError::NotFinite { path, tensor });
        }
        Ok(values)
    }

    /// The values of an integer tensor.
    ///
    /// # Errors
    /// If it is missing or not an integer tensor of 32 or 64 bits.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>, CheckpointError> {
        let (entry, bytes) = self.entry(name)?;
        match entry.dtype.as_str() {
            "I64" => Ok(convert(bytes, i64::from_le_bytes)),
            "I32" => Ok(convert(bytes, |b| i64::from(i32::from_le_bytes(b)))),
            _ => Err(self.wrong_type(name, entry, "I64 or I32")),
        }
    }

    /// A floating-point tensor in its own shape, on a device.
    ///
    /// # Errors
    /// As [`WeightFile::values`].
    pub fn tensor(&self, name: &str, device: &Device) -> super::Result<Tensor> {
        let values = self.values(name)?;
        let shape = self.shape(name).unwrap_or_default().to_vec();
        Ok(Tensor::from_vec(values, shape, device)?)
    }
}

fn convert<const N: usize, T: Send>(bytes: &[u8], f: impl Fn([u8; N]) -> T + Sync) -> Vec<T> {
    bytes
        .par_chunks_exact(N)
        .with_min_len(1 << 14)
        .map(|chunk| {
            let mut element = [0; N];
            element.copy_from_slice(chunk);
            f(element)
        })
        .collect()
}

/// A view of a weight file below a name prefix, for one device.
#[derive(Clone)]
pub struct Weights<'a> {
    file: &'a WeightFile,
    prefix: String,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    /// The file's root.
    #[must_use]
    pub fn root(file: &'a WeightFile, device: &'a Device) -> Self {
        Self { file, prefix: String::new(), device }
    }

    /// The view below `name`.
    #[must_use]
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        Self { prefix: format!("{}{name}.", self.prefix), ..self.clone() }
    }

    /// Whether the tensor exists.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.file.has(&format!("{}{name}", self.prefix))
    }

    /// The view below the first of `names` that has a `weight`; below the first name
    /// when none has, so that the later error speaks of the current naming.
    #[must_use]
    pub fn at_first_of(&self, names: &[&str]) -> Self {
        let found = names.iter().find(|name| self.has(&format!("{name}.weight")));
        self.at(found.or(names.first()).unwrap_or(&""))
    }

    /// A tensor that must have this shape.
    ///
    /// # Errors
    /// If it is missing, has another shape, or holds what is no finite number.
    pub fn get(&self, name: &str, shape: &[usize]) -> super::Result<Tensor> {
        let full = format!("{}{name}", self.prefix);
        if let Some(found) = self.file.shape(&full).filter(|found| *found != shape) {
            return Err(CheckpointError::Shape {
                path: self.file.path.clone(),
                tensor: full.clone(),
                expected: shape.to_vec(),
                found: found.to_vec(),
            }
            .into());
        }
        self.file.tensor(&full, self.device)
    }
}
