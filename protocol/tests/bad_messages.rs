//! Wrong, duplicated, reordered, truncated, late and replayed messages in every state: a named error, no
//! panic, and nobody else harmed.

mod cohort;

use cohort::{Cohort, id};
use secagg::{Abort, Client, ClientId, Graph, Misbehaviour, Policy, Round, VectorSpec};

const HEADER: usize = 33;
const BUNDLE: usize = 80;

fn cohorts() -> [Cohort; 3] {
    let vectors = || vec![VectorSpec::new("a", 3, 3), VectorSpec::new("b", 2, 40)];
    [
        Cohort::new(Graph::Complete, 5, 3, vectors(), 11),
        Cohort::new(Graph::Regular { degree: 4 }, 7, 2, vectors(), 12),
        Cohort::active(5, 3, 0, vectors(), 13),
    ]
}

/// The culprit's message of `round` is replaced; it must be named for `what`, and the sum must be right.
#[track_caller]
fn assert_costs_the_sender(
    cohort: &Cohort,
    round: Round,
    what: Misbehaviour,
    replace: impl Fn(Vec<u8>) -> Vec<u8>,
) {
    let (faults, outcome) = cohort.run_tampered(|id, at, response| {
        vec![if id == 2 && at == round { replace(response) } else { response }]
    });
    assert_eq!(faults.iter().map(|fault| (fault.culprit, fault.what)).collect::<Vec<_>>(), [(id(2), what)]);
    let aggregate = outcome.unwrap();
    assert_eq!(aggregate.survivors.contains(&id(2)), round >= Round::ConsistencyCheck);
    assert_eq!(aggregate.dropped[&round], [id(2)]);
    cohort.assert_sum(&aggregate);
}

fn truncated(mut message: Vec<u8>) -> Vec<u8> {
    message.pop();
    message
}

fn extended(mut message: Vec<u8>) -> Vec<u8> {
    message.push(0);
    message
}

fn with(at: usize, bytes: &[u8]) -> impl Fn(Vec<u8>) -> Vec<u8> {
    move |mut message| {
        message[at..at + bytes.len()].copy_from_slice(bytes);
        message
    }
}

#[test]
fn a_response_of_the_wrong_length_costs_its_sender() {
    for cohort in cohorts() {
        for round in cohort.rounds() {
            let what = match round {
                Round::MaskedInputCollection => Misbehaviour::WrongVectorLength,
                _ => Misbehaviour::Malformed,
            };
            assert_costs_the_sender(&cohort, round, what, truncated);
            assert_costs_the_sender(&cohort, round, what, extended);
            for length in [0, 1, HEADER - 1] {
                let cut = |message: Vec<u8>| message[..length].to_vec();
                assert_costs_the_sender(&cohort, round, Misbehaviour::Malformed, cut);
            }
            assert_costs_the_sender(&cohort, round, Misbehaviour::Malformed, with(0, &[99]));
        }
    }
}

/// A message of another round or session does not put its sender out, if the right one still comes.
#[test]
fn messages_out_of_place_are_named_and_harm_nobody() {
    for cohort in cohorts() {
        for round in cohort.rounds() {
            let mut earlier: Vec<Vec<u8>> = Vec::new();
            let mut expected = Vec::new();
            let (faults, outcome) = cohort.run_tampered(|id, at, response| {
                if id != 2 {
                    return vec![response];
                }
                let mut messages = Vec::new();
                if at == round {
                    // Replayed from each earlier round, and the server's own direction.
                    messages.extend(earlier.iter().cloned());
                    messages.push(with(0, &[response[0] - 1])(response.clone()));
                    expected.extend(messages.iter().map(|_| Misbehaviour::WrongRound));
                    messages.push(with(1, &[response[1] ^ 1])(response.clone()));
                    expected.push(Misbehaviour::WrongSession);
                }
                earlier.push(response.clone());
                messages.push(response.clone());
                if at == round {
                    messages.extend([response, vec![]]);
                    expected.extend([Misbehaviour::Duplicate; 2]);
                }
                messages
            });
            assert_eq!(faults.iter().map(|fault| fault.what).collect::<Vec<_>>(), expected);
            let aggregate = outcome.unwrap();
            assert_eq!(aggregate.survivors.len(), cohort.config.clients as usize);
            cohort.assert_sum(&aggregate);
        }
    }
}

#[test]
fn messages_of_strangers_and_of_excluded_clients_are_refused() {
    let [cohort, ..] = cohorts();
    let (mut clients, mut server, requests) = cohort.requests_of(Round::ShareKeys);
    let response = clients.get_mut(&id(1)).unwrap().handle(&requests[0].1).unwrap();
    let refused =
        |server: &mut secagg::Server, from, message: &[u8]| server.receive(from, message).unwrap_err().what;
    for stranger in [6, 77, u32::MAX] {
        assert_eq!(refused(&mut server, id(stranger), &response), Misbehaviour::UnknownClient);
        assert_eq!(server.response_limit(id(stranger)), 0);
    }
    assert_eq!(refused(&mut server, id(1), &truncated(response.clone())), Misbehaviour::Malformed);
    assert_eq!(refused(&mut server, id(1), &response), Misbehaviour::UnknownClient);
    assert_eq!(server.response_limit(id(1)), 0);
    assert!(server.faults().iter().all(|fault| fault.culprit == id(1)), "strangers leave no trace");
}

#[test]
fn a_late_message_after_the_end_is_refused() {
    let [cohort, ..] = cohorts();
    let mut last = Vec::new();
    let mut sent = 0;
    let (mut clients, mut server, requests) = cohort.requests_of(Round::Unmasking);
    for (id, request) in requests {
        last = clients.get_mut(&id).unwrap().handle(&request).unwrap();
        server.receive(id, &last).unwrap();
        sent += 1;
    }
    assert_eq!(sent, 5);
    server.close_round().unwrap();
    assert_eq!(server.receive(id(5), &last).unwrap_err().what, Misbehaviour::WrongRound);
    assert_eq!(server.close_round().unwrap_err(), Abort::Over);
    assert_eq!(server.progress(), None);
}

#[test]
fn bad_keys_cost_their_sender() {
    for cohort in cohorts() {
        let bad = |at, key: &[u8], what| {
            assert_costs_the_sender(&cohort, Round::AdvertiseKeys, what, with(HEADER + at, key));
        };
        bad(0, &[0; 32], Misbehaviour::BadEncryptionKey);
        bad(0, &[0xff; 32], Misbehaviour::BadEncryptionKey);
        bad(32, &[0; 32], Misbehaviour::BadMaskKey);
        bad(32, &[0xff; 32], Misbehaviour::BadMaskKey);
        // Client 1's keys, in either place.
        let (mut clients, _, requests) = cohort.requests_of(Round::AdvertiseKeys);
        let first = clients.get_mut(&id(1)).unwrap().handle(&requests[0].1).unwrap();
        // In the active suite client 2's signature is not over these.
        let what =
            if cohort.is_active() { Misbehaviour::BadKeySignature } else { Misbehaviour::DuplicateKey };
        bad(0, &first[HEADER..HEADER + 32], what);
        bad(32, &first[HEADER + 32..HEADER + 64], what);
    }
}

#[test]
fn bundles_and_padding_are_counted() {
    for cohort in cohorts() {
        let fewer = |mut message: Vec<u8>| {
            message.truncate(message.len() - BUNDLE);
            let bytes = (message.len() - HEADER - 36) as u32;
            with(HEADER + 32, &bytes.to_be_bytes())(message)
        };
        assert_costs_the_sender(&cohort, Round::ShareKeys, Misbehaviour::WrongBundleCount, fewer);
        // Vector "a" has 3 × 3 bits: the upper seven bits of its second byte are padding.
        let padded = |mut message: Vec<u8>| {
            message[HEADER + 1] |= 0x80;
            message
        };
        assert_costs_the_sender(&cohort, Round::MaskedInputCollection, Misbehaviour::NonZeroPadding, padded);
    }
}

#[test]
fn malformed_unmasking_answers_cost_their_sender() {
    for cohort in cohorts() {
        let bad = |what, replace: &dyn Fn(Vec<u8>) -> Vec<u8>| {
            assert_costs_the_sender(&cohort, Round::Unmasking, what, replace);
        };
        bad(Misbehaviour::NonCanonicalShare, &with(HEADER + 8, &[0xff; 32]));
        bad(Misbehaviour::WrongShareCount, &|mut message| {
            message.truncate(message.len() - 32);
            let bytes = (message.len() - HEADER - 8) as u32;
            with(HEADER + 4, &bytes.to_be_bytes())(message)
        });
        let unopened = |ids: &[u32]| {
            let ids = ids.to_vec();
            move |message: Vec<u8>| {
                let list: Vec<u8> = ids.iter().flat_map(|id| id.to_be_bytes()).collect();
                let mut out = message[..HEADER].to_vec();
                out.extend((list.len() as u32).to_be_bytes());
                out.extend(list);
                out.extend(&message[HEADER + 4..]);
                out
            }
        };
        for ids in [&[99][..], &[2], &[3, 1], &[3, 3]] {
            bad(Misbehaviour::BadUnopenedList, &unopened(ids));
        }
        bad(Misbehaviour::Malformed, &unopened(&[0]));
    }
}

/// With more answers than the threshold a wrong share is named, wherever it stands, and the sum is right.
#[test]
fn wrong_shares_are_named_and_left_out() {
    for cohort in cohorts() {
        let shares = if cohort.config.graph == Graph::Complete { 5 } else { 4 };
        for at in 0..shares {
            // Any bit of the low bytes keeps the scalar canonical.
            let flip = |mut message: Vec<u8>| {
                message[HEADER + 8 + 32 * at] ^= 1;
                message
            };
            let (faults, outcome) = cohort.run_tampered(|id, round, response| {
                vec![if id == 2 && round == Round::Unmasking { flip(response) } else { response }]
            });
            assert!(faults.is_empty(), "a wrong share is found when the round closes");
            let aggregate = outcome.unwrap();
            let [fault] = aggregate.faults[..] else { panic!("{:?}", aggregate.faults) };
            assert_eq!((fault.culprit, fault.what), (id(2), Misbehaviour::WrongShare));
            cohort.assert_sum(&aggregate);
        }
    }
}

/// On the complete graph with n = 7 and t = 3, two liars in all their shares are both named.
#[test]
fn two_liars_are_both_named() {
    let cohort = Cohort::new(Graph::Complete, 7, 3, vec![VectorSpec::new("v", 2, 8)], 5);
    let (_, outcome) = cohort.run_tampered(|id, round, mut response| {
        if round == Round::Unmasking && (id == 3 || id == 6) {
            for share in response[HEADER + 8..].chunks_mut(32) {
                share[..8].copy_from_slice(&[id as u8; 8]);
            }
        }
        vec![response]
    });
    let aggregate = outcome.unwrap();
    let mut named: Vec<ClientId> = aggregate.faults.iter().map(|fault| fault.culprit).collect();
    named.dedup();
    assert_eq!(named, [id(3), id(6)]);
    cohort.assert_sum(&aggregate);
}

/// One answer above the threshold is enough to name one liar; with none above it the session aborts.
#[test]
fn with_no_good_shares_to_spare_the_session_aborts() {
    for (threshold, recovers) in [(4, true), (5, false)] {
        let cohort = Cohort::new(Graph::Complete, 5, threshold, vec![VectorSpec::new("v", 2, 8)], 6);
        let (_, outcome) = cohort.run_tampered(|id, round, mut response| {
            if round == Round::Unmasking && id == 4 {
                response[HEADER + 8] ^= 1;
            }
            vec![response]
        });
        if recovers {
            let aggregate = outcome.unwrap();
            assert_eq!(aggregate.faults[0].culprit, id(4));
            cohort.assert_sum(&aggregate);
        } else {
            let Err(Abort::Unrecoverable { owner, what, suspects }) = outcome else { panic!("{outcome:?}") };
            assert_eq!((owner, what, suspects.len()), (id(1), Misbehaviour::WrongShare, 5));
        }
    }
}

/// A bundle that does not open costs its owner a share, and its holder nothing.
#[test]
fn a_garbled_bundle_costs_its_owner() {
    for cohort in cohorts() {
        let (_, outcome) = cohort.run_tampered(|id, round, mut response| {
            if round == Round::ShareKeys && id == 2 {
                response[HEADER + 36] ^= 1; // the bundle of its first neighbour
            }
            vec![response]
        });
        let aggregate = outcome.unwrap();
        let [fault] = aggregate.faults[..] else { panic!("{:?}", aggregate.faults) };
        assert_eq!((fault.culprit, fault.what), (id(2), Misbehaviour::BadBundle));
        assert!(fault.about.is_some());
        assert_eq!(aggregate.survivors.len(), cohort.config.clients as usize);
        cohort.assert_sum(&aggregate);
    }
}

/// An owner whose bundles leave fewer than the threshold of shares ends the session; the progress says so before
/// the round is closed, and the faults name the owner.
#[test]
fn too_many_garbled_bundles_end_the_session() {
    let cohort = Cohort::new(Graph::Complete, 4, 3, vec![VectorSpec::new("v", 2, 8)], 9);
    let (mut clients, mut server, mut requests) = cohort.requests_of(Round::ShareKeys);
    loop {
        for (to, request) in requests {
            let mut response = clients.get_mut(&to).unwrap().handle(&request).unwrap();
            if server.progress().unwrap().round == Round::ShareKeys && to == id(1) {
                response[HEADER + 36] ^= 1;
                response[HEADER + 36 + BUNDLE] ^= 1;
            }
            server.receive(to, &response).unwrap();
        }
        if server.progress().unwrap().round == Round::Unmasking {
            break;
        }
        let Ok(secagg::Closed::Next(next)) = server.close_round() else { panic!() };
        requests = next;
    }
    assert!(!server.progress().unwrap().sufficient);
    let abort = server.close_round().unwrap_err();
    assert_eq!(
        abort.to_string(),
        "Unmasking: 1 more answer was needed from holders of the shares of client 1; \
         all that were asked have answered"
    );
    assert!(
        server.faults().iter().all(|fault| fault.culprit == id(1) && fault.what == Misbehaviour::BadBundle)
    );
    assert_eq!(server.faults().len(), 2);
}

/// A client whose commitment does not fit its shares ends the session, and is named alone.
///
/// With 66 spare shares there are more sets to leave out than a counter holds: the server does not try them.
#[test]
fn a_false_commitment_is_pinned_on_its_owner() {
    for (clients, threshold) in [(5, 3), (70, 4)] {
        let cohort = Cohort::new(Graph::Complete, clients, threshold, vec![VectorSpec::new("v", 1, 8)], 13);
        let (_, outcome) = cohort.run_tampered(|id, round, mut response| {
            if round == Round::ShareKeys && id == 2 {
                response[HEADER] ^= 1;
            }
            vec![response]
        });
        let what = Misbehaviour::WrongCommitment;
        assert_eq!(outcome.unwrap_err(), Abort::Unrecoverable { owner: id(2), what, suspects: vec![id(2)] });
    }
}

/// A client that is sent `request` in `round` refuses it for `what`, and is over.
#[track_caller]
fn assert_refuses(cohort: &Cohort, round: Round, what: Misbehaviour, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let (mut clients, _, requests) = cohort.requests_of(round);
    let client = clients.get_mut(&id(2)).unwrap();
    let request = requests.into_iter().find(|(to, _)| *to == id(2)).unwrap().1;
    assert_eq!(client.handle(&change(request.clone())).unwrap_err(), Abort::Server(what));
    assert_eq!(client.round(), None);
    assert_eq!(client.handle(&request).unwrap_err(), Abort::Over);
}

#[test]
fn clients_refuse_bad_requests_in_every_round() {
    for cohort in cohorts() {
        for round in cohort.rounds() {
            assert_refuses(&cohort, round, Misbehaviour::Malformed, truncated);
            assert_refuses(&cohort, round, Misbehaviour::Malformed, extended);
            assert_refuses(&cohort, round, Misbehaviour::Malformed, |_| Vec::new());
            assert_refuses(&cohort, round, Misbehaviour::WrongRound, |m| with(0, &[m[0] + 1])(m));
            let session = match (round, cohort.config.graph) {
                (Round::ShareKeys, Graph::Complete) => Some(Misbehaviour::SessionNotDerived),
                // On a sparse graph the client cannot derive the session id: it has not seen the roster.
                (Round::ShareKeys, _) => None,
                _ => Some(Misbehaviour::WrongSession),
            };
            if let Some(what) = session {
                assert_refuses(&cohort, round, what, |m| with(1, &[m[1] ^ 1])(m));
            }
        }
        let config = HEADER + 4;
        let graph = if cohort.config.graph == Graph::Complete { 0 } else { 4 };
        let clients = config + 4 + graph + if cohort.is_active() { 36 } else { 0 };
        assert_refuses(&cohort, Round::AdvertiseKeys, Misbehaviour::BadConfig, with(config, &[0, 9]));
        assert_refuses(&cohort, Round::AdvertiseKeys, Misbehaviour::BadConfig, with(config + 2, &[9]));
        assert_refuses(
            &cohort,
            Round::AdvertiseKeys,
            Misbehaviour::BadConfig,
            with(clients + 4, &[0, 0, 0, 1]),
        );
        assert_refuses(&cohort, Round::AdvertiseKeys, Misbehaviour::BadId, with(HEADER, &[0, 0, 0, 99]));
        assert_refuses(&cohort, Round::AdvertiseKeys, Misbehaviour::Malformed, with(HEADER, &[0; 4]));
    }
}

#[test]
fn clients_refuse_a_false_neighbourhood() {
    for cohort in cohorts() {
        let size = if cohort.is_active() { 228 } else { 68 };
        let item = |at: usize| HEADER + 4 + size * at;
        let complete = cohort.config.graph == Graph::Complete;
        let refuses = |what, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
            assert_refuses(&cohort, Round::ShareKeys, what, change);
        };
        let swapped = |mut message: Vec<u8>| {
            let (one, other) = message[item(0)..].split_at_mut(size);
            one.swap_with_slice(&mut other[..size]);
            message
        };
        refuses(Misbehaviour::BadNeighbourhood, &swapped);
        let last = |message: &[u8]| item((message.len() - HEADER - 4) / size - 1);
        refuses(Misbehaviour::BadNeighbourhood, &|m| with(last(&m), &[0, 0, 0, 99])(m));
        let own_key = |mut message: Vec<u8>| {
            let at = message[item(0)..].chunks(size).position(|item| item[..4] == [0, 0, 0, 2]).unwrap();
            message[item(at) + 40] ^= 1;
            message
        };
        refuses(Misbehaviour::BadNeighbourhood, &own_key);
        let shorter = |keep: usize| {
            move |message: Vec<u8>| {
                let bytes = (size * keep) as u32;
                with(HEADER, &bytes.to_be_bytes())(message[..item(keep)].to_vec())
            }
        };
        refuses(Misbehaviour::BadNeighbourhood, &shorter(2));
        if !complete {
            refuses(Misbehaviour::BadNeighbourhood, &shorter(4));
            // The complete graph refuses these by the session id already.
            let other = |m: &[u8]| if m[item(0) + 3] == 2 { item(1) } else { item(0) };
            let copied = |m: Vec<u8>| {
                let (from, to) = (last(&m), other(&m));
                let key = m[from + 4..from + 36].to_vec();
                with(to + 4, &key)(m)
            };
            refuses(Misbehaviour::DuplicateKey, &copied);
            refuses(Misbehaviour::BadEncryptionKey, &|m| with(other(&m) + 4, &[0; 32])(m));
            refuses(Misbehaviour::BadMaskKey, &|m| with(other(&m) + 36, &[0xff; 32])(m));
        }
    }
}

#[test]
fn clients_refuse_false_sharers_and_survivors() {
    let item = |at: usize| HEADER + 4 + 84 * at;
    for cohort in cohorts() {
        let complete = cohort.config.graph == Graph::Complete;
        let round = Round::MaskedInputCollection;
        assert_refuses(&cohort, round, Misbehaviour::BadSharers, with(item(0), &[0, 0, 0, 2]));
        assert_refuses(&cohort, round, Misbehaviour::BadSharers, with(item(0), &[0, 0, 0, 99]));
        assert_refuses(&cohort, round, Misbehaviour::TooFewSharers, |m| {
            with(HEADER, &84u32.to_be_bytes())(m[..item(1)].to_vec())
        });
        if cohort.is_active() {
            continue; // its survivors are in ConsistencyCheck: see the tests of the active suite
        }
        let round = Round::Unmasking;
        let (count, length, bits) = (HEADER, HEADER + 4, HEADER + 8);
        assert_refuses(&cohort, round, Misbehaviour::BadSurvivorSet, |m| with(bits, &[m[bits] | 0x80])(m));
        assert_refuses(&cohort, round, Misbehaviour::BadSurvivorSet, |m| {
            with(length, &2u32.to_be_bytes())(extended(m))
        });
        assert_refuses(&cohort, round, Misbehaviour::BelowMinimumSurvivors, with(count, &[0; 4]));
        assert_refuses(&cohort, round, Misbehaviour::WrongSurvivorCount, with(count, &[0, 0, 0, 1]));
        assert_refuses(&cohort, round, Misbehaviour::WrongSurvivorCount, with(count, &[0xff; 4]));
        if complete {
            // Everybody is in the neighbourhood, so client 2 is its second bit.
            assert_refuses(&cohort, round, Misbehaviour::SelfDropped, with(bits, &[0b11101]));
            assert_refuses(&cohort, round, Misbehaviour::TooFewSurvivors, with(bits, &[0b00011]));
        }
    }
}

#[test]
fn the_policy_is_asked_before_a_key_is_made() {
    let [cohort, ..] = cohorts();
    let (_, requests) = cohort.open();
    for (policy, says) in [
        (Policy { minimum_clients: 6, ..Policy::default() }, "5 clients, but the policy asks for at least 6"),
        (
            Policy { minimum_threshold: 4, ..Policy::default() },
            "threshold of 3, but the policy asks for at least 4",
        ),
        (
            Policy { minimum_survivors: 2, ..Policy::default() },
            "sums of as few as 1 inputs, but the policy asks for at least 2",
        ),
        (Policy { task: Some([0; 32]), ..Policy::default() }, "task digest"),
    ] {
        let mut client = Client::new([1; 32], policy);
        let abort = client.handle(&requests[0].1).unwrap_err();
        assert!(abort.to_string().contains(says), "{abort}");
        assert_eq!(client.counts(), secagg::Counts::default());
        assert_eq!(client.handle(&requests[0].1).unwrap_err(), Abort::Over);
    }
}
