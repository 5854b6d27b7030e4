//! Random bits for noise: from the caller's seed through the mask keystream, and what is drawn from them exactly.
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use aes::cipher::consts::U16;
use aes::cipher::{BlockSizeUser, ParBlocks, StreamCipherBackend, StreamCipherClosure};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::prg::{Keystream, Wide};

/// Words that are produced at a time.
pub(super) const WORDS: usize = 512;

/// What every derivation of this module begins with.
pub(super) const PURPOSE: &[u8] = b"secagg/1 privacy ";

/// A stream of random 64-bit words, least byte first, and of single bits.
///
/// The keystream is that of the masks (spec §3.4) under a key that HKDF-SHA-256 derives from the seed and the
/// purpose, so that no seed of a mask and no other purpose gives the same stream.
pub(super) struct Bits {
    keystream: Keystream,
    next_block: u64,
    words: Zeroizing<Vec<u64>>,
    used: usize,
    spare: u64,
    spares: u32,
}

impl Bits {
    pub(super) fn new(seed: &[u8; 32], purpose: &str) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let info: [&[u8]; 2] = [PURPOSE, purpose.as_bytes()];
        let expanded = Hkdf::<Sha256>::new(None, seed).expand_multi_info(&info, key.as_mut_slice());
        debug_assert!(expanded.is_ok(), "32 bytes are within HKDF's limit");
        let words = Zeroizing::new(vec![0; WORDS]);
        Self { keystream: Keystream::new(&key), next_block: 0, words, used: WORDS, spare: 0, spares: 0 }
    }

    /// The next word.
    #[inline]
    pub(super) fn word(&mut self) -> u64 {
        if self.used == WORDS {
            self.refill();
        }
        let word = self.words.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        word
    }

    /// Shows the words that come next to work that uses wide registers, and takes as many as it returns.
    pub(super) fn take_widely(&mut self, work: impl FromWords) -> usize {
        if self.used == WORDS {
            self.refill();
        }
        let mut taken = 0;
        let words = self.words.get(self.used..).unwrap_or_default();
        self.keystream.widely(Shown { words, work, taken: &mut taken });
        self.skip(taken);
        taken
    }

    /// The words that come next, one at least, and up to [`WORDS`].
    pub(super) fn next_words(&mut self) -> &[u64] {
        if self.used == WORDS {
            self.refill();
        }
        self.words.get(self.used..).unwrap_or_default()
    }

    /// Takes so many of [`Bits::next_words`].
    pub(super) fn skip(&mut self, words: usize) {
        self.used = (self.used + words).min(WORDS);
    }

    /// Has the last words come again, of those that were shown at once.
    pub(super) fn give_back(&mut self, words: usize) {
        self.used = self.used.saturating_sub(words);
    }

    /// The next bit: words taken for bits give them from the least to the greatest.
    #[inline]
    pub(super) fn bit(&mut self) -> bool {
        if self.spares == 0 {
            self.spare = self.word();
            self.spares = 64;
        }
        let bit = self.spare & 1 == 1;
        self.spare >>= 1;
        self.spares -= 1;
        bit
    }

    #[cold]
    fn refill(&mut self) {
        self.keystream.process(self.next_block, Fill(&mut self.words));
        self.next_block += (WORDS / 2) as u64;
        self.used = 0;
    }

    /// True with probability `numerator`/`denominator`, exactly. The denominator is below 2^64.
    ///
    /// Compares a uniform number with the fraction 64 bits at a time; one word nearly always decides.
    #[inline]
    pub(super) fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        let mut rest = u128::from(numerator);
        loop {
            let drawn = u128::from(self.word()) * u128::from(denominator);
            let wanted = rest << 64;
            if drawn >= wanted {
                return false;
            }
            rest = wanted - drawn;
            if rest >= u128::from(denominator) {
                return true;
            }
        }
    }

    /// True with probability exp(−`numerator`/`denominator`), exactly (Canonne, Kamath, Steinke 2020,
    /// algorithm 1).
    pub(super) fn exp_minus(&mut self, mut numerator: u128, denominator: u64) -> bool {
        while numerator > u128::from(denominator) {
            if !self.exp_minus_at_most_one(1, 1) {
                return false;
            }
            numerator -= u128::from(denominator);
        }
        self.exp_minus_at_most_one(numerator as u64, denominator)
    }

    /// Draws chances of γ/1, γ/2, γ/3, … until one fails: with probability e^−γ that is one of odd number.
    fn exp_minus_at_most_one(&mut self, numerator: u64, denominator: u64) -> bool {
        let mut k = 1;
        while self.chance(numerator, denominator) && (k == 1 || self.chance(1, k)) {
            k += 1;
        }
        k % 2 == 1
    }

    /// A uniform number below `bound`, which is at least 1 (Lemire 2019).
    #[inline]
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            // The remainders below 2^64 mod the bound are the surplus ones; there are none above the bound.
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg().checked_rem(bound).unwrap_or_default() {
                return (product >> 64) as u64;
            }
        }
    }
}

/// Work on random words, whose `run` is to be `#[inline(always)]`.
pub(super) trait FromWords {
    /// How many of the words it has used.
    fn run(self, words: &[u64]) -> usize;
}

struct Shown<'a, W> {
    words: &'a [u64],
    work: W,
    taken: &'a mut usize,
}

impl<W: FromWords> Wide for Shown<'_, W> {
    #[inline(always)]
    fn run(self) {
        *self.taken = self.work.run(self.words);
    }
}

impl Drop for Bits {
    fn drop(&mut self) {
        self.spare.zeroize();
    }
}

/// Writes the keystream into words.
struct Fill<'a>(&'a mut [u64]);

impl BlockSizeUser for Fill<'_> {
    type BlockSize = U16;
}

impl StreamCipherClosure for Fill<'_> {
    #[inline(always)]
    fn call<B: StreamCipherBackend<BlockSize = U16>>(self, backend: &mut B) {
        let mut blocks = ParBlocks::<B>::default();
        let mut runs = self.0.chunks_exact_mut(2 * blocks.len());
        for run in &mut runs {
            backend.gen_par_ks_blocks(&mut blocks);
            for (words, block) in run.chunks_exact_mut(2).zip(&blocks) {
                split(words, &block.0);
            }
        }
        for (words, block) in runs.into_remainder().chunks_mut(2).zip(&mut blocks) {
            backend.gen_ks_block(block);
            split(words, &block.0);
        }
        for block in &mut blocks {
            block.zeroize();
        }
    }
}

/// The two words of a block, least byte first.
#[inline(always)]
fn split(words: &mut [u64], block: &[u8; 16]) {
    for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_keystream() {
        let mut bits = Bits::new(&[7; 32], "test");
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &[7; 32]).expand(b"secagg/1 privacy test", &mut key).unwrap();
        let bytes = Keystream::new(&key).bytes(16 * WORDS);
        for expected in bytes.as_chunks::<8>().0 {
            assert_eq!(bits.word(), u64::from_le_bytes(*expected));
        }
    }

    #[test]
    fn purposes_and_seeds_do_not_meet() {
        let first = |seed: u8, purpose| Bits::new(&[seed; 32], purpose).word();
        assert_ne!(first(1, "rounding"), first(1, "noise"));
        assert_ne!(first(1, "noise"), first(0, "noise"));
        assert_ne!(
            first(1, "noise"),
            u64::from_le_bytes(Keystream::new(&[1; 32]).bytes(8).try_into().unwrap())
        );
    }

    /// How often, of 2^20 times.
    fn count(mut draw: impl FnMut() -> bool) -> f64 {
        (0..1 << 20).filter(|_| draw()).count() as f64
    }

    fn near(found: f64, probability: f64) {
        let (draws, mean) = (f64::exp2(20.0), f64::exp2(20.0) * probability);
        let deviation = (draws * probability * (1.0 - probability)).sqrt();
        assert!((found - mean).abs() <= 5.0 * deviation, "{found} of {mean} ± {deviation}");
    }

    #[test]
    fn chances_are_what_they_say() {
        let mut bits = Bits::new(&[1; 32], "test");
        assert_eq!(count(|| bits.chance(0, 5)), 0.0);
        assert_eq!(count(|| bits.chance(5, 5)), f64::exp2(20.0));
        near(count(|| bits.chance(1, 3)), 1.0 / 3.0);
        near(count(|| bits.chance(u64::MAX / 2, u64::MAX)), 0.5);
        for (numerator, denominator) in [(0, 1), (1, 1), (1, 10), (7, 2)] {
            let probability = (-(numerator as f64) / denominator as f64).exp();
            near(count(|| bits.exp_minus(numerator, denominator)), probability);
        }
        near(count(|| bits.bit()), 0.5);
        near(count(|| bits.below(3) == 2), 1.0 / 3.0);
        near(count(|| bits.below((1 << 63) + 1) < 1 << 62), 0.5);
        assert_eq!(bits.below(1), 0);
    }
}
