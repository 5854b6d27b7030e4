//! The rotation that flattens a vector before it is rounded: random signs, then the Walsh–Hadamard transform
//! over the root of the dimension (Kairouz, Liu, Steinke 2021, algorithm 1). Norms are kept.

use super::bits::Bits;

/// A rotation, the same for all clients of a round, from a public seed that is fresh in every round and
/// independent of the inputs.
///
/// The guarantee does not depend on it: a bad rotation costs accuracy, by wraps, and no privacy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    seed: [u8; 32],
}

impl Rotation {
    /// From a public seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    /// Rotates a vector whose length is a power of two.
    pub(super) fn apply(&self, vector: &mut [f64]) {
        self.flip(vector);
        transform(vector);
    }

    /// Undoes [`Rotation::apply`].
    pub(super) fn undo(&self, vector: &mut [f64]) {
        transform(vector);
        self.flip(vector);
    }

    /// Which of the first coordinates are negated.
    pub(crate) fn signs(&self, count: usize) -> Vec<bool> {
        let mut bits = Bits::new(&self.seed, "rotation");
        (0..count).map(|_| bits.bit()).collect()
    }

    /// A sign is a bit: there is no third value to zero a coordinate.
    fn flip(&self, vector: &mut [f64]) {
        let mut bits = Bits::new(&self.seed, "rotation");
        for value in vector {
            if bits.bit() {
                *value = -*value;
            }
        }
    }
}

/// Values of a block that is transformed to its end before the next is begun, so that it stays in the cache.
const BLOCK: usize = 1 << 12;

/// The Walsh–Hadamard transform over the root of the length, its own inverse.
fn transform(vector: &mut [f64]) {
    let scale = 1.0 / (vector.len() as f64).sqrt();
    for block in vector.chunks_mut(BLOCK) {
        butterflies(block, 1);
    }
    butterflies(vector, BLOCK);
    for value in vector {
        *value *= scale;
    }
}

/// The passes from stride `first` on: sums and differences of values that are so far apart.
fn butterflies(vector: &mut [f64], first: usize) {
    let mut stride = first;
    while stride < vector.len() {
        for pair in vector.chunks_exact_mut(2 * stride) {
            let (low, high) = pair.split_at_mut(stride);
            for (one, other) in low.iter_mut().zip(high) {
                (*one, *other) = (*one + *other, *one - *other);
            }
        }
        stride *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(length: usize) -> Vec<f64> {
        (0..length).map(|at| ((at * 7919 + 13) % 101) as f64 - 50.0).collect()
    }

    fn norm(vector: &[f64]) -> f64 {
        vector.iter().map(|value| value * value).sum::<f64>().sqrt()
    }

    #[test]
    fn the_transform_is_hadamards() {
        let mut rotated = vector(16);
        transform(&mut rotated);
        for (row, found) in rotated.iter().enumerate() {
            let sign = |column: usize| if (row & column).count_ones() % 2 == 1 { -1.0 } else { 1.0 };
            let expected: f64 = vector(16).iter().enumerate().map(|(column, x)| sign(column) * x / 4.0).sum();
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn rotations_keep_norms_and_are_undone() {
        for log in [0, 1, 5, 12, 13, 15] {
            let (before, rotation) = (vector(1 << log), Rotation::new([8; 32]));
            let mut after = before.clone();
            rotation.apply(&mut after);
            assert!((norm(&after) / norm(&before) - 1.0).abs() < 1e-12);
            rotation.undo(&mut after);
            assert!(before.iter().zip(&after).all(|(one, other)| (one - other).abs() < 1e-10), "2^{log}");
        }
    }

    #[test]
    fn spikes_are_flattened_and_signs_are_never_zero() {
        let mut spike = vec![0.0; 1024];
        spike[3] = 32.0;
        Rotation::new([1; 32]).apply(&mut spike);
        assert!(spike.iter().all(|value| value.abs() == 1.0));
        let mut ones = vec![1.0; 1 << 12];
        Rotation::new([1; 32]).flip(&mut ones);
        let negative = ones.iter().filter(|&&value| value == -1.0).count();
        assert!(ones.iter().all(|value| value.abs() == 1.0) && negative.abs_diff(1 << 11) < 200);
        let mut others = vec![1.0; 1 << 12];
        Rotation::new([2; 32]).flip(&mut others);
        assert_ne!(ones, others);
    }
}
