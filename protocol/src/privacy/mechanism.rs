//! The Rényi divergence of one round, order by order.

use super::error::{PrivacyError, checked, positive};
use super::tau;
use super::zcdp::affine_epsilon;

/// How far one client can move the sum, in integer units: norms of its rounded vector under zero-out adjacency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensitivity {
    /// The Euclidean norm bound D₂.
    l2: f64,
    /// The bound D₁ on the sum of absolute values.
    l1: f64,
    /// Coordinates after padding.
    dimension: u32,
}

impl Sensitivity {
    /// Of a vector of `dimension` integers whose Euclidean norm the client checks to be at most `l2`.
    ///
    /// The sum of absolute values is then at most √d·D₂ (Cauchy–Schwarz) and at most D₂² (integers).
    ///
    /// # Errors
    /// A norm that is not positive and finite; dimension 0.
    pub fn new(l2: f64, dimension: u32) -> Result<Self, PrivacyError> {
        positive("the norm bound", l2)?;
        checked("the dimension", f64::from(dimension), dimension > 0, "at least 1")?;
        Ok(Self { l2, l1: l2 * f64::from(dimension).sqrt().min(l2), dimension })
    }

    /// As [`Sensitivity::new`] of a vector of any numbers, of which the sum of absolute values is at most √d·D₂.
    pub(super) fn of_reals(l2: f64, dimension: u32) -> Result<Self, PrivacyError> {
        let whole = Self::new(l2, dimension)?;
        Ok(Self { l1: l2 * f64::from(dimension).sqrt(), ..whole })
    }

    /// The sensitivity when one client's vector may be replaced by another: twice both norms.
    pub fn for_replacement(self) -> Self {
        Self { l2: 2.0 * self.l2, l1: 2.0 * self.l1, ..self }
    }

    /// D₂, in integer units.
    pub fn l2(&self) -> f64 {
        self.l2
    }

    /// D₁, in integer units.
    pub fn l1(&self) -> f64 {
        self.l1
    }
}

/// A mechanism whose Rényi divergence is known for every order.
pub trait Mechanism {
    /// An upper bound on the Rényi divergence of one round, either way, at the given order above 1.
    fn divergence(&self, order: f64) -> f64;
}

/// The central Gaussian mechanism, with real noise added by somebody who is trusted: what distributed noise is
/// measured against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaussian {
    multiplier: f64,
}

impl Gaussian {
    /// With noise of `multiplier` times the sensitivity.
    ///
    /// # Errors
    /// A multiplier that is not positive and finite.
    pub fn new(multiplier: f64) -> Result<Self, PrivacyError> {
        Ok(Self { multiplier: positive("the noise multiplier", multiplier)? })
    }
}

impl Mechanism for Gaussian {
    /// α/(2z²) (Mironov 2017, proposition 7).
    fn divergence(&self, order: f64) -> f64 {
        order / (2.0 * self.multiplier * self.multiplier)
    }
}

/// The sum of the discrete Gaussian noise of several shares (Kairouz, Liu, Steinke 2021).
#[derive(Clone, Debug, PartialEq)]
pub struct DistributedGaussian {
    sensitivity: Sensitivity,
    /// Standard deviation of the sum of the shares' parameters, in integer units.
    sigma: f64,
    tau: f64,
}

impl DistributedGaussian {
    /// With `shares` shares of N_Z(0, `sigma`²) in the sum that the adversary does not know.
    ///
    /// # Errors
    /// No share; a σ below [`tau::LEAST_SIGMA`] or not finite.
    pub fn new(shares: u32, sigma: f64, sensitivity: Sensitivity) -> Result<Self, PrivacyError> {
        checked("the number of noise shares", f64::from(shares), shares > 0, "at least 1")?;
        enough(sigma)?;
        let tau = tau::equal(shares, sigma);
        Ok(Self { sensitivity, sigma: sigma * f64::from(shares).sqrt(), tau })
    }

    /// With one share for each σ.
    ///
    /// Shares below [`tau::LEAST_SIGMA`] are left out: noise added to the rest is post-processing.
    ///
    /// # Errors
    /// A σ that is negative or not finite; no share that counts.
    pub fn unequal(sigmas: &[f64], sensitivity: Sensitivity) -> Result<Self, PrivacyError> {
        for &sigma in sigmas {
            checked("the σ of a share", sigma, sigma >= 0.0, "finite and not negative")?;
        }
        let counted: Vec<f64> = sigmas.iter().copied().filter(|&sigma| sigma >= tau::LEAST_SIGMA).collect();
        enough(counted.first().copied().unwrap_or_default())?;
        let variance: f64 = counted.iter().map(|sigma| sigma * sigma).sum();
        Ok(Self { sensitivity, sigma: variance.sqrt(), tau: tau::unequal(&counted) })
    }

    /// With so many shares of each σ; those below [`tau::LEAST_SIGMA`] are left out. As [`DistributedGaussian::unequal`],
    /// in time that hardly depends on the number of shares.
    ///
    /// # Errors
    /// A σ that is negative or not finite; no share that counts.
    pub fn grouped(shares: &[(u32, f64)], sensitivity: Sensitivity) -> Result<Self, PrivacyError> {
        for &(_, sigma) in shares {
            checked("the σ of a share", sigma, sigma >= 0.0, "finite and not negative")?;
        }
        let counts = |&(count, sigma): &(u32, f64)| count > 0 && sigma >= tau::LEAST_SIGMA;
        let counted: Vec<(u32, f64)> = shares.iter().copied().filter(counts).collect();
        enough(counted.first().map(|(_, sigma)| *sigma).unwrap_or_default())?;
        let variance: f64 = counted.iter().map(|(count, sigma)| f64::from(*count) * sigma * sigma).sum();
        Ok(Self { sensitivity, sigma: variance.sqrt(), tau: tau::grouped(&counted) })
    }

    /// What the sum's departure from one discrete Gaussian costs a coordinate.
    pub fn tau(&self) -> f64 {
        self.tau
    }

    /// The least known ρ for which one round is ρ-zCDP.
    ///
    /// Half the square of the ε that proposition 14 gives, where all constants are multiplied by α ≥ 1: the term in
    /// τd is then 2τd below the root. Theorem 1 of the paper prints ½τd there, which does not follow from the
    /// proposition, so the greater one is used. Exact sums contradict neither, and for σ ≥ 2 they agree to 10⁻⁷.
    pub fn rho(&self) -> f64 {
        self.bounds().iter().map(|bound| bound.slope + bound.constant).fold(f64::INFINITY, f64::min)
    }

    /// The least known ε at δ of `rounds` rounds without amplification, over all real orders, rounded up.
    ///
    /// # Errors
    /// A δ outside (0, 1).
    pub fn epsilon(&self, rounds: u32, delta: f64) -> Result<f64, PrivacyError> {
        super::error::probability("δ", delta)?;
        let rounds = f64::from(rounds);
        let of = |bound: &Affine| affine_epsilon(bound.slope * rounds, bound.constant * rounds, delta);
        Ok(self.bounds().iter().map(of).fold(f64::INFINITY, f64::min))
    }

    /// The three bounds of proposition 14, each valid for every order above 1:
    /// αD₂²/(2S²) + τd, (α/2)(D₂²/S² + 2D₁τ/S + τ²d) and (α/2)(D₂/S + τ√d)², where S² is the sum's variance.
    fn bounds(&self) -> [Affine; 3] {
        let (tau, dimension) = (self.tau, f64::from(self.sensitivity.dimension));
        let l2 = self.sensitivity.l2 / self.sigma;
        let l1 = self.sensitivity.l1 / self.sigma;
        let linear = |slope: f64| Affine { slope, constant: 0.0 };
        [
            Affine { slope: l2 * l2 / 2.0, constant: tau * dimension },
            linear((l2 * l2 + 2.0 * l1 * tau + tau * tau * dimension) / 2.0),
            linear((l2 + tau * dimension.sqrt()).powi(2) / 2.0),
        ]
    }
}

impl Mechanism for DistributedGaussian {
    fn divergence(&self, order: f64) -> f64 {
        let at = |bound: &Affine| bound.slope * order + bound.constant;
        self.bounds().iter().map(at).fold(f64::INFINITY, f64::min)
    }
}

/// slope·α + constant.
struct Affine {
    slope: f64,
    constant: f64,
}

fn enough(sigma: f64) -> Result<f64, PrivacyError> {
    if sigma.is_finite() && sigma >= tau::LEAST_SIGMA {
        return Ok(sigma);
    }
    let mechanism = "the distributed discrete Gaussian";
    Err(PrivacyError::TooLittleNoise { mechanism, found: sigma, least: tau::LEAST_SIGMA })
}

/// The sum of Skellam noise (Agarwal, Kairouz, Liu 2021): shares of any variances sum to one Skellam exactly,
/// so only the variance of the whole counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Skellam {
    sensitivity: Sensitivity,
    /// Variance of the sum, in squared integer units.
    variance: f64,
}

impl Skellam {
    /// With noise of this variance in the sum that the adversary does not know, in squared integer units.
    ///
    /// # Errors
    /// A variance that is not positive and finite.
    pub fn new(variance: f64, sensitivity: Sensitivity) -> Result<Self, PrivacyError> {
        positive("the variance of the noise", variance)?;
        Ok(Self { sensitivity, variance })
    }

    /// αD₂²/(2μ) + min{((2α−1)D₂² + 6D₁)/(4μ²), 3D₁/(2μ)} (Agarwal, Kairouz, Liu 2021, main theorem), for whole
    /// orders.
    fn at_whole_order(&self, order: f64) -> f64 {
        let (l2, l1, mu) = (self.sensitivity.l2 * self.sensitivity.l2, self.sensitivity.l1, self.variance);
        let second = ((2.0 * order - 1.0) * l2 + 6.0 * l1) / (4.0 * mu * mu);
        order * l2 / (2.0 * mu) + second.min(3.0 * l1 / (2.0 * mu))
    }
}

impl Mechanism for Skellam {
    /// The theorem is for whole orders; between two, (α−1)·divergence lies below its chord, because it is convex
    /// in α, and below order 2 the divergence is at most that of order 2.
    fn divergence(&self, order: f64) -> f64 {
        between_whole_orders(order, |whole| self.at_whole_order(whole))
    }
}

/// Bounds the divergence of any order above 1 by those of the whole orders beside it.
pub(super) fn between_whole_orders(order: f64, at: impl Fn(f64) -> f64) -> f64 {
    let (low, high) = (order.floor(), order.ceil());
    if low == high || low < 2.0 {
        return at(high);
    }
    let (below, above) = ((low - 1.0) * at(low), (high - 1.0) * at(high));
    (below + (order - low) * (above - below)) / (order - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensitivity() -> Sensitivity {
        Sensitivity::new(10.0, 16).unwrap()
    }

    #[test]
    fn the_sum_of_absolute_values_is_bounded_both_ways() {
        assert_eq!(sensitivity().l1(), 40.0);
        assert_eq!(Sensitivity::new(2.0, 1 << 20).unwrap().l1(), 4.0);
        assert_eq!(sensitivity().for_replacement().l1(), 80.0);
    }

    #[test]
    fn replacing_costs_twice_the_distance() {
        let of = |sensitivity| DistributedGaussian::new(10, 3.0, sensitivity).unwrap().rho();
        assert!((of(sensitivity().for_replacement()) / of(sensitivity()) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn too_little_noise_is_refused_with_the_least() {
        let refused = DistributedGaussian::new(10, 0.49, sensitivity()).unwrap_err();
        assert!(
            refused.to_string().contains("0.49") && refused.to_string().contains("at least 0.5"),
            "{refused}"
        );
        assert!(DistributedGaussian::new(0, 1.0, sensitivity()).is_err());
        assert!(DistributedGaussian::new(10, f64::NAN, sensitivity()).is_err());
        assert!(DistributedGaussian::unequal(&[0.1, 0.2], sensitivity()).is_err());
        assert!(DistributedGaussian::unequal(&[1.0, f64::NAN], sensitivity()).is_err());
        assert!(DistributedGaussian::unequal(&[], sensitivity()).is_err());
        assert!(Skellam::new(0.0, sensitivity()).is_err());
        assert!(Gaussian::new(f64::INFINITY).is_err());
        assert!(Sensitivity::new(f64::NAN, 16).is_err());
        assert!(Sensitivity::new(1.0, 0).is_err());
    }

    #[test]
    fn shares_too_small_are_left_out() {
        let (with, without) = (&[2.0, 0.3, 2.0], &[2.0, 2.0]);
        let of = |sigmas: &[f64]| DistributedGaussian::unequal(sigmas, sensitivity()).unwrap();
        assert_eq!(of(with), of(without));
        assert!(
            (of(without).rho() / DistributedGaussian::new(2, 2.0, sensitivity()).unwrap().rho() - 1.0).abs()
                < 1e-12
        );
    }
}
