//! Distributed differential privacy: each client adds a little integer noise inside the ring, so that the
//! only value that exists without enough noise is the client's own.
//!
//! Three mechanisms: the distributed discrete Gaussian (Kairouz, Liu, Steinke 2021, arXiv 2102.06387), Skellam
//! (Agarwal, Kairouz, Liu 2021, arXiv 2110.04995) and the centred discrete Gaussian, which is this project's own and
//! **experimental** (`spec/centred.md`).
//!
//! # What is promised
//!
//! **Adjacency is zero-out**: two runs are neighbours if they have the same participants and differ in one
//! client's vector, which in one of them is zero. That client's noise is in the sum either way. Adding or
//! removing a participant together with its noise is not covered; replacing one vector by another costs twice
//! the sensitivity (see [`Sensitivity::for_replacement`]).
//!
//! **The noise that counts is the noise that is in the sum and unknown to the adversary**: the shares of
//! honest clients that survived, the victim's own included. Neither the clients that were planned nor the
//! adversary's own may be counted.
//!
//! **Two figures**: a secret sample of the population amplifies privacy for whoever sees only the released
//! sums, [`Curve::poisson`] or [`Curve::fixed_size`]. The server chose the sample and saw who came: against it, use the curve itself.
//!
//! # Units
//!
//! *Real* units are the caller's. *Integer* units are real units times the scale s of [`Encoding`]: noise and
//! norms that the accountant takes are in integer units, because that is where rounding enlarges the norm and
//! where the discrete Gaussian's shape matters.
//!
//! # Rounding
//!
//! Every ε and δ that this module returns is an upper bound: formulas are evaluated in double precision and
//! the result enlarged by [`MARGIN`]. Use [`round_up`] to print one.

mod accountant;
mod bits;
mod centred;
mod centred_encoding;
mod centred_noise;
mod codec;
mod discrete_gaussian;
pub mod distribution;
mod encoding;
mod error;
#[cfg(test)]
mod exact;
mod expected_error;
mod fixed;
mod fixed_size;
mod law;
pub mod ledger;
mod levels;
mod mechanism;
mod noise;
mod removal;
mod rotate;
mod round;
mod skellam;
mod smoothing;
mod special;
mod subsample;
mod table;
pub mod tau;
mod variance;
pub mod zcdp;

pub use accountant::{Curve, Epsilon, MARGIN, ORDERS, round_up};
pub use centred::CentredGaussian;
pub use centred_encoding::CentredEncoding;
pub use centred_noise::CentredNoise;
pub use discrete_gaussian::GaussianNoise;
pub use encoding::{Encoding, Task, wrap_deviations, wrap_probability};
pub use error::PrivacyError;
pub use levels::Level;
pub(crate) use levels::{MOST_LEVELS, Sampler};
pub use mechanism::{DistributedGaussian, Gaussian, Mechanism, Sensitivity, Skellam};
pub use noise::{Noise, NoiseLaw};
pub(crate) use noise::{Prepared, centred, rounded, wrapped};
pub use removal::AddThenRemove;
pub use rotate::Rotation;
pub use skellam::SkellamNoise;
pub use smoothing::{LEAST_SIGMA as LEAST_CENTRED_SIGMA, zeta as centred_zeta};
pub use subsample::Amplification;
pub use variance::Variance;

/// For [`crate::bench`].
pub(crate) mod bench {
    use super::{Rotation, bits};

    pub(crate) fn words(seed: &[u8; 32], words: &mut [u64]) {
        let mut bits = bits::Bits::new(seed, "benchmark");
        words.iter_mut().for_each(|word| *word = bits.word());
    }

    pub(crate) fn rotate(vector: &mut [f64]) {
        Rotation::new([5; 32]).apply(vector);
    }
}
