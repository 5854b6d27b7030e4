//! Two loops over the scalar field with delayed reduction: the hot path of sharing and reconstruction.
//!
//! `curve25519-dalek` reduces after every multiplication; here a polynomial is evaluated at a small point with
//! one partial reduction a step, and a dot product reduces once in 32 terms. Neither branches on a value.

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroize;

/// ℓ = 2^252 + δ, the order of the group, in limbs of 64 bits, least first.
const ORDER: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];

/// Terms of a dot product whose sum of products stays below 2^512: 32 · (2^253)^2 = 2^511.
const TERMS: usize = 32;

/// The value at `point` of the polynomial with these coefficients, the constant one first.
pub(crate) fn evaluate(coefficients: &[Scalar], point: u32) -> Scalar {
    let mut sum = [0; 4];
    for coefficient in coefficients.iter().rev() {
        sum = multiply_add(sum, point, limbs(coefficient));
    }
    let value = Scalar::from_bytes_mod_order(from_limbs(sum));
    sum.zeroize();
    value
}

/// Σ aᵢ·bᵢ over the shorter of the two.
pub(crate) fn dot(a: &[Scalar], b: &[Scalar]) -> Scalar {
    a.chunks(TERMS).zip(b.chunks(TERMS)).map(|(a, b)| short_dot(a, b)).sum()
}

/// `sum·point + term` modulo ℓ, below 2^254 if `sum` is; `term` is below ℓ.
fn multiply_add(sum: [u64; 4], point: u32, term: [u64; 4]) -> [u64; 4] {
    let mut carry = 0u128;
    let mut wide = [0u64; 4];
    for ((out, limb), term) in wide.iter_mut().zip(sum).zip(term) {
        carry += u128::from(limb) * u128::from(point) + u128::from(term);
        *out = carry as u64;
        carry >>= 64;
    }
    // The value is below 2^287. With high·2^252 + low it is low − high·δ modulo ℓ, and low + ℓ − high·δ is
    // between 0 and 2^254 because high·δ < 2^160.
    let high = (wide[3] >> 60) | ((carry as u64) << 4);
    wide[3] &= (1 << 60) - 1;
    let product = [u128::from(ORDER[0]) * u128::from(high), u128::from(ORDER[1]) * u128::from(high)];
    let middle = (product[0] >> 64) + (product[1] & u128::from(u64::MAX));
    let minus = [product[0] as u64, middle as u64, (product[1] >> 64) as u64 + (middle >> 64) as u64, 0];
    let mut carry = 0i128;
    for ((limb, order), minus) in wide.iter_mut().zip(ORDER).zip(minus) {
        carry += i128::from(*limb) + i128::from(order) - i128::from(minus);
        *limb = carry as u64;
        carry >>= 64;
    }
    wide
}

/// A dot product of at most [`TERMS`] terms.
fn short_dot(a: &[Scalar], b: &[Scalar]) -> Scalar {
    // Column c holds the sum of the 64-bit halves whose weight is 2^(64c): at most 256 halves each.
    let mut columns = [0u128; 8];
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (limbs(a), limbs(b));
        for (shift, a) in a.into_iter().enumerate() {
            for (place, b) in b.into_iter().enumerate() {
                let product = u128::from(a) * u128::from(b);
                if let Some([low, high, ..]) = columns.get_mut(shift + place..) {
                    *low += u128::from(product as u64);
                    *high += product >> 64;
                }
            }
        }
    }
    let mut wide = [0; 64];
    let mut carry = 0u128;
    for (out, column) in wide.chunks_exact_mut(8).zip(columns) {
        carry += column;
        out.copy_from_slice(&(carry as u64).to_le_bytes());
        carry >>= 64;
    }
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn limbs(scalar: &Scalar) -> [u64; 4] {
    let (limbs, _) = scalar.as_bytes().as_chunks::<8>();
    let mut out = [0; 4];
    for (out, limb) in out.iter_mut().zip(limbs) {
        *out = u64::from_le_bytes(*limb);
    }
    out
}

fn from_limbs(limbs: [u64; 4]) -> [u8; 32] {
    let mut out = [0; 32];
    for (out, limb) in out.chunks_exact_mut(8).zip(limbs) {
        out.copy_from_slice(&limb.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scalar() -> impl Strategy<Value = Scalar> {
        prop_oneof![
            4 => any::<[u8; 32]>().prop_map(Scalar::from_bytes_mod_order),
            1 => (0u8..4).prop_map(Scalar::from),
            1 => (1u8..4).prop_map(|small| -Scalar::from(small)),
        ]
    }

    proptest! {
        #[test]
        fn evaluate_is_horner(
            coefficients in prop::collection::vec(scalar(), 0..40),
            point in prop_oneof![any::<u32>(), 0u32..3, Just(u32::MAX)],
        ) {
            let expected = coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(point) + c);
            prop_assert_eq!(evaluate(&coefficients, point), expected);
        }

        #[test]
        fn dot_is_the_sum_of_products(terms in prop::collection::vec((scalar(), scalar()), 0..200)) {
            let (a, b): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
            let expected: Scalar = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            prop_assert_eq!(dot(&a, &b), expected);
        }
    }

    #[test]
    fn the_largest_operands_do_not_overflow() {
        let largest = vec![-Scalar::ONE; 1000];
        assert_eq!(dot(&largest, &largest), Scalar::from(1000u32));
        let expected = largest.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(u32::MAX) + c);
        assert_eq!(evaluate(&largest, u32::MAX), expected);
    }
}
