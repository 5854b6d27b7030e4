//! What it costs that the noise is drawn on the integers around a real centre: ζ of `spec/centred.md`, rounded up.
//!
//! All σ are in integer units. Sums over j of j^r·exp(−bj²) are bounded by those over exp(−b − 3b(j−1)), which have
//! a closed form; their quotient is below 1 + 10⁻⁴ for every b that occurs.

use std::f64::consts::PI;

use super::accountant::MARGIN;
use super::error::{PrivacyError, checked, positive};

/// The least σ of an honest share, in integer units. The theorem holds below it, as long as δ does; the floor keeps
/// ζ below 10⁻⁶ for every number of shares.
pub const LEAST_SIGMA: f64 = 1.05;

/// The greatest δ for which ζ is claimed: the theorem needs δ < 1.
const GREATEST_DELTA: f64 = 0.1;

/// The factor 1 + ζ by which `shares` shares, of which the least has parameter `sigma`, and of which all together
/// have variance `variance`, cost more than a continuous Gaussian of that variance; this is ζ, an upper bound.
///
/// # Errors
/// No share; a σ that is not positive; a variance below σ²; so many shares for their σ that the theorem is void.
pub fn zeta(shares: u32, sigma: f64, variance: f64) -> Result<f64, PrivacyError> {
    checked("the number of noise shares", f64::from(shares), shares > 0, "at least 1")?;
    positive("the σ of a share", sigma)?;
    let least = sigma * sigma * (1.0 - MARGIN);
    checked("the variance of the sum", variance, variance >= least, "at least that of a share")?;
    let (delta, lambda) = departure(shares, sigma);
    checked("δ of the sum's law", delta, delta <= GREATEST_DELTA, "at most 0.1: take a greater σ")?;
    let slope = 2.0 * PI * lambda / (1.0 - delta);
    let curvature = 3.0 * sigma * sigma * curvature(sigma);
    let zeta = curvature + variance * slope * slope * (1.0 + delta) / (1.0 - delta);
    // Where everything underflows, the least double is still above what is meant.
    checked("ζ", zeta * (1.0 + MARGIN) + f64::MIN_POSITIVE, true, "finite")
}

/// A bound on |(ln φ)″|, where φ(u) = Σ_y exp(−(y−u)²/2σ²): 8π²·Σ j²e^(−aj²)/(1 − d) + Ψ₁² with a = 2π²σ²,
/// d = 2·Σ e^(−aj²) and Ψ₁ = 4π·Σ j·e^(−aj²)/(1 − d). It falls as σ grows.
fn curvature(sigma: f64) -> f64 {
    let a = 2.0 * (PI * sigma).powi(2);
    let least = 1.0 - 2.0 * dual(a, 0);
    let first = 4.0 * PI * dual(a, 1) / least;
    8.0 * PI * PI * dual(a, 2) / least + first * first
}

/// Numbers of nonzero entries whose dual vectors are summed one by one.
const SUMMED: u32 = 64;

/// Bounds on δ, the departure of the sum's law from a Gaussian's shape, and on λ, of which 2πλ bounds its change
/// with a centre: Σ_m C(n,m)·B₀(m)^m and 2·Σ_m C(n−1,m−1)·B₀(m)^(m−1)·B₁(m), where B_r(m) = 2·Σ_j j^r·e^(−bj²)
/// and b = 2π²σ²·(1 − min(m, n/2)/n).
fn departure(shares: u32, sigma: f64) -> (f64, f64) {
    if shares == 1 {
        return (0.0, 0.0);
    }
    let (a, n) = (2.0 * (PI * sigma).powi(2), f64::from(shares));
    let exponent = |m: f64| a * (1.0 - m.min(n / 2.0) / n);
    let (mut delta, mut lambda, mut ln_choose) = (0.0, 0.0, 0.0);
    for m in (1..=shares.min(SUMMED)).map(f64::from) {
        ln_choose += ((n - m + 1.0) / m).ln();
        let term = (ln_choose + m * (2.0 * dual(exponent(m), 0)).ln()).exp();
        delta += term;
        // B₁/B₀, which is below 1/(1 − e^(−3b)) even where both underflow.
        lambda += 2.0 * m / n * term / -(-3.0 * exponent(m)).exp_m1();
    }
    if shares > SUMMED {
        // C(n,m) ≤ (en/m)^m, and the logarithm of the m-th root of a term is convex in m up to n/2 and then falls.
        let root = |m: f64| 1.0 + (n / m).ln() + (2.0 * dual(exponent(m), 0)).ln();
        let first = f64::from(SUMMED + 1);
        let greatest = root(first).max(root(first.max(n / 2.0)));
        if greatest >= -MARGIN {
            return (f64::INFINITY, f64::INFINITY);
        }
        let rest = (greatest * first).exp() / -greatest.exp_m1();
        delta += rest;
        lambda += 2.0 * rest / -(-1.5 * a).exp_m1();
    }
    (delta, lambda)
}

/// A bound on Σ_{j≥1} j^r·e^(−bj²), for r up to 2.
fn dual(b: f64, r: u32) -> f64 {
    let (x, y) = ((-b).exp(), (-3.0 * b).exp());
    match r {
        0 => x / (1.0 - y),
        1 => x / (1.0 - y).powi(2),
        _ => x * (1.0 + y) / (1.0 - y).powi(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shares: u32, sigma: f64) -> f64 {
        zeta(shares, sigma, f64::from(shares) * sigma * sigma).unwrap()
    }

    /// The same by plain sums of many terms.
    fn plain(shares: u32, sigma: f64) -> f64 {
        let sum = |b: f64, r: i32| {
            (1..12).map(|j| f64::from(j).powi(r) * (-b * f64::from(j * j)).exp()).sum::<f64>()
        };
        let (a, n) = (2.0 * (PI * sigma).powi(2), f64::from(shares));
        let least = 1.0 - 2.0 * sum(a, 0);
        let first = 4.0 * PI * sum(a, 1) / least;
        let curvature = 8.0 * PI * PI * sum(a, 2) / least + first * first;
        let (mut delta, mut lambda, mut choose) = (0.0, 0.0, 1.0);
        for m in (1..=shares).map(f64::from) {
            choose *= (n - m + 1.0) / m;
            let b = a * (1.0 - m.min(n / 2.0) / n);
            delta += choose * (2.0 * sum(b, 0)).powf(m);
            lambda += 2.0 * choose * m / n * (2.0 * sum(b, 0)).powf(m - 1.0) * 2.0 * sum(b, 1);
        }
        if shares == 1 {
            (delta, lambda) = (0.0, 0.0);
        }
        let slope = 2.0 * PI * lambda / (1.0 - delta);
        3.0 * sigma * sigma * curvature + n * (sigma * slope).powi(2) * (1.0 + delta) / (1.0 - delta)
    }

    #[test]
    fn the_bound_is_just_above_the_plain_sums() {
        for sigma in [0.8, 1.0, 1.05, 1.3, 2.0] {
            for shares in [1, 2, 3, 10, 64, 65, 150] {
                let (bound, plain) = (of(shares, sigma), plain(shares, sigma));
                assert!(bound >= plain && bound < plain * 1.001, "{shares} of {sigma}: {bound} {plain}");
            }
        }
    }

    #[test]
    fn the_floor_keeps_it_below_a_millionth() {
        for shares in (0..24).map(|log| 1 << log) {
            assert!(of(shares, LEAST_SIGMA) < 1e-6, "{shares}");
        }
        assert!(of(1, 1.3) < 3e-12 && of(1000, 30.0) < 1e-300);
        // A great share beside small ones.
        assert!(zeta(100, LEAST_SIGMA, 1e6).unwrap() < 1e-7 * 3.0);
    }

    #[test]
    fn it_falls_as_the_noise_grows_and_the_theorem_is_void_with_little() {
        for shares in [1, 2, 100, 1 << 20] {
            let falling: Vec<f64> = (0..40).map(|step| of(shares, 1.05 + f64::from(step) * 0.03)).collect();
            assert!(falling.windows(2).all(|pair| pair[1] <= pair[0]));
        }
        for (shares, sigma) in [(100_000, 0.8), (10_000, 0.7), (u32::MAX, 1.05), (2, 0.1)] {
            let refused = zeta(shares, sigma, f64::from(shares) * sigma * sigma).unwrap_err().to_string();
            assert!(refused.contains("0.1") || refused.contains("inf"), "{refused}");
        }
        assert!(zeta(0, 1.3, 1.7).is_err() && zeta(3, f64::NAN, 5.0).is_err() && zeta(3, 2.0, 3.0).is_err());
    }
}
