//! Whole sessions against the plain sum.

mod cohort;

use cohort::{Cohort, Moment};
use proptest::prelude::*;
use secagg::{Abort, Graph, Round, VectorSpec};

fn graphs() -> impl Strategy<Value = (Graph, u32, u32)> {
    let complete = (2u32..12).prop_flat_map(|n| (Just(Graph::Complete), Just(n), 2..=n));
    let regular = (1u32..5, 1u32..12).prop_flat_map(|(half, more)| {
        let degree = 2 * half;
        (Just(Graph::Regular { degree }), Just(degree + more), 2..=degree)
    });
    prop_oneof![complete, regular]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any graph, any widths, any lengths, nobody lost: the sum is exact.
    #[test]
    fn an_honest_session_gives_the_sum(
        (graph, clients, threshold) in graphs(),
        shapes in prop::collection::vec((1u32..40, 1u8..=62), 1..4),
        seed: u64,
    ) {
        let vectors = shapes.iter().enumerate();
        let vectors = vectors.map(|(at, &(length, bits))| VectorSpec::new(format!("v{at}"), length, bits)).collect();
        let cohort = Cohort::new(graph, clients, threshold, vectors, seed);
        let aggregate = cohort.run(|_, _| None).unwrap();
        prop_assert_eq!(aggregate.survivors.len(), clients as usize);
        prop_assert!(aggregate.faults.is_empty());
        cohort.assert_sum(&aggregate);
    }

    /// The same in the active suite, against every number of corrupt clients that the threshold allows.
    #[test]
    fn an_honest_active_session_gives_the_sum(clients in 2u32..12, seed: u64) {
        let mut random = cohort::Random::new(seed);
        let threshold = clients / 2 + 1 + random.below(clients.div_ceil(2));
        let corrupt = random.below(2 * threshold - clients);
        let cohort = Cohort::active(clients, threshold, corrupt, vec![VectorSpec::new("v", 9, 33)], seed);
        let aggregate = cohort.run(|_, _| None).unwrap();
        prop_assert_eq!(aggregate.survivors.len(), clients as usize);
        prop_assert!(aggregate.faults.is_empty());
        cohort.assert_sum(&aggregate);
    }

    /// Clients vanish at random moments of random rounds: the right sum, or the abort that the survivors imply.
    #[test]
    fn random_dropout_gives_the_sum_or_an_abort(
        clients in 3u32..=64,
        sparse in any::<bool>(),
        share in 0u32..=100,
        rate in 0u32..60,
        seed: u64,
    ) {
        let degree = (clients / 2 / 2 * 2).max(2).min(clients - 1) / 2 * 2;
        let (graph, holders) =
            if sparse { (Graph::Regular { degree }, degree) } else { (Graph::Complete, clients) };
        let threshold = (holders * share / 100).clamp(2, holders);
        let cohort = Cohort::new(graph, clients, threshold, vec![VectorSpec::new("v", 5, 20)], seed);
        let mut random = cohort::Random::new(seed);
        let rounds = cohort.rounds();
        let round = |random: &mut cohort::Random| rounds[random.below(rounds.len() as u32) as usize];
        let plan: Vec<_> = (0..=clients)
            .map(|_| (random.below(100) < rate).then(|| (round(&mut random), random.moment())))
            .collect();
        cohort.assert_outcome(|id, round| plan[id as usize].filter(|(at, _)| *at == round).map(|(_, moment)| moment));
    }
}

/// Every way in which up to four clients can vanish before or after each message.
///
/// A client's fate is to stay, or to vanish before or after the message of one of the rounds: one of nine in the
/// curious suite and of eleven in the active one. There, on the complete graph, it does not matter who of the
/// clients has which fate, so each combination is played once.
#[test]
fn every_dropout_of_up_to_four_clients_at_every_step() {
    let vectors = || vec![VectorSpec::new("v", 1, 9)];
    let curious = [
        (Graph::Complete, 2, 2),
        (Graph::Complete, 3, 2),
        (Graph::Complete, 3, 3),
        (Graph::Regular { degree: 2 }, 3, 2),
        (Graph::Complete, 4, 3),
        (Graph::Regular { degree: 2 }, 4, 2),
    ];
    let active = [(2, 2, 0), (3, 2, 0), (3, 3, 2), (4, 3, 1)];
    let curious =
        curious.map(|(graph, clients, threshold)| Cohort::new(graph, clients, threshold, vectors(), 1));
    let active =
        active.map(|(clients, threshold, corrupt)| Cohort::active(clients, threshold, corrupt, vectors(), 1));
    for cohort in curious.into_iter().chain(active) {
        let (clients, rounds) = (cohort.config.clients, cohort.rounds());
        let fates = 2 * rounds.len() as u32 + 1;
        for mut code in 0..fates.pow(clients) {
            let fates: Vec<u32> = (0..clients)
                .map(|_| {
                    let fate = code % fates;
                    code /= fates;
                    fate
                })
                .collect();
            if cohort.is_active() && !fates.is_sorted() {
                continue;
            }
            cohort.assert_outcome(|id, round| {
                let fate = fates[id as usize - 1].checked_sub(1)?;
                let moment = if fate % 2 == 0 { Moment::BeforeAnswer } else { Moment::AfterAnswer };
                (rounds[fate as usize / 2] == round).then_some(moment)
            });
        }
    }
}

/// Every subset of five and six clients that is lost in each round.
#[test]
fn every_subset_of_up_to_six_clients_in_every_round() {
    for (graph, clients) in [
        (Graph::Complete, 5),
        (Graph::Complete, 6),
        (Graph::Regular { degree: 2 }, 5),
        (Graph::Regular { degree: 4 }, 5),
        (Graph::Regular { degree: 2 }, 6),
        (Graph::Regular { degree: 4 }, 6),
    ] {
        let holders = if let Graph::Regular { degree } = graph { degree } else { clients };
        for threshold in 2..=holders {
            let cohort = Cohort::new(graph, clients, threshold, vec![VectorSpec::new("v", 1, 33)], 2);
            for lost_in in cohort.rounds() {
                for subset in 0u32..1 << clients {
                    cohort.assert_outcome(|id, round| {
                        let lost = round == lost_in && subset >> (id - 1) & 1 == 1;
                        lost.then_some(Moment::BeforeAnswer)
                    });
                }
            }
        }
    }
}

/// The same in the active suite, of five clients.
#[test]
fn every_subset_of_five_clients_in_every_round_of_the_active_suite() {
    for (threshold, corrupt) in [(3, 0), (4, 2), (5, 4)] {
        let cohort = Cohort::active(5, threshold, corrupt, vec![VectorSpec::new("v", 1, 33)], 2);
        for lost_in in cohort.rounds() {
            for subset in 0u32..1 << 5 {
                cohort.assert_outcome(|id, round| {
                    let lost = round == lost_in && subset >> (id - 1) & 1 == 1;
                    lost.then_some(Moment::BeforeAnswer)
                });
            }
        }
    }
}

#[test]
fn the_abort_says_who_is_missing_and_how_many_more_were_needed() {
    let cohort = Cohort::new(Graph::Complete, 6, 5, vec![VectorSpec::new("v", 1, 8)], 3);
    let abort = cohort
        .run(|id, round| (round == Round::ShareKeys && id <= 3).then_some(Moment::BeforeAnswer))
        .unwrap_err();
    let Abort::TooFew { round, missing, more, about } = &abort else { panic!("{abort}") };
    assert_eq!((*round, *more, *about), (Round::ShareKeys, 2, None));
    assert_eq!(missing.iter().map(|id| id.get()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(abort.to_string(), "ShareKeys: 2 more answers were needed; no answer from clients 1, 2, 3");
}
