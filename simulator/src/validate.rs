//! The same sessions in reality and simulated, compared.
//!
//! What is compared, of each set-up:
//!
//! - bytes of every frame by client, round and direction, and every operation of every client and of the server:
//!   equal;
//! - bytes on the wire, UDP and IP headers included, both directions and all clients: within [`WIRE`];
//! - stage times, from a round's requests to a client's whole answer: the median over the clients of each round
//!   within [`MEDIAN`], the 95th percentile within [`TAIL`].

mod case;
mod compare;
mod simulate;

pub use case::Case;
pub use compare::{Comparison, StageTimes, compare};
pub use simulate::{Part, Simulated, simulate};

/// How far the bytes on the wire may be off.
pub const WIRE: f64 = 0.01;

/// How far the median stage time may be off.
pub const MEDIAN: f64 = 0.05;

/// How far the 95th percentile of the stage times may be off.
pub const TAIL: f64 = 0.10;
