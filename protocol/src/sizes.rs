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
    advertise_keys, certificate, consistency_check, masked_input_collection, share_keys, unmasking,
};
use crate::{Config, Graph};

/// Bytes of a client's messages in one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What it sends.
    pub up: u64,
    /// What it receives.
    pub down: u64,
}

/// All messages of one client in a session that nobody leaves.
pub fn per_client(config: &Config) -> Traffic {
    let neighbours = match config.graph {
        Graph::Complete => config.clients.saturating_sub(1),
        Graph::Regular { degree } => degree,
    } as usize;
    let held = neighbours + usize::from(config.graph == Graph::Complete);
    let signed = config.suite.is_signed();
    let up = [
        advertise_keys_response(config),
        share_keys_response(neighbours),
        masked_input_response(config),
        if signed { consistency_check_response() } else { 0 },
        unmasking_response(config, held, 0, config.clients),
    ];
    let down = [
        advertise_keys_request(config),
        share_keys_request(config, neighbours),
        masked_input_request(neighbours),
        if signed { consistency_check_request(neighbours + 1) } else { 0 },
        unmasking_request(config, neighbours),
    ];
    Traffic { up: up.iter().sum(), down: down.iter().sum() }
}

/// `AdvertiseKeysRequest`.
pub fn advertise_keys_request(config: &Config) -> u64 {
    advertise_keys::Request::len(config) as u64
}

/// `AdvertiseKeysResponse`.
pub fn advertise_keys_response(config: &Config) -> u64 {
    advertise_keys::response_len(config.suite.is_signed()) as u64
}

/// `ShareKeysRequest` to a client with so many `neighbours`, itself not counted.
pub fn share_keys_request(config: &Config, neighbours: usize) -> u64 {
    share_keys::request_len(config.suite.is_signed(), neighbours + 1) as u64
}

/// `ShareKeysResponse` of a client with so many `neighbours`.
pub fn share_keys_response(neighbours: usize) -> u64 {
    share_keys::Response::len(neighbours) as u64
}

/// `MaskedInputRequest` to a client of whose neighbours `sharers` shared.
pub fn masked_input_request(sharers: usize) -> u64 {
    masked_input_collection::Request::len(sharers) as u64
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

/// `UnmaskingRequest` to a client of whose neighbours `sharers` shared. In a signed suite it holds a quorum of
/// signatures, however many shared.
pub fn unmasking_request(config: &Config, sharers: usize) -> u64 {
    if config.suite.is_signed() {
        certificate::CertifiedRequest::len(config.threshold as usize) as u64
    } else {
        unmasking::Request::len(sharers + 1) as u64
    }
}

/// `UnmaskingResponse` with so many shares and the ids of so many bundles that did not open. On the complete graph
/// a client's share of its own secret is among the shares. With so many `survivors` in the session there are seeds of
/// superfluous noise behind them.
pub fn unmasking_response(config: &Config, shares: usize, unopened: usize, survivors: u32) -> u64 {
    unmasking::Response::len(shares, unopened, config.disclosed(survivors)) as u64
}
