//! Everything random in a run, as functions of its seed.

use sha2::{Digest, Sha256};

/// 32 bytes for one purpose and one client.
pub(crate) fn bytes(seed: u64, purpose: &str, client: u32) -> [u8; 32] {
    let mut state = Sha256::new();
    state.update(b"secagg-simulator\0");
    state.update(seed.to_be_bytes());
    state.update(client.to_be_bytes());
    state.update(purpose);
    state.finalize().into()
}

/// A fast generator of numbers (splitmix64), for inputs and fates; nothing secret comes from it.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64, purpose: &str, client: u32) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = bytes(seed, purpose, client);
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with this probability, to 53 bits.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        ((self.next() >> 11) as f64) < probability * (1u64 << 53) as f64
    }
}
