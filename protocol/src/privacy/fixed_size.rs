//! What secret cohorts of a fixed size gain.

use super::accountant::Curve;
use super::error::{PrivacyError, checked};
use super::mechanism::{Mechanism, between_whole_orders};
use super::special::{ln_add, ln_exp_minus_one, ln_factorials};
use super::subsample::GREATEST;

impl Curve {
    /// One round whose `cohort` members are drawn uniformly from a `population`, without replacement, and nobody
    /// learns who they are (Wang, Balle, Kasiviswanathan 2019, theorem 9, with ε(∞) = ∞).
    ///
    /// The result is for zero-out adjacency in the population. Yet the bound compares cohorts with and without
    /// the victim, and where the victim is not, somebody else is: it needs the divergence of the mechanism when one
    /// vector is *replaced* by another, [`super::Sensitivity::for_replacement`]. `zero_out` is the mechanism as it
    /// runs; the result is never above it, nor above `replacement`.
    ///
    /// **Not valid against the server**, which chose the cohort or saw who came: use [`Curve::of`] there. Where the
    /// adjacency is replacement itself, give the replacement mechanism twice over, by [`Curve::fixed_size_replacing`].
    ///
    /// # Errors
    /// A cohort that is empty or larger than the population; a replacement that does not cost more than zeroing.
    pub fn fixed_size(
        zero_out: &impl Mechanism,
        replacement: &impl Mechanism,
        cohort: u32,
        population: u32,
    ) -> Result<Self, PrivacyError> {
        let (zeroed, replaced) = (zero_out.divergence(2.0), replacement.divergence(2.0));
        let range = "above that of zeroing: take `Sensitivity::for_replacement`";
        checked("the divergence under replacement", replaced, replaced > zeroed, range)?;
        let sample = Sample::new(replacement, cohort, population)?;
        Ok(Self::at_orders(|order| sample.at(order).min(zero_out.divergence(order))))
    }

    /// As [`Curve::fixed_size`], for replacement adjacency in the population.
    ///
    /// # Errors
    /// A cohort that is empty or larger than the population.
    pub fn fixed_size_replacing(
        replacement: &impl Mechanism,
        cohort: u32,
        population: u32,
    ) -> Result<Self, PrivacyError> {
        let sample = Sample::new(replacement, cohort, population)?;
        Ok(Self::at_orders(|order| sample.at(order).min(replacement.divergence(order))))
    }
}

/// What the bound needs at every order.
struct Sample {
    ln_rate: f64,
    ln_factorials: Vec<f64>,
    /// At index j, the logarithm of what γ^j·C(α,j) is multiplied with.
    ln_terms: Vec<f64>,
}

impl Sample {
    fn new(replacement: &impl Mechanism, cohort: u32, population: u32) -> Result<Self, PrivacyError> {
        let of = f64::from(cohort);
        checked(
            "the cohort",
            of,
            cohort > 0 && cohort <= population,
            "at least 1 and at most the population",
        )?;
        let term = |j: usize| match j {
            ..2 => f64::NEG_INFINITY,
            // min{4·(e^ε(2) − 1), 2·e^ε(2)}.
            2 => {
                let second = replacement.divergence(2.0);
                (4f64.ln() + ln_exp_minus_one(second)).min(2f64.ln() + second)
            }
            _ => 2f64.ln() + (j as f64 - 1.0) * replacement.divergence(j as f64),
        };
        Ok(Self {
            ln_rate: (of / f64::from(population)).ln(),
            ln_factorials: ln_factorials(GREATEST),
            ln_terms: (0..=GREATEST).map(term).collect(),
        })
    }

    /// The bound is for whole orders; between two, (α−1)·divergence is convex in α.
    fn at(&self, order: f64) -> f64 {
        between_whole_orders(order, |whole| self.at_whole_order(whole as usize))
    }

    /// ln(1 + Σ_{j=2}^α γ^j·C(α,j)·term_j)/(α−1).
    fn at_whole_order(&self, order: usize) -> f64 {
        let ln_factorial = |n: usize| self.ln_factorials.get(n).copied().unwrap_or(f64::INFINITY);
        let summand = |(j, term): (usize, &f64)| {
            let ln_choose = ln_factorial(order) - ln_factorial(j) - ln_factorial(order - j);
            ln_choose + j as f64 * self.ln_rate + term
        };
        let terms = self.ln_terms.iter().enumerate().take(order + 1).skip(2);
        let ln_sum = terms.map(summand).fold(f64::NEG_INFINITY, ln_add);
        let ln_a = if ln_sum > 0.0 { ln_sum + (-ln_sum).exp().ln_1p() } else { ln_sum.exp().ln_1p() };
        ln_a / (order as f64 - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Amplification, DistributedGaussian, Gaussian, Sensitivity};
    use super::*;

    /// The central Gaussian of multiplier z: under replacement half of it.
    fn of(multiplier: f64, cohort: u32, population: u32) -> Curve {
        let at = |multiplier| Gaussian::new(multiplier).unwrap();
        Curve::fixed_size(&at(multiplier), &at(multiplier / 2.0), cohort, population).unwrap()
    }

    #[test]
    fn the_bound_has_its_figures() {
        // By sums in exact rationals and sixty decimal digits, apart from this code.
        for (multiplier, cohort, population, order, expected) in FIGURES {
            let found = of(multiplier, cohort, population).at(order).unwrap();
            assert!(
                (found / expected - 1.0).abs() < 1e-11,
                "{multiplier} {cohort} {order}: {found} {expected}"
            );
        }
    }

    const FIGURES: [(f64, u32, u32, f64, f64); 6] = [
        (4.0, 100, 10000, 2.0, 0.000113603713528868),
        (4.0, 100, 10000, 5.0, 0.0002945494811619843),
        (4.0, 100, 10000, 64.0, 2.0),
        (0.5, 1, 1000, 3.0, 6.0),
        (20.0, 500, 1000, 16.0, 0.02),
        (10.0, 10, 1000000, 256.0, 2.113966625452584e-09),
    ];

    #[test]
    fn rare_members_gain_and_whole_populations_do_not() {
        let mechanism = Gaussian::new(4.0).unwrap();
        let whole = Curve::of(&mechanism).times(50).epsilon(1e-6).unwrap().epsilon;
        let epsilon = |cohort| of(4.0, cohort, 10_000).times(50).epsilon(1e-6).unwrap().epsilon;
        assert!(epsilon(10) < epsilon(100) && epsilon(100) < whole / 5.0);
        assert_eq!(of(4.0, 10_000, 10_000), Curve::of(&mechanism));
        // Poisson samples of the same mean gain more by their tight bound.
        let poisson = Curve::poisson(&mechanism, 0.01, Amplification::Tight).unwrap().times(50);
        assert!(poisson.epsilon(1e-6).unwrap().epsilon < epsilon(100));
    }

    #[test]
    fn the_figure_for_zeroing_is_not_taken_for_that_of_replacement() {
        let sensitivity = Sensitivity::new(20.0, 64).unwrap();
        let zeroing = DistributedGaussian::new(50, 10.0, sensitivity).unwrap();
        let replacing = DistributedGaussian::new(50, 10.0, sensitivity.for_replacement()).unwrap();
        let refused = Curve::fixed_size(&zeroing, &zeroing, 50, 1000).unwrap_err().to_string();
        assert!(refused.contains("for_replacement"), "{refused}");
        let curve = Curve::fixed_size(&zeroing, &replacing, 50, 1000).unwrap();
        let other = Curve::fixed_size_replacing(&replacing, 50, 1000).unwrap();
        assert!(curve.epsilon(1e-6).unwrap().epsilon <= other.epsilon(1e-6).unwrap().epsilon);
        for (cohort, population) in [(0, 10), (11, 10), (0, 0)] {
            assert!(Curve::fixed_size(&zeroing, &replacing, cohort, population).is_err());
            assert!(Curve::fixed_size_replacing(&replacing, cohort, population).is_err());
        }
    }
}
