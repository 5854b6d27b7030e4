//! Noise with levels: what the number of survivors makes superfluous is taken out of the sum, and nothing else.

mod cohort;

use std::collections::BTreeMap;

use cohort::{authority, credentials, id};
use secagg::conformance as core;
use secagg::privacy::{Encoding, Level, Noise, NoiseLaw, Task};
use secagg::{
    Abort, Aggregate, Client, Closed, Config, Graph, Input, Misbehaviour, Misuse, Policy, PrivacyPolicy,
    Refusal, Round, Server, Suite, VectorSpec, sizes,
};

const CLIENTS: u32 = 9;
const LENGTH: usize = 16;
const ONE: i64 = 1 << 24;

/// Three components, needed below 9 and below 8 survivors, and a vector with noise of one component before it.
fn config(suite: Suite, graph: Graph, law: NoiseLaw) -> Config {
    let task = Task {
        clients: CLIENTS,
        bits: 20,
        clip: 50.0,
        dimension: LENGTH as u32,
        beta: 0.6,
        wrap: 1e-9,
        greatest_scale: Some(1.0),
    };
    let encoding = Encoding::with_multiplier(task, 0.5).unwrap();
    let plain = VectorSpec::with_noise("one", law, &encoding).unwrap();
    let noise = plain.noise.clone().unwrap();
    let level = |survivors, times: u64| Level { survivors, variance: noise.variance * times / 4 };
    let levels = vec![level(9, 5), level(8, 7)];
    let update =
        VectorSpec { name: "update".into(), noise: Some(Noise { levels, ..noise.clone() }), ..plain.clone() };
    Config {
        suite,
        graph,
        clients: CLIENTS,
        threshold: if graph == Graph::Complete { 6 } else { 4 },
        minimum_survivors: 6,
        vectors: vec![plain, VectorSpec::new("count", 1, 20), update],
        task: [0; 32],
        nonce: [law as u8; 32],
    }
}

fn sessions() -> Vec<Config> {
    let active = Suite::Active { corrupt: 2, authority: authority().public() };
    vec![
        config(Suite::Curious, Graph::Complete, NoiseLaw::DiscreteGaussian),
        config(Suite::Curious, Graph::Regular { degree: 8 }, NoiseLaw::Skellam),
        config(active, Graph::Complete, NoiseLaw::Skellam),
        config(active, Graph::Complete, NoiseLaw::DiscreteGaussian),
    ]
}

fn entropy(number: u32) -> [u8; 32] {
    [number as u8 + 100; 32]
}

fn grid(number: u32) -> Vec<i64> {
    (0..LENGTH as i64).map(|at| ((i64::from(number) * 7 + at * 5) % 13 - 6) * ONE).collect()
}

fn client(config: &Config, number: u32) -> Client {
    let mut client = match config.suite {
        Suite::Curious => Client::new(entropy(number), Policy::default()),
        _ => Client::with_credentials(entropy(number), Policy::default(), credentials(number)),
    };
    let input = Input::new().with_grid("one", grid(number)).with_grid("update", grid(number));
    client.set_input(input.with("count", vec![number])).unwrap();
    client
}

/// Runs a session: clients vanish in the rounds that `gone` says, and `change` may change what they send.
fn run(
    config: &Config,
    gone: impl Fn(u32) -> Option<Round>,
    mut change: impl FnMut(u32, Round, &mut Vec<u8>),
) -> Result<Aggregate, Abort> {
    let mut clients: BTreeMap<_, _> =
        (1..=CLIENTS).map(|number| (id(number), client(config, number))).collect();
    let (mut server, mut requests) = Server::open(config.clone())?;
    loop {
        let round = server.progress().unwrap().round;
        for (id, request) in requests {
            if gone(id.get()).is_some_and(|when| when <= round) {
                continue;
            }
            let mut response = clients.get_mut(&id).unwrap().handle(&request)?;
            change(id.get(), round, &mut response);
            assert!(response.len() as u64 <= server.response_limit(id) + 32);
            // What is wrong with it is seen in the faults.
            let _ = server.receive(id, &response);
        }
        match server.close_round()? {
            Closed::Next(next) => requests = next,
            Closed::Done(aggregate) => return Ok(aggregate),
        }
    }
}

fn as_it_is(_: u32, _: Round, _: &mut Vec<u8>) {}

/// The chain's seeds c_1, c_2 of a client for the vector at `place`, and its noise in so many components.
fn noise(
    config: &Config,
    session: &[u8; 32],
    place: u8,
    number: u32,
    kept: usize,
) -> (Vec<[u8; 32]>, Vec<i64>) {
    let suite = u32::from(config.suite.number());
    let noise = config.vectors[usize::from(place)].noise.as_ref().unwrap();
    let at = |rest: &[u8]| [&number.to_be_bytes()[..], &[place], rest].concat();
    let first = core::key(suite, "noise", &config.id(), &entropy(number), &at(&[]));
    let mut sum = core::noise(noise.law, noise.variance, &first, LENGTH).unwrap();
    let (mut before, mut seed, mut chain) = (noise.variance, first, Vec::new());
    for (component, level) in (1u8..).zip(&noise.levels) {
        seed = core::key(suite, "removal chain", session, &seed, &at(&[component]));
        chain.push(seed);
        if usize::from(component) < kept {
            let key = core::key(suite, "removal noise", session, &seed, &at(&[component]));
            let drawn = core::noise(noise.law, level.variance - before, &key, LENGTH).unwrap();
            sum.iter_mut().zip(drawn).for_each(|(sum, drawn)| *sum += drawn);
        }
        before = level.variance;
    }
    (chain, sum)
}

/// The sum of inputs and noise, of which each survivor keeps as many components as `kept` says.
fn expected(config: &Config, aggregate: &Aggregate, place: u8, kept: impl Fn(u32) -> usize) -> Vec<i64> {
    let mut sum = vec![0; LENGTH];
    for survivor in &aggregate.survivors {
        let number = survivor.get();
        let (_, noise) = noise(config, &aggregate.session, place, number, kept(number));
        for ((sum, noise), input) in sum.iter_mut().zip(noise).zip(grid(number)) {
            *sum += noise + input / ONE;
        }
    }
    sum
}

fn found(aggregate: &Aggregate, name: &str) -> Vec<i64> {
    core::centring(20, &aggregate.vector(name).unwrap().iter().collect::<Vec<_>>())
}

#[test]
fn what_remains_is_exactly_what_the_number_of_survivors_needs() {
    for config in sessions() {
        for dropouts in 0..=3 {
            // When in the session they vanish makes no difference, where the graph lets the session go on.
            let rounds = match config.graph {
                Graph::Complete => [Round::AdvertiseKeys, Round::ShareKeys, Round::MaskedInputCollection],
                Graph::Regular { .. } | Graph::KOut { .. } => [Round::ShareKeys; 3],
            };
            let gone = |number: u32| (number <= dropouts).then(|| rounds[number as usize - 1]);
            let aggregate = run(&config, gone, as_it_is).unwrap();
            assert_eq!(aggregate.survivors.len() as u32, CLIENTS - dropouts);
            assert!(aggregate.faults.is_empty());
            let kept = [1, 2, 3, 3][dropouts as usize];
            assert_eq!(found(&aggregate, "update"), expected(&config, &aggregate, 2, |_| kept), "{dropouts}");
            assert_eq!(found(&aggregate, "one"), expected(&config, &aggregate, 0, |_| 1));
            assert!(
                kept == 3 || found(&aggregate, "update") != expected(&config, &aggregate, 2, |_| kept + 1)
            );
        }
        // More than the levels are for, and then more than a sum may lack.
        assert!(matches!(
            run(&config, |number| (number < 5).then_some(Round::MaskedInputCollection), as_it_is),
            Err(Abort::TooFew { .. })
        ));
    }
}

#[test]
fn who_vanishes_before_unmasking_leaves_all_of_its_noise_and_that_is_not_counted() {
    for config in sessions() {
        let mut rounds = vec![Round::Unmasking];
        rounds.extend((config.suite != Suite::Curious).then_some(Round::ConsistencyCheck));
        for late in rounds {
            let gone = |number: u32| match number {
                1 => Some(Round::MaskedInputCollection),
                2 | 3 => Some(late),
                _ => None,
            };
            let aggregate = run(&config, gone, as_it_is).unwrap();
            assert_eq!(aggregate.survivors.len(), 8);
            let kept = |number: u32| if number <= 3 { 3 } else { 2 };
            assert_eq!(found(&aggregate, "update"), expected(&config, &aggregate, 2, kept));
            let noise = config.vectors[2].noise.as_ref().unwrap();
            // The server may have seen their seeds in an answer that came too late.
            for corrupt in [0, 1, 4] {
                assert_eq!(aggregate.noise_left(noise, corrupt), [(8 - corrupt, 2)]);
                let achieved = aggregate.given_away(corrupt).unwrap().epsilon(1e-5).unwrap().epsilon;
                let all_in_time = config.given_away(8, corrupt).unwrap().epsilon(1e-5).unwrap().epsilon;
                assert_eq!(achieved, all_in_time);
            }
        }
    }
}

/// A client is asked for one seed of each vector, and no other vector's or component's follows from it.
#[test]
fn a_client_discloses_the_first_seed_that_is_superfluous_and_none_before() {
    for config in sessions() {
        for dropouts in 0..=2u32 {
            let mut answers = BTreeMap::new();
            let gone = |number| (number <= dropouts).then_some(Round::MaskedInputCollection);
            let aggregate = run(&config, gone, |number, round, response| {
                if round == Round::Unmasking {
                    answers.insert(number, response.clone());
                }
            });
            let session = aggregate.unwrap().session;
            for (number, answer) in answers {
                let (chain, _) = noise(&config, &session, 2, number, 0);
                let shares = CLIENTS as usize - usize::from(config.graph != Graph::Complete);
                let told = sizes::unmasking_response(&config, shares, 0, CLIENTS - dropouts);
                let without = sizes::unmasking_response(&config, shares, 0, 0);
                assert_eq!((answer.len() as u64, told - without), (told, if dropouts < 2 { 32 } else { 0 }));
                for (at, seed) in chain.iter().enumerate() {
                    let disclosed = answer[without as usize..].chunks(32).any(|one| one == seed);
                    assert_eq!(disclosed, at == dropouts as usize, "{dropouts} {at}");
                }
            }
        }
    }
}

#[test]
fn seeds_of_components_do_not_meet() {
    let config = &sessions()[0];
    let mut all = Vec::new();
    for session in [[1; 32], [2; 32]] {
        for number in 1..=3 {
            all.extend(noise(config, &session, 2, number, 0).0);
        }
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), count), (12, 12));
}

#[test]
fn seeds_too_few_or_too_many_put_their_sender_out() {
    for config in sessions() {
        for dropouts in 0..=2 {
            for more in [false, true] {
                if dropouts == 2 && !more {
                    continue;
                }
                let gone = |number| (number <= dropouts).then_some(Round::MaskedInputCollection);
                let aggregate = run(&config, gone, |number, round, response| {
                    if (number, round) == (5, Round::Unmasking) {
                        if more { response.extend([7; 32]) } else { response.truncate(response.len() - 32) }
                    }
                })
                .unwrap();
                let faults: Vec<_> =
                    aggregate.faults.iter().map(|fault| (fault.culprit, fault.what)).collect();
                assert_eq!(faults, [(id(5), Misbehaviour::WrongSeedCount)]);
                assert_eq!(aggregate.dropped[&Round::Unmasking], [id(5)]);
                let kept = |number| if number == 5 { 3 } else { 1 + dropouts as usize };
                assert_eq!(found(&aggregate, "update"), expected(&config, &aggregate, 2, kept));
            }
        }
    }
}

/// Neither a fault nor a panic: it shifts the sum, as the client's input could.
#[test]
fn a_wrong_seed_shifts_the_sum_by_what_it_stands_for() {
    for config in sessions() {
        let aggregate = run(
            &config,
            |_| None,
            |number, round, response| {
                if (number, round) == (5, Round::Unmasking) {
                    let at = response.len() - 32;
                    response[at..].fill(9);
                }
            },
        )
        .unwrap();
        assert!(aggregate.faults.is_empty());
        assert_ne!(found(&aggregate, "update"), expected(&config, &aggregate, 2, |_| 1));
        assert_eq!(found(&aggregate, "one"), expected(&config, &aggregate, 0, |_| 1));
    }
}

/// What a server would do to learn of seeds that the survivors do not make superfluous.
#[test]
fn no_request_but_the_one_for_the_survivors_gets_a_seed() {
    const HEADER: usize = 33;
    for config in sessions() {
        let mut requests = BTreeMap::new();
        let mut clients: BTreeMap<_, _> =
            (1..=CLIENTS).map(|number| (id(number), client(&config, number))).collect();
        let (mut server, mut opened) = Server::open(config.clone()).unwrap();
        while requests.is_empty() {
            for (id, request) in std::mem::take(&mut opened) {
                if id.get() == 1 && server.progress().unwrap().round >= Round::MaskedInputCollection {
                    continue;
                }
                let response = clients.get_mut(&id).unwrap().handle(&request).unwrap();
                server.receive(id, &response).unwrap();
            }
            let Closed::Next(next) = server.close_round().unwrap() else { panic!("a round is left") };
            match server.progress().unwrap().round {
                Round::Unmasking => requests.extend(next),
                _ => opened = next,
            }
        }
        // One client more, one less: numbers to which other seeds belong.
        let other_number = |request: &[u8], survivors: u32| {
            let mut other = request.to_vec();
            match config.suite {
                Suite::Curious => other[HEADER..HEADER + 4].copy_from_slice(&survivors.to_be_bytes()),
                // The signature of the first signer.
                _ => other[HEADER + 8] ^= 1 + survivors as u8,
            }
            other
        };
        for (number, survivors) in [(2, 9), (3, 7), (4, 0), (5, 100)] {
            let (client, request) = (clients.get_mut(&id(number)).unwrap(), &requests[&id(number)]);
            let refused = client.handle(&other_number(request, survivors));
            assert!(matches!(refused, Err(Abort::Server(_))), "{survivors}");
            assert_eq!(client.handle(request), Err(Abort::Over));
        }
        let (client, request) = (clients.get_mut(&id(6)).unwrap(), &requests[&id(6)]);
        assert!(client.handle(request).is_ok());
        assert_eq!(client.handle(request), Err(Abort::Over));
    }
}

#[test]
fn a_client_counts_on_the_worst_number_of_survivors() {
    let config = &sessions()[0];
    let epsilon = |survivors| config.given_away(survivors, 2).unwrap().epsilon(1e-5).unwrap().epsilon;
    let at_most = config.given_away_at_most(2).unwrap().epsilon(1e-5).unwrap().epsilon;
    let worst = (6..=9).map(epsilon).fold(0.0, f64::max);
    assert!(at_most >= worst && at_most <= worst * 1.001, "{at_most} {worst}");
    let policy = |epsilon| {
        let privacy = PrivacyPolicy { plain: vec!["count".into()], ..PrivacyPolicy::new(epsilon, 1e-5, 2) };
        Policy { privacy: Some(privacy), ..Policy::default() }.check(config)
    };
    assert_eq!(policy(at_most), Ok(()));
    assert!(matches!(policy(at_most * 0.999), Err(Refusal::TooLittlePrivacy { .. })));
    let levels =
        (1..=128).map(|at| Level { survivors: 1000 - at, variance: (1 << 20) + u64::from(at) * (1 << 14) });
    let mut many = config.clone();
    for vector in [0, 2] {
        let noise = many.vectors[2].noise.clone().unwrap();
        let noise = Noise { variance: 1 << 20, levels: levels.clone().collect(), ..noise };
        many.vectors[vector] =
            VectorSpec { name: format!("v{vector}"), noise: Some(noise), ..many.vectors[2].clone() };
    }
    let privacy =
        PrivacyPolicy { plain: vec!["count".into(), "one".into()], ..PrivacyPolicy::new(1e6, 1e-5, 2) };
    let judged = Policy { privacy: Some(privacy), ..Policy::default() }.check(&many);
    assert!(matches!(judged, Err(Refusal::TooManyLevels { levels: 256, maximum: 255 })), "{judged:?}");
    // Here no number of survivors but the fewest of a level can be the worst.
    let mut thin = config.clone();
    let noise = thin.vectors[2].noise.as_mut().unwrap();
    noise.levels = vec![Level { survivors: 8, variance: noise.variance * 100 }];
    let of = |survivors| thin.given_away(survivors, 2).unwrap().epsilon(1e-5).unwrap().epsilon;
    assert!(of(8) > of(7) && of(8) > of(9));
    assert!(thin.given_away_at_most(2).unwrap().epsilon(1e-5).unwrap().epsilon >= of(8));
}

#[test]
fn levels_that_cannot_be_are_refused() {
    let config = sessions().remove(0);
    let noise = config.vectors[2].noise.clone().unwrap();
    let check = |levels: Vec<Level>| {
        let mut config = config.clone();
        config.vectors[2].noise = Some(Noise { levels, ..noise.clone() });
        config.check()
    };
    let level = |survivors, more| Level { survivors, variance: noise.variance + more };
    assert_eq!(check(vec![level(u32::MAX, 1 << 14), level(0, 1 << 15)]), Ok(()));
    let greatest = (1 << 60) - noise.variance;
    assert_eq!(check(vec![level(3, greatest)]), Ok(()));
    for levels in [
        vec![level(9, (1 << 14) - 1)],
        vec![level(9, 0)],
        vec![Level { survivors: 9, variance: 1 }],
        vec![level(9, 1 << 14), level(8, 1 << 14)],
        vec![level(9, 1 << 14), level(9, 1 << 15)],
        vec![level(8, 1 << 14), level(9, 1 << 15)],
        vec![level(3, greatest + 1)],
        (0..256u64).map(|at| level(1000 - at as u32, (at + 1) << 14)).collect(),
    ] {
        assert!(matches!(check(levels.clone()), Err(Misuse::VectorNoise { .. })), "{levels:?}");
    }
}
