//! A session of the core's own clients and server, for threats that begin after it or take many of them.

use std::collections::BTreeMap;

use secagg::{Abort, Aggregate, Client, ClientId, Closed, Config, Credentials, Input, Policy, Round, Server};

use super::setting::{authority, bytes, certified, input};
use super::twin::add;

/// A client of the person with this number, which has the same secrets and the same input in every session.
pub(super) fn client(person: u32, signed: bool, policy: Policy) -> Client {
    let (entropy, identity) = (bytes("entropy", person), bytes("identity", person));
    let mut client = if signed {
        let credentials = Credentials::new(identity, certified(&identity), authority().public());
        Client::with_credentials(entropy, policy, credentials.expect("it is certified"))
    } else {
        Client::new(entropy, policy)
    };
    let [first, second, third] = input(person);
    let input = Input::new().with("v", vec![first, second]).with("w", vec![third]);
    client.set_input(input).expect("there is no configuration yet");
    client
}

/// What a session was.
pub(super) struct Ran {
    /// What the server received, by round.
    pub(super) received: Vec<Vec<(ClientId, Vec<u8>)>>,
    /// The clients that ended early.
    pub(super) ends: BTreeMap<u32, Abort>,
    pub(super) outcome: Result<Aggregate, Abort>,
}

/// Runs a session to its end. Who is silent sends no masked input, and nothing after it.
pub(super) fn run(
    config: &Config,
    clients: &mut BTreeMap<ClientId, Client>,
    silent: &[u32],
) -> Result<Ran, String> {
    run_changed(config, clients, silent, |_, _, answer| answer)
}

/// The same with answers that are changed on their way.
pub(super) fn run_changed(
    config: &Config,
    clients: &mut BTreeMap<ClientId, Client>,
    silent: &[u32],
    change: impl Fn(Option<Round>, ClientId, Vec<u8>) -> Vec<u8>,
) -> Result<Ran, String> {
    let (mut server, mut requests) = Server::open(config.clone()).map_err(|misuse| misuse.to_string())?;
    let (mut received, mut ends) = (Vec::new(), BTreeMap::new());
    let outcome = loop {
        let round = server.progress().map(|progress| progress.round);
        let mut answers = Vec::new();
        for (id, request) in requests {
            let gone = silent.contains(&id.get()) && round >= Some(Round::MaskedInputCollection);
            let Some(client) = clients.get_mut(&id).filter(|_| !gone) else { continue };
            match client.handle(&request) {
                Ok(answer) => {
                    let answer = change(round, id, answer);
                    server.receive(id, &answer).map_err(|fault| fault.to_string())?;
                    answers.push((id, answer));
                }
                Err(abort) => drop(ends.insert(id.get(), abort)),
            }
        }
        received.push(answers);
        match server.close_round() {
            Ok(Closed::Next(next)) => requests = next,
            Ok(Closed::Done(aggregate)) => break Ok(aggregate),
            Err(abort) => break Err(abort),
        }
    };
    Ok(Ran { received, ends, outcome })
}

/// The coordinates of a sum: of both vectors.
pub(super) fn sum(aggregate: &Aggregate) -> [u16; 3] {
    let lanes: Vec<u64> = aggregate.vectors.iter().flat_map(|(_, lanes)| lanes.iter()).collect();
    std::array::from_fn(|at| lanes.get(at).map_or(0, |one| *one as u16))
}

/// The inputs of these less those.
pub(super) fn difference(these: &[u32], those: &[u32]) -> [u16; 3] {
    let mut sum = [0; 3];
    these.iter().for_each(|person| add(&mut sum, input(*person), true));
    those.iter().for_each(|person| add(&mut sum, input(*person), false));
    sum
}
