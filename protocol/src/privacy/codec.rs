//! From a client's real vector to what it hands to the session, and from the session's sum to a real vector.

use zeroize::Zeroizing;

use super::centred_noise::CentredNoise;
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
        let steps = self.steps()?;
        let grid = Zeroizing::new(steps.grid(vector, rotation)?);
        steps.ring(&grid, noise, seed)
    }

    /// As [`Encoding::encode`], with noise that is drawn around the rounded vector.
    pub(super) fn encode_around(
        &self,
        vector: &[f64],
        rotation: &Rotation,
        noise: &CentredNoise,
        seed: &[u8; 32],
    ) -> Result<Vec<u64>, PrivacyError> {
        let steps = self.steps()?;
        let grid = Zeroizing::new(steps.grid(vector, rotation)?);
        steps.ring_around(&grid, noise, seed)
    }

    /// Centres the elements of a sum, rotates back, removes the padding and scales to real units: the sum of the
    /// clipped vectors, with the noise of all clients.
    ///
    /// # Errors
    /// A sum of another length than [`Encoding::padded_dimension`], or with elements of more bits.
    pub fn decode(&self, sum: &[u64], rotation: &Rotation) -> Result<Vec<f64>, PrivacyError> {
        self.steps()?.real(sum, rotation)
    }

    fn steps(&self) -> Result<Steps, PrivacyError> {
        Ok(Steps {
            dimension: self.task().dimension,
            padded: self.padded_dimension(),
            clip: self.task().clip,
            scale: self.scale(),
            greatest: self.greatest_sum_of_squares()?,
            bits: self.task().bits,
        })
    }
}

/// The numbers that the way into the ring and back depends on.
pub(super) struct Steps {
    pub(super) dimension: u32,
    pub(super) padded: u32,
    pub(super) clip: f64,
    pub(super) scale: f64,
    /// The greatest sum of squares of a rounded vector.
    pub(super) greatest: u128,
    pub(super) bits: u8,
}

impl Steps {
    /// Clips, pads, rotates and scales, in floating point: whole multiples of the grid's unit.
    pub(super) fn grid(&self, vector: &[f64], rotation: &Rotation) -> Result<Vec<i64>, PrivacyError> {
        expect_length("coordinates", vector.len(), self.dimension)?;
        if let Some(at) = vector.iter().position(|value| !value.is_finite()) {
            return Err(PrivacyError::NoNumber { at });
        }
        let mut real = Zeroizing::new(vec![0.0; self.padded as usize]);
        let factor = clip_factor(vector, self.clip);
        for (padded, value) in real.iter_mut().zip(vector) {
            *padded = value * factor;
        }
        rotation.apply(&mut real);
        let unit = self.scale * f64::from(1u32 << GRID_BITS);
        if let Some(at) = real.iter().position(|value| !(value * unit).is_finite()) {
            return Err(PrivacyError::NoNumber { at });
        }
        // What is too large for the grid saturates, and is then refused by the norm bound, which is below 2^96.
        Ok(real.iter().map(|value| (value * unit).round() as i64).collect())
    }

    /// Rounds within the norm bound, adds the noise and wraps.
    pub(super) fn ring(
        &self,
        grid: &[i64],
        noise: &[i64],
        seed: &[u8; 32],
    ) -> Result<Vec<u64>, PrivacyError> {
        expect_length("values of noise", noise.len(), self.padded)?;
        Ok(round::wrap(&self.rounded(grid, seed)?, noise, self.bits))
    }

    /// Rounds within the norm bound, draws the noise around it and wraps.
    pub(super) fn ring_around(
        &self,
        grid: &[i64],
        noise: &CentredNoise,
        seed: &[u8; 32],
    ) -> Result<Vec<u64>, PrivacyError> {
        let mut drawn = self.rounded(grid, seed)?;
        noise.draw_over(&mut drawn, seed);
        Ok(round::reduce(&drawn, self.bits))
    }

    /// Rounds within the norm bound.
    fn rounded(&self, grid: &[i64], seed: &[u8; 32]) -> Result<Zeroizing<Vec<i64>>, PrivacyError> {
        expect_length("coordinates", grid.len(), self.padded)?;
        Ok(Zeroizing::new(round::conditionally(grid, self.greatest, seed)?))
    }

    /// Centres, rotates back, removes the padding and scales.
    pub(super) fn real(&self, sum: &[u64], rotation: &Rotation) -> Result<Vec<f64>, PrivacyError> {
        expect_length("elements", sum.len(), self.padded)?;
        let bits = self.bits;
        if let Some(at) = sum.iter().position(|element| element >> bits != 0) {
            return Err(PrivacyError::NoElement { at, bits });
        }
        let mut real: Vec<f64> =
            sum.iter().map(|&element| round::centre(element, bits) as f64 / self.scale).collect();
        rotation.undo(&mut real);
        real.truncate(self.dimension as usize);
        Ok(real)
    }
}

fn expect_length(what: &'static str, found: usize, expected: u32) -> Result<(), PrivacyError> {
    if found == expected as usize { Ok(()) } else { Err(PrivacyError::Length { what, found, expected }) }
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
