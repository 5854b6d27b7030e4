//! Numbers of 128 significant bits, rounded in a direction that the caller chooses.

use std::cmp::Ordering;

/// Which neighbour stands for a result that has no exact representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    Down,
    Up,
}

/// The number `mantissa · 2^exponent`. The mantissa of a number other than zero has its top bit set, so there
/// is one representation of each and comparing is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    mantissa: u128,
    exponent: i64,
}

impl Scaled {
    pub(super) const ZERO: Self = Self { mantissa: 0, exponent: 0 };

    /// A mantissa whose top bit is set, and its exponent.
    pub(super) const fn normalised(mantissa: u128, exponent: i64) -> Self {
        Self { mantissa, exponent }
    }

    /// 2^exponent.
    pub(super) fn power_of_two(exponent: i64) -> Self {
        Self { mantissa: 1 << 127, exponent: exponent - 127 }
    }

    /// An integer: exact.
    pub(super) fn of(integer: u128) -> Self {
        Wide { high: integer, low: 0, exponent: -128, inexact: false }.round(Rounding::Down)
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The sum.
    pub(super) fn add(self, other: Self, rounding: Rounding) -> Self {
        let (great, small) = if self < other { (other, self) } else { (self, other) };
        if small.is_zero() {
            return great;
        }
        let shifted = Wide::shifted(small.mantissa, great.exponent - small.exponent);
        let (high, carry) = great.mantissa.overflowing_add(shifted.high);
        let mut sum = Wide { high, exponent: great.exponent - 128, ..shifted };
        if carry {
            sum = sum.halved_with_carry();
        }
        sum.round(rounding)
    }

    /// The product.
    pub(super) fn mul(self, other: Self, rounding: Rounding) -> Self {
        let (low, high) = self.mantissa.carrying_mul(other.mantissa, 0);
        Wide { high, low, exponent: self.exponent + other.exponent, inexact: false }.round(rounding)
    }

    /// The product with an integer.
    pub(super) fn mul_integer(self, factor: u64, rounding: Rounding) -> Self {
        let (low, high) = self.mantissa.carrying_mul(u128::from(factor), 0);
        Wide { high, low, exponent: self.exponent, inexact: false }.round(rounding)
    }

    /// The quotient by an integer; by zero it is zero.
    pub(super) fn div_integer(self, divisor: u64, rounding: Rounding) -> Self {
        let divisor = u128::from(divisor);
        // Two steps of long division in base 2^64.
        let whole = self.mantissa.checked_div(divisor).unwrap_or(0);
        let rest = self.mantissa.checked_rem(divisor).unwrap_or(0) << 64;
        let part = rest.checked_div(divisor).unwrap_or(0);
        let inexact = rest.checked_rem(divisor).unwrap_or(0) != 0;
        Wide { high: whole >> 64, low: whole << 64 | part, exponent: self.exponent - 64, inexact }
            .round(rounding)
    }

    /// The quotient; by zero it is zero.
    pub(super) fn div(self, other: Self, rounding: Rounding) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::ZERO;
        }
        let divisor = other.mantissa;
        let mut rest = self.mantissa;
        let mut high = 0;
        if rest >= divisor {
            rest -= divisor;
            high = 1;
        }
        let mut low = 0u128;
        for _ in 0..128 {
            let carry = rest >> 127 == 1;
            rest <<= 1;
            low <<= 1;
            if carry || rest >= divisor {
                rest = rest.wrapping_sub(divisor);
                low |= 1;
            }
        }
        Wide { high, low, exponent: self.exponent - other.exponent - 128, inexact: rest != 0 }.round(rounding)
    }

    /// The square root.
    pub(super) fn sqrt(self, rounding: Rounding) -> Self {
        if self.is_zero() {
            return self;
        }
        // 63 bits of the root; an odd exponent gives one bit of the mantissa away to be even.
        let odd = self.exponent & 1;
        let root = Self::of((self.mantissa >> odd).isqrt());
        let near = Self { exponent: root.exponent + (self.exponent + odd) / 2, ..root };
        // One step of Newton's doubles them and is never below the root; dividing by it is never above.
        let above = near.add(self.div(near, Rounding::Up), Rounding::Up).div_integer(2, Rounding::Up);
        match rounding {
            Rounding::Up => above,
            Rounding::Down => self.div(above, Rounding::Down),
        }
    }

    /// The power with an integer exponent.
    pub(super) fn pow(self, mut exponent: u64, rounding: Rounding) -> Self {
        let (mut power, mut square) = (Self::power_of_two(0), self);
        while exponent != 0 {
            if exponent & 1 == 1 {
                power = power.mul(square, rounding);
            }
            square = square.mul(square, rounding);
            exponent >>= 1;
        }
        power
    }

    /// The logarithm to base 2, for people to read: minus infinity of zero.
    pub(super) fn log2(self) -> f64 {
        (self.mantissa as f64).log2() + self.exponent as f64
    }
}

impl PartialOrd for Scaled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scaled {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (false, false) => (self.exponent, self.mantissa).cmp(&(other.exponent, other.mantissa)),
            (mine, theirs) => theirs.cmp(&mine),
        }
    }
}

/// A result before rounding: `(high · 2^128 + low) · 2^exponent`, and a little more if `inexact`.
#[derive(Clone, Copy)]
struct Wide {
    high: u128,
    low: u128,
    exponent: i64,
    inexact: bool,
}

impl Wide {
    /// `mantissa · 2^128` divided by 2^shift, for a shift of at least 0.
    fn shifted(mantissa: u128, shift: i64) -> Self {
        let (high, low, lost) = match shift {
            0 => (mantissa, 0, 0),
            1..128 => (mantissa >> shift, mantissa << (128 - shift), 0),
            128 => (0, mantissa, 0),
            129..256 => (0, mantissa >> (shift - 128), mantissa << (256 - shift)),
            _ => (0, 0, mantissa),
        };
        Self { high, low, exponent: 0, inexact: lost != 0 }
    }

    /// Half of the sum whose carry out of `high` was lost.
    fn halved_with_carry(self) -> Self {
        Self {
            high: 1 << 127 | self.high >> 1,
            low: self.high << 127 | self.low >> 1,
            exponent: self.exponent + 1,
            inexact: self.inexact || self.low & 1 == 1,
        }
    }

    fn round(self, rounding: Rounding) -> Scaled {
        let (high, low, exponent) = match self.high {
            0 => (self.low, 0, self.exponent),
            high => (high, self.low, self.exponent + 128),
        };
        if high == 0 {
            return Scaled::ZERO;
        }
        let shift = high.leading_zeros();
        let mantissa = if shift == 0 { high } else { high << shift | low >> (128 - shift) };
        let exponent = exponent - i64::from(shift);
        let inexact = self.inexact || low << shift != 0;
        if rounding == Rounding::Down || !inexact {
            return Scaled { mantissa, exponent };
        }
        match mantissa.checked_add(1) {
            Some(mantissa) => Scaled { mantissa, exponent },
            None => Scaled { mantissa: 1 << 127, exponent: exponent + 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::Rounding::{Down, Up};
    use super::*;

    /// The number times 2^2000, which makes every number of these tests an integer.
    fn exact(number: Scaled) -> BigUint {
        BigUint::from(number.mantissa) << (number.exponent + 2000)
    }

    fn number() -> impl Strategy<Value = Scaled> {
        (any::<u128>(), 0u32..128, -400i64..400).prop_map(|(mantissa, shift, exponent)| {
            Wide { high: mantissa >> shift, low: 0, exponent, inexact: false }.round(Down)
        })
    }

    /// Checks that `down` and `up` enclose the quotient closely.
    fn encloses(numerator: BigUint, denominator: BigUint, down: Scaled, up: Scaled) {
        assert!(exact(down) * &denominator <= numerator, "too great below");
        assert!(exact(up) * &denominator >= numerator, "too small above");
        let gap = exact(up) - exact(down);
        assert!(gap << 126 <= exact(up), "not close");
    }

    proptest! {
        #[test]
        fn arithmetic_encloses_the_exact_result(a in number(), b in number(), integer in 1u64..) {
            let one = || BigUint::from(1u8);
            encloses(exact(a) + exact(b), one(), a.add(b, Down), a.add(b, Up));
            encloses(exact(a) * exact(b), one() << 2000, a.mul(b, Down), a.mul(b, Up));
            encloses(exact(a) * integer, one(), a.mul_integer(integer, Down), a.mul_integer(integer, Up));
            encloses(exact(a), integer.into(), a.div_integer(integer, Down), a.div_integer(integer, Up));
            if !b.is_zero() {
                encloses(exact(a) << 2000, exact(b), a.div(b, Down), a.div(b, Up));
            }
            prop_assert_eq!(a.cmp(&b), exact(a).cmp(&exact(b)));
        }

        #[test]
        fn a_root_encloses(a in number()) {
            let (down, up) = (a.sqrt(Down), a.sqrt(Up));
            let square = exact(a) << 2000;
            prop_assert!(exact(down) * exact(down) <= square && square <= exact(up) * exact(up));
            prop_assert!((exact(up) - exact(down)) << 120 <= exact(up));
        }

        #[test]
        fn a_power_encloses(base in 1u128..1 << 20, exponent in 0u32..40) {
            let power = BigUint::from(base).pow(exponent) << 2000;
            let (down, up) = (Scaled::of(base).pow(exponent.into(), Down), Scaled::of(base).pow(exponent.into(), Up));
            prop_assert!(exact(down) <= power && power <= exact(up));
            prop_assert!((exact(up) - exact(down)) << 115 <= exact(up));
        }
    }

    #[test]
    fn integers_are_exact() {
        for integer in [0, 1, 2, 3, u128::MAX] {
            assert_eq!(exact(Scaled::of(integer)), BigUint::from(integer) << 2000);
        }
        assert_eq!(Scaled::of(1), Scaled::power_of_two(0));
        assert_eq!(Scaled::of(8).log2(), 3.0);
    }
}
