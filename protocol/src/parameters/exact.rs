//! The same probabilities as integers of any size: for the verdicts that bounds leave open.

use num_bigint::BigUint;

use super::hypergeometric::Urn;

/// The number of ways to choose `chosen` of `from`.
pub(super) fn binomial(from: u64, chosen: u64) -> BigUint {
    if chosen > from {
        return BigUint::ZERO;
    }
    let few = chosen.min(from - chosen);
    (0..few).fold(BigUint::from(1u8), |so_far, at| so_far * (from - at) / (at + 1))
}

/// The fraction `numerator / denominator`.
pub(super) struct Ratio {
    pub(super) numerator: BigUint,
    pub(super) denominator: BigUint,
}

impl Ratio {
    pub(super) const ZERO: Self = Self { numerator: BigUint::ZERO, denominator: BigUint::ZERO };

    fn add(self, other: Self) -> Self {
        if self.numerator == BigUint::ZERO {
            return other;
        }
        if other.numerator == BigUint::ZERO {
            return self;
        }
        Self {
            numerator: self.numerator * &other.denominator + other.numerator * &self.denominator,
            denominator: self.denominator * other.denominator,
        }
    }

    /// Whether the fraction is at most 2^-bits.
    pub(super) fn at_most(&self, bits: u32) -> bool {
        &self.numerator << bits <= self.denominator
    }
}

/// The probability of `least` marked ones or more.
pub(super) fn tail(urn: Urn, least: u64) -> Ratio {
    let Urn { population, marked, drawn } = urn;
    let ways = |at| binomial(marked, at) * binomial(population - marked, drawn - at);
    let mut numerator = BigUint::ZERO;
    let (first, last) = urn.range();
    let from = least.max(first);
    if from <= last {
        let mut term = ways(from);
        numerator += &term;
        for at in from..last {
            let (up, down) = urn.ratio(at);
            term = term * up / down;
            numerator += &term;
        }
    }
    Ratio { numerator, denominator: binomial(population, drawn) }
}

/// Whether `factor` · Pr[`least` or more] + `beside` is at most 2^-bits.
pub(super) fn at_most(urn: Urn, least: u64, factor: u128, beside: Ratio, bits: u32) -> bool {
    let tail = tail(urn, least);
    Ratio { numerator: tail.numerator * factor, ..tail }.add(beside).at_most(bits)
}
