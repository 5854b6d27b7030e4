//! The keystream behind masks, graphs and polynomials: AES-128 in counter mode (spec §3.4).

use aes::Aes128Enc;
use aes::cipher::consts::U16;
use aes::cipher::{
    Array, Block, BlockSizeUser, InnerIvInit, KeyInit, StreamCipherBackend, StreamCipherClosure,
    StreamCipherCore,
};
use ctr::{CtrCore, flavors::Ctr128BE};
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
        let counter = self.counter.wrapping_add(u128::from(from)).to_be_bytes();
        CtrCore::<&Aes128Enc, Ctr128BE>::inner_iv_init(&self.cipher, &Array::from(counter))
            .process_with_backend(closure);
    }

    /// The first `len` bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self, len: usize) -> Vec<u8> {
        let mut reader = Bytes::new(self);
        (0..len).map(|_| reader.array::<1>()[0]).collect()
    }
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
