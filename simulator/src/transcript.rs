//! What happened, as records, and their hash.

use secagg::Round;
use sha2::{Digest, Sha256};

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
/// bits, of the mixed records of its clients. A product of 128 bits folded to 64 mixes two numbers in one multiplication.
///
/// The sum does not depend on the order in which the records are noted. It shows that two runs are the same; it is no
/// protection against somebody who wants two runs to look the same.
#[derive(Clone, Default)]
pub(crate) struct Transcript {
    hash: Sha256,
    sums: [u64; 2],
}

impl Transcript {
    pub(crate) fn note(&mut self, record: &Record) {
        self.note_all(std::iter::once(*record));
    }

    /// Notes some records.
    #[inline(never)]
    pub(crate) fn note_all(&mut self, records: impl Iterator<Item = Record>) {
        let [mut one, mut other] = self.sums;
        for record in records {
            let mixed = mixed(&record);
            one = one.wrapping_add(mixed.0);
            other = other.wrapping_add(mixed.1);
        }
        self.sums = [one, other];
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

/// The two words of a record.
#[inline(always)]
fn mixed(record: &Record) -> (u64, u64) {
    let Record { round, client, request, began, ended, accepted, sent, work } = *record;
    let client = u64::from(client) << 4 | u64::from(accepted) << 3 | round as u64;
    let began = began.unwrap_or(u64::MAX);
    let who = fold(client ^ KEYS[0], ended ^ KEYS[1]);
    let what = fold(request ^ KEYS[2], began ^ KEYS[3]);
    let done = fold(sent ^ KEYS[4], work ^ KEYS[5]);
    let (low, high) = product(who ^ what.rotate_left(32) ^ KEYS[6], done ^ what ^ KEYS[7]);
    (low ^ who, high ^ done)
}

/// Odd numbers without a pattern: the first 512 bits of the fraction of pi, each word's last bit set.
const KEYS: [u64; 8] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7345,
    0xa409_3822_299f_31d1,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6d,
    0xc0ac_29b7_c97c_50dd,
    0x3f84_d5b5_b547_0917,
];

#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let (low, high) = product(one, other);
    low ^ high
}

#[inline]
fn product(one: u64, other: u64) -> (u64, u64) {
    let product = u128::from(one) * u128::from(other);
    (product as u64, (product >> 64) as u64)
}
