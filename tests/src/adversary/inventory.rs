//! What a client sends beside its masked vectors: nothing that the specification does not name.

use std::collections::BTreeMap;

use secagg::conformance::{self, Item};
use secagg::{ClientId, Closed, Config, Misbehaviour, Server, Suite};

use super::game::Plan;
use super::session::{Ran, client, run};
use super::setting::Setting;
use super::trials::{EVERYWHERE, Trial, demand};
use super::wire::HEADER;

pub(super) const ALL: &[Trial] = &[Trial {
    name: "plain-fields",
    threat: "S18",
    side: "client",
    says: "sends its weight in clear behind each of its messages",
    expected: "4.1-1, 4.4-4",
    grounds: EVERYWHERE,
    sizes: 3..=16,
    play,
}];

/// What no message has room for.
const WEIGHT: u8 = 42;

fn play(setting: Setting) -> Result<String, String> {
    let config = setting.config();
    let signed = config.suite.is_signed();
    let ids = (1..=setting.n).filter_map(ClientId::new);
    let mut clients: BTreeMap<_, _> =
        ids.map(|id| (id, client(id.get(), signed, Plan::of(setting).policy))).collect();
    let ran = run(&config, &mut clients, &[])?;
    let collected = ran.received.get(2).ok_or("there was no masked input")?;
    for (_, message) in collected {
        named(&config, message)?;
    }
    for round in 0..ran.received.len() {
        refused(&config, &ran, round)?;
    }
    let message = &collected.first().ok_or("nobody sent a masked input")?.1;
    let with = [&message[..], &[WEIGHT]].concat();
    let (known, beside) = lenient(&config, &with).ok_or("a lenient receiver refuses the message")?;
    demand(known == message && beside == [WEIGHT], || {
        format!("a lenient receiver takes {} bytes and leaves {beside:?}", known.len())
    })?;
    Ok(format!(
        "a decoder that leaves what it does not know takes the message, and {beside:?} is read beside it"
    ))
}

/// A receiver that takes the longest prefix that it can decode, and leaves the rest.
fn lenient<'a>(config: &Config, message: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let parts = (0..=message.len()).rev().map(|end| message.split_at(end));
    parts.into_iter().find(|(known, _)| conformance::decode(known, Some(config)).is_ok())
}

/// Every byte of a masked input is of the type, the session, in suite 3 the signature, and the coordinates.
fn named(config: &Config, message: &[u8]) -> Result<(), String> {
    let (_, says, again) = conformance::decode(message, Some(config)).map_err(|what| what.to_string())?;
    let names: Vec<&str> = says.iter().map(|(name, _)| name.as_str()).collect();
    let pinned = matches!(config.suite, Suite::Pinned { .. });
    let expected: &[&str] = if pinned { &["signature", "vectors"] } else { &["vectors"] };
    demand(names == expected, || format!("the fields are {names:?}"))?;
    let Some((_, Item::Fields(vectors))) = says.last() else { return Err("no vectors".to_owned()) };
    let of_config = config.vectors.iter().map(|spec| (&spec.name, spec.length as usize));
    let sent = vectors.iter().map(|(name, item)| match item {
        Item::Coordinates(coordinates) => (name, coordinates.len()),
        _ => (name, 0),
    });
    demand(sent.eq(of_config), || "the vectors are not those of the configuration".to_owned())?;
    let coordinates: u64 = config.vectors.iter().map(|spec| spec.packed_len()).sum();
    let length = HEADER + if pinned { 64 } else { 0 } + coordinates as usize;
    demand(message.len() == length && again == message, || {
        format!("{} bytes, of which {length} are named", message.len())
    })
}

/// The server refuses the message of the first client in this round with a byte behind it.
fn refused(config: &Config, ran: &Ran, round: usize) -> Result<(), String> {
    let (mut server, _) = Server::open(config.clone()).map_err(|misuse| misuse.to_string())?;
    for answers in &ran.received[..round] {
        for (id, answer) in answers {
            server.receive(*id, answer).map_err(|fault| fault.to_string())?;
        }
        match server.close_round() {
            Ok(Closed::Next(_)) => {}
            _ => return Err("the session does not go on".to_owned()),
        }
    }
    let (id, answer) = ran.received[round].first().ok_or("nobody answered")?;
    let expected = match round {
        2 => Misbehaviour::WrongVectorLength,
        _ => Misbehaviour::Malformed,
    };
    // In Unmasking what stands behind the shares are seeds of noise, 32 bytes each.
    match server.receive(*id, &[&answer[..], &[WEIGHT]].concat()) {
        Err(fault) if fault.what == expected => Ok(()),
        other => Err(format!("round {round}: {other:?} instead of {expected:?}")),
    }
}
