//! What a session came to, and what it cost.

use std::collections::BTreeMap;

use secagg::{Abort, Aggregate, ClientId, Counts, Round};

/// The end of one session as the server saw it.
#[derive(Debug)]
pub struct Outcome {
    /// The released sum, or why nothing was released.
    pub result: Result<Aggregate, Abort>,
    /// The name of each client.
    pub members: BTreeMap<ClientId, String>,
    /// The rounds that were opened, in their order.
    pub stages: Vec<StageReport>,
    /// Application bytes by client and round. AdvertiseKeys includes the join and the task.
    pub traffic: BTreeMap<ClientId, BTreeMap<Round, Traffic>>,
    /// Seconds from a round's requests to a client's whole answer, whether or not it was accepted.
    pub answered_after: BTreeMap<ClientId, BTreeMap<Round, f64>>,
    /// Clients by the first round that closed without a valid answer of theirs.
    pub dropped: BTreeMap<Round, Vec<ClientId>>,
    /// What the server did, in operations.
    pub counts: Counts,
}

/// One round as it went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageReport {
    /// The round.
    pub round: Round,
    /// Clients the round waited for.
    pub expected: u32,
    /// Clients whose answer was accepted.
    pub answered: u32,
    /// Wall time from the round's requests to its end, the server's computation included.
    pub seconds: f64,
}

/// Application bytes: frames with their headers, without QUIC and UDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Client to server; an upload that broke off counts as far as it came.
    pub up: u64,
    /// Server to client.
    pub down: u64,
}

impl Outcome {
    /// Returns one client's bytes over the whole session.
    pub fn traffic_of(&self, client: ClientId) -> Traffic {
        let rounds = self.traffic.get(&client).into_iter().flat_map(BTreeMap::values);
        rounds.fold(Traffic::default(), |sum, one| Traffic { up: sum.up + one.up, down: sum.down + one.down })
    }

    /// Returns all clients' bytes in one round.
    pub fn traffic_in(&self, round: Round) -> Traffic {
        let clients = self.traffic.values().filter_map(|rounds| rounds.get(&round));
        clients
            .fold(Traffic::default(), |sum, one| Traffic { up: sum.up + one.up, down: sum.down + one.down })
    }

    /// Returns a client's name, or its number if it has none.
    pub fn name_of(&self, client: ClientId) -> String {
        self.members.get(&client).cloned().unwrap_or_else(|| client.to_string())
    }
}
