//! The centred distributed discrete Gaussian: its guarantee. **Experimental**: `spec/centred.md` has the theorem, its
//! proof and how both were checked; nobody outside of this project has reviewed them.

use super::Mechanism;
use super::error::{PrivacyError, probability};
use super::mechanism::Sensitivity;
use super::smoothing::{LEAST_SIGMA, zeta};
use super::zcdp;

/// The sum of the clients' draws of N_Z(x, σ²), each centred at the real x of a coordinate.
///
/// One round is (1+ζ)·D²/(2V)-zCDP, where D bounds the norm of a client's vector, in integer units, and V is the sum
/// of the shares' σ²: at every order the divergence of the continuous Gaussian, times 1 + ζ. The dimension does not
/// enter.
///
/// For every set of survivors that contains these shares the guarantee is at least as good: what the others
/// add is independent of the victim's vector.
#[derive(Clone, Debug, PartialEq)]
pub struct CentredGaussian {
    rho: f64,
    zeta: f64,
}

impl CentredGaussian {
    /// With `shares` honest shares of the parameter `sigma`, in integer units, in the sum: the fewest that may
    /// survive, the victim's own included.
    ///
    /// # Errors
    /// No share; a σ below [`super::LEAST_CENTRED_SIGMA`]; more shares than the theorem covers.
    pub fn new(shares: u32, sigma: f64, sensitivity: Sensitivity) -> Result<Self, PrivacyError> {
        let variance = f64::from(shares) * enough(sigma)?.powi(2);
        Self::of(shares, sigma, variance, sensitivity)
    }

    /// With one honest share for each σ of `centred`, and noise around zero of each σ of `further`, added to them.
    ///
    /// Noise of `further` below the floor is left out: independent noise added to the rest is post-processing. A
    /// client's centred share cannot be left out, for it carries the client's own vector, smoothed by it alone.
    ///
    /// # Errors
    /// No centred share; one below [`super::LEAST_CENTRED_SIGMA`]; a σ that is negative or no number; more
    /// shares than the theorem covers.
    pub fn unequal(centred: &[f64], further: &[f64], sensitivity: Sensitivity) -> Result<Self, PrivacyError> {
        // Without any, the floor names what is missing.
        enough(centred.iter().copied().reduce(f64::min).unwrap_or_default())?;
        for &sigma in centred.iter().chain(further) {
            super::error::checked("the σ of a share", sigma, sigma >= 0.0, "finite and not negative")?;
        }
        let counted = || centred.iter().chain(further.iter().filter(|&&sigma| sigma >= LEAST_SIGMA));
        let variance = counted().map(|sigma| sigma * sigma).sum();
        let shares = u32::try_from(counted().count()).unwrap_or(u32::MAX);
        Self::of(shares, counted().copied().fold(f64::INFINITY, f64::min), variance, sensitivity)
    }

    fn of(shares: u32, least: f64, variance: f64, sensitivity: Sensitivity) -> Result<Self, PrivacyError> {
        let zeta = zeta(shares, least, variance)?;
        Ok(Self { rho: (1.0 + zeta) * sensitivity.l2().powi(2) / (2.0 * variance), zeta })
    }

    /// The ρ for which one round is ρ-zCDP.
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// What the smoothing costs: ρ is 1 + ζ times the continuous Gaussian's.
    pub fn zeta(&self) -> f64 {
        self.zeta
    }

    /// The least known ε at δ of `rounds` rounds without amplification, rounded up.
    ///
    /// # Errors
    /// A δ outside (0, 1).
    pub fn epsilon(&self, rounds: u32, delta: f64) -> Result<f64, PrivacyError> {
        probability("δ", delta)?;
        Ok(zcdp::affine_epsilon(self.rho * f64::from(rounds), 0.0, delta))
    }
}

impl Mechanism for CentredGaussian {
    fn divergence(&self, order: f64) -> f64 {
        order * self.rho
    }
}

fn enough(sigma: f64) -> Result<f64, PrivacyError> {
    if sigma.is_finite() && sigma >= LEAST_SIGMA {
        return Ok(sigma);
    }
    let mechanism = "the centred discrete Gaussian";
    Err(PrivacyError::TooLittleNoise { mechanism, found: sigma, least: LEAST_SIGMA })
}

#[cfg(test)]
mod tests {
    use super::super::{Curve, DistributedGaussian, Gaussian};
    use super::*;

    fn sensitivity() -> Sensitivity {
        Sensitivity::of_reals(13.0, 1 << 20).unwrap()
    }

    #[test]
    fn it_is_the_central_gaussian_but_for_zeta() {
        let (centred, central) =
            (CentredGaussian::new(100, 1.3, sensitivity()).unwrap(), Gaussian::new(1.0).unwrap());
        for order in [1.01, 2.0, 64.0] {
            let ratio = centred.divergence(order) / central.divergence(order);
            assert!((1.0..1.0 + 1e-11).contains(&(ratio + 1e-15)), "{ratio}");
        }
        // A whole-numbered vector of the same norm at the same σ costs more by the other theorem.
        let rounded = DistributedGaussian::new(100, 1.3, sensitivity()).unwrap();
        assert!(rounded.rho() > centred.rho());
        let curve = Curve::of(&centred).times(10).epsilon(1e-6).unwrap().epsilon;
        assert!((curve / centred.epsilon(10, 1e-6).unwrap() - 1.0).abs() < 2e-3);
    }

    #[test]
    fn what_survives_beyond_the_least_only_helps() {
        let of = |shares| CentredGaussian::new(shares, 1.05, sensitivity()).unwrap().rho();
        for fewest in [1, 2, 3, 10, 1000] {
            assert!((fewest..4 * fewest + 3).map(of).all(|rho| rho <= of(fewest)), "{fewest}");
        }
    }

    #[test]
    fn unequal_noise_counts_as_it_is() {
        let of = |centred: &[f64], further: &[f64]| CentredGaussian::unequal(centred, further, sensitivity());
        let (unequal, equal) =
            (of(&[1.3; 5], &[]).unwrap(), CentredGaussian::new(5, 1.3, sensitivity()).unwrap());
        assert!((unequal.rho() / equal.rho() - 1.0).abs() < 1e-12);
        // Small noise around zero is left out, but no small centred share.
        assert_eq!(of(&[1.3, 2.0], &[0.2]), of(&[1.3, 2.0], &[]));
        assert!(of(&[1.3, 2.0], &[1.1]).unwrap().rho() < of(&[1.3, 2.0], &[]).unwrap().rho());
        let refused = of(&[1.3, 0.9], &[5.0]).unwrap_err().to_string();
        assert!(refused.contains("0.9") && refused.contains("1.05"), "{refused}");
        assert!(
            of(&[], &[2.0]).is_err() && of(&[1.3], &[f64::NAN]).is_err() && of(&[f64::NAN], &[]).is_err()
        );
        assert!(CentredGaussian::new(0, 1.3, sensitivity()).is_err());
    }

    #[test]
    fn noise_below_the_floor_is_refused_with_the_floor() {
        for sigma in [0.0, 1.049, -1.0, f64::NAN, f64::INFINITY] {
            let refused = CentredGaussian::new(10, sigma, sensitivity()).unwrap_err().to_string();
            assert!(refused.contains("at least 1.05"), "{refused}");
        }
    }
}
