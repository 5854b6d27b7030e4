//! Fixed-point numbers of any precision, in integer arithmetic: what tables of noise are computed with.
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

/// A number from 0 to below 2^64: a limb of whole part, then limbs of fraction, greatest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fixed(Vec<u64>);

impl Fixed {
    /// A whole number, with so many limbs of fraction.
    pub(super) fn whole(value: u64, limbs: usize) -> Self {
        let mut all = vec![0; limbs + 1];
        if let Some(first) = all.first_mut() {
            *first = value;
        }
        Self(all)
    }

    /// One half.
    pub(super) fn half(limbs: usize) -> Self {
        Self::whole(1, limbs).scale(1, 2)
    }

    /// The limbs of the fraction, greatest first.
    pub(super) fn fraction(&self) -> &[u64] {
        self.0.get(1..).unwrap_or_default()
    }

    /// The sum; the whole part wraps.
    pub(super) fn add(&self, other: &Self) -> Self {
        let mut carry = false;
        let mut sum: Vec<u64> = self
            .0
            .iter()
            .zip(&other.0)
            .rev()
            .map(|(one, other)| {
                let (sum, first) = one.overflowing_add(*other);
                let (sum, second) = sum.overflowing_add(u64::from(carry));
                carry = first || second;
                sum
            })
            .collect();
        sum.reverse();
        Self(sum)
    }

    /// The difference; the whole part wraps.
    pub(super) fn subtract(&self, other: &Self) -> Self {
        let mut borrow = false;
        let mut difference: Vec<u64> = self
            .0
            .iter()
            .zip(&other.0)
            .rev()
            .map(|(one, other)| {
                let (difference, first) = one.overflowing_sub(*other);
                let (difference, second) = difference.overflowing_sub(u64::from(borrow));
                borrow = first || second;
                difference
            })
            .collect();
        difference.reverse();
        Self(difference)
    }

    /// The product, cut off after the last limb; the whole part wraps.
    pub(super) fn multiply(&self, other: &Self) -> Self {
        let limbs = self.0.len();
        // Least limb first: the product of limbs i and j counts from place i + j on.
        let mut product = vec![0u64; 2 * limbs];
        for (i, one) in self.0.iter().rev().enumerate() {
            let mut carry = 0u128;
            for (place, other) in product.iter_mut().skip(i).zip(other.0.iter().rev()) {
                carry += u128::from(*one) * u128::from(*other) + u128::from(*place);
                *place = carry as u64;
                carry >>= 64;
            }
            if let Some(place) = product.get_mut(i + limbs) {
                *place = carry as u64;
            }
        }
        // Twice as many limbs of fraction as wanted come first.
        let mut kept: Vec<u64> = product.into_iter().skip(limbs - 1).take(limbs).collect();
        kept.reverse();
        Self(kept)
    }

    /// The number times `numerator` / `denominator`, cut off after the last limb. The denominator is below 2^63;
    /// the product with the numerator must keep to the range of whole parts.
    pub(super) fn scale(&self, numerator: u64, denominator: u64) -> Self {
        let mut carry = 0u128;
        let mut product: Vec<u64> = self
            .0
            .iter()
            .rev()
            .map(|limb| {
                carry += u128::from(*limb) * u128::from(numerator);
                let low = carry as u64;
                carry >>= 64;
                low
            })
            .collect();
        product.push(carry as u64);
        let mut remainder = 0u128;
        let quotient = product.iter().rev().map(|limb| {
            let dividend = (remainder << 64) | u128::from(*limb);
            remainder = dividend % u128::from(denominator);
            (dividend / u128::from(denominator)) as u64
        });
        Self(quotient.skip(1).collect())
    }

    /// 1 / the number, which is at least 1: bit by bit, as on paper.
    pub(super) fn reciprocal(&self) -> Self {
        let limbs = self.0.len() - 1;
        let mut remainder = Self::whole(1, limbs);
        let mut quotient = Self::whole(0, limbs);
        for at in 0..=64 * limbs {
            quotient = quotient.add(&quotient);
            if remainder >= *self {
                remainder = remainder.subtract(self);
                if let Some(last) = quotient.0.last_mut() {
                    *last |= 1;
                }
            }
            if at < 64 * limbs {
                remainder = remainder.add(&remainder);
            }
        }
        quotient
    }

    /// exp(−`numerator`/`denominator`) for an argument of at most 8, by the exponential's series; both are below
    /// 2^63. The error is below 2^20 units of the last place: each of less than 200 terms cuts off two units,
    /// which the later terms multiply by e^8 at most.
    pub(super) fn exp_minus(numerator: u64, denominator: u64, limbs: usize) -> Self {
        let mut term = Self::whole(1, limbs);
        let (mut even, mut odd) = (Self::whole(0, limbs), Self::whole(0, limbs));
        let zero = Self::whole(0, limbs);
        for k in 1.. {
            if term == zero {
                break;
            }
            match k % 2 {
                1 => even = even.add(&term),
                _ => odd = odd.add(&term),
            }
            term = term.scale(numerator, denominator).scale(1, k);
        }
        even.subtract(&odd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first 128 bits of the fraction.
    fn bits(number: &Fixed) -> u128 {
        u128::from(number.fraction()[0]) << 64 | u128::from(number.fraction()[1])
    }

    #[test]
    fn the_exponential_has_its_known_digits() {
        // 0.367879441171442321595523770161460867445811131 · 2^128 and the like, from tables of e^−x.
        for (numerator, denominator, digits) in [
            (1, 1, "367879441171442321595523770161460867"),
            (1, 2, "606530659712633423603799534991180453"),
            (2, 1, "135335283236612691893999494972484403"),
            (8, 1, "000335462627902511838821389125780861"),
            (1 << 15, 1 << 62, "999999999999992894572642399023384837"),
        ] {
            let mut number = Fixed::exp_minus(numerator, denominator, 4);
            for expected in digits.bytes().take(34) {
                number = number.scale(10, 1);
                assert_eq!(number.0[0], u64::from(expected - b'0'), "{numerator}/{denominator}");
                number.0[0] = 0;
            }
        }
    }

    #[test]
    fn numbers_times_their_reciprocals_are_one() {
        for number in [Fixed::whole(1, 5), Fixed::whole(3, 5), Fixed(vec![2, 1 << 63, 7, 0, 0, 9])] {
            let product = number.multiply(&number.reciprocal());
            let missing = Fixed::whole(1, 5).subtract(&product);
            assert!(missing <= Fixed(vec![0, 0, 0, 0, 0, 8]), "{missing:?}");
        }
        assert_eq!(bits(&Fixed::whole(3, 3).reciprocal()), u128::MAX / 3);
    }

    #[test]
    fn precision_only_adds_digits() {
        let (short, long) = (Fixed::exp_minus(3, 7, 3), Fixed::exp_minus(3, 7, 9));
        assert_eq!(bits(&short), bits(&long));
    }
}
