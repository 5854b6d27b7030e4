//! One party fed whatever there is, in whatever order.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use secagg::{
    Abort, Authority, Client, ClientId, Closed, Config, Credentials, Graph, Input, Misuse, Policy, Server,
    Suite, VectorSpec,
};

use crate::json::trusting;

/// An honest session: in each round every client's request and response.
type Script = Vec<BTreeMap<ClientId, [Vec<u8>; 2]>>;

/// The graph of a session of one party, by the bits of a byte: the k-out one is suite 3's, the others suite 1's.
fn any_graph(byte: u8) -> Graph {
    if byte & 2 == 2 { Graph::KOut { degree: 4 } } else { graph(byte & 1 == 1) }
}

pub(super) fn client(data: &[u8]) {
    let _ = feed_client(&mut Unstructured::new(data));
}

pub(super) fn server(data: &[u8]) {
    let _ = feed_server(&mut Unstructured::new(data));
}

/// A client answers each round at most once, as it should if all was honest, and is over after its first error.
fn feed_client(from: &mut Unstructured<'_>) -> Result<()> {
    let graph = any_graph(from.arbitrary()?);
    let rounds = script(graph).len();
    let config = config(graph, 5, 3);
    let id = ClientId::new(1).expect("not zero");
    let mut has_input = from.ratio(9, 10)?;
    let mut client = member(&config, id, has_input);
    let (mut answered, mut honest) = (0, true);
    while !from.is_empty() {
        let place =
            if from.ratio(3, 4)? { answered.min(rounds - 1) } else { from.int_in_range(0..=rounds - 1)? };
        let [request, response] = &script(graph)[place][&id];
        let sent = changed(from, request)?;
        let before = client.round();
        match client.handle(&sent) {
            Ok(bytes) => {
                honest &= place == answered && sent == *request;
                answered += 1;
                assert!(answered <= rounds && client.round() != before);
                assert_eq!(client.round().is_none(), answered == rounds);
                if honest {
                    assert_eq!(bytes, *response);
                }
            }
            Err(Abort::Misuse(Misuse::NoInput)) => {
                assert!(!has_input && client.round() == before);
                client.set_input(input(id, &config)).expect("an input that fits");
                has_input = true;
            }
            Err(abort) => {
                let due = before.is_some() && honest && place == answered && sent == *request;
                assert!(!due, "an honest request: {abort}");
                assert_eq!(abort == Abort::Over, before.is_none());
                assert_eq!(client.round(), None);
            }
        }
    }
    Ok(())
}

/// An answer counts once, a fault is its sender's, and a server is over after its first error.
fn feed_server(from: &mut Unstructured<'_>) -> Result<()> {
    let graph = any_graph(from.arbitrary()?);
    let rounds = script(graph).len();
    let (mut server, _) = Server::open(config(graph, 5, 3)).expect("a good configuration");
    let mut round = 0;
    while !from.is_empty() {
        if from.ratio(1, 5)? {
            let faults = server.faults().len();
            match server.close_round() {
                Ok(Closed::Next(requests)) => assert!(!requests.is_empty()),
                Ok(Closed::Done(aggregate)) => assert!(aggregate.survivors.len() >= 3),
                Err(_) => assert!(server.progress().is_none()),
            }
            assert!(server.faults().len() >= faults);
            round = (round + 1).min(rounds - 1);
        } else {
            let id = ClientId::new(from.int_in_range(1..=7)?).expect("not zero");
            let place = if from.ratio(7, 8)? { round } else { from.int_in_range(0..=rounds - 1)? };
            let honest = script(graph)[place].get(&id).map(|[_, response]| response);
            let sent = changed(from, honest.map_or(&[][..], Vec::as_slice))?;
            let before = server.progress().map(|progress| progress.answered);
            let limit = server.response_limit(id);
            let answer = server.receive(id, &sent);
            let after = server.progress().map(|progress| progress.answered);
            assert_eq!(after.zip(before).is_some_and(|(after, before)| after > before), answer.is_ok());
            match answer {
                Ok(()) => {
                    assert!(sent.len() as u64 <= limit);
                    assert!(server.receive(id, &sent).is_err(), "once");
                }
                Err(fault) => assert_eq!(fault.culprit, id),
            }
        }
    }
    assert!(server.faults().iter().all(|fault| fault.culprit.get() <= 5), "of clients that there are");
    Ok(())
}

/// The message itself, or with bytes changed, cut off or put behind, or other bytes.
pub(super) fn changed(from: &mut Unstructured<'_>, message: &[u8]) -> Result<Vec<u8>> {
    let mut message = message.to_vec();
    match from.int_in_range(0..=7u8)? {
        0 => {
            for _ in 0..from.int_in_range(1..=3u8)? {
                if let Some(last) = message.len().checked_sub(1) {
                    message[from.int_in_range(0..=last)?] ^= from.int_in_range(1..=255u8)?;
                }
            }
        }
        1 => message.truncate(from.int_in_range(0..=message.len())?),
        2 => message.extend(from.arbitrary::<[u8; 4]>()?),
        3 => {
            message.truncate(33);
            message.extend(from.arbitrary::<Vec<u8>>()?);
        }
        _ => {}
    }
    Ok(message)
}

pub(super) fn graph(regular: bool) -> Graph {
    if regular { Graph::Regular { degree: 4 } } else { Graph::Complete }
}

pub(super) fn config(graph: Graph, clients: u32, threshold: u32) -> Config {
    let vectors = vec![VectorSpec::new("a", 3, 7), VectorSpec::new("b", 2, 40)];
    let (minimum_survivors, task, nonce) = (1, [0; 32], [9; 32]);
    let suite = match graph {
        Graph::KOut { .. } => Suite::Pinned { corrupt: 1, authority: authority().public() },
        _ => Suite::Curious,
    };
    Config { suite, graph, clients, threshold, minimum_survivors, vectors, task, nonce }
}

fn authority() -> Authority {
    Authority::new([0xa; 32])
}

pub(super) fn ids(clients: u32) -> impl Iterator<Item = ClientId> {
    (1..=clients).filter_map(ClientId::new)
}

pub(super) fn member(config: &Config, id: ClientId, with_input: bool) -> Client {
    let entropy = [id.get() as u8; 32];
    let mut client = match config.suite {
        Suite::Pinned { .. } => {
            let identity = [0x80 | id.get() as u8; 32];
            let certificate = authority().certify(&Credentials::identity_of(&identity)).expect("it can sign");
            let credentials = Credentials::new(identity, certificate, authority().public());
            let policy = Policy { safety: Some(trusting()), ..Policy::default() };
            Client::with_credentials(entropy, policy, credentials.expect("it is certified"))
        }
        _ => Client::new(entropy, Policy::default()),
    };
    if with_input {
        client.set_input(input(id, config)).expect("an input that fits");
    }
    client
}

/// The coordinates of a client, vector by vector.
pub(super) fn values(id: ClientId, config: &Config) -> Vec<Vec<u64>> {
    let value =
        |at: u64, bits: u8| (u64::from(id.get()) + 1).wrapping_mul(at + 0x9e37_79b9_7f4a_7c15) >> (64 - bits);
    config
        .vectors
        .iter()
        .map(|spec| (0..u64::from(spec.length)).map(|at| value(at, spec.bits)).collect())
        .collect()
}

fn input(id: ClientId, config: &Config) -> Input {
    let vectors = config.vectors.iter().zip(values(id, config));
    vectors.fold(Input::new(), |input, (spec, values)| input.with(&spec.name, values))
}

/// The honest session on this graph, played once.
fn script(graph: Graph) -> &'static Script {
    static COMPLETE: OnceLock<Script> = OnceLock::new();
    static REGULAR: OnceLock<Script> = OnceLock::new();
    static PINNED: OnceLock<Script> = OnceLock::new();
    let kept = match graph {
        Graph::Complete => &COMPLETE,
        Graph::Regular { .. } => &REGULAR,
        Graph::KOut { .. } => &PINNED,
    };
    kept.get_or_init(|| {
        let config = config(graph, 5, 3);
        let mut clients: BTreeMap<ClientId, Client> =
            ids(5).map(|id| (id, member(&config, id, true))).collect();
        let (mut server, mut requests) = Server::open(config).expect("a good configuration");
        let mut script = Script::new();
        loop {
            let mut round = BTreeMap::new();
            for (id, request) in requests {
                let response = clients.get_mut(&id).expect("a client").handle(&request).expect("an answer");
                server.receive(id, &response).expect("a good answer");
                round.insert(id, [request, response]);
            }
            script.push(round);
            match server.close_round().expect("an honest session") {
                Closed::Next(next) => requests = next,
                Closed::Done(_) => return script,
            }
        }
    })
}
