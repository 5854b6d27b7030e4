//! Private rounds: how much noise they need, what they gave away, and whether that can be believed.
//!
//! The mechanisms, the accountant and the samplers are the core's, [`secagg::privacy`]; here they are put
//! together for the commands `secagg privacy` and for the demonstration.

pub mod audit;
mod binomial;
pub mod coding;
pub mod design;
pub mod encoder;
pub mod loss;
pub mod measure;
pub mod plot;
pub mod scheme;
pub mod sizing;
