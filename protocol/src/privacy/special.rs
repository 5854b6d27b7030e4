//! The few special functions that accounting needs, in double precision.

use std::f64::consts::PI;

/// The complementary error function, relative error below 1e-13 for arguments up to 26.
///
/// Below 2 by the Taylor series of erf, which loses at most three digits to the subtraction; above by the
/// continued fraction of Abramowitz and Stegun 7.1.14, from its end.
pub(crate) fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x < 2.0 {
        let (mut term, mut sum, mut at) = (x, x, 0.0);
        while f64::abs(term) > 1e-18 * sum {
            at += 1.0;
            term *= -x * x / at;
            sum += term / (2.0 * at + 1.0);
        }
        return 1.0 - 2.0 / PI.sqrt() * sum;
    }
    let tail = (1..=200).rev().fold(x, |below, at| x + f64::from(at) / 2.0 / below);
    (-x * x).exp() / (PI.sqrt() * tail)
}

/// The x with erfc(x) = `p`, for `p` in (0, 1]; by bisection, to the last bits.
pub(crate) fn erfc_inverse(p: f64) -> f64 {
    bisect(0.0, 27.0, |x| erfc(x) < p)
}

/// The point of `low..high` at which `beyond` turns from false to true, rounded up: `beyond` holds at the result,
/// or the result is `high`.
pub(crate) fn bisect(mut low: f64, mut high: f64, beyond: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if beyond(middle) { high = middle } else { low = middle }
    }
}

/// ln(e^a + e^b) without overflow.
pub(crate) fn ln_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high.is_infinite() { high } else { high + (low - high).exp().ln_1p() }
}

/// ln(e^x − 1) for x ≥ 0.
pub(crate) fn ln_exp_minus_one(x: f64) -> f64 {
    if x > 1.0 { x + (-(-x).exp()).ln_1p() } else { x.exp_m1().ln() }
}

/// ln 0!, ln 1!, …, ln n!.
pub(crate) fn ln_factorials(n: usize) -> Vec<f64> {
    let logarithms = (1..=n).scan(0.0, |sum, k| {
        *sum += (k as f64).ln();
        Some(*sum)
    });
    std::iter::once(0.0).chain(logarithms).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erfc_has_its_known_values() {
        // DLMF 7.23 and Abramowitz and Stegun, table 7.3.
        for (x, value) in [
            (0.0, 1.0),
            (0.5, 0.4795001221869535),
            (1.0, 0.15729920705028513),
            (1.9, 0.0072095707647425325),
            (2.0, 0.004677734981047266),
            (3.0, 2.209049699858544e-5),
            (5.0, 1.537459794428035e-12),
            (10.0, 2.0884875837625447e-45),
        ] {
            assert!((erfc(x) / value - 1.0).abs() < 2e-12, "{x}: {}", erfc(x));
            assert!((erfc(-x) - (2.0 - value)).abs() < 1e-15);
        }
    }

    #[test]
    fn the_inverse_undoes_erfc() {
        for p in [1.0, 0.5, 1e-2, 1e-4, 6.334e-5, 1e-12, 1e-300] {
            assert!((erfc(erfc_inverse(p)) / p - 1.0).abs() < 1e-12, "{p}");
        }
    }

    #[test]
    fn bisection_ends_on_the_far_side() {
        let root = bisect(0.0, 2.0, |x| x * x >= 2.0);
        assert!(root * root >= 2.0 && (root - 2f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn the_logarithm_is_exact_at_both_ends() {
        assert!((ln_exp_minus_one(1e-20) - 1e-20f64.ln()).abs() < 1e-12);
        assert_eq!(ln_exp_minus_one(1e6), 1e6);
        assert!((ln_exp_minus_one(1.0) - 1f64.exp_m1().ln()).abs() < 1e-15);
        assert_eq!(ln_exp_minus_one(0.0), f64::NEG_INFINITY);
    }
}
