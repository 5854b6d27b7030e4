//! Secure aggregation: a server learns the sum of many clients' vectors and nothing else, even when clients
//! vanish at any moment.
//!
//! The protocol is that of Bonawitz et al. (CCS 2017) on the complete graph and of Bell et al. (CCS 2020) on
//! a sparse one; `spec/secagg.md` specifies every byte. This crate is the protocol and nothing else: bytes go
//! in and bytes come out. It has no IO, no clock and no source of randomness, so the same code runs behind a
//! QUIC server, in a simulator with ten thousand clients, and under a replayer of test vectors.
//!
//! ```
//! use std::collections::BTreeMap;
//! use secagg::{Client, ClientId, Closed, Config, Graph, Input, Policy, Server, Suite, VectorSpec};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config {
//!     suite: Suite::Curious,
//!     graph: Graph::Complete,
//!     clients: 5,
//!     threshold: 3,
//!     minimum_survivors: 3,
//!     vectors: vec![VectorSpec::new("weights", 4, 16)],
//!     task: [0; 32],
//!     nonce: [7; 32], // in real life: 32 random bytes
//! };
//! let mut clients = BTreeMap::new();
//! for number in 1..=4 {
//!     // Client 5 never comes.
//!     let entropy = [number as u8; 32]; // in real life: 32 random bytes
//!     let mut client = Client::new(entropy, Policy::default());
//!     client.set_input(Input::new().with("weights", vec![number, 2, 3, 4]))?;
//!     clients.extend(ClientId::new(number).map(|id| (id, client)));
//! }
//!
//! let (mut server, mut requests) = Server::open(config)?;
//! let aggregate = loop {
//!     for (id, request) in requests {
//!         let Some(client) = clients.get_mut(&id) else { continue }; // it has dropped out
//!         let response = client.handle(&request)?;
//!         server.receive(id, &response).ok(); // a fault costs that client only
//!     }
//!     match server.close_round()? {
//!         Closed::Next(next) => requests = next,
//!         Closed::Done(aggregate) => break aggregate,
//!     }
//! };
//! assert!(aggregate.vector("weights").is_some_and(|sum| sum.iter().eq([10, 8, 12, 16])));
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! None is on by default, and none changes a byte or a check.
//!
//! - `aws-lc`: X25519 by AWS-LC, in less than half the time of x25519-dalek. It needs a C compiler. Without it the crate
//!   is Rust alone. The other primitives are the same either way.
//! - `serde`: [`Counts`] can be serialised, for reports.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

/// The README's example, compiled and run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[doc(hidden)]
pub mod bench;
mod bitmap;
mod client;
mod config;
#[doc(hidden)]
pub mod conformance;
mod counts;
mod credentials;
mod crypto;
mod entropy;
mod error;
mod graph;
mod id;
mod input;
mod mask;
pub mod operations;
pub mod parameters;
mod policy;
pub mod privacy;
mod removal;
mod rounds;
mod server;
pub mod sizes;
mod suite;
mod vector;
mod wire;

pub use client::{Client, Response};
pub use config::{Config, VERSION, VectorSpec};
pub use counts::Counts;
pub use credentials::{Authority, Credentials};
pub use entropy::Entropy;
pub use error::{Abort, Fault, Misbehaviour, Misuse, Refusal};
pub use id::ClientId;
pub use input::Input;
pub use policy::{AllowedVector, Cohort, CohortPolicy, Policy, PrivacyPolicy, SafetyPolicy, SessionBudget};
pub use rounds::Round;
pub use server::{Aggregate, Closed, Progress, Requests, Server};
pub use suite::{Graph, Suite};
pub use vector::Lanes;
