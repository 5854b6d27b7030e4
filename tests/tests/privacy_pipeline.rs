//! The whole way of private vectors: encoded by clients, summed in the ring, decoded; and what it must refuse.

use secagg::privacy::{Curve, DistributedGaussian, Encoding, GaussianNoise, PrivacyError, Rotation, Task};

const CLIENTS: u32 = 20;

fn task() -> Task {
    Task {
        clients: CLIENTS,
        bits: 18,
        clip: 1.0,
        dimension: 1000,
        beta: (-0.5f64).exp(),
        wrap: 1e-7,
        greatest_scale: None,
    }
}

fn encoding() -> Encoding {
    Encoding::with_multiplier(task(), 0.5).unwrap()
}

fn rotation() -> Rotation {
    Rotation::new([42; 32])
}

fn vector(client: u32) -> Vec<f64> {
    // A spike, which only the rotation makes fit, and a little of everything.
    let mut vector: Vec<f64> = (0..1000).map(|at| f64::from((at * 31 + client * 17) % 97) / 5000.0).collect();
    vector[7] += 0.5;
    vector
}

fn noise(encoding: &Encoding, client: u32) -> Vec<i64> {
    let sampler = GaussianNoise::new(encoding.variance().unwrap());
    sampler.draw(&[client as u8 + 100; 32], encoding.padded_dimension() as usize)
}

fn sum(encoding: &Encoding, encoded: impl Iterator<Item = Vec<u64>>) -> Vec<u64> {
    let ones = (1 << encoding.task().bits) - 1;
    let zeros = vec![0; encoding.padded_dimension() as usize];
    encoded.fold(zeros, |sum, one| sum.iter().zip(one).map(|(a, b)| (a + b) & ones).collect())
}

#[test]
fn the_decoded_sum_has_the_noise_of_the_central_gaussian() {
    let encoding = encoding();
    let encoded = (0..CLIENTS).map(|client| {
        let noise = noise(&encoding, client);
        encoding.encode(&vector(client), &rotation(), &noise, &[client as u8; 32]).unwrap()
    });
    let decoded = encoding.decode(&sum(&encoding, encoded), &rotation()).unwrap();
    let expected = |at: usize| (0..CLIENTS).map(|client| vector(client)[at]).sum::<f64>();
    let squares: f64 = decoded.iter().enumerate().map(|(at, found)| (found - expected(at)).powi(2)).sum();
    // Noise of 0.5 per coordinate, and the roundings, each of variance at most a quarter of a step.
    let deviation = (squares / 1000.0).sqrt();
    let roundings = f64::from(CLIENTS) / 4.0 / encoding.scale().powi(2);
    let planned = (0.25 + roundings).sqrt();
    assert!(deviation > 0.45 && deviation < planned * 1.1, "{deviation} {planned}");
}

#[test]
fn without_noise_only_the_roundings_remain() {
    let encoding = encoding();
    let none = vec![0; 1024];
    let encoded = encoding.encode(&vector(3), &rotation(), &none, &[1; 32]).unwrap();
    let decoded = encoding.decode(&encoded, &rotation()).unwrap();
    let worst = decoded.iter().zip(vector(3)).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
    assert!(worst < 5.0 / encoding.scale(), "{worst} {}", encoding.scale());
}

/// Whatever the client holds, the integers that it sends have at most the norm that was accounted.
#[test]
fn no_vector_is_sent_beyond_the_accounted_norm() {
    let encoding = encoding();
    let greatest = encoding.greatest_sum_of_squares().unwrap();
    let bits = encoding.task().bits;
    for size in [1e-300, 1e-3, 1.0, 100.0, 1e300, f64::MAX] {
        let long: Vec<f64> = vector(1).iter().map(|value| (value * 2.0).min(1.0) * size).collect();
        let encoded = encoding.encode(&long, &rotation(), &vec![0; 1024], &[1; 32]).unwrap();
        let square = |element: u64| {
            let centred =
                if element >> (bits - 1) == 1 { element as i128 - (1 << bits) } else { element as i128 };
            (centred * centred) as u128
        };
        let squares: u128 = encoded.into_iter().map(square).sum();
        assert!(squares <= greatest, "{size}");
        if size >= 100.0 {
            let clipped = (encoding.scale() * encoding.task().clip).powi(2);
            assert!(squares as f64 > 0.9 * clipped, "{size} {squares}: clipped to the clip, not to nothing");
        }
    }
}

#[test]
fn the_order_of_the_steps_matters_and_is_kept() {
    // The accounted norm is the rounded one's: with the clip alone, ε would be claimed too low.
    let encoding = Encoding::with_multiplier(Task { bits: 8, ..task() }, 0.5).unwrap();
    let clip = encoding.scale() * encoding.task().clip;
    assert!(encoding.norm_squared().sqrt() > 1.05 * clip);
    // Noise comes after rounding: an encoding of zero is the noise itself.
    let noise = noise(&encoding, 1);
    let encoded = encoding.encode(&[0.0; 1000], &rotation(), &noise, &[1; 32]).unwrap();
    let ones = (1u64 << 8) - 1;
    assert!(encoded.iter().zip(&noise).all(|(element, noise)| *element == *noise as u64 & ones));
    // And it is drawn in integer units, to at least what is accounted.
    assert!(encoding.variance().unwrap().sigma() >= encoding.sigma());
}

#[test]
fn roundings_do_not_add_up_across_clients() {
    let encoding = encoding();
    let (none, same) = (vec![0; 1024], vector(1));
    let of = |seed: u8| encoding.encode(&same, &rotation(), &none, &[seed; 32]).unwrap();
    assert_ne!(of(1), of(2));
    assert_eq!(of(1), of(1));
}

#[test]
fn too_few_survivors_are_seen_in_epsilon() {
    let encoding = encoding();
    let epsilon = |shares| {
        let sensitivity = encoding.sensitivity().unwrap();
        let mechanism = DistributedGaussian::new(shares, encoding.variance().unwrap().sigma(), sensitivity);
        Curve::of(&mechanism.unwrap()).epsilon(1e-5).unwrap().epsilon
    };
    // The planned cohort; six dropped; and of the rest four are the adversary's.
    assert!(epsilon(20) < epsilon(14) && epsilon(14) < epsilon(10));
}

#[test]
fn what_is_no_vector_is_refused() {
    let encoding = encoding();
    let noise = vec![0; 1024];
    let refused =
        |vector: &[f64], noise: &[i64]| encoding.encode(vector, &rotation(), noise, &[1; 32]).unwrap_err();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut vector = vector(1);
        vector[999] = bad;
        assert_eq!(refused(&vector, &noise), PrivacyError::NoNumber { at: 999 });
    }
    let (what, expected) = ("coordinates", 1000);
    assert_eq!(refused(&[0.0; 999], &noise), PrivacyError::Length { what, found: 999, expected });
    let (what, expected) = ("values of noise", 1024);
    assert_eq!(refused(&vector(1), &noise[1..]), PrivacyError::Length { what, found: 1023, expected });
    assert!(encoding.decode(&[0; 1000], &rotation()).is_err());
    let mut sum = vec![0; 1024];
    sum[5] = 1 << 18;
    assert_eq!(encoding.decode(&sum, &rotation()), Err(PrivacyError::NoElement { at: 5, bits: 18 }));
}
