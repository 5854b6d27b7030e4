//! Sessions with noise: real vectors in, a noisy real sum out, and what clients refuse.

use std::collections::BTreeMap;

use secagg::privacy::{CentredEncoding, Encoding, Noise, NoiseLaw, Task};
use secagg::{
    Abort, Aggregate, Client, ClientId, Closed, Config, Graph, Input, Misuse, Policy, PrivacyPolicy, Refusal,
    Server, Suite, VectorSpec, sizes,
};

const CLIENTS: u32 = 9;
const DIMENSION: u32 = 100;
const CLIP: f64 = 2.0;

fn task(bits: u8) -> Task {
    Task {
        clients: CLIENTS,
        bits,
        clip: CLIP,
        dimension: DIMENSION,
        beta: (-0.5f64).exp(),
        wrap: 1e-9,
        greatest_scale: None,
    }
}

/// The noise of one client, as a multiple of the clip over the root of the number of clients.
const MULTIPLIER: f64 = 0.5;

fn vector(law: NoiseLaw) -> VectorSpec {
    match law {
        NoiseLaw::Centred => {
            let encoding = CentredEncoding::with_multiplier(task(8), MULTIPLIER).unwrap();
            VectorSpec::with_centred_noise("update", &encoding).unwrap()
        }
        _ => {
            let encoding = Encoding::with_multiplier(task(14), MULTIPLIER).unwrap();
            VectorSpec::with_noise("update", law, &encoding).unwrap()
        }
    }
}

fn config(law: NoiseLaw) -> Config {
    Config {
        suite: Suite::Curious,
        graph: Graph::Complete,
        clients: CLIENTS,
        threshold: 5,
        minimum_survivors: 7,
        vectors: vec![vector(law), VectorSpec::new("examples", 1, 20)],
        task: [0; 32],
        nonce: [law as u8; 32],
    }
}

/// A client's vector; the last client's is longer than the clip.
fn values(client: u32) -> Vec<f64> {
    let size = if client == CLIENTS { 5.0 } else { 0.15 };
    (0..DIMENSION).map(|at| size * f64::from((client * 31 + at * 17) % 23) / 23.0).collect()
}

fn clipped(client: u32) -> Vec<f64> {
    let values = values(client);
    let norm = values.iter().map(|x| x * x).sum::<f64>().sqrt();
    values.iter().map(|x| x * (CLIP / norm).min(1.0)).collect()
}

fn input(client: u32) -> Input {
    Input::new().with_real("update", values(client)).with("examples", vec![client])
}

fn run(config: &Config, entropy: u8, lost: u32) -> Result<Aggregate, Abort> {
    let mut clients = BTreeMap::new();
    for number in (1..=CLIENTS).filter(|&number| number != lost) {
        let policy = Policy { experimental_noise: true, ..Policy::default() };
        let mut client = Client::new([entropy + number as u8; 32], policy);
        client.set_input(input(number))?;
        clients.insert(ClientId::new(number).unwrap(), client);
    }
    let (mut server, mut requests) = Server::open(config.clone())?;
    loop {
        for (id, request) in requests {
            let Some(client) = clients.get_mut(&id) else { continue };
            server.receive(id, &client.handle(&request)?).unwrap();
        }
        match server.close_round()? {
            Closed::Next(next) => requests = next,
            Closed::Done(aggregate) => return Ok(aggregate),
        }
    }
}

#[test]
fn the_sum_is_that_of_the_clipped_vectors_with_the_noise_of_the_survivors() {
    for law in NoiseLaw::ALL {
        let config = config(law);
        let aggregate = run(&config, 1, 4).unwrap();
        assert!(aggregate.vector("examples").unwrap().iter().eq([45 - 4]));
        let exact: Vec<f64> = (0..DIMENSION as usize)
            .map(|at| (1..=CLIENTS).filter(|&number| number != 4).map(|number| clipped(number)[at]).sum())
            .collect();
        let found = aggregate.real("update").unwrap();
        assert_eq!(found.len(), DIMENSION as usize);
        let squares: f64 = found.iter().zip(&exact).map(|(one, other)| (one - other).powi(2)).sum();
        let spread = (squares / f64::from(DIMENSION)).sqrt();
        let expected = MULTIPLIER * CLIP * (8.0 / f64::from(CLIENTS)).sqrt();
        assert!((0.7..1.4).contains(&(spread / expected)), "{law}: {spread} {expected}");
        assert_ne!(
            run(&config, 2, 4).unwrap().real("update"),
            Some(found),
            "noise is of the clients' entropy"
        );
        assert!(aggregate.real("examples").is_none() && aggregate.real("nothing").is_none());
    }
}

#[test]
fn the_sum_is_that_of_what_each_client_hands_in() {
    for law in NoiseLaw::ALL {
        let config = config(law);
        let aggregate = run(&config, 1, 4).unwrap();
        let mut sums = [vec![0; 128], vec![0; 1]];
        for number in (1..=CLIENTS).filter(|&number| number != 4) {
            let id = ClientId::new(number).unwrap();
            let parts =
                input(number).encoded(&config, &aggregate.session, id, &[1 + number as u8; 32]).unwrap();
            for ((sum, part), spec) in sums.iter_mut().zip(&parts).zip(&config.vectors) {
                for (sum, element) in sum.iter_mut().zip(part.iter()) {
                    *sum = (*sum + element) % (1 << spec.bits);
                }
            }
        }
        for ((_, found), expected) in aggregate.vectors.iter().zip(sums) {
            assert!(found.iter().eq(expected), "{law}");
        }
    }
}

#[test]
fn what_is_given_away_follows_from_the_shares_that_are_in_the_sum() {
    for law in NoiseLaw::ALL {
        let config = config(law);
        let of = |survivors| config.given_away(survivors, 2).unwrap().epsilon(1e-5).unwrap().epsilon;
        let aggregate = run(&config, 1, 4).unwrap();
        let achieved = aggregate.given_away(2).unwrap().epsilon(1e-5).unwrap().epsilon;
        assert_eq!(achieved, of(8));
        assert!(achieved < of(config.minimum_survivors), "more survived than had to");
        assert!(config.given_away(2, 2).is_err());
    }
    let plain = Config { vectors: vec![VectorSpec::new("v", 1, 8)], ..config(NoiseLaw::Skellam) };
    assert_eq!(plain.given_away_at_most(0).unwrap().epsilon(1e-5).unwrap().epsilon, 0.0);
}

#[test]
fn too_few_survivors_are_told_before_anything_is_released() {
    let config = Config { minimum_survivors: 9, ..config(NoiseLaw::Skellam) };
    assert!(matches!(run(&config, 1, 4), Err(Abort::TooFew { more: 1, .. })));
    assert!(run(&config, 1, 0).is_ok());
}

fn refusal(policy: PrivacyPolicy, config: &Config) -> Option<Refusal> {
    Policy { privacy: Some(policy), ..Policy::default() }.check(config).err()
}

#[test]
fn a_client_computes_the_privacy_itself() {
    let config = config(NoiseLaw::DiscreteGaussian);
    let plain = vec!["examples".to_owned()];
    let policy = |epsilon, corrupt| PrivacyPolicy {
        plain: plain.clone(),
        ..PrivacyPolicy::new(epsilon, 1e-5, corrupt)
    };
    let epsilon = config.given_away_at_most(2).unwrap().epsilon(1e-5).unwrap().epsilon;
    assert_eq!(refusal(policy(epsilon, 2), &config), None);
    for (policy, config) in [
        (policy(epsilon * 0.999, 2), config.clone()),
        (policy(epsilon, 3), config.clone()),
        (policy(1e9, 7), config.clone()),
        (policy(f64::NAN, 2), config.clone()),
        (PrivacyPolicy { delta: 0.0, ..policy(1e9, 2) }, config.clone()),
        (policy(epsilon, 2), Config { minimum_survivors: 6, ..config.clone() }),
    ] {
        let found = refusal(policy.clone(), &config);
        assert!(matches!(found, Some(Refusal::TooLittlePrivacy { .. })), "{policy:?} {found:?}");
    }
    let says = refusal(policy(1.0, 2), &config).unwrap().to_string();
    assert!(says.contains("5 honest shares") && says.contains("at most 1"), "{says}");
    assert_eq!(refusal(PrivacyPolicy::new(1e9, 1e-5, 0), &config), Some(Refusal::NoNoise("examples".into())));
    let skellam = PrivacyPolicy { laws: vec![NoiseLaw::Skellam], ..policy(1e9, 0) };
    assert!(matches!(refusal(skellam, &config), Some(Refusal::NoiseLaw { .. })));
}

#[test]
fn experimental_noise_is_refused_unless_it_is_asked_for() {
    let config = config(NoiseLaw::Centred);
    let policy = |experimental_noise| Policy { experimental_noise, ..Policy::default() };
    let law = Refusal::NoiseLaw { vector: "update".into(), law: NoiseLaw::Centred };
    assert_eq!(policy(false).check(&config), Err(law));
    assert_eq!(policy(true).check(&config), Ok(()));
    let usual = PrivacyPolicy { plain: vec!["examples".to_owned()], ..PrivacyPolicy::new(1e9, 1e-5, 0) };
    let says = refusal(usual.clone(), &config).unwrap().to_string();
    assert!(says.contains("centred discrete gaussian noise, which the policy does not accept"), "{says}");
    let epsilon = config.given_away(7, 2).unwrap().epsilon(1e-5).unwrap().epsilon;
    let asked =
        |epsilon| PrivacyPolicy { laws: vec![NoiseLaw::Centred], epsilon, corrupt: 2, ..usual.clone() };
    assert_eq!(refusal(asked(epsilon), &config), None);
    let found = refusal(asked(epsilon * 0.999), &config);
    assert!(matches!(found, Some(Refusal::TooLittlePrivacy { shares: 5, .. })), "{found:?}");
}

#[test]
fn a_norm_bound_without_room_is_refused_before_a_key_is_made() {
    for law in [NoiseLaw::Skellam, NoiseLaw::Centred] {
        let mut config = config(law);
        let noise = config.vectors[0].noise.clone().unwrap();
        config.vectors[0].noise = Some(Noise { norm_squared: noise.norm_squared / 2, ..noise });
        let (_, requests) = Server::open(config).unwrap();
        let answer = Client::new([1; 32], Policy::default()).handle(&requests[0].1);
        assert_eq!(answer, Err(Abort::Refused(Refusal::NoRoom("update".into()))));
    }
}

#[test]
fn inputs_of_the_wrong_kind_are_refused() {
    let (_, requests) = Server::open(config(NoiseLaw::Skellam)).unwrap();
    let mut client = Client::new([1; 32], Policy::default());
    client.handle(&requests[0].1).unwrap();
    let mut refused = |update: Input| client.set_input(update.with("examples", vec![1u16])).unwrap_err();
    let integers = Input::new().with("update", vec![1u16; 128]);
    assert!(matches!(refused(integers), Misuse::InputKind { expected: "real numbers", .. }));
    let short = Input::new().with_real("update", vec![0f32; 99]);
    assert!(matches!(refused(short), Misuse::InputLength { found: 99, expected: 100, .. }));
    let padded = Input::new().with_real("update", vec![0f64; 128]);
    assert!(matches!(refused(padded), Misuse::InputLength { found: 128, .. }));
    let mut no_number = values(1);
    no_number[7] = f64::NAN;
    let says = refused(Input::new().with_real("update", no_number)).to_string();
    assert!(says.contains("coordinate at 7"), "{says}");
    let real = Input::new().with_real("update", values(1)).with_real("examples", [1.0]);
    assert!(matches!(client.set_input(real), Err(Misuse::InputKind { expected: "integers", .. })));
}

#[test]
fn the_bytes_are_those_that_were_told() {
    let config = config(NoiseLaw::Skellam);
    let (_, requests) = Server::open(config.clone()).unwrap();
    assert!(requests.iter().all(|(_, one)| one.len() as u64 == sizes::advertise_keys_request(&config)));
}

#[test]
fn noise_is_no_privacy_where_one_input_can_be_unmasked_alone() {
    let config = config(NoiseLaw::DiscreteGaussian);
    let policy = |corrupt| PrivacyPolicy {
        plain: vec!["examples".to_owned()],
        ..PrivacyPolicy::new(1e9, 1e-5, corrupt)
    };
    let low = Config { threshold: 3, ..config.clone() };
    assert_eq!(refusal(policy(2), &low), None);
    assert_eq!(refusal(policy(3), &low), Some(Refusal::ThresholdTooLow { threshold: 3, minimum: 4 }));
    let sparse = Config { graph: Graph::Regular { degree: 4 }, threshold: 3, ..config };
    assert_eq!(refusal(policy(1), &sparse), Some(Refusal::PrivacyNotJudged { corrupt: 1 }));
}

#[test]
fn parameters_with_which_a_rounding_depends_on_the_input_are_refused() {
    let judged = |law, noise| {
        let mut config = config(law);
        config.vectors[0].noise = Some(noise);
        config.check().unwrap();
        matches!(Policy::default().check(&config), Err(Refusal::NoRoom(_)))
    };
    let of = |law| vector(law).noise.unwrap();
    let centred = of(NoiseLaw::Centred);
    assert!(!judged(NoiseLaw::Centred, centred.clone()));
    // On the fine grid there is hardly more to a vector than its clip: just so much is too little.
    let clip = centred.clip() * centred.scale();
    let bare = Noise { norm_squared: (clip * clip * f64::exp2(24.0)) as u64, ..centred.clone() };
    assert!(judged(NoiseLaw::Centred, bare));
    let huge = Noise { scale: f64::MAX.to_bits(), clip: f64::MIN_POSITIVE.to_bits(), ..centred };
    assert!(judged(NoiseLaw::Centred, huge));
    let noise = of(NoiseLaw::DiscreteGaussian);
    let refused = |noise| judged(NoiseLaw::DiscreteGaussian, noise);
    assert!(!refused(noise.clone()));
    // The grid's unit overflows: a vector of zeros would be the only one that can be rounded.
    let (clip, scale) = (f64::MIN_POSITIVE.to_bits(), f64::MAX.to_bits());
    assert!(refused(Noise { clip, scale, ..noise.clone() }));
    // There is room in the mean, and hardly ever for one as long as the clip.
    let clip = noise.clip() * noise.scale();
    let mean = (clip * clip + f64::from(noise.dimension.next_power_of_two()) / 4.0).ceil() as u64;
    assert!(refused(Noise { norm_squared: mean, ..noise }));
}
