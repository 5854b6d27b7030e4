//! Servers that are lied to: each rule of section 4 that a server checks, broken by a client.

use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::book::{Book, Script};
use crate::messages::BODY;
use crate::rehearsal::{ADVERTISE_KEYS, MASKED_INPUT, Rehearsal, SHARE_KEYS, UNMASKING, close, receive};
use crate::weak_keys::{BAD_ENCRYPTION_KEYS, BAD_MASK_KEYS};

/// ℓ, the order of the group, as a share would be encoded.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

pub(crate) fn write(book: &mut Book, complete: &Rehearsal, regular: &Rehearsal) {
    any_round(book, complete, &CURIOUS);
    strangers(book, complete);
    advertise_keys(book, complete);
    share_keys(book, complete, regular);
    masked_input(book, complete);
    unmasking(book, "complete", complete);
    unmasking(book, "regular", regular);
    wrong_shares(book, complete);
    wrong_commitments(book, complete);
}

/// What comes of the liar.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Then {
    /// Its honest response is taken afterwards.
    StaysIn,
    /// Nothing of it is taken any more.
    PutOut,
}

/// A server that has been brought to the round gets a response that breaks the rule in the id.
pub(crate) fn lie(book: &mut Book, id: &str, session: &Rehearsal, round: usize, message: &[u8], then: Then) {
    let mut script = book.script(id, Level::Misbehaviour);
    session.server_at(&mut script, round);
    script.breaks(receive(2, message));
    let honest = receive(2, &session.responses[round][&2]);
    match then {
        Then::StaysIn => drop(script.ok(honest)),
        Then::PutOut => script.error(honest, json!({"must": "4.1-5"})),
    }
    // The others are not affected.
    script.ok(receive(3, &session.responses[round][&3]));
    script.end();
}

pub(crate) fn changed(session: &Rehearsal, round: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = session.responses[round][&2].clone();
    change(&mut message);
    message
}

/// The rounds of the curious suite, with names for the cases.
pub(crate) const CURIOUS: [(usize, &str); 4] = [
    (ADVERTISE_KEYS, "advertise-keys"),
    (SHARE_KEYS, "share-keys"),
    (MASKED_INPUT, "masked-input"),
    (UNMASKING, "unmasking"),
];

/// What no round takes, in each of these rounds.
pub(crate) fn any_round(book: &mut Book, session: &Rehearsal, rounds: &[(usize, &str)]) {
    let all = session.responses.len();
    for &(round, name) in rounds {
        let lie_in = |book: &mut Book, rule: &str, what: &str, message: &[u8], then: Then| {
            lie(book, &format!("{rule}/server-{name}-{what}"), session, round, message, then);
        };
        if round != MASKED_INPUT {
            let cut = changed(session, round, |message| {
                message.pop();
            });
            lie_in(book, "4.1-1", "cut-off", &cut, Then::PutOut);
            let more = changed(session, round, |message| message.push(0));
            lie_in(book, "4.1-1", "one-more", &more, Then::PutOut);
        }
        lie_in(book, "4.1-1", "empty", &[], Then::PutOut);
        let header = changed(session, round, |message| message.truncate(BODY - 1));
        lie_in(book, "4.1-1", "header-cut-off", &header, Then::PutOut);
        let unknown = changed(session, round, |message| message[0] = 0xc0);
        lie_in(book, "4.1-1", "type-192", &unknown, Then::PutOut);
        let request = session.requests[round][&2].clone();
        lie_in(book, "4.1-2", "request", &request, Then::StaysIn);
        let other = session.responses[(round + all - 1) % all][&2].clone();
        lie_in(book, "4.1-2", "earlier-response", &other, Then::StaysIn);
        let stray = changed(session, round, |message| message[1] ^= 0x80);
        lie_in(book, "4.1-3", "other-session", &stray, Then::StaysIn);
        let stray = changed(session, round, |message| message[32] ^= 1);
        lie_in(book, "4.1-3", "other-session-last-byte", &stray, Then::StaysIn);
        twice(book, session, round, name);
    }
}

/// The same response again, and another one: the first stands.
fn twice(book: &mut Book, session: &Rehearsal, round: usize, name: &str) {
    let mut script = book.script(&format!("4.1-4/server-{name}-twice"), Level::Misbehaviour);
    session.server_at(&mut script, round);
    script.step(receive(2, &session.responses[round][&2]));
    script.breaks(receive(2, &session.responses[round][&2]));
    script.breaks(receive(2, &changed(session, round, |message| *message.last_mut().expect("a byte") ^= 1)));
    script.breaks(receive(2, &[]));
    session.responses_to(&mut script, round, &[2]);
    // The round closes as if nothing had happened.
    match session.responses.get(round + 1) {
        None => sum(&mut script, json!([{"culprit": 2, "must": "4.1-4"}])),
        Some(_) => drop(script.ok(close())),
    }
    script.end();
}

/// The sum comes, with these faults.
fn sum(script: &mut Script<'_>, faults: Value) {
    let aggregate = script.ok(close());
    assert_eq!(aggregate["aggregate"]["faults"], faults);
}

fn strangers(book: &mut Book, session: &Rehearsal) {
    for (id, from) in [("above-clients", 5), ("greatest-id", u32::MAX)] {
        let mut script = book.script(&format!("4.1-5/{id}"), Level::Misbehaviour);
        session.server_at(&mut script, ADVERTISE_KEYS);
        script.breaks(receive(from, &session.responses[ADVERTISE_KEYS][&2]));
        script.ok(receive(2, &session.responses[ADVERTISE_KEYS][&2]));
        script.end();
    }
    for (round, name) in
        [(ADVERTISE_KEYS, "share-keys"), (SHARE_KEYS, "masked-input"), (MASKED_INPUT, "unmasking")]
    {
        let mut script = book.script(&format!("4.1-5/lost-before-{name}"), Level::Misbehaviour);
        session.server_at(&mut script, round);
        session.responses_to(&mut script, round, &[2]);
        script.step(close());
        script.breaks(receive(2, &session.responses[round][&2]));
        script.breaks(receive(2, &session.responses[round + 1][&2]));
        script.end();
    }
    let mut script = book.script("4.1-2/server-after-the-end", Level::Misbehaviour);
    session.server_at(&mut script, UNMASKING);
    session.responses_to(&mut script, UNMASKING, &[]);
    script.step(close());
    script.breaks(receive(2, &session.responses[UNMASKING][&2]));
    script.error(close(), json!({"abort": 132}));
    script.end();
}

fn advertise_keys(book: &mut Book, session: &Rehearsal) {
    let with =
        |at: usize, key: &[u8]| changed(session, ADVERTISE_KEYS, |m| m[at..at + 32].copy_from_slice(key));
    let (encryption, mask) = (BODY, BODY + 32);
    for (name, key) in BAD_ENCRYPTION_KEYS {
        let message = with(encryption, &hex::decode(key).expect("hexadecimal digits"));
        lie(book, &format!("3.2-1/server-{name}"), session, ADVERTISE_KEYS, &message, Then::PutOut);
    }
    for (name, key) in BAD_MASK_KEYS {
        let message = with(mask, &hex::decode(key).expect("hexadecimal digits"));
        lie(book, &format!("3.2-2/server-{name}"), session, ADVERTISE_KEYS, &message, Then::PutOut);
    }
    let own = session.responses[ADVERTISE_KEYS][&2][mask..].to_vec();
    lie(
        book,
        "4.2-3/server-both-keys-the-same",
        session,
        ADVERTISE_KEYS,
        &with(encryption, &own),
        Then::PutOut,
    );
    let first = session.responses[ADVERTISE_KEYS][&1].clone();
    for (name, message) in [
        ("encryption-key-of-another", with(encryption, &first[encryption..mask])),
        ("mask-key-of-another", with(mask, &first[mask..])),
        ("encryption-key-is-mask-key-of-another", with(encryption, &first[mask..])),
        ("both-keys-of-another", first.clone()),
    ] {
        let mut script = book.script(&format!("4.2-3/server-{name}"), Level::Misbehaviour);
        session.server_at(&mut script, ADVERTISE_KEYS);
        script.step(receive(1, &first));
        script.breaks(receive(2, &message));
        session.responses_to(&mut script, ADVERTISE_KEYS, &[1, 2]);
        // Client 2 is out, and the first to come stays in.
        script.ok(close());
        script.end();
    }
    // The keys of a refused response are not taken: another client may have them.
    let mut script = book.script("3.2-2/keys-of-a-refused-response-are-free", Level::Misbehaviour);
    session.server_at(&mut script, ADVERTISE_KEYS);
    let identity = with(mask, &[0; 32]);
    script.breaks(receive(3, &identity));
    script.ok(receive(2, &session.responses[ADVERTISE_KEYS][&2]));
    script.end();
}

fn share_keys(book: &mut Book, complete: &Rehearsal, regular: &Rehearsal) {
    for (graph, session) in [("complete", complete), ("regular", regular)] {
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let response = &session.responses[SHARE_KEYS][&2];
            let mut bundles = response[BODY + 36..].to_vec();
            change(&mut bundles);
            [&response[..BODY + 32], &(bundles.len() as u32).to_be_bytes(), &bundles].concat()
        };
        for (name, change) in [
            (
                "one-fewer",
                &(|bundles: &mut Vec<u8>| bundles.truncate(bundles.len() - 80)) as &dyn Fn(&mut Vec<u8>),
            ),
            ("one-more", &|bundles| bundles.extend([7; 80])),
            ("none", &Vec::clear),
        ] {
            let id = format!("4.3-3/{graph}-{name}");
            lie(book, &id, session, SHARE_KEYS, &with(change), Then::PutOut);
        }
        let part = with(&|bundles| bundles.truncate(bundles.len() - 1));
        lie(
            book,
            &format!("4.1-1/server-{graph}-part-of-a-bundle"),
            session,
            SHARE_KEYS,
            &part,
            Then::PutOut,
        );
    }
}

fn masked_input(book: &mut Book, session: &Rehearsal) {
    for (name, change) in [
        (
            "one-byte-less",
            (|message| {
                message.pop();
            }) as fn(&mut Vec<u8>),
        ),
        ("one-byte-more", |message| message.push(0)),
        ("nothing", |message| message.truncate(BODY)),
    ] {
        let message = changed(session, MASKED_INPUT, change);
        lie(book, &format!("4.4-4/server-{name}"), session, MASKED_INPUT, &message, Then::PutOut);
    }
    // Three coordinates of 20 bits leave four bits of the last byte.
    for bit in 4..8 {
        let message =
            changed(session, MASKED_INPUT, |message| *message.last_mut().expect("a byte") |= 1 << bit);
        lie(book, &format!("4.4-5/server-bit-{bit}"), session, MASKED_INPUT, &message, Then::PutOut);
    }
}

/// The response of client 2 with this list and these shares.
fn answer(session: &Rehearsal, unopened: &[u32], shares: &[Vec<u8>]) -> Vec<u8> {
    let header = &session.responses[UNMASKING][&2][..BODY];
    let ids: Vec<u8> = unopened.iter().flat_map(|id| id.to_be_bytes()).collect();
    let shares = shares.concat();
    let length = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes();
    [header, &length(&ids), &ids, &length(&shares), &shares].concat()
}

/// The shares that a client gives in the honest session.
fn shares(session: &Rehearsal, client: u32) -> Vec<Vec<u8>> {
    session.responses[UNMASKING][&client][BODY + 8..].chunks(32).map(<[u8]>::to_vec).collect()
}

fn unmasking(book: &mut Book, graph: &str, session: &Rehearsal) {
    let honest = shares(session, 2);
    let fewer = |count: usize| honest[..honest.len() - count].to_vec();
    for (name, unopened, count) in [
        ("not-ascending", vec![3, 1], 2),
        ("one-twice", vec![3, 3], 2),
        ("a-stranger", vec![77], 1),
        ("itself", vec![2], 1),
    ] {
        let message = answer(session, &unopened, &fewer(count));
        lie(book, &format!("4.6-4/{graph}-{name}"), session, UNMASKING, &message, Then::PutOut);
    }
    let more: Vec<Vec<u8>> = honest.iter().cloned().chain([vec![1; 32]]).collect();
    let unopened_and_all = answer(session, &[3], &honest);
    for (name, message) in [
        ("one-fewer", answer(session, &[], &fewer(1))),
        ("one-more", answer(session, &[], &more)),
        ("none", answer(session, &[], &[])),
        ("unopened-and-all-shares", unopened_and_all),
    ] {
        lie(book, &format!("4.6-5/{graph}-{name}"), session, UNMASKING, &message, Then::PutOut);
    }
    let order = hex::decode(ORDER).expect("hexadecimal digits");
    let mut above = order.clone();
    above[0] += 1;
    for (name, share) in [("order", order), ("order-plus-one", above), ("all-bits", vec![0xff; 32])] {
        for at in [0, honest.len() - 1] {
            let mut shares = honest.clone();
            shares[at] = share.clone();
            let id = format!("4.6-6/{graph}-{name}-at-{at}");
            lie(book, &id, session, UNMASKING, &answer(session, &[], &shares), Then::PutOut);
        }
    }
    let mut script = book.script(&format!("4.4-3/server-{graph}-unopened"), Level::Misbehaviour);
    session.server_at(&mut script, UNMASKING);
    let at = if graph == "complete" { 2 } else { 1 };
    let mut shares = honest.clone();
    shares.remove(at);
    script.step(receive(2, &answer(session, &[3], &shares)));
    session.responses_to(&mut script, UNMASKING, &[2]);
    sum(&mut script, json!([{"culprit": 3, "must": "4.4-3", "about": 2}]));
    script.end();
}

/// Shares that their owner did not deal. The session has four holders of each secret, of whom two suffice.
fn wrong_shares(book: &mut Book, session: &Rehearsal) {
    let lying = |client: u32, owners: &[usize]| {
        let mut message = session.responses[UNMASKING][&client].clone();
        owners.iter().for_each(|owner| message[BODY + 8 + 32 * owner] ^= 1);
        message
    };
    // Secrets are taken ascending by owner, and a holder that has been found out is not asked about the others.
    let fault = |culprit: u32, about: u32| json!({"culprit": culprit, "must": "4.6-7", "about": about});
    let mut case = |name: &str, liars: &[(u32, &[usize])], faults: Value| {
        let mut script = book.script(&format!("4.6-7/{name}"), Level::Misbehaviour);
        session.server_at(&mut script, UNMASKING);
        let clients: Vec<u32> = liars.iter().map(|(client, _)| *client).collect();
        for (client, owners) in liars {
            script.step(receive(*client, &lying(*client, owners)));
        }
        session.responses_to(&mut script, UNMASKING, &clients);
        sum(&mut script, faults);
        script.end();
    };
    case("one-share", &[(2, &[0])], json!([fault(2, 1)]));
    case("share-of-its-own", &[(2, &[1])], json!([fault(2, 2)]));
    case("all-shares-of-a-holder", &[(3, &[0, 1, 2, 3])], json!([fault(3, 1)]));
    case("two-holders-two-owners", &[(1, &[2]), (4, &[0])], json!([fault(1, 3), fault(4, 1)]));
    // Half of the spare shares at most can be decoded; beyond that the commitment decides.
    case("two-holders-one-owner", &[(1, &[2]), (4, &[2])], json!([fault(1, 3), fault(4, 3)]));
}

fn wrong_commitments(book: &mut Book, session: &Rehearsal) {
    // With as many shares as the threshold a wrong one spoils the secret, and nothing tells whose it is.
    let mut script = book.script("4.6-8/wrong-share-and-none-to-spare", Level::Misbehaviour);
    session.server_at(&mut script, UNMASKING);
    script.step(receive(1, &session.responses[UNMASKING][&1]));
    let wrong = changed(session, UNMASKING, |message| message[BODY + 8 + 32 * 2] ^= 1);
    script.step(receive(2, &wrong));
    script.error(close(), json!({"abort": 129, "suspects": [1, 2, 3]}));
    script.end();
    // Three wrong shares of four, and no two right ones that the commitment would confirm.
    let mut script = book.script("4.6-8/three-wrong-shares", Level::Misbehaviour);
    session.server_at(&mut script, UNMASKING);
    for (client, error) in [(1, 0x10), (2, 0x01), (3, 0x07)] {
        let mut message = session.responses[UNMASKING][&client].clone();
        message[BODY + 8] ^= error;
        script.step(receive(client, &message));
    }
    script.step(receive(4, &session.responses[UNMASKING][&4]));
    script.error(close(), json!({"abort": 129, "suspects": [1, 2, 3, 4]}));
    script.end();
    // The owner commits to another seed than it deals: all shares lie on one polynomial.
    let mut script = book.script("4.6-8/owner-commits-to-another-seed", Level::Misbehaviour);
    session.server_at(&mut script, SHARE_KEYS);
    script.step(receive(2, &changed(session, SHARE_KEYS, |message| message[BODY] ^= 1)));
    session.responses_to(&mut script, SHARE_KEYS, &[2]);
    script.step(close());
    for round in [MASKED_INPUT, UNMASKING] {
        session.responses_to(&mut script, round, &[]);
        if round == MASKED_INPUT {
            script.step(close());
        }
    }
    script.error(close(), json!({"abort": 129, "suspects": [2]}));
    script.end();
    lost_mask_key(book, session);
}

/// Client 4 drops out behind ShareKeys, and its mask key is needed; client 2 gives a share of its self mask seed for
/// it, as if it had survived. Client 1 gives the right one, and no third answers.
fn lost_mask_key(book: &mut Book, session: &Rehearsal) {
    let mut script = book.script("4.6-8/share-of-the-wrong-kind", Level::Misbehaviour);
    session.server_at(&mut script, MASKED_INPUT);
    session.responses_to(&mut script, MASKED_INPUT, &[4]);
    script.step(close());
    for client in [1, 2] {
        script.step(receive(client, &session.responses[UNMASKING][&client]));
    }
    script.error(close(), json!({"abort": 129, "suspects": [1, 2, 4]}));
    script.end();
}
