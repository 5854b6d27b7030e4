//! Black-box tests of the whole: they live in this crate's `tests/` folder and use what is here.
//!
//! [`transcript`] records and replays sessions as files, the form in which other implementations can check theirs.
//! [`oracle`] judges the project by tables of answers that were computed without it.

pub mod oracle;
pub mod transcript;
