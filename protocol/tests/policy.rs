//! A client's policy: what it refuses before it makes a key, and before it signs.

mod cohort;

use std::collections::BTreeMap;

use cohort::{Cohort as Session, authority, credentials, id};
use secagg::parameters::{Fraction, Model, Question, Reason};
use secagg::{
    Abort, AllowedVector, Client, Closed, Cohort, CohortPolicy, Config, Counts, Credentials, Graph, Policy,
    Refusal, Round, SafetyPolicy, SessionBudget, Suite, VectorSpec,
};

fn vectors() -> Vec<VectorSpec> {
    vec![VectorSpec::new("v", 4, 12).with_bound(20)]
}

fn config(suite: Suite, graph: Graph, clients: u32, threshold: u32) -> Config {
    let (minimum_survivors, task, nonce) = (1, [1; 32], [2; 32]);
    Config { suite, graph, clients, threshold, minimum_survivors, vectors: vectors(), task, nonce }
}

fn active() -> Suite {
    Suite::Active { corrupt: 0, authority: authority().public() }
}

fn fraction(text: &str) -> Fraction {
    text.parse().unwrap()
}

/// What a fresh client makes of a proposal; a refusal must leave no key behind.
#[track_caller]
fn verdict(policy: &Policy, config: &Config) -> Result<(), Refusal> {
    let session = Session { config: config.clone(), ..Session::new(Graph::Complete, 2, 2, vectors(), 1) };
    let mut client = match config.suite {
        Suite::Active { .. } => Client::with_credentials([1; 32], policy.clone(), credentials(1)),
        _ => Client::new([1; 32], policy.clone()),
    };
    let (_, requests) = session.open();
    match client.handle(&requests[0].1) {
        Ok(_) => Ok(()),
        Err(Abort::Refused(refusal)) => {
            assert_eq!(client.counts(), Counts::default());
            assert_eq!(client.handle(&requests[0].1), Err(Abort::Over));
            Err(refusal)
        }
        Err(abort) => panic!("{abort}"),
    }
}

/// Complete graphs, by the inequalities of the papers: c < t ≤ n − d, and 2t > n + c against a lying server.
#[test]
fn complete_graphs_are_accepted_exactly_where_the_theorems_hold() {
    let (mut judged, mut accepted) = (0, 0);
    for (corrupt, dropout, tenths) in [("0", "0", (0, 0)), ("0.1", "0.3", (1, 3)), ("0.3", "0.2", (3, 2))] {
        let safety = Some(SafetyPolicy::new(fraction(corrupt), fraction(dropout)));
        let policy = Policy { safety, ..Policy::default() };
        for clients in [2u32, 3, 5, 8, 10, 11, 13, 20] {
            let c = (clients * tenths.0).div_ceil(10).max(1);
            let d = clients * tenths.1 / 10;
            for threshold in 2..=clients {
                for suite in [Suite::Curious, active()] {
                    let config = config(suite, Graph::Complete, clients, threshold);
                    if config.check().is_err() {
                        continue; // The active suite has a rule of its own for c = 0.
                    }
                    let secure = match suite {
                        Suite::Curious => threshold > c,
                        _ => 2 * threshold > clients + c,
                    };
                    let safe = secure && threshold <= clients - d;
                    let found = policy.check(&config);
                    assert_eq!(found.is_ok(), safe, "{config:?}: {found:?}");
                    if clients <= 5 {
                        assert_eq!(verdict(&policy, &config), found);
                    }
                    (judged, accepted) = (judged + 1, accepted + u32::from(safe));
                }
            }
        }
    }
    assert!(judged >= 300 && accepted >= 60 && judged - accepted >= 60, "{accepted} of {judged}");
}

/// Sparse graphs: every threshold beside both ends of the planner's range, at the degrees around its smallest.
#[test]
fn sparse_graphs_are_accepted_exactly_where_the_planner_does() {
    let (mut judged, mut accepted) = (0, 0);
    for (clients, bits) in [(100, 20), (300, 30), (1000, 40), (5000, 40)] {
        let [corrupt, dropout] = ["0.05", "0.1"].map(fraction);
        let safety = SafetyPolicy { security_bits: bits, ..SafetyPolicy::new(corrupt, dropout) };
        let policy = Policy { safety: Some(safety), ..Policy::default() };
        let question =
            Question { security_bits: bits, ..Question::new(Model::BellCurious, clients, corrupt, dropout) };
        let smallest = question.answer().unwrap().degree.unwrap();
        for degree in [smallest - 4, smallest - 2, smallest, smallest + 2] {
            let range = Question { degree: Some(degree), ..question }.answer().unwrap();
            for threshold in 2..=degree {
                let config = config(Suite::Curious, Graph::Regular { degree }, clients, threshold);
                let (least, greatest) = (range.threshold_min, range.threshold_max);
                let safe = least.is_some_and(|least| threshold >= least)
                    && greatest.is_some_and(|greatest| threshold <= greatest);
                let found = policy.check(&config);
                assert_eq!(found.is_ok(), safe, "{clients} {degree} {threshold}: {found:?}");
                if let Err(refusal) = found {
                    let Refusal::Unsafe { safe, reason, .. } = &refusal else { panic!("{refusal}") };
                    assert!(matches!(reason, Reason::Insecure | Reason::Incorrect), "{refusal}");
                    assert_eq!(*safe, least.zip(greatest).filter(|(least, greatest)| least <= greatest));
                }
                (judged, accepted) = (judged + 1, accepted + u32::from(safe));
            }
        }
        assert!(accepted > 0);
    }
    assert!(judged >= 400, "{accepted} of {judged}");
}

/// Each number of the policy with a proposal on either side of it.
#[test]
fn every_other_rule_refuses_on_its_boundary_and_says_the_numbers() {
    let proposal = config(Suite::Curious, Graph::Complete, 10, 6);
    let safety = |minimum_honest| SafetyPolicy {
        minimum_honest,
        ..SafetyPolicy::new(fraction("0.2"), Fraction::ZERO)
    };
    let vector = |change: fn(&mut AllowedVector)| {
        let mut allowed = AllowedVector::new("v");
        change(&mut allowed);
        Policy { vectors: Some(vec![allowed]), ..Policy::default() }
    };
    let of = |change: &dyn Fn(&mut Policy)| {
        let mut policy = Policy::default();
        change(&mut policy);
        policy
    };
    for (met, broken, says) in [
        (
            of(&|p| p.minimum_clients = 10),
            of(&|p| p.minimum_clients = 11),
            "10 clients, but the policy asks for at least 11",
        ),
        (
            of(&|p| p.maximum_clients = 10),
            of(&|p| p.maximum_clients = 9),
            "10 clients, but the policy allows at most 9",
        ),
        (of(&|p| p.maximum_neighbours = 9), of(&|p| p.maximum_neighbours = 8), "9 neighbours"),
        (of(&|p| p.minimum_threshold = 6), of(&|p| p.minimum_threshold = 7), "at least 7"),
        (of(&|p| p.maximum_threshold = 6), of(&|p| p.maximum_threshold = 5), "at most 5"),
        (of(&|p| p.maximum_coordinates = 4), of(&|p| p.maximum_coordinates = 3), "4 coordinates together"),
        (of(&|p| p.minimum_survivors = 1), of(&|p| p.minimum_survivors = 2), "at least 2"),
        (
            of(&|p| p.safety = Some(safety(4))),
            of(&|p| p.safety = Some(safety(5))),
            "propose a minimum of survivors of 7",
        ),
        (
            vector(|v| v.maximum_length = 4),
            vector(|v| v.maximum_length = 3),
            "4 coordinates, but the policy allows at most 3",
        ),
        (vector(|v| v.maximum_bits = 12), vector(|v| v.maximum_bits = 11), "12 bits"),
        (vector(|v| v.maximum_bound = Some(20)), vector(|v| v.maximum_bound = Some(19)), "at most 19"),
        (vector(|_| ()), vector(|v| v.name = "w".into()), "\"v\" is none"),
    ] {
        assert_eq!(verdict(&met, &proposal), Ok(()), "{says}");
        let refusal = verdict(&broken, &proposal).unwrap_err().to_string();
        assert!(refusal.contains(says), "{refusal}");
    }
    let unbounded = Config { vectors: vec![VectorSpec::new("v", 4, 12)], ..proposal.clone() };
    let refusal = verdict(&vector(|v| v.maximum_bound = Some(20)), &unbounded).unwrap_err();
    assert_eq!(refusal, Refusal::VectorUnbounded { vector: "v".into(), maximum: 20 });
    // The minimum of survivors counts where it is above the threshold.
    let more = Config { minimum_survivors: 7, ..proposal };
    assert_eq!(verdict(&of(&|p| p.safety = Some(safety(5))), &more), Ok(()));
}

#[test]
fn numbers_that_would_keep_the_planner_busy_are_refused_at_once() {
    let safety = Some(SafetyPolicy::new(fraction("0.05"), fraction("0.1")));
    let any = u32::MAX;
    let policy = Policy { safety, maximum_clients: any, maximum_neighbours: any, ..Policy::default() };
    let policy = Policy { maximum_threshold: any, ..policy };
    let huge = config(Suite::Curious, Graph::Regular { degree: 1 << 29 }, 1 << 30, 1 << 28);
    assert!(matches!(policy.check(&huge), Err(Refusal::TooManyNeighbours { maximum: 1_048_576, .. })));
    let nonsense = SafetyPolicy { security_bits: 5000, ..policy.safety.unwrap() };
    let policy = Policy { safety: Some(nonsense), ..policy };
    let refusal = policy.check(&config(Suite::Curious, Graph::Regular { degree: 4 }, 10, 3)).unwrap_err();
    assert!(refusal.to_string().contains("correct the policy"), "{refusal}");
}

/// A proposal of a few hundred bytes that would cost a client any amount of memory: each is refused before its size is
/// looked at by anything else, so the test, which has no such memory, ends.
#[test]
fn a_policy_that_says_nothing_of_sizes_has_finite_ones() {
    let small = config(Suite::Curious, Graph::Complete, 10, 6);
    let wide = |vectors: u32, length| Config {
        vectors: (0..vectors).map(|at| VectorSpec::new(format!("v{at}"), length, 12)).collect(),
        ..small.clone()
    };
    let sparse = |clients| config(Suite::Curious, Graph::Regular { degree: 20 }, clients, 12);
    for (most, more) in [
        (wide(1, 1 << 27), wide(1, (1 << 27) + 1)),
        (wide(128, 1 << 20), wide(129, 1 << 20)),
        (small.clone(), wide(255, u32::MAX)),
        (sparse(1 << 20), sparse((1 << 20) + 1)),
        (
            config(Suite::Curious, Graph::Complete, (1 << 14) + 1, 1 << 14),
            config(Suite::Curious, Graph::Complete, (1 << 14) + 2, 1 << 14),
        ),
        (small.clone(), config(Suite::Curious, Graph::Complete, (1 << 14) + 1, (1 << 14) + 1)),
    ] {
        assert_eq!(Policy::default().check(&most), Ok(()));
        assert!(Policy::default().check(&more).is_err(), "{more:?}");
    }
    let refusal = verdict(&Policy::default(), &wide(255, u32::MAX)).unwrap_err();
    let coordinates = 255 * u64::from(u32::MAX);
    assert_eq!(refusal, Refusal::TooManyCoordinates { coordinates, maximum: 1 << 27 });
}

/// A server that lets the same clients in and one of them fall out: it gets no second sum.
#[test]
fn a_survivor_set_that_differs_by_too_few_is_not_signed() {
    let all = 12;
    let names = |numbers: std::ops::RangeInclusive<u32>| {
        Cohort::new(numbers.map(|number| Credentials::identity_of(&cohort::identity_secret(number))))
    };
    let policy = |minimum_difference, signed: Vec<Cohort>| Policy {
        cohorts: Some(CohortPolicy { minimum_difference, signed: Some(signed) }),
        ..Policy::default()
    };
    let session = Session::active(all, 8, 1, vec![VectorSpec::new("v", 4, 12)], 3);
    // The survivors are 1 to 11; what was signed before differs from them by so many.
    let sign = |policy: Policy| {
        let (mut clients, mut server, mut requests) = session.requests_of(Round::AdvertiseKeys);
        clients.insert(id(1), Client::with_credentials(session.entropy[0], policy, credentials(1)));
        let input = secagg::Input::new().with("v", vec![1u64; 4]);
        clients.get_mut(&id(1)).unwrap().set_input(input).unwrap();
        while server.progress().unwrap().round != Round::ConsistencyCheck {
            let last = server.progress().unwrap().round == Round::MaskedInputCollection;
            for (to, request) in requests {
                if !(last && to == id(all)) {
                    let response = clients.get_mut(&to).unwrap().handle(&request).unwrap();
                    server.receive(to, &response).unwrap();
                }
            }
            let Ok(Closed::Next(next)) = server.close_round() else { panic!("enough are left") };
            requests = next;
        }
        let mut client = clients.remove(&id(1)).unwrap();
        let signed = client.handle(&requests[0].1);
        let counts = client.counts().signatures;
        match signed {
            Ok(_) => Ok(client.signed_cohort().cloned().unwrap()),
            Err(Abort::Refused(refusal)) => {
                assert_eq!((counts, client.signed_cohort()), (1, None), "only its keys");
                Err(refusal)
            }
            Err(abort) => panic!("{abort}"),
        }
    };
    let refused = |difference, minimum| Err(Refusal::CohortDifference { difference, minimum });
    assert_eq!(sign(policy(2, Vec::new())), Ok(names(1..=11)));
    assert_eq!(sign(Policy::default()), Ok(names(1..=11)), "the control: without the rule it signs");
    assert_eq!(sign(policy(2, vec![names(1..=12)])), refused(1, 2));
    assert_eq!(sign(policy(5, vec![names(1..=7)])), refused(4, 5));
    assert_eq!(sign(policy(4, vec![names(1..=7)])), Ok(names(1..=11)));
    assert_eq!(sign(policy(5, vec![names(1..=11)])), Ok(names(1..=11)), "the same cohort again");
    assert_eq!(sign(policy(5, vec![names(1..=11), names(3..=12)])), refused(3, 5));
    // Without identities there is nothing to compare: the client does not even begin.
    let curious = config(Suite::Curious, Graph::Complete, 5, 3);
    assert_eq!(verdict(&policy(2, Vec::new()), &curious), Err(Refusal::NoIdentities));
}

/// Pairs of survivor sets that differ by fewer than asked for, and signers of each, as far apart as they can be: where all
/// signers of both may be corrupt, and nowhere else, the client does not take part.
#[test]
fn a_cohort_rule_that_a_server_can_walk_around_is_refused_with_the_proposal() {
    let escapes = |clients: u32, threshold: u32, corrupt: u32, least: u32| {
        let sizes = || threshold..=clients;
        let pairs = sizes().flat_map(|one| sizes().map(move |other| (one, other)));
        let mut sets =
            pairs.flat_map(|(one, other)| (0..=one.min(other)).map(move |both| (one, other, both)));
        sets.any(|(one, other, both)| {
            let near = (1..least).contains(&(one + other - 2 * both));
            near && (2 * threshold).saturating_sub(one + other - both) <= corrupt
        })
    };
    let signed = Some(Vec::new());
    let (mut refused, mut taken) = (0, 0);
    for clients in 2..=10 {
        for (threshold, corrupt) in (2..=clients).flat_map(|t| (0..clients).map(move |c| (t, c))) {
            let suite = Suite::Active { corrupt, authority: authority().public() };
            let proposal = config(suite, Graph::Complete, clients, threshold);
            if proposal.check().is_err() {
                continue;
            }
            for minimum_difference in 0..=2 * clients {
                let cohorts = Some(CohortPolicy { minimum_difference, signed: signed.clone() });
                let found = Policy { cohorts, ..Policy::default() }.check(&proposal);
                let escapes = escapes(clients, threshold, corrupt, minimum_difference);
                assert_eq!(found.is_err(), escapes, "{proposal:?} {minimum_difference}: {found:?}");
                (refused, taken) = (refused + u32::from(escapes), taken + u32::from(!escapes));
                let Err(refusal) = found else { continue };
                let Refusal::CohortsEscape { needed, .. } = refusal else { panic!("{refusal}") };
                assert!(u64::from(threshold) < needed);
            }
        }
    }
    assert!(refused > 100 && taken > 100, "{refused} {taken}");
    // What the client itself reckons with counts, and the refusal leaves no key behind.
    let proposal = config(active(), Graph::Complete, 5, 4);
    let policy = |minimum_difference, minimum: &str| Policy {
        safety: Some(SafetyPolicy::new(fraction(minimum), Fraction::ZERO)),
        cohorts: Some(CohortPolicy { minimum_difference, signed: signed.clone() }),
        ..Policy::default()
    };
    assert_eq!(verdict(&policy(4, "0.2"), &proposal), Ok(()));
    for (policy, corrupt) in [(policy(5, "0.2"), 1), (policy(3, "0.4"), 2)] {
        let refusal = verdict(&policy, &proposal).unwrap_err();
        assert!(
            matches!(refusal, Refusal::CohortsEscape { quorum: 4, needed: 5, clients: 5, corrupt: c, .. }
            if c == corrupt),
            "{refusal}"
        );
        assert!(refusal.to_string().contains("propose a threshold of 5"), "{refusal}");
    }
}

#[test]
fn rules_about_earlier_sessions_refuse_without_a_record_and_say_so() {
    let cohorts = |signed| Policy {
        cohorts: Some(CohortPolicy { minimum_difference: 2, signed }),
        ..Policy::default()
    };
    let budget = |attempted| Policy {
        budget: Some(SessionBudget { per_task: 3, in_all: 3, attempted }),
        ..Policy::default()
    };
    let [signs, counts] = [(active(), 4), (Suite::Curious, 3)]
        .map(|(suite, threshold)| config(suite, Graph::Complete, 5, threshold));
    assert_eq!(verdict(&cohorts(Some(Vec::new())), &signs), Ok(()));
    assert_eq!(verdict(&budget(Some(BTreeMap::new())), &counts), Ok(()));
    for (policy, proposal) in [(cohorts(None), signs), (budget(None), counts)] {
        let refusal = verdict(&policy, &proposal).unwrap_err();
        assert!(matches!(refusal, Refusal::NoRecord(_)), "{refusal}");
        assert!(refusal.to_string().contains("give it the client's record"), "{refusal}");
    }
}

/// A server that ends every session before its sum: all keys are new, and then there are no more.
#[test]
fn a_server_that_aborts_again_and_again_runs_out_of_sessions() {
    let proposal = config(Suite::Curious, Graph::Complete, 5, 3);
    let mut attempted = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for attempt in 0..120u32 {
        let budget = SessionBudget { per_task: 100, in_all: 110, attempted: Some(attempted.clone()) };
        let policy = Policy { budget: Some(budget), ..Policy::default() };
        let nonce = [attempt as u8; 32];
        // The last ten are about another task.
        let task = if attempt < 105 { [1; 32] } else { [9; 32] };
        let proposal = Config { nonce, task, ..proposal.clone() };
        let session = Session { config: proposal, ..Session::new(Graph::Complete, 2, 2, vectors(), 1) };
        let answer = Client::new([attempt as u8; 32], policy).handle(&session.open().1[0].1);
        match attempt {
            0..100 | 105..115 => {
                assert!(seen.insert(answer.unwrap()[33..].to_vec()), "the keys of session {attempt} are new");
                *attempted.entry(task).or_default() += 1;
            }
            100..105 => {
                let refusal = Refusal::RetryBudget { of: "this task", attempted: 100, most: 100 };
                assert_eq!(answer, Err(Abort::Refused(refusal)));
            }
            _ => {
                let refusal = Refusal::RetryBudget { of: "all tasks", attempted: 110, most: 110 };
                assert_eq!(answer, Err(Abort::Refused(refusal)));
            }
        }
    }
}
