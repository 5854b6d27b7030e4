//! Which vectors a client hands in.

use crate::{Refusal, VectorSpec};

/// A vector that a client is willing to hand in. It refuses a session with any that no such rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedVector {
    /// Its name.
    pub name: String,
    /// Its greatest length, in coordinates.
    pub maximum_length: u32,
    /// The most bits of a coordinate.
    pub maximum_bits: u8,
    /// The greatest bound on a client's coordinate; if there is one, a proposal must declare a bound at most as great.
    pub maximum_bound: Option<u64>,
}

impl AllowedVector {
    /// Whatever length, width and bound.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), maximum_length: u32::MAX, maximum_bits: 62, maximum_bound: None }
    }
}

pub(super) fn check(allowed: &[AllowedVector], vectors: &[VectorSpec]) -> Result<(), Refusal> {
    for VectorSpec { name, length, bits, bound, .. } in vectors {
        let rule = allowed.iter().find(|rule| rule.name == *name);
        let rule = rule.ok_or_else(|| Refusal::VectorNotAllowed(name.clone()))?;
        let too_great = |what, proposed: u64, maximum: u64| Refusal::VectorTooGreat {
            vector: name.clone(),
            what,
            proposed,
            maximum,
        };
        if *length > rule.maximum_length {
            return Err(too_great("coordinates", (*length).into(), rule.maximum_length.into()));
        }
        if *bits > rule.maximum_bits {
            return Err(too_great("bits of a coordinate", (*bits).into(), rule.maximum_bits.into()));
        }
        match (bound, rule.maximum_bound) {
            (None, Some(maximum)) => return Err(Refusal::VectorUnbounded { vector: name.clone(), maximum }),
            (Some(bound), Some(maximum)) if *bound > maximum => {
                return Err(too_great("as the bound of a value", *bound, maximum));
            }
            _ => {}
        }
    }
    Ok(())
}
