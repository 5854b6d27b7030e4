//! A client's way from its vector to ring elements with noise in them.

use secagg::privacy::{Encoding, PrivacyError, Rotation};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::scheme::{Noise, Scheme};

/// Encodes vectors of one kind of round; the sampler's tables are made once.
pub struct Encoder {
    encoding: Encoding,
    noise: Noise,
}

/// The client's own secrets for one vector, each used once.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seeds {
    /// Of the noise.
    pub noise: [u8; 32],
    /// Of the rounding.
    pub rounding: [u8; 32],
}

impl Encoder {
    /// With the noise that the encoding asks for.
    ///
    /// # Errors
    /// Noise that cannot be drawn.
    pub fn new(scheme: Scheme, encoding: Encoding) -> Result<Self, PrivacyError> {
        Self::weakened(scheme, encoding, 1.0)
    }

    /// With noise of `factor` times the σ that the encoding asks for, none at 0: for audits only.
    ///
    /// # Errors
    /// Noise that cannot be drawn.
    pub fn weakened(scheme: Scheme, encoding: Encoding, factor: f64) -> Result<Self, PrivacyError> {
        let noise = if factor == 0.0 { Noise::Off } else { scheme.noise(encoding.sigma() * factor)? };
        Ok(Self { encoding, noise })
    }

    /// The scale, the noise and the norm bound.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// Draws the noise, then looks at the vector: clips, rotates, rounds, adds and wraps.
    ///
    /// # Errors
    /// A vector of another length, or with a coordinate that is no number.
    pub fn encode(
        &self,
        vector: &[f64],
        rotation: &Rotation,
        seeds: &Seeds,
    ) -> Result<Vec<u64>, PrivacyError> {
        let noise = Zeroizing::new(self.noise.draw(&seeds.noise, self.encoding.padded_dimension() as usize));
        self.encoding.encode(vector, rotation, &noise, &seeds.rounding)
    }

    /// Adds `one` to `sum` in the ring.
    pub fn add(&self, sum: &mut [u64], one: &[u64]) {
        let ones = (1 << self.encoding.task().bits) - 1;
        for (sum, value) in sum.iter_mut().zip(one) {
            *sum = sum.wrapping_add(*value) & ones;
        }
    }
}
