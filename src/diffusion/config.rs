//! Reading a `config.json` field by field, so that every complaint can name the
//! file and the field.

use super::error::CheckpointError;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A parsed JSON object and where it came from.
#[derive(Debug, Clone)]
pub struct Config {
    path: PathBuf,
    map: Map<String, Value>,
}

type Result<T> = std::result::Result<T, CheckpointError>;

/// No size in a configuration may exceed this; keeps products within `usize`.
const LARGEST: usize = 1 << 20;

/// Reads a whole file as text.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CheckpointError::Missing { path: path.to_owned() },
        _ => CheckpointError::Unreadable { path: path.to_owned(), reason: error.to_string() },
    })
}

/// Reads a whole file as JSON.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&read_text(path)?)
        .map_err(|e| CheckpointError::Json { path: path.to_owned(), reason: e.to_string() })
}

impl Config {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// If the file is missing or is not a JSON object.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), map: read_json(path)? })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An error about one field.
    pub fn problem(&self, field: &str, problem: impl Into<String>) -> CheckpointError {
        let (path, field) = (self.path.clone(), field.to_owned());
        CheckpointError::Field { path, field, problem: problem.into() }
    }

    /// The field's value; `None` when missing or null.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.map.get(field).filter(|v| !v.is_null())
    }

    /// Whether the field is there and null.
    #[must_use]
    pub fn is_null(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(Value::is_null)
    }

    fn required<T>(&self, field: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.problem(field, "is missing"))
    }

    fn size(&self, field: &str, value: &Value) -> Result<usize> {
        let number = value.as_u64().and_then(|v| usize::try_from(v).ok());
        number.filter(|&v| (1..=LARGEST).contains(&v)).ok_or_else(|| {
            self.problem(field, format!("must be a whole number from 1 to {LARGEST}, not {value}"))
        })
    }

    /// A positive whole number, if the field is there.
    pub fn size_option(&self, field: &str) -> Result<Option<usize>> {
        self.value(field).map(|v| self.size(field, v)).transpose()
    }

    /// A positive whole number.
    pub fn size_or(&self, field: &str, default: usize) -> Result<usize> {
        Ok(self.size_option(field)?.unwrap_or(default))
    }

    /// A positive whole number that must be there.
    pub fn size_required(&self, field: &str) -> Result<usize> {
        let value = self.size_option(field)?;
        self.required(field, value)
    }

    /// A number that must be finite.
    pub fn number_or(&self, field: &str, default: f64) -> Result<f64> {
        let Some(value) = self.value(field) else { return Ok(default) };
        value
            .as_f64()
            .filter(|v| v.is_finite())
            .ok_or_else(|| self.problem(field, format!("must be a number, not {value}")))
    }

    /// A truth value.
    pub fn flag_or(&self, field: &str, default: bool) -> Result<bool> {
        let Some(value) = self.value(field) else { return Ok(default) };
        value
            .as_bool()
            .ok_or_else(|| self.problem(field, format!("must be true or false, not {value}")))
    }

    /// A string.
    pub fn text_option(&self, field: &str) -> Result<Option<&str>> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let text = value.as_str();
        Ok(Some(text.ok_or_else(|| self.problem(field, format!("must be a string, not {value}")))?))
    }

    /// A string with a default.
    pub fn text_or<'a>(&'a self, field: &str, default: &'a str) -> Result<&'a str> {
        Ok(self.text_option(field)?.unwrap_or(default))
    }

    /// A list of positive whole numbers, if there.
    pub fn sizes_option(&self, field: &str) -> Result<Option<Vec<usize>>> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let list = value.as_array().filter(|l| !l.is_empty());
        let list = list
            .ok_or_else(|| self.problem(field, format!("must be a list of sizes, not {value}")))?;
        list.iter().map(|v| self.size(field, v)).collect::<Result<_>>().map(Some)
    }

    /// One positive whole number for each of `count` blocks: a number stands for all.
    pub fn size_per_block(&self, field: &str, count: usize, default: usize) -> Result<Vec<usize>> {
        match self.value(field) {
            Some(Value::Array(list)) if list.len() == count => {
                list.iter().map(|v| self.size(field, v)).collect()
            }
            Some(Value::Array(list)) => {
                Err(self.problem(field, format!("has {} entries for {count} blocks", list.len())))
            }
            _ => Ok(vec![self.size_or(field, default)?; count]),
        }
    }

    /// A list of strings, if there.
    pub fn texts_option(&self, field: &str) -> Result<Option<Vec<String>>> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts
            .map(Some)
            .ok_or_else(|| self.problem(field, format!("must be a list of strings, not {value}")))
    }

    /// Refuses the file unless the field is missing, null or one of `allowed`.
    pub fn only(&self, field: &str, allowed: &[Value]) -> Result<()> {
        match self.value(field) {
            Some(value) if !allowed.contains(value) => {
                Err(self.problem(field, format!("asks for {value}, which is not supported")))
            }
            _ => Ok(()),
        }
    }

    /// [`Config::only`] for many fields that must keep their null, false or zero default.
    pub fn unset(&self, fields: &[&str]) -> Result<()> {
        fields.iter().try_for_each(|field| self.only(field, &[Value::Bool(false)]))
    }

    /// Refuses the file if `_class_name` is there and names another class.
    pub fn class_is(&self, class: &str) -> Result<()> {
        self.only("_class_name", &[Value::from(class)])
    }

    /// Checks that a normalisation's groups divide all channel counts.
    pub fn groups_divide(&self, groups: usize, channels: &[usize]) -> Result<()> {
        match channels.iter().find(|&&c| c % groups != 0) {
            Some(c) => Err(self.problem(
                "norm_num_groups",
                format!("is {groups}, which does not divide {c} channels"),
            )),
            None => Ok(()),
        }
    }
}
