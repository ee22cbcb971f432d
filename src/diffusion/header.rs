//! The safetensors header, read as what it is: text from a stranger.
//!
//! Layout: 8 bytes little-endian length `n`, `n` bytes of JSON, then the tensors'
//! bytes. Every number is checked against the file's size before it is used.

use std::collections::BTreeMap;

/// Headers above this size are refused, as the reference implementation does.
pub const LARGEST_HEADER: u64 = 100_000_000;

/// Where one tensor lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorEntry {
    /// Element type as the file spells it, `F32` for example.
    pub dtype: String,
    /// Dimensions.
    pub shape: Vec<usize>,
    /// Byte range in the file.
    pub bytes: std::ops::Range<usize>,
}

fn element_size(dtype: &str) -> Option<usize> {
    Some(match dtype {
        "BOOL" | "U8" | "I8" | "F8_E4M3" | "F8_E5M2" => 1,
        "U16" | "I16" | "F16" | "BF16" => 2,
        "U32" | "I32" | "F32" => 4,
        "U64" | "I64" | "F64" => 8,
        _ => return None,
    })
}

/// Parses and checks the header of a whole file.
///
/// # Errors
/// A phrase that says what is wrong, to be put after the file's name.
pub fn parse(file: &[u8]) -> Result<BTreeMap<String, TensorEntry>, String> {
    let length_bytes: [u8; 8] =
        file.get(..8).and_then(|b| b.try_into().ok()).ok_or("it is shorter than 8 bytes")?;
    let length = u64::from_le_bytes(length_bytes);
    let room = file.len() as u64 - 8;
    if length > LARGEST_HEADER {
        return Err(format!("its header claims {length} bytes, more than {LARGEST_HEADER}"));
    }
    if length > room {
        return Err(format!("its header claims {length} bytes, but only {room} follow"));
    }
    let start = 8 + length as usize;
    let json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&file[8..start]).map_err(|e| format!("broken header JSON: {e}"))?;
    let mut tensors = BTreeMap::new();
    for (name, value) in json {
        if name == "__metadata__" {
            continue;
        }
        let entry = entry(&value, start, file.len()).map_err(|e| format!("tensor `{name}` {e}"))?;
        tensors.insert(name, entry);
    }
    let mut spans: Vec<_> = tensors.iter().map(|(n, e)| (e.bytes.start, e.bytes.end, n)).collect();
    spans.sort();
    let mut end = start;
    for (from, to, name) in spans {
        if from != end {
            return Err(format!("tensor `{name}` overlaps its neighbour or leaves a gap"));
        }
        end = to;
    }
    if end != file.len() {
        return Err(format!("{} bytes follow the last tensor", file.len() - end));
    }
    Ok(tensors)
}

fn entry(value: &serde_json::Value, start: usize, file: usize) -> Result<TensorEntry, String> {
    let dtype = value.get("dtype").and_then(|d| d.as_str()).ok_or("has no `dtype`")?;
    let size = element_size(dtype).ok_or_else(|| format!("has the unknown dtype {dtype}"))?;
    let numbers = |field: &str| -> Option<Vec<usize>> {
        value.get(field)?.as_array()?.iter().map(|v| usize::try_from(v.as_u64()?).ok()).collect()
    };
    let shape = numbers("shape").ok_or("has no valid `shape`")?;
    let offsets =
        numbers("data_offsets").filter(|o| o.len() == 2).ok_or("has no valid `data_offsets`")?;
    let needed =
        shape.iter().try_fold(size, |a, &b| a.checked_mul(b)).ok_or("has an impossible shape")?;
    let (from, to) = (start.checked_add(offsets[0]), start.checked_add(offsets[1]));
    let (Some(from), Some(to)) = (from, to) else { return Err("has impossible offsets".into()) };
    if to > file {
        return Err(format!(
            "ends at byte {to}, but the file has {file} bytes (was it cut short?)"
        ));
    }
    if from > to || to - from != needed {
        return Err(format!(
            "spans {} bytes, but its shape needs {needed}",
            to.saturating_sub(from)
        ));
    }
    Ok(TensorEntry { dtype: dtype.to_owned(), shape, bytes: from..to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut out = (header.len() as u64).to_le_bytes().to_vec();
        out.extend_from_slice(header.as_bytes());
        out.resize(out.len() + data, 0);
        out
    }

    #[test]
    fn a_good_header_is_read() {
        let f = file(
            r#"{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#,
            24,
        );
        let tensors = parse(&f).unwrap();
        assert_eq!(tensors["w"].shape, [2, 3]);
        assert_eq!(tensors["w"].bytes.len(), 24);
    }

    #[test]
    fn bad_headers_are_named() {
        let w = |shape: &str, offsets: &str| {
            format!(r#"{{"w":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        for (bytes, part) in [
            (vec![0; 7], "shorter than 8"),
            (u64::MAX.to_le_bytes().to_vec(), "claims 18446744073709551615 bytes, more than"),
            ((90_000_000u64).to_le_bytes().to_vec(), "but only 0 follow"),
            (file("{\"w\":", 0), "broken header JSON"),
            (file("[]", 0), "broken header JSON"),
            (file(&w("[2,3]", "[0,24]"), 20), "was it cut short?"),
            (file(&w("[2,3]", "[0,24]"), 28), "4 bytes follow"),
            (file(&w("[2,2]", "[0,24]"), 24), "its shape needs 16"),
            (file(&w("[4294967296,4294967296]", "[0,24]"), 24), "impossible shape"),
            (file(&w("[2]", "[8,0]"), 24), "its shape needs 8"),
            (file(&w("[2]", "[18446744073709551615,0]"), 24), "impossible offsets"),
            (file(&w("[2]", "[8,16]"), 16), "overlaps"),
            (file(&w("[-1]", "[0,4]"), 4), "no valid `shape`"),
            (
                file(r#"{"w":{"dtype":"X9","shape":[],"data_offsets":[0,4]}}"#, 4),
                "unknown dtype X9",
            ),
        ] {
            let error = parse(&bytes).unwrap_err();
            assert!(error.contains(part), "{error} should contain {part}");
        }
    }
}
