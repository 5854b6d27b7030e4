//! Clients that are lied to: each rule of section 4 that a client checks, broken by the server.

use secagg_tests::conform::scenario::{config, new_client};
use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::book::Book;
use crate::derivations::derive;
use crate::lying_client::CURIOUS;
use crate::messages::{BODY, advertise, bad_configurations};
use crate::rehearsal::{ADVERTISE_KEYS, MASKED_INPUT, Rehearsal, SHARE_KEYS, UNMASKING, bytes, handle};
use crate::weak_keys::{BAD_ENCRYPTION_KEYS, BAD_MASK_KEYS};

/// Bytes of a member, and of a bundle with its owner.
const MEMBER: usize = 68;
const OWNED: usize = 84;

pub(crate) fn write(book: &mut Book, sessions: &[(&str, Rehearsal)]) {
    let [complete, regular, .., complete_minimum, regular_minimum] = sessions else { panic!("sessions") };
    let (complete, regular) = (&complete.1, &regular.1);
    any_round(book, complete, &CURIOUS);
    advertise_keys(book, complete);
    neighbourhoods(book, complete, regular);
    keys(book, complete, regular);
    late_input(book, complete);
    masked_input(book, complete, regular);
    unmasking(book, complete, regular);
    survivor_counts(book, &complete_minimum.1, &regular_minimum.1);
    after_the_end(book, complete);
}

/// A client that has been brought to the round is sent a message that breaks the rule in the id.
pub(crate) fn lie(book: &mut Book, id: &str, session: &Rehearsal, client: u32, round: usize, message: &[u8]) {
    let mut script = book.script(id, Level::Misbehaviour);
    session.client_at(&mut script, client, round);
    script.breaks(handle(client, message));
    // It is over: the honest message does not help any more.
    script.error(handle(client, &session.requests[round][&client]), json!({"abort": 132}));
    script.end();
}

/// The request of the round as the server should send it, changed.
fn changed(session: &Rehearsal, client: u32, round: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = session.requests[round][&client].clone();
    change(&mut message);
    message
}

/// What no round takes, in each of these rounds.
pub(crate) fn any_round(book: &mut Book, session: &Rehearsal, rounds: &[(usize, &str)]) {
    for &(round, name) in rounds {
        let cut = changed(session, 2, round, |message| {
            message.pop();
        });
        lie(book, &format!("4.1-1/client-{name}-cut-off"), session, 2, round, &cut);
        let more = changed(session, 2, round, |message| message.push(0));
        lie(book, &format!("4.1-1/client-{name}-one-more"), session, 2, round, &more);
        let unknown = changed(session, 2, round, |message| message[0] = 11);
        lie(book, &format!("4.1-1/client-{name}-type-11"), session, 2, round, &unknown);
        let other = session.requests[(round + 1) % session.requests.len()][&2].clone();
        lie(book, &format!("4.1-2/client-{name}-next-request"), session, 2, round, &other);
        let response = session.responses[round][&2].clone();
        lie(book, &format!("4.1-2/client-{name}-response"), session, 2, round, &response);
        if round != SHARE_KEYS {
            let stray = changed(session, 2, round, |message| message[32] ^= 1);
            lie(book, &format!("4.1-3/client-{name}-other-session"), session, 2, round, &stray);
        }
    }
}

fn advertise_keys(book: &mut Book, session: &Rehearsal) {
    let above = changed(session, 2, ADVERTISE_KEYS, |message| message[BODY + 3] = session.clients as u8 + 1);
    lie(book, "4.2-2/id-above-clients", session, 2, ADVERTISE_KEYS, &above);
    let greatest = changed(session, 2, ADVERTISE_KEYS, |message| message[BODY..BODY + 4].fill(0xff));
    lie(book, "4.2-2/id-greatest", session, 2, ADVERTISE_KEYS, &greatest);
    for (name, config) in bad_configurations() {
        let request = advertise(book, &config, |_| ());
        lie(book, &format!("4.2-1/client-{name}"), session, 2, ADVERTISE_KEYS, &request);
    }
    for (name, place, value) in [("version", 1, 2), ("suite", 2, 9), ("graph", 3, 7)] {
        let request = advertise(book, &session.config, |encoded| encoded[place] = value);
        lie(book, &format!("4.2-1/client-unknown-{name}"), session, 2, ADVERTISE_KEYS, &request);
    }
    for (name, policy) in [
        ("more-clients", json!({"clients": session.clients + 1})),
        ("higher-threshold", json!({"threshold": 3})),
        ("more-survivors", json!({"minimum_survivors": 2})),
        ("other-task", json!({"task": hex::encode([1; 32])})),
    ] {
        let mut script = book.script(&format!("4.2/policy-asks-for-{name}"), Level::Misbehaviour);
        let mut new = new_client(2, &session.vectors);
        new["policy"] = policy;
        script.step(new);
        script.error(handle(2, &session.requests[ADVERTISE_KEYS][&2]), json!({"abort": 130}));
        script.end();
    }
    let mut script = book.script("4.2/policy-is-met", Level::Session);
    let mut new = new_client(2, &session.vectors);
    new["policy"] = json!({
        "clients": session.clients, "threshold": 2, "minimum_survivors": 1, "task": session.config["task"],
    });
    script.step(new);
    script.ok(handle(2, &session.requests[ADVERTISE_KEYS][&2]));
    script.end();
}

/// A request of ShareKeys with other members, and with the session id that follows from them.
fn with_members(
    book: &mut Book,
    session: &Rehearsal,
    client: u32,
    change: impl FnOnce(&mut Vec<Vec<u8>>),
) -> Vec<u8> {
    let request = &session.requests[SHARE_KEYS][&client];
    let mut members: Vec<Vec<u8>> = request[BODY + 4..].chunks(MEMBER).map(<[u8]>::to_vec).collect();
    change(&mut members);
    let member = |member: &Vec<u8>| {
        json!({
            "id": u32::from_be_bytes(member[..4].try_into().expect("four bytes")),
            "encryption_key": hex::encode(&member[4..36]),
            "mask_key": hex::encode(&member[36..]),
        })
    };
    let list: Value = members.iter().map(member).collect();
    let answer = book.ask(&derive("session id", json!({"config": session.config, "members": list})));
    let body = members.concat();
    [&[3], bytes(&answer["session"]).as_slice(), &(body.len() as u32).to_be_bytes(), &body].concat()
}

fn neighbourhoods(book: &mut Book, complete: &Rehearsal, regular: &Rehearsal) {
    type Change = fn(&mut Vec<Vec<u8>>);
    let changes: [(&str, Change); 6] = [
        ("not-ascending", |members| members.swap(2, 3)),
        ("one-twice", |members| members[3] = members[2].clone()),
        ("id-above-clients", |members| members[3][3] = 200),
        ("without-the-client", |members| drop(members.remove(1))),
        ("other-encryption-key-of-the-client", |members| members[1][4] ^= 1),
        ("other-mask-key-of-the-client", |members| {
            let other = hex::decode("94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259");
            members[1].splice(36.., other.expect("hexadecimal digits"));
        }),
    ];
    for (graph, session) in [("complete", complete), ("regular", regular)] {
        for (name, change) in changes {
            let request = with_members(book, session, 2, change);
            lie(book, &format!("4.3-1/{graph}-{name}"), session, 2, SHARE_KEYS, &request);
        }
        let nobody = with_members(book, session, 2, Vec::clear);
        lie(book, &format!("4.3-1/{graph}-nobody"), session, 2, SHARE_KEYS, &nobody);
    }
    let alone = with_members(book, complete, 2, |members| *members = vec![members[1].clone()]);
    lie(book, "4.3-1/complete-below-the-threshold", complete, 2, SHARE_KEYS, &alone);
    let fewer = with_members(book, regular, 2, |members| drop(members.pop()));
    lie(book, "4.3-1/regular-one-fewer", regular, 2, SHARE_KEYS, &fewer);
    not_derived(book, complete);
}

fn not_derived(book: &mut Book, session: &Rehearsal) {
    let other = changed(session, 2, SHARE_KEYS, |message| message[1] ^= 1);
    lie(book, "4.3-2/session-id-not-derived", session, 2, SHARE_KEYS, &other);
    let config_id = changed(session, 2, SHARE_KEYS, |message| {
        message[1..33].copy_from_slice(&session.requests[ADVERTISE_KEYS][&2][1..33]);
    });
    lie(book, "4.3-2/config-id-for-session-id", session, 2, SHARE_KEYS, &config_id);
    let fewer = with_members(book, session, 2, |members| drop(members.pop()));
    let mut hidden = session.requests[SHARE_KEYS][&2].clone();
    hidden[1..33].copy_from_slice(&fewer[1..33]);
    lie(book, "4.3-2/session-id-of-another-roster", session, 2, SHARE_KEYS, &hidden);
    let mut hides = fewer.clone();
    hides[1..33].copy_from_slice(&session.requests[SHARE_KEYS][&2][1..33]);
    lie(book, "4.3-2/a-member-hidden", session, 2, SHARE_KEYS, &hides);
}

/// Keys of neighbours that break rules of 3.2 and 4.2.
fn keys(book: &mut Book, complete: &Rehearsal, regular: &Rehearsal) {
    let replaced = |members: &mut Vec<Vec<u8>>, at: usize, key: &str| {
        members[3].splice(at..at + 32, hex::decode(key).expect("hexadecimal digits"));
    };
    for (graph, session) in [("complete", complete), ("regular", regular)] {
        for (name, key) in BAD_ENCRYPTION_KEYS {
            let request = with_members(book, session, 2, |members| replaced(members, 4, key));
            lie(book, &format!("3.2-1/client-{graph}-{name}"), session, 2, SHARE_KEYS, &request);
        }
        for (name, key) in BAD_MASK_KEYS {
            let request = with_members(book, session, 2, |members| replaced(members, 36, key));
            lie(book, &format!("3.2-2/client-{graph}-{name}"), session, 2, SHARE_KEYS, &request);
        }
        for (name, from, to) in [("encryption", 4, 4), ("mask", 36, 36), ("mask-for-encryption", 36, 4)] {
            for (whose, other) in [("another", 2), ("own", 1), ("same-member", 3)] {
                if (from == to) && other == 3 {
                    continue;
                }
                let request = with_members(book, session, 2, |members| {
                    let key = members[other][from..from + 32].to_vec();
                    members[3].splice(to..to + 32, key);
                });
                let id = format!("4.2-3/client-{graph}-{name}-key-of-{whose}");
                lie(book, &id, session, 2, SHARE_KEYS, &request);
            }
        }
    }
}

/// A client without input is as it was after the request that it cannot answer.
fn late_input(book: &mut Book, session: &Rehearsal) {
    let mut script = book.script("4.4/input-comes-late", Level::Session);
    let mut new = new_client(2, &session.vectors);
    let given = new.as_object_mut().and_then(|fields| fields.remove("input")).expect("an input");
    script.step(new);
    for requests in &session.requests[..MASKED_INPUT] {
        script.step(handle(2, &requests[&2]));
    }
    let request = handle(2, &session.requests[MASKED_INPUT][&2]);
    script.error(request.clone(), json!({"abort": 131}));
    script.error(handle(2, &[]), json!({"abort": 131}));
    script.step(json!({"command": "client.input", "client": 2, "input": given}));
    script.ok(request);
    script.end();
}

fn masked_input(book: &mut Book, complete: &Rehearsal, regular: &Rehearsal) {
    let bundles = |session: &Rehearsal, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let request = &session.requests[MASKED_INPUT][&2];
        let mut bundles: Vec<Vec<u8>> = request[BODY + 4..].chunks(OWNED).map(<[u8]>::to_vec).collect();
        change(&mut bundles);
        let body = bundles.concat();
        [&request[..BODY], &(body.len() as u32).to_be_bytes(), &body].concat()
    };
    for (graph, session) in [("complete", complete), ("regular", regular)] {
        for (name, change) in [
            (
                "not-ascending",
                &(|bundles: &mut Vec<Vec<u8>>| bundles.swap(0, 1)) as &dyn Fn(&mut Vec<Vec<u8>>),
            ),
            ("one-twice", &|bundles| bundles[1] = bundles[0].clone()),
            ("of-a-stranger", &|bundles| bundles.last_mut().expect("a bundle")[3] = 77),
            ("of-itself", &|bundles| bundles[0][3] = 2),
        ] {
            let request = bundles(session, change);
            lie(book, &format!("4.4-1/{graph}-{name}"), session, 2, MASKED_INPUT, &request);
        }
        let none = bundles(session, &Vec::clear);
        lie(book, &format!("4.4-2/{graph}-no-bundles"), session, 2, MASKED_INPUT, &none);
        for (name, place) in [("first-byte", 4), ("tag", OWNED - 1)] {
            let spoilt = bundles(session, &|bundles| bundles[0][place] ^= 1);
            let mut script = book.script(&format!("4.4-3/client-{graph}-{name}"), Level::Misbehaviour);
            session.client_at(&mut script, 2, MASKED_INPUT);
            script.ok(handle(2, &spoilt));
            script.ok(handle(2, &session.requests[UNMASKING][&2]));
            script.end();
        }
    }
    let one = bundles(regular, &|bundles| bundles.truncate(1));
    lie(book, "4.4-2/regular-below-the-threshold", regular, 2, MASKED_INPUT, &one);
    let exchanged = bundles(complete, &|bundles| {
        let (first, second) = (bundles[0][4..].to_vec(), bundles[1][4..].to_vec());
        bundles[0].splice(4.., second);
        bundles[1].splice(4.., first);
    });
    let mut script = book.script("4.4-3/client-bundles-exchanged", Level::Misbehaviour);
    complete.client_at(&mut script, 2, MASKED_INPUT);
    script.ok(handle(2, &exchanged));
    script.ok(handle(2, &complete.requests[UNMASKING][&2]));
    script.end();
}

/// The request of Unmasking to client 2 with these bits, and with this number of survivors in the whole session.
fn survivors(session: &Rehearsal, count: u32, bits: &[u8]) -> Vec<u8> {
    let request = &session.requests[UNMASKING][&2];
    [&request[..BODY], &count.to_be_bytes(), &(bits.len() as u32).to_be_bytes(), bits].concat()
}

/// Sums of fewer inputs than the configuration allows, and numbers that cannot be.
fn survivor_counts(book: &mut Book, complete: &Rehearsal, regular: &Rehearsal) {
    // The complete session has five members; three survivors are enough.
    let cases = [
        ("4.6/complete-the-minimum", complete, 3, 0b0_0111),
        ("4.6/complete-all", complete, 5, 0b1_1111),
        ("4.6-9/complete-one-below-the-minimum", complete, 2, 0b0_0011),
        ("4.6-10/complete-one-more", complete, 4, 0b0_0111),
        ("4.6-10/complete-one-fewer", complete, 3, 0b0_1111),
        ("4.6-10/complete-all-clients", complete, 5, 0b1_0111),
        ("4.6-10/complete-greatest", complete, u32::MAX, 0b1_0111),
        // Of the regular session's eight clients five are members; five survivors are enough.
        ("4.6/regular-the-minimum", regular, 5, 0b1_1111),
        ("4.6/regular-the-minimum-elsewhere", regular, 5, 0b0_0111),
        ("4.6/regular-all", regular, 8, 0b1_1111),
        ("4.6/regular-all-but-those-seen-lost", regular, 6, 0b0_0111),
        ("4.6-9/regular-one-below-the-minimum", regular, 4, 0b0_0111),
        ("4.6-9/regular-none", regular, 0, 0b1_1111),
        ("4.6-10/regular-more-than-can-be", regular, 7, 0b0_0111),
        ("4.6-10/regular-more-than-clients", regular, 9, 0b1_1111),
        ("4.6-10/regular-greatest", regular, u32::MAX, 0b1_1111),
    ];
    for (id, session, count, bits) in cases {
        let request = survivors(session, count, &[bits]);
        if id.starts_with("4.6-") {
            lie(book, id, session, 2, UNMASKING, &request);
        } else {
            let mut script = book.script(id, Level::Session);
            session.client_at(&mut script, 2, UNMASKING);
            script.ok(handle(2, &request));
            script.end();
        }
    }
}

fn unmasking(book: &mut Book, complete: &Rehearsal, regular: &Rehearsal) {
    // The complete session has four members, the regular one five; the client asked is at place 1.
    for (graph, session, members) in [("complete", complete, 4), ("regular", regular, 5)] {
        for (name, bits) in [
            ("no-byte", vec![]),
            ("a-byte-more", vec![0b1111, 0]),
            ("first-bit-behind", vec![0b1111 | 1 << members]),
            ("last-bit-behind", vec![0b1000_1111]),
        ] {
            let request = survivors(session, members, &bits);
            lie(book, &format!("4.6-1/{graph}-{name}"), session, 2, UNMASKING, &request);
        }
        let dropped = survivors(session, 3, &[0b1101]);
        lie(book, &format!("4.6-2/{graph}-asked-client-dropped"), session, 2, UNMASKING, &dropped);
        let alone = survivors(session, 1, &[0b0010]);
        lie(book, &format!("4.6-3/{graph}-alone"), session, 2, UNMASKING, &alone);
    }
    // On a regular graph the client itself does not count.
    let one_neighbour = survivors(regular, 2, &[0b0011]);
    lie(book, "4.6-3/regular-one-neighbour", regular, 2, UNMASKING, &one_neighbour);
    for (name, session, bits) in
        [("complete-two-survivors", complete, 0b0011), ("regular-two-neighbours", regular, 0b1011)]
    {
        let mut script = book.script(&format!("4.6/{name}"), Level::Session);
        session.client_at(&mut script, 2, UNMASKING);
        script.ok(handle(2, &survivors(session, u8::count_ones(bits), &[bits])));
        script.end();
    }
}

fn after_the_end(book: &mut Book, session: &Rehearsal) {
    let mut script = book.script("4.1-4/client-is-over-after-its-last-answer", Level::Misbehaviour);
    session.client_at(&mut script, 2, UNMASKING);
    script.step(handle(2, &session.requests[UNMASKING][&2]));
    let other = changed(session, 2, UNMASKING, |message| *message.last_mut().expect("a byte") = 0b0011);
    script.error(handle(2, &other), json!({"abort": 132}));
    script.error(handle(2, &session.requests[UNMASKING][&2]), json!({"abort": 132}));
    script.end();
    for (round, name) in [(ADVERTISE_KEYS, "advertise-keys"), (SHARE_KEYS, "share-keys")] {
        let mut script = book.script(&format!("4.1-2/client-asked-again-{name}"), Level::Misbehaviour);
        session.client_at(&mut script, 2, round + 1);
        script.breaks(handle(2, &session.requests[round][&2]));
        script.end();
    }
    let vectors = &session.vectors;
    let mut script = book.script("7.3/input-given-late", Level::Session);
    let mut new = new_client(2, vectors);
    let input = new.as_object_mut().expect("an object").remove("input");
    script.step(new);
    script.step(handle(2, &session.requests[ADVERTISE_KEYS][&2]));
    script.step(handle(2, &session.requests[SHARE_KEYS][&2]));
    script.step(json!({"command": "client.input", "client": 2, "input": input}));
    script.ok(handle(2, &session.requests[MASKED_INPUT][&2]));
    script.end();
    for (name, bad) in bad_configurations() {
        if name.starts_with("threshold") || name.starts_with("degree") {
            let mut script = book.script(&format!("4.2-1/server-refuses-{name}"), Level::Misbehaviour);
            script.error(json!({"command": "server.open", "config": bad}), json!({"abort": 131}));
            script.end();
        }
    }
    let mut script = book.script("8.1/server-opens-the-least", Level::Session);
    script.ok(json!({"command": "server.open", "config": config(None, 2, 2, vectors, 1)}));
    script.end();
}
