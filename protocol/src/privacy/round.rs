//! From the input grid into the ring and back, in integer arithmetic only (Kairouz, Liu, Steinke 2021,
//! algorithms 1 and 2).
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use zeroize::Zeroizing;

use super::PrivacyError;
use super::bits::Bits;

/// Bits of fraction of the input grid: scaled coordinates are whole multiples of 2⁻²⁴.
pub(super) const GRID_BITS: u32 = 24;

/// Roundings that are tried before a vector is refused. Each succeeds with a probability of at least 1 − β; at
/// β = 0.99 all of them fail once in 10⁴⁴ times.
const ATTEMPTS: u32 = 10_000;

/// Rounds every coordinate to one of its two neighbours, in the mean to itself, and the whole vector anew until
/// the sum of squares is at most `greatest`.
///
/// The condition holds for the vector as a whole and is checked on the integers that are sent, so that whatever
/// came before, in floating point, cannot break the bound that was accounted.
///
/// # Security
/// The number of attempts depends on the input, slightly. It must not be told to anybody.
///
/// # Errors
/// No rounding within the bound: the vector is longer than the clip.
pub(super) fn conditionally(grid: &[i64], greatest: u128, seed: &[u8; 32]) -> Result<Vec<i64>, PrivacyError> {
    let mut bits = Bits::new(seed, "rounding");
    for _ in 0..ATTEMPTS {
        // One that is not taken is nearly the input too.
        let mut rounded = Zeroizing::new(stochastically(grid, &mut bits));
        if sum_of_squares(&rounded) <= greatest {
            return Ok(std::mem::take(&mut *rounded));
        }
    }
    Err(PrivacyError::TooLong { attempts: ATTEMPTS })
}

/// One rounding of each coordinate: down, or up with the probability that its fraction is.
fn stochastically(grid: &[i64], bits: &mut Bits) -> Vec<i64> {
    let mut rounded = Vec::with_capacity(grid.len());
    // Two coordinates share a word: bits 0 to 23 and bits 32 to 55.
    for pair in grid.chunks(2) {
        let word = bits.word();
        for (value, word) in pair.iter().zip([word, word >> 32]) {
            let drawn = (word & FRACTION) as i64;
            let up = drawn < value & FRACTION as i64;
            rounded.push((value >> GRID_BITS) + i64::from(up));
        }
    }
    rounded
}

const FRACTION: u64 = (1 << GRID_BITS) - 1;

/// Saturates instead of overflowing: a sum beyond 128 bits exceeds every bound.
fn sum_of_squares(values: &[i64]) -> u128 {
    let square = |value: &i64| u128::from(value.unsigned_abs()).pow(2);
    values.iter().map(square).fold(0, u128::saturating_add)
}

/// Adds the noise and takes what is left modulo 2^bits. No sum overflows: 2^bits divides 2^64.
pub(super) fn wrap(rounded: &[i64], noise: &[i64], bits: u8) -> Vec<u64> {
    let ones = (1u64 << bits) - 1;
    rounded.iter().zip(noise).map(|(value, noise)| value.wrapping_add(*noise) as u64 & ones).collect()
}

/// What is left of integers modulo 2^bits.
pub(super) fn reduce(values: &[i64], bits: u8) -> Vec<u64> {
    let ones = (1u64 << bits) - 1;
    values.iter().map(|&value| value as u64 & ones).collect()
}

/// The representative of a ring element from −2^(bits−1) to below 2^(bits−1).
pub(super) fn centre(element: u64, bits: u8) -> i64 {
    let above = 64 - u32::from(bits);
    ((element << above) as i64) >> above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roundings_are_neighbours_and_right_in_the_mean() {
        let one = 1i64 << GRID_BITS;
        for value in [0, 1, one / 4, one / 2, one - 1, one, -1, -one / 3, -5 * one - one / 8] {
            let mut bits = Bits::new(&[1; 32], "rounding");
            let rounded = stochastically(&vec![value; 1 << 16], &mut bits);
            let floor = value.div_euclid(one);
            assert!(rounded.iter().all(|&r| r == floor || (r == floor + 1 && value.rem_euclid(one) != 0)));
            let mean = rounded.iter().sum::<i64>() as f64 / 65536.0;
            assert!((mean - value as f64 / one as f64).abs() < 5.0 * 0.5 / 256.0, "{value} {mean}");
        }
    }

    #[test]
    fn the_bound_is_kept_by_the_whole_vector() {
        let half = 1i64 << (GRID_BITS - 1);
        let grid = vec![half; 100];
        // Each coordinate becomes 0 or 1: the sum of squares is binomial of mean 50.
        for greatest in [45, 50, 100] {
            for seed in 0..20 {
                let rounded = conditionally(&grid, greatest, &[seed; 32]).unwrap();
                assert!(sum_of_squares(&rounded) <= greatest);
            }
        }
        assert_eq!(conditionally(&grid, 10, &[0; 32]), Err(PrivacyError::TooLong { attempts: ATTEMPTS }));
        let long = [i64::MIN, i64::MAX];
        assert!(sum_of_squares(&long) > 1 << 120);
        assert!(conditionally(&long, 1 << 70, &[0; 32]).is_err());
    }

    #[test]
    fn roundings_are_the_clients_own() {
        let grid = vec![1i64 << (GRID_BITS - 1); 64];
        assert_ne!(conditionally(&grid, 64, &[1; 32]), conditionally(&grid, 64, &[2; 32]));
    }

    #[test]
    fn wrapping_and_centring_undo_each_other() {
        for bits in [1u8, 2, 8, 16, 32, 62] {
            let (least, greatest) = (-1i64 << (bits - 1), (1i64 << (bits - 1)) - 1);
            for value in [least, greatest, 0, -1] {
                let value = value.clamp(least, greatest);
                assert_eq!(centre(wrap(&[value], &[0], bits)[0], bits), value, "{bits}");
            }
            // One beyond either end comes back at the other.
            assert_eq!(centre(wrap(&[greatest], &[1], bits)[0], bits), least);
            assert_eq!(centre(wrap(&[least], &[-1], bits)[0], bits), greatest);
        }
        // Sums of any size reduce to the same element.
        assert_eq!(
            wrap(&[i64::MAX], &[i64::MAX], 16),
            [(2 * i128::from(i64::MAX)).rem_euclid(1 << 16) as u64]
        );
        assert_eq!(wrap(&[i64::MIN], &[-3], 16), [(i128::from(i64::MIN) - 3).rem_euclid(1 << 16) as u64]);
    }
}
