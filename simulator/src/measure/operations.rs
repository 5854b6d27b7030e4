//! Single operations, as clients and the server do them.

use std::hint::black_box;

use secagg::Lanes;
use secagg::bench::{Answers, Pair, Seeds, Share, Signatures, Sums, split};

use super::{MeasureError, cpu};
use crate::Profile;

/// Holders of a secret and those who suffice; a third more answer than must, as on a graph with the usual threshold.
const HOLDERS: u32 = 90;
const THRESHOLD: u32 = 60;

/// Secrets reconstructed over one set of holders, few and many: the difference is what a secret costs.
const FEW: usize = 10;
const MANY: usize = 110;

/// Coordinates and bits of the vectors; a coordinate takes a lane of 32 bits.
const LENGTH: usize = 1 << 16;
const BITS: u8 = 20;

/// Masks applied at once.
const MASKS: u32 = 16;

/// Signatures checked together.
const SIGNATURES: u32 = 100;

/// Bytes of a sealed bundle.
const BUNDLE: f64 = 80.0;

/// Least CPU time of one measurement, in seconds.
const LEAST: f64 = 4e-3;

/// Everything that the operations need, made beforehand.
pub(super) struct Operations {
    pair: Pair,
    seeds: Seeds,
    sums: Sums,
    lanes: Lanes,
    shares: Vec<Vec<Share>>,
    signatures: Signatures,
}

impl Operations {
    pub(super) fn new() -> Result<Self, MeasureError> {
        let pair = Pair::new().ok_or_else(|| MeasureError::Session("there are no client ids".to_owned()))?;
        Ok(Self {
            pair,
            seeds: Seeds::new(MASKS),
            sums: Sums::new(LENGTH, BITS),
            lanes: Lanes::from(vec![0u32; LENGTH]),
            // The server has no more shares of a secret than it needs for the check.
            shares: (1..=MANY as u32).map(|secret| split(secret, THRESHOLD, HOLDERS)).collect(),
            signatures: Signatures::new(SIGNATURES),
        })
    }

    /// One round, in nanoseconds an operation; what messages cost is left at zero.
    pub(super) fn measure(&mut self) -> Profile {
        let (threshold, holders) = (f64::from(THRESHOLD), f64::from(HOLDERS));
        let public_key = each(|| _ = black_box(self.pair.publish()));
        let (few, many) = (self.reconstruct(FEW, public_key), self.reconstruct(MANY, public_key));
        let secret = ((many - few) / (MANY - FEW) as f64).max(0.0);
        let basis = (few - FEW as f64 * secret).max(0.0);
        Profile {
            source: String::new(),
            encryption_agreement: each(|| _ = black_box(self.pair.agree_on_encryption())),
            mask_agreement: each(|| _ = black_box(self.pair.agree_on_mask())),
            public_key,
            aead_byte: each(|| _ = black_box(self.pair.seal_and_open())) / (2.0 * BUNDLE),
            keystream_byte: each(|| self.seeds.apply(&mut self.lanes)) / f64::from(MASKS * 4 * LENGTH as u32),
            share_term: each(|| drop(black_box(split(1, THRESHOLD, HOLDERS)))) / (threshold * holders),
            reconstruction_term: secret / threshold,
            basis_term: basis / (threshold * threshold),
            addition: each(|| self.sums.add()) / LENGTH as f64,
            signature: each(|| _ = black_box(self.signatures.sign())),
            verification: each(|| _ = black_box(self.signatures.batch())) / f64::from(SIGNATURES),
            message: 0.0,
            message_byte: 0.0,
        }
    }

    /// Nanoseconds to reconstruct so many secrets, without the public keys that are made to check every tenth.
    fn reconstruct(&self, secrets: usize, public_key: f64) -> f64 {
        let shares = &self.shares[..secrets.min(self.shares.len())];
        let mut total = 0.0;
        let mut times = 0.0;
        while total < LEAST {
            let answers = Answers::new(shares);
            let begin = cpu();
            black_box(answers.reconstruct(THRESHOLD));
            total += cpu() - begin;
            times += 1.0;
        }
        total / times * 1e9 - (secrets / 10) as f64 * public_key
    }
}

/// Nanoseconds of `work`, over enough repetitions to be measured.
fn each(mut work: impl FnMut()) -> f64 {
    work();
    let mut times = 1;
    loop {
        let begin = cpu();
        for _ in 0..times {
            work();
        }
        let spent = cpu() - begin;
        if spent >= LEAST {
            return spent / f64::from(times) * 1e9;
        }
        times *= 2;
    }
}
