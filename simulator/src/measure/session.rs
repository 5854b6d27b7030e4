//! Whole sessions in one thread, with the CPU time of all clients and of the server.

use std::collections::BTreeMap;

use secagg::{
    Client, ClientId, Closed, Config, Counts, Graph, Input, Policy, Round, Server, Suite, VectorSpec,
};
use serde::Serialize;

use super::{MeasureError, cpu};
use crate::Profile;

/// A session of a regular graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SessionShape {
    /// Number of clients.
    pub clients: u32,
    /// Neighbours of each, even.
    pub degree: u32,
    /// Coordinates.
    pub length: u32,
    /// Bits of a coordinate, 17 to 32.
    pub bits: u8,
    /// Clients that vanish before MaskedInputCollection.
    pub dropped: u32,
}

/// What a profile says and what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// All clients together.
    pub clients: Cpu,
    /// The server.
    pub server: Cpu,
}

/// CPU seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cpu {
    /// By the counts and the profile.
    pub predicted: f64,
    /// Of the thread.
    pub measured: f64,
}

impl Cpu {
    /// What was predicted, as a share of what was measured.
    pub fn ratio(&self) -> f64 {
        self.predicted / self.measured
    }
}

/// A cohort for the cost of a message: next to no vector.
const SMALL: SessionShape = SessionShape { clients: 60, degree: 12, length: 20, bits: 20, dropped: 0 };

/// A cohort for the cost of a message's byte: next to nothing but vectors.
const LARGE: SessionShape = SessionShape { clients: 12, degree: 4, length: 200_000, bits: 20, dropped: 0 };

/// One side of a session.
#[derive(Default)]
struct Side {
    seconds: f64,
    counts: Counts,
    messages: u64,
    bytes: u64,
}

/// Attributes what sessions take beyond their operations to their messages.
pub(super) fn measure_messages(profile: &mut Profile) -> Result<(), MeasureError> {
    let [small, large] = [rest(profile, &SMALL)?, rest(profile, &LARGE)?];
    // Two equations: seconds = messages · message + bytes · byte.
    let determinant = small.1 * large.2 - large.1 * small.2;
    profile.message = ((small.0 * large.2 - large.0 * small.2) / determinant).max(0.0);
    profile.message_byte = ((small.1 * large.0 - large.1 * small.0) / determinant).max(0.0);
    Ok(())
}

/// Nanoseconds of a session that its operations do not explain, both sides together, its messages and their bytes.
fn rest(profile: &Profile, shape: &SessionShape) -> Result<(f64, f64, f64), MeasureError> {
    let (clients, server) = run(shape)?;
    let config = config(shape);
    let explained =
        profile.nanoseconds(&clients.counts, &config) + profile.nanoseconds(&server.counts, &config);
    let spent = (clients.seconds + server.seconds) * 1e9;
    let messages = (clients.messages + server.messages) as f64;
    Ok(((spent - explained).max(0.0), messages, (clients.bytes + server.bytes) as f64))
}

pub(super) fn predict(profile: &Profile, shape: &SessionShape) -> Result<Prediction, MeasureError> {
    let (clients, server) = run(shape)?;
    let config = config(shape);
    let cpu = |side: &Side| Cpu {
        predicted: 1e-9
            * (profile.nanoseconds(&side.counts, &config) + profile.messages(side.messages, side.bytes)),
        measured: side.seconds,
    };
    Ok(Prediction { clients: cpu(&clients), server: cpu(&server) })
}

fn config(shape: &SessionShape) -> Config {
    Config {
        suite: Suite::Curious,
        graph: Graph::Regular { degree: shape.degree },
        clients: shape.clients,
        threshold: shape.degree / 2 + 1,
        minimum_survivors: 1,
        vectors: vec![VectorSpec::new("v", shape.length, shape.bits)],
        task: [0; 32],
        nonce: [9; 32],
    }
}

/// Runs a session; returns the clients' side and the server's.
fn run(shape: &SessionShape) -> Result<(Side, Side), MeasureError> {
    let mut clients: BTreeMap<ClientId, Client> = (1..=shape.clients)
        .filter_map(|number| Some((ClientId::new(number)?, Client::new(entropy(number), Policy::default()))))
        .collect();
    let (mut mine, mut servers) = (Side::default(), Side::default());
    let opened = servers.timed(|| Server::open(config(shape)));
    let (mut server, mut requests) = opened.map_err(failed)?;
    loop {
        let round = server.progress().map(|progress| progress.round);
        for (id, request) in requests {
            servers.note(request.len());
            let Some(client) = clients.get_mut(&id) else { continue };
            if round == Some(Round::MaskedInputCollection) {
                if id.get() <= shape.dropped {
                    continue;
                }
                client
                    .set_input(Input::new().with("v", vec![1u32; shape.length as usize]))
                    .map_err(failed)?;
            }
            mine.note(request.len());
            let answer = mine.timed(|| client.handle(&request)).map_err(failed)?;
            mine.note(answer.len());
            servers.note(answer.len());
            servers.timed(|| server.receive(id, &answer)).map_err(failed)?;
        }
        match servers.timed(|| server.close_round()).map_err(failed)? {
            Closed::Next(next) => requests = next,
            Closed::Done(_) => break,
        }
    }
    clients.values().for_each(|client| mine.counts += client.counts());
    servers.counts = server.counts();
    Ok((mine, servers))
}

impl Side {
    fn timed<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begin = cpu();
        let result = work();
        self.seconds += cpu() - begin;
        result
    }

    fn note(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

fn entropy(number: u32) -> [u8; 32] {
    let mut entropy = [1; 32];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    entropy
}

fn failed(error: impl std::fmt::Display) -> MeasureError {
    MeasureError::Session(error.to_string())
}
