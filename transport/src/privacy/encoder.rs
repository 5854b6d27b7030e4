//! A client's way from its vector to ring elements with noise in them.

use secagg::privacy::{CentredEncoding, CentredNoise, Encoding, PrivacyError, Rotation, Task};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::coding::Coding;
use super::scheme::{Noise, Scheme};

/// Encodes vectors of one kind of round; the sampler's tables are made once.
pub struct Encoder {
    coding: Coding,
    way: Way,
}

enum Way {
    Rounded(Encoding, Noise),
    Centred(CentredEncoding, CentredNoise),
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
    pub fn new(scheme: Scheme, coding: Coding) -> Result<Self, PrivacyError> {
        Self::weakened(scheme, coding, 1.0)
    }

    /// With noise of `factor` times the σ that the encoding asks for, none at 0: for audits only.
    ///
    /// Without noise, a centred vector is rounded to integers.
    ///
    /// # Errors
    /// Noise that cannot be drawn.
    pub fn weakened(scheme: Scheme, coding: Coding, factor: f64) -> Result<Self, PrivacyError> {
        let (task, sigma) = (at_scale(&coding), coding.sigma_real());
        let coding = match coding {
            Coding::Centred(_) if factor == 0.0 => Coding::Rounded(Encoding::new(task, sigma)?),
            Coding::Centred(_) if factor < 1.0 => {
                Coding::Centred(CentredEncoding::new(task, sigma * factor)?)
            }
            whole => whole,
        };
        let way = match coding {
            Coding::Rounded(encoding) if factor == 0.0 => Way::Rounded(encoding, Noise::Off),
            Coding::Rounded(encoding) => Way::Rounded(encoding, scheme.noise(encoding.sigma() * factor)?),
            Coding::Centred(encoding) => Way::Centred(encoding, encoding.noise()?),
        };
        Ok(Self { coding, way })
    }

    /// The scale, the noise and the norm bound.
    pub fn encoding(&self) -> &Coding {
        &self.coding
    }

    /// Clips, rotates, scales, rounds, adds noise that was drawn before the vector is looked at, and wraps. Centred
    /// noise is drawn around the vector and comes last.
    ///
    /// # Errors
    /// A vector of another length, or with a coordinate that is no number.
    pub fn encode(
        &self,
        vector: &[f64],
        rotation: &Rotation,
        seeds: &Seeds,
    ) -> Result<Vec<u64>, PrivacyError> {
        match &self.way {
            Way::Rounded(encoding, noise) => {
                let drawn = Zeroizing::new(noise.draw(&seeds.noise, encoding.padded_dimension() as usize));
                encoding.encode(vector, rotation, &drawn, &seeds.rounding)
            }
            // One seed is enough: rounding and noise have streams of their own from it.
            Way::Centred(encoding, noise) => encoding.encode(vector, rotation, noise, &seeds.noise),
        }
    }

    /// Adds `one` to `sum` in the ring.
    pub fn add(&self, sum: &mut [u64], one: &[u64]) {
        let ones = (1 << self.coding.task().bits) - 1;
        for (sum, value) in sum.iter_mut().zip(one) {
            *sum = sum.wrapping_add(*value) & ones;
        }
    }
}

/// The encoding's task with its scale as the limit: less noise would allow a finer one.
fn at_scale(coding: &Coding) -> Task {
    Task { greatest_scale: Some(coding.scale()), ..*coding.task() }
}
