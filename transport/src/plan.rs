//! What a server wants of one session, before it knows who will join.

use std::sync::Arc;

use secagg::{Config, Graph, Misuse, Suite, VectorSpec};
use sha2::{Digest, Sha256};

use crate::policy::SessionPolicy;

/// How many of a client's shares rebuild its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// This many, however many clients join.
    Fixed(u32),
    /// Two thirds of the clients on a complete graph, rounded up; just over half of the degree on
    /// a regular or a k-out graph. Always above half, so that no server can collect both kinds of shares of
    /// one client by telling half of the holders one thing and half another. In the active suite at
    /// least the quorum against its corrupt clients.
    Default,
}

impl Threshold {
    /// Returns the threshold for a graph of `clients`.
    pub fn of(self, suite: Suite, graph: Graph, clients: u32) -> u32 {
        let threshold = match (self, graph) {
            (Threshold::Fixed(threshold), _) => return threshold,
            (Threshold::Default, Graph::Complete) => (u64::from(clients) * 2).div_ceil(3) as u32,
            (Threshold::Default, Graph::Regular { degree } | Graph::KOut { degree }) => degree / 2 + 1,
        };
        match suite {
            Suite::Active { corrupt, .. } => {
                threshold.max(((u64::from(clients) + u64::from(corrupt)) / 2) as u32 + 1)
            }
            _ => threshold,
        }
    }
}

/// One session: what is aggregated, over which graph, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct SessionPlan {
    /// The protocol's suite.
    pub suite: Suite,
    /// Who shares with whom. If so few join that the degree is impossible, the graph is complete; a k-out graph stays one,
    /// on which everybody draws all others.
    pub graph: Graph,
    /// The session starts as soon as this many clients have joined.
    pub clients: u32,
    /// How many shares rebuild a secret.
    pub threshold: Threshold,
    /// Fewest inputs that a sum may be of: with fewer survivors the session ends without a sum. None asks for as many as
    /// the threshold, which adds nothing to what the rounds need anyway.
    pub minimum_survivors: Option<u32>,
    /// The vectors to sum.
    pub vectors: Vec<VectorSpec>,
    /// Bytes for the clients, such as a model to train: given to each with its first request.
    /// The session is bound to their SHA-256.
    pub task: Arc<[u8]>,
    /// Makes the session unique. None draws it from the operating system; only a test or a
    /// demonstration that must be repeatable sets it.
    pub nonce: Option<[u8; 32]>,
    /// How long to wait.
    pub policy: SessionPolicy,
}

impl SessionPlan {
    /// Checks the plan as if all clients joined.
    ///
    /// # Errors
    ///
    /// The first rule for configurations that the plan breaks, with the numbers.
    pub fn check(&self) -> Result<(), Misuse> {
        Config { graph: self.graph, ..self.config(self.clients, [0; 32]) }.check()
    }

    /// Returns the session's configuration once the number of its clients is known.
    pub fn config(&self, joined: u32, nonce: [u8; 32]) -> Config {
        let graph = fitting(self.graph, joined);
        let threshold = self.threshold.of(self.suite, graph, joined);
        Config {
            suite: self.suite,
            graph,
            clients: joined,
            threshold,
            minimum_survivors: self.minimum_survivors.unwrap_or(threshold),
            vectors: self.vectors.clone(),
            task: Sha256::digest(&self.task).into(),
            nonce,
        }
    }
}

fn fitting(graph: Graph, clients: u32) -> Graph {
    match graph {
        Graph::Regular { degree } if degree < clients => Graph::Regular { degree },
        Graph::KOut { degree } => Graph::KOut { degree: degree.min(clients.saturating_sub(1)) },
        _ => Graph::Complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degree(wanted: u32, clients: u32) -> Option<u32> {
        match fitting(Graph::Regular { degree: wanted }, clients) {
            Graph::Regular { degree } => Some(degree),
            _ => None,
        }
    }

    #[test]
    fn a_degree_fits_the_clients_who_joined() {
        assert_eq!(degree(6, 40), Some(6));
        assert_eq!(degree(6, 7), Some(6));
        assert_eq!(degree(6, 6), None);
        assert_eq!(degree(u32::MAX, 39), None);
        assert_eq!(fitting(Graph::KOut { degree: 6 }, 5), Graph::KOut { degree: 4 });
        assert_eq!(fitting(Graph::KOut { degree: 6 }, 40), Graph::KOut { degree: 6 });
    }

    #[test]
    fn the_default_threshold_is_above_half() {
        for clients in 1..200 {
            assert!(Threshold::Default.of(Suite::Curious, Graph::Complete, clients) * 2 > clients);
            assert!(
                Threshold::Default.of(Suite::Curious, Graph::Regular { degree: clients }, 1000) * 2 > clients
            );
        }
        assert_eq!(Threshold::Default.of(Suite::Curious, Graph::Complete, 40), 27);
        assert_eq!(Threshold::Default.of(Suite::Curious, Graph::Regular { degree: 20 }, 40), 11);
        assert_eq!(Threshold::Fixed(3).of(Suite::Curious, Graph::Complete, 40), 3);
        let active = |corrupt| Suite::Active { corrupt, authority: [0; 32] };
        assert_eq!(Threshold::Default.of(active(13), Graph::Complete, 40), 27);
        assert_eq!(Threshold::Default.of(active(20), Graph::Complete, 40), 31);
    }
}
