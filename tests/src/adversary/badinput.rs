//! Bad messages: every field of every message, changed in every way that is on the list, in every state of a client and
//! of the server. What has to come of each is worked out from the specification by a model of its own.

mod client_model;
mod expected;
mod layout;
mod mutate;
mod play;
mod proposal;
mod scene;
mod server_model;

pub use layout::MESSAGES;
pub use play::{Choice, Failure, Measure, PLANTS, Plant, STATES, Summary, run};
pub use scene::CLIENTS;
