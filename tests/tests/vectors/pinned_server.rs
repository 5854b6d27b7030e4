//! Clients of the pinned suite that are lied to: each rule that only they check, broken by the server.

use secagg_tests::conform::scenario::{config, new_client_for, pinned};
use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::active::{SIGNED, advertise_of};
use crate::active_server::sign;
use crate::book::Book;
use crate::derivations::derive;
use crate::lying_server::{any_round, lie};
use crate::messages::BODY;
use crate::pinned::{
    CERTIFICATE, COMMITMENT, DRAWN, IDENTITY, MEMBER, SHORT, SIGNATURE, bad_configurations, draw, holders,
    member,
};
use crate::rehearsal::{
    ADVERTISE_KEYS, CERTIFIED, CONSISTENCY_CHECK, MASKED_INPUT, Rehearsal, SHARE_KEYS, bytes, handle,
};

/// The rounds whose messages are others than in the active suite, with names for the cases.
pub(crate) const PINNED: [(usize, &str); 4] = [
    (ADVERTISE_KEYS, "pinned-advertise-keys"),
    (SHARE_KEYS, "pinned-share-keys"),
    (MASKED_INPUT, "pinned-masked-input"),
    (CERTIFIED, "pinned-unmasking"),
];

pub(crate) fn write(book: &mut Book, sessions: &[(&str, Rehearsal)]) {
    let [session, few, ..] = sessions else { panic!("sessions") };
    let (session, few) = (&session.1, &few.1);
    any_round(book, session, &PINNED);
    policies(book, session);
    rosters(book, session);
    smaller_than_a_quorum(book);
    sharers(book, session);
    owners(book, session);
    draws(book, session);
    kept_back(book, session);
    survivors(book, session, few);
    surviving_holders(book, session);
    certificates(book, session);
    inputs(book, session);
    quorums(book, few);
}

fn policies(book: &mut Book, session: &Rehearsal) {
    for (name, config) in bad_configurations() {
        let request = advertise_of(book, &config);
        lie(book, &format!("4.2-1/client-{name}"), session, 2, ADVERTISE_KEYS, &request);
    }
    let honest = &session.requests[ADVERTISE_KEYS][&2];
    let asked_for = new_client_for(&session.config, 2, &session.vectors);
    let without = |field: &str| {
        let mut new = asked_for.clone();
        new.as_object_mut().expect("an object").remove(field);
        new
    };
    let mut cautious = asked_for.clone();
    cautious["policy"]["corrupt"] = 2.into();
    for (name, new) in [
        ("not-asked-for", without("policy")),
        ("without-credentials", without("credentials")),
        ("asks-for-more-corrupt", cautious),
    ] {
        let mut script = book.script(&format!("4.2/policy-pinned-{name}"), Level::Misbehaviour);
        script.step(new);
        script.error(handle(2, honest), json!({"abort": 130}));
        script.error(handle(2, honest), json!({"abort": 132}));
        script.end();
    }
}

/// A request of ShareKeys with other members, and with the session id that follows from them.
fn with_members(book: &mut Book, session: &Rehearsal, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let request = &session.requests[SHARE_KEYS][&2];
    let mut members: Vec<Vec<u8>> = request[BODY + 4..].chunks(MEMBER).map(<[u8]>::to_vec).collect();
    change(&mut members);
    roster(book, &session.config, &members)
}

/// The request of ShareKeys with these members.
fn roster(book: &mut Book, config: &Value, members: &[Vec<u8>]) -> Vec<u8> {
    let list: Value = members.iter().map(|bytes| member(bytes)).collect();
    let answer = book.ask(&derive("session id", json!({"config": config, "members": list})));
    let body = members.concat();
    [&[3], bytes(&answer["session"]).as_slice(), &(body.len() as u32).to_be_bytes(), &body].concat()
}

fn rosters(book: &mut Book, session: &Rehearsal) {
    type Change = fn(&mut Vec<Vec<u8>>);
    let changes: [(&str, &str, Change); 11] = [
        ("4.3-1", "one-twice", |members| members[3] = members[2].clone()),
        ("4.3-1", "without-the-client", |members| drop(members.remove(1))),
        ("4.3-1", "smaller-than-the-degree", |members| members.truncate(3)),
        ("4.3-1", "other-draw-commitment-of-the-client", |members| members[1][COMMITMENT] ^= 1),
        ("4.2-4", "other-draw-commitment-of-another", |members| members[4][COMMITMENT] ^= 1),
        ("4.2-4", "draw-commitments-swapped", |members| {
            let first = members[4][COMMITMENT..IDENTITY].to_vec();
            let second = members[5].splice(COMMITMENT..IDENTITY, first).collect::<Vec<u8>>();
            members[4].splice(COMMITMENT..IDENTITY, second);
        }),
        ("4.2-4", "signature-spoilt", |members| members[4][SIGNATURE + 40] ^= 1),
        ("3.7-2", "certificate-spoilt", |members| members[4][CERTIFICATE + 40] ^= 1),
        ("3.7-1", "identity-of-small-order", |members| {
            members[4][IDENTITY..CERTIFICATE].fill(0);
        }),
        ("4.2-5", "identity-of-another", |members| {
            let first = members[3][IDENTITY..SIGNATURE].to_vec();
            members[4].splice(IDENTITY..SIGNATURE, first);
        }),
        ("4.2-3", "keys-of-another", |members| {
            let first = members[3][4..COMMITMENT].to_vec();
            members[4].splice(4..COMMITMENT, first);
        }),
    ];
    for (rule, name, change) in changes {
        let request = with_members(book, session, change);
        lie(book, &format!("{rule}/client-pinned-{name}"), session, 2, SHARE_KEYS, &request);
    }
    for (name, at) in [("draw-commitment", COMMITMENT), ("mask-key", 36), ("signature", SIGNATURE)] {
        let mut hidden = session.requests[SHARE_KEYS][&2].clone();
        hidden[BODY + 4 + at] ^= 1;
        lie(book, &format!("4.3-2/pinned-other-{name}-of-another"), session, 2, SHARE_KEYS, &hidden);
    }
    let request = with_members(book, session, |members| drop(members.pop()));
    let mut script = book.script("4.3/pinned-smaller-roster", Level::Session);
    session.client_at(&mut script, 2, SHARE_KEYS);
    script.ok(handle(2, &request));
    script.end();
}

/// Four of 21 clients: enough to draw three holders from, and too few for a quorum beside three corrupt ones.
fn smaller_than_a_quorum(book: &mut Book) {
    let config = pinned(config(Some(3), 21, 2, &SHORT, 1), 3);
    let new = |client: u32| new_client_for(&config, client, &SHORT);
    let opened = book.ask(&json!({"command": "server.open", "config": config}));
    let (mut requests, mut members) = (Vec::new(), Vec::new());
    for client in 1..=4u32 {
        requests.push(bytes(&opened["messages"][client as usize - 1]["message"]));
        book.ask(&new(client));
        let response = bytes(&book.ask(&handle(client, &requests[client as usize - 1]))["message"]);
        members.push([&client.to_be_bytes(), &response[BODY..]].concat());
    }
    let request = roster(book, &config, &members);
    let mut script = book.script("4.3-1/client-pinned-smaller-than-a-quorum", Level::Misbehaviour);
    script.step(new(2));
    script.step(handle(2, &requests[1]));
    script.breaks(handle(2, &request));
    script.end();
}

/// The request of MaskedInputCollection with these sharers and bundles.
fn masked_input(session: &Rehearsal, sharers: &[u8], bundles: &[Vec<u8>]) -> Vec<u8> {
    let list = |data: &[u8]| [&(data.len() as u32).to_be_bytes(), data].concat();
    let header = &session.requests[MASKED_INPUT][&2][..BODY];
    [header, &list(sharers), &list(&bundles.concat())].concat()
}

/// The bundles that client 2 gets in a session of up to eight members.
fn bundles(session: &Rehearsal) -> Vec<Vec<u8>> {
    let lists = &session.requests[MASKED_INPUT][&2][BODY..];
    lists[4 + 1 + 4..].chunks(DRAWN).map(<[u8]>::to_vec).collect()
}

fn owner(bundle: &[u8]) -> u32 {
    u32::from_be_bytes(bundle[..4].try_into().expect("four bytes"))
}

/// The bits of all six members but these.
fn all_but(clients: &[u32]) -> [u8; 1] {
    [clients.iter().fold(0b11_1111, |bits, client| bits & !(1 << (client - 1)))]
}

fn sharers(book: &mut Book, session: &Rehearsal) {
    let bundles_of = bundles(session);
    let reversed: Vec<Vec<u8>> = bundles_of.iter().rev().cloned().collect();
    for (rule, name, bits, bundles) in [
        ("4.4-6", "no-bytes", &[][..], &bundles_of),
        ("4.4-6", "one-byte-more", &[0b11_1111, 0], &bundles_of),
        ("4.4-6", "bit-behind-the-last", &[0b111_1111], &bundles_of),
        ("4.4-6", "last-bit", &[0b1011_1111], &bundles_of),
        ("4.4-6", "before-all-else", &[0b1000_0000], &reversed),
        ("4.4-7", "without-the-client", &[0b11_1101], &bundles_of),
        ("4.4-7", "before-the-quorum", &[0], &reversed),
        ("4.4-2", "one-below-the-quorum", &[0b00_0111], &vec![]),
        ("4.4-2", "one-below-the-quorum-before-owners", &[0b00_0111], &reversed),
    ] {
        let request = masked_input(session, bits, bundles);
        lie(book, &format!("{rule}/pinned-{name}"), session, 2, MASKED_INPUT, &request);
    }
    let lost = holders(book, session, 2);
    let request = masked_input(session, &all_but(&lost[1..]), &[]);
    lie(book, "4.4-2/pinned-holders-that-have-not-shared", session, 2, MASKED_INPUT, &request);
}

fn owners(book: &mut Book, session: &Rehearsal) {
    let bundles = bundles(session);
    let of = |client: u32| {
        let mut bundle = bundles[0].clone();
        bundle[..4].copy_from_slice(&client.to_be_bytes());
        vec![bundle]
    };
    let reversed: Vec<Vec<u8>> = bundles.iter().rev().cloned().collect();
    for (name, bits, bundles) in [
        ("not-ascending", all_but(&[]), reversed),
        ("one-twice", all_but(&[]), vec![bundles[0].clone(), bundles[0].clone()]),
        ("of-a-stranger", all_but(&[]), of(9)),
        ("of-the-client-itself", all_but(&[]), of(2)),
        ("of-no-sharer", all_but(&[owner(&bundles[0])]), bundles.clone()),
    ] {
        let request = masked_input(session, &bits, &bundles);
        lie(book, &format!("4.4-1/pinned-{name}"), session, 2, MASKED_INPUT, &request);
    }
}

fn draws(book: &mut Book, session: &Rehearsal) {
    let bundles = bundles(session);
    let with_draw = |at: usize, draw: &[u8]| {
        let mut bundles = bundles.clone();
        bundles[at].splice(4..36, draw.iter().copied());
        bundles
    };
    let mut spoilt = bundles[0][4..36].to_vec();
    spoilt[31] ^= 0x80;
    let last = bundles.len() - 1;
    // A draw that is right, of a client that has not drawn client 2.
    let other = [1, 3, 4, 5, 6].into_iter().find(|id| !bundles.iter().any(|bundle| owner(bundle) == *id));
    let other = other.expect("not all have drawn client 2");
    let not_drawn = [&other.to_be_bytes(), draw(session, other), &[7; 80]].concat();
    for (name, bundles) in [
        ("zeros", with_draw(0, &[0; 32])),
        ("last-bit", with_draw(0, &spoilt)),
        ("of-another", with_draw(last, &bundles[0][4..36])),
        ("of-the-client", with_draw(last, draw(session, 2))),
        ("without-the-client", vec![not_drawn]),
    ] {
        let request = masked_input(session, &all_but(&[]), &bundles);
        lie(book, &format!("4.4-8/{name}"), session, 2, MASKED_INPUT, &request);
    }
}

/// A client masks with its holders, whatever has come from them, and with its owners.
fn kept_back(book: &mut Book, session: &Rehearsal) {
    let bundles = bundles(session);
    let mine = holders(book, session, 2);
    for (name, both) in [("of-a-holder", true), ("of-an-owner-alone", false)] {
        let at = bundles.iter().position(|bundle| mine.contains(&owner(bundle)) == both);
        let mut rest = bundles.clone();
        rest.remove(at.expect("an owner of each kind"));
        let mut script = book.script(&format!("4.4/pinned-bundle-kept-back-{name}"), Level::Session);
        session.client_at(&mut script, 2, MASKED_INPUT);
        let answer = script.ok(handle(2, &masked_input(session, &all_but(&[]), &rest)));
        let same = bytes(&answer["message"]) == session.responses[MASKED_INPUT][&2];
        assert_eq!(same, both, "{name}");
        script.end();
    }
}

/// The request of ConsistencyCheck with these bits.
fn asked(session: &Rehearsal, bits: &[u8]) -> Vec<u8> {
    let request = &session.requests[CONSISTENCY_CHECK][&2];
    [&request[..BODY], &(bits.len() as u32).to_be_bytes(), bits].concat()
}

fn survivors(book: &mut Book, session: &Rehearsal, few: &Rehearsal) {
    for (rule, name, bits) in [
        ("4.5-1", "no-bytes", &[][..]),
        ("4.5-1", "one-byte-more", &[0b11_1111, 0]),
        ("4.5-1", "bit-behind-the-last", &[0b111_1111]),
        ("4.5-3", "without-the-client", &[0b11_1101]),
        ("4.5-4", "one-below-the-quorum", &[0b00_0111]),
    ] {
        let request = asked(session, bits);
        lie(book, &format!("{rule}/pinned-{name}"), session, 2, CONSISTENCY_CHECK, &request);
    }
    let request = asked(few, &[0b11_1111]);
    lie(book, "4.5-2/pinned-no-sharer-among-them", few, 2, CONSISTENCY_CHECK, &request);
}

/// A quorum survives, but of somebody's three holders two do not.
fn surviving_holders(book: &mut Book, session: &Rehearsal) {
    let mine = holders(book, session, 2);
    let request = asked(session, &all_but(&mine[1..]));
    lie(book, "4.5-6/holders-of-the-client", session, 2, CONSISTENCY_CHECK, &request);
    let owners: Vec<u32> = bundles(session).iter().map(|bundle| owner(bundle)).collect();
    let theirs: Vec<Vec<u32>> = owners.iter().map(|&owner| holders(book, session, owner)).collect();
    let left = |holders: &[u32], lost: [u32; 2]| holders.iter().filter(|id| !lost.contains(id)).count();
    let others = [1, 3, 4, 5, 6];
    let lost = others.iter().flat_map(|&one| others.map(|other| [one, other])).find(|&lost| {
        let mut surviving = owners.iter().zip(&theirs).filter(|(owner, _)| !lost.contains(owner));
        left(&mine, lost) >= 2 && surviving.any(|(_, holders)| left(holders, lost) < 2)
    });
    let request = asked(session, &all_but(&lost.expect("two holders of an owner")));
    lie(book, "4.5-6/holders-of-an-owner", session, 2, CONSISTENCY_CHECK, &request);
}

/// The request of Unmasking with these signatures.
fn certified(session: &Rehearsal, signatures: &[Vec<u8>], inputs: &[Vec<u8>]) -> Vec<u8> {
    let list =
        |items: &[Vec<u8>]| [&(items.concat().len() as u32).to_be_bytes(), &items.concat()[..]].concat();
    [&session.requests[CERTIFIED][&2][..BODY], &list(signatures), &list(inputs)].concat()
}

/// The signatures of all survivors with their ids, and those of the masked inputs of client 2's owners.
fn signatures(session: &Rehearsal) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let signed = |(client, message): (&u32, &Vec<u8>)| [&client.to_be_bytes(), &message[BODY..]].concat();
    let signatures = session.responses[CONSISTENCY_CHECK].iter().map(signed).collect();
    let input = |bundle: &Vec<u8>| session.responses[MASKED_INPUT][&owner(bundle)][BODY..BODY + 64].to_vec();
    (signatures, bundles(session).iter().map(input).collect())
}

fn certificates(book: &mut Book, session: &Rehearsal) {
    let (all, inputs) = signatures(session);
    let of = |places: &[usize]| -> Vec<Vec<u8>> { places.iter().map(|&at| all[at].clone()).collect() };
    let mut stranger = all.clone();
    stranger[5][3] = 9;
    for (name, signatures) in [
        ("one-below-the-quorum", of(&[0, 1, 2])),
        ("none", of(&[])),
        ("not-ascending", of(&[0, 2, 1, 3])),
        ("one-twice", of(&[0, 1, 2, 2])),
        ("a-stranger-beside-enough", stranger),
    ] {
        let request = certified(session, &signatures, &inputs);
        lie(book, &format!("4.6-11/pinned-{name}"), session, 2, CERTIFIED, &request);
    }
    for (name, place) in [("first", 0), ("beside-enough", 5)] {
        let mut signatures = all.clone();
        signatures[place][SIGNED - 30] ^= 1;
        let request = certified(session, &signatures, &inputs);
        lie(book, &format!("4.6-12/pinned-{name}-bad"), session, 2, CERTIFIED, &request);
    }
    for (name, places) in [("of-others", vec![0, 2, 4, 5]), ("of-all", vec![0, 1, 2, 3, 4, 5])] {
        let mut script = book.script(&format!("4.6/pinned-certificate-{name}"), Level::Session);
        session.client_at(&mut script, 2, CERTIFIED);
        script.ok(handle(2, &certified(session, &of(&places), &inputs)));
        script.end();
    }
}

fn inputs(book: &mut Book, session: &Rehearsal) {
    let (all, inputs) = signatures(session);
    let enough = &all[..4];
    let last = inputs.len() - 1;
    let swapped: Vec<Vec<u8>> = inputs.iter().rev().cloned().collect();
    for (name, inputs) in [
        ("none", vec![]),
        ("one-less", inputs[..last].to_vec()),
        ("one-more", [inputs.clone(), vec![inputs[0].clone()]].concat()),
    ] {
        lie(book, &format!("4.6-13/{name}"), session, 2, CERTIFIED, &certified(session, enough, &inputs));
    }
    let with = |at: usize, signature: Vec<u8>| {
        let mut inputs = inputs.clone();
        inputs[at] = signature;
        inputs
    };
    let mut spoilt = inputs[0].clone();
    spoilt[40] ^= 1;
    let here = hex::encode(&session.requests[CERTIFIED][&2][1..BODY]);
    let who = owner(&bundles(session)[last]);
    let mut lies = vec![
        ("first-spoilt", with(0, spoilt)),
        ("last-zeros", with(last, vec![0; 64])),
        ("in-another-order", swapped),
        ("over-survivors", with(last, session.responses[CONSISTENCY_CHECK][&who][BODY..].to_vec())),
    ];
    for (name, id, sharers) in
        [("over-other-sharers", here, "1f"), ("over-another-session", hex::encode([7; 32]), "3f")]
    {
        let statement = derive("sharers statement", json!({"session": id, "sharers": sharers}));
        let statement = book.ask(&statement)["statement"].clone();
        lies.push((name, with(last, sign(book, who, &statement))));
    }
    for (name, inputs) in lies {
        lie(book, &format!("4.6-14/{name}"), session, 2, CERTIFIED, &certified(session, enough, &inputs));
    }
}

/// Of eight clients six are the roster and five share, of whom two may be corrupt: five are a quorum.
fn quorums(book: &mut Book, few: &Rehearsal) {
    let mut script = book.script("6.3/four-of-five-sharers-are-none", Level::Misbehaviour);
    few.client_at(&mut script, 2, CONSISTENCY_CHECK);
    script.error(handle(2, &asked(few, &[0b00_1111])), json!({"must": "4.5-4"}));
    script.end();
    let (signatures, inputs) = signatures(few);
    let mut script = book.script("6.3/four-signers-are-none", Level::Misbehaviour);
    few.client_at(&mut script, 2, CERTIFIED);
    script.error(handle(2, &certified(few, &signatures[..4], &inputs)), json!({"must": "4.6-11"}));
    script.end();
    let mut script = book.script("6.3/five-of-the-roster-are-one", Level::Session);
    few.client_at(&mut script, 2, CERTIFIED);
    script.ok(handle(2, &few.requests[CERTIFIED][&2]));
    script.end();
}
