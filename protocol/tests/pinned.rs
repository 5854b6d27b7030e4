//! The pinned suite: dropouts, and every rule of its own broken once.

mod cohort;

use std::collections::{BTreeMap, BTreeSet};

use cohort::{Cohort, Moment, Random, authority, credentials, id};
use secagg::{
    Abort, Client, ClientId, Closed, Config, Fault, Graph, Misbehaviour, Policy, Refusal, Requests, Round,
    SafetyPolicy, Suite, VectorSpec,
};
use sha2::{Digest, Sha256};

const HEADER: usize = 33;
const MEMBER: usize = 260;
const DRAWN: usize = 4 + 32 + 80;

fn vectors() -> Vec<VectorSpec> {
    vec![VectorSpec::new("v", 3, 33)]
}

/// Nine clients, of whom each draws five holders; three shares open a secret, and a quorum is six.
fn nine() -> Cohort {
    Cohort::pinned(9, (5, 3), 2, vectors(), 5)
}

/// Every combination of fates of four clients, and every subset of five that is lost in each round.
#[test]
fn every_dropout_of_few_clients() {
    let four = Cohort::pinned(4, (3, 2), 1, vectors(), 1);
    let rounds = four.rounds();
    for code in 0..11u32.pow(4) {
        let fates: Vec<u32> = (0..4).map(|place| code / 11u32.pow(place) % 11).collect();
        // Each has drawn all others, so it does not matter who has which fate.
        if !fates.is_sorted() {
            continue;
        }
        four.assert_outcome(|id, round| {
            let fate = fates[id as usize - 1].checked_sub(1)?;
            let moment = if fate % 2 == 0 { Moment::BeforeAnswer } else { Moment::AfterAnswer };
            (rounds[fate as usize / 2] == round).then_some(moment)
        });
    }
    for (degree, threshold) in [(3, 2), (4, 2), (4, 3)] {
        let five = Cohort::pinned(5, (degree, threshold), 1, vectors(), 2);
        for lost_in in five.rounds() {
            for subset in 0u32..1 << 5 {
                five.assert_outcome(|id, round| {
                    let lost = round == lost_in && subset >> (id - 1) & 1 == 1;
                    lost.then_some(Moment::BeforeAnswer)
                });
            }
        }
    }
}

/// Larger cohorts with dropouts at random: most sessions end with a sum, some with an abort, as the rule says.
#[test]
fn dropouts_at_random() {
    let mut random = Random::new(11);
    for seed in 0..12 {
        let (clients, degree) = (12 + random.below(14), 6 + random.below(5));
        let cohort = Cohort::pinned(clients, (degree, 3 + random.below(2)), 2, vectors(), seed);
        let rounds = cohort.rounds();
        let fates: Vec<Option<(Round, Moment)>> = (0..clients)
            .map(|_| (random.below(5) == 0).then(|| (rounds[random.below(5) as usize], random.moment())))
            .collect();
        cohort.assert_outcome(|id, round| {
            fates[id as usize - 1].filter(|(lost_in, _)| *lost_in == round).map(|(_, moment)| moment)
        });
    }
}

fn list(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn message(kind: u8, session: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    [&[kind][..], session, &parts.concat()].concat()
}

fn session_of(requests: &Requests) -> Vec<u8> {
    requests[0].1[1..HEADER].to_vec()
}

/// What one client sends is changed: the fault, and that the others end with the sum over `left`.
fn faulty(round: Round, change: impl Fn(&mut Vec<u8>), left: impl Fn(u32) -> bool) -> Vec<Misbehaviour> {
    let cohort = nine();
    let (faults, aggregate) = cohort.run_tampered(|number, at, mut response| {
        if number == 4 && at == round {
            change(&mut response);
        }
        vec![response]
    });
    let aggregate = aggregate.unwrap();
    cohort.assert_sum(&aggregate);
    assert!(aggregate.survivors.iter().map(|one| one.get()).eq((1..=9).filter(|number| left(*number))));
    assert!(faults.iter().all(|Fault { culprit, .. }| *culprit == id(4)));
    // What comes later from a client that is out is not taken.
    faults.into_iter().map(|fault| fault.what).filter(|what| *what != Misbehaviour::UnknownClient).collect()
}

#[test]
fn a_server_refuses_what_breaks_a_rule() {
    let others = |number| number != 4;
    let share = |change: fn(&mut Vec<u8>)| faulty(Round::ShareKeys, change, others);
    assert_eq!(share(|bytes| bytes[HEADER + 32] ^= 1), [Misbehaviour::WrongDraw]);
    assert_eq!(share(|bytes| bytes[HEADER + 63] ^= 0x80), [Misbehaviour::WrongDraw]);
    let fewer = |bytes: &mut Vec<u8>| {
        bytes.truncate(bytes.len() - 80);
        bytes[HEADER + 64..HEADER + 68].copy_from_slice(&(4 * 80u32).to_be_bytes());
    };
    assert_eq!(share(fewer), [Misbehaviour::WrongBundleCount]);

    let input = |change: fn(&mut Vec<u8>)| faulty(Round::MaskedInputCollection, change, others);
    assert_eq!(input(|bytes| bytes[HEADER] ^= 1), [Misbehaviour::BadSharerSignature]);
    assert_eq!(input(|bytes| bytes[HEADER + 63] ^= 1), [Misbehaviour::BadSharerSignature]);
    assert_eq!(input(|bytes| bytes.truncate(HEADER + 63)), [Misbehaviour::Malformed]);
    assert_eq!(input(|bytes| bytes.truncate(HEADER + 64)), [Misbehaviour::WrongVectorLength]);
    assert_eq!(input(|bytes| *bytes.last_mut().unwrap() |= 0x80), [Misbehaviour::NonZeroPadding]);

    let all = |_| true;
    let sign = |change: fn(&mut Vec<u8>)| faulty(Round::ConsistencyCheck, change, all);
    assert_eq!(sign(|bytes| bytes[HEADER] ^= 1), [Misbehaviour::BadSurvivorSignature]);
    assert_eq!(sign(|_| ()), []);
}

/// A request of ShareKeys to client 1 in which the members, and so the session id, are changed.
fn shown(cohort: &Cohort, change: impl Fn(&mut Vec<u8>)) -> Result<Vec<u8>, Abort> {
    let (mut clients, _, requests) = cohort.requests_of(Round::ShareKeys);
    let mut members = requests[0].1[HEADER + 4..].to_vec();
    change(&mut members);
    let session = Sha256::new()
        .chain_update(b"secagg/1\x03session\0")
        .chain_update(cohort.config.id())
        .chain_update(((members.len() / MEMBER) as u32).to_be_bytes())
        .chain_update(&members)
        .finalize();
    clients.get_mut(&id(1)).unwrap().handle(&message(3, &session, &[&list(&members)]))
}

#[test]
fn a_client_draws_only_for_a_roster_that_it_has_checked() {
    let cohort = nine();
    let refused = |what| Err(Abort::Server(what));
    assert!(shown(&cohort, |_| ()).is_ok());
    // Six members are enough for five holders; five are not.
    assert!(shown(&cohort, |members| members.truncate(6 * MEMBER)).is_ok());
    assert_eq!(
        shown(&cohort, |members| members.truncate(5 * MEMBER)),
        refused(Misbehaviour::BadNeighbourhood)
    );
    let member = 3 * MEMBER;
    for (field, what) in [
        (4..36, Misbehaviour::BadKeySignature),
        (68..100, Misbehaviour::BadKeySignature), // the draw commitment
        (100..132, Misbehaviour::BadCertificate),
        (132..196, Misbehaviour::BadCertificate),
        (196..260, Misbehaviour::BadKeySignature),
    ] {
        // Of client 5 into the place of client 4.
        let outcome = shown(&cohort, |members| {
            let other = members[member + MEMBER + field.start..member + MEMBER + field.end].to_vec();
            members[member + field.start..member + field.end].copy_from_slice(&other);
            if field.start == 4 || field.start == 100 {
                members.drain(member + MEMBER..member + 2 * MEMBER);
            }
        });
        assert_eq!(outcome, refused(what), "{field:?}");
    }
    // Its own commitment may not change either, and the session id has to be that of the roster.
    assert_eq!(shown(&cohort, |members| members[70] ^= 1), refused(Misbehaviour::BadNeighbourhood));
    let (mut clients, _, requests) = cohort.requests_of(Round::ShareKeys);
    let mut request = requests[0].1.clone();
    request[7] ^= 1;
    let outcome = clients.get_mut(&id(1)).unwrap().handle(&request);
    assert_eq!(outcome, refused(Misbehaviour::SessionNotDerived));
}

/// What `MaskedInputRequest` says.
struct Told {
    sharers: Vec<u8>,
    bundles: Vec<Vec<u8>>,
}

impl Told {
    fn of(request: &[u8]) -> Self {
        let bits = u32::from_be_bytes(request[HEADER..HEADER + 4].try_into().unwrap()) as usize;
        let sharers = request[HEADER + 4..HEADER + 4 + bits].to_vec();
        let bundles = request[HEADER + 4 + bits + 4..].chunks(DRAWN).map(<[u8]>::to_vec).collect();
        Self { sharers, bundles }
    }

    fn owners(&self) -> Vec<u32> {
        self.bundles.iter().map(|item| u32::from(item[3])).collect()
    }

    fn clear(&mut self, number: u32) {
        self.sharers[(number - 1) as usize / 8] &= !(1 << ((number - 1) % 8));
    }

    fn encode(&self, session: &[u8]) -> Vec<u8> {
        message(5, session, &[&list(&self.sharers), &list(&self.bundles.concat())])
    }
}

/// Who holds the shares of each client.
fn holders(requests: &Requests) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut holders: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (holder, request) in requests {
        for owner in Told::of(request).owners() {
            holders.entry(owner).or_default().insert(holder.get());
        }
    }
    holders
}

#[test]
fn a_client_masks_only_for_sharers_that_it_has_checked() {
    let cohort = nine();
    let (_, _, requests) = cohort.requests_of(Round::MaskedInputCollection);
    let (session, all) = (session_of(&requests), holders(&requests));
    let told = || Told::of(&requests[0].1);
    let refused = |told: Told| {
        let (mut clients, ..) = cohort.requests_of(Round::MaskedInputCollection);
        let client = clients.get_mut(&id(1)).unwrap();
        let outcome = client.handle(&told.encode(&session)).err();
        assert!(outcome.is_none() || client.handle(&told.encode(&session)) == Err(Abort::Over));
        outcome.map(|abort| match abort {
            Abort::Server(what) => what,
            other => panic!("{other}"),
        })
    };
    let changed = |change: &dyn Fn(&mut Told)| {
        let mut told = told();
        change(&mut told);
        refused(told)
    };
    assert!(all[&1].len() == 5 && told().bundles.len() >= 3, "{:?}", told().owners());
    assert_eq!(changed(&|_| ()), None);
    // A server that keeps a bundle back spoils the sum and learns nothing; the client cannot know.
    assert_eq!(changed(&|told| drop(told.bundles.pop())), None);

    let bits = Some(Misbehaviour::BadSharerBits);
    assert_eq!(changed(&|told| told.sharers.push(0)), bits);
    assert_eq!(changed(&|told| told.sharers.truncate(1)), bits);
    assert_eq!(changed(&|told| told.sharers[1] |= 2), bits);
    assert_eq!(changed(&|told| told.clear(1)), Some(Misbehaviour::SelfNotSharer));

    // Without those of whom no bundle comes, first as many as leave a quorum, then one more.
    let few = Some(Misbehaviour::TooFewSharers);
    let without = |lost: &[u32]| {
        changed(&|told| {
            lost.iter().for_each(|number| told.clear(*number));
            told.bundles.retain(|item| !lost.contains(&u32::from(item[3])));
        })
    };
    let strangers: Vec<u32> = (2..=9).filter(|number| !all[&1].contains(number)).collect();
    let mine: Vec<u32> = all[&1].iter().copied().collect();
    assert_eq!(strangers.len(), 3);
    assert_eq!(without(&strangers), None);
    assert_eq!(without(&[&strangers[..], &mine[..1]].concat()), few, "five sharers");
    assert_eq!(without(&mine[..2]), None);
    assert_eq!(without(&mine[..3]), few, "two holders");

    let order = Some(Misbehaviour::BadSharers);
    assert_eq!(changed(&|told| told.bundles.swap(0, 1)), order);
    assert_eq!(changed(&|told| told.bundles.insert(0, told.bundles[0].clone())), order);
    assert_eq!(changed(&|told| told.bundles[0][3] = 1), order, "its own");
    assert_eq!(changed(&|told| told.bundles.last_mut().unwrap()[3] = 10), order, "nobody's");
    let first = told().owners()[0];
    assert_eq!(changed(&|told| told.clear(first)), order, "of one that has not shared");

    let no_holder = Some(Misbehaviour::NotAHolder);
    assert_eq!(changed(&|told| told.bundles[0][4] ^= 1), no_holder);
    // The true draw of somebody who has not drawn client 1.
    let other = (2..=9).find(|owner| !all[owner].contains(&1)).unwrap();
    let items = requests.iter().flat_map(|(_, request)| Told::of(request).bundles);
    let item = items.into_iter().find(|item| u32::from(item[3]) == other).unwrap();
    let at = told().owners().partition_point(|owner| *owner < other);
    assert_eq!(changed(&|told| told.bundles.insert(at, item.clone())), no_holder);
}

/// The clients of a cohort that have sent their masked inputs, and what the server sends next.
fn masked(cohort: &Cohort) -> (BTreeMap<ClientId, Client>, Requests) {
    let (clients, _, requests) = cohort.requests_of(Round::ConsistencyCheck);
    (clients, requests)
}

fn bits(survivors: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut bits = vec![0u8; 2];
    survivors.into_iter().for_each(|number| bits[(number - 1) as usize / 8] |= 1 << ((number - 1) % 8));
    bits
}

#[test]
fn a_client_signs_only_survivors_that_it_has_checked() {
    let cohort = nine();
    let (_, _, requests) = cohort.requests_of(Round::MaskedInputCollection);
    let (session, all) = (session_of(&requests), holders(&requests));
    let refused = |bits: &[u8]| {
        let (mut clients, _) = masked(&cohort);
        match clients.get_mut(&id(1)).unwrap().handle(&message(7, &session, &[&list(bits)])) {
            Ok(_) => None,
            Err(Abort::Server(what)) => Some(what),
            Err(other) => panic!("{other}"),
        }
    };
    let without = |lost: &[u32]| refused(&bits((1..=9).filter(|number| !lost.contains(number))));
    assert_eq!(without(&[]), None);
    assert_eq!(refused(&[0xff]), Some(Misbehaviour::BadSurvivorBits));
    assert_eq!(refused(&[0xff, 3]), Some(Misbehaviour::BadSurvivorBits));
    assert_eq!(without(&[1]), Some(Misbehaviour::SelfNotSurvivor));
    // Of nine of whom two are corrupt, six make a quorum, whatever the threshold of the shares is.
    let strangers: Vec<u32> = (2..=9).filter(|number| !all[&1].contains(number)).collect();
    assert_eq!(without(&[2, 3, 4, 5]), Some(Misbehaviour::NoQuorum));
    let mine: Vec<u32> = all[&1].iter().copied().collect();
    assert_eq!(without(&mine[..3]), Some(Misbehaviour::TooFewHolders));
    // Each three that can be lost: refused exactly if too few are left of its own holders or of those of one that has
    // drawn it and survives.
    let drawn_by: Vec<u32> = (2..=9).filter(|owner| all[owner].contains(&1)).collect();
    let mut refusals = 0;
    for lost in (0u32..1 << 8).filter(|set| set.count_ones() == 3) {
        let lost: Vec<u32> = (2..=9).filter(|number| lost >> (number - 2) & 1 == 1).collect();
        let short = |owner: &u32| all[owner].iter().filter(|one| !lost.contains(one)).count() < 3;
        let mut held = drawn_by.iter().filter(|owner| !lost.contains(owner)).chain([&1]);
        let expected = held.any(short).then_some(Misbehaviour::TooFewHolders);
        refusals += u32::from(expected.is_some());
        assert_eq!(without(&lost), expected, "{lost:?}");
    }
    assert!(refusals > 3 && !strangers.is_empty());
    // A survivor that has not shared, as everybody was told.
    let (mut clients, mut server, requests) = cohort.requests_of(Round::ShareKeys);
    for (to, request) in requests.iter().filter(|(to, _)| *to != id(strangers[0])) {
        server.receive(*to, &clients.get_mut(to).unwrap().handle(request).unwrap()).unwrap();
    }
    let Ok(Closed::Next(requests)) = server.close_round() else { panic!("eight are enough") };
    let client = clients.get_mut(&id(1)).unwrap();
    client.handle(&requests[0].1).unwrap();
    let outcome = client.handle(&message(7, &session, &[&list(&bits(1..=9))]));
    assert_eq!(outcome, Err(Abort::Server(Misbehaviour::SurvivorNotSharer)));
}

/// What `UnmaskingRequest` says: the certificate, and the signatures of the inputs.
type Certificate = (Vec<Vec<u8>>, Vec<Vec<u8>>);

fn certificate(request: &[u8]) -> Certificate {
    let length = u32::from_be_bytes(request[HEADER..HEADER + 4].try_into().unwrap()) as usize;
    let (signatures, inputs) = request[HEADER + 4..].split_at(length);
    let pieces = |bytes: &[u8], size| bytes.chunks(size).map(<[u8]>::to_vec).collect();
    (pieces(signatures, 68), pieces(&inputs[4..], 64))
}

#[test]
fn shares_are_given_for_one_pair_of_sets_only() {
    let cohort = nine();
    let refused = |change: &dyn Fn(&mut Certificate)| {
        let (mut clients, _, requests) = cohort.requests_of(Round::Unmasking);
        let mut said = certificate(&requests[0].1);
        change(&mut said);
        let request = message(9, &session_of(&requests), &[&list(&said.0.concat()), &list(&said.1.concat())]);
        let client = clients.get_mut(&id(1)).unwrap();
        let outcome = client.handle(&request);
        assert_eq!(client.handle(&requests[0].1), Err(Abort::Over), "once, whatever came");
        match outcome {
            Ok(_) => None,
            Err(Abort::Server(what)) => Some(what),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(refused(&|_| ()), None);
    let certifiers = Some(Misbehaviour::BadCertifiers);
    assert_eq!(refused(&|(signatures, _)| assert_eq!(signatures.len(), 6)), None);
    assert_eq!(refused(&|(signatures, _)| drop(signatures.pop())), certifiers, "no quorum");
    assert_eq!(refused(&|(signatures, _)| signatures.swap(0, 1)), certifiers);
    let mismatch = Some(Misbehaviour::SurvivorSetMismatch);
    assert_eq!(refused(&|(signatures, _)| signatures[5][20] ^= 1), mismatch);

    let count = Some(Misbehaviour::WrongInputSignatures);
    assert_eq!(refused(&|(_, inputs)| drop(inputs.pop())), count);
    assert_eq!(refused(&|(_, inputs)| inputs.clear()), count);
    assert_eq!(refused(&|(_, inputs)| inputs.push(inputs[0].clone())), count);
    let sharers = Some(Misbehaviour::SharersMismatch);
    assert_eq!(refused(&|(_, inputs)| inputs[1][40] ^= 1), sharers);
    assert_eq!(refused(&|(_, inputs)| inputs.swap(0, 1)), sharers);
    // A signature over the survivors is none over the sharers.
    assert_eq!(refused(&|(signatures, inputs)| inputs[0] = signatures[1][4..].to_vec()), sharers);
}

/// A victim that was told of other sharers gets its input unmasked by nobody: no holder has its signature over the
/// sharers that it was told of itself.
#[test]
fn a_private_set_of_sharers_opens_nothing() {
    let cohort = nine();
    let (mut clients, mut server, requests) = cohort.requests_of(Round::MaskedInputCollection);
    let victim = 1;
    let mine: Vec<u32> = holders(&requests)[&victim].iter().copied().collect();
    for (to, request) in &requests {
        let mut told = Told::of(request);
        if *to == id(victim) {
            told.clear(mine[0]);
            told.bundles.retain(|item| u32::from(item[3]) != mine[0]);
        }
        let response = clients.get_mut(to).unwrap().handle(&told.encode(&session_of(&requests))).unwrap();
        let received = server.receive(*to, &response).map_err(|fault| fault.what);
        let expected = if *to == id(victim) { Err(Misbehaviour::BadSharerSignature) } else { Ok(()) };
        assert_eq!(received, expected);
    }
}

/// Whom a server counts as sharers changes nobody's holders, so there is one graph and nothing to choose from. The
/// control is the form that this replaced: one seed of all draws that were disclosed gives a graph for each set of
/// clients that are left out, and among so many there is one that suits the server.
#[test]
fn a_server_cannot_choose_a_graph_by_leaving_clients_out() {
    let cohort = Cohort::pinned(16, (6, 3), 2, vectors(), 4);
    let corrupt: BTreeSet<u32> = (12..=16).collect();
    let left_out = |set: u32| (12..=16).filter(move |number| set >> (number - 12) & 1 == 1);
    let all = holders(&cohort.requests_of(Round::MaskedInputCollection).2).remove(&1).unwrap();
    let (mut seeds, mut played) = (Vec::new(), 0);
    for set in 0u32..1 << 5 {
        let (mut clients, mut server, requests) = cohort.requests_of(Round::ShareKeys);
        let mut disclosed = Sha256::new();
        for (to, request) in requests {
            let response = clients.get_mut(&to).unwrap().handle(&request).unwrap();
            if !left_out(set).any(|number| to == id(number)) {
                disclosed.update(&response[HEADER + 32..HEADER + 64]);
                server.receive(to, &response).unwrap();
            }
        }
        // One seed: six of the fifteen others for client 1, by the order of hashes.
        let seed = disclosed.finalize();
        let mut drawn: Vec<u32> = (2..=16).collect();
        drawn.sort_by_key(|number| Sha256::new().chain_update(seed).chain_update([*number as u8]).finalize());
        seeds.push(drawn[..6].iter().filter(|number| corrupt.contains(number)).count());
        let Ok(Closed::Next(requests)) = server.close_round() else { continue };
        // What client 1 has drawn, as far as its holders are there to say so.
        let mine = holders(&requests).remove(&1).unwrap();
        let missing: BTreeSet<u32> = left_out(set).collect();
        assert!(mine.iter().eq(all.difference(&missing)), "{missing:?}: {mine:?} of {all:?}");
        played += 1;
    }
    assert!(played >= 16, "{played}");
    assert!(seeds.iter().max() > seeds.first(), "the control: {seeds:?}");
}

fn refusal(config: &Config, policy: Policy) -> Option<Refusal> {
    let cohort = Cohort { config: config.clone(), entropy: Vec::new(), inputs: Vec::new() };
    let mut client = Client::with_credentials([1; 32], policy, credentials(1));
    match client.handle(&cohort.open().1[0].1) {
        Err(Abort::Refused(refusal)) => Some(refusal),
        Ok(_) => None,
        Err(abort) => panic!("{abort}"),
    }
}

fn thousand(degree: u32, threshold: u32, corrupt: u32) -> Config {
    Config { clients: 1000, ..Cohort::pinned(9, (degree, threshold), corrupt, vectors(), 1).config }
}

/// With 5 % corrupt and 10 % that vanish, 40 bits of security and 10 of correctness.
fn usual(roots: Option<u64>) -> SafetyPolicy {
    let fraction = |text: &str| text.parse().unwrap();
    let usual = SafetyPolicy::new(fraction("0.05"), fraction("0.1"));
    SafetyPolicy { roots, correctness_bits: 10, ..usual }
}

#[test]
fn the_suite_has_to_be_allowed_and_the_parameters_accepted() {
    let policy = |safety| Policy { safety: Some(safety), ..Policy::default() };
    let asked = |config: &Config, roots| refusal(config, policy(usual(roots)));
    let good = thousand(60, 36, 50);
    assert_eq!(refusal(&good, Policy::default()), Some(Refusal::PinnedNotAllowed));
    assert_eq!(asked(&good, None), Some(Refusal::PinnedNotAllowed));
    assert_eq!(asked(&good, Some(1 << 20)), None);
    assert_eq!(
        asked(&thousand(60, 36, 49), Some(1)),
        Some(Refusal::CorruptTooLow { corrupt: 49, minimum: 50 })
    );
    let unsafe_one = |config, roots| matches!(asked(&config, Some(roots)), Some(Refusal::Unsafe { .. }));
    assert!(unsafe_one(thousand(60, 20, 50), 1), "too many corrupt holders");
    assert!(unsafe_one(thousand(60, 50, 50), 1), "too few holders left");
    assert!(unsafe_one(thousand(60, 36, 60), u64::MAX), "too many roots");
    // Twenty bits of correctness it does not have: the corrupt clients may fall silent too.
    let correct = SafetyPolicy { correctness_bits: 20, ..usual(Some(1)) };
    assert!(matches!(refusal(&good, policy(correct)), Some(Refusal::Unsafe { .. })));
    // Every sum has 500 honest inputs, but not 503.
    for (minimum_honest, fine) in [(500, true), (503, false)] {
        let floor = SafetyPolicy { minimum_honest, ..usual(Some(1)) };
        assert_eq!(refusal(&good, policy(floor)).is_none(), fine);
    }
}

/// What is safe for all clients need not be for the few that advertise: there as many corrupt ones weigh more.
#[test]
fn the_roster_is_judged_before_the_draw_is_disclosed() {
    // 2 of 40 are corrupt; of 20, the same two are more likely among the holders. Of 40, 30 and 20 clients, no sum is of
    // fewer than 17, 13 and 8 honest inputs but with a chance of a half.
    let cohort = Cohort::pinned(40, (8, 5), 2, vectors(), 3);
    let safety = SafetyPolicy {
        security_bits: 0,
        correctness_bits: 0,
        minimum_honest: 12,
        roots: Some(1),
        ..usual(None)
    };
    let policy = || Policy { safety: Some(safety), ..Policy::default() };
    let client = |number: u32| {
        Client::with_credentials(cohort.entropy[number as usize - 1], policy(), credentials(number))
    };
    let outcome = |clients: u32| {
        let (mut server, requests) = cohort.open();
        let mut first = client(1);
        for (to, request) in requests.iter().take(clients as usize) {
            let mut other = client(to.get());
            let answering = if *to == id(1) { &mut first } else { &mut other };
            server.receive(*to, &answering.handle(request).unwrap()).unwrap();
        }
        let Ok(Closed::Next(requests)) = server.close_round() else { panic!("enough for the graph") };
        first.handle(&requests[0].1)
    };
    assert!(outcome(30).is_ok());
    assert!(matches!(outcome(20), Err(Abort::Refused(Refusal::Unsafe { .. }))));
}

#[test]
fn configurations_of_the_suite_have_rules_of_their_own() {
    let good = nine().config;
    let suite = |corrupt| Suite::Pinned { corrupt, authority: authority().public() };
    let refused = |config: Config| config.check().err().map(|misuse| misuse.to_string());
    let says = |config: Config, what: &str| {
        let said = refused(config).unwrap();
        assert!(said.contains(what), "{said}");
    };
    assert_eq!(refused(good.clone()), None);
    assert_eq!(refused(Config { suite: suite(7), ..good.clone() }), None);
    says(Config { suite: suite(8), ..good.clone() }, "at least 10, not 9");
    says(Config { suite: suite(u32::MAX), ..good.clone() }, "4294967295 corrupt");
    says(Config { graph: Graph::Complete, ..good.clone() }, "k-out");
    says(Config { graph: Graph::Regular { degree: 4 }, ..good.clone() }, "k-out");
    for (degree, fine) in [(0, false), (1, false), (3, true), (5, true), (8, true), (9, false)] {
        let config = Config { graph: Graph::KOut { degree }, ..good.clone() };
        assert_eq!(refused(config).is_none(), fine, "{degree}");
    }
    says(Config { threshold: 6, ..good.clone() }, "2 to 5");
    let authority = [0; 32];
    says(Config { suite: Suite::Pinned { corrupt: 1, authority }, ..good.clone() }, "authority");
    says(Config { suite: Suite::Curious, ..good.clone() }, "complete graph or a regular one");
    let active = Suite::Active { corrupt: 0, authority: cohort::authority().public() };
    says(Config { suite: active, ..good }, "needs the complete graph");
}

/// Two signatures of its own and one with its input; two checks for each member, one for each of a quorum and one for
/// each surviving owner.
#[test]
fn operations_are_counted() {
    let cohort = nine();
    let (mut clients, mut server, requests) = cohort.requests_of(Round::MaskedInputCollection);
    let all = holders(&requests);
    let mut requests = requests;
    loop {
        for (to, request) in &requests {
            let response = clients.get_mut(to).unwrap().handle(request).unwrap();
            server.receive(*to, &response).unwrap();
        }
        match server.close_round().unwrap() {
            Closed::Next(next) => requests = next,
            Closed::Done(_) => break,
        }
    }
    for (client, counts) in clients.iter().map(|(id, client)| (id.get(), client.counts())) {
        let owners: BTreeSet<u32> = (1..=9).filter(|owner| all[owner].contains(&client)).collect();
        let partners = owners.union(&all[&client]).count() as u64;
        assert_eq!(counts.signatures, 3);
        assert_eq!(counts.verifications, 2 * 9 + 6 + owners.len() as u64);
        assert_eq!(counts.mask_agreements, partners);
        assert_eq!(counts.encryption_agreements, 5 + owners.len() as u64);
        assert_eq!(counts.share_evaluations, 2 * 5);
    }
    assert_eq!(server.counts().verifications, 2 * 9 + 9 + 9);
}
