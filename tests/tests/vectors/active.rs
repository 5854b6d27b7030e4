//! The active suite: its sessions, ids, messages and configurations.

use secagg_tests::conform::scenario::{Vector, active, config};
use serde_json::{Value, json};

use crate::book::Book;
use crate::derivations::derive;
use crate::messages::{BODY, advertise, decode, decode_with, message};
use crate::rehearsal::{
    ADVERTISE_KEYS, CERTIFIED, CONSISTENCY_CHECK, MASKED_INPUT, Plan, Rehearsal, SHARE_KEYS,
};

/// Bytes of a member, with its id.
pub(crate) const MEMBER: usize = 228;
/// Bytes of a signature with its signer.
pub(crate) const SIGNED: usize = 68;

const SHORT: [Vector; 1] = [Vector { name: "short", length: 3, bits: 20 }];

/// The sessions of this suite: five clients of whom two may be corrupt; one that is lost in ShareKeys; eleven clients
/// of whom one is lost in each round.
pub(crate) fn sessions(book: &mut Book) -> Vec<(&'static str, Rehearsal)> {
    let plan = Plan {
        corrupt: Some(2),
        degree: None,
        clients: 5,
        threshold: 4,
        minimum_survivors: 1,
        vectors: &SHORT,
        lost: [&[]; 5],
    };
    let plans = [
        ("active", plan),
        ("active-one-lost", Plan { minimum_survivors: 4, lost: [&[], &[4], &[], &[], &[]], ..plan }),
        (
            "active-with-losses",
            Plan {
                corrupt: Some(0),
                clients: 11,
                threshold: 6,
                lost: [&[9], &[1], &[5], &[6], &[7]],
                ..plan
            },
        ),
    ];
    plans.map(|(name, plan)| (name, Rehearsal::new(book, &plan))).into()
}

pub(crate) fn write(book: &mut Book, sessions: &[(&str, Rehearsal)]) {
    let session = &sessions[0].1;
    ids(book, session);
    configurations(book);
    well_formed(book, "active", session, &[2, 3]);
    well_formed(book, "active-with-losses", &sessions[2].1, &[2]);
    malformed(book, session);
    lists(book, session);
}

/// The member of a request of ShareKeys at this place, as derivations take it.
pub(crate) fn member(bytes: &[u8]) -> Value {
    json!({
        "id": u32::from_be_bytes(bytes[..4].try_into().expect("four bytes")),
        "encryption_key": hex::encode(&bytes[4..36]),
        "mask_key": hex::encode(&bytes[36..68]),
        "identity": hex::encode(&bytes[68..100]),
        "certificate": hex::encode(&bytes[100..164]),
        "signature": hex::encode(&bytes[164..]),
    })
}

fn ids(book: &mut Book, session: &Rehearsal) {
    for corrupt in [0, 2] {
        let config = active(config(None, 5, 4, &SHORT, 7), corrupt);
        let id = format!("6.1/config-id-active-{corrupt}-corrupt");
        book.known(&id, derive("config id", json!({"config": config})));
    }
    let members: Vec<Value> =
        session.requests[SHARE_KEYS][&2][BODY + 4..].chunks(MEMBER).map(member).collect();
    for (name, members) in [("of-all", &members[..]), ("of-four", &members[..4])] {
        let request = json!({"config": session.config, "members": members});
        book.known(&format!("6.1/session-id-active-{name}"), derive("session id", request));
    }
}

/// The rules of 8.1 for this suite.
pub(crate) fn bad_configurations() -> Vec<(&'static str, Value)> {
    let good = |clients, threshold, corrupt| active(config(None, clients, threshold, &SHORT, 1), corrupt);
    let with = |pointer: &str, value: Value| {
        let mut config = good(5, 4, 2);
        *config.pointer_mut(pointer).expect("a field") = value;
        config
    };
    let authority = |digits: &str| with("/authority", digits.into());
    vec![
        ("active-on-a-regular-graph", active(config(Some(4), 5, 4, &SHORT, 1), 2)),
        ("active-no-quorum", good(5, 4, 3)),
        ("active-no-quorum-of-half", good(6, 3, 0)),
        ("active-corrupt-greatest", good(5, 5, u32::MAX)),
        (
            "active-authority-of-small-order",
            authority("0100000000000000000000000000000000000000000000000000000000000000"),
        ),
        (
            "active-authority-off-the-curve",
            authority("0200000000000000000000000000000000000000000000000000000000000000"),
        ),
        (
            "active-authority-not-canonical",
            authority("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ),
    ]
}

fn configurations(book: &mut Book) {
    for (name, config) in bad_configurations() {
        let message = advertise_of(book, &config);
        book.breaks(&format!("4.2-1/{name}"), decode(&message));
    }
    for (name, clients, threshold, corrupt) in [
        ("two-clients", 2, 2, 1),
        ("least-quorum", 9, 6, 2),
        ("none-corrupt", 7, 4, 0),
        ("all-answer", 5, 5, 4),
    ] {
        let message = advertise_of(book, &active(config(None, clients, threshold, &SHORT, 1), corrupt));
        book.known(&format!("8.1/active-{name}"), decode(&message));
    }
    let cut = advertise_of(book, &active(config(None, 5, 4, &SHORT, 1), 2));
    book.breaks("4.1-1/active-authority-cut-off", decode(&cut[..BODY + 4 + 3 + 4 + 31]));
}

/// The request of AdvertiseKeys in this suite, with the right config id.
pub(crate) fn advertise_of(book: &mut Book, config: &Value) -> Vec<u8> {
    let mut message = advertise(book, config, |_| ());
    let ids = book.ask(&derive("config id", json!({"config": config})));
    message.splice(1..BODY, crate::rehearsal::bytes(&ids["config_id"]));
    message
}

/// The messages of a session of a suite with signatures.
pub(super) fn well_formed(book: &mut Book, name: &str, session: &Rehearsal, clients: &[u32]) {
    let rounds = [
        (ADVERTISE_KEYS, "4.2", "advertise-keys"),
        (SHARE_KEYS, "4.3", "share-keys"),
        (MASKED_INPUT, "4.4", "masked-input"),
        (CONSISTENCY_CHECK, "4.5", "consistency-check"),
        (CERTIFIED, "4.6", "unmasking"),
    ];
    for (round, section, title) in rounds {
        for client in clients {
            for (kind, messages) in [("request", &session.requests), ("response", &session.responses)] {
                let id = format!("{section}/{title}-{kind}-{name}-{client}");
                book.known(&id, decode_with(&session.config, &messages[round][client]));
            }
        }
    }
}

fn malformed(book: &mut Book, session: &Rehearsal) {
    let with = |message: &[u8]| decode_with(&session.config, message);
    for round in [ADVERTISE_KEYS, SHARE_KEYS, CONSISTENCY_CHECK, CERTIFIED] {
        for message in [&session.requests[round][&2], &session.responses[round][&2]] {
            let kind = message[0];
            let id = |what: &str| format!("4.1-1/active-type-{kind}-{what}");
            book.breaks(&id("cut-off"), with(&message[..message.len() - 1]));
            book.breaks(&id("one-more"), with(&[message, [0].as_slice()].concat()));
            book.breaks(&id("without-body"), with(&message[..BODY]));
        }
    }
    let keys = &session.responses[ADVERTISE_KEYS][&2][..BODY + 64];
    book.breaks("4.1-1/active-type-2-without-a-proof", with(keys));
}

fn lists(book: &mut Book, session: &Rehearsal) {
    let with = |kind: u8, length: u32, data: &[u8]| {
        let body = [length.to_be_bytes().as_slice(), data].concat();
        decode_with(&session.config, &message(kind, &body))
    };
    for (kind, item) in [(3, MEMBER as u32), (9, SIGNED as u32)] {
        let mut one = vec![9; item as usize];
        book.known(&format!("4.1/active-type-{kind}-of-none"), with(kind, 0, &[]));
        book.known(&format!("4.1/active-type-{kind}-of-one"), with(kind, item, &one));
        let id = |what: &str| format!("4.1-1/active-type-{kind}-list-{what}");
        book.breaks(&id("longer-than-the-message"), with(kind, item + 1, &one));
        book.breaks(&id("much-longer-than-the-message"), with(kind, u32::MAX, &one));
        book.breaks(&id("no-whole-number"), with(kind, item - 1, &one[1..]));
        one[..4].fill(0);
        book.breaks(&format!("4.1-1/active-type-{kind}-id-zero"), with(kind, item, &one));
    }
    book.known("4.5/consistency-check-request-of-no-bytes", with(7, 0, &[]));
    book.known("4.5/consistency-check-request-any-bytes", with(7, 3, &[0xff; 3]));
    book.breaks("4.1-1/type-7-list-longer-than-the-message", with(7, 4, &[0xff; 3]));
    book.known("4.5/consistency-check-response-any-bytes", decode(&message(8, &[0xee; 64])));
}
