//! Plays honest and misbehaving clients to a server.

use std::net::SocketAddr;
use std::time::Duration;

use super::binding::{JOIN, LEFT, VERSION, closed, frame, join};
use super::case::{self, of_section};
use super::identities::{Population, Signed};
use super::limit::{Failure, within};
use super::player::send;
use super::quic::{Link, Pin, Target};
use super::scene::End;
use super::server_cases::{Part, ServerCase, cases};
use super::session;
use crate::conform::known::Known;
use crate::conform::replay::Outcome;
use crate::conform::report::Entry;

/// The code of a connection whose name a newer one has taken.
const REPLACED: u8 = 199;

/// A server under test.
#[derive(Clone)]
pub struct UnderTest {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its pin; without one every certificate will do.
    pub pin: Option<Pin>,
    /// How many clients its sessions have.
    pub clients: u32,
    /// How long it may keep a client waiting: more than it waits itself for one that is silent.
    pub deadline: Duration,
    /// Whom its authority has certified, if its sessions are of a suite with identities.
    pub identities: Option<Population>,
}

/// The ids of the cases for servers of a suite with identities or of the other, of one section or rule if one is given.
pub fn ids(signed: Option<Signed>, section: Option<&str>) -> Vec<&'static str> {
    of_section(cases(signed), section).iter().map(|case| case.id).collect()
}

/// Plays all cases, or those of a section or rule, and tells of each as it ends.
///
/// # Errors
/// There are fewer identities than clients.
pub async fn run(
    server: &UnderTest,
    section: Option<&str>,
    known: &mut Known,
    tell: &mut dyn FnMut(&Entry),
) -> Result<Vec<Entry>, String> {
    let UnderTest { address, pin, clients, deadline, identities } = server;
    identities.as_ref().map_or(Ok(()), |population| population.at_least(*clients as usize))?;
    let target = Target { address: *address, pin: *pin, deadline: *deadline };
    let mut number = 0;
    let play = async |case: &ServerCase| {
        number += 1;
        let name = format!("conform-{number:03}");
        match &case.part {
            Part::Handshake(alpn) => handshake(&target, alpn).await,
            Part::Door { bytes, end, told } => door(&target, bytes, *end, told).await,
            Part::Replaced => replaced(&target, &name).await,
            Part::Session(play) => session::play(&target, *clients, identities.as_ref(), &name, play).await,
        }
    };
    let cases = of_section(cases(identities.as_ref().map(|population| population.suite)), section);
    Ok(case::run(&cases, &format!("server {address}"), known, tell, play).await)
}

async fn handshake(target: &Target, alpn: &[u8]) -> Result<Outcome, Failure> {
    match Link::with_alpn(target, alpn).await? {
        Err(_) => Ok(Outcome::Passed),
        Ok(link) => {
            link.leave(LEFT).await;
            Err("the handshake succeeded".to_owned().into())
        }
    }
}

async fn door(target: &Target, bytes: &[u8], end: End, told: &[u8]) -> Result<Outcome, Failure> {
    let link = Link::connect(target).await?;
    let stream = send(&link.connection, bytes, end, target.deadline).await;
    let code = within(target.deadline, "the connection was not closed", closed(&link.connection)).await??;
    drop(stream);
    if told.contains(&code) {
        return Ok(Outcome::Passed);
    }
    Err(format!("the connection was closed with {code}, not {told:?}").into())
}

/// The first of two connections is closed, and the second waits.
async fn replaced(target: &Target, name: &str) -> Result<Outcome, Failure> {
    let bytes = frame(JOIN, &join(VERSION, name.as_bytes()));
    let older = Link::connect(target).await?;
    let first = send(&older.connection, &bytes, End::Finish, target.deadline).await;
    // The server cannot say that it has taken the join in.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let newer = Link::connect(target).await?;
    let second = send(&newer.connection, &bytes, End::Finish, target.deadline).await;
    let closing = closed(&older.connection);
    let code = within(target.deadline, "the older connection was not closed", closing).await??;
    let reason = newer.connection.close_reason();
    newer.leave(LEFT).await;
    drop((first, second));
    match (code, reason) {
        (REPLACED, None) => Ok(Outcome::Passed),
        (REPLACED, Some(reason)) => Err(format!("the newer connection was closed too: {reason}").into()),
        _ => Err(format!("the older connection was closed with {code}, not {REPLACED}").into()),
    }
}
