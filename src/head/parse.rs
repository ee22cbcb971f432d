//! Reads the head asset: every size, index and name is checked before use.

use glam::{Vec2, Vec3};
use safetensors::tensor::{Dtype, SafeTensors};
use serde::Deserialize;

use super::error::HeadError;

/// Largest vertex count that the asset's u16 indices can address.
const MOST_VERTICES: usize = 1 << 16;

/// The JSON document in the container's metadata under the key `head`.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub version: u32,
    pub parts: Vec<String>,
    pub joints: Vec<String>,
    pub joint_parents: Vec<i32>,
    pub regions: Vec<String>,
    pub zones: Vec<String>,
    pub targets: Vec<TargetHeader>,
    pub sliders: Vec<SliderHeader>,
    pub centre_dm: [f32; 3],
    pub units_per_dm: f32,
}

#[derive(Debug, Deserialize)]
pub(super) struct TargetHeader {
    pub kind: String,
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SliderHeader {
    pub name: String,
    pub section: String,
    pub positive: Vec<usize>,
    pub negative: Vec<usize>,
    pub sigma: f32,
    pub sideways: bool,
}

/// The container with typed access to its tensors.
pub(super) struct Container<'a> {
    tensors: SafeTensors<'a>,
    pub header: Header,
}

impl<'a> Container<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, HeadError> {
        let container =
            |error: safetensors::SafeTensorError| HeadError::Container(error.to_string());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(container)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(container)?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|map| map.get("head"))
            .ok_or_else(|| HeadError::Header("there is no `head` entry".to_owned()))?;
        let header: Header =
            serde_json::from_str(text).map_err(|error| HeadError::Header(error.to_string()))?;
        if header.version != 1 {
            return Err(HeadError::Header(format!("version {} is not 1", header.version)));
        }
        Ok(Self { tensors, header })
    }

    /// The bytes of a tensor of that type with `columns` values a row (0: one-dimensional), and its rows.
    fn bytes(
        &self,
        name: &str,
        dtype: Dtype,
        columns: &[usize],
    ) -> Result<(&'a [u8], usize), HeadError> {
        let view = self.tensors.tensor(name).map_err(|_| problem(name, "is missing"))?;
        if view.dtype() != dtype {
            return Err(problem(name, format!("has type {:?}, not {dtype:?}", view.dtype())));
        }
        match view.shape() {
            [rows, rest @ ..] if rest == columns => Ok((view.data(), *rows)),
            shape => Err(problem(name, format!("has shape {shape:?}, not [any, {columns:?}]"))),
        }
    }

    pub fn u8s(&self, name: &str, columns: &[usize]) -> Result<Vec<u8>, HeadError> {
        Ok(self.bytes(name, Dtype::U8, columns)?.0.to_vec())
    }

    pub fn u32s(&self, name: &str) -> Result<Vec<u32>, HeadError> {
        let (bytes, _) = self.bytes(name, Dtype::U32, &[])?;
        Ok(bytes.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect())
    }

    pub fn i16_triples(&self, name: &str) -> Result<Vec<[i16; 3]>, HeadError> {
        let (bytes, _) = self.bytes(name, Dtype::I16, &[3])?;
        let flat: Vec<i16> = bytes.as_chunks().0.iter().map(|b| i16::from_le_bytes(*b)).collect();
        Ok(flat.as_chunks().0.to_vec())
    }

    /// Finite floats, `N` a row.
    pub fn floats<const N: usize>(
        &self,
        name: &str,
        columns: &[usize],
    ) -> Result<Vec<[f32; N]>, HeadError> {
        let (bytes, _) = self.bytes(name, Dtype::F32, columns)?;
        let flat: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if flat.iter().any(|x| !x.is_finite() || x.abs() > 1e6) {
            return Err(problem(name, "holds a number that is not finite or huge"));
        }
        Ok(flat.as_chunks().0.to_vec())
    }

    pub fn vec3s(&self, name: &str) -> Result<Vec<Vec3>, HeadError> {
        Ok(self.floats::<3>(name, &[3])?.into_iter().map(Vec3::from).collect())
    }

    pub fn vec2s(&self, name: &str) -> Result<Vec<Vec2>, HeadError> {
        Ok(self.floats::<2>(name, &[2])?.into_iter().map(Vec2::from).collect())
    }

    /// Indices below `limit`, `N` a row.
    pub fn indices<const N: usize>(
        &self,
        name: &str,
        columns: &[usize],
        limit: usize,
    ) -> Result<Vec<[u32; N]>, HeadError> {
        let (bytes, _) = self.bytes(name, Dtype::U16, columns)?;
        let flat: Vec<u32> =
            bytes.as_chunks().0.iter().map(|b| u32::from(u16::from_le_bytes(*b))).collect();
        if flat.iter().any(|&i| i as usize >= limit) {
            return Err(problem(name, format!("holds an index that is not below {limit}")));
        }
        Ok(flat.as_chunks().0.to_vec())
    }
}

/// Checks a row count.
pub(super) fn expect_len(name: &str, len: usize, expected: usize) -> Result<(), HeadError> {
    if len == expected {
        Ok(())
    } else {
        Err(problem(name, format!("has {len} rows, not {expected}")))
    }
}

/// Checks that the vertex count is usable at all.
pub(super) fn check_vertex_count(count: usize) -> Result<(), HeadError> {
    if (3..=MOST_VERTICES).contains(&count) {
        Ok(())
    } else {
        Err(problem("vertices", format!("has {count} rows, not 3 to {MOST_VERTICES}")))
    }
}

pub(super) fn problem(name: &str, problem: impl Into<String>) -> HeadError {
    HeadError::Tensor { name: name.to_owned(), problem: problem.into() }
}
