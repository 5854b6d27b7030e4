//! Which noise: the choice of a mechanism, and what depends on it alone.

use clap::ValueEnum;
use secagg::VectorSpec;
use secagg::privacy::ledger::{Kind, Release};
use secagg::privacy::{
    CentredEncoding, CentredGaussian, DistributedGaussian, Encoding, GaussianNoise, NoiseLaw, PrivacyError,
    Sensitivity, Skellam, SkellamNoise, Task, Variance,
};

use super::coding::Coding;
use super::loss::{Loss, Sampling};

/// A mechanism of distributed noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scheme {
    /// Distributed discrete Gaussian (Kairouz, Liu, Steinke 2021)
    Ddg,
    /// Skellam (Agarwal, Kairouz, Liu 2021)
    Skellam,
    /// Centred discrete Gaussian: fewest bits, but EXPERIMENTAL, for nobody outside of this project has checked its proof
    Centred,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ddg, Self::Skellam, Self::Centred];

    /// Whether its guarantee is this project's own claim, which nobody outside has reviewed.
    pub fn is_experimental(self) -> bool {
        self == Self::Centred
    }

    /// The name for people, which says so.
    pub fn label(self) -> String {
        format!("{}{}", self.name(), if self.is_experimental() { " (experimental)" } else { "" })
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ddg => "ddg",
            Self::Skellam => "skellam",
            Self::Centred => "centred",
        }
    }

    /// The greatest σ of a share that its sampler draws, in integer units.
    pub(super) fn greatest_sigma(self) -> f64 {
        match self {
            Self::Ddg => f64::exp2(22.0),
            Self::Skellam => f64::exp2(12.0),
            Self::Centred => 8.0,
        }
    }

    /// The encoding with the least noise for which `epsilon` of it is at most `target`.
    ///
    /// # Errors
    /// A target that is not positive, or that no noise reaches with these bits.
    pub(super) fn calibrate(
        self,
        task: Task,
        target: f64,
        epsilon: impl Fn(&Coding) -> Result<f64, PrivacyError>,
    ) -> Result<Coding, PrivacyError> {
        match self {
            Self::Ddg | Self::Skellam => {
                Encoding::calibrate(task, target, |one| epsilon(&Coding::Rounded(*one))).map(Coding::Rounded)
            }
            Self::Centred => CentredEncoding::calibrate(task, target, |one| epsilon(&Coding::Centred(*one)))
                .map(Coding::Centred),
        }
    }

    /// The vector of a session whose clients encode and add noise so.
    ///
    /// # Errors
    /// Another mechanism's coding; numbers that a configuration cannot carry.
    pub fn vector(self, name: &str, coding: &Coding) -> Result<VectorSpec, PrivacyError> {
        let rounded = |law| match coding {
            Coding::Rounded(encoding) => VectorSpec::with_noise(name, law, encoding),
            Coding::Centred(_) => Err(PrivacyError::OtherNoise),
        };
        match (self, coding) {
            (Self::Ddg, _) => rounded(NoiseLaw::DiscreteGaussian),
            (Self::Skellam, _) => rounded(NoiseLaw::Skellam),
            (Self::Centred, Coding::Centred(encoding)) => VectorSpec::with_centred_noise(name, encoding),
            (Self::Centred, Coding::Rounded(_)) => Err(PrivacyError::NoFractions),
        }
    }

    /// What one round gives away whose sum holds `shares` shares of noise that the adversary does not know.
    ///
    /// # Errors
    /// No share; noise that cannot be drawn or is below the mechanism's floor; a rate that is none.
    pub fn loss(self, encoding: &Coding, shares: u32, sampling: Sampling) -> Result<Loss, PrivacyError> {
        self.loss_of(encoding.variance()?, encoding.sensitivity()?, shares, sampling)
    }

    /// As [`Scheme::loss`], for shares of this variance.
    ///
    /// # Errors
    /// As [`Scheme::loss`].
    pub fn loss_of(
        self,
        variance: Variance,
        sensitivity: Sensitivity,
        shares: u32,
        sampling: Sampling,
    ) -> Result<Loss, PrivacyError> {
        if shares == 0 {
            return Err(no_survivor());
        }
        let sigma = variance.sigma();
        match self {
            Self::Ddg => Loss::of(sensitivity, sampling, |by| DistributedGaussian::new(shares, sigma, by)),
            Self::Skellam => {
                Loss::of(sensitivity, sampling, |by| Skellam::new(f64::from(shares) * sigma * sigma, by))
            }
            Self::Centred => Loss::of(sensitivity, sampling, |by| CentredGaussian::new(shares, sigma, by)),
        }
    }

    /// What a ledger keeps of a round whose sum holds `shares` shares of this variance that the adversary does not know.
    ///
    /// # Errors
    /// A norm bound that is not finite.
    pub fn release(
        self,
        coding: &Coding,
        variance: Variance,
        shares: u32,
        sampling: Sampling,
    ) -> Result<Release, PrivacyError> {
        let kind = match self {
            Self::Ddg => Kind::Gaussian,
            Self::Skellam => Kind::Skellam,
            Self::Centred => Kind::Centred,
        };
        let (norm, dimension) = (coding.sensitivity()?.l2(), coding.padded_dimension());
        Ok(Release { kind, shares: vec![(shares, variance)], norm, dimension, sampling: sampling.into() })
    }

    /// The sampler of shares of noise of σ `sigma` around zero, in integer units, rounded up.
    ///
    /// # Errors
    /// Noise that cannot be drawn.
    pub(super) fn noise(self, sigma: f64) -> Result<Noise, PrivacyError> {
        let variance = Variance::at_least(sigma)?;
        Ok(match self {
            Self::Ddg | Self::Centred => Noise::Gaussian(GaussianNoise::new(variance)),
            Self::Skellam => Noise::Skellam(SkellamNoise::new(variance)?),
        })
    }
}

pub(super) fn no_survivor() -> PrivacyError {
    let (what, range) = ("the number of honest survivors", "at least 1");
    PrivacyError::OutOfRange { what, found: 0.0, range }
}

/// A sampler.
pub(super) enum Noise {
    Gaussian(GaussianNoise),
    Skellam(SkellamNoise),
    /// Switched off, for an audit that must fail.
    Off,
}

impl Noise {
    /// `count` independent draws that follow from the seed.
    pub(super) fn draw(&self, seed: &[u8; 32], count: usize) -> Vec<i64> {
        match self {
            Self::Gaussian(noise) => noise.draw(seed, count),
            Self::Skellam(noise) => noise.draw(seed, count),
            Self::Off => vec![0; count],
        }
    }
}

#[cfg(test)]
mod tests {
    use secagg::privacy::CentredNoise;

    use super::*;

    #[test]
    fn samplers_draw_up_to_the_greatest_sigma_and_not_beyond() {
        for scheme in Scheme::ALL {
            let drawn = |sigma: f64| match scheme {
                Scheme::Centred => CentredNoise::new(Variance::at_least(sigma).unwrap(), 0).is_ok(),
                Scheme::Ddg | Scheme::Skellam => scheme.noise(sigma).is_ok(),
            };
            assert!(drawn(scheme.greatest_sigma()), "{}", scheme.name());
            assert!(!drawn(scheme.greatest_sigma() * 1.01), "{}", scheme.name());
        }
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for scheme in Scheme::ALL {
            assert_eq!(Scheme::from_str(scheme.name(), false), Ok(scheme));
        }
        assert_eq!(Scheme::ALL.len(), Scheme::value_variants().len());
    }
}
