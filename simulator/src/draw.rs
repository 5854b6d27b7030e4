//! Everything that is random in a run, as a function of its seed.
//!
//! A draw depends on the seed, the session, what it is for and the client, and on nothing else: neither the order in
//! which clients are looked at nor another kind of fault changes it.

use sha2::{Digest, Sha256};

/// What a draw is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Purpose {
    /// Rates, latency and loss of a device.
    Link,
    /// Packets of the emulated network that are late.
    Latency = 2,
    /// Packets of the emulated network that are lost.
    Loss,
    ComputeClass,
    ComputeFactor,
    Training,
    Straggler,
    Fate,
    Moment,
    Fraction,
    Region,
    Absence,
    Selection,
    Retransmission,
    Values,
    Adversary,
    Design,
}

/// 32 bytes for one purpose.
pub(crate) fn bytes(seed: u64, session: u64, purpose: &str, client: u32) -> [u8; 32] {
    let mut state = Sha256::new();
    state.update(b"secagg-simulator\0");
    state.update(seed.to_be_bytes());
    state.update(session.to_be_bytes());
    state.update(client.to_be_bytes());
    state.update(purpose);
    state.finalize().into()
}

/// The draws of all clients for one purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    /// `salt` tells apart what has the same purpose: the round, or the number of a rule.
    pub(crate) fn new(seed: u64, session: u64, purpose: Purpose, salt: u64) -> Self {
        let key = mix(seed ^ mix(session ^ mix(purpose as u64 ^ mix(salt))));
        Self(key)
    }

    /// 64 bits for a client.
    #[inline(always)]
    pub(crate) fn bits(self, client: u32) -> u64 {
        mix(self.0.wrapping_add((u64::from(client) + 1).wrapping_mul(GOLDEN)))
    }

    /// A number from 0 up to 1, to 53 bits.
    #[inline(always)]
    pub(crate) fn unit(self, client: u32) -> f64 {
        (self.bits(client) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether [`Draws::unit`] is below a share.
    #[inline(always)]
    pub(crate) fn hits(self, client: u32, Share(share): Share) -> bool {
        self.bits(client) >> 11 < share
    }
}

/// A share of all draws, in 2⁻⁵³: what draws are compared with, without converting each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(u64);

impl Share {
    /// Of a number from 0 to 1.
    pub(crate) fn new(share: f64) -> Self {
        Self((share * (1u64 << 53) as f64).ceil() as u64)
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014).
#[inline(always)]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A fast generator of numbers (splitmix64), for inputs; nothing secret comes from it.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        let number = mix(self.0);
        self.0 = self.0.wrapping_add(GOLDEN);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_purposes_differ() {
        let draws = Draws::new(1, 0, Purpose::Fate, 0);
        let below = (0..100_000).filter(|&client| draws.unit(client) < 0.1).count();
        assert!((9_700..10_300).contains(&below), "{below}");
        assert!((0..10_000).all(|client| draws.hits(client, Share::new(0.1)) == (draws.unit(client) < 0.1)));
        let other = Draws::new(1, 0, Purpose::Fate, 1);
        let both =
            (0..100_000).filter(|&client| draws.unit(client) < 0.1 && other.unit(client) < 0.1).count();
        assert!((850..1150).contains(&both), "{both}");
    }
}
