//! What happened, as records, and their hash.

use secagg::Round;
use sha2::{Digest, Sha256};

use crate::draw::mix;

/// What one client did in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The round.
    pub round: Round,
    /// The client's id.
    pub client: u32,
    /// Bytes of the request.
    pub request: u64,
    /// Nanoseconds from the round's opening at which its answer began; none if it did not.
    pub began: Option<u64>,
    /// Nanoseconds from the round's opening at which the server had its answer, or noticed that there will be none.
    pub ended: u64,
    /// The answer counts.
    pub accepted: bool,
    /// Bytes of its answer that it had sent when the round closed.
    pub sent: u64,
    /// Nanoseconds of its work that it had done when the round closed.
    pub work: u64,
}

/// The hash of a run: SHA-256 over its sessions and rounds in their order, each with the sum, in two words of 64
/// bits, of the mixed records of its clients.
///
/// The sum does not depend on the order in which the records are noted. It shows that two runs are the same; it is no
/// protection against somebody who wants two runs to look the same.
#[derive(Clone, Default)]
pub(crate) struct Transcript {
    hash: Sha256,
    sums: [u64; 2],
}

impl Transcript {
    #[inline]
    pub(crate) fn note(&mut self, record: &Record) {
        let Record { round, client, request, began, ended, accepted, sent, work } = *record;
        let client = u64::from(client) << 4 | u64::from(accepted) << 3 | round as u64;
        let began = began.map_or(u64::MAX, |began| began);
        let mut mixed = mix(client ^ mix(ended));
        mixed = mix(mixed ^ began.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ request);
        mixed = mix(mixed ^ sent.rotate_left(32) ^ work);
        self.sums[0] = self.sums[0].wrapping_add(mixed);
        self.sums[1] = self.sums[1].wrapping_add(mixed.wrapping_mul(mixed | 1) ^ (mixed >> 7));
    }

    /// Notes numbers that stand for themselves, and the records before them.
    pub(crate) fn close(&mut self, numbers: &[u64]) {
        for number in self.sums.iter().chain(numbers) {
            self.hash.update(number.to_be_bytes());
        }
        self.sums = [0; 2];
    }

    /// Notes a text.
    pub(crate) fn say(&mut self, text: &str) {
        self.hash.update((text.len() as u64).to_be_bytes());
        self.hash.update(text);
    }

    pub(crate) fn digest(self) -> String {
        hex::encode(self.hash.finalize())
    }
}
