//! Concentrated differential privacy (Bun and Steinke 2016) and its conversion to (ε, δ).
//!
//! A mechanism is ρ-zCDP if its Rényi divergence of every order α > 1 is at most αρ. It composes by adding ρ.

use super::accountant::{MARGIN, enlarge};
use super::error::{PrivacyError, checked, positive, probability};
use super::special::bisect;

/// The least ε for which ρ-zCDP is known to give (ε, δ), rounded up (Canonne, Kamath, Steinke 2020, corollary 13).
///
/// It is the least value over α > 1 of αρ + ln(1−1/α) − ln(δα)/(α−1).
///
/// # Errors
/// A ρ that is negative or not finite; a δ outside (0, 1).
pub fn epsilon(rho: f64, delta: f64) -> Result<f64, PrivacyError> {
    checked("ρ", rho, rho >= 0.0, "finite and not negative")?;
    probability("δ", delta)?;
    Ok(affine_epsilon(rho, 0.0, delta))
}

/// The ε of Bun and Steinke 2016, proposition 1.3, ρ + 2√(ρ ln 1/δ): looser than [`epsilon`], for comparison.
///
/// # Errors
/// As [`epsilon`].
pub fn loose_epsilon(rho: f64, delta: f64) -> Result<f64, PrivacyError> {
    checked("ρ", rho, rho >= 0.0, "finite and not negative")?;
    probability("δ", delta)?;
    Ok(enlarge(rho + 2.0 * (rho * -delta.ln()).sqrt()))
}

/// The least δ for which ρ-zCDP is known to give (ε, δ), rounded up (Canonne, Kamath, Steinke 2020, corollary 13).
///
/// The infimum of exp((α−1)(αρ−ε))/(α−1)·(1−1/α)^α over α > 1 lies where (2α−1)ρ − ε + ln(1−1/α) = 0, whose
/// left side grows with α: bisection finds it.
///
/// # Errors
/// A ρ or ε that is negative or not finite.
pub fn delta(rho: f64, epsilon: f64) -> Result<f64, PrivacyError> {
    checked("ρ", rho, rho >= 0.0, "finite and not negative")?;
    checked("ε", epsilon, epsilon >= 0.0, "finite and not negative")?;
    if rho == 0.0 {
        return Ok(0.0);
    }
    // In terms of β = α − 1, which may be tiny: ln(1−1/α) = ln β − ln(1+β).
    let slope = |beta: f64| (2.0 * beta + 1.0) * rho - epsilon + beta.ln() - beta.ln_1p();
    let beta = bisect(f64::MIN_POSITIVE, (epsilon + 1.0) / (2.0 * rho) + 1.0, |beta| slope(beta) >= 0.0);
    let exponent = beta * ((1.0 + beta) * rho - epsilon) + beta * beta.ln() - (1.0 + beta) * beta.ln_1p();
    Ok((exponent.exp() * (1.0 + MARGIN * (1.0 + exponent.abs()))).min(1.0))
}

/// The greatest ρ whose [`epsilon`] at δ is at most `epsilon`, rounded down.
///
/// # Errors
/// An ε that is not positive and finite; a δ outside (0, 1).
pub fn rho(epsilon: f64, delta: f64) -> Result<f64, PrivacyError> {
    positive("ε", epsilon)?;
    probability("δ", delta)?;
    let beyond = |rho: f64| affine_epsilon(rho, 0.0, delta) > epsilon;
    let mut high = 1.0;
    while !beyond(high) {
        high *= 2.0;
    }
    Ok(bisect(0.0, high, beyond) * (1.0 - MARGIN))
}

/// The least ε at δ of a mechanism whose Rényi divergence is at most `slope`·α + `constant` for every α > 1,
/// rounded up, from ε(α) = slope·α + constant + ln(1−1/α) − ln(δα)/(α−1) (Canonne, Kamath, Steinke 2020,
/// proposition 12).
///
/// Its derivative is slope + ln(δα)/(α−1)², so the minimum lies where slope·(α−1)² = ln(1/δ) − ln α: the left
/// side grows and the right side falls, so there is one root.
pub(super) fn affine_epsilon(slope: f64, constant: f64, delta: f64) -> f64 {
    if slope == 0.0 && constant == 0.0 {
        return 0.0;
    }
    if !slope.is_finite() || !constant.is_finite() {
        return f64::INFINITY;
    }
    let spread = -delta.ln();
    // At the root α ≤ 1/δ and slope·(α−1)² ≤ ln(1/δ).
    let highest = (1.0 / delta).min((spread / slope).sqrt());
    let beta = bisect(0.0, highest, |beta| slope * beta * beta >= spread - beta.ln_1p());
    enlarge(constant + slope * (1.0 + beta) + overhead(beta, delta))
}

/// What the conversion adds to the divergence of order 1 + β: ln(1−1/α) − ln(δα)/(α−1).
pub(super) fn overhead(beta: f64, delta: f64) -> f64 {
    beta.ln() - beta.ln_1p() - (delta.ln() + beta.ln_1p()) / beta
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimum_is_below_every_order() {
        for (rho, delta) in [(1e-5, 1e-6), (0.05, 1e-5), (1.3, 1e-9), (40.0, 0.3), (5000.0, 1e-5)] {
            let best = epsilon(rho, delta).unwrap();
            for step in -120..120 {
                let beta = f64::exp2(f64::from(step) / 8.0);
                let one = rho * (1.0 + beta) + overhead(beta, delta);
                assert!(best <= enlarge(one.max(0.0)) * (1.0 + 1e-12), "ρ {rho} δ {delta} β {beta}");
            }
            assert!(best <= loose_epsilon(rho, delta).unwrap());
        }
    }

    #[test]
    fn the_conversions_undo_each_other() {
        for (rho, delta) in [(1e-4, 1e-6), (0.05, 1e-5), (1.3, 1e-9), (40.0, 1e-3)] {
            let epsilon = epsilon(rho, delta).unwrap();
            let back = super::rho(epsilon, delta).unwrap();
            assert!(back <= rho && back > rho * (1.0 - 1e-6), "{rho} {back}");
            let found = super::delta(rho, epsilon).unwrap();
            assert!((found / delta - 1.0).abs() < 1e-6, "{found} {delta}");
        }
    }

    #[test]
    fn nothing_is_promised_outside_the_ranges() {
        for (rho, delta) in
            [(f64::NAN, 0.1), (-1.0, 0.1), (1.0, 0.0), (1.0, 1.0), (1.0, f64::NAN), (f64::INFINITY, 0.1)]
        {
            assert!(epsilon(rho, delta).is_err(), "{rho} {delta}");
        }
        assert!(super::rho(0.0, 0.1).is_err());
        assert!(super::delta(1.0, f64::NAN).is_err());
        assert_eq!(epsilon(0.0, 1e-5), Ok(0.0));
        assert_eq!(super::delta(0.0, 1.0), Ok(0.0));
    }
}
