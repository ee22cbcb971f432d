//! Short names for contents.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The first `bytes` bytes of a SHA-256 as hexadecimal digits.
#[must_use]
pub fn hex(hasher: Sha256, bytes: usize) -> String {
    hasher.finalize().iter().take(bytes).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_start_of_the_digest() {
        // The digest of nothing, FIPS 180-4.
        assert_eq!(hex(Sha256::new(), 4), "e3b0c442");
    }
}
