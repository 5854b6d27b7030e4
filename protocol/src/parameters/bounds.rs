//! A number known to lie between two others.

use super::scaled::{Rounding, Scaled};

/// A number that is at least `low` and at most `high`: the result of exact arithmetic, enclosed.
///
/// Every operation rounds `low` down and `high` up, so a comparison that both agree on is the comparison of the
/// exact number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) low: Scaled,
    pub(super) high: Scaled,
}

impl Bounds {
    pub(super) const ZERO: Self = Self { low: Scaled::ZERO, high: Scaled::ZERO };

    /// An integer.
    pub(super) fn of(integer: u128) -> Self {
        Self { low: Scaled::of(integer), high: Scaled::of(integer) }
    }

    /// 2^exponent.
    pub(super) fn power_of_two(exponent: i64) -> Self {
        Self { low: Scaled::power_of_two(exponent), high: Scaled::power_of_two(exponent) }
    }

    /// π: its first 128 bits, and the number after them.
    pub(super) fn pi() -> Self {
        const BITS: u128 = 0xc90f_daa2_2168_c234_c4c6_628b_80dc_1cd1;
        Self { low: Scaled::normalised(BITS, -126), high: Scaled::normalised(BITS + 1, -126) }
    }

    pub(super) fn is_zero(self) -> bool {
        self.high.is_zero()
    }

    pub(super) fn add(self, other: Self) -> Self {
        self.each(other, Scaled::add)
    }

    pub(super) fn mul(self, other: Self) -> Self {
        self.each(other, Scaled::mul)
    }

    /// The quotient by a number other than zero.
    pub(super) fn div(self, other: Self) -> Self {
        Self { low: self.low.div(other.high, Rounding::Down), high: self.high.div(other.low, Rounding::Up) }
    }

    pub(super) fn mul_integer(self, factor: u64) -> Self {
        self.map(|number, rounding| number.mul_integer(factor, rounding))
    }

    /// The quotient by an integer other than zero.
    pub(super) fn div_integer(self, divisor: u64) -> Self {
        self.map(|number, rounding| number.div_integer(divisor, rounding))
    }

    pub(super) fn pow(self, exponent: u64) -> Self {
        self.map(|number, rounding| number.pow(exponent, rounding))
    }

    pub(super) fn sqrt(self) -> Self {
        self.map(Scaled::sqrt)
    }

    /// Whether the number is at most `limit`; `None` if the bounds do not tell.
    pub(super) fn at_most(self, limit: Scaled) -> Option<bool> {
        match (self.low <= limit, self.high <= limit) {
            (true, true) => Some(true),
            (false, false) => Some(false),
            _ => None,
        }
    }

    /// Whether the bounds are within a part 2^-bits of each other.
    pub(super) fn closer_than(self, bits: i64) -> bool {
        let slack = self.low.mul(Scaled::power_of_two(-bits), Rounding::Down);
        self.high <= self.low.add(slack, Rounding::Down)
    }

    /// The logarithm to base 2, for people to read.
    pub(super) fn log2(self) -> f64 {
        self.high.log2()
    }

    fn map(self, operation: impl Fn(Scaled, Rounding) -> Scaled) -> Self {
        Self { low: operation(self.low, Rounding::Down), high: operation(self.high, Rounding::Up) }
    }

    fn each(self, other: Self, operation: impl Fn(Scaled, Scaled, Rounding) -> Scaled) -> Self {
        Self {
            low: operation(self.low, other.low, Rounding::Down),
            high: operation(self.high, other.high, Rounding::Up),
        }
    }
}
