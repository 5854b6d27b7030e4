//! The tail of the hypergeometric distribution, and the least count whose tail is small enough.

use super::binomial::binomial;
use super::bounds::Bounds;
use super::exact::{self, Ratio};
use super::scaled::Scaled;

/// Draws without putting back: of `population` things, `marked` are marked and `drawn` are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Urn {
    pub(super) population: u64,
    pub(super) marked: u64,
    pub(super) drawn: u64,
}

/// What a tail is compared with: `factor` · Pr[tail] + `beside` ≤ 2^-`bits`.
pub(super) struct Limit<'a> {
    pub(super) factor: u128,
    pub(super) beside: Bounds,
    /// `beside` exactly, where bounds do not tell.
    pub(super) beside_exact: &'a dyn Fn() -> Ratio,
    pub(super) bits: u32,
}

impl Limit<'_> {
    /// Nothing beside the tail.
    pub(super) fn of(factor: u128, bits: u32) -> Self {
        Self { factor, beside: Bounds::ZERO, beside_exact: &|| Ratio::ZERO, bits }
    }

    fn compare(&self, tail: Bounds) -> Option<bool> {
        self.total(tail).at_most(Scaled::power_of_two(-i64::from(self.bits)))
    }

    /// `factor` · `tail` + `beside`.
    pub(super) fn total(&self, tail: Bounds) -> Bounds {
        tail.mul(Bounds::of(self.factor)).add(self.beside)
    }
}

impl Urn {
    /// The least and the greatest number of marked ones that can be drawn.
    pub(super) fn range(self) -> (u64, u64) {
        ((self.marked + self.drawn).saturating_sub(self.population), self.marked.min(self.drawn))
    }

    /// Pr[`at` + 1 marked] / Pr[`at` marked], as a fraction; falling in `at`.
    pub(super) fn ratio(self, at: u64) -> (u64, u64) {
        let up = (self.marked - at) * (self.drawn - at);
        let down = (at + 1) * (self.population + at + 1 - self.marked - self.drawn);
        (up, down)
    }

    /// The probability of exactly `at` marked ones.
    fn mass(self, at: u64) -> Bounds {
        let ways = binomial(self.marked, at).mul(binomial(self.population - self.marked, self.drawn - at));
        ways.div(binomial(self.population, self.drawn))
    }

    /// The probability of `least` marked ones or more.
    pub(super) fn tail(self, least: u64) -> Bounds {
        self.partial_tails(least, |_| false)
    }

    /// Whether the tail from `least` is within the limit. Exact: bounds decide if they can, integers if not.
    pub(super) fn within(self, least: u64, limit: &Limit<'_>) -> bool {
        let tail = self.partial_tails(least, |so_far| limit.compare(so_far).is_some());
        limit
            .compare(tail)
            .unwrap_or_else(|| exact::at_most(self, least, limit.factor, (limit.beside_exact)(), limit.bits))
    }

    /// Adds the tail up from `least`, term by term, until it is known to 85 bits or `enough` says so.
    ///
    /// The ratio of two terms falls, so the terms after one are at most a geometric series.
    fn partial_tails(self, least: u64, enough: impl Fn(Bounds) -> bool) -> Bounds {
        let (first, last) = self.range();
        if least <= first {
            return Bounds::of(1);
        }
        if least > last {
            return Bounds::ZERO;
        }
        let mut term = self.mass(least);
        let mut sum = term;
        let mut look = least;
        for at in least..last {
            let (up, down) = self.ratio(at);
            // Looking costs more than adding: look after 1, 2, 4, ... terms.
            if at == look {
                look += look - least + 1;
                let high = match down.checked_sub(up) {
                    Some(less @ 1..) => sum.add(term.mul_integer(up).div_integer(less)).high,
                    _ => Scaled::power_of_two(0),
                };
                let whole = Bounds { low: sum.low, high };
                if whole.closer_than(85) || enough(whole) {
                    return whole;
                }
            }
            term = term.mul_integer(up).div_integer(down);
            sum = sum.add(term);
        }
        sum
    }

    /// The least count, `from` or more, whose tail is within the limit; `drawn` + 1 if the limit leaves room for
    /// no tail but the empty one, `None` if it does not even leave room for that.
    ///
    /// The tail falls in the count, so galloping and halving find it.
    pub(super) fn least_within(self, from: u64, limit: &Limit<'_>) -> Option<u64> {
        let end = self.drawn + 1;
        if !self.within(end, limit) {
            return None;
        }
        let (mut outside, mut step) = (None, 1);
        let mut at = from.min(end);
        while at < end && !self.within(at, limit) {
            outside = Some(at);
            at = (at + step).min(end);
            step *= 2;
        }
        let mut inside = at;
        while let Some(below) = outside.filter(|&below| below + 1 < inside) {
            let middle = below + (inside - below) / 2;
            if self.within(middle, limit) {
                inside = middle;
            } else {
                outside = Some(middle);
            }
        }
        Some(inside)
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    /// The definition, for everything small.
    fn by_counting(urn: Urn, least: u64) -> (BigUint, BigUint) {
        let ways = |at: u64| match urn.drawn.checked_sub(at) {
            Some(rest) => {
                exact::binomial(urn.marked, at) * exact::binomial(urn.population - urn.marked, rest)
            }
            None => BigUint::ZERO,
        };
        ((least..=urn.drawn).map(ways).sum(), exact::binomial(urn.population, urn.drawn))
    }

    #[test]
    fn tails_are_those_of_the_definition() {
        for population in 1..14u64 {
            for marked in 0..=population {
                for drawn in 0..=population {
                    let urn = Urn { population, marked, drawn };
                    for least in 0..=drawn + 1 {
                        let (numerator, denominator) = by_counting(urn, least);
                        let ratio = exact::tail(urn, least);
                        assert_eq!(&ratio.numerator * &denominator, &numerator * &ratio.denominator);
                        let bounds = urn.tail(least);
                        // Compared as integers of 100 bits after the point.
                        let shown = (numerator << 100u32) / denominator;
                        let shown: u128 = shown.try_into().unwrap();
                        let unit = Scaled::power_of_two(-100);
                        let down = super::super::scaled::Rounding::Down;
                        assert!(bounds.low <= Scaled::of(shown + 1).mul(unit, down));
                        assert!(bounds.high >= Scaled::of(shown).mul(unit, down));
                    }
                }
            }
        }
    }

    #[test]
    fn verdicts_are_those_of_the_definition() {
        for population in 1..14u64 {
            for marked in 0..=population {
                for drawn in 0..=population {
                    let urn = Urn { population, marked, drawn };
                    for bits in [0, 1, 2, 3, 6, 10] {
                        for factor in [1u128, 2, 7, 8] {
                            let limit = Limit::of(factor, bits);
                            let within = |least| {
                                let (numerator, denominator) = by_counting(urn, least);
                                (numerator * factor) << bits <= denominator
                            };
                            for least in 0..=drawn + 1 {
                                assert_eq!(urn.within(least, &limit), within(least));
                            }
                            let first = (0..=drawn + 1).find(|&least| within(least));
                            assert_eq!(urn.least_within(0, &limit), first);
                        }
                    }
                }
            }
        }
    }
}
