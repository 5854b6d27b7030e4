//! The demonstration's ingredients: handwritten digits, a learner, the report, the seeds of a run.
//!
//! Federated averaging of a softmax model. What meets secure aggregation are the vectors of
//! [`learner::Quantiser`], or, in a private run, those of [`private::Private`].

pub mod codec;
pub mod digits;
pub mod federation;
pub mod learner;
mod population;
pub mod private;
pub mod report;
pub mod seed;
pub mod spent;
pub mod vanish;
