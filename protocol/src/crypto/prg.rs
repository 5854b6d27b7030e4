//! The keystream behind masks, graphs and polynomials: AES-128 in counter mode (spec §3.4).

use aes::Aes128Enc;
use aes::cipher::consts::U16;
use aes::cipher::{
    Array, Block, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
    ParBlocks, ParBlocksSizeUser, StreamCipherBackend, StreamCipherClosure,
};
use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroize;

/// A keystream that can be entered at any block.
pub(crate) struct Keystream {
    cipher: Aes128Enc,
    counter: u128,
}

impl Keystream {
    /// The keystream of 16 bytes of key and the 16 bytes of the first counter block.
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let (key, counter) = seed.split_at(16);
        let mut first = [0; 16];
        first.copy_from_slice(counter);
        let mut key = Array::try_from(key).unwrap_or_default();
        let cipher = Aes128Enc::new(&key);
        key.zeroize();
        Self { cipher, counter: u128::from_be_bytes(first) }
    }

    /// Feeds the keystream from block `from` on into the closure.
    pub(crate) fn process(&self, from: u64, closure: impl StreamCipherClosure<BlockSize = U16>) {
        let counter = self.counter.wrapping_add(u128::from(from));
        self.cipher.encrypt_with_backend(CounterMode { counter, closure });
    }

    /// Does work with the widest registers of this machine that the cipher's code is compiled for: the compiler takes
    /// work that is always inlined into that code.
    pub(crate) fn widely(&self, work: impl Wide) {
        self.cipher.encrypt_with_backend(Widely(work));
    }

    /// The first `len` bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self, len: usize) -> Vec<u8> {
        let mut reader = Bytes::new(self);
        (0..len).map(|_| reader.array::<1>()[0]).collect()
    }
}

/// The first counter block is half of the seed.
impl Drop for Keystream {
    fn drop(&mut self) {
        self.counter.zeroize();
    }
}

/// Counter mode with a big-endian counter of 128 bits.
///
/// The `ctr` crate gives the same bytes, but makes the counters of a run one by one, which takes longer than to
/// encrypt them; made like this they are a few vector additions.
struct CounterMode<C> {
    counter: u128,
    closure: C,
}

impl<C> BlockSizeUser for CounterMode<C> {
    type BlockSize = U16;
}

impl<C: StreamCipherClosure<BlockSize = U16>> BlockCipherEncClosure for CounterMode<C> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, cipher: &B) {
        self.closure.call(&mut Counting { counter: self.counter, cipher });
    }
}

struct Counting<'a, B> {
    counter: u128,
    cipher: &'a B,
}

impl<B> BlockSizeUser for Counting<'_, B> {
    type BlockSize = U16;
}

impl<B: ParBlocksSizeUser> ParBlocksSizeUser for Counting<'_, B> {
    type ParBlocksSize = B::ParBlocksSize;
}

impl<B: BlockCipherEncBackend<BlockSize = U16>> StreamCipherBackend for Counting<'_, B> {
    #[inline(always)]
    fn gen_ks_block(&mut self, block: &mut Block<Self>) {
        block.0 = self.counter.to_be_bytes();
        self.counter = self.counter.wrapping_add(1);
        self.cipher.encrypt_block(block.into());
    }

    #[inline(always)]
    fn gen_par_ks_blocks(&mut self, blocks: &mut ParBlocks<Self>) {
        // The last byte counts by itself; once it has wrapped, the others are those of the counter 256 later.
        let [before, after] = [0, 256].map(|ahead| halves(self.counter.wrapping_add(ahead)));
        let wraps = 256 - (self.counter & 0xff) as u64;
        self.counter = self.counter.wrapping_add(blocks.len() as u128);
        for (step, block) in (0..).zip(blocks.iter_mut()) {
            let [high, low] = if step < wraps { before } else { after };
            let (out, _) = block.as_chunks_mut();
            for (out, half) in out.iter_mut().zip([high, low.wrapping_add(step << 56)]) {
                *out = half.to_le_bytes();
            }
        }
        self.cipher.encrypt_par_blocks(blocks.into());
    }
}

/// Work on arrays, whose `run` is to be `#[inline(always)]`.
pub(crate) trait Wide {
    fn run(self);
}

struct Widely<W>(W);

impl<W> BlockSizeUser for Widely<W> {
    type BlockSize = U16;
}

impl<W: Wide> BlockCipherEncClosure for Widely<W> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, _: &B) {
        self.0.run();
    }
}

/// The two halves of a counter block, so read that the last byte of the block is the greatest of the second.
fn halves(counter: u128) -> [u64; 2] {
    [(counter >> 64) as u64, counter as u64].map(u64::swap_bytes)
}

/// Reads a keystream from its beginning, a few bytes at a time.
pub(crate) struct Bytes<'a> {
    keystream: &'a Keystream,
    next_block: u64,
    block: [u8; 16],
    used: usize,
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(keystream: &'a Keystream) -> Self {
        Self { keystream, next_block: 0, block: [0; 16], used: 16 }
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for byte in &mut out {
            if self.used == self.block.len() {
                self.keystream.process(self.next_block, OneBlock(&mut self.block));
                self.next_block += 1;
                self.used = 0;
            }
            *byte = self.block.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
        out
    }

    /// A uniform number below `bound` (at least 1), by rejection from 32 bits (spec §3.4).
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let rejected_from = (1u64 << 32) / u64::from(bound) * u64::from(bound);
        loop {
            let drawn = u32::from_le_bytes(self.array());
            if u64::from(drawn) < rejected_from {
                return drawn % bound;
            }
        }
    }

    /// A uniform scalar: 64 bytes modulo ℓ.
    pub(crate) fn scalar(&mut self) -> Scalar {
        let mut wide = self.array::<64>();
        let scalar = Scalar::from_bytes_mod_order_wide(&wide);
        wide.zeroize();
        scalar
    }
}

impl Drop for Bytes<'_> {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

struct OneBlock<'a>(&'a mut [u8; 16]);

impl BlockSizeUser for OneBlock<'_> {
    type BlockSize = U16;
}

impl StreamCipherClosure for OneBlock<'_> {
    fn call<B: StreamCipherBackend<BlockSize = U16>>(self, backend: &mut B) {
        let mut block = Block::<B>::default();
        backend.gen_ks_block(&mut block);
        self.0.copy_from_slice(&block);
        block.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use aes::cipher::{KeyIvInit, StreamCipher};
    use proptest::prelude::*;

    use super::*;

    /// Runs of blocks and then single ones.
    struct Runs(Vec<u8>);

    impl BlockSizeUser for &mut Runs {
        type BlockSize = U16;
    }

    impl StreamCipherClosure for &mut Runs {
        fn call<B: StreamCipherBackend<BlockSize = U16>>(self, backend: &mut B) {
            let mut blocks = ParBlocks::<B>::default();
            for _ in 0..300usize.div_ceil(blocks.len()) {
                backend.gen_par_ks_blocks(&mut blocks);
                self.0.extend_from_slice(Array::slice_as_flattened(&blocks));
            }
            for block in &mut blocks {
                backend.gen_ks_block(block);
                self.0.extend_from_slice(block);
            }
        }
    }

    fn assert_is_ctr(key: [u8; 16], counter: u128, from: u64) {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&key);
        seed[16..].copy_from_slice(&counter.to_be_bytes());
        let mut runs = Runs(Vec::new());
        Keystream::new(&seed).process(from, &mut runs);
        let mut expected = vec![0; runs.0.len()];
        let first = counter.wrapping_add(u128::from(from)).to_be_bytes();
        ctr::Ctr128BE::<aes::Aes128>::new(&key.into(), &first.into()).apply_keystream(&mut expected);
        assert!(runs.0 == expected);
    }

    proptest! {
        #[test]
        fn keystream_is_that_of_the_ctr_crate(key: [u8; 16], counter: u128, from: u64) {
            assert_is_ctr(key, counter, from);
        }

        #[test]
        fn every_carry_is_right(key: [u8; 16], before in 0u128..600, byte in 0u32..16) {
            assert_is_ctr(key, u128::MAX.checked_shl(8 * byte).unwrap_or(0).wrapping_sub(before), 0);
            assert_is_ctr(key, (1u128 << (8 * byte)).wrapping_sub(before), 1);
        }
    }
}
