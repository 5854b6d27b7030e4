//! Black-box tests of the whole: they live in this crate's `tests/` folder and use what is here.
//!
//! [`transcript`] records and replays sessions as files, the form in which other implementations can check theirs.
//! [`conform`] is the runner of the conformance tests, which any implementation can take through a shim.
//! [`fuzz`] holds what the fuzzers run.
//! [`adversary`] plays malicious servers and clients against the core.
//! [`oracle`] judges the project by tables of answers that were computed without it.

pub mod adversary;
pub mod conform;
pub mod derivations;
pub mod fuzz;
pub mod json;
pub mod oracle;
pub mod transcript;
