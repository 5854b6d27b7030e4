//! Binomial coefficients between bounds, for any size.

use super::bounds::Bounds;

/// Up to here a coefficient is the product that defines it; beyond, Stirling's series is fast and close.
const PRODUCT: u64 = 512;

/// The number of ways to choose `chosen` of `from`; both are below 2^32.
pub(super) fn binomial(from: u64, chosen: u64) -> Bounds {
    if chosen > from {
        return Bounds::ZERO;
    }
    match chosen.min(from - chosen) {
        few @ ..=PRODUCT => product(from, few),
        many => stirling(from, many),
    }
}

fn product(from: u64, chosen: u64) -> Bounds {
    let step = |so_far: Bounds, at| so_far.mul_integer(from - at).div_integer(at + 1);
    (0..chosen).fold(Bounds::of(1), step)
}

/// n! = √(2πn) · (n/e)^n · e^μ(n) (Robbins 1955 for the first bounds on μ): in a binomial coefficient the
/// powers of e cancel and one root of 2π is left.
fn stirling(from: u64, chosen: u64) -> Bounds {
    let rest = from - chosen;
    let part = |one: u64| Bounds::of(from.into()).div_integer(one).pow(one);
    let under_root = Bounds::pi().mul_integer(2).mul_integer(chosen).mul_integer(rest);
    let root = Bounds::of(from.into()).div(under_root).sqrt();
    let correction = remainder(from).div(remainder(chosen).mul(remainder(rest)));
    part(chosen).mul(part(rest)).mul(root).mul(correction)
}

/// e^μ(n), where μ(n) = 1/(12n) − 1/(360n³) + 1/(1260n⁵) − 1/(1680n⁷) + ...: the series alternates, and μ is
/// above each partial sum that ends with a minus and at most the next term above it (Whittaker and Watson,
/// § 12.33).
fn remainder(number: u64) -> Bounds {
    let term = |divisor, power| {
        (0..power).fold(Bounds::of(1), |term, _| term.div_integer(number)).div_integer(divisor)
    };
    let plus = term(12, 1).add(term(1260, 5));
    let more = plus.add(term(1188, 9));
    let minus = term(360, 3).add(term(1680, 7));
    exponential(Bounds { low: plus.low, high: more.high }).div(exponential(minus))
}

/// e^x for 0 < x < 1/2: the power series, and for its tail at most twice the first term left out.
fn exponential(x: Bounds) -> Bounds {
    const TERMS: u64 = 12;
    let (mut sum, mut term) = (Bounds::of(1), Bounds::of(1));
    for at in 1..TERMS {
        term = term.mul(x).div_integer(at);
        sum = sum.add(term);
    }
    let left_out = term.mul(x).div_integer(TERMS).mul_integer(2);
    Bounds { low: sum.low, high: sum.add(left_out).high }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::exact;
    use crate::parameters::scaled::Scaled;

    #[test]
    fn coefficients_enclose_the_exact_ones() {
        for from in (0..3000).step_by(37).chain([0, 1, 2, 1025, 1026, 4095]) {
            for chosen in (0..=from + 1).step_by(29).chain([from / 2, PRODUCT, PRODUCT + 1]) {
                let bounds = binomial(from, chosen);
                let exact = exact::binomial(from, chosen);
                let bits = exact.bits();
                let drop = bits.saturating_sub(128);
                let top: u128 = (&exact >> drop).try_into().unwrap();
                let scaled = |top: u128| {
                    Scaled::of(top).mul(Scaled::power_of_two(drop as i64), super::super::scaled::Rounding::Up)
                };
                assert!(bounds.low <= scaled(top.saturating_add(1)), "{from} {chosen}");
                assert!(bounds.high >= scaled(top), "{from} {chosen}");
                assert!(bounds.is_zero() || bounds.closer_than(85), "{from} {chosen}");
            }
        }
    }

    #[test]
    fn pascal_holds_where_nothing_can_be_written_out() {
        for (from, chosen) in [(1 << 30, 1 << 29), (1_000_000_000, 123_456_789), (70_000, 600)] {
            let sum = binomial(from - 1, chosen - 1).add(binomial(from - 1, chosen));
            let whole = binomial(from, chosen);
            assert!(sum.low <= whole.high && whole.low <= sum.high);
            assert!(whole.closer_than(85) && sum.closer_than(85));
        }
    }
}
