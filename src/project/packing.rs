//! Byte arrays packed without loss.
//!
//! A packed array is `hsp1` and then, for each 256 KiB of the array, how the piece is packed
//! (one byte), the length of what follows (`u32`, little-endian) and that. LZ4 shortens the runs
//! of zeros that hash grids are full of. Among words that are alike but for their low bytes,
//! such as indices, it finds more when the bytes are transposed first: all lowest ones, then
//! all second ones, .. Values with zeros between them lose by that, so each piece is packed
//! both ways and the shorter one kept.

use lz4_flex::block;

const MAGIC: &[u8] = b"hsp1";
/// Bytes of a piece; both ways of it fit in a core's cache.
const PIECE: usize = 256 << 10;
/// How a piece is packed, and the packed length.
const PIECE_HEADER: usize = 5;
/// Bytes of a word, for transposing.
const WORD: usize = 4;
/// LZ4 spends at least a byte on so many.
const MOST_SHORTENED: usize = 255;

/// As it is.
const STORED: u8 = 0;
/// LZ4.
const LZ4: u8 = 1;
/// Transposed, then LZ4.
const TRANSPOSED_LZ4: u8 = 2;

/// Packs an array.
#[must_use]
pub(super) fn pack(array: &[u8]) -> Vec<u8> {
    let mut packed = MAGIC.to_vec();
    for piece in array.chunks(PIECE) {
        let plain = block::compress(piece);
        let transposed = block::compress(&transpose(piece));
        let (kind, bytes) = [(LZ4, plain), (TRANSPOSED_LZ4, transposed)]
            .into_iter()
            .min_by_key(|(_, bytes)| bytes.len())
            .filter(|(_, bytes)| bytes.len() < piece.len())
            .unwrap_or_else(|| (STORED, piece.to_vec()));
        packed.push(kind);
        packed.extend((bytes.len() as u32).to_le_bytes());
        packed.extend(bytes);
    }
    packed
}

/// The longest that an array of `length` bytes can be when packed.
#[must_use]
pub(super) fn longest(length: u64) -> u64 {
    let pieces = length.div_ceil(PIECE as u64);
    MAGIC.len() as u64 + length + pieces * PIECE_HEADER as u64
}

/// Unpacks an array of `length` bytes; allocates no more than these.
///
/// # Errors
/// What is wrong with the packed bytes.
pub(super) fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>, &'static str> {
    let mut rest = packed.strip_prefix(MAGIC).ok_or("is not a packed array")?;
    if length / MOST_SHORTENED > rest.len() {
        return Err("is too short");
    }
    let mut array = Vec::new();
    array.try_reserve_exact(length).map_err(|_| "does not fit into memory")?;
    while array.len() < length {
        // Piece by piece: memory is touched only for what is really there.
        let start = array.len();
        array.resize(length.min(start + PIECE), 0);
        let piece = &mut array[start..];
        let (header, after) = rest.split_first_chunk::<PIECE_HEADER>().ok_or("ends too early")?;
        let [kind, bytes @ ..] = *header;
        let (bytes, after) =
            after.split_at_checked(u32::from_le_bytes(bytes) as usize).ok_or("ends too early")?;
        unpack_piece(kind, bytes, piece)?;
        rest = after;
    }
    if rest.is_empty() { Ok(array) } else { Err("goes on after its end") }
}

fn unpack_piece(kind: u8, packed: &[u8], piece: &mut [u8]) -> Result<(), &'static str> {
    let decompress = |into: &mut [u8]| {
        let length = block::decompress_into(packed, into).ok();
        if length == Some(into.len()) { Ok(()) } else { Err("has a damaged piece") }
    };
    match kind {
        STORED if packed.len() == piece.len() => piece.copy_from_slice(packed),
        LZ4 => decompress(piece)?,
        TRANSPOSED_LZ4 => {
            let mut transposed = vec![0; piece.len()];
            decompress(&mut transposed)?;
            transpose_back(&transposed, piece);
        }
        _ => return Err("has a damaged piece"),
    }
    Ok(())
}

/// All first bytes of the words, then all second ones, ..; what is no whole word at the end.
fn transpose(bytes: &[u8]) -> Vec<u8> {
    let (words, rest) = bytes.as_chunks::<WORD>();
    let mut out = Vec::with_capacity(bytes.len());
    for k in 0..WORD {
        out.extend(words.iter().map(|word| word[k]));
    }
    out.extend(rest);
    out
}

/// Undoes [`transpose`]; both have the same length.
fn transpose_back(transposed: &[u8], bytes: &mut [u8]) {
    let (words, rest) = bytes.as_chunks_mut::<WORD>();
    let (planes, tail) = transposed.split_at(WORD * words.len());
    for (k, plane) in planes.chunks_exact(words.len().max(1)).enumerate() {
        for (word, byte) in words.iter_mut().zip(plane) {
            word[k] = *byte;
        }
    }
    rest.copy_from_slice(tail);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        StdRng::seed_from_u64(1).fill(&mut bytes[..]);
        bytes
    }

    #[test]
    fn arrays_of_every_kind_come_back() {
        let mut failures = Vec::new();
        let floats = |n: u32, value: fn(u32) -> f32| -> Vec<u8> {
            (0..n).flat_map(|i| value(i).to_le_bytes()).collect()
        };
        for (name, array, most) in [
            ("nothing", Vec::new(), 4),
            ("one byte", vec![7], 10),
            ("no whole word", vec![1, 2, 3, 4, 5, 6, 7], 16),
            ("zeros", vec![0; 3 * PIECE + 1], PIECE / 64),
            ("indices", (0..200_000_u32).flat_map(u32::to_le_bytes).collect(), 20_000),
            ("alike", floats(200_000, |i| 1.0 + (i as f32).sin() / 64.0), 650_000),
            ("noise", noise(2 * PIECE + 3), 2 * PIECE + 3 + 4 + 3 * PIECE_HEADER),
            ("a piece", noise(PIECE), PIECE + 4 + PIECE_HEADER),
        ] {
            let packed = pack(&array);
            if unpack(&packed, array.len()).as_ref() != Ok(&array) {
                failures.push(format!("{name} is not the same"));
            }
            if packed.len() > most || packed.len() as u64 > longest(array.len() as u64) {
                failures.push(format!("{name}: {} of {} bytes", packed.len(), array.len()));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn damage_is_an_error() {
        let mut array: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        array.extend(noise(1000));
        let packed = pack(&array);
        let mut failures = Vec::new();
        let mut refused = |name: &str, packed: &[u8], length: usize| {
            if unpack(packed, length).is_ok() {
                failures.push(name.to_owned());
            }
        };
        refused("longer than said", &packed, array.len() - 1);
        refused("shorter than said", &packed, array.len() + 1);
        refused("a piece more than there is", &packed, array.len() + PIECE);
        refused("far more than it can hold", &packed, 1 << 40);
        refused("nothing", &[], 0);
        refused("another format", b"PK\x03\x04", 0);
        refused("cut", &packed[..packed.len() - 1], array.len());
        refused("continued", &[&packed[..], &[0]].concat(), array.len());
        let mut unknown = packed.clone();
        unknown[MAGIC.len()] = 9;
        refused("an unknown way of packing", &unknown, array.len());
        assert!(failures.is_empty(), "read: {failures:?}");
    }

    proptest! {
        #[test]
        fn whatever_is_read_neither_panics_nor_grows(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            length in 0_usize..2000,
        ) {
            let packed = [MAGIC, &bytes].concat();
            if let Ok(array) = unpack(&packed, length) {
                prop_assert_eq!(array.len(), length);
            }
        }

        #[test]
        fn short_arrays_come_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(unpack(&pack(&bytes), bytes.len()), Ok(bytes));
        }
    }
}
