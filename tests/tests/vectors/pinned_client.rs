//! Servers of the pinned suite that are lied to: each rule that only they check, broken by a client.

use serde_json::{Value, json};

use crate::active_server::sign;
use crate::book::Book;
use crate::derivations::derive;
use crate::lying_client::{Then, any_round, changed, lie};
use crate::messages::BODY;
use crate::pinned::draw;
use crate::pinned_server::PINNED;
use crate::rehearsal::{ADVERTISE_KEYS, CONSISTENCY_CHECK, MASKED_INPUT, Rehearsal, SHARE_KEYS};

pub(crate) fn write(book: &mut Book, session: &Rehearsal) {
    any_round(book, session, &PINNED);
    advertisements(book, session);
    draws(book, session);
    masked_inputs(book, session);
    let spoilt = changed(session, CONSISTENCY_CHECK, |message| message[BODY + 40] ^= 1);
    lie(book, "4.5-5/pinned-spoilt", session, CONSISTENCY_CHECK, &spoilt, Then::PutOut);
}

fn advertisements(book: &mut Book, session: &Rehearsal) {
    for (rule, name, at) in [
        ("4.2-4", "other-draw-commitment", 64),
        ("3.7-2", "certificate-spoilt", 64 + 32 + 32 + 40),
        ("4.2-4", "signature-spoilt", 64 + 32 + 96 + 40),
    ] {
        let spoilt = changed(session, ADVERTISE_KEYS, |message| message[BODY + at] ^= 1);
        lie(book, &format!("{rule}/server-pinned-{name}"), session, ADVERTISE_KEYS, &spoilt, Then::PutOut);
    }
    let other = session.responses[ADVERTISE_KEYS][&3][BODY + 64..BODY + 96].to_vec();
    let changed =
        changed(session, ADVERTISE_KEYS, |message| drop(message.splice(BODY + 64..BODY + 96, other)));
    let id = "4.2-4/server-pinned-draw-commitment-of-another";
    lie(book, id, session, ADVERTISE_KEYS, &changed, Then::PutOut);
}

fn draws(book: &mut Book, session: &Rehearsal) {
    let with = |length: u32, change: fn(&mut Vec<u8>)| {
        changed(session, SHARE_KEYS, |message| {
            change(message);
            message.splice(BODY + 64..BODY + 68, length.to_be_bytes());
        })
    };
    for (name, message) in [
        ("one-less", with(160, |message| message.truncate(message.len() - 80))),
        ("one-more", with(320, |message| message.extend([7; 80]))),
        ("one-for-each-member", with(400, |message| message.extend([7; 160]))),
        ("none", with(0, |message| message.truncate(BODY + 68))),
        // The bundles are counted before the draw is looked at.
        (
            "one-less-and-another-draw",
            with(160, |message| {
                message.truncate(message.len() - 80);
                message[BODY + 32] ^= 1;
            }),
        ),
    ] {
        lie(book, &format!("4.3-3/pinned-{name}"), session, SHARE_KEYS, &message, Then::PutOut);
    }
    for (name, other) in [("zeros", [0; 32].as_slice()), ("of-another", draw(session, 3))] {
        let message = changed(session, SHARE_KEYS, |message| {
            message[BODY + 32..BODY + 64].copy_from_slice(other);
        });
        lie(book, &format!("4.3-4/{name}"), session, SHARE_KEYS, &message, Then::PutOut);
    }
    let spoilt = changed(session, SHARE_KEYS, |message| message[BODY + 63] ^= 0x80);
    lie(book, "4.3-4/last-bit", session, SHARE_KEYS, &spoilt, Then::PutOut);
}

fn masked_inputs(book: &mut Book, session: &Rehearsal) {
    let signed = |signature: &[u8]| {
        changed(session, MASKED_INPUT, |message| message[BODY..BODY + 64].copy_from_slice(signature))
    };
    let here = hex::encode(&session.responses[MASKED_INPUT][&2][1..BODY]);
    let mut signatures = vec![
        ("zeros", vec![0; 64]),
        ("of-another", session.responses[MASKED_INPUT][&3][BODY..BODY + 64].to_vec()),
        ("over-survivors", session.responses[CONSISTENCY_CHECK][&2][BODY..].to_vec()),
    ];
    for (name, id, sharers, number) in [
        ("over-other-sharers", here.clone(), "1f", 2),
        ("over-another-session", hex::encode([7; 32]), "3f", 2),
        ("by-another", here, "3f", 3),
    ] {
        let statement = derive("sharers statement", json!({"session": id, "sharers": sharers}));
        let statement: Value = book.ask(&statement)["statement"].clone();
        signatures.push((name, sign(book, number, &statement)));
    }
    for (name, signature) in &signatures {
        lie(book, &format!("4.4-9/{name}"), session, MASKED_INPUT, &signed(signature), Then::PutOut);
    }
    // Lengths and bits come before the signature.
    let mut unsigned = signed(&[0; 64]);
    let cut = unsigned[..unsigned.len() - 1].to_vec();
    lie(book, "4.4-4/pinned-one-byte-less-unsigned", session, MASKED_INPUT, &cut, Then::PutOut);
    *unsigned.last_mut().expect("a byte") |= 0x80;
    lie(book, "4.4-5/pinned-last-bit-unsigned", session, MASKED_INPUT, &unsigned, Then::PutOut);
    let short = changed(session, MASKED_INPUT, |message| message.truncate(BODY + 63));
    lie(book, "4.1-1/server-pinned-shorter-than-a-signature", session, MASKED_INPUT, &short, Then::PutOut);
}
