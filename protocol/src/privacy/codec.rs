//! From a client's real vector to what it hands to the session, and from the session's sum to a real vector.

use zeroize::Zeroizing;

use super::encoding::Encoding;
use super::error::PrivacyError;
use super::rotate::Rotation;
use super::round::{self, GRID_BITS};
use super::variance::Variance;

impl Encoding {
    /// σ² of a client's share of noise, exactly as it is drawn: at least [`Encoding::sigma`] squared.
    ///
    /// # Errors
    /// A σ that cannot be drawn.
    pub fn variance(&self) -> Result<Variance, PrivacyError> {
        Variance::at_least(self.sigma())
    }

    /// Clips, pads, rotates, scales and rounds the vector, adds the noise and wraps: a ring element for each
    /// padded coordinate.
    ///
    /// `noise` is drawn beforehand, [`Encoding::padded_dimension`] values of [`Encoding::variance`], from a seed
    /// of the client's own. `seed` is for the rounding: it too is secret, the client's own, and used once; no
    /// stream of it coincides with one of the noise.
    ///
    /// # Errors
    /// A vector or noise of another length; a coordinate that is no number; a vector that cannot be rounded
    /// within the norm bound.
    pub fn encode(
        &self,
        vector: &[f64],
        rotation: &Rotation,
        noise: &[i64],
        seed: &[u8; 32],
    ) -> Result<Vec<u64>, PrivacyError> {
        self.expect_length("values of noise", noise.len(), self.padded_dimension())?;
        let rounded = self.rounded(vector, rotation, seed)?;
        Ok(round::wrap(&rounded, noise, self.task().bits))
    }

    /// Clips, pads, rotates, scales and rounds the vector: within the norm bound, which is checked in integers.
    pub(super) fn rounded(
        &self,
        vector: &[f64],
        rotation: &Rotation,
        seed: &[u8; 32],
    ) -> Result<Zeroizing<Vec<i64>>, PrivacyError> {
        self.expect_length("coordinates", vector.len(), self.task().dimension)?;
        if let Some(at) = vector.iter().position(|value| !value.is_finite()) {
            return Err(PrivacyError::NoNumber { at });
        }
        let mut real = Zeroizing::new(vec![0.0; self.padded_dimension() as usize]);
        let factor = clip_factor(vector, self.task().clip);
        for (padded, value) in real.iter_mut().zip(vector) {
            *padded = value * factor;
        }
        rotation.apply(&mut real);
        let unit = self.scale() * f64::from(1u32 << GRID_BITS);
        // What is too large for the grid saturates, and is then refused by the norm bound, which is below 2^96.
        let grid = Zeroizing::new(real.iter().map(|value| (value * unit).round() as i64).collect::<Vec<_>>());
        Ok(Zeroizing::new(round::conditionally(&grid, self.greatest_sum_of_squares()?, seed)?))
    }

    /// Centres the elements of a sum, rotates back, removes the padding and scales to real units: the sum of the
    /// clipped vectors, with the noise of all clients.
    ///
    /// # Errors
    /// A sum of another length than [`Encoding::padded_dimension`], or with elements of more bits.
    pub fn decode(&self, sum: &[u64], rotation: &Rotation) -> Result<Vec<f64>, PrivacyError> {
        self.expect_length("elements", sum.len(), self.padded_dimension())?;
        let bits = self.task().bits;
        if let Some(at) = sum.iter().position(|element| element >> bits != 0) {
            return Err(PrivacyError::NoElement { at, bits });
        }
        let mut real: Vec<f64> =
            sum.iter().map(|&element| round::centre(element, bits) as f64 / self.scale()).collect();
        rotation.undo(&mut real);
        real.truncate(self.task().dimension as usize);
        Ok(real)
    }

    fn expect_length(&self, what: &'static str, found: usize, expected: u32) -> Result<(), PrivacyError> {
        if found == expected as usize { Ok(()) } else { Err(PrivacyError::Length { what, found, expected }) }
    }
}

/// min(1, c/‖x‖), where the norm is computed relative to the greatest coordinate, so that no square overflows.
fn clip_factor(vector: &[f64], clip: f64) -> f64 {
    let greatest = vector.iter().fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
    if greatest == 0.0 {
        return 1.0;
    }
    let relative = vector.iter().map(|value| (value / greatest).powi(2)).sum::<f64>().sqrt();
    (clip / greatest / relative).min(1.0)
}
