#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| secagg_tests::fuzz::run("signed", data));
