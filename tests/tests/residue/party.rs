//! The process that is searched. It speaks in frames, a length in four bytes and a body, over unbuffered pipes, and
//! wipes what it itself knew of secrets.

use std::fs::File;
use std::io::{Read, Write};

use secagg::{
    Authority, Client, ClientId, Closed, Config, Credentials, Graph, Input, Policy, Server, Suite, VectorSpec,
};
use secagg_tests::json::trusting;
use zeroize::Zeroizing;

/// As a request: drop the party.
pub(crate) const DROP: &[u8] = b"drop";
/// As a request to the server: close the round.
pub(crate) const CLOSE: &[u8] = b"close";

struct Pipe {
    from: File,
    to: File,
}

impl Pipe {
    fn new() -> Self {
        let to = File::options().write(true).open("/dev/stdout").expect("stdout");
        Self { from: File::open("/dev/stdin").expect("stdin"), to }
    }

    fn read(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length).ok()?;
        let mut body = Zeroizing::new(vec![0; u32::from_be_bytes(length) as usize]);
        self.from.read_exact(&mut body).ok()?;
        Some(body)
    }

    fn write(&mut self, body: &[u8]) {
        self.to.write_all(&(body.len() as u32).to_be_bytes()).expect("stdout");
        self.to.write_all(body).expect("stdout");
    }
}

/// A client: entropy, an identity's secret and input come first, requests follow. An empty answer is an abort.
pub(crate) fn client() {
    let mut pipe = Pipe::new();
    let mut client = Some(new_client(&mut pipe));
    pipe.write(&[]);
    while let Some(request) = pipe.read() {
        if *request == DROP {
            match std::env::var_os("KEEP") {
                Some(_) => std::mem::forget(client.take()),
                None => drop(client.take()),
            }
            pipe.write(&[]);
        } else {
            let response = client.as_mut().and_then(|client| client.handle(&request).ok());
            pipe.write(&response.unwrap_or_default());
        }
    }
}

#[inline(never)]
fn new_client(pipe: &mut Pipe) -> Box<Client> {
    let entropy = pipe.read().expect("entropy");
    if std::env::var_os("KEEP").is_some() {
        std::mem::forget(entropy.clone());
    }
    let identity = pipe.read().expect("an identity");
    let bytes = |secret: &[u8]| <[u8; 32]>::try_from(secret).expect("32 bytes");
    let mut client = Box::new(client_of(is_pinned(), bytes(&entropy), &bytes(&identity)));
    let input = pipe.read().expect("an input");
    let values: Vec<u64> =
        input.chunks(8).map(|chunk| u64::from_le_bytes(chunk.try_into().expect("eight bytes"))).collect();
    client.set_input(Input::new().with("v", values)).expect("an input before the configuration");
    // What was on this function's stack.
    wipe();
    client
}

/// A server of the configuration that the parent has too: frames are an id and a message, or `CLOSE`.
pub(crate) fn server() {
    let mut pipe = Pipe::new();
    let (server, mut requests) = Server::open(config(is_pinned())).expect("a good configuration");
    let mut server = Some(Box::new(server));
    loop {
        for (id, request) in requests.drain(..) {
            pipe.write(&[&id.get().to_be_bytes()[..], &request].concat());
        }
        pipe.write(&[]);
        let Some(frame) = pipe.read() else { return };
        if *frame == DROP {
            match std::env::var_os("KEEP") {
                Some(_) => std::mem::forget(server.take()),
                None => drop(server.take()),
            }
        } else if let Some(server) = server.as_mut() {
            if *frame == CLOSE {
                if let Ok(Closed::Next(next)) = server.close_round() {
                    requests = next;
                }
            } else {
                let (id, message) = frame.split_first_chunk().expect("an id");
                let id = ClientId::new(u32::from_be_bytes(*id)).expect("not zero");
                server.receive(id, message).expect("a good message");
            }
        }
    }
}

/// Whether this process is to play suite 3.
fn is_pinned() -> bool {
    std::env::var_os("PINNED").is_some()
}

/// A client of suite 1, or one of suite 3 that asks for no safety, which so few do not have.
pub(crate) fn client_of(pinned: bool, entropy: [u8; 32], identity: &[u8; 32]) -> Client {
    if !pinned {
        return Client::new(entropy, Policy::default());
    }
    let policy = Policy { safety: Some(trusting()), ..Policy::default() };
    let certificate = authority().certify(&Credentials::identity_of(identity)).expect("it can sign");
    let credentials = Credentials::new(*identity, certificate, authority().public()).expect("certified");
    Client::with_credentials(entropy, policy, credentials)
}

fn authority() -> Authority {
    Authority::new([8; 32])
}

/// Four clients, of whom any three suffice: of suite 1 on the complete graph, or of suite 3, where each client draws the
/// other three.
pub(crate) fn config(pinned: bool) -> Config {
    let (suite, graph, threshold) = match pinned {
        false => (Suite::Curious, Graph::Complete, 3),
        true => {
            let suite = Suite::Pinned { corrupt: 1, authority: authority().public() };
            (suite, Graph::KOut { degree: 3 }, 2)
        }
    };
    Config {
        suite,
        graph,
        clients: 4,
        threshold,
        minimum_survivors: 1,
        vectors: vec![VectorSpec::new("v", 4, 62)],
        task: [1; 32],
        nonce: [2; 32],
    }
}

#[inline(never)]
fn wipe() {
    zeroize::zeroize_stack::<16_384>();
}
