//! What a party has done, in operations.

use std::ops::{AddAssign, Mul, Sub};

/// What a party has done so far, in operations rather than in seconds.
///
/// The simulator charges virtual time for these and the benchmarks report them, so both speak of the same
/// work. They depend on the configuration and on who dropped out, never on the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Counts {
    /// X25519 agreements.
    pub encryption_agreements: u64,
    /// Variable-base multiplications on ristretto255.
    pub mask_agreements: u64,
    /// Fixed-base multiplications on either group.
    pub public_keys: u64,
    /// Bytes sealed or opened by the AEAD, tags included.
    pub aead_bytes: u64,
    /// Bytes of mask keystream.
    pub keystream_bytes: u64,
    /// Evaluations of one sharing polynomial at one holder's point.
    pub share_evaluations: u64,
    /// Secrets reconstructed from shares.
    pub reconstructions: u64,
    /// Coordinates of masked inputs added into the accumulator.
    pub additions: u64,
    /// Signatures made.
    pub signatures: u64,
    /// Signatures checked, whether one by one or in a batch.
    pub verifications: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.encryption_agreements += other.encryption_agreements;
        self.mask_agreements += other.mask_agreements;
        self.public_keys += other.public_keys;
        self.aead_bytes += other.aead_bytes;
        self.keystream_bytes += other.keystream_bytes;
        self.share_evaluations += other.share_evaluations;
        self.reconstructions += other.reconstructions;
        self.additions += other.additions;
        self.signatures += other.signatures;
        self.verifications += other.verifications;
    }
}

/// What so many parties have done that did the same.
impl Mul<u64> for Counts {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self {
            encryption_agreements: self.encryption_agreements * times,
            mask_agreements: self.mask_agreements * times,
            public_keys: self.public_keys * times,
            aead_bytes: self.aead_bytes * times,
            keystream_bytes: self.keystream_bytes * times,
            share_evaluations: self.share_evaluations * times,
            reconstructions: self.reconstructions * times,
            additions: self.additions * times,
            signatures: self.signatures * times,
            verifications: self.verifications * times,
        }
    }
}

/// What a party has done since it had done `before`.
impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            encryption_agreements: self.encryption_agreements - before.encryption_agreements,
            mask_agreements: self.mask_agreements - before.mask_agreements,
            public_keys: self.public_keys - before.public_keys,
            aead_bytes: self.aead_bytes - before.aead_bytes,
            keystream_bytes: self.keystream_bytes - before.keystream_bytes,
            share_evaluations: self.share_evaluations - before.share_evaluations,
            reconstructions: self.reconstructions - before.reconstructions,
            additions: self.additions - before.additions,
            signatures: self.signatures - before.signatures,
            verifications: self.verifications - before.verifications,
        }
    }
}
