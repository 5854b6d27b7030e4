//! How a round of the demonstration carries what clients learned: as it is, or with noise.

use std::collections::BTreeMap;
use std::sync::Arc;

use secagg::{Aggregate, Input, VectorSpec};

use super::digits::Image;
use super::learner::{Model, PARAMETERS, Quantiser, bits_for};
use super::private::{self, Private};
use secagg::privacy::PrivacyError;

/// Name of the vector of updates.
const UPDATE: &str = "update";

/// Name of the vector, one coordinate long, that adds up the clients' numbers of images. Because
/// it is summed like the update, not even these numbers are visible. A private run has none: it
/// would be a figure without noise.
const EXAMPLES: &str = "examples";

/// What a client hands in.
#[derive(Clone, Debug)]
pub enum Learned {
    /// Integers by the name of their vector.
    Exact(BTreeMap<&'static str, Vec<u64>>),
    /// How the model moves, as it is: the client of the protocol clips it and adds the noise.
    Real(Vec<f64>),
}

impl Learned {
    /// The same as the protocol takes it.
    pub fn input(&self) -> Input {
        match self {
            Self::Exact(vectors) => {
                vectors.iter().fold(Input::new(), |input, (name, values)| input.with(name, values.clone()))
            }
            Self::Real(update) => Input::new().with_real(UPDATE, update.iter().copied()),
        }
    }
}

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
    Private(Box<Private>),
}

impl Codec {
    /// Without noise, for clients with these images.
    pub fn exact(shards: &[Arc<Vec<Image>>]) -> Self {
        let largest_shard = shards.iter().map(|shard| shard.len()).max().unwrap_or(0) as u32;
        Self::Exact { quantiser: Quantiser::for_clients(shards.len() as u32, largest_shard), largest_shard }
    }

    /// With noise, sized for `clients` of which `vanishing` are not in the sum.
    ///
    /// # Errors
    /// A number outside its range; a target that no noise reaches.
    pub fn private(settings: private::Settings, clients: u32, vanishing: u32) -> Result<Self, PrivacyError> {
        Private::new(UPDATE, settings, clients, vanishing).map(Box::new).map(Self::Private)
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
            Self::Private(private) => vec![private.vector().clone()],
        }
    }

    /// Fewest inputs that a sum may be of; `None` if the threshold sees to enough.
    pub fn minimum_survivors(&self) -> Option<u32> {
        match self {
            Self::Exact { .. } => None,
            Self::Private(private) => Some(private.minimum_survivors()),
        }
    }

    /// What a client hands in that would move the model `global` to `local`.
    pub fn encode(&self, local: &Model, global: &Model, images: u32) -> Learned {
        match self {
            Self::Exact { quantiser, .. } => Learned::Exact(BTreeMap::from([
                (UPDATE, quantiser.encode(local, global, images)),
                (EXAMPLES, vec![u64::from(images)]),
            ])),
            Self::Private(_) => {
                let way = local.parameters.iter().zip(&global.parameters).map(|(new, old)| new - old);
                Learned::Real(way.collect())
            }
        }
    }

    /// The average update of the survivors, from the released sum; nothing if it is of another session.
    pub fn decode(&self, aggregate: &Aggregate) -> Vec<f64> {
        let survivors = aggregate.survivors.len() as u32;
        let coordinates = |name| aggregate.vector(name).map_or_else(Vec::new, |sum| sum.iter().collect());
        match self {
            Self::Exact { quantiser, .. } => {
                let examples = coordinates(EXAMPLES).first().copied().unwrap_or(0);
                quantiser.decode(&coordinates(UPDATE), survivors, examples)
            }
            Self::Private(_) => {
                let sum = aggregate.real(UPDATE).unwrap_or_default();
                sum.iter().map(|value| value / f64::from(survivors.max(1))).collect()
            }
        }
    }
}
