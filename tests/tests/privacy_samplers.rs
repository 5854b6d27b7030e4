//! The samplers against exact moments, probabilities and tails; and wrong samplers, which must fail.
//!
//! `SECAGG_LONG=1 cargo test -p secagg-tests --test privacy_samplers` makes 10⁷ draws from each law.

use std::path::Path;

use secagg::privacy::distribution::DiscreteGaussian as Law;
use secagg::privacy::{CentredNoise, GaussianNoise, SkellamNoise, Variance};

/// Draws from each law. Many of the tails are too rare to be seen; those that are not must be right.
fn draws() -> usize {
    if std::env::var_os("SECAGG_LONG").is_some() { 10_000_000 } else { 4_000_000 }
}

/// Deviations allowed to one statistic, of which there are about a hundred: a right sampler fails once in ten
/// thousand seeds, and the seeds are fixed.
const DEVIATIONS: f64 = 5.0;

/// The statistics of one σ in `tests/oracles/privacy.csv`: name and value.
fn statistics() -> Vec<(f64, Vec<(String, f64)>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/privacy.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = |name| header.iter().position(|&column| column == name).unwrap();
    let (kind, sigma, what, value) = (column("kind"), column("sigma_int"), column("x"), column("value"));
    let mut laws: Vec<(f64, Vec<(String, f64)>)> = Vec::new();
    for row in lines.filter(|row| row[kind] == "dg_stat") {
        let sigma: f64 = row[sigma].parse().unwrap();
        if laws.last().is_none_or(|law| law.0 != sigma) {
            laws.push((sigma, Vec::new()));
        }
        laws.last_mut().unwrap().1.push((row[what].to_owned(), row[value].parse().unwrap()));
    }
    assert_eq!(laws.iter().map(|law| law.1.len()).sum::<usize>(), 90);
    laws
}

/// How often each value was drawn, for values within `REACH` of zero; and the moments.
struct Sample {
    counts: Vec<u32>,
    reach: i64,
    moments: [f64; 4],
    draws: f64,
}

impl Sample {
    fn of(drawn: impl Iterator<Item = i64>, reach: i64) -> Self {
        let mut sample =
            Self { counts: vec![0; 2 * reach as usize + 1], reach, moments: [0.0; 4], draws: 0.0 };
        for value in drawn {
            assert!(value.abs() <= reach, "{value} is beyond all belief");
            sample.counts[(value + reach) as usize] += 1;
            sample.draws += 1.0;
        }
        for (value, &count) in (-reach..=reach).zip(&sample.counts) {
            let (value, count) = (value as f64, f64::from(count) / sample.draws);
            for (power, moment) in (1..).zip(&mut sample.moments) {
                *moment += count * value.powi(power);
            }
        }
        sample
    }

    fn frequency(&self, from: i64, to: i64) -> f64 {
        let index = |value: i64| (value + self.reach) as usize;
        let counts = &self.counts[index(from)..=index(to)];
        counts.iter().map(|&count| f64::from(count)).sum::<f64>() / self.draws
    }
}

/// The statistics that a sample of N_Z(0, σ²) should not have, with how far off they are.
fn faults(sample: &Sample, sigma: f64, expected: &[(String, f64)]) -> Vec<String> {
    let law = Law::new(sigma);
    let (variance, fourth) = (law.variance(), law.fourth_moment());
    // Moments of order 6 and 8, for the deviations of the third and fourth: summed from the law itself.
    let higher = |power: i32| -> f64 {
        let end = (12.0 * sigma) as i64 + 2;
        (1..=end).map(|x| 2.0 * (x as f64).powi(power) * law.probability(x)).sum()
    };
    let mut checks = vec![
        ("mean".to_owned(), sample.moments[0], 0.0, variance),
        ("third moment".to_owned(), sample.moments[2], 0.0, higher(6)),
    ];
    for (what, value) in expected {
        let inside = what.strip_prefix("P(").and_then(|rest| rest.strip_suffix(')'));
        let bernoulli = value * (1.0 - value);
        match (what.as_str(), inside.map(|text| text.strip_prefix(">="))) {
            ("var", _) => {
                checks.push((what.clone(), sample.moments[1], *value, fourth - variance * variance))
            }
            ("kurt4", _) => {
                checks.push((what.clone(), sample.moments[3], *value, higher(8) - fourth * fourth))
            }
            (_, Some(Some(from))) => {
                let from: i64 = from.parse().unwrap();
                checks.push((what.clone(), sample.frequency(from, sample.reach), *value, bernoulli));
                checks.push((format!("≤−{from}"), sample.frequency(-sample.reach, -from), *value, bernoulli));
            }
            _ => {
                let at: i64 = inside.unwrap().parse().unwrap();
                checks.push((what.clone(), sample.frequency(at, at), *value, bernoulli));
                checks.push((format!("P(−{at})"), sample.frequency(-at, -at), *value, bernoulli));
            }
        }
    }
    let off = |(what, found, expected, variance): &(String, f64, f64, f64)| {
        // One count more or less is allowed to what is hardly ever seen.
        let allowed = DEVIATIONS * (variance / sample.draws).sqrt() + 1.0 / sample.draws;
        ((found - expected).abs() > allowed).then(|| format!("{what}: {found} for {expected} ± {allowed}"))
    };
    let mut faults: Vec<String> = checks.iter().filter_map(off).collect();
    faults.extend(chi_squared(sample, &law, sigma));
    faults
}

/// The whole histogram against the law: values by bins of at least 20 expected draws.
fn chi_squared(sample: &Sample, law: &Law, sigma: f64) -> Option<String> {
    let end = (7.0 * sigma) as i64 + 1;
    let width = (sigma as i64 / 20).max(1);
    let (mut sum, mut bins) = (0.0, 0.0);
    let (mut expected, mut found) = (0.0, 0.0);
    for from in (-end..=end).step_by(width as usize) {
        let to = (from + width - 1).min(sample.reach);
        expected += sample.draws * (from..=to).map(|x| law.probability(x)).sum::<f64>();
        found += sample.draws * sample.frequency(from, to);
        if expected >= 20.0 {
            sum += (found - expected) * (found - expected) / expected;
            bins += 1.0;
            (expected, found) = (0.0, 0.0);
        }
    }
    // Chi squared of n degrees of freedom is near normal of mean n and variance 2n.
    let deviations = (sum - (bins - 1.0)) / (2.0f64 * (bins - 1.0)).sqrt();
    (deviations > DEVIATIONS).then(|| format!("histogram: {deviations} deviations over {bins} bins"))
}

fn sampler(sigma: f64) -> GaussianNoise {
    let variance = Variance::at_least(sigma).unwrap();
    assert_eq!(variance.units() as f64, sigma * sigma * Variance::ONE as f64, "σ² of the oracle is exact");
    GaussianNoise::new(variance)
}

#[test]
fn draws_have_the_moments_probabilities_and_tails_of_the_law() {
    for (sigma, expected) in statistics() {
        let drawn = sampler(sigma).draw(&[sigma as u8; 32], draws());
        let sample = Sample::of(drawn.into_iter(), (10.0 * sigma) as i64 + 4);
        let faults = faults(&sample, sigma, &expected);
        assert!(faults.is_empty(), "σ {sigma}: {faults:#?}");
    }
}

/// Samplers as they have been shipped by others, or might be: each is found out at each σ at which it is wrong.
#[test]
fn wrong_samplers_are_found() {
    let at = |sigma: f64| statistics().into_iter().find(|law| law.0 == sigma).unwrap().1;
    let right = |sigma: f64, seed: u8| sampler(sigma).draw(&[seed; 32], draws()).into_iter();
    let found = |name: &str, sigma: f64, drawn: &mut dyn Iterator<Item = i64>| {
        let sample = Sample::of(drawn, (12.0 * sigma) as i64 + 8);
        assert!(!faults(&sample, sigma, &at(sigma)).is_empty(), "{name} at σ {sigma} is not found");
    };
    for sigma in [0.5, 1.0, 3.25, 10.0, 64.0, 1000.0] {
        // Zero twice as often: a negative zero that is not refused, by folding half of the next draws into it.
        let mut spare = right(sigma, 2);
        let mut zeros = right(sigma, 1).map(|x| if spare.next() == Some(0) { 0 } else { x });
        found("too many zeros", sigma, &mut zeros);
        // Noise cut off at three deviations.
        let cut = (3.0 * sigma) as i64;
        found("cut", sigma, &mut right(sigma, 1).map(|x| x.clamp(-cut, cut)));
        // A hundredth of a deviation of bias.
        let mut flips = right(100.5, 5);
        let bias =
            |x: i64| x + i64::from(flips.next().unwrap() > (100.5 * 2.0) as i64) * (sigma.ceil() as i64);
        found("biased", sigma, &mut right(sigma, 1).map(bias));
        // Only one sign.
        found("one-sided", sigma, &mut right(sigma, 1).map(i64::abs));
        // The same noise for pairs of coordinates has the same law: what finds it is that seeds differ.
        assert!(!right(sigma, 1).eq(right(sigma, 2)));
    }
    // σ rounded to a whole number.
    found("σ 3 for 3.25", 3.25, &mut right(3.0, 1));
    found("σ 100 for 100.5", 100.5, &mut right(100.0, 1));
}

/// The probabilities of Skellam from Poisson's, by their definition.
fn skellam_probability(variance: f64, x: i64) -> f64 {
    let lambda = variance / 2.0;
    let ln_poisson = |k: i64| (1..=k).map(|j| (lambda / j as f64).ln()).sum::<f64>() - lambda;
    let last = (lambda + 12.0 * lambda.sqrt()) as i64 + 30;
    let mut term = ln_poisson(0) + ln_poisson(x);
    (0..=last)
        .map(|k| {
            let probability = term.exp();
            term += 2.0 * lambda.ln() - ((k + 1) as f64).ln() - ((k + 1 + x) as f64).ln();
            probability
        })
        .sum()
}

#[test]
fn skellam_noise_has_its_moments_and_probabilities() {
    for (sigma, seed) in [(0.5f64, 1), (1.5, 2), (4.0, 3), (20.0, 4), (300.0, 5)] {
        let variance = sigma * sigma;
        let sampler = SkellamNoise::new(Variance::at_least(sigma).unwrap()).unwrap();
        let drawn = sampler.draw(&[seed; 32], draws());
        let sample = Sample::of(drawn.into_iter(), (10.0 * sigma) as i64 + 20);
        let near = |what: &str, found: f64, expected: f64, variance: f64| {
            let allowed = DEVIATIONS * (variance / sample.draws).sqrt() + 1.0 / sample.draws;
            assert!(
                (found - expected).abs() <= allowed,
                "σ {sigma} {what}: {found} for {expected} ± {allowed}"
            );
        };
        // Cumulants of even order are all the variance, those of odd order zero.
        let fourth = 3.0 * variance.powi(2) + variance;
        // The eighth moment, from the cumulants.
        let eighth = variance * (1.0 + variance * (63.0 + variance * (210.0 + variance * 105.0)));
        near("mean", sample.moments[0], 0.0, variance);
        near("variance", sample.moments[1], variance, fourth - variance * variance);
        near("fourth moment", sample.moments[3], fourth, eighth - fourth * fourth);
        for x in [0, 1, 2, 3, (2.0 * sigma) as i64, (4.0 * sigma) as i64] {
            let probability = skellam_probability(variance, x);
            for at in [x, -x] {
                near(&format!("P({at})"), sample.frequency(at, at), probability, probability);
            }
        }
    }
}

/// A discrete Gaussian of the same variance is no Skellam: the test of its fourth moment must tell.
#[test]
fn the_two_laws_are_told_apart() {
    let drawn = sampler(2.0).draw(&[1; 32], draws());
    let sample = Sample::of(drawn.into_iter(), 40);
    let excess = sample.moments[3] - 3.0 * 16.0;
    assert!(excess.abs() < 0.5, "{excess} for 0; Skellam has 4");
    assert!(SkellamNoise::new(Variance::at_least(5000.0).unwrap()).is_err());
}

/// How far centred draws are from their law: the mean, the second to fourth moment about the centre, and every
/// probability, in allowed deviations.
fn centred_faults(drawn: &[i64], sigma: f64, centre: f64) -> Vec<String> {
    let weight = |y: i64| (-((y as f64 - centre) / sigma).powi(2) / 2.0).exp();
    let near = centre.round() as i64;
    let reach = 32 + 10 * sigma as i64;
    let values: Vec<i64> = (near - reach..=near + reach).collect();
    let mass: f64 = values.iter().copied().map(weight).sum();
    let expected =
        |f: &dyn Fn(f64) -> f64| values.iter().map(|&y| f(y as f64 - centre) * weight(y) / mass).sum::<f64>();
    let count = drawn.len() as f64;
    let mut counts = vec![0u32; values.len()];
    drawn.iter().for_each(|&y| counts[(y - near + reach) as usize] += 1);
    let found = |f: &dyn Fn(i64) -> f64| {
        values.iter().zip(&counts).map(|(&y, &times)| f(y) * f64::from(times)).sum::<f64>() / count
    };
    let mut faults = Vec::new();
    let mut check = |what: String, found: f64, expected: f64, variance: f64| {
        let allowed = DEVIATIONS * (variance / count).sqrt() + 1.0 / count;
        if (found - expected).abs() > allowed {
            faults.push(format!("{what}: {found} for {expected} ± {allowed}"));
        }
    };
    for power in 1..=4 {
        let (mean, square) = (expected(&|x| x.powi(power)), expected(&|x| x.powi(2 * power)));
        check(
            format!("moment {power}"),
            found(&|y| (y as f64 - centre).powi(power)),
            mean,
            square - mean * mean,
        );
    }
    for y in near - (6.0 * sigma) as i64 - 1..=near + (6.0 * sigma) as i64 + 1 {
        let probability = weight(y) / mass;
        let at = found(&|one| f64::from(u8::from(one == y)));
        check(format!("P({y})"), at, probability, probability * (1.0 - probability));
        // The tail beyond, which no single probability shows.
        let beyond = |one: i64| (one - near).abs() > (y - near).abs();
        let tail = values.iter().filter(|&&one| beyond(one)).map(|&one| weight(one)).sum::<f64>() / mass;
        let at = found(&|one| f64::from(u8::from(beyond(one))));
        check(format!("beyond {y}"), at, tail, tail * (1.0 - tail));
    }
    faults
}

fn centred(sigma: f64, grid: u32) -> CentredNoise {
    CentredNoise::new(Variance::at_least(sigma).unwrap(), grid).unwrap()
}

/// Centres of both signs, near to and half way between integers, on coarse and fine grids.
const CENTRES: [(u32, i64); 9] =
    [(0, 3), (1, 1), (1, -1), (3, 3), (3, -13), (9, 1), (9, 255), (9, -200), (12, 3001)];

#[test]
fn centred_draws_have_the_moments_probabilities_and_tails_of_their_law() {
    for sigma in [1.05, 1.3, 4.0, 8.0] {
        for (seed, (grid, centre)) in (1..).zip(CENTRES) {
            let noise = if grid < 12 || sigma == 1.3 { centred(sigma, grid) } else { continue };
            let drawn = noise.draw(&vec![centre; draws() / 16], &[seed; 32]);
            let faults =
                centred_faults(&drawn, noise.variance().sigma(), centre as f64 / f64::exp2(f64::from(grid)));
            assert!(faults.is_empty(), "σ {sigma} around {centre}/2^{grid}: {faults:#?}");
        }
    }
}

#[test]
fn wrong_centred_samplers_are_found() {
    let (noise, count) = (centred(1.3, 9), draws() / 16);
    let sigma = noise.variance().sigma();
    let draw = |noise: &CentredNoise, centre: i64| noise.draw(&vec![centre; count], &[1; 32]);
    for centre in [40i64, 200, -150] {
        let at = centre as f64 / 512.0;
        let found = |name: &str, drawn: &[i64]| {
            assert!(!centred_faults(drawn, sigma, at).is_empty(), "{name} around {centre}/512 is not found");
        };
        assert!(centred_faults(&draw(&noise, centre), sigma, at).is_empty());
        found("rounded to the nearest", &draw(&noise, 0));
        found("mirrored", &draw(&noise, -centre));
        found("off by sixteen units of the grid", &draw(&noise, centre + 16));
        found("σ too small", &draw(&centred(1.27, 9), centre));
        // What rounding up or down at random and then adding noise gives: right in the mean, wider.
        let (low, high) = (draw(&noise, 0), noise.draw(&vec![512; count], &[2; 32]));
        let mut dice = (0u64..).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
        let up = |dice: &mut dyn Iterator<Item = u64>| (dice.next().unwrap() % 512) as i64;
        let rounded: Vec<i64> = low
            .iter()
            .zip(&high)
            .map(|(low, high)| if up(&mut dice) < centre.abs() { *high } else { *low })
            .map(|drawn| if centre < 0 { -drawn } else { drawn })
            .collect();
        found("rounded at random", &rounded);
        let cut: Vec<i64> = draw(&noise, centre).into_iter().map(|drawn| drawn.clamp(-4, 4)).collect();
        found("cut", &cut);
    }
}
