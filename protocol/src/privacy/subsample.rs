//! What sampling the participants secretly gains.

use super::accountant::Curve;
use super::error::{PrivacyError, checked};
use super::mechanism::{Mechanism, between_whole_orders};
use super::special::{ln_add, ln_exp_minus_one, ln_factorials};

/// The greatest whole order for which the amplified bound is evaluated.
pub(super) const GREATEST: usize = 1024;

/// Which bound on the divergence of a Poisson sample is used. Both are for zero-out adjacency and whole orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amplification {
    /// Steinke 2022 (arXiv 2210.00597), the tight theorem for Poisson sampling; Zhu and Wang 2019, theorem 6:
    /// all factors κ are 1.
    Tight,
    /// Zhu and Wang 2019, theorem 5: κ is 3 for terms of order 3 and more. Holds for any mechanism.
    General,
}

impl Curve {
    /// One round in which each member of the population takes part with probability `rate`, independently, and
    /// nobody learns who did.
    ///
    /// **Not valid against the server**, which chose the cohort or saw who came: use [`Curve::of`] there. Not
    /// valid for cohorts of a fixed size, for which there is [`Curve::fixed_size`], nor for replacement adjacency.
    ///
    /// # Errors
    /// A rate outside (0, 1].
    pub fn poisson(
        mechanism: &impl Mechanism,
        rate: f64,
        amplification: Amplification,
    ) -> Result<Self, PrivacyError> {
        checked("the sampling rate", rate, rate > 0.0 && rate <= 1.0, "above 0 and at most 1")?;
        if rate == 1.0 {
            return Ok(Self::of(mechanism));
        }
        let sample = Sample::new(mechanism, rate, amplification);
        Ok(Self::at_orders(|order| {
            let amplified = between_whole_orders(order, |whole| sample.divergence(whole as usize));
            amplified.min(mechanism.divergence(order))
        }))
    }
}

/// What the bound needs at every order.
struct Sample {
    rate: f64,
    ln_factorials: Vec<f64>,
    /// At index j, ln(κ_j·exp((j−1)·divergence of order j) − 1).
    ln_excess: Vec<f64>,
}

impl Sample {
    fn new(mechanism: &impl Mechanism, rate: f64, amplification: Amplification) -> Self {
        let excess = |j: usize| {
            let ln_kappa = match (amplification, j) {
                (Amplification::General, 3..) => 3f64.ln(),
                _ => 0.0,
            };
            let exponent = (j as f64 - 1.0) * mechanism.divergence(j as f64);
            ln_exp_minus_one(ln_kappa + exponent)
        };
        let ln_excess = (0..=GREATEST).map(|j| if j < 2 { f64::NEG_INFINITY } else { excess(j) }).collect();
        Self { rate, ln_factorials: ln_factorials(GREATEST), ln_excess }
    }

    /// The divergence of whole order α: ln(A)/(α−1), where
    /// A = (1−q)^(α−1)(1+(α−1)q) + Σ_{j=2}^α κ_j C(α,j)(1−q)^(α−j) q^j e^((j−1)ε(j)).
    ///
    /// The weights without κ_j and the exponential sum to 1, so A − 1 is the sum of the weights times
    /// κ_j·e^((j−1)ε(j)) − 1: all terms positive and nothing lost when A is close to 1.
    fn divergence(&self, order: usize) -> f64 {
        let ln_factorial = |n: usize| self.ln_factorials.get(n).copied().unwrap_or(f64::INFINITY);
        let (ln_in, ln_out) = (self.rate.ln(), (-self.rate).ln_1p());
        let mut ln_sum = f64::NEG_INFINITY;
        for (j, excess) in self.ln_excess.iter().enumerate().take(order + 1).skip(2) {
            let ln_choose = ln_factorial(order) - ln_factorial(j) - ln_factorial(order - j);
            let ln_weight = ln_choose + j as f64 * ln_in + (order - j) as f64 * ln_out;
            ln_sum = ln_add(ln_sum, ln_weight + excess);
        }
        // ln(1 + e^s), which is e^s itself where that is tiny.
        let ln_a = if ln_sum > 0.0 { ln_sum + (-ln_sum).exp().ln_1p() } else { ln_sum.exp().ln_1p() };
        ln_a / (order as f64 - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gaussian;
    use super::*;

    #[test]
    fn rare_samples_lose_nothing_to_cancellation() {
        // For tiny rates the divergence of order 2 is q²(e^(1/z²) − 1), here far below one double's step at 1.
        let mechanism = Gaussian::new(1.0).unwrap();
        let curve = Curve::poisson(&mechanism, 1e-9, Amplification::Tight).unwrap();
        let expected = 1e-18 * 1f64.exp_m1();
        assert!((curve.at(2.0).unwrap() / expected - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_general_bound_is_the_looser() {
        let mechanism = Gaussian::new(2.0).unwrap();
        let of = |amplification| Curve::poisson(&mechanism, 0.1, amplification).unwrap();
        let (tight, general) = (of(Amplification::Tight), of(Amplification::General));
        assert_eq!(tight.at(2.0), general.at(2.0));
        assert!(general.at(8.0).unwrap() > tight.at(8.0).unwrap() * 1.2);
    }

    #[test]
    fn amplification_never_costs() {
        let mechanism = Gaussian::new(0.05).unwrap();
        let curve = Curve::poisson(&mechanism, 0.999, Amplification::General).unwrap();
        for order in [1.5, 2.0, 9.0, 256.0, 1024.0] {
            assert!(curve.at(order).is_none_or(|bound| bound <= mechanism.divergence(order)), "{order}");
        }
    }
}
