#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    headsculpt::fuzzing::run("texture", bytes);
});
