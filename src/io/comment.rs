//! Where a file comes from, as comment lines of text headers.

use serde_json::Value;
use std::fmt::Write;

/// Characters of a value that are kept: some readers hold a header's line in 1024 bytes.
const LONGEST: usize = 120;

/// One line for each field of an object, `name: value`; printable ASCII only, so that no
/// value can end its line and every reader can decode it.
pub(super) fn lines(provenance: &Value) -> Vec<String> {
    match provenance {
        Value::Null => Vec::new(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{}: {}", ascii(name), short(value)))
            .collect(),
        other => vec![short(other)],
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => ascii(&text[..end]) + " ...",
        None => ascii(&text),
    }
}

/// Everything but printable ASCII as JSON escapes it.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    // In OBJ files a last backslash would join the next line to this one.
    if out.ends_with('\\') {
        out.push(' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_is_one_short_line_of_ascii() {
        let long = "é\n".repeat(100_000);
        let made = lines(&json!({"prompt": "a \"bald\"\nman 😀", "seed": 7, "long": long}));
        assert_eq!(made[1], "prompt: a \"bald\"\\u000aman \\ud83d\\ude00");
        assert_eq!(made[2], "seed: 7");
        assert!(made[0].ends_with(" ...") && made[0].len() < 1000);
        assert!(made.iter().all(|line| line.bytes().all(|b| (32..127).contains(&b))));
        assert_eq!(lines(&json!("back\\")), ["back\\ "]);
        assert!(lines(&Value::Null).is_empty());
    }
}
