//! Messages one by one: each type in its forms, and all that is no message.

use secagg_tests::conform::scenario::{ALL_LANES, Vector, config, input};
use serde_json::{Value, json};

use crate::book::Book;
use crate::derivations::derive;
use crate::rehearsal::{ADVERTISE_KEYS, MASKED_INPUT, Plan, Rehearsal, SHARE_KEYS, UNMASKING, bytes};

/// Where the body begins.
pub(crate) const BODY: usize = 33;

pub(crate) fn write(book: &mut Book, sessions: &[(&str, Rehearsal)]) {
    for (name, session) in sessions {
        well_formed(book, name, session);
    }
    edges(book);
    malformed(book, &sessions[0].1);
    lists(book);
    configurations(book);
    packed(book);
}

pub(crate) fn decode(message: &[u8]) -> Value {
    json!({"command": "decode", "message": hex::encode(message)})
}

pub(crate) fn decode_with(config: &Value, message: &[u8]) -> Value {
    json!({"command": "decode", "message": hex::encode(message), "config": config})
}

/// The messages of two clients of a session.
fn well_formed(book: &mut Book, name: &str, session: &Rehearsal) {
    let rounds = [
        (ADVERTISE_KEYS, "4.2", "advertise-keys"),
        (SHARE_KEYS, "4.3", "share-keys"),
        (MASKED_INPUT, "4.4", "masked-input"),
        (UNMASKING, "4.6", "unmasking"),
    ];
    for (round, section, title) in rounds {
        for client in [2, 3] {
            if let Some(request) = session.requests[round].get(&client) {
                book.known(&format!("{section}/{title}-request-{name}-{client}"), decode(request));
            }
            if let Some(response) = session.responses[round].get(&client) {
                let id = format!("{section}/{title}-response-{name}-{client}");
                let plain = decode(response);
                let request =
                    if round == MASKED_INPUT { decode_with(&session.config, response) } else { plain };
                book.known(&id, request);
            }
        }
    }
}

/// A message of this type with this body, in a session of its own.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], [0x5c; 32].as_slice(), body].concat()
}

/// Well-formed, though no honest party would send it.
fn edges(book: &mut Book) {
    let empty = [0, 0, 0, 0];
    book.known("4.3/share-keys-request-of-nobody", decode(&message(3, &empty)));
    book.known(
        "4.3/share-keys-response-of-no-bundles",
        decode(&message(4, &[&[1; 32], empty.as_slice()].concat())),
    );
    book.known("4.4/masked-input-request-of-no-bundles", decode(&message(5, &empty)));
    book.known("4.6/unmasking-request-of-no-bytes", decode(&message(9, &[0; 8])));
    book.known("4.6/unmasking-response-of-nothing", decode(&message(10, &[0; 8])));
    let unopened = [&[0, 0, 0, 8], [0, 0, 0, 3].as_slice(), &[0xff; 4], &empty].concat();
    book.known("4.6/unmasking-response-greatest-id", decode(&message(10, &unopened)));
    let share = [empty.as_slice(), &[0, 0, 0, 32], &[0xff; 32]].concat();
    book.known("4.6/unmasking-response-any-32-bytes", decode(&message(10, &share)));
    book.known("4.2/advertise-keys-response-any-bytes", decode(&message(2, &[0xee; 64])));
}

/// Each message with its last byte cut off, one more, and cut off in the header.
fn malformed(book: &mut Book, session: &Rehearsal) {
    book.breaks("4.1-1/empty", decode(&[]));
    for kind in [0, 11, 128, 255] {
        book.breaks(&format!("4.1-1/unknown-type-{kind}"), decode(&message(kind, &[])));
    }
    for round in [ADVERTISE_KEYS, SHARE_KEYS, MASKED_INPUT, UNMASKING] {
        for message in [&session.requests[round][&2], &session.responses[round][&2]] {
            let kind = message[0];
            if kind != 6 {
                book.breaks(&format!("4.1-1/type-{kind}-cut-off"), decode(&message[..message.len() - 1]));
                book.breaks(
                    &format!("4.1-1/type-{kind}-one-more"),
                    decode(&[message, [0].as_slice()].concat()),
                );
                book.breaks(&format!("4.1-1/type-{kind}-without-body"), decode(&message[..BODY]));
            }
            book.breaks(
                &format!("4.1-1/type-{kind}-header-cut-off"),
                decode_with(&session.config, &message[..BODY - 1]),
            );
        }
    }
}

/// Lists whose lengths do not fit, and ids of zero.
fn lists(book: &mut Book) {
    let list = |length: u32, data: &[u8]| [length.to_be_bytes().as_slice(), data].concat();
    for (kind, item) in [(3, 68), (5, 84)] {
        let mut one = vec![9; item as usize];
        let body = list(item, &one);
        book.known(&format!("4.1/type-{kind}-of-one"), decode(&message(kind, &body)));
        for (name, body) in [
            ("longer-than-the-message", list(item + 1, &one)),
            ("much-longer-than-the-message", list(u32::MAX, &one)),
            ("shorter-than-the-message", list(0, &one)),
            ("no-whole-number", list(item - 1, &one[1..])),
            ("one-and-a-byte", list(item + 1, &[one.as_slice(), &[9]].concat())),
        ] {
            book.breaks(&format!("4.1-1/type-{kind}-list-{name}"), decode(&message(kind, &body)));
        }
        one[..4].fill(0);
        book.breaks(&format!("4.1-1/type-{kind}-id-zero"), decode(&message(kind, &list(item, &one))));
    }
    for (name, unopened) in [
        ("id-zero", list(4, &[0; 4])),
        ("second-id-zero", list(8, &[0, 0, 0, 1, 0, 0, 0, 0])),
        ("no-whole-number", list(3, &[1; 3])),
        ("longer-than-the-message", list(0x1000, &[1; 4])),
    ] {
        let body = [unopened.as_slice(), &[0; 4]].concat();
        book.breaks(&format!("4.1-1/type-10-unopened-{name}"), decode(&message(10, &body)));
    }
    let shares = [&[0; 4], list(31, &[1; 31]).as_slice()].concat();
    book.breaks("4.1-1/type-10-shares-no-whole-number", decode(&message(10, &shares)));
    let bundles = [&[7; 32], list(81, &[7; 81]).as_slice()].concat();
    book.breaks("4.1-1/type-4-list-no-whole-number", decode(&message(4, &bundles)));
    let survivors = [&[0; 4], list(2, &[1]).as_slice()].concat();
    book.breaks("4.1-1/type-9-list-longer-than-the-message", decode(&message(9, &survivors)));
    let bundles = [&[7; 32], list(81, &[7; 80]).as_slice()].concat();
    book.breaks("4.1-1/type-4-list-longer-than-the-message", decode(&message(4, &bundles)));
}

/// The request of AdvertiseKeys for a configuration, which may break rules, with the right config id.
pub(crate) fn advertise(book: &mut Book, config: &Value, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let ids = book.ask(&derive("config id", json!({"config": config})));
    let mut encoded = bytes(&ids["encoded"]);
    change(&mut encoded);
    let parts = hex::encode(&encoded);
    let id = bytes(&book.ask(&derive("hash", json!({"label": "config", "parts": parts})))["hash"]);
    [&[1], id.as_slice(), &[0, 0, 0, 1], &encoded].concat()
}

/// A configuration with one field replaced, and its name.
pub(crate) fn bad_configurations() -> Vec<(&'static str, Value)> {
    let vector = [Vector { name: "v", length: 2, bits: 10 }];
    let complete = config(None, 5, 3, &vector, 1);
    let regular = config(Some(4), 6, 3, &vector, 1);
    let with = |config: &Value, pointer: &str, value: Value| {
        let mut config = config.clone();
        *config.pointer_mut(pointer).expect("a field") = value;
        config
    };
    let mut bounded = complete.clone();
    bounded["vectors"][0]["bound"] = "205".into();
    let mut twice = complete.clone();
    twice["vectors"] = json!([twice["vectors"][0], twice["vectors"][0]]);
    let name = |name: &str| with(&complete, "/vectors/0/name", name.into());
    vec![
        ("one-client", with(&complete, "/clients", 1.into())),
        ("no-clients", with(&complete, "/clients", 0.into())),
        ("too-many-clients", with(&complete, "/clients", ((1 << 30) + 1).into())),
        ("threshold-one", with(&complete, "/threshold", 1.into())),
        ("threshold-zero", with(&complete, "/threshold", 0.into())),
        ("threshold-above-clients", with(&complete, "/threshold", 6.into())),
        ("threshold-above-degree", with(&regular, "/threshold", 5.into())),
        ("minimum-survivors-zero", with(&complete, "/minimum_survivors", 0.into())),
        ("minimum-survivors-above-clients", with(&complete, "/minimum_survivors", 6.into())),
        ("degree-odd", with(&regular, "/degree", 3.into())),
        ("degree-zero", with(&regular, "/degree", 0.into())),
        ("degree-of-all-clients", with(&regular, "/degree", 6.into())),
        ("no-vectors", with(&complete, "/vectors", json!([]))),
        ("two-vectors-of-one-name", twice),
        ("name-empty", name("")),
        ("name-with-a-tab", name("a\tb")),
        ("name-with-delete", name("a\u{7f}")),
        ("name-not-ascii", name("é")),
        ("no-bits", with(&complete, "/vectors/0/bits", 0.into())),
        ("bits-63", with(&complete, "/vectors/0/bits", 63.into())),
        ("bits-255", with(&complete, "/vectors/0/bits", 255.into())),
        ("no-coordinates", with(&complete, "/vectors/0/length", 0.into())),
        ("sum-could-wrap", bounded),
    ]
}

fn configurations(book: &mut Book) {
    for (name, config) in bad_configurations() {
        let message = advertise(book, &config, |_| ());
        book.breaks(&format!("4.2-1/{name}"), decode(&message));
    }
    let mut good = config(None, 5, 3, &[Vector { name: "v", length: 2, bits: 10 }], 1);
    good["vectors"][0]["bound"] = "204".into();
    for (rule, name, place, value) in [
        ("4.2-1", "version-0", 1, 0),
        ("4.2-1", "version-2", 1, 2),
        ("4.2-1", "version-257", 0, 1),
        ("4.2-1", "suite-0", 2, 0),
        ("4.2-1", "suite-4", 2, 4),
        ("4.2-1", "graph-0", 3, 0),
        ("4.2-1", "graph-4", 3, 4),
        ("4.1-1", "bound-neither-declared-nor-not", 24, 2),
        ("4.1-1", "name-not-utf-8", 18, 0xff),
    ] {
        let message = advertise(book, &good, |encoded| encoded[place] = value);
        book.breaks(&format!("{rule}/{name}"), decode(&message));
    }
    let message = advertise(book, &good, |_| ());
    book.known("4.2/greatest-bound", decode(&message));
    let mut nobody = message.clone();
    nobody[BODY..BODY + 4].fill(0);
    book.breaks("4.1-1/type-1-id-zero", decode(&nobody));
    let mut longest = config(Some(2), 3, 2, &[Vector { name: "v", length: u32::MAX, bits: 62 }], 1);
    longest["vectors"][0]["name"] = "n".repeat(255).into();
    let message = advertise(book, &longest, |_| ());
    book.known("4.2/longest-name-and-vector", decode(&message));
}

/// Masked inputs: each lane and the bits behind its last coordinate.
fn packed(book: &mut Book) {
    for bits in [1, 3, 8, 15, 16, 17, 31, 32, 33, 47, 61, 62] {
        let vector = [Vector { name: "v", length: 5, bits }];
        let config = config(None, 3, 2, &vector, 1);
        let request = json!({"bits": bits, "coordinates": input(u32::from(bits), &vector)["v"]});
        let packed = bytes(&book.ask(&derive("packing", request))["packed"]);
        book.known(&format!("7.2/unpacking-{bits}-bits"), decode_with(&config, &message(6, &packed)));
        let cut = message(6, &packed[..packed.len() - 1]);
        book.breaks(&format!("4.4-4/{bits}-bits-one-byte-less"), decode_with(&config, &cut));
        let more = message(6, &[packed.as_slice(), &[0]].concat());
        book.breaks(&format!("4.4-4/{bits}-bits-one-byte-more"), decode_with(&config, &more));
        let used = 5 * usize::from(bits) % 8;
        if used != 0 {
            for (name, bit) in [("first", used), ("last", 7)] {
                let mut padded = packed.clone();
                *padded.last_mut().expect("a byte") |= 1 << bit;
                let id = format!("4.4-5/{bits}-bits-{name}-bit-behind");
                book.breaks(&id, decode_with(&config, &message(6, &padded)));
            }
        }
    }
    let config = config(None, 3, 2, &ALL_LANES, 1);
    book.breaks("4.4-4/nothing", decode_with(&config, &message(6, &[])));
    // Each vector begins at a byte of its own: bits are left behind the first and the third one too.
    let length = |vector: &Vector| (vector.length as usize * usize::from(vector.bits)).div_ceil(8);
    let zeros = vec![0; ALL_LANES.iter().map(length).sum()];
    book.known("7.2/several-vectors", decode_with(&config, &message(6, &zeros)));
    for (name, vectors) in [("first", 1), ("third", 3), ("last", 6)] {
        let mut padded = zeros.clone();
        padded[ALL_LANES[..vectors].iter().map(length).sum::<usize>() - 1] = 0x80;
        book.breaks(&format!("4.4-5/behind-the-{name}-vector"), decode_with(&config, &message(6, &padded)));
    }
}

/// The sessions whose messages are shown.
pub(crate) fn sessions(book: &mut Book) -> Vec<(&'static str, Rehearsal)> {
    const SHORT: [Vector; 1] = [Vector { name: "short", length: 3, bits: 20 }];
    let plan = Plan {
        corrupt: None,
        degree: None,
        clients: 4,
        threshold: 2,
        minimum_survivors: 1,
        vectors: &SHORT,
        lost: [&[]; 5],
    };
    let losses: [&[u32]; 5] = [&[1], &[4], &[5], &[6], &[]];
    let plans = [
        ("complete", plan),
        ("regular", Plan { degree: Some(4), clients: 5, ..plan }),
        ("complete-all-lanes", Plan { clients: 3, threshold: 3, vectors: &ALL_LANES, ..plan }),
        ("complete-with-losses", Plan { clients: 6, vectors: &ALL_LANES, lost: losses, ..plan }),
        (
            "regular-with-losses",
            Plan { degree: Some(6), clients: 8, vectors: &ALL_LANES, lost: losses, ..plan },
        ),
        (
            "complete-with-minimum",
            Plan { clients: 5, minimum_survivors: 3, lost: [&[], &[], &[4], &[], &[]], ..plan },
        ),
        ("regular-with-minimum", Plan { degree: Some(4), clients: 8, minimum_survivors: 5, ..plan }),
    ];
    plans.map(|(name, plan)| (name, Rehearsal::new(book, &plan))).into()
}
