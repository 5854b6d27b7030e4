//! Servers of the active suite that are lied to: each rule that only they check, broken by a client.

use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::active_server::{ACTIVE, bad_advertisements, sign, twin};
use crate::book::Book;
use crate::derivations::derive;
use crate::lying_client::{Then, any_round, changed, lie};
use crate::messages::BODY;
use crate::rehearsal::{
    ADVERTISE_KEYS, CERTIFIED, CONSISTENCY_CHECK, MASKED_INPUT, Rehearsal, close, receive,
};

pub(crate) fn write(book: &mut Book, session: &Rehearsal) {
    any_round(book, session, &ACTIVE);
    advertisements(book, session);
    signatures(book, session);
    lost(book, session);
    signer_put_out(book, session);
}

/// What client 3 advertises, as a response.
fn advertised(session: &Rehearsal, member: &[u8]) -> Vec<u8> {
    [&session.responses[ADVERTISE_KEYS][&3][..BODY], &member[4..]].concat()
}

fn advertisements(book: &mut Book, session: &Rehearsal) {
    for (rule, name, member) in bad_advertisements(book, session) {
        let mut script = book.script(&format!("{rule}/server-{name}"), Level::Misbehaviour);
        session.server_at(&mut script, ADVERTISE_KEYS);
        script.breaks(receive(3, &advertised(session, &member)));
        script.error(receive(3, &session.responses[ADVERTISE_KEYS][&3]), json!({"must": "4.1-5"}));
        script.ok(receive(2, &session.responses[ADVERTISE_KEYS][&2]));
        script.end();
    }
    let twin = twin(book, session);
    let mut script = book.script("4.2-5/server-identity-of-another", Level::Misbehaviour);
    session.server_at(&mut script, ADVERTISE_KEYS);
    script.step(receive(2, &session.responses[ADVERTISE_KEYS][&2]));
    script.breaks(receive(3, &advertised(session, &twin)));
    session.responses_to(&mut script, ADVERTISE_KEYS, &[2, 3]);
    // Client 3 is out, and the first to come stays in.
    script.ok(close());
    script.end();
    // The identity of a response that was refused is free.
    let mut script = book.script("4.2-4/identity-of-a-refused-response-is-free", Level::Misbehaviour);
    session.server_at(&mut script, ADVERTISE_KEYS);
    let mut unsigned = advertised(session, &twin);
    unsigned[BODY + 160] ^= 1;
    script.breaks(receive(3, &unsigned));
    script.ok(receive(2, &session.responses[ADVERTISE_KEYS][&2]));
    script.end();
}

fn signatures(book: &mut Book, session: &Rehearsal) {
    let response = |signature: &[u8]| [&session.responses[CONSISTENCY_CHECK][&2][..BODY], signature].concat();
    for (name, at) in [("commitment", BODY + 5), ("response", BODY + 40)] {
        let spoilt = changed(session, CONSISTENCY_CHECK, |message| message[at] ^= 1);
        lie(book, &format!("4.5-5/{name}-spoilt"), session, CONSISTENCY_CHECK, &spoilt, Then::PutOut);
    }
    let of_another = session.responses[CONSISTENCY_CHECK][&3].clone();
    lie(book, "4.5-5/of-another", session, CONSISTENCY_CHECK, &of_another, Then::PutOut);
    let here = hex::encode(&session.responses[CONSISTENCY_CHECK][&2][1..BODY]);
    for (name, id, sharers, survivors) in [
        ("other-survivors", here.clone(), "1f", "0f"),
        ("other-sharers", here.clone(), "0f", "1f"),
        ("other-session", hex::encode([7; 32]), "1f", "1f"),
    ] {
        let request = json!({"session": id, "sharers": sharers, "survivors": survivors});
        let statement: Value = book.ask(&derive("survivors statement", request))["statement"].clone();
        let message = response(&sign(book, 2, &statement));
        lie(book, &format!("4.5-5/{name}"), session, CONSISTENCY_CHECK, &message, Then::PutOut);
    }
    let advertised = response(&session.responses[ADVERTISE_KEYS][&2][BODY + 160..]);
    lie(book, "4.5-5/signature-of-the-keys", session, CONSISTENCY_CHECK, &advertised, Then::PutOut);
}

fn lost(book: &mut Book, session: &Rehearsal) {
    for (round, name) in [(MASKED_INPUT, "consistency-check"), (CONSISTENCY_CHECK, "certified-unmasking")] {
        let mut script = book.script(&format!("4.1-5/lost-before-{name}"), Level::Misbehaviour);
        session.server_at(&mut script, round);
        session.responses_to(&mut script, round, &[2]);
        script.step(close());
        script.breaks(receive(2, &session.responses[round][&2]));
        script.breaks(receive(2, &session.responses[round + 1][&2]));
        script.end();
    }
    let mut script = book.script("4.5/too-few-signers", Level::Misbehaviour);
    session.server_at(&mut script, CONSISTENCY_CHECK);
    session.responses_to(&mut script, CONSISTENCY_CHECK, &[2, 3]);
    script.error(close(), json!({"abort": 128}));
    script.end();
}

/// A survivor whose signature is bad is in the sum all the same, and named.
fn signer_put_out(book: &mut Book, session: &Rehearsal) {
    let mut script = book.script("4.5-5/in-the-sum-all-the-same", Level::Misbehaviour);
    session.server_at(&mut script, CONSISTENCY_CHECK);
    script.breaks(receive(5, &session.responses[CONSISTENCY_CHECK][&2]));
    session.responses_to(&mut script, CONSISTENCY_CHECK, &[5]);
    script.ok(close());
    session.responses_to(&mut script, CERTIFIED, &[5]);
    let aggregate = script.ok(close());
    assert_eq!(aggregate["aggregate"]["survivors"], json!([1, 2, 3, 4, 5]));
    assert_eq!(aggregate["aggregate"]["faults"], json!([{"culprit": 5, "must": "4.5-5"}]));
    script.end();
}
