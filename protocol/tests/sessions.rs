//! Whole sessions against the plain sum.

mod cohort;

use cohort::{Cohort, Moment};
use proptest::prelude::*;
use secagg::{Abort, Graph, Round, VectorSpec};

const ROUNDS: [Round; 4] =
    [Round::AdvertiseKeys, Round::ShareKeys, Round::MaskedInputCollection, Round::Unmasking];

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
        let plan: Vec<_> = (0..=clients)
            .map(|_| (random.below(100) < rate).then(|| (ROUNDS[random.below(4) as usize], random.moment())))
            .collect();
        cohort.assert_outcome(|id, round| plan[id as usize].filter(|(at, _)| *at == round).map(|(_, moment)| moment));
    }
}

/// Every way in which up to six clients can vanish before or after each message.
///
/// A client's fate is one of nine: stay, or vanish before or after the message of one of the four rounds.
#[test]
fn every_dropout_of_up_to_four_clients_at_every_step() {
    for (graph, clients, threshold) in [
        (Graph::Complete, 2, 2),
        (Graph::Complete, 3, 2),
        (Graph::Complete, 3, 3),
        (Graph::Regular { degree: 2 }, 3, 2),
        (Graph::Complete, 4, 3),
        (Graph::Regular { degree: 2 }, 4, 2),
    ] {
        let cohort = Cohort::new(graph, clients, threshold, vec![VectorSpec::new("v", 1, 9)], 1);
        for mut code in 0..9u32.pow(clients) {
            let fates: Vec<u32> = (0..clients)
                .map(|_| {
                    let fate = code % 9;
                    code /= 9;
                    fate
                })
                .collect();
            cohort.assert_outcome(|id, round| {
                let fate = fates[id as usize - 1].checked_sub(1)?;
                let moment = if fate % 2 == 0 { Moment::BeforeAnswer } else { Moment::AfterAnswer };
                (ROUNDS[fate as usize / 2] == round).then_some(moment)
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
            for lost_in in ROUNDS {
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
