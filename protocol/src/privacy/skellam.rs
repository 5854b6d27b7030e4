//! Draws of Skellam noise, exact and in integer arithmetic only (Agarwal, Kairouz, Liu 2021): the difference of
//! two Poisson variables.
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use super::bits::Bits;
use super::law::Law;
use super::table::Table;
use super::{PrivacyError, Variance};

/// Skellam noise of given variance, ready to be drawn from: by a table of the Poisson law of half its variance.
///
/// # Security
/// Draw the noise before the input is at hand, so that the time it takes tells nothing about their sum.
#[derive(Clone, Debug)]
pub struct SkellamNoise {
    variance: Variance,
    half: Table,
}

/// The greatest variance, in squared integer units: tables beyond would take more memory than a client has.
const GREATEST: u64 = 1 << 24;

impl SkellamNoise {
    /// Computes the table: it takes about 700 bytes and some microseconds for each unit of σ.
    ///
    /// # Errors
    /// A variance above 2^24, that is σ above 4096.
    pub fn new(variance: Variance) -> Result<Self, PrivacyError> {
        Self::admits(variance)?;
        let half = Table::new(Law::Poisson { numerator: variance.units(), denominator: 2 * Variance::ONE });
        Ok(Self { variance, half })
    }

    /// Whether noise of this variance can be drawn.
    pub(super) fn admits(variance: Variance) -> Result<(), PrivacyError> {
        if variance.units() > GREATEST * Variance::ONE {
            return Err(PrivacyError::TooMuchNoise {
                units: variance.units() / Variance::ONE,
                greatest: GREATEST,
            });
        }
        Ok(())
    }

    /// The variance.
    pub fn variance(&self) -> Variance {
        self.variance
    }

    /// `count` independent draws, which follow from the seed.
    ///
    /// The seed is used for nothing else: the same seed gives the same noise.
    pub fn draw(&self, seed: &[u8; 32], count: usize) -> Vec<i64> {
        let mut bits = Bits::new(seed, "skellam");
        let mut half = || self.half.draw(&mut bits) as i64;
        (0..count).map(|_| half() - half()).collect()
    }
}
