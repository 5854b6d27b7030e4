//! A whole honest session, so that a case can begin anywhere in it.

use std::collections::BTreeMap;

use secagg_tests::conform::scenario::{Vector, config, new_client_for, signed};
use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::book::{Book, Script};

/// The rounds by their places below.
pub(crate) const ADVERTISE_KEYS: usize = 0;
pub(crate) const SHARE_KEYS: usize = 1;
pub(crate) const MASKED_INPUT: usize = 2;
pub(crate) const UNMASKING: usize = 3;
/// The last rounds where clients sign.
pub(crate) const CONSISTENCY_CHECK: usize = 3;
pub(crate) const CERTIFIED: usize = 4;

/// All messages of a session.
pub(crate) struct Rehearsal {
    pub(crate) config: Value,
    pub(crate) vectors: Vec<Vector>,
    pub(crate) clients: u32,
    /// By round and client.
    pub(crate) requests: Vec<BTreeMap<u32, Vec<u8>>>,
    pub(crate) responses: Vec<BTreeMap<u32, Vec<u8>>>,
}

/// What a session is to be.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// Corrupt clients, in the active suite and with a degree in the pinned one; none stands for the curious one.
    pub(crate) corrupt: Option<u32>,
    pub(crate) degree: Option<u32>,
    pub(crate) clients: u32,
    pub(crate) threshold: u32,
    pub(crate) minimum_survivors: u32,
    pub(crate) vectors: &'a [Vector],
    /// The clients that do not answer, for each round of the suite.
    pub(crate) lost: [&'a [u32]; 5],
}

impl Rehearsal {
    /// Plays the session.
    pub(crate) fn new(book: &mut Book, plan: &Plan<'_>) -> Self {
        let mut config = config(plan.degree, plan.clients, plan.threshold, plan.vectors, 0x5e);
        config["minimum_survivors"] = plan.minimum_survivors.into();
        let config = signed(config, plan.corrupt);
        let rounds = if plan.corrupt.is_some() { 5 } else { 4 };
        (1..=plan.clients).for_each(|client| drop(book.ask(&new_client_for(&config, client, plan.vectors))));
        let mut answer = book.ask(&json!({"command": "server.open", "config": config}));
        let (mut requests, mut responses) = (vec![BTreeMap::new(); rounds], vec![BTreeMap::new(); rounds]);
        for round in 0..rounds {
            for request in answer["messages"].as_array().expect("messages") {
                let client = request["to"].as_u64().expect("a client") as u32;
                let message = bytes(&request["message"]);
                if !plan.lost[round].contains(&client) {
                    let response = bytes(&book.ask(&handle(client, &message))["message"]);
                    book.ask(&receive(client, &response));
                    responses[round].insert(client, response);
                }
                requests[round].insert(client, message);
            }
            answer = book.ask(&json!({"command": "server.close_round"}));
        }
        let vectors = plan.vectors.to_vec();
        Self { config, vectors, clients: plan.clients, requests, responses }
    }

    pub(crate) fn open(&self) -> Value {
        json!({"command": "server.open", "config": self.config})
    }

    /// Brings a client to the round.
    pub(crate) fn client_at(&self, script: &mut Script<'_>, client: u32, round: usize) {
        script.step(new_client_for(&self.config, client, &self.vectors));
        for requests in &self.requests[..round] {
            script.step(handle(client, &requests[&client]));
        }
    }

    /// Brings the server to the round.
    pub(crate) fn server_at(&self, script: &mut Script<'_>, round: usize) {
        script.step(self.open());
        for round in 0..round {
            self.responses_to(script, round, &[]);
            script.step(close());
        }
    }

    /// The server takes all responses of a round but those of some.
    pub(crate) fn responses_to(&self, script: &mut Script<'_>, round: usize, but: &[u32]) {
        for (&client, response) in self.responses[round].iter().filter(|(client, _)| !but.contains(client)) {
            script.step(receive(client, response));
        }
    }

    /// A client through all its rounds, and the server through all.
    pub(crate) fn record(&self, book: &mut Book, name: &str, clients: &[u32]) {
        for &client in clients {
            let mut script = book.script(&format!("4/client-{client}-{name}"), Level::Session);
            script.step(new_client_for(&self.config, client, &self.vectors));
            for requests in self.requests.iter().filter_map(|requests| requests.get(&client)) {
                script.ok(handle(client, requests));
            }
            script.end();
        }
        let mut script = book.script(&format!("4/server-{name}"), Level::Session);
        script.ok(self.open());
        for responses in &self.responses {
            for (&client, response) in responses {
                script.step(receive(client, response));
            }
            script.ok(close());
        }
        script.end();
    }
}

pub(crate) fn handle(client: u32, message: &[u8]) -> Value {
    json!({"command": "client.handle", "client": client, "message": hex::encode(message)})
}

pub(crate) fn receive(client: u32, message: &[u8]) -> Value {
    json!({"command": "server.receive", "from": client, "message": hex::encode(message)})
}

pub(crate) fn close() -> Value {
    json!({"command": "server.close_round"})
}

pub(crate) fn bytes(digits: &Value) -> Vec<u8> {
    hex::decode(digits.as_str().expect("a string")).expect("hexadecimal digits")
}
