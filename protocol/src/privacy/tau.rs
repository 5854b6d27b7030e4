//! How far a sum of discrete Gaussians is from one discrete Gaussian: the τ of Kairouz, Liu, Steinke 2021.
//!
//! N_Z(0, σ²) + N_Z(0, τ²) is no discrete Gaussian, but for σ, τ ≥ ½ its probabilities differ from those of
//! N_Z(0, σ² + τ²) by a factor of at most exp(5·exp(−2π²/(1/σ² + 1/τ²))) either way (their section on sums). Chained
//! over the shares and taken on both sides of the comparison, that is τ. All σ are in integer units.

use std::f64::consts::PI;

/// The least σ of a share, in integer units, for which the chain holds.
pub const LEAST_SIGMA: f64 = 0.5;

/// τ of `shares` equal shares: 10·Σ_{k=1}^{n−1} exp(−2π²σ²·k/(k+1)) (Kairouz, Liu, Steinke 2021, theorem 1).
pub fn equal(shares: u32, sigma: f64) -> f64 {
    let exponent = 2.0 * PI * PI * sigma * sigma;
    10.0 * (1..shares).map(|k| (-exponent * f64::from(k) / f64::from(k + 1)).exp()).sum::<f64>()
}

/// τ of shares of unequal σ, in any order.
///
/// The chain adds one share after the other; the greatest first gives the least sum, because then no partial
/// sum is small when a small share joins it.
pub fn unequal(sigmas: &[f64]) -> f64 {
    let mut variances: Vec<f64> = sigmas.iter().map(|sigma| sigma * sigma).collect();
    variances.sort_by(|one, other| other.total_cmp(one));
    let mut shares = variances.into_iter();
    let mut sum = shares.next().unwrap_or_default();
    let mut tau = 0.0;
    for variance in shares {
        tau += 10.0 * (-2.0 * PI * PI / (1.0 / sum + 1.0 / variance)).exp();
        sum += variance;
    }
    tau
}

/// τ of so many shares of each σ, in any order, or a little more: of the shares of one σ the first `EXACT` are summed one
/// by one, and of the others as many at once as there are before them, at the greatest of their terms.
pub fn grouped(shares: &[(u32, f64)]) -> f64 {
    let mut groups: Vec<(u32, f64)> = shares.iter().map(|(count, sigma)| (*count, sigma * sigma)).collect();
    groups.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let (mut sum, mut tau) = (0.0f64, 0.0);
    for (count, variance) in groups {
        let mut done = 0;
        while done < count {
            let block = if done < EXACT { 1 } else { done.min(count - done) };
            // The first share of all joins none.
            if sum > 0.0 {
                tau += 10.0 * f64::from(block) * (-2.0 * PI * PI / (1.0 / sum + 1.0 / variance)).exp();
            }
            sum += f64::from(block) * variance;
            done += block;
        }
    }
    tau
}

/// Shares of one σ that are summed one by one.
const EXACT: u32 = 1 << 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_unequal_shares_or_a_bound_on_them() {
        for groups in
            [&[(1, 0.5)][..], &[(9, 0.7), (30, 2.0), (1, 0.9)], &[(10_000, 0.6), (20_000, 0.55), (5, 3.0)]]
        {
            let each = |&(count, sigma): &(u32, f64)| vec![sigma; count as usize];
            let (bound, exact) =
                (grouped(groups), unequal(&groups.iter().flat_map(each).collect::<Vec<_>>()));
            assert!(bound >= exact * (1.0 - 1e-12) && bound <= exact * 1.01, "{groups:?} {bound} {exact}");
        }
        assert!(grouped(&[(u32::MAX, 1.0)]) > 0.0);
    }

    #[test]
    fn equal_shares_are_a_case_of_unequal_ones() {
        for (shares, sigma) in [(1, 0.5), (2, 0.7), (10, 1.0), (100, 1.5)] {
            let (one, other) = (equal(shares, sigma), unequal(&vec![sigma; shares as usize]));
            assert!((one - other).abs() <= 1e-12 * one, "{one} {other}");
        }
        assert_eq!(equal(1, 0.5), 0.0);
        assert_eq!(unequal(&[]), 0.0);
    }

    #[test]
    fn the_least_share_decides() {
        let (small, large) = (unequal(&[1.0, 5.0, 5.0]), unequal(&[5.0, 5.0, 5.0]));
        assert!(small > 1e-8 && large < 1e-50, "{small} {large}");
        assert_eq!(unequal(&[1.0, 5.0, 3.0]), unequal(&[5.0, 3.0, 1.0]));
    }
}
