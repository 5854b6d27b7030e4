//! How many bytes each message has, without making it (spec §4).
//!
//! The lengths are the codec's own, so they hold for whatever session the numbers describe:
//!
//! ```
//! use secagg::{Config, Graph, Suite, VectorSpec, sizes};
//!
//! let config = Config {
//!     suite: Suite::Curious,
//!     graph: Graph::Regular { degree: 60 },
//!     clients: 1_000_000,
//!     threshold: 36,
//!     minimum_survivors: 800_000,
//!     vectors: vec![VectorSpec::new("weights", 100_000, 16)],
//!     task: [0; 32],
//!     nonce: [0; 32],
//! };
//! let traffic = sizes::per_client(&config);
//! assert_eq!(sizes::masked_input_response(&config), 200_033);
//! assert!(traffic.up < 210_000 && traffic.down < 20_000);
//! ```

use crate::rounds::{
    advertise_keys, certificate, consistency_check, drawn, masked_input_collection, share_keys, unmasking,
};
use crate::{Config, Graph, Suite};

/// Bytes of a client's messages in one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What it sends.
    pub up: u64,
    /// What it receives.
    pub down: u64,
}

/// All messages of one client in a session that nobody leaves. On a k-out graph those of a client that holds the shares
/// of as many others as on average, which is the degree.
pub fn per_client(config: &Config) -> Traffic {
    let everybody = config.clients as usize;
    let (shown, neighbours) = match config.graph {
        Graph::Complete => (everybody.saturating_sub(1), everybody.saturating_sub(1)),
        Graph::Regular { degree } => (degree as usize, degree as usize),
        Graph::KOut { degree } => (everybody.saturating_sub(1), degree as usize),
    };
    let held = neighbours + usize::from(config.graph == Graph::Complete);
    let signed = config.suite.is_signed();
    let up = [
        advertise_keys_response(config),
        share_keys_response(config, neighbours),
        masked_input_response(config),
        if signed { consistency_check_response() } else { 0 },
        unmasking_response(held, 0),
    ];
    let down = [
        advertise_keys_request(config),
        share_keys_request(config, shown),
        masked_input_request(config, everybody, neighbours),
        if signed { consistency_check_request(everybody) } else { 0 },
        unmasking_request(config, everybody, neighbours),
    ];
    Traffic { up: up.iter().sum(), down: down.iter().sum() }
}

/// `AdvertiseKeysRequest`.
pub fn advertise_keys_request(config: &Config) -> u64 {
    advertise_keys::Request::len(config) as u64
}

/// `AdvertiseKeysResponse`.
pub fn advertise_keys_response(config: &Config) -> u64 {
    advertise_keys::response_len(config.suite) as u64
}

/// `ShareKeysRequest` to a client with so many `neighbours`, itself not counted; in the pinned suite all others.
pub fn share_keys_request(config: &Config, neighbours: usize) -> u64 {
    share_keys::request_len(config.suite, neighbours + 1) as u64
}

/// `ShareKeysResponse` of a client with so many `neighbours`, in the pinned suite so many holders.
pub fn share_keys_response(config: &Config, neighbours: usize) -> u64 {
    share_keys::response_len(config.suite, neighbours) as u64
}

/// `MaskedInputRequest` to a client of whose neighbours `sharers` shared, in the pinned suite of whose owners, in a
/// session with a roster of so many clients.
pub fn masked_input_request(config: &Config, roster: usize, sharers: usize) -> u64 {
    let length = match config.suite {
        Suite::Pinned { .. } => drawn::Request::len(roster, sharers),
        _ => masked_input_collection::Request::len(sharers),
    };
    length as u64
}

/// `MaskedInputResponse`.
pub fn masked_input_response(config: &Config) -> u64 {
    masked_input_collection::Response::len(config)
}

/// `ConsistencyCheckRequest` in a session with a roster of so many clients.
pub fn consistency_check_request(roster: usize) -> u64 {
    consistency_check::Request::len(roster) as u64
}

/// `ConsistencyCheckResponse`.
pub fn consistency_check_response() -> u64 {
    consistency_check::Response::LEN as u64
}

/// `UnmaskingRequest` to a client of whose neighbours `sharers` shared, in a session with a roster of so many clients. In
/// a signed suite it holds a quorum of signatures, however many shared; in the pinned one also a signature for each of
/// the `sharers` that survives, here all.
pub fn unmasking_request(config: &Config, roster: usize, sharers: usize) -> u64 {
    let quorum = config.quorum(roster) as usize;
    let length = match config.suite {
        Suite::Curious => unmasking::Request::len(sharers + 1),
        Suite::Active { .. } => certificate::CertifiedRequest::len(quorum),
        Suite::Pinned { .. } => certificate::PinnedRequest::len(quorum, sharers),
    };
    length as u64
}

/// `UnmaskingResponse` with so many shares and the ids of so many bundles that did not open. On the complete graph
/// a client's share of its own secret is among the shares.
pub fn unmasking_response(shares: usize, unopened: usize) -> u64 {
    unmasking::Response::len(shares, unopened) as u64
}
