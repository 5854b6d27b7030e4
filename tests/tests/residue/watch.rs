//! The sessions, and when what is looked for.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use secagg::{Client, ClientId, Closed, Input, Server};

use super::party::{CLOSE, DROP, client_of, config};
use super::scan::hits;
use super::secrets::{self, Secret, entropy, everyone, identity, input, rounds};

/// The other process.
struct Party(Child);

impl Party {
    fn new(role: &str, pinned: bool, keeps: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(role).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (variable, is_set) in [("KEEP", keeps), ("PINNED", pinned)] {
            if is_set {
                command.env(variable, "1");
            } else {
                command.env_remove(variable);
            }
        }
        Self(command.spawn().expect("a process"))
    }

    fn client(pinned: bool, keeps: bool) -> Self {
        let mut party = Self::new("party-client", pinned, keeps);
        party.send(&entropy(me()));
        party.send(&identity(me()));
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

fn here(pinned: bool, id: ClientId) -> Client {
    let mut client = client_of(pinned, entropy(id), &identity(id));
    let values: Vec<u64> =
        input(id).chunks(8).map(|chunk| u64::from_le_bytes(chunk.try_into().expect("eight"))).collect();
    client.set_input(Input::new().with("v", values)).expect("an input");
    client
}

/// What client 1 is asked in each round, and the session; client 4 vanishes after it has shared.
fn requests(pinned: bool) -> (Vec<Vec<u8>>, [u8; 32]) {
    let mut clients: BTreeMap<ClientId, Client> =
        everyone().into_iter().map(|id| (id, here(pinned, id))).collect();
    let (mut server, mut requests) = Server::open(config(pinned)).expect("a good configuration");
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

pub(crate) fn client_rounds(pinned: bool) {
    let (requests, session) = requests(pinned);
    let secrets = secrets::of_client(&config(pinned), &session, me(), &survivors());
    let mut party = Party::client(pinned, false);
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

pub(crate) fn client_ends(pinned: bool) {
    let (requests, session) = requests(pinned);
    let secrets = secrets::of_client(&config(pinned), &session, me(), &survivors());
    for rounds in 0..rounds(&config(pinned)) {
        for end in [DROP, b"not a request"] {
            let mut party = Party::client(pinned, false);
            for request in &requests[..rounds] {
                assert!(!party.ask(request).is_empty());
            }
            assert!(party.ask(end).is_empty());
            assert_eq!(party.found(&secrets), [""; 0], "{end:?} after round {rounds}");
        }
    }
}

pub(crate) fn server(pinned: bool) {
    let (session, mut party) = unmasking(pinned, false);
    let secrets = secrets::of_server(&config(pinned), &session, &survivors());
    assert!(!party.found(&secrets).is_empty(), "the shares are there before the round closes");
    party.send(CLOSE);
    assert!(party.requests().is_empty(), "the session is over");
    assert_eq!(party.found(&secrets), [""; 0], "after the sum");

    let (_, mut party) = unmasking(pinned, false);
    party.send(DROP);
    party.requests();
    assert_eq!(party.found(&secrets), [""; 0], "after the server is dropped");
}

pub(crate) fn controls(pinned: bool) {
    let (requests, session) = requests(pinned);
    let secrets = secrets::of_client(&config(pinned), &session, me(), &survivors());
    let mut party = Party::client(pinned, true);
    party.ask(&requests[0]);
    assert!(party.found(&secrets).contains(&"entropy"), "a copy of it was kept");
    party.ask(DROP);
    let found = party.found(&secrets);
    assert!(found.contains(&"mask key") && found.contains(&"self mask seed"), "the client was not dropped");

    let (session, mut party) = unmasking(pinned, true);
    party.send(DROP);
    party.requests();
    let secrets = secrets::of_server(&config(pinned), &session, &survivors());
    assert!(!party.found(&secrets).is_empty(), "the server was not dropped");
}

/// A server that has all the shares of the survivors.
fn unmasking(pinned: bool, keeps: bool) -> ([u8; 32], Party) {
    let mut party = Party::new("party-server", pinned, keeps);
    let mut clients: BTreeMap<ClientId, Client> =
        everyone().into_iter().map(|id| (id, here(pinned, id))).collect();
    let mut session = [0; 32];
    let last = rounds(&config(pinned));
    for round in 1..=last {
        for (id, request) in party.requests() {
            session = request[1..33].try_into().expect("a header");
            if round < 3 || id.get() < 4 {
                let response = clients.get_mut(&id).expect("a client").handle(&request).expect("an answer");
                party.send(&[&id.get().to_be_bytes()[..], &response].concat());
                assert!(party.requests().is_empty());
            }
        }
        if round < last {
            party.send(CLOSE);
        }
    }
    (session, party)
}
