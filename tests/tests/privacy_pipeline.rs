//! The whole way of private vectors: encoded by clients, summed in the ring, decoded; and what it must refuse.

use secagg::privacy::{
    CentredEncoding, CentredGaussian, Curve, DistributedGaussian, Encoding, GaussianNoise, PrivacyError,
    Rotation, Sensitivity, Skellam, Task, Variance, zcdp,
};

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

fn centred() -> CentredEncoding {
    CentredEncoding::with_multiplier(Task { bits: 8, ..task() }, 0.5).unwrap()
}

#[test]
fn centred_sums_have_the_noise_of_the_central_gaussian_and_nothing_else() {
    let (encoding, expected) =
        (centred(), |at: usize| (0..CLIENTS).map(|client| vector(client)[at]).sum::<f64>());
    let noise = encoding.noise().unwrap();
    let ones = (1u64 << 8) - 1;
    let mut sum = vec![0; 1024];
    for client in 0..CLIENTS {
        let encoded = encoding.encode(&vector(client), &rotation(), &noise, &[client as u8; 32]).unwrap();
        sum.iter_mut().zip(encoded).for_each(|(sum, one)| *sum = (*sum + one) & ones);
    }
    let decoded = encoding.decode(&sum, &rotation()).unwrap();
    let squares: f64 = decoded.iter().enumerate().map(|(at, found)| (found - expected(at)).powi(2)).sum();
    let deviation = (squares / 1000.0).sqrt();
    // 1,000 coordinates: the deviation is known to within 2.2 % of itself.
    assert!((deviation / 0.5 - 1.0).abs() < 0.1, "{deviation}");
    // The other mechanism, at these bits, needs more noise for the same guarantee.
    let rounded = Encoding::with_multiplier(Task { bits: 8, ..task() }, 0.5).unwrap();
    let of = |variance: f64, norm: f64| norm / (f64::from(CLIENTS) * variance).sqrt();
    let (one, other) =
        (encoding.variance().unwrap().sigma().powi(2), rounded.variance().unwrap().sigma().powi(2));
    assert!(of(other, rounded.norm_squared().sqrt()) > 1.1 * of(one, encoding.norm_squared().sqrt()));
}

#[test]
fn centred_vectors_are_within_the_accounted_norm_and_zero_is_zero() {
    let encoding = centred();
    let clip = encoding.scale() * encoding.task().clip;
    assert!(encoding.norm_squared().sqrt() > clip && encoding.inflation() <= 1.0 / 256.0);
    let noise = encoding.noise().unwrap();
    let encode = |vector: &[f64], seed| encoding.encode(vector, &rotation(), &noise, &[seed; 32]);
    // Zero is on the grid: what is sent is the noise around zero.
    let drawn = noise.draw(&[0; 1024], &[5; 32]);
    assert!(
        encode(&[0.0; 1000], 5).unwrap().iter().zip(drawn).all(|(sent, drawn)| *sent == drawn as u64 & 255)
    );
    // Whatever is too long is clipped first; whatever is no vector is refused.
    assert_eq!(encode(&[1e300; 1000], 6), encode(&[1.0; 1000], 6));
    let mut bad = vector(1);
    bad[3] = f64::NAN;
    assert_eq!(encode(&bad, 1), Err(PrivacyError::NoNumber { at: 3 }));
    assert!(encode(&[0.0; 999], 1).is_err());
    let other = CentredEncoding::with_multiplier(Task { bits: 8, ..task() }, 0.6).unwrap();
    assert_eq!(other.encode(&[0.0; 1000], &rotation(), &noise, &[1; 32]), Err(PrivacyError::OtherNoise));
}

/// Adaptive clipping: a new clip is a new encoding, of which all parts follow; and noise that stayed behind costs.
#[test]
fn a_clip_that_changes_takes_scale_noise_and_norm_with_it() {
    let of = |clip| Encoding::with_multiplier(Task { clip, ..task() }, 0.5).unwrap();
    let rho = |encoding: &Encoding, sigma: f64| {
        DistributedGaussian::new(CLIENTS, sigma, encoding.sensitivity().unwrap()).unwrap().rho()
    };
    let before = of(1.0);
    for clip in [0.01, 0.5, 3.0, 1000.0] {
        let after = of(clip);
        assert!((rho(&after, after.sigma()) / rho(&before, before.sigma()) - 1.0).abs() < 1e-9, "{clip}");
        assert!((after.scale() * clip / before.scale() - 1.0).abs() < 1e-9);
        // The real noise of the round before, in the units of this one.
        let stale = before.sigma_real() * after.scale();
        if clip > 1.0 {
            assert!(rho(&after, stale) > clip * rho(&before, before.sigma()));
        }
    }
    // The quantile by which the clip is adapted is a release of its own, with its own noise.
    let bits = Sensitivity::new(1.0, 1).unwrap();
    let quantile = DistributedGaussian::new(CLIENTS, 4.0, bits).unwrap();
    let round =
        Curve::of(&DistributedGaussian::new(CLIENTS, before.sigma(), before.sensitivity().unwrap()).unwrap());
    let epsilon = |curve: &Curve| curve.epsilon(1e-5).unwrap().epsilon;
    assert!(epsilon(&round.and(&Curve::of(&quantile))) > epsilon(&round));
}

/// No count of retries, no norm, no flag of clipping: what leaves the client is as many ring elements as every
/// other client sends, and an error tells nothing of the values.
#[test]
fn a_client_gives_away_nothing_but_ring_elements() {
    let encoding = encoding();
    for scale in [0.0, 1e-9, 1.0, 1e200] {
        let input: Vec<f64> = vector(1).iter().map(|value| value * scale).collect();
        let sent: Vec<u64> = encoding.encode(&input, &rotation(), &noise(&encoding, 1), &[1; 32]).unwrap();
        assert!(sent.len() == 1024 && sent.iter().all(|element| element >> 18 == 0));
    }
    let mut bad = vector(1);
    (bad[10], bad[11]) = (123.456, f64::NAN);
    let said = encoding.encode(&bad, &rotation(), &vec![0; 1024], &[1; 32]).unwrap_err();
    assert_eq!(said.to_string(), "the coordinate at 11 is not a finite number");
}

/// A server that chooses the rotation can cause wraps, and no more: the norm is that of the integers.
#[test]
fn no_rotation_weakens_the_norm() {
    let encoding = encoding();
    let greatest = encoding.greatest_sum_of_squares().unwrap();
    for seed in 0..30 {
        let sent =
            encoding.encode(&vector(2), &Rotation::new([seed; 32]), &vec![0; 1024], &[seed; 32]).unwrap();
        let centred =
            |element: u64| if element >> 17 == 1 { element as i128 - (1 << 18) } else { element as i128 };
        let squares: i128 = sent.iter().map(|&element| centred(element).pow(2)).sum();
        assert!(squares as u128 <= greatest);
    }
}

/// Whatever admits no guarantee is refused in words that have the number and what would do.
#[test]
fn refusals_name_the_number_and_the_nearest_that_would_do() {
    let sensitivity = Sensitivity::new(10.0, 64).unwrap();
    let gaussian = |sigma| DistributedGaussian::new(10, sigma, sensitivity).map(|_| ());
    let centred = |sigma| CentredGaussian::new(10, sigma, sensitivity).map(|_| ());
    let encoding = |task| Encoding::with_multiplier(task, 1.0).map(|_| ());
    let fine = |task| CentredEncoding::with_multiplier(task, 1.0).map(|_| ());
    let calibrated = |target| Encoding::calibrate(task(), target, |_| Ok(1.0)).map(|_| ());
    let curve = Curve::of(&DistributedGaussian::new(10, 2.0, sensitivity).unwrap());
    for (refused, words) in [
        (encoding(Task { clip: f64::NAN, ..task() }), ["NaN", "above 0"]),
        (encoding(Task { clip: f64::INFINITY, ..task() }), ["inf", "finite"]),
        (encoding(Task { clip: 0.0, ..task() }), ["is 0;", "above 0"]),
        (encoding(Task { clip: -2.5, ..task() }), ["-2.5", "above 0"]),
        (encoding(Task { dimension: 0, ..task() }), ["is 0;", "1 to 2^28"]),
        (encoding(Task { dimension: 1 << 30, ..task() }), ["1073741824", "1 to 2^28"]),
        (encoding(Task { bits: 63, ..task() }), ["63", "1 to 62"]),
        (encoding(Task { bits: 4, ..task() }), ["4 bits", "at least 5"]),
        (encoding(Task { clients: 0, ..task() }), ["is 0;", "at least 1"]),
        (encoding(Task { beta: 1.0, ..task() }), ["is 1;", "below 1"]),
        (encoding(Task { wrap: 1.5, ..task() }), ["1.5", "between 0 and 1"]),
        (fine(Task { bits: 4, ..task() }), ["4 bits", "at least 6"]),
        (fine(Task { dimension: 1 << 30, ..task() }), ["1073741824", "1 to 2^28"]),
        (fine(Task { clip: -1.0, ..task() }), ["is -", "above 0"]),
        (gaussian(0.25), ["0.25", "at least 0.5"]),
        (gaussian(f64::NAN), ["NaN", "at least 0.5"]),
        (centred(1.0), ["σ = 1 ", "at least 1.05"]),
        (Skellam::new(-1.0, sensitivity).map(|_| ()), ["-1", "above 0"]),
        (Sensitivity::new(f64::INFINITY, 64).map(|_| ()), ["inf", "finite"]),
        (Variance::at_least(0.1).map(|_| ()), ["0.01", "1/4 to 2^44"]),
        (calibrated(-3.0), ["-3", "above 0"]),
        (calibrated(0.5), ["0.5", "below 1"]),
        (curve.epsilon(1.0).map(|_| ()), ["is 1;", "between 0 and 1"]),
        (curve.epsilon(-0.5).map(|_| ()), ["-0.5", "between 0 and 1"]),
        (curve.delta(f64::NEG_INFINITY).map(|_| ()), ["-inf", "not negative"]),
        (zcdp::epsilon(-0.5, 1e-5).map(|_| ()), ["-0.5", "not negative"]),
        (zcdp::rho(0.0, 1e-5).map(|_| ()), ["is 0;", "above 0"]),
    ] {
        let said = refused.expect_err(words[0]).to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{said:?} has not {words:?}");
    }
}
