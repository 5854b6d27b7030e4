//! Black-box tests of the whole live in this crate's `tests/` folder; here is what they share.

pub mod oracle;
