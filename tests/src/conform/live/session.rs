//! A session of a server under test: as many clients as it waits for, of which one may take a turn of its own.

use tokio::task::JoinSet;

use super::identities::Population;
use super::limit::Failure;
use super::player::{Played, Player};
use super::quic::Target;
use super::scene::Turn;
use super::server_cases::{Play, fits, told_to_others};
use crate::conform::replay::Outcome;

/// The place of the client that takes its turn, from 0: its id is 2.
const TURNING: u32 = 1;

/// The codes of a round that closed without a client, and of a session that too few are left for.
const MISSED: u8 = 193;
const TOO_FEW: u8 = 128;

/// Plays a session, and says whether everybody was told what the document says.
///
/// `name` begins the names of the clients, which are in the order of their places, as are their identities.
pub(super) async fn play(
    target: &Target,
    clients: u32,
    identities: Option<&Population>,
    name: &str,
    &Play { turn, told, then }: &Play,
) -> Result<Outcome, Failure> {
    let played = play_all(target, clients, identities, name, turn).await?;
    for (id, one) in (1..).zip(&played) {
        if one.id != id {
            return Err(
                format!("the client at place {id} in the order of the names has the id {}", one.id).into()
            );
        }
    }
    let Some(turned) = played.get(TURNING as usize) else {
        return Err("a session needs two clients at least".to_owned().into());
    };
    if turn.is_some() && !(turned.turned && fits(&turned.config, then)) {
        return Ok(Outcome::Skipped("the server's configuration does not allow it".to_owned()));
    }
    let others = match turn {
        Some(turn) => told_to_others(&turned.config, turn.stage, then),
        None => told,
    };
    for (place, one) in (0..).zip(&played) {
        let expected = if place == TURNING { told } else { others };
        // The round that a silent client misses may be the last one.
        let ended = one.code == TOO_FEW && told.contains(&MISSED) && others.contains(&TOO_FEW);
        if !expected.contains(&one.code) && !ended {
            let who = if place == TURNING && turn.is_some() {
                "the misbehaving client"
            } else {
                "an honest client"
            };
            return Err(format!("{who}, {}, was told {}, not {expected:?}", one.name, one.code).into());
        }
    }
    Ok(Outcome::Passed)
}

/// All clients at once; what each came to, in the order of the names.
async fn play_all(
    target: &Target,
    clients: u32,
    identities: Option<&Population>,
    name: &str,
    turn: Option<Turn>,
) -> Result<Vec<Played>, Failure> {
    let mut playing = JoinSet::new();
    // The last comes first, so that the order of the names is not that of the arrivals.
    for place in (0..clients).rev() {
        let turn = turn.filter(|_| place == TURNING);
        let (name, identities) = (format!("{name}-{place:04}"), identities.cloned());
        let player = Player { target: *target, name, place: place as usize, identities, clients, turn };
        playing.spawn(player.play());
    }
    let (mut played, mut failed) = (Vec::new(), None);
    while let Some(one) = playing.join_next().await {
        match one.map_err(|error| format!("a client of the session ended: {error}")) {
            Ok(Ok(one)) => played.push(one),
            // The first failure tells most; the rest may follow from it.
            Ok(Err(failure)) => failed = failed.or(Some(failure)),
            Err(why) => failed = failed.or(Some(why.into())),
        }
    }
    played.sort_by(|a, b| a.name.cmp(&b.name));
    failed.map_or(Ok(played), Err)
}
