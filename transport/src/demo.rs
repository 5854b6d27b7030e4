//! The demonstration's ingredients: handwritten digits and the seeds of a run.

pub mod digits;
pub mod seed;
