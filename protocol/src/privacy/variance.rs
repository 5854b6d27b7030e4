//! The parameter of integer noise, as an exact number.

use super::error::{PrivacyError, checked, positive};

/// The parameter σ² of a share of noise, in squared integer units: an exact multiple of 2⁻¹⁶.
///
/// Samplers compute with integers only, and both the client that draws and the accountant that counts use this
/// number: nothing is lost between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variance(u64);

impl Variance {
    /// 2¹⁶: the units of [`Variance::units`] in one.
    pub const ONE: u64 = 1 << 16;

    /// The least σ², ¼.
    pub const LEAST: Self = Self(Self::ONE / 4);

    /// The greatest σ², 2⁴⁴: a σ of four millions.
    pub const GREATEST: Self = Self(1 << 60);

    /// The number of 2⁻¹⁶ths.
    ///
    /// # Errors
    /// A number outside [`Variance::LEAST`] to [`Variance::GREATEST`].
    pub fn new(units: u64) -> Result<Self, PrivacyError> {
        let variance = Self(units);
        let within = (Self::LEAST..=Self::GREATEST).contains(&variance);
        checked("σ²", units as f64 / Self::ONE as f64, within, "1/4 to 2^44")?;
        Ok(variance)
    }

    /// The least such number whose root is at least `sigma`: noise rounds up, never down.
    ///
    /// # Errors
    /// A σ whose square is outside [`Variance::LEAST`] to [`Variance::GREATEST`], or no number.
    pub fn at_least(sigma: f64) -> Result<Self, PrivacyError> {
        positive("σ", sigma)?;
        let squared = sigma * sigma;
        checked("σ²", squared, (0.0..1e18).contains(&squared), "1/4 to 2^44")?;
        let units = (squared * Self::ONE as f64).ceil() as u64;
        let mut variance = Self::new(units)?;
        while variance.sigma() < sigma {
            variance = Self::new(variance.0 + 1)?;
        }
        Ok(variance)
    }

    /// σ² in units of 2⁻¹⁶.
    pub fn units(self) -> u64 {
        self.0
    }

    /// σ, to the nearest double: for the accountant.
    pub fn sigma(self) -> f64 {
        (self.0 as f64 / Self::ONE as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_rounds_up() {
        for sigma in [0.5, 0.500001, 1.0, 1.3, 3.25, 1234.5678, 4_000_000.0] {
            let variance = Variance::at_least(sigma).unwrap();
            assert!(variance.sigma() >= sigma && variance.sigma() <= sigma * (1.0 + 1e-4), "{sigma}");
        }
        assert_eq!(Variance::at_least(1.0).unwrap().units(), Variance::ONE);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        for sigma in [0.0, 0.49, -1.0, 1e7, f64::NAN, f64::INFINITY] {
            assert!(Variance::at_least(sigma).is_err(), "{sigma}");
        }
        assert!(Variance::new(Variance::ONE / 4 - 1).is_err());
        assert!(Variance::new(u64::MAX).is_err());
    }
}
