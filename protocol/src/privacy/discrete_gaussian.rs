//! Draws of N_Z(0, σ²), exact and in integer arithmetic only (Canonne, Kamath, Steinke 2020, definition 1).
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use super::Variance;
use super::bits::{Bits, FromWords};
use super::law::Law;
use super::table::Table;

/// A discrete Gaussian of given σ², ready to be drawn from.
///
/// Up to σ = 256 by a table of the distribution function of |X|, of which one random word decides nearly always
/// and more are drawn until the draw is decided, however deep; above, in two levels whose speed does not depend
/// on σ.
///
/// # Security
/// Draw the noise before the input is at hand, so that the time it takes tells nothing about their sum.
///
/// Up to σ = 4 time and memory accesses do not depend on what is drawn: every word is compared with every threshold,
/// and the results are added and not branched on. The exception is a word whose first 31 bits equal a threshold's, once
/// in 2²⁶ draws or less: then more bits are compared, with all thresholds again, and once in 2⁵⁷ draws a deeper table is
/// read. A zero is drawn in the same steps as any other value, and its sign is drawn too and has no effect. Above σ = 4
/// tables are entered at an index that depends on the draw, and above 256 draws are also rejected, which does not depend
/// on what is accepted.
#[derive(Clone, Debug)]
pub struct GaussianNoise {
    variance: Variance,
    /// The law of |X|, or of its multiples of `coarse` from below if that is not 1.
    table: Table,
    coarse: u64,
}

/// σ from which on two levels are used.
const LARGE: u64 = 256;

/// Standard deviations of the first level of two, in its own units.
const FIRST_LEVEL: u64 = 32;

impl GaussianNoise {
    /// Computes the table: up to some tens of milliseconds at the largest σ of one level.
    pub fn new(variance: Variance) -> Self {
        let sigma = (variance.units() / Variance::ONE).isqrt();
        let coarse = if sigma < LARGE { 1 } else { sigma / FIRST_LEVEL };
        // m² · coarse² / 2σ², where σ² is units / 2^16.
        let (numerator, denominator) = (coarse * coarse * (Variance::ONE / 2), variance.units());
        let table = Table::new(Law::Gaussian { numerator, denominator, doubled: coarse == 1 });
        Self { variance, table, coarse }
    }

    /// The parameter σ².
    pub fn variance(&self) -> Variance {
        self.variance
    }

    /// `count` independent draws, which follow from the seed.
    ///
    /// The seed is used for nothing else: the same seed gives the same noise.
    pub fn draw(&self, seed: &[u8; 32], count: usize) -> Vec<i64> {
        let mut draws = vec![0; count];
        self.draw_into(seed, &mut draws);
        draws
    }

    /// As [`GaussianNoise::draw`], into memory that is there.
    pub fn draw_into(&self, seed: &[u8; 32], draws: &mut [i64]) {
        let mut bits = Bits::new(seed, "discrete gaussian");
        if self.coarse != 1 {
            draws.iter_mut().for_each(|draw| *draw = self.of_two_levels(&mut bits));
        } else if self.table.is_scanned() {
            self.table.draw_all(&mut bits, draws);
            let mut rest = draws;
            while !rest.is_empty() {
                let signed = 64 * bits.take_widely(Signs(rest));
                rest = rest.get_mut(signed..).unwrap_or_default();
            }
        } else {
            draws.iter_mut().for_each(|draw| *draw = signed(self.table.draw(&mut bits), bits.bit()));
        }
    }

    #[inline]
    fn of_two_levels(&self, bits: &mut Bits) -> i64 {
        loop {
            if let Some(drawn) = self.attempt(bits) {
                return drawn;
            }
        }
    }

    /// A distance y = Kx + u, where x has the law exp(−K²x²/2σ²) and u is uniform below K, is accepted with
    /// probability exp(−u(2Kx + u)/2σ²): then y has the law exp(−y²/2σ²). A negative zero is refused, lest zero
    /// come twice as often.
    #[inline]
    fn attempt(&self, bits: &mut Bits) -> Option<i64> {
        let base = self.coarse * self.table.draw(bits);
        let beyond = bits.below(self.coarse);
        let exponent = u128::from(beyond) * u128::from(2 * base + beyond) * u128::from(Variance::ONE / 2);
        let accepted = bits.exp_minus(exponent, self.variance.units());
        let negative = bits.bit();
        let distance = base + beyond;
        (accepted && !(negative && distance == 0)).then(|| signed(distance, negative))
    }
}

/// Gives distances their signs, 64 by each word.
struct Signs<'a>(&'a mut [i64]);

impl FromWords for Signs<'_> {
    #[inline(always)]
    fn run(self, words: &[u64]) -> usize {
        // Shifts by a variable number do not fit into vector registers.
        let single: [u64; 64] = std::array::from_fn(|at| 1 << at);
        let some = self.0.chunks_mut(64).zip(words);
        some.map(|(distances, signs)| {
            for (distance, bit) in distances.iter_mut().zip(&single) {
                *distance = signed(*distance as u64, signs & bit != 0);
            }
        })
        .count()
    }
}

/// The distance or its opposite, without a branch on either.
#[inline(always)]
fn signed(distance: u64, negative: bool) -> i64 {
    let flip = -i64::from(negative);
    (distance as i64 ^ flip) - flip
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(sigma: f64) -> GaussianNoise {
        GaussianNoise::new(Variance::at_least(sigma).unwrap())
    }

    #[test]
    fn draws_follow_from_the_seed() {
        for sigma in [1.3, 30.0, 5000.0] {
            let sampler = sampler(sigma);
            assert_eq!(sampler.draw(&[1; 32], 100), sampler.draw(&[1; 32], 100));
            assert_ne!(sampler.draw(&[1; 32], 100), sampler.draw(&[2; 32], 100));
            assert_ne!(sampler.draw(&[0; 32], 100), sampler.draw(&[1; 32], 100), "a seed of zeros is a seed");
        }
    }

    #[test]
    fn the_smallest_and_largest_are_drawn() {
        for variance in [Variance::LEAST, Variance::GREATEST] {
            let drawn = GaussianNoise::new(variance).draw(&[4; 32], 10_000);
            let squares: f64 = drawn.iter().map(|&x| (x as f64).powi(2)).sum::<f64>() / 1e4;
            // At σ = ½ the variance is 0.215, for the law is discrete.
            let expected = if variance == Variance::LEAST { 0.215 } else { variance.sigma().powi(2) };
            assert!((squares / expected - 1.0).abs() < 0.1, "{squares} {expected}");
        }
    }

    #[test]
    fn both_sides_of_the_change_to_two_levels_agree() {
        let spread = |sigma: f64| {
            let drawn = sampler(sigma).draw(&[6; 32], 1 << 18);
            (drawn.iter().map(|&x| (x as f64).powi(2)).sum::<f64>() / f64::exp2(18.0)).sqrt() / sigma
        };
        let (one, two) = (sampler(255.9), sampler(256.0));
        assert_eq!((one.coarse, two.coarse), (1, 8));
        assert!((spread(255.9) - 1.0).abs() < 0.007 && (spread(256.0) - 1.0).abs() < 0.007);
    }

    #[test]
    fn signs_are_applied_to_all() {
        assert_eq!((signed(5, false), signed(5, true), signed(0, true)), (5, -5, 0));
    }
}
