//! The error of decoded sums, measured through the real encoding, samplers and ring.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use secagg::privacy::{PrivacyError, Rotation};

use super::design::Design;
use super::encoder::{Encoder, Seeds};
use crate::demo::seed::generator;

/// The root of the mean square error of a coordinate of the sum of all clients, in real units.
///
/// Every client's vector is the same one of the clip's length: the case that the scale is chosen for. Each of the
/// `repetitions` has a vector, a rotation and noise of its own, all from `seed`.
///
/// # Errors
/// Noise that cannot be drawn.
pub fn error(design: &Design, repetitions: u32, seed: u64) -> Result<f64, PrivacyError> {
    let encoder = Encoder::new(design.scheme, design.encoding)?;
    let squares = (0..u64::from(repetitions)).map(|repetition| squares(&encoder, seed, repetition));
    let sum: f64 = squares.sum::<Result<f64, _>>()?;
    Ok((sum / f64::from(repetitions) / f64::from(design.encoding.task().dimension)).sqrt())
}

/// The sum of the squares of the errors of one sum.
fn squares(encoder: &Encoder, seed: u64, repetition: u64) -> Result<f64, PrivacyError> {
    let task = encoder.encoding().task();
    let mut rng = generator(seed, "measured vector", &[repetition]);
    let vector =
        direction(task.dimension, &mut rng).iter().map(|value| value * task.clip).collect::<Vec<f64>>();
    let rotation = Rotation::new(rng.random());
    let zeros = || vec![0; encoder.encoding().padded_dimension() as usize];
    let encode = |client: u32| {
        let mut rng = generator(seed, "measured client", &[repetition, u64::from(client)]);
        encoder.encode(&vector, &rotation, &seeds(&mut rng))
    };
    let joined = |mut sum: Vec<u64>, one: Vec<u64>| {
        encoder.add(&mut sum, &one);
        sum
    };
    let sum = (0..task.clients)
        .into_par_iter()
        .map(encode)
        .try_fold(zeros, |sum, one| Ok(joined(sum, one?)))
        .try_reduce(zeros, |one, other| Ok(joined(one, other)))?;
    let decoded = encoder.encoding().decode(&sum, &rotation)?;
    let clients = f64::from(task.clients);
    Ok(decoded.iter().zip(&vector).map(|(found, one)| (found - clients * one).powi(2)).sum())
}

/// A direction, all equally likely, as a vector of length 1.
fn direction(dimension: u32, rng: &mut impl Rng) -> Vec<f64> {
    let normal = |rng: &mut _| {
        // Box and Muller; the logarithm's argument is above 0.
        let (radius, angle) = (1.0 - RngExt::random::<f64>(rng), RngExt::random::<f64>(rng));
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    };
    let vector: Vec<f64> = (0..dimension).map(|_| normal(rng)).collect();
    let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    vector.iter().map(|value| value / norm).collect()
}

/// A client's secrets, for simulations.
pub(super) fn seeds(rng: &mut impl Rng) -> Seeds {
    Seeds { noise: rng.random(), rounding: rng.random() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::design::{Against, Designer, Question};
    use crate::privacy::loss::Sampling;
    use crate::privacy::scheme::Scheme;

    #[test]
    fn measured_errors_are_the_expected_ones() {
        let question = Question {
            clients: 20,
            dropped: 4,
            corrupt: 0,
            clip: 3.0,
            dimension: 1500,
            rounds: 1,
            sampling: Sampling::None,
            epsilon: 2.0,
            delta: 1e-5,
            against: Against::Server,
            wrap: 1e-4,
        };
        let designer = Designer::new(question).unwrap();
        for scheme in Scheme::ALL {
            for bits in [9, 12, 18] {
                let Ok(design) = designer.design(scheme, bits) else { continue };
                let (expected, measured) = (design.error(), error(&design, 3, 1).unwrap());
                assert!(
                    (measured / expected - 1.0).abs() < 0.06,
                    "{} {bits} {expected} {measured}",
                    scheme.name()
                );
            }
            assert!(designer.design(scheme, 18).is_ok());
        }
    }
}
