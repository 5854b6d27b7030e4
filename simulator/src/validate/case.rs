//! The set-ups.

use std::collections::BTreeMap;

use secagg::{Config, Graph, Round, Suite, VectorSpec};

use crate::reality::{Access, Network, Setup};

/// Bytes that a client's share of a queue holds: more than a connection has in flight, so nothing is dropped there.
const QUEUE: u64 = 4 << 20;

/// One set-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// What tables call it.
    pub name: &'static str,
    /// Number of clients.
    pub clients: u32,
    /// Neighbours of each; none for the complete graph.
    pub degree: Option<u32>,
    /// Coordinates, of 16 bits.
    pub length: u32,
    /// The clients' rates up and down, in megabits per second: every other client has the second pair.
    pub rates: [(f64, f64); 2],
    /// The server's rate, both ways, in megabits per second.
    pub server: f64,
    /// One way, in milliseconds.
    pub latency: u64,
    /// Probability of each packet to be lost.
    pub loss: f64,
    /// Clients that vanish as the request of a round comes, from the first on.
    pub vanish: &'static [(u32, Round)],
}

/// The set-ups that are compared by default: in all of them the network is slower than two cores that run all the
/// processes.
pub fn cases() -> Vec<Case> {
    let plain = Case {
        name: "plain",
        clients: 8,
        degree: None,
        length: 100_000,
        rates: [(2.0, 10.0); 2],
        server: 1000.0,
        latency: 100,
        loss: 0.0,
        vanish: &[],
    };
    vec![
        plain,
        Case { name: "long way", latency: 250, length: 150_000, ..plain },
        Case {
            name: "shared server link",
            clients: 16,
            rates: [(10.0, 10.0); 2],
            server: 16.0,
            latency: 150,
            ..plain
        },
        Case {
            name: "sparse graph",
            clients: 24,
            degree: Some(8),
            rates: [(1.0, 5.0); 2],
            length: 60_000,
            latency: 180,
            ..plain
        },
        Case { name: "two kinds of clients", clients: 12, rates: [(1.0, 4.0), (3.0, 12.0)], ..plain },
        Case { name: "loss", clients: 12, rates: [(1.0, 5.0); 2], loss: 0.001, latency: 120, ..plain },
        Case {
            name: "dropouts",
            clients: 12,
            latency: 120,
            vanish: &[(1, Round::ShareKeys), (2, Round::MaskedInputCollection), (1, Round::Unmasking)],
            ..plain
        },
        Case {
            name: "large vector",
            clients: 6,
            length: 400_000,
            rates: [(4.0, 20.0); 2],
            latency: 75,
            ..plain
        },
    ]
}

impl Case {
    /// The graph.
    pub fn graph(&self) -> Graph {
        self.degree.map_or(Graph::Complete, |degree| Graph::Regular { degree })
    }

    /// Just over half of the holders.
    pub fn threshold(&self) -> u32 {
        self.degree.unwrap_or(self.clients) / 2 + 1
    }

    /// The vectors.
    pub fn vectors(&self) -> Vec<VectorSpec> {
        vec![VectorSpec::new("v", self.length, 16)]
    }

    /// The session's configuration.
    pub fn config(&self) -> Config {
        Config {
            suite: Suite::Curious,
            graph: self.graph(),
            clients: self.clients,
            threshold: self.threshold(),
            vectors: self.vectors(),
            task: [0; 32],
            nonce: [7; 32],
        }
    }

    /// The round at which a client, numbered from 0, vanishes.
    pub fn vanishes(&self, client: usize) -> Option<Round> {
        let mut first = 0;
        for (count, round) in self.vanish {
            first += *count as usize;
            if client < first {
                return Some(*round);
            }
        }
        None
    }

    /// A client's link.
    pub fn access(&self, client: usize) -> Access {
        let (up, down) = self.rates[client % 2];
        Access {
            up: up * 1e6,
            down: down * 1e6,
            latency: self.latency * 1_000_000,
            jitter: 0,
            loss: self.loss,
        }
    }

    /// The set-up for real processes.
    pub fn setup(&self, seed: u64) -> Setup {
        let clients = self.clients as usize;
        let vanish: BTreeMap<usize, String> = (0..clients)
            .filter_map(|client| Some((client, format!("before:{}", self.vanishes(client)?))))
            .collect();
        Setup {
            graph: self.graph(),
            threshold: self.threshold(),
            vectors: self.vectors(),
            vanish,
            network: Network {
                clients: (0..clients).map(|client| self.access(client)).collect(),
                server_up: self.server * 1e6,
                server_down: self.server * 1e6,
                queue: QUEUE,
                seed,
            },
            deadline: 120,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_ups_are_possible_and_differ() {
        let cases = cases();
        assert!(cases.len() >= 6);
        for (at, case) in cases.iter().enumerate() {
            case.config().check().unwrap();
            assert!(cases[..at].iter().all(|other| other.name != case.name));
        }
    }

    #[test]
    fn clients_vanish_in_the_order_of_the_list() {
        let case = cases().into_iter().find(|case| case.name == "dropouts").unwrap();
        let rounds: Vec<Option<Round>> = (0..5).map(|client| case.vanishes(client)).collect();
        let masked = Some(Round::MaskedInputCollection);
        assert_eq!(rounds, [Some(Round::ShareKeys), masked, masked, Some(Round::Unmasking), None]);
    }
}
