//! The rounds, one file each, named as in the papers. In each file: the messages, the client's step, the
//! server's step.
//!
//! A state holds what its round needs and no more, and is consumed by the step that ends it.

pub(crate) mod advertise_keys;
pub(crate) mod advertisement;
pub(crate) mod certificate;
pub(crate) mod consistency_check;
pub(crate) mod drawn;
pub(crate) mod masked_input;
pub(crate) mod masked_input_collection;
pub(crate) mod reconstruction;
pub(crate) mod roll;
pub(crate) mod share_keys;
pub(crate) mod unmasking;

use std::fmt;

/// The rounds of Bonawitz et al. 2017, figure 4, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Round {
    /// Clients advertise fresh public keys.
    AdvertiseKeys,
    /// Clients share their secrets among their neighbours.
    ShareKeys,
    /// Clients send their masked inputs.
    MaskedInputCollection,
    /// Clients sign the survivor set, in suites that have signatures.
    ConsistencyCheck,
    /// Clients give the shares that take the masks away.
    Unmasking,
}

impl Round {
    /// The name, as in the papers.
    pub fn name(self) -> &'static str {
        match self {
            Self::AdvertiseKeys => "AdvertiseKeys",
            Self::ShareKeys => "ShareKeys",
            Self::MaskedInputCollection => "MaskedInputCollection",
            Self::ConsistencyCheck => "ConsistencyCheck",
            Self::Unmasking => "Unmasking",
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
