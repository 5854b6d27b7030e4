//! How many operations each step takes, without taking it: what [`Counts`] will say of a session without faults.
//!
//! The numbers depend on the configuration and on who is left, never on the data.
//!
//! ```
//! use secagg::{Config, Graph, Suite, VectorSpec, operations};
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
//! assert_eq!(operations::masked_input(&config, 60).keystream_bytes, 61 * 200_000);
//! ```

use crate::crypto::seal::BUNDLE_LEN;
use crate::rounds::masked_input_collection::lane_bytes;
use crate::{Config, Counts, Graph};

/// A client's answer to AdvertiseKeys.
pub fn advertise_keys(config: &Config) -> Counts {
    Counts { public_keys: 2, signatures: signed(config), ..Counts::default() }
}

/// The answer to ShareKeys of a client with so many `neighbours`, itself not counted.
pub fn share_keys(config: &Config, neighbours: usize) -> Counts {
    let neighbours = neighbours as u64;
    Counts {
        encryption_agreements: neighbours,
        aead_bytes: neighbours * BUNDLE_LEN as u64,
        share_evaluations: 2 * neighbours + u64::from(config.graph == Graph::Complete),
        verifications: (neighbours + 1) * proof(config),
        ..Counts::default()
    }
}

/// The masked input of a client of whose neighbours `sharers` shared.
pub fn masked_input(config: &Config, sharers: usize) -> Counts {
    let sharers = sharers as u64;
    Counts {
        mask_agreements: sharers,
        aead_bytes: sharers * BUNDLE_LEN as u64,
        keystream_bytes: (sharers + 1) * keystream(config),
        ..Counts::default()
    }
}

/// A client's answer to ConsistencyCheck, which a signed suite has.
pub fn consistency_check() -> Counts {
    Counts { signatures: 1, ..Counts::default() }
}

/// A client's answer to Unmasking: in a signed suite it checks the signatures of a quorum.
pub fn unmasking(config: &Config) -> Counts {
    Counts { verifications: signed(config) * u64::from(config.threshold), ..Counts::default() }
}

/// What the server does with one client's keys.
pub fn receive_keys(config: &Config) -> Counts {
    Counts { verifications: proof(config), ..Counts::default() }
}

/// What the server does with one masked input.
pub fn receive_masked_input(config: &Config) -> Counts {
    Counts { additions: config.vectors.iter().map(|spec| u64::from(spec.length)).sum(), ..Counts::default() }
}

/// What the server does with one signature of a survivor set.
pub fn receive_signature() -> Counts {
    Counts { verifications: 1, ..Counts::default() }
}

/// What the server does to take the masks off: `survivors` are in the sum, `dropped` are the others whose mask key is
/// reconstructed, and `pairs` counts for each of these its neighbours that survived.
pub fn unmask(config: &Config, survivors: u64, dropped: u64, pairs: u64) -> Counts {
    Counts {
        mask_agreements: pairs,
        public_keys: dropped,
        keystream_bytes: (survivors + pairs) * keystream(config),
        reconstructions: survivors + dropped,
        ..Counts::default()
    }
}

/// Signatures that a client makes over its keys.
fn signed(config: &Config) -> u64 {
    u64::from(config.suite.is_signed())
}

/// Signatures that vouch for an advertisement: the certificate, and the one over the keys.
fn proof(config: &Config) -> u64 {
    2 * signed(config)
}

/// Bytes of keystream that one seed gives.
fn keystream(config: &Config) -> u64 {
    config.vectors.iter().map(lane_bytes).sum()
}
