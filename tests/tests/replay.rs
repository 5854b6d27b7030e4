//! The committed sessions are what the core does: replayed step by step, and recorded anew.
//!
//! The files themselves are recorded by the reference, `spec/reference/sessions.py`.

use std::collections::BTreeMap;

use secagg_spec::{SESSION_ACTIVE, SESSION_COMPLETE, SESSION_PINNED, SESSION_REGULAR};
use secagg_tests::transcript::{
    ClientRecord, ConfigRecord, CredentialsRecord, Operation, Recorder, Transcript, VectorRecord,
};

use secagg::{Authority, ClientId, Closed, Credentials, Requests};

#[test]
fn the_session_on_the_complete_graph() {
    compare("session-complete.json", SESSION_COMPLETE, &complete());
}

#[test]
fn the_session_on_a_regular_graph() {
    compare("session-regular.json", SESSION_REGULAR, &regular());
}

#[test]
fn the_session_of_the_active_suite() {
    compare("session-active.json", SESSION_ACTIVE, &active());
}

#[test]
fn the_session_of_the_pinned_suite() {
    compare("session-pinned.json", SESSION_PINNED, &pinned());
}

#[test]
fn the_sums_are_those_of_the_survivors() {
    for (text, survivors) in [
        (SESSION_COMPLETE, 1..=3),
        (SESSION_REGULAR, 1..=4),
        (SESSION_ACTIVE, 1..=9),
        (SESSION_PINNED, 1..=9),
    ] {
        let transcript = Transcript::parse(text);
        let Some(Operation::Close { aggregate: Some(aggregate), .. }) = transcript.operations.last() else {
            panic!("the session ends with a sum");
        };
        assert!(aggregate.survivors.iter().copied().eq(survivors.clone()));
        for vector in &transcript.config.vectors {
            let inputs = transcript.clients.iter().filter(|client| survivors.contains(&client.id));
            let mut sums = vec![0u64; vector.length as usize];
            for client in inputs {
                for (sum, value) in sums.iter_mut().zip(&client.input[&vector.name]) {
                    *sum = (*sum + value.parse::<u64>().unwrap()) % (1 << vector.bits);
                }
            }
            assert!(sums.iter().map(u64::to_string).eq(aggregate.vectors[&vector.name].iter().cloned()));
        }
    }
}

#[test]
fn a_changed_transcript_does_not_replay() {
    let mut transcript = Transcript::parse(SESSION_COMPLETE);
    transcript.clients[0].entropy.replace_range(..2, "ff");
    assert_ne!(transcript.replay(), transcript);
}

/// Replays the committed file and compares it with one recorded now.
fn compare(name: &str, committed: &str, recorded: &Transcript) {
    let transcript = Transcript::parse(committed);
    for (at, (found, expected)) in
        transcript.replay().operations.iter().zip(&transcript.operations).enumerate()
    {
        assert_eq!(found, expected, "{name}, operation {at}");
    }
    assert_eq!(recorded.to_text(), committed, "{name}");
}

/// Client 5 is lost in ShareKeys, 4 in MaskedInputCollection, 3 in Unmasking, where it refuses a request that
/// names it dropped. Client 1 sends a message of another session before its own.
fn complete() -> Transcript {
    let vectors = vec![vector("weights", 3, 16, None), vector("examples", 1, 33, Some("1000000000"))];
    let about = "complete graph; clients 5, 4 and 3 are lost in the rounds 4.3, 4.4 and 4.6; \
                 client 1 first sends a masked input of another session; \
                 client 3 refuses a request that names it dropped";
    let mut session = Session::new(about, config("complete", None, 5, 2, vectors, 1));
    let requests = session.recorder.open();
    let requests = session.round(requests, &[1, 2, 3, 4, 5]);
    let requests = session.round(requests, &[1, 2, 3, 4]);
    let first = session.answer(&requests, 1);
    let mut stray = first.clone();
    stray[1] ^= 1;
    assert!(session.recorder.receive(1, &stray).is_err());
    session.recorder.receive(1, &first).unwrap();
    let requests = session.round(requests, &[2, 3]);
    let mut names_it_dropped = requests[2].1.clone();
    *names_it_dropped.last_mut().unwrap() = 0b0011;
    assert!(session.recorder.handle(3, &names_it_dropped).is_err());
    session.end(requests, &[1, 2])
}

/// Client 6 is lost in ShareKeys, where its message is cut off, 5 in MaskedInputCollection, 4 in Unmasking.
fn regular() -> Transcript {
    let vectors = vec![vector("bits", 9, 1, None), vector("wide", 2, 62, None), vector("mean", 5, 20, None)];
    let about = "regular graph of degree 4; clients 6, 5 and 4 are lost in the rounds 4.3, 4.4 and 4.6; \
                 the message of client 6 in 4.3 is cut off";
    let mut session = Session::new(about, config("regular", Some(4), 6, 2, vectors, REGULAR_NONCE));
    let requests = session.recorder.open();
    let requests = session.round(requests, &[1, 2, 3, 4, 5, 6]);
    let cut = session.answer(&requests, 6);
    assert!(session.recorder.receive(6, &cut[..cut.len() - 1]).is_err());
    let requests = session.round(requests, &[1, 2, 3, 4, 5]);
    let requests = session.round(requests, &[1, 2, 3, 4]);
    session.end(requests, &[1, 2, 3])
}

/// Clients 12, 11, 10, 9 and 8 are lost, one in each round: 12 sends the signature of client 11, 9 signs another
/// survivor set than the server's, 8 refuses signatures that are too few.
fn active() -> Transcript {
    let vectors = vec![vector("weights", 3, 16, None), vector("examples", 1, 34, Some("1000000000"))];
    let about = "active suite; clients 12, 11, 10, 9 and 8 are lost in the rounds 4.2 to 4.6; \
                 client 12 sends the signature of client 11; \
                 client 9 signs another survivor set than the server's; \
                 client 8 refuses signatures that are too few";
    let config = signed("active", config("complete", None, 12, 7, vectors, 9));
    let mut session = Session::new(about, config);
    let requests = session.recorder.open();
    let answers: Vec<Vec<u8>> = (1..=12).map(|client| session.answer(&requests, client)).collect();
    for (client, answer) in (1..=11).zip(&answers) {
        session.recorder.receive(client, answer).unwrap();
    }
    let signed = answers[11].len() - 64;
    let mixed = [&answers[11][..signed], &answers[10][signed..]].concat();
    assert!(session.recorder.receive(12, &mixed).is_err());
    let requests = session.round(Vec::new(), &[]);
    let requests = session.round(requests, &(1..=10).collect::<Vec<_>>());
    let requests = session.round(requests, &(1..=9).collect::<Vec<_>>());
    let asked = &requests[8].1;
    let named = [&asked[..asked.len() - 2], &[0b0111_1111, 0b1]].concat();
    let other = session.recorder.handle(9, &named).unwrap();
    assert!(session.recorder.receive(9, &other).is_err());
    let requests = session.round(requests, &(1..=8).collect::<Vec<_>>());
    let asked = &requests[7].1;
    let too_few = [&asked[..33], &(6 * 68u32).to_be_bytes(), &asked[37..37 + 6 * 68]].concat();
    assert!(session.recorder.handle(8, &too_few).is_err());
    session.end(requests, &(1..=7).collect::<Vec<_>>())
}

/// Clients 12, 11, 10, 9 and 8 are lost, one in each round: 12 sends another draw commitment than it has signed, 11
/// another draw than it has committed to, 10 signs other sharers than the server's, 8 refuses the signature of another
/// owner.
fn pinned() -> Transcript {
    let vectors = vec![vector("weights", 3, 16, None), vector("examples", 1, 34, Some("1000000000"))];
    let about = "pinned suite; clients 12, 11, 10, 9 and 8 are lost in the rounds 4.2 to 4.6; \
                 client 12 sends another draw commitment than it has signed; \
                 client 11 sends another draw than it has committed to; \
                 client 10 signs other sharers than the server's; \
                 client 8 refuses the signature of another owner";
    let config = signed("pinned", config("k-out", Some(6), 12, 3, vectors, PINNED_NONCE));
    let mut session = Session::new(about, config);
    let requests = session.recorder.open();
    let requests = session.round_with_lie(requests, 11, |message| message[33 + 64] ^= 1);
    let requests = session.round_with_lie(requests, 10, |message| message[33 + 32] ^= 1);
    session.take(&requests, 9);
    let mut others = requests[9].1.clone();
    others[37..39].copy_from_slice(&[0b1111_1111, 0b111]);
    let other = session.recorder.handle(10, &others).unwrap();
    assert!(session.recorder.receive(10, &other).is_err());
    let requests = session.round(Vec::new(), &[]);
    let requests = session.round(requests, &(1..=8).collect::<Vec<_>>());
    let mut other = requests[7].1.clone();
    let last = other.len() - 64;
    other[last] ^= 1;
    assert!(session.recorder.handle(8, &other).is_err());
    session.end(requests, &(1..=7).collect::<Vec<_>>())
}

/// With this nonce every secret has three of the clients 1 to 7 among its holders.
const PINNED_NONCE: u8 = 13;

/// With this nonce every secret has two of the clients 1, 2 and 3 among its holders.
const REGULAR_NONCE: u8 = 5;

struct Session {
    recorder: Recorder,
}

impl Session {
    fn new(about: &str, config: ConfigRecord) -> Self {
        let clients = (1..=config.clients).map(|id| client(id, &config)).collect();
        Self { recorder: Recorder::new(about, config, clients) }
    }

    fn answer(&mut self, requests: &Requests, client: u32) -> Vec<u8> {
        let (_, request) = requests.iter().find(|(id, _)| id.get() == client).unwrap();
        self.recorder.handle(client, request).unwrap()
    }

    /// The clients answer, and the round is closed.
    fn close(&mut self, requests: Requests, answering: &[u32]) -> Closed {
        for (id, request) in requests {
            if answering.contains(&ClientId::get(id)) {
                let response = self.recorder.handle(id.get(), &request).unwrap();
                self.recorder.receive(id.get(), &response).unwrap();
            }
        }
        self.recorder.close_round().unwrap()
    }

    /// The first of the clients answer.
    fn take(&mut self, requests: &Requests, count: u32) {
        for client in 1..=count {
            let response = self.answer(requests, client);
            self.recorder.receive(client, &response).unwrap();
        }
    }

    /// The first of the clients answer, and the next one sends an answer that is changed and refused.
    fn round_with_lie(&mut self, requests: Requests, honest: u32, change: fn(&mut Vec<u8>)) -> Requests {
        self.take(&requests, honest);
        let mut lie = self.answer(&requests, honest + 1);
        change(&mut lie);
        assert!(self.recorder.receive(honest + 1, &lie).is_err());
        self.round(Vec::new(), &[])
    }

    fn round(&mut self, requests: Requests, answering: &[u32]) -> Requests {
        match self.close(requests, answering) {
            Closed::Next(requests) => requests,
            Closed::Done(_) => panic!("the session is over too early"),
        }
    }

    fn end(mut self, requests: Requests, answering: &[u32]) -> Transcript {
        assert!(matches!(self.close(requests, answering), Closed::Done(_)));
        self.recorder.finish()
    }
}

fn vector(name: &str, length: u32, bits: u8, bound: Option<&str>) -> VectorRecord {
    VectorRecord { name: name.to_owned(), length, bits, bound: bound.map(str::to_owned), noise: None }
}

fn config(
    graph: &str,
    degree: Option<u32>,
    clients: u32,
    threshold: u32,
    vectors: Vec<VectorRecord>,
    nonce: u8,
) -> ConfigRecord {
    let (suite, graph) = ("curious".to_owned(), graph.to_owned());
    let (task, nonce) = (hex::encode([0xaa; 32]), hex::encode([nonce; 32]));
    ConfigRecord {
        suite,
        corrupt: None,
        authority: None,
        graph,
        degree,
        clients,
        threshold,
        minimum_survivors: 2,
        vectors,
        task,
        nonce,
    }
}

/// The same where clients sign, with one that may be corrupt.
fn signed(suite: &str, config: ConfigRecord) -> ConfigRecord {
    let (suite, authority) = (suite.to_owned(), Some(hex::encode(authority().public())));
    ConfigRecord { suite, corrupt: Some(1), authority, ..config }
}

/// Entropy and coordinates that are easy to tell apart and reach the ends of their ranges.
fn client(id: u32, config: &ConfigRecord) -> ClientRecord {
    let value = |vector: &VectorRecord, at: u32| {
        let greatest = vector.bound.as_ref().map_or((1 << vector.bits) - 1, |bound| bound.parse().unwrap());
        let step = u64::from(id * 7 + at * 3) % 11;
        (greatest / 10 * step + step % 2).min(greatest)
    };
    let values = |vector: &VectorRecord| (0..vector.length).map(|at| value(vector, at).to_string()).collect();
    let input: BTreeMap<String, Vec<String>> =
        config.vectors.iter().map(|vector| (vector.name.clone(), values(vector))).collect();
    let credentials = config.authority.is_some().then(|| credentials(id));
    ClientRecord { id, entropy: hex::encode([id as u8; 32]), credentials, input }
}

fn authority() -> Authority {
    Authority::new([0xa0; 32])
}

fn credentials(id: u32) -> CredentialsRecord {
    let secret = [0xc0 + id as u8; 32];
    let certificate = authority().certify(&Credentials::identity_of(&secret)).unwrap();
    CredentialsRecord {
        secret: hex::encode(secret),
        certificate: hex::encode(certificate),
        authority: hex::encode(authority().public()),
    }
}
