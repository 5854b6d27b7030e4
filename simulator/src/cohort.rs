//! One session of many clients in one process.

use std::collections::BTreeMap;

use secagg::{
    Abort, Aggregate, Client, ClientId, Closed, Counts, Lanes, Misuse, Policy, Requests, Round, Server,
};
use sha2::{Digest, Sha256};

use crate::report::{Dropped, MessageCount, Report};
use crate::scenario::Scenario;

/// Names of the message types, by their first byte (spec §4.1).
const NAMES: [(u8, &str); 8] = [
    (1, "AdvertiseKeysRequest"),
    (2, "AdvertiseKeysResponse"),
    (3, "ShareKeysRequest"),
    (4, "ShareKeysResponse"),
    (5, "MaskedInputRequest"),
    (6, "MaskedInputResponse"),
    (9, "UnmaskingRequest"),
    (10, "UnmaskingResponse"),
];

/// A server and its clients, ready to run.
///
/// In memory are the protocol's state of each client, the requests of one round, one input with the message that
/// is made of it, and two sums: the server's and the plain one.
pub struct Cohort<'a> {
    scenario: &'a Scenario,
    server: Server,
    requests: Requests,
    clients: BTreeMap<ClientId, Client>,
    plain: Vec<Lanes>,
    buffer: Vec<u8>,
    wire: Wire,
    counts: Counts,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The open round.
    pub round: Round,
    /// Clients that have had their turn.
    pub done: u32,
    /// Clients that were asked.
    pub total: u32,
}

impl<'a> Cohort<'a> {
    /// Opens the session.
    ///
    /// # Errors
    /// The scenario's configuration breaks a rule.
    pub fn new(scenario: &'a Scenario) -> Result<Self, Misuse> {
        let (server, requests) = Server::open(scenario.config())?;
        let ids = requests.iter().map(|(id, _)| *id);
        let clients =
            ids.map(|id| (id, Client::new(scenario.entropy(id.get()), Policy::default()))).collect();
        let plain =
            scenario.vectors.iter().map(|spec| Lanes::from(vec![0u64; spec.length as usize])).collect();
        let (buffer, wire, counts) = (Vec::new(), Wire::default(), Counts::default());
        Ok(Self { scenario, server, requests, clients, plain, buffer, wire, counts })
    }

    /// Runs the session to its end. `observe` is told before each client's turn.
    pub fn run(mut self, mut observe: impl FnMut(Progress)) -> Report {
        let result = loop {
            let Some(round) = self.server.progress().map(|progress| progress.round) else {
                break Err(Abort::Over);
            };
            let requests = std::mem::take(&mut self.requests);
            let total = requests.len() as u32;
            for (done, (id, request)) in (0..).zip(requests) {
                observe(Progress { round, done, total });
                self.turn(round, id, &request);
            }
            match self.server.close_round() {
                Ok(Closed::Next(requests)) => self.requests = requests,
                Ok(Closed::Done(aggregate)) => break Ok(aggregate),
                Err(abort) => break Err(abort),
            }
        };
        self.report(result)
    }

    /// Gives a client its request and the server the answer, unless the client is lost.
    fn turn(&mut self, round: Round, id: ClientId, request: &[u8]) {
        self.wire.note(request);
        if self.scenario.lost_in(id.get()) == Some(round) {
            self.retire(id);
            return;
        }
        if self.answer(round, id, request).is_err() {
            self.retire(id);
            return;
        }
        self.wire.note(&self.buffer);
        if self.server.receive(id, &self.buffer).is_err() {
            self.retire(id);
        } else if round == Round::MaskedInputCollection {
            self.add_plain(id);
        }
    }

    /// Has a client answer into the buffer, chunk by chunk. Its input is made only now.
    fn answer(&mut self, round: Round, id: ClientId, request: &[u8]) -> Result<(), Abort> {
        let client = self.clients.get_mut(&id).ok_or(Abort::Over)?;
        if round == Round::MaskedInputCollection {
            client.set_input(self.scenario.input(id.get()))?;
        }
        self.buffer.clear();
        client.respond(request)?.for_each(|chunk| self.buffer.extend_from_slice(&chunk));
        Ok(())
    }

    /// Forgets a client, but not what it did.
    fn retire(&mut self, id: ClientId) {
        if let Some(client) = self.clients.remove(&id) {
            self.counts += client.counts();
        }
    }

    /// Adds a survivor's input to the plain sum.
    fn add_plain(&mut self, id: ClientId) {
        for (index, (spec, sum)) in self.scenario.vectors.iter().zip(&mut self.plain).enumerate() {
            let Lanes::U64(sum) = sum else { continue };
            let mask = (1u64 << spec.bits) - 1;
            for (sum, value) in sum.iter_mut().zip(self.scenario.values(id.get(), index)) {
                *sum = (*sum + value) & mask;
            }
        }
    }

    fn report(mut self, result: Result<Aggregate, Abort>) -> Report {
        while let Some((&id, _)) = self.clients.first_key_value() {
            self.retire(id);
        }
        let dropped = self.server.dropped().iter();
        let (survivors, exact, abort) = match &result {
            Ok(aggregate) => {
                let sums = aggregate.vectors.iter().map(|(_, sum)| sum);
                let exact = sums.zip(&self.plain).all(|(sum, plain)| sum.iter().eq(plain.iter()));
                (aggregate.survivors.len() as u32, exact, None)
            }
            Err(abort) => (0, false, Some(abort.to_string())),
        };
        Report {
            seed: self.scenario.seed,
            clients: self.scenario.clients,
            survivors,
            dropped: dropped
                .map(|(round, ids)| Dropped { round: round.name(), clients: ids.len() as u32 })
                .collect(),
            exact,
            abort,
            faults: self.server.faults().len() as u32,
            messages: self.wire.counts(),
            client_operations: self.counts.into(),
            server_operations: self.server.counts().into(),
            transcript: self.wire.digest(),
        }
    }
}

/// What went over the wire.
#[derive(Default)]
struct Wire {
    by_type: BTreeMap<u8, (u64, u64)>,
    hash: Sha256,
}

impl Wire {
    fn note(&mut self, message: &[u8]) {
        let (count, bytes) = self.by_type.entry(message.first().copied().unwrap_or_default()).or_default();
        *count += 1;
        *bytes += message.len() as u64;
        self.hash.update((message.len() as u64).to_be_bytes());
        self.hash.update(message);
    }

    fn counts(&self) -> Vec<MessageCount> {
        let of = |&(kind, name): &(u8, &'static str)| {
            let &(count, bytes) = self.by_type.get(&kind)?;
            Some(MessageCount { name, count, bytes })
        };
        NAMES.iter().filter_map(of).collect()
    }

    fn digest(self) -> String {
        hex::encode(self.hash.finalize())
    }
}
