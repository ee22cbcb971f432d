//! The seeds of the fuzzer, and thousands of seeded mutations of them, through every reader: none
//! panics, hangs or fills the memory. The fuzzer itself is in `fuzz/`.

#![allow(clippy::unwrap_used)]

use headsculpt::fuzzing;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::path::Path;
use std::time::{Duration, Instant};

const MUTATIONS: u32 = 5000;
/// Time for the mutations of a target; what is left of them then is skipped on a slow machine.
const LONGEST: Duration = Duration::from_secs(20);
/// And for a single reading.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that all readings together may add to the memory's peak.
const MOST_MEMORY: u64 = 512 << 20;

/// Numbers that readers stumble over.
const NUMBERS: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, 1 << 62, u64::MAX];
const WORDS: [&[u8]; 10] = [
    b"null",
    b"-1",
    b"1e309",
    b"18446744073709551616",
    b"{",
    b"[[[[[[",
    b"\"",
    b"\n",
    b"\xff",
    b"\0\0\0\0",
];

/// The process's largest size in memory so far, where the system tells.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Changes bytes in one of the ways in which files go wrong, or are made to.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], rng: &mut StdRng) {
    for _ in 0..rng.random_range(1..5) {
        let at = rng.random_range(0..=bytes.len());
        let rest = bytes.len() - at;
        match rng.random_range(0..7) {
            0 if rest > 0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if rest > 0 => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + rng.random_range(0..=rest.min(64)))),
            4 if rest >= 8 => {
                let width = [1, 2, 4, 8][rng.random_range(0..4)];
                let number = NUMBERS[rng.random_range(0..NUMBERS.len())].to_le_bytes();
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            5 => {
                let word = WORDS[rng.random_range(0..WORDS.len())].iter().copied();
                drop(bytes.splice(at..at, word));
            }
            _ if !other.is_empty() => {
                let start = rng.random_range(0..other.len());
                let end = (start + rng.random_range(0..256)).min(other.len());
                drop(bytes.splice(at..at, other[start..end].iter().copied()));
            }
            _ => {}
        }
    }
}

/// Reads, and says whether the reader took it.
fn read(name: &str, bytes: &[u8], what: &dyn Fn() -> String) -> bool {
    let started = Instant::now();
    let read = std::panic::catch_unwind(|| fuzzing::run(name, bytes));
    let is_taken = read.as_ref().is_ok_and(|taken| *taken);
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
    assert!(read.is_ok(), "{name}: {} panics: {text:?}", what());
    assert!(started.elapsed() < PATIENCE, "{name}: {} takes too long: {text:?}", what());
    is_taken
}

#[test]
fn no_reader_stumbles_over_the_corpus_or_its_mutations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz");
    let before = peak();
    for (name, _) in fuzzing::TARGETS {
        let mut paths: Vec<_> = std::fs::read_dir(root.join(name))
            .unwrap_or_else(|_| panic!("{name} has no seeds"))
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        let seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
        assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
        for (path, seed) in paths.iter().zip(&seeds) {
            let is_taken = read(name, seed, &|| path.display().to_string());
            let is_whole = path.file_stem().unwrap().to_str().unwrap().starts_with("whole");
            assert_eq!(is_taken, is_whole, "{}", path.display());
        }
        let mut rng = StdRng::seed_from_u64(7);
        let started = Instant::now();
        for round in 0..MUTATIONS {
            let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
            let other = &seeds[rng.random_range(0..seeds.len())];
            mutate(&mut bytes, other, &mut rng);
            read(name, &bytes, &|| format!("mutation {round}"));
            if started.elapsed() > LONGEST {
                break;
            }
        }
        let grown = peak().saturating_sub(before);
        assert!(grown < MOST_MEMORY, "{name}: the memory grew by {grown} bytes");
    }
}
