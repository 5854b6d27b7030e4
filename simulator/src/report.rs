//! What a run has shown.

use secagg::Counts;
use serde::Serialize;

/// A run, from its scenario's seed to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The seed that gives the same run again.
    pub seed: u64,
    /// Clients of the session.
    pub clients: u32,
    /// Clients whose inputs are in the sum; 0 if the session was aborted.
    pub survivors: u32,
    /// Clients that gave no valid answer, by round, in the order of the rounds.
    pub dropped: Vec<Dropped>,
    /// Whether a sum was released that is the plain sum of the survivors' inputs.
    pub exact: bool,
    /// Why the session was aborted, if it was.
    pub abort: Option<String>,
    /// Faults of clients; there are none in an honest cohort.
    pub faults: u32,
    /// The messages that were sent, by type, in the order of the rounds.
    pub messages: Vec<MessageCount>,
    /// What all clients did.
    pub client_operations: Operations,
    /// What the server did.
    pub server_operations: Operations,
    /// SHA-256 over all messages in the order in which they were sent, in hexadecimal.
    pub transcript: String,
}

/// The clients lost in one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The round's name.
    pub round: &'static str,
    /// How many gave no valid answer.
    pub clients: u32,
}

/// The messages of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageCount {
    /// Its name in the specification.
    pub name: &'static str,
    /// How many there were.
    pub count: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
}

/// Operations, as [`secagg::Counts`] has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of `secagg::Counts`")]
pub struct Operations {
    pub encryption_agreements: u64,
    pub mask_agreements: u64,
    pub public_keys: u64,
    pub aead_bytes: u64,
    pub keystream_bytes: u64,
    pub share_evaluations: u64,
    pub reconstructions: u64,
    pub additions: u64,
    pub signatures: u64,
    pub verifications: u64,
}

impl From<Counts> for Operations {
    fn from(counts: Counts) -> Self {
        // Taken apart, so that a count that is added later cannot be forgotten here.
        let Counts {
            encryption_agreements,
            mask_agreements,
            public_keys,
            aead_bytes,
            keystream_bytes,
            share_evaluations,
            reconstructions,
            additions,
            signatures,
            verifications,
        } = counts;
        Self {
            encryption_agreements,
            mask_agreements,
            public_keys,
            aead_bytes,
            keystream_bytes,
            share_evaluations,
            reconstructions,
            additions,
            signatures,
            verifications,
        }
    }
}
