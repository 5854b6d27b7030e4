//! What a server announces, against the messages that it received.
//!
//! Clients are told no sum (spec §10.3). Whoever holds the server's record of a session can make the sum anew from it,
//! without a secret. That does not prove that the messages came from clients: a server that invents clients invents their
//! messages too. In suites 2 and 3 signatures bind who is in the survivor set; what a masked input holds they do not bind.

use std::collections::BTreeMap;

use secagg::{Aggregate, ClientId, Closed, Config, Misbehaviour, Server};

use super::clients::right;
use super::game::Plan;
use super::session::{client, run};
use super::setting::{Ground, Setting};
use super::trials::{EVERYWHERE, Trial, demand};
use crate::transcript::{AggregateRecord, Operation, Transcript};

pub(super) const ALL: &[Trial] = &[Trial {
    name: "forged-result",
    threat: "S14",
    side: "server",
    says: "leaves an input out of the sum that it announces, or out of its record too",
    expected: "found",
    grounds: EVERYWHERE,
    sizes: 3..=16,
    play,
}];

/// What a server received, by round.
type Received = Vec<Vec<(ClientId, Vec<u8>)>>;

/// Why a record does not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// It is not of its format.
    #[error("{0}")]
    Unreadable(String),
    /// What was announced does not follow from what was received.
    #[error("{0}")]
    Wrong(String),
}

/// Makes the sum of a recorded session anew from what the server received, and compares it with what it announced. The
/// clients' secrets in the file are not looked at.
///
/// # Errors
/// What differs, or the rule that a message breaks; a field that is not of its format.
pub fn audit(transcript: &Transcript) -> Result<(), Unsound> {
    let (config, received, announced) = read(transcript).map_err(Unsound::Unreadable)?;
    check(&config, &received, announced, Sums::Compared).map_err(Unsound::Wrong)
}

/// The configuration, what the server received, and what it announced.
fn read(transcript: &Transcript) -> Result<(Config, Received, &AggregateRecord), String> {
    let (mut received, mut announced) = (vec![Vec::new()], None);
    for operation in &transcript.operations {
        match operation {
            Operation::Receive { from, input, fault: None } => {
                let id = ClientId::new(*from).ok_or("a message of nobody")?;
                let message = hex::decode(input).map_err(|error| error.to_string())?;
                received.last_mut().ok_or("no round")?.push((id, message));
            }
            Operation::Close { output: Some(_), .. } => received.push(Vec::new()),
            Operation::Close { aggregate: Some(aggregate), .. } => announced = Some(aggregate),
            _ => {}
        }
    }
    Ok((transcript.config.config()?, received, announced.ok_or("no sum was announced")?))
}

/// Whether an auditor looks at the sums, and not at session and survivors only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sums {
    Compared,
    Ignored,
}

/// Compares what is announced with what these messages give.
fn check(
    config: &Config,
    received: &Received,
    announced: &AggregateRecord,
    sums: Sums,
) -> Result<(), String> {
    let found = AggregateRecord::of(&again(config, received)?);
    demand(found.session == announced.session, || "it is another session".to_owned())?;
    demand(found.survivors == announced.survivors, || {
        format!("the sum is of {:?}, not of {:?}", found.survivors, announced.survivors)
    })?;
    if sums == Sums::Ignored {
        return Ok(());
    }
    match announced.vectors.iter().find(|(name, sum)| found.vectors.get(*name) != Some(sum)) {
        Some((name, _)) => Err(format!("the sum of {name:?} is another one")),
        None => demand(found.vectors.len() == announced.vectors.len(), || "a sum is missing".to_owned()),
    }
}

/// The outcome of a session for a server that received these messages.
fn again(config: &Config, received: &Received) -> Result<Aggregate, String> {
    let (mut server, _) = Server::open(config.clone()).map_err(|misuse| misuse.to_string())?;
    for answers in received {
        for (id, answer) in answers {
            server.receive(*id, answer).map_err(|fault| fault.to_string())?;
        }
        match server.close_round() {
            Ok(Closed::Next(_)) => {}
            Ok(Closed::Done(aggregate)) => return Ok(aggregate),
            Err(abort) => return Err(abort.to_string()),
        }
    }
    Err("the session does not end".to_owned())
}

fn play(setting: Setting) -> Result<String, String> {
    let config = setting.config();
    let signed = config.suite.is_signed();
    let ids = || (1..=setting.n).filter_map(ClientId::new);
    let mut clients: BTreeMap<_, _> =
        ids().map(|id| (id, client(id.get(), signed, Plan::of(setting).policy))).collect();
    let ran = run(&config, &mut clients, &[])?;
    let announced = AggregateRecord::of(&ran.outcome.map_err(|abort| abort.to_string())?);
    check(&config, &ran.received, &announced, Sums::Compared)?;
    // The last client's input is left out of the sum, and of nothing else.
    let others: Vec<u32> = (1..setting.n).collect();
    let [first, second, third] = right(&others).map(|value| value.to_string());
    let vectors = [("v".to_owned(), vec![first, second]), ("w".to_owned(), vec![third])].into();
    let forged = AggregateRecord { vectors, ..announced.clone() };
    let found = check(&config, &ran.received, &forged, Sums::Compared);
    demand(found == Err("the sum of \"v\" is another one".to_owned()), || {
        format!("of a forged sum is said: {found:?}")
    })?;
    check(&config, &ran.received, &forged, Sums::Ignored)
        .map_err(|why| format!("who looks at no sum refuses a forged one: {why}"))?;
    // What was signed, and who is heard in the end, is about all of them.
    let mut without = ran.received.clone();
    without.get_mut(2).and_then(Vec::pop).ok_or("there was no masked input")?;
    let reason = match setting {
        _ if signed => Misbehaviour::BadSurvivorSignature.id(),
        // Both neighbours of everybody are needed.
        Setting { n: 3, ground: Ground::Sparse } => "1 more answer was needed",
        _ => Misbehaviour::UnknownClient.id(),
    };
    match check(&config, &without, &forged, Sums::Compared) {
        Err(why) if why.contains(reason) => Ok(format!(
            "by session and survivors alone the forged sum is as good; without the message: {why}"
        )),
        other => Err(format!("without the message: {other:?} instead of {reason}")),
    }
}
