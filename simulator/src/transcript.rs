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

/// The hash of a run: SHA-256 over its sessions and rounds in their order, each with the sum, modulo 2⁶⁴, of the words of its
/// clients' records.
///
/// The sum does not depend on the order in which the records are noted. It shows that two runs are the same; it is no
/// protection against somebody who wants two runs to look the same.
#[derive(Clone, Default)]
pub(crate) struct Transcript {
    hash: Sha256,
    sum: u64,
}

impl Transcript {
    pub(crate) fn note(&mut self, record: &Record) {
        let Record { round, client, request, began, ended, accepted, sent, work } = *record;
        let stem = Stem::new(round, request, sent, accepted);
        self.add(word(stem, u64::from(client), began.unwrap_or(u64::MAX), ended, work));
    }

    /// Notes records by the sum of their words.
    pub(crate) fn add(&mut self, words: u64) {
        self.sum = self.sum.wrapping_add(words);
    }

    /// Notes numbers that stand for themselves, and the records before them.
    pub(crate) fn close(&mut self, numbers: &[u64]) {
        for number in [&self.sum].into_iter().chain(numbers) {
            self.hash.update(number.to_be_bytes());
        }
        self.sum = 0;
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

/// What a record has of the round and its messages: the same for many.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stem(u64);

impl Stem {
    pub(crate) fn new(round: Round, request: u64, sent: u64, accepted: bool) -> Self {
        let kind = (round as u64) << 1 | u64::from(accepted);
        let of = |number: u64, key| number.wrapping_mul(key);
        Self(of(kind, KEYS[0]).wrapping_add(of(request, KEYS[1])).wrapping_add(of(sent, KEYS[2])))
    }
}

/// The word of a record: its numbers, each times a key of its own, added up and mixed. A record of which one number alone
/// is another always has another word. Compilers find vector instructions for all that is in it.
#[inline(always)]
pub(crate) fn word(Stem(stem): Stem, client: u64, began: u64, ended: u64, work: u64) -> u64 {
    let of = |number: u64, key| number.wrapping_mul(key);
    let who = of(client, KEYS[3]).wrapping_add(of(work, KEYS[4]));
    let when = of(began, KEYS[5]).wrapping_add(of(ended, KEYS[6]));
    mix(stem.wrapping_add(who).wrapping_add(when))
}

/// Odd numbers without a pattern: the first 448 bits of the fraction of pi, each word's last bit set.
const KEYS: [u64; 7] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7345,
    0xa409_3822_299f_31d1,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6d,
    0xc0ac_29b7_c97c_50dd,
];
