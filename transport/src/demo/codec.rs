//! How a round of the demonstration carries what clients learned: as it is, or with noise.

use std::collections::BTreeMap;
use std::sync::Arc;

use secagg::{Aggregate, VectorSpec};

use super::digits::Image;
use super::learner::{Model, PARAMETERS, Quantiser, bits_for};
use super::private::Private;
use crate::Error;

/// Name of the vector of updates.
const UPDATE: &str = "update";

/// Name of the vector, one coordinate long, that adds up the clients' numbers of images. Because
/// it is summed like the update, not even these numbers are visible. A private run has none: it
/// would be a figure without noise.
const EXAMPLES: &str = "examples";

/// Coordinates by the name of their vector.
pub type Vectors = BTreeMap<&'static str, Vec<u64>>;

/// One of two ways.
#[derive(Clone)]
pub enum Codec {
    /// Updates weighted by the number of images, in fixed point.
    Exact {
        /// The fixed point.
        quantiser: Quantiser,
        /// Images of the largest shard.
        largest_shard: u32,
    },
    /// Updates clipped and with noise, all clients alike.
    Private(Private),
}

impl Codec {
    /// Without noise, for clients with these images.
    pub fn exact(shards: &[Arc<Vec<Image>>]) -> Self {
        let largest_shard = shards.iter().map(|shard| shard.len()).max().unwrap_or(0) as u32;
        Self::Exact { quantiser: Quantiser::for_clients(shards.len() as u32, largest_shard), largest_shard }
    }

    /// The vectors of a session of `clients`.
    pub fn vectors(&self, clients: u32) -> Vec<VectorSpec> {
        match self {
            Self::Exact { quantiser, largest_shard } => {
                let bound = u64::from(*largest_shard);
                let bits = bits_for(clients, bound).unwrap_or(62);
                vec![
                    VectorSpec::new(UPDATE, PARAMETERS as u32, quantiser.bits).with_bound(quantiser.bound),
                    VectorSpec::new(EXAMPLES, 1, bits).with_bound(bound),
                ]
            }
            Self::Private(private) => vec![private.vector(UPDATE)],
        }
    }

    /// Fewest inputs that a sum may be of; `None` if the threshold sees to enough.
    pub fn minimum_survivors(&self) -> Option<u32> {
        match self {
            Self::Exact { .. } => None,
            Self::Private(private) => Some(private.minimum_survivors()),
        }
    }

    /// What a client hands in, by the vectors' names: how it would move the model `global`, which the
    /// session's `task` encodes, to `local`.
    ///
    /// # Errors
    /// The operating system has no randomness for noise; an update that is no number.
    pub fn encode(&self, local: &Model, global: &Model, images: u32, task: &[u8]) -> Result<Vectors, Error> {
        match self {
            Self::Exact { quantiser, .. } => Ok(BTreeMap::from([
                (UPDATE, quantiser.encode(local, global, images)),
                (EXAMPLES, vec![u64::from(images)]),
            ])),
            Self::Private(private) => Ok(BTreeMap::from([(UPDATE, private.encode(local, global, task)?)])),
        }
    }

    /// The average update of the survivors, from the released sum of the session with this task.
    ///
    /// # Errors
    /// A sum of another session.
    pub fn decode(&self, aggregate: &Aggregate, task: &[u8]) -> Result<Vec<f64>, Error> {
        let coordinates = |name: &str| -> Vec<u64> {
            let found = aggregate.vectors.iter().find(|(spec, _)| spec.name == name);
            found.map_or_else(Vec::new, |(_, lanes)| lanes.iter().collect())
        };
        let (sum, survivors) = (coordinates(UPDATE), aggregate.survivors.len() as u32);
        match self {
            Self::Exact { quantiser, .. } => {
                let examples = coordinates(EXAMPLES).first().copied().unwrap_or(0);
                Ok(quantiser.decode(&sum, survivors, examples))
            }
            Self::Private(private) => private.decode(&sum, survivors, task),
        }
    }
}
