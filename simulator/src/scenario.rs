//! What is simulated.

use secagg::{Config, Graph, Input, Round, Suite, VectorSpec};

use crate::random::{Numbers, bytes};

/// The rounds of the suite that is simulated.
const ROUNDS: [Round; 4] =
    [Round::AdvertiseKeys, Round::ShareKeys, Round::MaskedInputCollection, Round::Unmasking];

/// One session to simulate. All that happens in it follows from these fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Who shares with whom.
    pub graph: Graph,
    /// Number of clients.
    pub clients: u32,
    /// Shares that reconstruct a secret.
    pub threshold: u32,
    /// What is summed.
    pub vectors: Vec<VectorSpec>,
    /// Probability of each client to vanish, at its answer to one of the rounds, all equally likely.
    pub dropout: f64,
    /// Where keys, inputs and fates come from.
    pub seed: u64,
}

impl Scenario {
    /// The configuration of the session.
    pub(crate) fn config(&self) -> Config {
        Config {
            suite: Suite::Curious,
            graph: self.graph,
            clients: self.clients,
            threshold: self.threshold,
            minimum_survivors: 1,
            vectors: self.vectors.clone(),
            task: [0; 32],
            nonce: bytes(self.seed, "nonce", 0),
        }
    }

    /// The entropy of a client.
    pub(crate) fn entropy(&self, client: u32) -> [u8; 32] {
        bytes(self.seed, "entropy", client)
    }

    /// The round in which a client vanishes before it answers; `None` if it stays.
    pub(crate) fn lost_in(&self, client: u32) -> Option<Round> {
        let mut numbers = Numbers::new(self.seed, "fate", client);
        if !numbers.chance(self.dropout) {
            return None;
        }
        ROUNDS.get((numbers.next() >> 62) as usize).copied()
    }

    /// The coordinates of a client's vector at `index`, in order.
    pub(crate) fn values(&self, client: u32, index: usize) -> impl Iterator<Item = u64> + use<> {
        let spec = self.vectors.get(index).map(|spec| (spec.length, spec.bits, spec.bound));
        let (length, bits, bound) = spec.unwrap_or((0, 1, None));
        let all = (1u64 << bits) - 1;
        let count = bound.map_or(all, |bound| bound.min(all)) + 1;
        let mut numbers = Numbers::new(self.seed, &format!("input {index}"), client);
        (0..length).map(move |_| numbers.next() % count)
    }

    /// A client's input.
    pub(crate) fn input(&self, client: u32) -> Input {
        let vectors = self.vectors.iter().enumerate();
        vectors.fold(Input::new(), |input, (index, spec)| {
            let values = self.values(client, index);
            match spec.bits {
                ..=16 => input.with(&spec.name, values.map(|value| value as u16).collect::<Vec<_>>()),
                17..=32 => input.with(&spec.name, values.map(|value| value as u32).collect::<Vec<_>>()),
                _ => input.with(&spec.name, values.collect::<Vec<_>>()),
            }
        })
    }
}
