//! Clients of the active suite that are lied to: each rule that only they check, broken by the server.

use secagg_tests::conform::scenario::{active, config, identity_secret, new_client, new_client_for};
use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::active::{MEMBER, SIGNED, advertise_of, bad_configurations, member};
use crate::book::Book;
use crate::derivations::derive;
use crate::lying_server::{any_round, lie};
use crate::messages::BODY;
use crate::rehearsal::{ADVERTISE_KEYS, CERTIFIED, CONSISTENCY_CHECK, Rehearsal, SHARE_KEYS, bytes, handle};
use crate::signatures::BAD_IDENTITIES;

/// Where the parts of a member are.
pub(crate) const IDENTITY: usize = 68;
pub(crate) const CERTIFICATE: usize = 100;
pub(crate) const SIGNATURE: usize = 164;

/// The rounds whose messages are others than in the curious suite, with names for the cases.
pub(crate) const ACTIVE: [(usize, &str); 4] = [
    (ADVERTISE_KEYS, "active-advertise-keys"),
    (SHARE_KEYS, "active-share-keys"),
    (CONSISTENCY_CHECK, "consistency-check"),
    (CERTIFIED, "certified-unmasking"),
];

pub(crate) fn write(book: &mut Book, session: &Rehearsal, one_lost: &Rehearsal) {
    any_round(book, session, &ACTIVE);
    policies(book, session);
    advertisements(book, session);
    rosters(book, session);
    survivor_sets(book, session, one_lost);
    certificates(book, session);
    one_set_only(book, session);
}

fn policies(book: &mut Book, session: &Rehearsal) {
    for (name, config) in bad_configurations() {
        let request = advertise_of(book, &config);
        lie(book, &format!("4.2-1/client-{name}"), session, 2, ADVERTISE_KEYS, &request);
    }
    let honest = session.requests[ADVERTISE_KEYS][&2].clone();
    let curious = advertise_of(book, &config(None, 5, 4, &session.vectors, 1));
    let mut other = active(config(None, 5, 4, &session.vectors, 1), 2);
    other["authority"] = identity_of(book, 9).into();
    let other = advertise_of(book, &other);
    let signer = new_client_for(&session.config, 2, &session.vectors);
    let mut cautious = signer.clone();
    cautious["policy"] = json!({"corrupt": 3});
    for (name, new, request) in [
        ("asks-for-more-corrupt", cautious, &honest),
        ("signs-but-the-suite-does-not", signer.clone(), &curious),
        ("does-not-sign-but-the-suite-does", new_client(2, &session.vectors), &honest),
        ("trusts-another-authority", signer.clone(), &other),
    ] {
        let mut script = book.script(&format!("4.2/policy-{name}"), Level::Misbehaviour);
        script.step(new);
        script.error(handle(2, request), json!({"abort": 130}));
        script.error(handle(2, &honest), json!({"abort": 132}));
        script.end();
    }
    let mut script = book.script("4.2/policy-of-the-active-suite-is-met", Level::Session);
    let mut new = signer;
    new["policy"] = json!({"corrupt": 2});
    script.step(new);
    script.ok(handle(2, &honest));
    script.end();
}

/// The identity of this secret's number.
fn identity_of(book: &mut Book, number: u32) -> String {
    let answer = book.ask(&derive("identity", json!({"secret": hex::encode(identity_secret(number))})));
    answer["identity"].as_str().expect("an identity").to_owned()
}

/// What the secret of this number signs.
pub(crate) fn sign(book: &mut Book, number: u32, statement: &Value) -> Vec<u8> {
    let request = json!({"secret": hex::encode(identity_secret(number)), "statement": statement});
    bytes(&book.ask(&derive("signature", request))["signature"])
}

/// The statement of an advertisement of these keys.
pub(crate) fn statement(book: &mut Book, config: &Value, client: u32, member: &Value) -> Value {
    let request = json!({
        "config": config, "client": client, "encryption_key": member["encryption_key"],
        "mask_key": member["mask_key"],
    });
    book.ask(&derive("advertisement statement", request))["statement"].clone()
}

/// Advertisements of client 3 that are not as they should be, each with the rule that it breaks.
pub(crate) fn bad_advertisements(
    book: &mut Book,
    session: &Rehearsal,
) -> Vec<(&'static str, String, Vec<u8>)> {
    let roster = &session.requests[SHARE_KEYS][&2][BODY + 4..];
    let of = |number: usize| roster[(number - 1) * MEMBER..number * MEMBER].to_vec();
    let with = |at: usize, part: &[u8]| {
        let mut changed = of(3);
        changed[at..at + part.len()].copy_from_slice(part);
        changed
    };
    let mut bad = Vec::new();
    let mut add = |rule, name: &str, changed: Vec<u8>| bad.push((rule, name.to_owned(), changed));
    for (name, identity) in BAD_IDENTITIES {
        add("3.7-1", name, with(IDENTITY, &bytes(&identity.into())));
    }
    let mut spoilt = of(3);
    spoilt[CERTIFICATE + 40] ^= 1;
    add("3.7-2", "spoilt", spoilt);
    add("3.7-2", "of-another-identity", with(CERTIFICATE, &of(2)[CERTIFICATE..SIGNATURE]));
    add("3.7-2", "zeros", with(CERTIFICATE, &[0; 64]));
    let uncertified = bytes(&identity_of(book, 9).into());
    add("3.7-2", "for-another-identity", with(IDENTITY, &uncertified));
    let own = book.ask(&derive("certificate statement", json!({"identity": member(&of(3))["identity"]})));
    let by_itself = sign(book, 3, &own["statement"]);
    add("3.7-2", "by-itself", with(CERTIFICATE, &by_itself));
    let mut spoilt = of(3);
    spoilt[SIGNATURE + 40] ^= 1;
    add("4.2-4", "spoilt", spoilt);
    add("4.2-4", "of-another", with(SIGNATURE, &of(2)[SIGNATURE..]));
    let other_session = active(config(None, 5, 4, &session.vectors, 1), 2);
    for (name, config, client, keys) in [
        ("for-another-id", &session.config, 2, of(3)),
        ("for-another-session", &other_session, 3, of(3)),
        ("for-other-keys", &session.config, 3, of(2)),
    ] {
        let statement = statement(book, config, client, &member(&keys));
        add("4.2-4", name, with(SIGNATURE, &sign(book, 3, &statement)));
    }
    let other = statement(book, &session.config, 3, &member(&of(3)));
    add("4.2-4", "by-another", with(SIGNATURE, &sign(book, 2, &other)));
    add("4.2-4", "certificate-in-its-place", with(SIGNATURE, &of(3)[CERTIFICATE..SIGNATURE]));
    bad
}

/// Client 2's identity once more, for client 3 with keys of its own.
pub(crate) fn twin(book: &mut Book, session: &Rehearsal) -> Vec<u8> {
    let roster = &session.requests[SHARE_KEYS][&2][BODY + 4..];
    let mut twin = roster[2 * MEMBER..3 * MEMBER].to_vec();
    twin[IDENTITY..SIGNATURE].copy_from_slice(&roster[MEMBER + IDENTITY..MEMBER + SIGNATURE]);
    let statement = statement(book, &session.config, 3, &member(&twin));
    twin[SIGNATURE..].copy_from_slice(&sign(book, 2, &statement));
    twin
}

/// A request of ShareKeys with other members, and with the session id that follows from them.
fn with_members(book: &mut Book, session: &Rehearsal, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let request = &session.requests[SHARE_KEYS][&2];
    let mut members: Vec<Vec<u8>> = request[BODY + 4..].chunks(MEMBER).map(<[u8]>::to_vec).collect();
    change(&mut members);
    let list: Value = members.iter().map(|bytes| member(bytes)).collect();
    let answer = book.ask(&derive("session id", json!({"config": session.config, "members": list})));
    let body = members.concat();
    [&[3], bytes(&answer["session"]).as_slice(), &(body.len() as u32).to_be_bytes(), &body].concat()
}

fn advertisements(book: &mut Book, session: &Rehearsal) {
    for (rule, name, changed) in bad_advertisements(book, session) {
        let request = with_members(book, session, |members| members[2] = changed);
        lie(book, &format!("{rule}/client-{name}"), session, 2, SHARE_KEYS, &request);
    }
    let twin = twin(book, session);
    let request = with_members(book, session, |members| members[2] = twin);
    lie(book, "4.2-5/client-identity-of-its-own", session, 2, SHARE_KEYS, &request);
    let request = with_members(book, session, |members| {
        let first = members[3][IDENTITY..SIGNATURE].to_vec();
        members[4].splice(IDENTITY..SIGNATURE, first);
    });
    lie(book, "4.2-5/client-identity-of-another", session, 2, SHARE_KEYS, &request);
    // All certificates come before all signatures.
    let request = with_members(book, session, |members| {
        members[0][SIGNATURE] ^= 1;
        members[4][CERTIFICATE] ^= 1;
    });
    lie(book, "3.7-2/client-certificates-before-signatures", session, 2, SHARE_KEYS, &request);
}

fn rosters(book: &mut Book, session: &Rehearsal) {
    for (name, at) in [("identity", IDENTITY), ("certificate", CERTIFICATE), ("signature", SIGNATURE)] {
        let request = with_members(book, session, |members| members[1][at] ^= 1);
        lie(book, &format!("4.3-1/active-other-{name}-of-the-client"), session, 2, SHARE_KEYS, &request);
        let mut hidden = session.requests[SHARE_KEYS][&2].clone();
        hidden[BODY + 4 + at] ^= 1;
        lie(book, &format!("4.3-2/active-other-{name}-of-another"), session, 2, SHARE_KEYS, &hidden);
    }
}

fn survivor_sets(book: &mut Book, session: &Rehearsal, one_lost: &Rehearsal) {
    let asked = |session: &Rehearsal, bits: &[u8]| {
        let request = &session.requests[CONSISTENCY_CHECK][&2];
        [&request[..BODY], &(bits.len() as u32).to_be_bytes(), bits].concat()
    };
    for (rule, name, bits) in [
        ("4.5-1", "no-bytes", &[][..]),
        ("4.5-1", "one-byte-more", &[0b1_1111, 0]),
        ("4.5-1", "bit-behind-the-last", &[0b11_1111]),
        ("4.5-1", "last-bit", &[0b1001_1111]),
        ("4.5-3", "without-the-client", &[0b1_1101]),
        ("4.5-4", "one-too-few", &[0b0_0111]),
        ("4.5-4", "nobody-else", &[0b0_0010]),
    ] {
        let request = asked(session, bits);
        lie(book, &format!("{rule}/{name}"), session, 2, CONSISTENCY_CHECK, &request);
    }
    // Client 4 has not shared; the minimum is four.
    let request = asked(one_lost, &[0b1_1111]);
    lie(book, "4.5-2/no-sharer-among-them", one_lost, 2, CONSISTENCY_CHECK, &request);
    let request = asked(one_lost, &[0b0_1111]);
    lie(book, "4.5-2/no-sharer-in-place-of-one", one_lost, 2, CONSISTENCY_CHECK, &request);
    for (name, bits) in [("the-threshold", 0b0_1111), ("other-four", 0b1_1011)] {
        let mut script = book.script(&format!("4.5/signed-{name}"), Level::Session);
        session.client_at(&mut script, 2, CONSISTENCY_CHECK);
        script.ok(handle(2, &asked(session, &[bits])));
        script.end();
    }
    minimum(book, session);
}

/// The minimum of survivors is above the threshold: all five.
fn minimum(book: &mut Book, session: &Rehearsal) {
    let plan = crate::rehearsal::Plan {
        corrupt: Some(2),
        degree: None,
        clients: 5,
        threshold: 4,
        minimum_survivors: 5,
        vectors: &session.vectors,
        lost: [&[]; 5],
    };
    let session = Rehearsal::new(book, &plan);
    let mut request = session.requests[CONSISTENCY_CHECK][&2].clone();
    *request.last_mut().expect("a byte") = 0b1_0111;
    lie(book, "4.5-4/one-below-the-minimum", &session, 2, CONSISTENCY_CHECK, &request);
}

/// The request of Unmasking with these signatures.
fn certified(session: &Rehearsal, signatures: &[Vec<u8>]) -> Vec<u8> {
    let header = &session.requests[CERTIFIED][&2][..BODY];
    let list = signatures.concat();
    [header, &(list.len() as u32).to_be_bytes(), &list].concat()
}

/// The signature of a client of the honest session, with its id.
fn signed(session: &Rehearsal, client: u32) -> Vec<u8> {
    [&client.to_be_bytes(), &session.responses[CONSISTENCY_CHECK][&client][BODY..]].concat()
}

fn certificates(book: &mut Book, session: &Rehearsal) {
    let all: Vec<Vec<u8>> = (1..=5).map(|client| signed(session, client)).collect();
    let of = |places: &[usize]| -> Vec<Vec<u8>> { places.iter().map(|&at| all[at].clone()).collect() };
    let mut stranger = of(&[0, 1, 2, 3, 4]);
    stranger[4][3] = 9;
    for (name, signatures) in [
        ("one-too-few", of(&[0, 1, 2])),
        ("none", of(&[])),
        ("not-ascending", of(&[0, 2, 1, 3])),
        ("one-twice", of(&[0, 1, 2, 2])),
        ("one-twice-beside-enough", of(&[0, 1, 2, 3, 3])),
        ("a-stranger-beside-enough", stranger),
    ] {
        let request = certified(session, &signatures);
        lie(book, &format!("4.6-11/{name}"), session, 2, CERTIFIED, &request);
    }
    for (name, place, from) in [("first", 0, None), ("beside-enough", 4, None), ("of-another", 3, Some(4))] {
        let mut signatures = all.clone();
        match from {
            None => signatures[place][SIGNED - 30] ^= 1,
            Some(from) => signatures[place] = [&all[place][..4], &all[from][4..]].concat(),
        }
        let request = certified(session, &signatures);
        lie(book, &format!("4.6-12/{name}-bad"), session, 2, CERTIFIED, &request);
    }
    for (name, places) in [("of-others", vec![0, 2, 3, 4]), ("of-all", vec![0, 1, 2, 3, 4])] {
        let mut script = book.script(&format!("4.6/certificate-{name}"), Level::Session);
        session.client_at(&mut script, 2, CERTIFIED);
        script.ok(handle(2, &certified(session, &of(&places))));
        script.end();
    }
}

/// The server asks for signatures over another set: it gets one from each, and no shares for the first set.
fn one_set_only(book: &mut Book, session: &Rehearsal) {
    let mut without = session.requests[CONSISTENCY_CHECK][&2].clone();
    *without.last_mut().expect("a byte") = 0b0_1111;
    let mut script = book.script("4.1-2/client-signs-once", Level::Misbehaviour);
    session.client_at(&mut script, 2, CERTIFIED);
    script.breaks(handle(2, &without));
    script.end();

    let names = [("sharers", "0f", "0f"), ("survivors", "1f", "0f")];
    for (name, sharers, survivors) in names {
        let id = hex::encode(&without[1..BODY]);
        let request = json!({"session": id, "sharers": sharers, "survivors": survivors});
        let other = book.ask(&derive("survivors statement", request))["statement"].clone();
        let mut signatures = vec![signed(session, 2)];
        signatures.splice(..0, [[&1u32.to_be_bytes()[..], &sign(book, 1, &other)].concat()]);
        signatures.extend(
            [3, 4].map(|number: u32| [&number.to_be_bytes()[..], &sign(book, number, &other)].concat()),
        );
        let request = certified(session, &signatures);
        lie(book, &format!("4.6-12/other-{name}"), session, 2, CERTIFIED, &request);
    }
    // A client that signed the set without client 5: client 5's signature is worth nothing to it.
    let id = hex::encode(&without[1..BODY]);
    let request = json!({"session": id, "sharers": "1f", "survivors": "0f"});
    let statement = derive("survivors statement", request);
    let statement = book.ask(&statement)["statement"].clone();
    let signatures: Vec<Vec<u8>> = [1u32, 2, 3, 4, 5]
        .map(|number| [&number.to_be_bytes()[..], &sign(book, number, &statement)].concat())
        .into();
    let request = certified(session, &signatures);
    let mut script = book.script("4.6-11/signer-no-survivor", Level::Misbehaviour);
    session.client_at(&mut script, 2, CONSISTENCY_CHECK);
    script.step(handle(2, &without));
    script.breaks(handle(2, &request));
    script.end();
}
