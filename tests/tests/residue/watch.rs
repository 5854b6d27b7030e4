//! The sessions, and when what is looked for.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use secagg::{Client, ClientId, Closed, Input, Policy, Server};

use super::party::{CLOSE, DROP, config};
use super::scan::hits;
use super::secrets::{self, Secret, entropy, everyone, input};

/// The other process.
struct Party(Child);

impl Party {
    fn new(role: &str, keeps: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(role).stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("KEEP");
        if keeps {
            command.env("KEEP", "1");
        }
        Self(command.spawn().expect("a process"))
    }

    fn client(keeps: bool) -> Self {
        let mut party = Self::new("party-client", keeps);
        party.send(&entropy(me()));
        party.ask(&input(me()));
        party
    }

    fn send(&mut self, body: &[u8]) {
        let pipe = self.0.stdin.as_mut().expect("a pipe");
        pipe.write_all(&(body.len() as u32).to_be_bytes()).expect("the process lives");
        pipe.write_all(body).expect("the process lives");
        pipe.flush().expect("the process lives");
    }

    fn receive(&mut self) -> Vec<u8> {
        let pipe = self.0.stdout.as_mut().expect("a pipe");
        let mut length = [0; 4];
        pipe.read_exact(&mut length).expect("the process lives");
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        pipe.read_exact(&mut body).expect("the process lives");
        body
    }

    fn ask(&mut self, body: &[u8]) -> Vec<u8> {
        self.send(body);
        self.receive()
    }

    fn requests(&mut self) -> BTreeMap<ClientId, Vec<u8>> {
        let frames = std::iter::from_fn(|| Some(self.receive()).filter(|frame| !frame.is_empty()));
        frames
            .map(|frame| {
                let (id, request) = frame.split_first_chunk().expect("an id");
                (ClientId::new(u32::from_be_bytes(*id)).expect("not zero"), request.to_vec())
            })
            .collect()
    }

    /// The names of those of the secrets that are in memory.
    fn found<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) -> Vec<&'a str> {
        let secrets: Vec<&Secret> = secrets.into_iter().collect();
        let bytes: Vec<[u8; 32]> = secrets.iter().map(|secret| secret.bytes).collect();
        let counts = hits(self.0.id(), &bytes);
        secrets
            .iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .map(|(secret, _)| secret.name.as_str())
            .collect()
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn me() -> ClientId {
    ClientId::new(1).expect("not zero")
}

fn here(id: ClientId) -> Client {
    let mut client = Client::new(entropy(id), Policy::default());
    let values: Vec<u64> =
        input(id).chunks(8).map(|chunk| u64::from_le_bytes(chunk.try_into().expect("eight"))).collect();
    client.set_input(Input::new().with("v", values)).expect("an input");
    client
}

/// What client 1 is asked in each round, and the session; client 4 vanishes after it has shared.
fn requests() -> (Vec<Vec<u8>>, [u8; 32]) {
    let mut clients: BTreeMap<ClientId, Client> = everyone().into_iter().map(|id| (id, here(id))).collect();
    let (mut server, mut requests) = Server::open(config()).expect("a good configuration");
    let mut asked = Vec::new();
    loop {
        for (id, request) in requests {
            if id == me() {
                asked.push(request.clone());
            }
            if asked.len() < 3 || id.get() < 4 {
                let response = clients.get_mut(&id).expect("a client").handle(&request).expect("an answer");
                server.receive(id, &response).expect("a good answer");
            }
        }
        match server.close_round().expect("enough") {
            Closed::Next(next) => requests = next,
            Closed::Done(aggregate) => return (asked, aggregate.session),
        }
    }
}

fn survivors() -> Vec<ClientId> {
    everyone().into_iter().take(3).collect()
}

pub(crate) fn client_rounds() {
    let (requests, session) = requests();
    let secrets = secrets::of_client(&config(), &session, me(), &survivors());
    let mut party = Party::client(false);
    assert!(party.found(&secrets).contains(&"entropy"), "the search finds what is there");
    for (round, request) in (1..).zip(&requests) {
        assert!(!party.ask(request).is_empty(), "round {round}");
        let over = secrets.iter().filter(|secret| secret.over <= round);
        assert_eq!(party.found(over), [""; 0], "after round {round}");
        if round < 3 {
            assert!(party.found(&secrets).contains(&"mask key"), "it is still needed");
        }
    }
}

pub(crate) fn client_ends() {
    let (requests, session) = requests();
    let secrets = secrets::of_client(&config(), &session, me(), &survivors());
    for rounds in 0..=3 {
        for end in [DROP, b"not a request"] {
            let mut party = Party::client(false);
            for request in &requests[..rounds] {
                assert!(!party.ask(request).is_empty());
            }
            assert!(party.ask(end).is_empty());
            assert_eq!(party.found(&secrets), [""; 0], "{end:?} after round {rounds}");
        }
    }
}

pub(crate) fn server() {
    let (session, mut party) = unmasking(false);
    let secrets = secrets::of_server(&config(), &session, &survivors());
    assert!(!party.found(&secrets).is_empty(), "the shares are there before the round closes");
    party.send(CLOSE);
    assert!(party.requests().is_empty(), "the session is over");
    assert_eq!(party.found(&secrets), [""; 0], "after the sum");

    let (_, mut party) = unmasking(false);
    party.send(DROP);
    party.requests();
    assert_eq!(party.found(&secrets), [""; 0], "after the server is dropped");
}

pub(crate) fn controls() {
    let (requests, session) = requests();
    let secrets = secrets::of_client(&config(), &session, me(), &survivors());
    let mut party = Party::client(true);
    party.ask(&requests[0]);
    assert!(party.found(&secrets).contains(&"entropy"), "a copy of it was kept");
    party.ask(DROP);
    let found = party.found(&secrets);
    assert!(found.contains(&"mask key") && found.contains(&"self mask seed"), "the client was not dropped");

    let (session, mut party) = unmasking(true);
    party.send(DROP);
    party.requests();
    let secrets = secrets::of_server(&config(), &session, &survivors());
    assert!(!party.found(&secrets).is_empty(), "the server was not dropped");
}

/// A server that has all the shares of the survivors.
fn unmasking(keeps: bool) -> ([u8; 32], Party) {
    let mut party = Party::new("party-server", keeps);
    let mut clients: BTreeMap<ClientId, Client> = everyone().into_iter().map(|id| (id, here(id))).collect();
    let mut session = [0; 32];
    for round in 1..=4 {
        for (id, request) in party.requests() {
            session = request[1..33].try_into().expect("a header");
            if round < 3 || id.get() < 4 {
                let response = clients.get_mut(&id).expect("a client").handle(&request).expect("an answer");
                party.send(&[&id.get().to_be_bytes()[..], &response].concat());
                assert!(party.requests().is_empty());
            }
        }
        if round < 4 {
            party.send(CLOSE);
        }
    }
    (session, party)
}
