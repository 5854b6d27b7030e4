//! What the privacy module refuses.

/// A number that admits no guarantee, with the range that does.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivacyError {
    /// A number that is not finite or lies outside its range.
    #[error("{what} is {found}; it must be {range}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Its value.
        found: f64,
        /// The admissible values, in words.
        range: &'static str,
    },
    /// Noise below the floor of the mechanism's theorem.
    #[error("the noise of a share has σ = {found} in integer units; {mechanism} needs at least {least}")]
    TooLittleNoise {
        /// The mechanism.
        mechanism: &'static str,
        /// The share's standard deviation, in integer units.
        found: f64,
        /// The least that the theorem allows.
        least: f64,
    },
    /// Noise beyond what a sampler's table can hold.
    #[error("the noise of a share has variance {units} in squared integer units; Skellam allows {greatest}")]
    TooMuchNoise {
        /// The whole part of the variance.
        units: u64,
        /// The greatest that can be drawn.
        greatest: u64,
    },
    /// A parameter that no sampler is made for.
    #[error("{what} is {found}; it must be {least} to {greatest}")]
    NotDrawn {
        /// Which parameter.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The least that can be drawn.
        least: u64,
        /// The greatest that can be drawn.
        greatest: u64,
    },
    /// A ring that cannot hold the sum.
    #[error("{found} bits cannot hold the sum of the clients' noise and roundings; take at least {least}")]
    TooFewBits {
        /// Bits a coordinate.
        found: u8,
        /// The fewest that can, [`u8::MAX`] if none up to 62 do.
        least: u8,
    },
    /// A privacy target that no noise reaches with the given ring.
    #[error("with {bits} bits ε cannot fall below {least}; {target} was asked for: take more bits")]
    Unreachable {
        /// The ε asked for.
        target: f64,
        /// The least ε found.
        least: f64,
        /// Bits a coordinate.
        bits: u8,
    },
    /// A vector of another length than the encoding's.
    #[error("{found} {what}; the encoding has {expected}")]
    Length {
        /// What there are too many or too few of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: u32,
    },
    /// A coordinate that is not finite.
    #[error("the coordinate at {at} is not a finite number")]
    NoNumber {
        /// Its index.
        at: usize,
    },
    /// An element of a sum that is outside the ring.
    #[error("the element at {at} has more than {bits} bits")]
    NoElement {
        /// Its index.
        at: usize,
        /// Bits of an element.
        bits: u8,
    },
    /// A sampler that was made for another encoding.
    #[error("the noise has another variance or grid than the encoding; make it with the encoding's `noise`")]
    OtherNoise,
    /// Centred noise for an encoding that rounds to integers.
    #[error(
        "centred noise is drawn around fractions, and the encoding rounds to integers; take a `CentredEncoding`"
    )]
    NoFractions,
    /// A vector of which no rounding was within the norm bound.
    #[error("none of {attempts} roundings of the vector is within the norm bound")]
    TooLong {
        /// Roundings that were tried.
        attempts: u32,
    },
}

/// The number, if it is finite and `admissible`.
pub(super) fn checked(
    what: &'static str,
    found: f64,
    admissible: bool,
    range: &'static str,
) -> Result<f64, PrivacyError> {
    if found.is_finite() && admissible {
        Ok(found)
    } else {
        Err(PrivacyError::OutOfRange { what, found, range })
    }
}

/// A finite number above zero.
pub(super) fn positive(what: &'static str, found: f64) -> Result<f64, PrivacyError> {
    checked(what, found, found > 0.0, "finite and above 0")
}

/// A probability that is neither zero nor one.
pub(super) fn probability(what: &'static str, found: f64) -> Result<f64, PrivacyError> {
    checked(what, found, found > 0.0 && found < 1.0, "between 0 and 1, both excluded")
}
