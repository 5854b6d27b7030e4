//! The conformance tests: any implementation of the specification, behind a shim (`tests/conform/README.md`), is
//! held against the vectors of the document and against itself and others.
//!
//! A shim is not trusted. Whatever it does or does not do costs it the test that was running, and the runner no
//! more than a fixed time and a fixed amount of memory.

mod compare;
pub mod known;
pub mod live;
pub mod mutants;
mod pairing;
mod process;
pub mod replay;
pub mod report;
pub mod scenario;
mod sessions;
pub mod shim;
pub mod suite;
pub mod vectors;
