//! The raw AES-128-CTR keystream of the `aes` and `ctr` crates: what masks are measured against.
#![allow(dead_code, unreachable_pub, reason = "shared by the benchmarks, each of which uses its part")]

use std::hint::black_box;

use aes::Aes128Enc;
use aes::cipher::consts::U16;
use aes::cipher::{
    Array, BlockSizeUser, InnerIvInit, KeyInit, ParBlocks, StreamCipherBackend, StreamCipherClosure,
    StreamCipherCore,
};
use ctr::{CtrCore, flavors::Ctr128BE};

type Ctr<'a> = CtrCore<&'a Aes128Enc, Ctr128BE>;

/// A cipher with a fixed key.
pub fn cipher() -> Aes128Enc {
    Aes128Enc::new(&Array::from([7; 16]))
}

fn at_zero(cipher: &Aes128Enc) -> Ctr<'_> {
    Ctr::inner_iv_init(cipher, &Array::from([0xfe; 16]))
}

/// Makes `bytes` of keystream, as many blocks a call as the cipher likes, each left on the stack.
pub fn blocks(cipher: &Aes128Enc, bytes: usize) {
    at_zero(cipher).process_with_backend(Blocks(bytes / 16));
}

/// Encrypts a buffer that stays in the cache, over and over, until `bytes` are done.
pub fn apply(cipher: &Aes128Enc, buffer: &mut [u8], bytes: usize) {
    for_each_buffer(cipher, buffer, bytes, |core, blocks| core.apply_keystream_blocks(blocks));
}

/// Writes the keystream to a buffer that stays in the cache, over and over, until `bytes` are done.
pub fn write(cipher: &Aes128Enc, buffer: &mut [u8], bytes: usize) {
    for_each_buffer(cipher, buffer, bytes, |core, blocks| core.write_keystream_blocks(blocks));
}

fn for_each_buffer(
    cipher: &Aes128Enc,
    buffer: &mut [u8],
    bytes: usize,
    work: impl Fn(&mut Ctr<'_>, &mut [Array<u8, U16>]),
) {
    let mut core = at_zero(cipher);
    for _ in 0..bytes / buffer.len() {
        let (blocks, _) = Array::slice_as_chunks_mut(&mut *buffer);
        work(&mut core, blocks);
        black_box(&mut *buffer);
    }
}

struct Blocks(usize);

impl BlockSizeUser for Blocks {
    type BlockSize = U16;
}

impl StreamCipherClosure for Blocks {
    #[inline(always)]
    fn call<B: StreamCipherBackend<BlockSize = U16>>(self, backend: &mut B) {
        let mut blocks = ParBlocks::<B>::default();
        for _ in 0..self.0 / blocks.len() {
            backend.gen_par_ks_blocks(&mut blocks);
            black_box(&mut blocks);
        }
    }
}
