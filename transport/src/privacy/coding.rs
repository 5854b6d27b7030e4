//! From real vectors into the ring and back: with roundings to integers, or with noise around the real value.

use secagg::privacy::{CentredEncoding, Encoding, PrivacyError, Rotation, Sensitivity, Task, Variance};

/// Scale, noise and norm bound of one kind of round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coding {
    /// Integers with noise around zero.
    Rounded(Encoding),
    /// Noise around the real value. Experimental.
    Centred(CentredEncoding),
}

/// The same method of whichever it is.
macro_rules! of_either {
    ($self:ident, $encoding:ident => $value:expr) => {
        match $self {
            Coding::Rounded($encoding) => $value,
            Coding::Centred($encoding) => $value,
        }
    };
}

impl Coding {
    /// The task that it is for.
    pub fn task(&self) -> &Task {
        of_either!(self, encoding => encoding.task())
    }

    /// Coordinates after padding to a power of two.
    pub fn padded_dimension(&self) -> u32 {
        of_either!(self, encoding => encoding.padded_dimension())
    }

    /// The factor from real to integer units.
    pub fn scale(&self) -> f64 {
        of_either!(self, encoding => encoding.scale())
    }

    /// The parameter σ of a client's share of noise, in real units.
    pub fn sigma_real(&self) -> f64 {
        of_either!(self, encoding => encoding.sigma_real())
    }

    /// σ² of a client's share of noise, exactly as it is drawn.
    ///
    /// # Errors
    /// A σ that cannot be drawn.
    pub fn variance(&self) -> Result<Variance, PrivacyError> {
        of_either!(self, encoding => encoding.variance())
    }

    /// The sensitivity of the sum to one client, in integer units.
    ///
    /// # Errors
    /// A norm bound that is not finite.
    pub fn sensitivity(&self) -> Result<Sensitivity, PrivacyError> {
        of_either!(self, encoding => encoding.sensitivity())
    }

    /// The square of the norm bound, in squared integer units.
    pub fn norm_squared(&self) -> f64 {
        of_either!(self, encoding => encoding.norm_squared())
    }

    /// The greatest sum of squares of a rounded vector as a configuration has it: in squared integer units, or in units
    /// of 2^-24 of them for centred noise; none if it is 2^64 of these or more.
    pub fn greatest_sum_of_squares(&self) -> Option<u64> {
        match self {
            Self::Rounded(encoding) => encoding.greatest_sum_of_squares().ok()?.try_into().ok(),
            Self::Centred(encoding) => encoding.norm_squared_units().ok(),
        }
    }

    /// The probability that a given coordinate of the sum wraps.
    pub fn wrap_probability(&self) -> f64 {
        of_either!(self, encoding => encoding.wrap_probability())
    }

    /// The error to be expected of a coordinate of the decoded sum of so many survivors, in real units, if σ² of each
    /// one's share, in squared integer units, is `variance`; see [`Encoding::expected_error`].
    pub fn expected_error(&self, survivors: u32, variance: f64) -> f64 {
        of_either!(self, encoding => encoding.expected_error(survivors, variance))
    }

    /// The sum of the clipped vectors with the noise of all clients, in real units.
    ///
    /// # Errors
    /// A sum of another length, or with elements of more bits.
    pub fn decode(&self, sum: &[u64], rotation: &Rotation) -> Result<Vec<f64>, PrivacyError> {
        of_either!(self, encoding => encoding.decode(sum, rotation))
    }
}
