//! The active suite against servers and clients that lie. Each attack has a control in which it works, so that the
//! test can fail.

mod cohort;

use std::collections::{BTreeMap, BTreeSet};

use cohort::{Cohort, authority, credentials, id, identity_secret};
use secagg::{
    Abort, Authority, Client, ClientId, Closed, Config, Credentials, Graph, Misbehaviour, Policy, Refusal,
    Requests, Round, Suite, VectorSpec,
};
use sha2::{Digest, Sha256};

const HEADER: usize = 33;
const MEMBER: usize = 228;

fn vectors() -> Vec<VectorSpec> {
    vec![VectorSpec::new("v", 2, 9)]
}

/// A cohort in which `actual` clients are corrupt, the last ones, and the configuration is made for `declared`.
struct Attacked {
    cohort: Cohort,
    actual: u32,
}

impl Attacked {
    fn new(clients: u32, threshold: u32, declared: u32, actual: u32) -> Self {
        Self { cohort: Cohort::active(clients, threshold, declared, vectors(), 7), actual }
    }

    /// The least threshold that is allowed against so many.
    fn least(clients: u32, corrupt: u32, actual: u32) -> Self {
        Self::new(clients, (clients + corrupt) / 2 + 1, corrupt, actual)
    }

    fn honest(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.cohort.config.clients - self.actual
    }

    fn corrupt(&self) -> std::ops::RangeInclusive<u32> {
        self.cohort.config.clients - self.actual + 1..=self.cohort.config.clients
    }

    /// Whether so many shares from honest holders open a secret together with those of the corrupt ones.
    fn opens(&self, honest_shares: usize) -> bool {
        honest_shares + self.actual as usize >= self.cohort.config.threshold as usize
    }
}

/// All subsets of the clients 1 to `count`.
fn subsets(count: u32) -> impl Iterator<Item = BTreeSet<u32>> {
    (0u32..1 << count).map(move |set| (1..=count).filter(|id| set >> (id - 1) & 1 == 1).collect())
}

fn message(kind: u8, session: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    [&[kind][..], session, &parts.concat()].concat()
}

fn list(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// `ConsistencyCheckRequest` over a roster of all ids up to `clients`.
fn check_request(session: &[u8], clients: u32, survivors: &BTreeSet<u32>) -> Vec<u8> {
    let mut bits = vec![0u8; clients.div_ceil(8) as usize];
    survivors.iter().for_each(|id| bits[(id - 1) as usize / 8] |= 1 << ((id - 1) % 8));
    message(7, session, &[&list(&bits)])
}

/// `UnmaskingRequest` with the signatures of these `ConsistencyCheckResponse`s.
fn certificate(session: &[u8], signed: &Responses) -> Vec<u8> {
    let items: Vec<u8> =
        signed.iter().flat_map(|(id, one)| [&id.to_be_bytes()[..], &one[HEADER..]].concat()).collect();
    message(9, session, &[&list(&items)])
}

fn session_of(requests: &Requests) -> Vec<u8> {
    requests[0].1[1..HEADER].to_vec()
}

/// A server says to `told_dead` that client 1 has dropped, and to the other honest ones that it survived. Corrupt
/// clients sign both. Whether both secrets of client 1 then open.
fn equivocation_opens_both(attacked: &Attacked, told_dead: &BTreeSet<u32>) -> bool {
    let clients = attacked.cohort.config.clients;
    let everybody: BTreeSet<u32> = (1..=clients).collect();
    let without: BTreeSet<u32> = (2..=clients).collect();
    let [alive, dead] = [(&everybody, false), (&without, true)].map(|(survivors, dead)| {
        // A client is a function of what it sees, so a corrupt one can be run twice.
        let (mut clients, _, requests) = attacked.cohort.requests_of(Round::ConsistencyCheck);
        let session = session_of(&requests);
        let request = check_request(&session, attacked.cohort.config.clients, survivors);
        let told = |id: &u32| attacked.corrupt().contains(id) || told_dead.contains(id) == dead;
        let signed: Responses = survivors
            .iter()
            .copied()
            .filter(told)
            .filter_map(|number| Some((number, clients.get_mut(&id(number))?.handle(&request).ok()?)))
            .collect();
        let certificate = certificate(&session, &signed);
        let honest = signed.keys().filter(|id| attacked.honest().contains(id));
        honest.filter(|number| clients.get_mut(&id(**number)).unwrap().handle(&certificate).is_ok()).count()
    });
    attacked.opens(alive) && attacked.opens(dead)
}

/// However a server splits the honest clients, it does not get both kinds of shares, if no more are corrupt than the
/// configuration is made for. With one or two more there is a split that works, but for where the least threshold
/// has room to spare.
#[test]
fn two_survivor_sets_never_open_both_secrets() {
    let mut controls = 0;
    for clients in 3..=6 {
        for corrupt in 0..=clients - 2 {
            let opens = |actual: u32| {
                let attacked = Attacked::least(clients, corrupt, actual);
                subsets(clients - actual)
                    .filter(|told_dead| !told_dead.contains(&1))
                    .any(|told_dead| equivocation_opens_both(&attacked, &told_dead))
            };
            assert!(!opens(corrupt), "{clients} clients, {corrupt} corrupt");
            let threshold = (clients + corrupt) / 2 + 1;
            let enough = 2 * threshold - clients;
            if enough <= clients - 2 {
                assert!(
                    opens(enough),
                    "{clients} clients, {enough} corrupt, made for {corrupt}: the control"
                );
                controls += 1;
            }
        }
    }
    assert!(controls >= 5);
}

/// A server tells client 1 of the sharers `told` only, and everybody else of all; then it has `survivors` signed.
/// Whether the self mask of client 1 opens while it masks with no honest survivor.
fn private_sharers_isolate(attacked: &Attacked, told: &BTreeSet<u32>, survivors: &BTreeSet<u32>) -> bool {
    let (mut clients, _, requests) = attacked.cohort.requests_of(Round::MaskedInputCollection);
    let session = session_of(&requests);
    for (to, request) in requests {
        let bundles = request[HEADER + 4..].chunks(84);
        let shown = |bundle: &&[u8]| to != id(1) || told.contains(&u32::from(bundle[3]));
        let bundles: Vec<u8> = bundles.filter(shown).flatten().copied().collect();
        let masked = clients.get_mut(&to).unwrap().handle(&message(5, &session, &[&list(&bundles)]));
        if masked.is_err() {
            return false; // there are too few sharers for the victim, which sends nothing
        }
    }
    let request = check_request(&session, attacked.cohort.config.clients, survivors);
    let mut sign = |number: u32| Some((number, clients.get_mut(&id(number))?.handle(&request).ok()?));
    // The signature of client 1 is over other sharers, unless it was told of all.
    let signed: Responses = survivors.iter().filter(|id| **id != 1).filter_map(|id| sign(*id)).collect();
    let certificate = certificate(&session, &signed);
    let honest: Vec<u32> = signed.keys().copied().filter(|id| attacked.honest().contains(id)).collect();
    let given =
        honest.iter().filter(|number| clients.get_mut(&id(**number)).unwrap().handle(&certificate).is_ok());
    let masks_with = told.intersection(survivors).filter(|id| attacked.honest().contains(id)).count();
    attacked.opens(given.count()) && masks_with == 0
}

#[test]
fn a_private_list_of_sharers_isolates_nobody() {
    let isolates = |attacked: &Attacked| {
        let clients = attacked.cohort.config.clients;
        let others = |told: &BTreeSet<u32>| !told.contains(&1);
        subsets(clients).filter(others).any(|told| {
            let with_victim = |survivors: &BTreeSet<u32>| survivors.contains(&1);
            // What masks with an honest survivor need not be played.
            let alone = |survivors: &BTreeSet<u32>| {
                !told.intersection(survivors).any(|id| attacked.honest().contains(id))
            };
            subsets(clients)
                .filter(with_victim)
                .filter(alone)
                .any(|survivors| private_sharers_isolate(attacked, &told, &survivors))
        })
    };
    for (clients, corrupt) in [(3, 0), (4, 0), (4, 1), (5, 0), (5, 1)] {
        assert!(
            !isolates(&Attacked::least(clients, corrupt, corrupt)),
            "{clients} clients, {corrupt} corrupt"
        );
    }
    // The controls: more corrupt clients than the configuration is made for.
    assert!(isolates(&Attacked::least(4, 0, 2)));
    assert!(isolates(&Attacked::least(5, 1, 3)));
}

/// The session id of a roster, as a lying server would compute it for whom it shows that roster (spec §6.1).
fn session_id(config: &Config, members: &[u8], item: usize) -> Vec<u8> {
    let hash = Sha256::new()
        .chain_update(b"secagg/1")
        .chain_update([config.suite.number()])
        .chain_update(b"session\0")
        .chain_update(config.id())
        .chain_update(((members.len() / item) as u32).to_be_bytes())
        .chain_update(members);
    hash.finalize().to_vec()
}

/// Shows client 1 the roster that `change` makes of the true one, under the session id that fits it.
fn shown(cohort: &Cohort, change: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<u8>, Abort> {
    let item = if cohort.is_active() { MEMBER } else { 68 };
    let (mut clients, _, requests) = cohort.requests_of(Round::ShareKeys);
    let mut members = requests[0].1[HEADER + 4..].to_vec();
    change(&mut members);
    let session = session_id(&cohort.config, &members, item);
    clients.get_mut(&id(1)).unwrap().handle(&message(3, &session, &[&list(&members)]))
}

/// The advertisement of a client of this number, with its id: of a cohort of the same configuration but other keys.
fn advertised(cohort: &Cohort, number: u32, by: Credentials) -> Vec<u8> {
    let (_, requests) = cohort.open();
    let mut client = Client::with_credentials([0x77; 32], Policy::default(), by);
    let response = client.handle(&requests[number as usize - 1].1).unwrap();
    [&number.to_be_bytes()[..], &response[HEADER..]].concat()
}

#[test]
fn every_substituted_key_is_refused() {
    let cohort = Cohort::active(4, 3, 1, vectors(), 3);
    let (corrupt, place) = (advertised(&cohort, 2, credentials(9)), |number: usize| (number - 1) * MEMBER);
    let fields = [
        (4..36, Misbehaviour::BadKeySignature),
        (36..68, Misbehaviour::BadKeySignature),
        (68..100, Misbehaviour::BadCertificate),
        (100..164, Misbehaviour::BadCertificate),
        (164..228, Misbehaviour::BadKeySignature),
    ];
    for number in 2..=4 {
        for (field, what) in fields.clone() {
            let at = place(number) + field.start;
            let outcome = shown(&cohort, |members| {
                members[at..at + field.len()].copy_from_slice(&corrupt[field.clone()]);
            });
            assert_eq!(outcome, Err(Abort::Server(what)), "client {number}, {field:?}");
        }
    }
    // What client 1 advertised itself may not change at all.
    for at in 4..MEMBER {
        let outcome = shown(&cohort, |members| members[at] ^= 1);
        assert_eq!(outcome, Err(Abort::Server(Misbehaviour::BadNeighbourhood)), "byte {at}");
    }
    // The controls: the true roster; a certified corrupt client in the place of another; and without signatures
    // any key.
    assert!(shown(&cohort, |_| ()).is_ok());
    assert!(shown(&cohort, |members| members[place(2)..place(3)].copy_from_slice(&corrupt)).is_ok());
    let curious = Cohort::new(Graph::Complete, 4, 3, vectors(), 3);
    assert!(shown(&curious, |members| members[72..136].copy_from_slice(&corrupt[4..68])).is_ok());
}

/// Credentials by another authority than the cohort's.
fn stranger() -> ([u8; 32], [u8; 64]) {
    let identity = Credentials::identity_of(&[0x55; 32]);
    (identity, Authority::new([0xbb; 32]).certify(&identity).unwrap())
}

#[test]
fn unknown_and_repeated_identities_are_refused() {
    let cohort = Cohort::active(4, 3, 1, vectors(), 4);
    let to_server = |number: u32, member: &[u8]| {
        let (_, mut server, _) = cohort.requests_of(Round::AdvertiseKeys);
        let first = advertised_by(&cohort, 1);
        server.receive(id(1), &message(2, &cohort.config.id(), &[&first[4..]])).unwrap();
        let response = message(2, &cohort.config.id(), &[&member[4..]]);
        server.receive(id(number), &response).map_err(|fault| fault.what)
    };
    let to_client = |number: u32, member: &[u8]| {
        let at = (number as usize - 1) * MEMBER;
        shown(&cohort, |members| members[at..at + MEMBER].copy_from_slice(member)).map(drop)
    };
    // Client 1's identity once more, in the place of client 3, with keys of its own and rightly signed.
    let twin = advertised(&cohort, 3, credentials(1));
    assert_eq!(to_server(3, &twin), Err(Misbehaviour::DuplicateIdentity));
    assert_eq!(to_client(3, &twin), Err(Abort::Server(Misbehaviour::DuplicateIdentity)));
    // An identity that another authority has certified.
    let mut unknown = advertised(&cohort, 3, credentials(8));
    let (identity, certificate) = stranger();
    unknown[68..100].copy_from_slice(&identity);
    unknown[100..164].copy_from_slice(&certificate);
    assert_eq!(to_server(3, &unknown), Err(Misbehaviour::BadCertificate));
    assert_eq!(to_client(3, &unknown), Err(Abort::Server(Misbehaviour::BadCertificate)));
    // No identity at all: a point of small order, and one that is not canonical.
    for bad in [[0; 32], [0xff; 32]] {
        let mut none = advertised(&cohort, 3, credentials(8));
        none[68..100].copy_from_slice(&bad);
        assert_eq!(to_server(3, &none), Err(Misbehaviour::BadIdentity));
        assert_eq!(to_client(3, &none), Err(Abort::Server(Misbehaviour::BadIdentity)));
    }
    // Rightly signed, but for another place or another session.
    let elsewhere = advertised(&cohort, 2, credentials(8));
    let misplaced = [&3u32.to_be_bytes()[..], &elsewhere[4..]].concat();
    let other = advertised(&Cohort::active(4, 3, 1, vectors(), 5), 3, credentials(8));
    for replayed in [misplaced, other] {
        assert_eq!(to_server(3, &replayed), Err(Misbehaviour::BadKeySignature));
        assert_eq!(to_client(3, &replayed), Err(Abort::Server(Misbehaviour::BadKeySignature)));
    }
    // The control.
    let fine = advertised(&cohort, 3, credentials(8));
    assert_eq!(to_server(3, &fine), Ok(()));
    assert_eq!(to_client(3, &fine), Ok(()));
}

/// What client `number` of the cohort advertises, with its id.
fn advertised_by(cohort: &Cohort, number: u32) -> Vec<u8> {
    let (mut clients, _, requests) = cohort.requests_of(Round::AdvertiseKeys);
    let response = clients.get_mut(&id(number)).unwrap().handle(&requests[number as usize - 1].1).unwrap();
    [&number.to_be_bytes()[..], &response[HEADER..]].concat()
}

/// The `ConsistencyCheckResponse` of each client.
type Responses = BTreeMap<u32, Vec<u8>>;

/// The clients of a cohort that have all signed that all survived, with their session and their signatures.
fn signed(cohort: &Cohort) -> (BTreeMap<ClientId, Client>, Vec<u8>, Responses) {
    let (mut clients, _, requests) = cohort.requests_of(Round::ConsistencyCheck);
    let session = session_of(&requests);
    let mut signed = BTreeMap::new();
    for (to, request) in requests {
        signed.insert(to.get(), clients.get_mut(&to).unwrap().handle(&request).unwrap());
    }
    (clients, session, signed)
}

#[test]
fn signatures_of_another_session_are_worth_nothing() {
    let [here, there] = [1, 2].map(|seed| Cohort::active(4, 3, 1, vectors(), seed));
    let (_, _, foreign) = signed(&there);
    // To a server, under this session's header.
    let (_, mut server, requests) = here.requests_of(Round::ConsistencyCheck);
    let session = session_of(&requests);
    let replayed = message(8, &session, &[&foreign[&2][HEADER..]]);
    assert_eq!(server.receive(id(2), &replayed).unwrap_err().what, Misbehaviour::BadSurvivorSignature);
    // To a client, as a certificate.
    let (mut clients, session, own) = signed(&here);
    let refused = clients.get_mut(&id(1)).unwrap().handle(&certificate(&session, &foreign));
    assert_eq!(refused, Err(Abort::Server(Misbehaviour::SurvivorSetMismatch)));
    // The control.
    assert!(clients.get_mut(&id(2)).unwrap().handle(&certificate(&session, &own)).is_ok());
}

/// Client 1 refuses a request of ConsistencyCheck for `what`, and is over.
#[track_caller]
fn refuses_check(cohort: &Cohort, bits: &[u8], what: Misbehaviour) {
    let (mut clients, _, requests) = cohort.requests_of(Round::ConsistencyCheck);
    let client = clients.get_mut(&id(1)).unwrap();
    let refused = client.handle(&message(7, &session_of(&requests), &[&list(bits)]));
    assert_eq!(refused, Err(Abort::Server(what)));
    assert_eq!(client.handle(&requests[0].1), Err(Abort::Over));
}

#[test]
fn false_survivor_sets_are_not_signed() {
    let cohort = Cohort::active(5, 3, 0, vectors(), 6);
    for bits in [&[][..], &[0b11111, 0], &[0b111111], &[0b1001_1111]] {
        refuses_check(&cohort, bits, Misbehaviour::BadSurvivorBits);
    }
    refuses_check(&cohort, &[0b11110], Misbehaviour::SelfNotSurvivor);
    refuses_check(&cohort, &[0b00011], Misbehaviour::NoQuorum);
    // Client 5 has not shared, as far as client 1 knows.
    let (mut clients, mut server, requests) = cohort.requests_of(Round::ShareKeys);
    for (to, request) in requests {
        let response = clients.get_mut(&to).unwrap().handle(&request).unwrap();
        if to != id(5) {
            server.receive(to, &response).unwrap();
        }
    }
    let Ok(Closed::Next(requests)) = server.close_round() else { panic!("four are enough") };
    let client = clients.get_mut(&id(1)).unwrap();
    client.handle(&requests[0].1).unwrap();
    let refused = client.handle(&message(7, &session_of(&requests), &[&list(&[0b11111])]));
    assert_eq!(refused, Err(Abort::Server(Misbehaviour::SurvivorNotSharer)));
}

#[test]
fn shares_are_given_to_one_certificate_only() {
    let cohort = Cohort::active(5, 3, 0, vectors(), 8);
    type Signed = Vec<(u32, Vec<u8>)>;
    let refuses = |change: &dyn Fn(&mut Signed), what| {
        let (mut clients, session, signatures) = signed(&cohort);
        let mut items: Signed =
            signatures.into_iter().map(|(id, one)| (id, one[HEADER..].to_vec())).collect();
        change(&mut items);
        let items: Vec<u8> =
            items.into_iter().flat_map(|(id, one)| [&id.to_be_bytes()[..], &one].concat()).collect();
        let refused = clients.get_mut(&id(1)).unwrap().handle(&message(9, &session, &[&list(&items)]));
        assert_eq!(refused, Err(Abort::Server(what)));
        assert_eq!(clients[&id(1)].round(), None);
    };
    refuses(&|items| items.truncate(2), Misbehaviour::BadCertifiers);
    refuses(&|items| items.clear(), Misbehaviour::BadCertifiers);
    refuses(&|items| items.swap(1, 2), Misbehaviour::BadCertifiers);
    refuses(&|items| items[2] = items[1].clone(), Misbehaviour::BadCertifiers);
    refuses(&|items| items[4].0 = 9, Misbehaviour::BadCertifiers);
    // One bad signature among enough good ones is not overlooked.
    refuses(&|items| items[4].1[40] ^= 1, Misbehaviour::SurvivorSetMismatch);
    refuses(&|items| items[4].1 = items[3].1.clone(), Misbehaviour::SurvivorSetMismatch);

    let (mut clients, session, signatures) = signed(&cohort);
    let client = clients.get_mut(&id(1)).unwrap();
    assert!(client.handle(&certificate(&session, &signatures)).is_ok());
    assert_eq!(client.handle(&certificate(&session, &signatures)), Err(Abort::Over), "once");

    // A signer of one survivor set does not sign another.
    let (mut clients, session, _) = signed(&cohort);
    let again = check_request(&session, 5, &(1..=4).collect());
    let refused = clients.get_mut(&id(1)).unwrap().handle(&again);
    assert_eq!(refused, Err(Abort::Server(Misbehaviour::WrongRound)));
}

/// A survivor that is not named one by the signed set gives no share under the signatures of those who signed it.
#[test]
fn a_certificate_over_another_set_opens_nothing() {
    let cohort = Cohort::active(5, 3, 0, vectors(), 8);
    let (mut clients, session, _) = signed(&cohort);
    let (mut others, ..) = cohort.requests_of(Round::ConsistencyCheck);
    let without_five = check_request(&session, 5, &(1..=4).collect());
    let signatures: Responses = (2..=4)
        .map(|number| (number, others.get_mut(&id(number)).unwrap().handle(&without_five).unwrap()))
        .collect();
    let request = certificate(&session, &signatures);
    let refused = clients.get_mut(&id(1)).unwrap().handle(&request);
    assert_eq!(refused, Err(Abort::Server(Misbehaviour::SurvivorSetMismatch)));
    // The control: to those who signed it, the same certificate is good.
    assert!(others.get_mut(&id(2)).unwrap().handle(&request).is_ok());
}

#[test]
fn a_client_is_not_talked_into_less() {
    let active = Cohort::active(5, 4, 2, vectors(), 9);
    let curious = Cohort::new(Graph::Complete, 5, 4, vectors(), 9);
    let refusal = |cohort: &Cohort, policy: Policy, credentials: Option<Credentials>| {
        let mut client = match credentials {
            Some(credentials) => Client::with_credentials([1; 32], policy, credentials),
            None => Client::new([1; 32], policy),
        };
        match client.handle(&cohort.open().1[0].1) {
            Err(Abort::Refused(refusal)) => Some(refusal),
            Ok(_) => None,
            Err(abort) => panic!("{abort}"),
        }
    };
    let default = Policy::default;
    assert_eq!(refusal(&active, default(), Some(credentials(1))), None);
    assert_eq!(
        refusal(&active, default(), None),
        Some(Refusal::WrongSuite { suite: "active", signs: false })
    );
    assert_eq!(
        refusal(&curious, default(), Some(credentials(1))),
        Some(Refusal::WrongSuite { suite: "curious", signs: true })
    );
    let (_, certificate) = stranger();
    let other = Credentials::new([0x55; 32], certificate, Authority::new([0xbb; 32]).public()).unwrap();
    assert_eq!(refusal(&active, default(), Some(other)), Some(Refusal::WrongAuthority));
    let minimum = |minimum_corrupt| Policy { minimum_corrupt, ..default() };
    assert_eq!(refusal(&active, minimum(2), Some(credentials(1))), None);
    assert_eq!(
        refusal(&active, minimum(3), Some(credentials(1))),
        Some(Refusal::CorruptTooLow { corrupt: 2, minimum: 3 })
    );
}

#[test]
fn configurations_without_a_quorum_are_refused() {
    let config =
        |clients, threshold, corrupt| Cohort::active(clients, threshold, corrupt, vectors(), 1).config;
    for clients in 2..=20 {
        for corrupt in 0..=clients {
            for threshold in 2..=clients {
                let enough = 2 * threshold > clients + corrupt;
                assert_eq!(config(clients, threshold, corrupt).check().is_ok(), enough);
            }
        }
    }
    let refused = |config: Config| config.check().unwrap_err().to_string();
    assert!(refused(config(10, 6, 3)).contains("at least 7"));
    let suite = Suite::Active { corrupt: u32::MAX, authority: authority().public() };
    let most = Config { suite, clients: 1 << 30, threshold: 1 << 30, ..config(6, 6, 0) };
    assert!(refused(most).contains("4294967295 corrupt clients"));
    let graph = Graph::Regular { degree: 4 };
    assert!(refused(Config { graph, threshold: 4, ..config(6, 6, 0) }).contains("complete graph"));
    let suite = Suite::Active { corrupt: 0, authority: [0; 32] };
    assert!(refused(Config { suite, ..config(6, 6, 0) }).contains("authority"));
}

/// One signature for the keys and one for the survivors; two checks for each member, and one for each of a quorum.
#[test]
fn signatures_are_counted() {
    let cohort = Cohort::active(7, 5, 2, vectors(), 1);
    let (mut clients, mut server, requests) = cohort.requests_of(Round::Unmasking);
    for (to, request) in requests {
        let response = clients.get_mut(&to).unwrap().handle(&request).unwrap();
        server.receive(to, &response).unwrap();
    }
    for client in clients.values() {
        assert_eq!((client.counts().signatures, client.counts().verifications), (2, 2 * 7 + 5));
    }
    assert_eq!((server.counts().signatures, server.counts().verifications), (0, 2 * 7 + 7));
    assert!(authority().certify(&Credentials::identity_of(&identity_secret(1))).is_ok());
}
