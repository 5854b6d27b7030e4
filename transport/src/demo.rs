//! The demonstration's ingredients: handwritten digits, a learner, the report, the seeds of a run.
//!
//! Federated averaging of a softmax model. Nothing here knows of secure aggregation; what meets it
//! are the vectors of [`learner::Quantiser`].

pub mod digits;
pub mod federation;
pub mod learner;
pub mod report;
pub mod seed;
pub mod vanish;
