//! From real vectors into the ring and back without rounding to integers: the noise is drawn around the real value.
//! **Experimental**, see `spec/centred.md`.

use super::centred_noise::{CentredNoise, GREATEST_GRID, fraction_bits};
use super::encoding::{Encoding, Task, calibrated, share, wrap_deviations};
use super::error::{PrivacyError, checked, positive};
use super::mechanism::Sensitivity;
use super::rotate::Rotation;
use super::smoothing::LEAST_SIGMA;
use super::variance::Variance;

/// The numbers that clients and server share for a round of the centred discrete Gaussian.
///
/// Coordinates are rounded to a grid so fine that the norm hardly grows, and each client draws its ring element from
/// the discrete Gaussian around the grid point. At equal ε and error that takes about half the bits of
/// [`Encoding`], where roundings to integers enlarge the norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CentredEncoding {
    /// In units of the grid: its scale is 2^grid times that into the ring.
    fine: Encoding,
    grid: u32,
}

/// The σ in integer units beyond which the scale does not grow: more would only make rows longer, and what is left of
/// the ring makes wraps rarer instead.
const ENOUGH_SIGMA: f64 = 4.0;

impl CentredEncoding {
    /// Chooses scale and grid for shares of noise of the parameter `sigma`, in real units.
    ///
    /// The scale is [`Encoding::new`]'s but for the roundings, and at most that at which σ is 4 integer units. The
    /// grid is the one that follows from the norm bound in a configuration: roundings enlarge the squared norm by
    /// 1/512 and β's part, which falls as the dimension grows.
    ///
    /// # Errors
    /// A number outside its range; bits, or a greatest scale, with which σ would be below
    /// [`super::LEAST_CENTRED_SIGMA`] integer units.
    pub fn new(task: Task, sigma: f64) -> Result<Self, PrivacyError> {
        Self::with_deviations(task, wrap_deviations(task.wrap)?, sigma)
    }

    fn with_deviations(task: Task, deviations: f64, sigma: f64) -> Result<Self, PrivacyError> {
        let found = Self::unchecked(task, deviations, sigma)?;
        if found.sigma() >= LEAST_SIGMA {
            return Ok(found);
        }
        let enough = |bits: &u8| {
            let wider = Self::unchecked(Task { bits: *bits, ..task }, deviations, sigma);
            wider.is_ok_and(|wider| wider.sigma() >= LEAST_SIGMA)
        };
        match (task.bits..=62).find(enough) {
            Some(least) => Err(PrivacyError::TooFewBits { found: task.bits, least }),
            None => {
                let mechanism = "the centred discrete Gaussian";
                Err(PrivacyError::TooLittleNoise { mechanism, found: found.sigma(), least: LEAST_SIGMA })
            }
        }
    }

    fn unchecked(task: Task, deviations: f64, sigma: f64) -> Result<Self, PrivacyError> {
        positive("the σ of a share", sigma)?;
        let limit = ENOUGH_SIGMA / sigma;
        let greatest_scale = Some(task.greatest_scale.map_or(limit, |greatest| greatest.min(limit)));
        let of = |grid: u32| {
            let coarse = Encoding::on_grid(Task { greatest_scale, ..task }, deviations, sigma, grid)?;
            let fine = coarse.rescaled(coarse.scale() * f64::exp2(f64::from(grid)));
            Ok(Self { fine, grid })
        };
        // A grid too coarse for the ring may be none at all; the finest says what is wrong.
        let fits = |found: &Result<Self, PrivacyError>| found.as_ref().is_ok_and(Self::has_its_grid);
        (0..GREATEST_GRID).map(of).find(fits).unwrap_or_else(|| of(GREATEST_GRID))
    }

    /// Whether the grid is the one that follows from the norm bound on it.
    fn has_its_grid(&self) -> bool {
        let norm_squared = self.norm_squared_units().unwrap_or(u64::MAX);
        fraction_bits(norm_squared, self.padded_dimension().into()) == self.grid
    }

    /// As [`CentredEncoding::new`] for noise that is, in the sum of all clients, `multiplier` times the clip.
    ///
    /// # Errors
    /// As [`CentredEncoding::new`].
    pub fn with_multiplier(task: Task, multiplier: f64) -> Result<Self, PrivacyError> {
        checked("the number of clients", f64::from(task.clients), task.clients > 0, "at least 1")?;
        Self::new(task, share(&task, multiplier))
    }

    /// The encoding with the least noise for which `epsilon` of it is at most `target`, as [`Encoding::calibrate`].
    ///
    /// # Errors
    /// A target that is not positive, or that no noise reaches with these bits.
    pub fn calibrate(
        task: Task,
        target: f64,
        epsilon: impl Fn(&Self) -> Result<f64, PrivacyError>,
    ) -> Result<Self, PrivacyError> {
        let deviations = wrap_deviations(task.wrap)?;
        let at = |multiplier| Self::with_deviations(task, deviations, share(&task, multiplier));
        calibrated(&task, target, at, epsilon)
    }

    /// The fewest bits with which the task's other numbers, and this noise multiplier, can be encoded.
    ///
    /// # Errors
    /// As [`CentredEncoding::with_multiplier`] with any number of bits.
    pub fn fewest_bits(task: Task, multiplier: f64) -> Result<u8, PrivacyError> {
        match Self::with_multiplier(Task { bits: 1, ..task }, multiplier) {
            Ok(_) => Ok(1),
            // What the roundings need is less than what the noise needs.
            Err(PrivacyError::TooFewBits { least, .. }) if least <= 62 => {
                match Self::with_multiplier(Task { bits: least, ..task }, multiplier) {
                    Err(PrivacyError::TooFewBits { least, .. }) => Ok(least),
                    found => found.map(|_| least),
                }
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The factor s from real to integer units.
    pub fn scale(&self) -> f64 {
        self.fine.scale() / f64::exp2(f64::from(self.grid))
    }

    /// The task that the encoding is for.
    pub fn task(&self) -> &Task {
        self.fine.task()
    }

    /// Bits of fraction of the grid.
    pub fn grid(&self) -> u32 {
        self.grid
    }

    /// Coordinates after padding to a power of two.
    pub fn padded_dimension(&self) -> u32 {
        self.fine.padded_dimension()
    }

    /// Standard deviations of the sum that fit on either side, at least.
    pub fn deviations(&self) -> f64 {
        self.fine.deviations()
    }

    /// The parameter σ of a client's share of noise, in real units.
    pub fn sigma_real(&self) -> f64 {
        self.fine.sigma_real()
    }

    /// The parameter σ of a client's share of noise, in integer units.
    pub fn sigma(&self) -> f64 {
        self.sigma_real() * self.scale()
    }

    /// σ² of a client's share of noise, exactly as it is drawn: at least [`CentredEncoding::sigma`] squared.
    ///
    /// # Errors
    /// A σ that cannot be drawn.
    pub fn variance(&self) -> Result<Variance, PrivacyError> {
        Variance::at_least(self.sigma())
    }

    /// The sampler for [`CentredEncoding::encode`].
    ///
    /// # Errors
    /// A σ that cannot be drawn.
    pub fn noise(&self) -> Result<CentredNoise, PrivacyError> {
        CentredNoise::new(self.variance()?, self.grid)
    }

    /// The square of the norm bound D of a vector on the grid, in squared integer units.
    pub fn norm_squared(&self) -> f64 {
        self.fine.norm_squared() / f64::exp2(2.0 * f64::from(self.grid))
    }

    /// The greatest sum of squares of a vector on the grid, in units of 2⁻²⁴ squared integer units: what the client
    /// checks in integers.
    ///
    /// # Errors
    /// A bound of 2^40 or more squared integer units.
    pub fn norm_squared_units(&self) -> Result<u64, PrivacyError> {
        let finest = 1u128 << (2 * (GREATEST_GRID - self.grid));
        let units = self.fine.greatest_sum_of_squares()?.checked_mul(finest);
        units.and_then(|units| units.try_into().ok()).ok_or_else(|| PrivacyError::OutOfRange {
            what: "the square of the norm bound",
            found: self.norm_squared(),
            range: "below 2^40: take fewer bits or a limit to the scale",
        })
    }

    /// How much the grid's roundings enlarge the squared norm, relative to the clip's.
    pub fn inflation(&self) -> f64 {
        self.norm_squared() / (self.task().clip * self.scale()).powi(2) - 1.0
    }

    /// The sensitivity of the sum to one client, in integer units.
    ///
    /// # Errors
    /// A norm bound that is not finite.
    pub fn sensitivity(&self) -> Result<Sensitivity, PrivacyError> {
        Sensitivity::of_reals(self.norm_squared().sqrt(), self.padded_dimension())
    }

    /// The probability that a given coordinate of the sum wraps, under the model of [`Encoding::new`].
    pub fn wrap_probability(&self) -> f64 {
        self.fine.rescaled(self.scale()).wrap_probability_on_grid(self.grid)
    }

    /// Clips, pads, rotates, scales and rounds the vector to the grid, draws the noise around it and wraps: a ring
    /// element for each padded coordinate.
    ///
    /// `seed` is secret, the client's own, and used once: the rounding and the noise have streams of their own from
    /// it.
    ///
    /// # Errors
    /// A sampler of another σ² or grid; a vector of another length; a coordinate that is no number; a vector that
    /// cannot be rounded within the norm bound.
    pub fn encode(
        &self,
        vector: &[f64],
        rotation: &Rotation,
        noise: &CentredNoise,
        seed: &[u8; 32],
    ) -> Result<Vec<u64>, PrivacyError> {
        if noise.variance() != self.variance()? || noise.grid() != self.grid {
            return Err(PrivacyError::OtherNoise);
        }
        self.fine.encode_around(vector, rotation, noise, seed)
    }

    /// Centres the elements of a sum, rotates back, removes the padding and scales to real units.
    ///
    /// # Errors
    /// As [`Encoding::decode`].
    pub fn decode(&self, sum: &[u64], rotation: &Rotation) -> Result<Vec<f64>, PrivacyError> {
        self.fine.rescaled(self.scale()).decode(sum, rotation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::CentredGaussian;
    use super::*;

    fn task(bits: u8) -> Task {
        let (beta, wrap) = ((-0.5f64).exp(), 6.334e-5);
        Task { clients: 100, bits, clip: 1.0, dimension: 1 << 20, beta, wrap, greatest_scale: None }
    }

    #[test]
    fn seven_to_nine_bits_are_enough_where_rounding_takes_fifteen() {
        for (clients, bits) in [(100, 7), (1000, 9), (10_000, 14)] {
            let task = Task { clients, ..task(1) };
            assert_eq!(CentredEncoding::fewest_bits(task, 1.0), Ok(bits), "{clients}");
            let encoding = CentredEncoding::with_multiplier(Task { bits, ..task }, 1.0).unwrap();
            assert!((1.05..=4.0).contains(&encoding.sigma()) && encoding.inflation() <= 1.0 / 256.0);
            assert!(encoding.wrap_probability() <= 6.334e-5 * 1.0001);
            // At those bits, roundings to integers would enlarge the norm many times over.
            let rounded = Encoding::with_multiplier(Task { bits, ..task }, 1.0);
            assert!(
                rounded.is_err()
                    || clients > 1000
                    || rounded.unwrap().norm_squared().sqrt() > 10.0 * encoding.sigma()
            );
        }
    }

    #[test]
    fn epsilon_is_the_central_gaussians_within_the_grid() {
        let encoding = CentredEncoding::with_multiplier(task(7), 1.0).unwrap();
        let of = |encoding: &CentredEncoding| {
            CentredGaussian::new(100, encoding.variance()?.sigma(), encoding.sensitivity()?)?.epsilon(1, 1e-5)
        };
        let (found, central) = (of(&encoding).unwrap(), super::super::zcdp::epsilon(0.5, 1e-5).unwrap());
        assert!(found > central * 0.999 && found < central * 1.004, "{found} {central}");
        let calibrated = CentredEncoding::calibrate(task(7), 2.0, of).unwrap();
        let met = of(&calibrated).unwrap();
        assert!(met <= 2.0 && met > 2.0 * (1.0 - 1e-4), "{met}");
    }

    #[test]
    fn more_bits_make_wraps_rarer_and_no_more() {
        let (seven, twelve) = (task(7), task(12));
        let of = |task| CentredEncoding::with_multiplier(task, 1.0).unwrap();
        assert!(of(twelve).wrap_probability() < 1e-100);
        assert!((of(twelve).sigma() / 4.0 - 1.0).abs() < 1e-12 && of(seven).grid() > of(twelve).grid());
    }

    #[test]
    fn what_cannot_be_encoded_is_refused_with_what_can() {
        let refused = CentredEncoding::with_multiplier(task(6), 1.0).unwrap_err();
        assert_eq!(refused, PrivacyError::TooFewBits { found: 6, least: 7 });
        let limited = Task { greatest_scale: Some(0.1), ..task(7) };
        let refused = CentredEncoding::with_multiplier(limited, 1.0).unwrap_err().to_string();
        assert!(refused.contains("at least 1.05"), "{refused}");
        for multiplier in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(CentredEncoding::with_multiplier(task(7), multiplier).is_err());
        }
        for wrong in [
            Task { clients: 0, ..task(7) },
            Task { clip: 0.0, ..task(7) },
            Task { clip: f64::NAN, ..task(7) },
            Task { dimension: 0, ..task(7) },
            Task { dimension: 1 << 30, ..task(7) },
            Task { bits: 0, ..task(7) },
            Task { bits: 63, ..task(7) },
            Task { beta: 1.0, ..task(7) },
            Task { wrap: 0.0, ..task(7) },
        ] {
            assert!(CentredEncoding::with_multiplier(wrong, 1.0).is_err(), "{wrong:?}");
        }
    }
}
