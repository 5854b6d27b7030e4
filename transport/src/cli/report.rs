//! What a session cost, as JSON for programs.

use std::collections::BTreeMap;

use secagg::{ClientId, Counts, Round};
use secagg_transport::{Outcome, Traffic};
use serde::Serialize;

/// One session as the server saw it.
#[derive(Serialize)]
pub(super) struct SessionReport {
    /// Why nothing was released, if so.
    abort: Option<String>,
    rounds: Vec<RoundReport>,
    clients: Vec<ClientReport>,
    /// What the server did.
    operations: Counts,
}

#[derive(Serialize)]
struct RoundReport {
    round: &'static str,
    expected: u32,
    answered: u32,
    /// From the round's requests to its end.
    seconds: f64,
}

#[derive(Serialize)]
struct ClientReport {
    name: String,
    id: u32,
    rounds: BTreeMap<&'static str, ClientRound>,
}

/// Bytes of frames, headers included.
#[derive(Default, Serialize)]
struct ClientRound {
    up: u64,
    down: u64,
    /// Seconds from the round's requests to the whole answer; null if there was none.
    answered_after: Option<f64>,
}

impl SessionReport {
    pub(super) fn new(outcome: &Outcome) -> SessionReport {
        SessionReport {
            abort: outcome.result.as_ref().err().map(ToString::to_string),
            rounds: outcome
                .stages
                .iter()
                .map(|stage| RoundReport {
                    round: stage.round.name(),
                    expected: stage.expected,
                    answered: stage.answered,
                    seconds: stage.seconds,
                })
                .collect(),
            clients: outcome.members.keys().map(|id| client(outcome, *id)).collect(),
            operations: outcome.counts,
        }
    }
}

fn client(outcome: &Outcome, id: ClientId) -> ClientReport {
    let after = |round| outcome.answered_after.get(&id).and_then(|rounds| rounds.get(&round)).copied();
    let of = |(round, traffic): (&Round, &Traffic)| {
        let Traffic { up, down } = *traffic;
        (round.name(), ClientRound { up, down, answered_after: after(*round) })
    };
    let rounds = outcome.traffic.get(&id).into_iter().flatten().map(of).collect();
    ClientReport { name: outcome.name_of(id), id: id.get(), rounds }
}
