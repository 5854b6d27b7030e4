//! One seed for the whole run, one generator for each purpose.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Makes the generator for one purpose of a run.
///
/// The same seed, purpose and indices (such as round and client) give the same stream on every
/// machine; any difference gives an unrelated one. So a run that draws more numbers for one purpose
/// does not move another. For the demonstration's choices only, never for keys: the seed has 64 bits.
pub fn generator(seed: u64, purpose: &str, indices: &[u64]) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update((purpose.len() as u64).to_le_bytes());
    hash.update(purpose);
    for index in indices {
        hash.update(index.to_le_bytes());
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn a_stream_depends_on_seed_purpose_and_indices_only() {
        let first = |seed, purpose, indices: &[u64]| generator(seed, purpose, indices).next_u64();
        let reference = first(1, "train", &[3, 4]);
        assert_eq!(first(1, "train", &[3, 4]), reference);
        assert_ne!(first(2, "train", &[3, 4]), reference);
        assert_ne!(first(1, "drop", &[3, 4]), reference);
        assert_ne!(first(1, "train", &[4, 3]), reference);
    }
}
