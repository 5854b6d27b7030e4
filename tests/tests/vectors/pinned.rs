//! The pinned suite: its sessions, ids, draws, messages and configurations.

use secagg_tests::conform::scenario::{Vector, active, config, entropy, pinned};
use serde_json::{Value, json};

use crate::active::{SIGNED, advertise_of, well_formed};
use crate::book::Book;
use crate::derivations::derive;
use crate::messages::{BODY, decode, decode_with, message};
use crate::rehearsal::{ADVERTISE_KEYS, CERTIFIED, MASKED_INPUT, Plan, Rehearsal, SHARE_KEYS, bytes};

/// Bytes of a member, with its id; and where its parts are.
pub(crate) const MEMBER: usize = 260;
pub(crate) const COMMITMENT: usize = 68;
pub(crate) const IDENTITY: usize = 100;
pub(crate) const CERTIFICATE: usize = 132;
pub(crate) const SIGNATURE: usize = 196;
/// Bytes of a bundle with its owner and the owner's draw.
pub(crate) const DRAWN: usize = 116;

pub(crate) const SHORT: [Vector; 1] = [Vector { name: "short", length: 3, bits: 20 }];

/// The sessions of this suite. In the first, four of six clients are a quorum, and each has three holders: client 2 is
/// drawn by some of its own and by one that it has not drawn.
pub(crate) fn sessions(book: &mut Book) -> Vec<(&'static str, Rehearsal)> {
    let plan = Plan {
        corrupt: Some(1),
        degree: Some(3),
        clients: 6,
        threshold: 2,
        minimum_survivors: 2,
        vectors: &SHORT,
        lost: [&[]; 5],
    };
    let lost: [&[u32]; 5] = [&[12], &[1], &[5], &[6], &[7]];
    let plans = [
        ("pinned", plan),
        // Of the roster of six, five are a quorum; five share.
        (
            "pinned-few",
            Plan {
                corrupt: Some(2),
                degree: Some(5),
                clients: 8,
                threshold: 3,
                lost: [&[7, 8], &[6], &[], &[], &[]],
                ..plan
            },
        ),
        ("pinned-with-losses", Plan { degree: Some(8), clients: 12, lost, ..plan }),
    ];
    plans.map(|(name, plan)| (name, Rehearsal::new(book, &plan))).into()
}

pub(crate) fn write(book: &mut Book, sessions: &[(&str, Rehearsal)]) {
    let session = &sessions[0].1;
    hashes(book);
    statements(book, session);
    ids(book, session);
    draws(book);
    configurations(book);
    well_formed(book, "pinned", session, &[2, 3]);
    well_formed(book, "pinned-with-losses", &sessions[2].1, &[2]);
    malformed(book, session);
    lists(book, session);
}

/// A configuration of this suite.
fn good(clients: u32, degree: u32, threshold: u32, corrupt: u32) -> Value {
    pinned(config(Some(degree), clients, threshold, &SHORT, 1), corrupt)
}

/// The member of a request of ShareKeys at this place, as derivations take it.
pub(crate) fn member(bytes: &[u8]) -> Value {
    json!({
        "id": u32::from_be_bytes(bytes[..4].try_into().expect("four bytes")),
        "encryption_key": hex::encode(&bytes[4..36]),
        "mask_key": hex::encode(&bytes[36..COMMITMENT]),
        "draw_commitment": hex::encode(&bytes[COMMITMENT..IDENTITY]),
        "identity": hex::encode(&bytes[IDENTITY..CERTIFICATE]),
        "certificate": hex::encode(&bytes[CERTIFICATE..SIGNATURE]),
        "signature": hex::encode(&bytes[SIGNATURE..]),
    })
}

/// The draw of a client, as it discloses it.
pub(crate) fn draw(session: &Rehearsal, client: u32) -> &[u8] {
    &session.responses[SHARE_KEYS][&client][BODY + 32..BODY + 64]
}

/// The holders of a client of a session.
pub(crate) fn holders(book: &mut Book, session: &Rehearsal, client: u32) -> Vec<u32> {
    let roster: Vec<u32> = session.requests[SHARE_KEYS].keys().copied().collect();
    let request = json!({
        "session": hex::encode(&session.requests[SHARE_KEYS][&client][1..BODY]), "owner": client,
        "draw": hex::encode(draw(session, client)), "roster": roster, "degree": session.config["degree"],
    });
    let answer = book.ask(&derive("holders", request));
    answer["holders"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|id| id.as_u64().expect("an id") as u32)
        .collect()
}

fn hashes(book: &mut Book) {
    let request = json!({"suite": 3, "label": "sharers", "parts": "5a".repeat(32)});
    book.known("3.1/hash-of-suite-3", derive("hash", request));
    for label in ["draw", "holders"] {
        let request = json!({
            "suite": 3, "label": label, "salt": hex::encode([1; 32]), "ikm": hex::encode([2; 32]),
            "parts": "00000007",
        });
        book.known(&format!("3.1/key-of-suite-3-{label}"), derive("key", request));
    }
    for client in [1, 4] {
        let request = json!({"config": good(6, 3, 2, 1), "client": client, "entropy": entropy(client)});
        book.known(&format!("3.6/draw-of-{client}"), derive("draw", request));
    }
}

fn statements(book: &mut Book, session: &Rehearsal) {
    for (name, session, sharers) in
        [("one-byte", 1, "1f"), ("two-bytes", 1, "ff01"), ("other-session", 2, "1f")]
    {
        let request = json!({"session": hex::encode([session; 32]), "sharers": sharers});
        book.known(&format!("3.7/sharers-statement-{name}"), derive("sharers statement", request));
    }
    let request = json!({
        "suite": 3, "session": hex::encode([1; 32]), "sharers": "1f", "survivors": "17",
    });
    book.known("3.7/survivors-statement-pinned", derive("survivors statement", request));
    for client in [1, 5] {
        let request = json!({
            "config": session.config, "client": client, "encryption_key": "11".repeat(32),
            "mask_key": "22".repeat(32), "draw_commitment": "33".repeat(32),
        });
        let id = format!("3.7/advertisement-statement-pinned-{client}");
        book.known(&id, derive("advertisement statement", request));
    }
}

fn ids(book: &mut Book, session: &Rehearsal) {
    for corrupt in [0, 2] {
        let id = format!("6.1/config-id-pinned-{corrupt}-corrupt");
        book.known(&id, derive("config id", json!({"config": good(6, 3, 2, corrupt)})));
    }
    let members: Vec<Value> =
        session.requests[SHARE_KEYS][&2][BODY + 4..].chunks(MEMBER).map(member).collect();
    for (name, members) in [("of-all", &members[..]), ("of-five", &members[..5])] {
        let request = json!({"config": session.config, "members": members});
        book.known(&format!("6.1/session-id-pinned-{name}"), derive("session id", request));
    }
}

fn draws(book: &mut Book) {
    for (client, number, corrupt) in [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 0)] {
        let config = good(6, 3, 2, corrupt);
        let request = json!({"config": config, "client": client, "entropy": entropy(number)});
        let id = format!("6.2/commitment-to-draw-{number}-of-{client}-with-{corrupt}-corrupt");
        book.known(&id, derive("draw", request));
    }
    for (members, degree) in [(3, 2), (6, 3), (6, 5), (20, 7), (100, 13), (300, 40)] {
        let roster: Vec<u32> = (1..=members).collect();
        for client in [1, members] {
            let request = json!({
                "session": hex::encode([degree as u8; 32]), "owner": client, "draw": hex::encode([9; 32]),
                "roster": roster, "degree": degree,
            });
            book.known(&format!("6.2/holders-{degree}-of-{members}-of-{client}"), derive("holders", request));
        }
    }
    for (name, session, draw) in [("with-gaps", 1, 1), ("other-session", 2, 1), ("other-draw", 1, 2)] {
        let request = json!({
            "session": hex::encode([session; 32]), "owner": 7, "draw": hex::encode([draw; 32]),
            "roster": [2, 3, 5, 7, 11, 13, 17, 19], "degree": 4,
        });
        book.known(&format!("6.2/holders-{name}"), derive("holders", request));
    }
}

/// The rules of 8.1 for this suite.
pub(crate) fn bad_configurations() -> Vec<(&'static str, Value)> {
    let graph = |graph: &str, degree: Option<u32>| {
        let mut config = pinned(config(degree, 6, 2, &SHORT, 1), 1);
        config["graph"] = graph.into();
        config
    };
    let mut curious = config(Some(4), 6, 2, &SHORT, 1);
    curious["graph"] = "k-out".into();
    let mut signed = active(curious.clone(), 1);
    signed["threshold"] = 4.into();
    let authority = |digits: &str| {
        let mut config = good(6, 3, 2, 1);
        config["authority"] = digits.into();
        config
    };
    vec![
        ("pinned-on-the-complete-graph", graph("complete", None)),
        ("pinned-on-a-regular-graph", graph("regular", Some(4))),
        ("drawn-in-the-curious-suite", curious),
        ("drawn-in-the-active-suite", signed),
        ("pinned-no-quorum", good(6, 3, 2, 5)),
        ("pinned-corrupt-greatest", good(6, 3, 2, u32::MAX)),
        ("pinned-degree-one", good(6, 1, 2, 1)),
        ("pinned-degree-of-all-clients", good(6, 6, 2, 1)),
        ("pinned-threshold-above-degree", good(6, 3, 4, 1)),
        ("pinned-threshold-one", good(6, 3, 1, 1)),
        (
            "pinned-authority-of-small-order",
            authority("0100000000000000000000000000000000000000000000000000000000000000"),
        ),
        (
            "pinned-authority-off-the-curve",
            authority("0200000000000000000000000000000000000000000000000000000000000000"),
        ),
    ]
}

fn configurations(book: &mut Book) {
    for (name, config) in bad_configurations() {
        let message = advertise_of(book, &config);
        book.breaks(&format!("4.2-1/{name}"), decode(&message));
    }
    for (name, config) in [
        ("three-clients", good(3, 2, 2, 1)),
        ("odd-degree", good(8, 5, 3, 1)),
        ("greatest-degree", good(8, 7, 7, 0)),
        ("most-corrupt", good(6, 3, 2, 4)),
        ("large", good(1 << 30, 150, 80, 1000)),
    ] {
        let message = advertise_of(book, &config);
        book.known(&format!("8.1/pinned-{name}"), decode(&message));
    }
}

fn malformed(book: &mut Book, session: &Rehearsal) {
    let with = |message: &[u8]| decode_with(&session.config, message);
    let messages = [
        &session.responses[ADVERTISE_KEYS],
        &session.requests[SHARE_KEYS],
        &session.responses[SHARE_KEYS],
        &session.requests[MASKED_INPUT],
        &session.requests[CERTIFIED],
    ];
    for message in messages.map(|messages| &messages[&2]) {
        let kind = message[0];
        let id = |what: &str| format!("4.1-1/pinned-type-{kind}-{what}");
        book.breaks(&id("cut-off"), with(&message[..message.len() - 1]));
        book.breaks(&id("one-more"), with(&[message, [0].as_slice()].concat()));
        book.breaks(&id("without-body"), with(&message[..BODY]));
    }
    let without = |round: usize, at: usize, length: usize| {
        let mut message = session.responses[round][&2].clone();
        message.drain(BODY + at..BODY + at + length);
        message
    };
    book.breaks("4.1-1/pinned-type-2-without-a-draw-commitment", with(&without(ADVERTISE_KEYS, 64, 32)));
    book.breaks("4.1-1/pinned-type-4-without-a-draw", with(&without(SHARE_KEYS, 32, 32)));
    book.breaks("4.1-1/pinned-type-6-shorter-than-a-signature", with(&message(6, &[1; 63])));
    book.breaks("4.4-4/pinned-signature-alone", with(&message(6, &[1; 64])));
    let mut padded = session.responses[MASKED_INPUT][&2].clone();
    book.breaks("4.4-4/pinned-one-byte-less", with(&padded[..padded.len() - 1]));
    *padded.last_mut().expect("a byte") |= 0x80;
    book.breaks("4.4-5/pinned-last-bit-behind", with(&padded));
}

fn lists(book: &mut Book, session: &Rehearsal) {
    let list = |length: u32, data: &[u8]| [length.to_be_bytes().as_slice(), data].concat();
    let with = |kind: u8, parts: &[Vec<u8>]| decode_with(&session.config, &message(kind, &parts.concat()));
    let none = || list(0, &[]);
    for (kind, item, before, behind) in [
        (3, MEMBER, vec![], vec![]),
        (5, DRAWN, vec![list(1, &[0xff])], vec![]),
        (9, SIGNED, vec![], vec![list(64, &[7; 64])]),
    ] {
        let in_between = |one: Vec<u8>| [before.clone(), vec![one], behind.clone()].concat();
        let mut one = vec![9; item];
        let size = item as u32;
        book.known(&format!("4.1/pinned-type-{kind}-of-none"), with(kind, &in_between(none())));
        book.known(&format!("4.1/pinned-type-{kind}-of-one"), with(kind, &in_between(list(size, &one))));
        let id = |what: &str| format!("4.1-1/pinned-type-{kind}-list-{what}");
        book.breaks(&id("much-longer-than-the-message"), with(kind, &in_between(list(u32::MAX, &one))));
        book.breaks(&id("no-whole-number"), with(kind, &in_between(list(size - 1, &one[1..]))));
        one[..4].fill(0);
        book.breaks(&format!("4.1-1/pinned-type-{kind}-id-zero"), with(kind, &in_between(list(size, &one))));
    }
    book.known("4.4/pinned-request-of-no-bytes", with(5, &[none(), none()]));
    book.known("4.6/pinned-request-of-nothing", with(9, &[none(), none()]));
    book.breaks("4.1-1/pinned-type-9-inputs-no-whole-number", with(9, &[none(), list(63, &[7; 63])]));
    book.breaks("4.1-1/pinned-type-9-inputs-longer", with(9, &[none(), list(65, &[7; 64])]));
    book.breaks("4.1-1/pinned-type-5-without-bundles", with(5, &[list(1, &[0xff])]));
    let draw = bytes(&hex::encode([7; 64]).into());
    book.known("4.3/pinned-share-keys-response-of-no-bundles", with(4, &[draw, none()]));
}
